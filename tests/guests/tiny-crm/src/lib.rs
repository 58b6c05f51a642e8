//! A plugin for an invented CRM, written from the contract alone.
//!
//! A booking becomes two records: a *person*, found by mail or created, and a *lead* in a pipeline, which holds the booking's id
//! as its reference. The CRM can refuse the lead after the person was created.

#[expect(missing_docs, reason = "generated; the documentation is in wit/")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package tiny:plugin;
            world tiny {
                include scheduling:crm/plugin@0.1.0;
                export scheduling:crm/settings@0.1.0;
                export scheduling:crm/connection@0.1.0;
            }",
        generate_all,
        export_macro_name: "export_plugin",
    });
}

mod check;
mod crm;
mod deliver;
mod fields;
mod values;

use bindings::{
    exports::scheduling::crm::{
        connection::{self, Account, OauthError},
        leads,
        settings::{self, Checked, Expectation, OptionChoice, OptionGroup, PreviewResult},
    },
    scheduling::crm::types::{
        Booking, BookingKind, Delivery, FieldList, History, Mapping, Parameter, Problem, Reaction, RecordRef,
    },
};
use crm::{Crm, problem};

/// The plugin.
#[derive(Debug)]
pub struct TinyCrm;

impl leads::Guest for TinyCrm {
    fn on_booking_completed(booking: Booking, mapping: Mapping, history: History) -> Result<Delivery, Problem> {
        deliver::deliver(&booking, &mapping, &history)
    }

    fn list_lead_fields(target: Option<String>, _locale: String) -> Result<FieldList, Problem> {
        let crm = Crm::open()?;
        let pipeline = crm.pipeline(target.as_deref())?;
        Ok(crm.fields(&pipeline)?.into_list())
    }
}

impl settings::Guest for TinyCrm {
    fn list_targets(_locale: String) -> Result<Vec<OptionChoice>, Problem> {
        let pipelines = Crm::open()?.pipelines()?.into_iter();
        Ok(pipelines.map(|(value, label)| OptionChoice { value, label }).collect())
    }

    fn options(_target: Option<String>, _locale: String) -> Result<Vec<OptionGroup>, Problem> {
        Ok(Vec::new())
    }

    fn list_choices(
        _target: Option<String>,
        _group: String,
        _chosen: Vec<Parameter>,
        _locale: String,
    ) -> Result<Vec<OptionChoice>, Problem> {
        Ok(Vec::new())
    }

    fn preview(booking: Booking, mapping: Mapping, records: Vec<RecordRef>) -> Result<PreviewResult, Problem> {
        deliver::preview(&booking, &mapping, &records)
    }

    fn check_mapping(
        kind: BookingKind,
        target: Option<String>,
        rows: Vec<Expectation>,
        _options: Vec<Parameter>,
    ) -> Result<Checked, Problem> {
        let crm = Crm::open()?;
        let pipeline = crm.pipeline(target.as_deref())?;
        Ok(check::check(&crm.fields(&pipeline)?, &kind, &rows))
    }
}

impl connection::Guest for TinyCrm {
    fn check(_locale: String) -> Result<Account, Vec<Problem>> {
        let pipelines = Crm::open().and_then(|crm| crm.pipelines());
        // The CRM says nothing about the account that a key belongs to.
        let account =
            Account { id: String::new(), name: None, facts: Vec::new(), findings: Vec::new(), more: Vec::new() };
        pipelines.map(|_| account).map_err(|problem| vec![problem])
    }

    fn explain(_error: OauthError) -> Problem {
        problem("no-oauth", "this CRM has no OAuth", Reaction::AskAdmin)
    }
}

#[cfg(target_arch = "wasm32")]
mod component {
    #![expect(unsafe_code, reason = "the component's exports are generated as C functions")]
    use super::{TinyCrm, bindings};
    bindings::export_plugin!(TinyCrm with_types_in bindings);
}
