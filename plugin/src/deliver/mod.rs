//! A booking becomes a Lead: which step is due, and taking it.
//!
//! `find` looks for Leads, `decide` chooses the step, `write` takes it.

mod decide;
mod find;
#[cfg(test)]
mod tests;
mod write;

pub use decide::{Step, Target};

use crate::{
    api::Api,
    bindings::types::{Booking, Delivery, Finding, History, LeadFields, Mapping, Outcome, Problem},
    choices::Choices,
    errors::problem_from_secret_error,
    mapping,
    org::{Connect, Org},
    plan::{Plan, Schema, Scope},
};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::cell::OnceCell;

/// Makes sure that a booking is a Lead, and says which.
pub fn deliver(
    connect: &mut impl Connect,
    booking: &Booking,
    mapping: &Mapping,
    history: &History,
) -> Result<Delivery, Box<Problem>> {
    let choices = Choices::of(mapping)?;
    let mut org = connect.connect().map_err(|error| Box::new(problem_from_secret_error(error)))?;
    let live = OnceCell::new();
    let mut job = Job::new(&mut org, booking, mapping, history, choices, &live)?;
    let delivery = match job.decide() {
        Ok(Step::Done(delivery)) => Ok(delivery),
        Ok(Step::Write { target, plan }) => job.write(&target, plan).map_err(|problem| job.in_doubt(problem)),
        Err(problem) => Err(problem),
    };
    delivery.map_err(|mut problem| {
        mapping::attribute(&mut problem, mapping);
        problem
    })
}

/// One booking, on its way.
pub struct Job<'a, 'o, O> {
    api: Api<'o, O>,
    booking: &'a Booking,
    mapping: &'a Mapping,
    history: &'a History,
    choices: Choices<'a>,
    /// The fields as they are now, once they were asked for.
    live: &'a OnceCell<LeadFields>,
}

impl<'a, 'o, O: Org> Job<'a, 'o, O> {
    /// Takes a booking up.
    pub fn new(
        org: &'o mut O,
        booking: &'a Booking,
        mapping: &'a Mapping,
        history: &'a History,
        choices: Choices<'a>,
        live: &'a OnceCell<LeadFields>,
    ) -> Result<Self, Box<Problem>> {
        Ok(Self { api: Api::new(org)?, booking, mapping, history, choices, live })
    }

    /// What is written. Judged by the rows' snapshots; where these would refuse or change a value, by the live fields.
    pub fn plan(&mut self, scope: Scope) -> Result<Plan<'a>, Box<Problem>> {
        if self.live.get().is_none() {
            let plan = self.planned(Schema::Snapshot, scope);
            if !plan.is_doubtful() {
                return Ok(plan);
            }
        }
        let live = self.live()?;
        Ok(self.planned(Schema::Live(live), scope))
    }

    fn planned(&self, schema: Schema<'a>, scope: Scope) -> Plan<'a> {
        let reserved = [
            self.choices.booking_id_field,
            self.choices.record_type.map(|_| "RecordTypeId"),
            self.choices.owner.map(|_| "OwnerId"),
        ];
        let reserved: Vec<&str> = reserved.into_iter().flatten().collect();
        Plan::new(self.booking, self.mapping, schema, scope, &reserved)
    }

    /// The fields as they are now, asked for once.
    pub fn live(&mut self) -> Result<&'a LeadFields, Box<Problem>> {
        if let Some(live) = self.live.get() {
            return Ok(live);
        }
        let fields = self.api.describe()?;
        Ok(self.live.get_or_init(|| fields))
    }

    fn delivery(&self, lead_id: String, outcome: Outcome, findings: Vec<Finding>) -> Delivery {
        Delivery { lead_url: Some(self.api.lead_url(&lead_id)), lead_id, outcome, findings }
    }
}
