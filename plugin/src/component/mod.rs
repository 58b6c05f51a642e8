//! The component: what it exports, and the host's imports as the connected org.

mod allocator;
mod host;

use crate::{
    bindings::{
        connection::{self, Account, OauthError},
        export,
        guidance::{self, AdviceText},
        leads,
        settings::{self, OptionGroup, PreviewResult},
        types::{Booking, Delivery, Finding, History, LeadFields, Mapping, Problem, Question},
    },
    salesforce::open,
};
use host::Host;

struct Plugin;

impl leads::Guest for Plugin {
    fn on_booking_completed(booking: Booking, mapping: Mapping, history: History) -> Result<Delivery, Problem> {
        crate::deliver(&mut Host, &booking, &mapping, &history).map_err(|problem| *problem)
    }

    fn list_lead_fields() -> Result<LeadFields, Problem> {
        crate::list_lead_fields(&mut Host).map_err(|problem| *problem)
    }
}

impl settings::Guest for Plugin {
    fn preview(booking: Booking, mapping: Mapping) -> Result<PreviewResult, Problem> {
        crate::preview(&mut Host, &booking, &mapping).map_err(|problem| *problem)
    }

    fn check_mapping(mapping: Mapping, questions: Vec<Question>) -> Result<Vec<Finding>, Problem> {
        crate::check_mapping(&mut Host, &mapping, &questions).map_err(|problem| *problem)
    }

    fn options() -> Vec<OptionGroup> {
        crate::options()
    }
}

impl connection::Guest for Plugin {
    fn check() -> Result<Account, Vec<Problem>> {
        let mut org = open(&mut Host).map_err(|problem| vec![*problem])?;
        crate::check_connection(&mut org)
    }

    fn explain(error: OauthError) -> Problem {
        crate::explain(error)
    }
}

impl guidance::Guest for Plugin {
    fn advice(code: String, locale: String) -> Option<AdviceText> {
        crate::advice(&code, &locale)
    }

    fn codes() -> Vec<String> {
        crate::codes()
    }
}

export!(Plugin with_types_in crate::bindings);
