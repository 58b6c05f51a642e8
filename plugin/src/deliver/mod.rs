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
    bindings::types::{Booking, BookingKind, Delivery, Finding, History, Mapping, Outcome, Problem, RecordRef},
    field::{LeadField, memo},
    mapping::{self, check_target},
    salesforce::{
        api::{Api, LEAD},
        fields::LeadFields,
        open,
        org::{Connect, Org},
        soql::booking_key,
    },
    settings::options::Choices,
};
use decide::Step;
use plan::{Plan, Schema, Scope};
use std::cell::OnceCell;
use stopped::{Stopped, Tries};

/// Makes sure that a booking has a Lead that reflects what happened to the booking.
pub fn deliver(
    connect: &mut impl Connect,
    booking: &Booking,
    mapping: &Mapping,
    history: &History,
) -> Result<Delivery, Box<Problem>> {
    let attempt = |connect: &mut _| -> Result<Delivery, Stopped> {
        let tries = Tries::of(history);
        if let Some(delivery) = without_request(booking, mapping, history).map_err(|problem| tries.stop(problem))? {
            return Ok(delivery);
        }
        let choices = Choices::of_mapping(mapping).map_err(|problem| tries.stop(problem))?;
        let mut org = open(connect).map_err(|problem| tries.stop(problem))?;
        let attempt = Attempt::new(booking, mapping, history, choices);
        let mut job = Job::new(&mut org, &attempt);
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

/// The delivery of a booking that needs no request.
fn without_request(booking: &Booking, mapping: &Mapping, history: &History) -> Result<Option<Delivery>, Box<Problem>> {
    let done = |outcome| {
        let mut records = history.records.clone();
        // The Lead comes first.
        if let Some(place) = records.iter().position(is_lead) {
            records.swap(0, place);
        }
        Some(Delivery { records, outcome, findings: Vec::new(), more: Vec::new() })
    };
    // A kind of a later version is ignored, whatever else is wrong [P2].
    if matches!(booking.kind, BookingKind::Other(_)) {
        return Ok(done(Outcome::Ignored));
    }
    check_target(mapping.target.as_deref())?;
    Ok(match booking.kind {
        // A repeat changes nothing [P9].
        BookingKind::Confirmed if known_lead(history).is_some() => done(Outcome::AlreadyDelivered),
        BookingKind::Cancelled if !mapping.rows.iter().any(|row| row.on_change) => done(Outcome::Ignored),
        _ => None,
    })
}

/// The Lead that earlier tries are known to have made.
fn known_lead(history: &History) -> Option<&RecordRef> {
    history.records.iter().find(|record| is_lead(record))
}

/// Salesforce ignores the case of its objects' names.
fn is_lead(record: &RecordRef) -> bool {
    record.object.eq_ignore_ascii_case(LEAD)
}

/// One try of a booking: what the host gave, and the fields once they were read.
struct Attempt<'a> {
    booking: &'a Booking,
    mapping: &'a Mapping,
    history: &'a History,
    choices: Choices<'a>,
    /// The booking-id field, if the mapping has one, and this booking's key.
    key: Option<(&'a str, String)>,
    remembered: OnceCell<Vec<Option<LeadField<'a>>>>,
    live: OnceCell<LeadFields>,
}

impl<'a> Attempt<'a> {
    fn new(booking: &'a Booking, mapping: &'a Mapping, history: &'a History, choices: Choices<'a>) -> Self {
        let key = choices.booking_id_field.map(|field| (field, booking_key(&booking.team_id, &booking.id)));
        Self { booking, mapping, history, choices, key, remembered: OnceCell::new(), live: OnceCell::new() }
    }

    /// The fields as the rows' memos have them.
    fn remembered(&self) -> &[Option<LeadField<'a>>] {
        let read = || self.mapping.rows.iter().map(|row| memo::read(&row.field, &row.memo)).collect();
        self.remembered.get_or_init(read)
    }
}

/// A try at work.
struct Job<'a, 'o, O> {
    api: Api<'o, O>,
    attempt: &'a Attempt<'a>,
    tries: Tries,
}

impl<'a, 'o, O: Org> Job<'a, 'o, O> {
    fn new(org: &'o mut O, attempt: &'a Attempt<'a>) -> Self {
        Self { api: Api::new(org), attempt, tries: Tries::of(attempt.history) }
    }

    /// What is written, judged by the rows' memos. If these say nothing, or would refuse or change a value, the live fields
    /// decide [P3].
    fn plan(&mut self, scope: Scope) -> Result<Plan<'a>, Stopped> {
        if self.attempt.live.get().is_none() {
            let plan = self.plan_by(Schema::Memos(self.attempt.remembered()), scope);
            if !plan.is_doubtful() {
                return Ok(plan);
            }
        }
        let live = self.live()?;
        Ok(self.plan_by(Schema::Live(live), scope))
    }

    fn plan_by(&self, schema: Schema<'a>, scope: Scope) -> Plan<'a> {
        let Attempt { booking, mapping, choices, .. } = self.attempt;
        let reserved: Vec<&str> = choices.reserved().collect();
        Plan::new(mapping, booking.locale.as_deref(), schema, scope, &reserved)
    }

    /// The live fields, read once.
    fn live(&mut self) -> Result<&'a LeadFields, Stopped> {
        if let Some(live) = self.attempt.live.get() {
            return Ok(live);
        }
        let fields = self.api.describe().map_err(|problem| self.tries.stop(problem))?;
        Ok(self.attempt.live.get_or_init(|| fields))
    }

    fn delivery(&self, id: &str, outcome: Outcome, findings: Vec<Finding>) -> Delivery {
        Delivery { records: vec![self.api.lead(id)], outcome, findings, more: Vec::new() }
    }
}
