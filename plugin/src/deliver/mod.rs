//! A booking becomes a Lead: which step is due, and taking it.
//!
//! `find` looks for Leads, `decide` chooses the step, `write` takes it, `refused` is what is left to write after a refusal.

mod decide;
mod find;
mod refused;
#[cfg(test)]
mod tests;
mod write;

pub use decide::{Step, Target};

use crate::{
    api::Api,
    bindings::types::{Booking, Delivery, Finding, History, LeadFields, Mapping, Outcome, Problem, Reaction},
    choices::{Choices, OWNER_FIELD},
    errors::problem_from_secret_error,
    mapping,
    org::{Connect, Org},
    plan::{Plan, Schema, Scope},
};
use std::cell::{Cell, OnceCell};

/// Makes sure that a booking is a Lead, and says which.
pub fn deliver(
    connect: &mut impl Connect,
    booking: &Booking,
    mapping: &Mapping,
    history: &History,
) -> Result<Delivery, Box<Problem>> {
    let known = Known::new(history);
    attempt(connect, booking, mapping, history, &known).map_err(|mut problem| {
        // Any other reaction would say that nothing was written, and have the host forget the tries that may have.
        if known.in_doubt.get() && problem.reaction != Reaction::Reconnect {
            if problem.reaction == Reaction::Retry {
                problem.retry_after.get_or_insert(60);
            }
            problem.reaction = Reaction::CheckFirst;
        }
        mapping::attribute(&mut problem, mapping);
        problem
    })
}

fn attempt(
    connect: &mut impl Connect,
    booking: &Booking,
    mapping: &Mapping,
    history: &History,
    known: &Known,
) -> Result<Delivery, Box<Problem>> {
    let choices = Choices::of(mapping)?;
    let mut org = connect.connect().map_err(|error| Box::new(problem_from_secret_error(error)))?;
    let mut job = Job::new(&mut org, booking, mapping, history, choices, known)?;
    match job.decide()? {
        Step::Done(delivery) => Ok(delivery),
        Step::Write { target, plan } => job.write(target, plan),
    }
}

/// What becomes known on the way.
pub struct Known {
    /// The fields as they are now, once they were asked for.
    live: OnceCell<LeadFields>,
    /// Whether an earlier try may have made a Lead that nobody knows of.
    in_doubt: Cell<bool>,
}

impl Known {
    /// What is known at first. A Lead that the ledger knows of is no doubt.
    pub fn new(history: &History) -> Self {
        let in_doubt = Cell::new(history.unknown_tries.is_some() && history.lead_id.is_none());
        Self { live: OnceCell::new(), in_doubt }
    }
}

/// One booking, on its way.
pub struct Job<'a, 'o, O> {
    api: Api<'o, O>,
    booking: &'a Booking,
    mapping: &'a Mapping,
    history: &'a History,
    choices: Choices<'a>,
    known: &'a Known,
}

impl<'a, 'o, O: Org> Job<'a, 'o, O> {
    /// Takes a booking up.
    pub fn new(
        org: &'o mut O,
        booking: &'a Booking,
        mapping: &'a Mapping,
        history: &'a History,
        choices: Choices<'a>,
        known: &'a Known,
    ) -> Result<Self, Box<Problem>> {
        Ok(Self { api: Api::new(org)?, booking, mapping, history, choices, known })
    }

    /// What is written. Judged by the rows' snapshots; where these would refuse or change a value, by the live fields.
    pub fn plan(&mut self, scope: Scope) -> Result<Plan<'a>, Box<Problem>> {
        if self.known.live.get().is_none() {
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
            self.choices.owner.map(|_| OWNER_FIELD),
        ];
        let reserved: Vec<&str> = reserved.into_iter().flatten().collect();
        Plan::new(self.booking, self.mapping, schema, scope, &reserved)
    }

    /// The fields as they are now, asked for once.
    pub fn live(&mut self) -> Result<&'a LeadFields, Box<Problem>> {
        if let Some(live) = self.known.live.get() {
            return Ok(live);
        }
        let fields = self.api.describe()?;
        Ok(self.known.live.get_or_init(|| fields))
    }

    fn delivery(&self, lead_id: String, outcome: Outcome, findings: Vec<Finding>) -> Delivery {
        Delivery { lead_url: Some(self.api.lead_url(&lead_id)), lead_id, outcome, findings }
    }
}
