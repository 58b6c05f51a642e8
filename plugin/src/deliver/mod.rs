//! A booking becomes a Lead.
//!
//! `plan` says what a booking writes, `decide` chooses the step, `find` looks for Leads, `likeness` compares them with the
//! plan, `write` takes the step, `preview` shows it instead. `stopped` is how a try ends with a problem.

mod decide;
mod find;
mod likeness;
mod plan;
pub mod preview;
mod stopped;
#[cfg(test)]
mod tests;
mod write;

use crate::{
    bindings::types::{Booking, Delivery, Finding, History, LeadFields, Mapping, Outcome, Problem},
    mapping,
    salesforce::{
        api::Api,
        open,
        org::{Connect, Org},
    },
    settings::options::{Choices, OWNER_FIELD},
};
use decide::Step;
use plan::{Plan, Schema, Scope};
use std::cell::OnceCell;
use stopped::{Stopped, Tries};

/// Makes sure that a booking has a Lead, and returns it.
pub fn deliver(
    connect: &mut impl Connect,
    booking: &Booking,
    mapping: &Mapping,
    history: &History,
) -> Result<Delivery, Box<Problem>> {
    let attempt = |connect: &mut _| -> Result<Delivery, Stopped> {
        let tries = Tries::of(history);
        let choices = Choices::of(mapping).map_err(|problem| tries.stop(problem))?;
        let mut org = open(connect).map_err(|problem| tries.stop(problem))?;
        let attempt = Attempt::new(booking, mapping, history, choices);
        let mut job = Job::new(&mut org, &attempt).map_err(|problem| tries.stop(problem))?;
        match job.decide()? {
            Step::Done(delivery) => Ok(delivery),
            Step::Write { target, plan } => job.write(target, plan),
        }
    };
    attempt(connect).map_err(|stopped| {
        let mut problem = stopped.into_problem();
        mapping::attribute(&mut problem, mapping);
        problem
    })
}

/// One try of a booking: what the host gave, and the live fields once they were read.
struct Attempt<'a> {
    booking: &'a Booking,
    mapping: &'a Mapping,
    history: &'a History,
    choices: Choices<'a>,
    live: OnceCell<LeadFields>,
}

impl<'a> Attempt<'a> {
    fn new(booking: &'a Booking, mapping: &'a Mapping, history: &'a History, choices: Choices<'a>) -> Self {
        Self { booking, mapping, history, choices, live: OnceCell::new() }
    }
}

/// A try at work.
struct Job<'a, 'o, O> {
    api: Api<'o, O>,
    attempt: &'a Attempt<'a>,
    tries: Tries,
}

impl<'a, 'o, O: Org> Job<'a, 'o, O> {
    fn new(org: &'o mut O, attempt: &'a Attempt<'a>) -> Result<Self, Box<Problem>> {
        Ok(Self { api: Api::new(org)?, attempt, tries: Tries::of(attempt.history) })
    }

    /// What is written, judged by the rows' snapshots. If these would refuse or change a value, the live fields decide.
    fn plan(&mut self, scope: Scope) -> Result<Plan<'a>, Stopped> {
        if self.attempt.live.get().is_none() {
            let plan = self.plan_by(Schema::Snapshot, scope);
            if !plan.is_doubtful() {
                return Ok(plan);
            }
        }
        let live = self.live()?;
        Ok(self.plan_by(Schema::Live(live), scope))
    }

    fn plan_by(&self, schema: Schema<'a>, scope: Scope) -> Plan<'a> {
        let Attempt { booking, mapping, choices, .. } = self.attempt;
        let reserved =
            [choices.booking_id_field, choices.record_type.map(|_| "RecordTypeId"), choices.owner.map(|_| OWNER_FIELD)];
        let reserved: Vec<&str> = reserved.into_iter().flatten().collect();
        Plan::new(booking, mapping, schema, scope, &reserved)
    }

    /// The live fields, read once.
    fn live(&mut self) -> Result<&'a LeadFields, Stopped> {
        if let Some(live) = self.attempt.live.get() {
            return Ok(live);
        }
        let fields = self.api.describe().map_err(|problem| self.tries.stop(problem))?;
        Ok(self.attempt.live.get_or_init(|| fields))
    }

    fn delivery(&self, lead_id: String, outcome: Outcome, findings: Vec<Finding>) -> Delivery {
        Delivery { lead_url: Some(self.api.lead_url(&lead_id)), lead_id, outcome, findings }
    }
}
