//! The component: what it exports, and the host's imports as the connected org.

mod allocator;
mod host;

use crate::{
    bindings::{
        connection::{self, Account, OauthError},
        export,
        guidance::{self, AdviceText},
        leads,
        settings::{self, Checked, Expectation, OptionChoice, OptionGroup, PreviewResult},
        types::{Booking, BookingKind, Delivery, FieldList, History, Mapping, Parameter, Problem, RecordRef},
    },
    salesforce::open,
};
use host::Host;

struct Plugin;

impl leads::Guest for Plugin {
    fn on_booking_completed(booking: Booking, mapping: Mapping, history: History) -> Result<Delivery, Problem> {
        crate::deliver(&mut Host, &booking, &mapping, &history).map_err(|problem| *problem)
    }

    fn list_lead_fields(target: Option<String>, _locale: String) -> Result<FieldList, Problem> {
        // Salesforce has labels in the language of the connected user.
        crate::list_lead_fields(&mut Host, target.as_deref()).map_err(|problem| *problem)
    }
}

impl settings::Guest for Plugin {
    fn list_targets(locale: String) -> Result<Vec<OptionChoice>, Problem> {
        Ok(crate::list_targets(&locale))
    }

    fn options(target: Option<String>, locale: String) -> Result<Vec<OptionGroup>, Problem> {
        crate::options(target.as_deref(), &locale).map_err(|problem| *problem)
    }

    fn list_choices(
        target: Option<String>,
        group: String,
        _chosen: Vec<Parameter>,
        _locale: String,
    ) -> Result<Vec<OptionChoice>, Problem> {
        // None of them depends on what else was chosen.
        crate::list_choices(&mut Host, target.as_deref(), &group).map_err(|problem| *problem)
    }

    fn preview(booking: Booking, mapping: Mapping, records: Vec<RecordRef>) -> Result<PreviewResult, Problem> {
        crate::preview(&mut Host, &booking, &mapping, &records).map_err(|problem| *problem)
    }

    fn check_mapping(
        kind: BookingKind,
        target: Option<String>,
        rows: Vec<Expectation>,
        options: Vec<Parameter>,
    ) -> Result<Checked, Problem> {
        crate::check_mapping(&mut Host, &kind, target.as_deref(), &rows, &options).map_err(|problem| *problem)
    }
}

impl connection::Guest for Plugin {
    fn check(locale: String) -> Result<Account, Vec<Problem>> {
        let mut org = open(&mut Host).map_err(|problem| vec![*problem])?;
        crate::check_connection(&mut org, &locale)
    }

    fn explain(error: OauthError) -> Problem {
        crate::explain(error)
    }
}

impl guidance::Guest for Plugin {
    fn advice(code: String, particulars: Vec<Parameter>, locale: String) -> Option<AdviceText> {
        crate::advice(&code, &particulars, &locale)
    }

    fn codes() -> Vec<String> {
        crate::codes()
    }
}

export!(Plugin with_types_in crate::bindings);
