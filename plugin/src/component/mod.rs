//! The component: what it exports, and the host's imports as the connected org.

mod allocator;
mod host;

use crate::{
    api::Api,
    bindings::{
        connection::{self, Account, OauthError},
        export,
        guidance::{self, AdviceText},
        leads,
        settings::{self, OptionGroup, PreviewResult},
        types::{Booking, Delivery, Finding, History, LeadFields, Mapping, Problem, Question},
    },
    check, deliver, doctor,
    errors::problem_from_secret_error,
    oauth_error, options,
    org::Connect as _,
    preview,
};
use host::Host;

struct Plugin;

impl leads::Guest for Plugin {
    fn on_booking_completed(booking: Booking, mapping: Mapping, history: History) -> Result<Delivery, Problem> {
        deliver::deliver(&mut Host, &booking, &mapping, &history).map_err(|problem| *problem)
    }

    fn list_lead_fields() -> Result<LeadFields, Problem> {
        let mut org = Host.connect().map_err(problem_from_secret_error)?;
        Api::new(&mut org).and_then(|mut api| api.describe()).map_err(|problem| *problem)
    }
}

impl settings::Guest for Plugin {
    fn preview(booking: Booking, mapping: Mapping) -> Result<PreviewResult, Problem> {
        preview::preview(&mut Host, &booking, &mapping).map_err(|problem| *problem)
    }

    fn check_mapping(mapping: Mapping, questions: Vec<Question>) -> Result<Vec<Finding>, Problem> {
        check::check(&mut Host, &mapping, &questions).map_err(|problem| *problem)
    }

    fn options() -> Vec<OptionGroup> {
        options::options()
    }
}

impl connection::Guest for Plugin {
    fn check() -> Result<Account, Vec<Problem>> {
        let mut org = Host.connect().map_err(|error| vec![problem_from_secret_error(error)])?;
        doctor::check(&mut org)
    }

    fn explain(error: OauthError) -> Problem {
        oauth_error::explain(error)
    }
}

impl guidance::Guest for Plugin {
    fn advice(code: String, locale: String) -> Option<AdviceText> {
        crate::guidance::advice(&code, &locale)
    }

    fn codes() -> Vec<String> {
        crate::guidance::codes()
    }
}

export!(Plugin with_types_in crate::bindings);
