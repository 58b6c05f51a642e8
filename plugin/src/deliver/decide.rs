//! Which step a booking needs.

use super::{
    Attempt, Job, Stopped,
    find::{LeadQuery, is_open_with},
    known_lead,
    plan::{Plan, Scope},
};
use crate::{
    bindings::types::{BookingKind, Consequence, Delivery, Finding, History, Outcome, Reaction},
    codes,
    field::{LeadField, is_same_field},
    mapping::positions,
    problem::refusal,
    salesforce::{lead::Lead, org::Org, soql::booking_key},
    settings::options::{EMAIL_FIELD, Existing, is_key_field},
    value::is_record_id,
};

/// What is to be done.
pub enum Step<'a> {
    /// Nothing: it is done already, or the mapping wants the Lead left as it is.
    Done(Delivery),
    Write {
        target: Target,
        plan: Plan<'a>,
    },
}

/// Where a plan is written.
pub enum Target {
    New,
    /// A Lead that the guest's email address or a duplicate rule led to.
    Existing {
        id: String,
        /// Whether it takes this booking's key: it has none yet.
        takes_key: bool,
    },
    /// The Lead of a booking that was moved or cancelled.
    Known {
        id: String,
    },
}

impl Target {
    /// The id of the Lead, unless it is a new one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::New => None,
            Self::Existing { id, .. } | Self::Known { id } => Some(id),
        }
    }

    /// Whether this booking's key is written. Another booking's key is never replaced.
    pub fn takes_key(&self) -> bool {
        matches!(self, Self::New | Self::Existing { takes_key: true, .. })
    }
}

/// The longest key: no external-ID text field is longer.
const LONGEST_KEY: usize = 255;

impl<'a, O: Org> Job<'a, '_, O> {
    /// Chooses the step. Reads, but writes nothing.
    pub fn decide(&mut self) -> Result<Step<'a>, Stopped> {
        let attempt = self.attempt;
        // A confirmed booking whose Lead is known needs no step.
        if let Some(lead) = known_lead(attempt.history) {
            // No Lead has such an id, which must not become a part of an address either.
            if !is_record_id(&lead.id) {
                let mut problem = refusal(codes::LEAD_GONE, Reaction::FixBooking, "This is not the id of a Lead.");
                problem.concerned = vec![lead.clone()];
                return Err(self.tries.stop(problem));
            }
            return self.change(lead.id.clone());
        }
        if attempt.booking.kind == BookingKind::Cancelled {
            return self.cancel();
        }
        let mut plan = self.plan(Scope::Booking)?;
        let query = self.lead_query(&plan)?;
        let found = self.look_up(&query, &mut plan)?;
        if let Some(step) = self.by_key(&query.keys, &found.leads)? {
            return Ok(step);
        }
        let place = match &query.email {
            Some(email) => found.leads.iter().position(|lead| is_open_with(lead, email)),
            None => None,
        };
        let mut is_unknown = attempt.history.unknown_tries.is_some();
        if is_unknown && let Some(name) = attempt.choices.booking_id_field {
            // No Lead has the key. That settles it if the live field keeps out a second Lead of this booking, whatever is
            // still in progress.
            let is_key = |field: &LeadField<'_>| is_same_field(&field.name, name) && is_key_field(field);
            let is_protected = self.live()?.fields.iter().any(is_key);
            plan = self.plan(Scope::Booking)?;
            // A Lead that exists might not take the key, so that nothing keeps out one that the lost try still creates.
            if is_protected && place.is_some_and(|place| self.may_add_to(&found, place)) {
                return Err(self.tries.stop(self.pending()));
            }
            is_unknown = !is_protected;
        }
        let existing = place.and_then(|place| found.leads.get(place));
        if existing.is_none() && plan.entries.is_empty() {
            let nothing = || {
                let message = "No row of the mapping has a value in this booking.";
                refusal(codes::NOTHING_TO_WRITE, Reaction::FixMapping, message)
            };
            return Err(self.tries.stop(plan.problem().unwrap_or_else(nothing)));
        }
        if is_unknown && let Some(id) = self.lost_lead(&found, existing, &plan)? {
            return Ok(self.done(&id, Outcome::AlreadyDelivered));
        }
        if self.is_conclusive() || (!is_unknown && place.is_none()) {
            self.tries.settle();
        }
        self.note_missing_address(&mut plan);
        let existing = place.and_then(|place| found.leads.into_iter().nth(place));
        match (existing, plan.problem()) {
            (Some(lead), _) => Ok(self.use_lead(lead, attempt.choices.existing, plan)),
            (None, Some(problem)) => Err(self.tries.stop(problem)),
            (None, None) => Ok(Step::Write { target: Target::New, plan }),
        }
    }

    /// Adds a finding if the mapping has a policy for existing Leads, and no row by which to find any.
    fn note_missing_address(&self, plan: &mut Plan<'a>) {
        let attempt = self.attempt;
        let has_address = attempt.mapping.rows.iter().any(|row| is_same_field(&row.field, EMAIL_FIELD));
        if attempt.choices.existing == Existing::CreateAnother || has_address {
            return;
        }
        plan.findings.push(Finding {
            code: codes::EMAIL_UNMAPPED.to_owned(),
            consequence: Consequence::Changed,
            fields: vec![EMAIL_FIELD.to_owned()],
            rows: Vec::new(),
            message: "no row writes the email address, so that no existing Lead is looked for".to_owned(),
            particulars: Vec::new(),
            more: Vec::new(),
        });
    }

    /// What must be known before a Lead is created.
    fn lead_query(&self, plan: &Plan<'_>) -> Result<LeadQuery<'static>, Stopped> {
        let attempt = self.attempt;
        let History { first_try, unknown_tries, .. } = attempt.history;
        let policy = attempt.choices.existing;
        // An earlier try, or the booking before it was moved, may have created a Lead.
        let is_moved = attempt.booking.kind == BookingKind::Rescheduled;
        let may_exist = first_try.is_some() || unknown_tries.is_some() || is_moved;
        if attempt.key.as_ref().is_some_and(|(_, key)| key.len() > LONGEST_KEY) {
            let message = "Team id and booking id are longer than an external-ID field can be.";
            return Err(self.tries.stop(refusal(codes::BOOKING_ID_TOO_LONG, Reaction::FixMapping, message)));
        }
        Ok(LeadQuery {
            keys: if may_exist { self.keys() } else { Vec::new() },
            email: if policy == Existing::CreateAnother { None } else { self.email(plan) },
            since: self.earliest_lost_lead(),
            values: unknown_tries.is_some() || policy == Existing::FillEmpty,
            id: None,
        })
    }

    /// The keys that a Lead of this booking may have, its own first.
    fn keys(&self) -> Vec<String> {
        let Attempt { booking, key, .. } = self.attempt;
        let Some((_, key)) = key else { return Vec::new() };
        let is_changed = booking.kind != BookingKind::Confirmed;
        let previous = booking.previous_id.as_ref().filter(|id| is_changed && **id != booking.id);
        [key.clone()].into_iter().chain(previous.map(|id| booking_key(&booking.team_id, id))).collect()
    }

    /// The step for a booking whose Lead was found by the booking-id field. The booking's own key comes first.
    fn by_key(&mut self, keys: &[String], leads: &[Lead]) -> Result<Option<Step<'a>>, Stopped> {
        let attempt = self.attempt;
        let Some(field) = attempt.choices.booking_id_field else { return Ok(None) };
        for (place, key) in keys.iter().enumerate() {
            let found = self.with_key(leads, field, key).map_err(|problem| self.tries.stop(problem))?;
            let Some(lead) = found else { continue };
            self.tries.settle();
            let keeps_id = attempt.booking.previous_id.as_ref().is_none_or(|id| *id == attempt.booking.id);
            let is_repeat = match attempt.booking.kind {
                BookingKind::Confirmed => true,
                // Only an earlier try of this change can have made a Lead with a new id.
                BookingKind::Rescheduled => place == 0 && !keeps_id,
                BookingKind::Cancelled | BookingKind::Other(_) => false,
            };
            return if is_repeat {
                Ok(Some(self.done(&lead.id, Outcome::AlreadyDelivered)))
            } else {
                self.change(lead.id.clone()).map(Some)
            };
        }
        Ok(None)
    }

    /// The step for a cancelled booking whose Lead is not known. It is looked for by its key only, and never created [P10]. A
    /// try whose effect is unknown was one of this cancellation [H12], so that it created nothing either.
    fn cancel(&mut self) -> Result<Step<'a>, Stopped> {
        let query = LeadQuery { keys: self.keys(), ..LeadQuery::default() };
        let found = self.look_up(&query, &mut Plan::default())?;
        if let Some(step) = self.by_key(&query.keys, &found.leads)? {
            return Ok(step);
        }
        let rows = || positions(self.attempt.mapping).filter(|(_, row)| row.on_change);
        let finding = Finding {
            code: codes::RECORD_UNKNOWN.to_owned(),
            consequence: Consequence::LeftOut,
            fields: rows().map(|(_, row)| row.field.clone()).collect(),
            rows: rows().map(|(position, _)| position).collect(),
            message: "no Lead of this booking is known".to_owned(),
            particulars: Vec::new(),
            more: Vec::new(),
        };
        let (records, findings, more) = (Vec::new(), vec![finding], Vec::new());
        Ok(Step::Done(Delivery { records, outcome: Outcome::Ignored, findings, more }))
    }

    /// The step for a Lead that exists.
    pub fn use_lead(&self, lead: Lead, policy: Existing, mut plan: Plan<'a>) -> Step<'a> {
        let takes_key = self.attempt.choices.booking_id_field.is_some_and(|field| lead.is_blank(field));
        plan.keep_existing_values();
        match policy {
            Existing::Keep => return self.done(&lead.id, Outcome::Kept),
            Existing::FillEmpty => plan.entries.retain(|entry| lead.is_blank(&entry.field.name)),
            Existing::CreateAnother | Existing::Overwrite => {}
        }
        // A value that is not written needs no finding about how it was changed.
        let mut findings = std::mem::take(&mut plan.findings);
        findings.retain(|finding| finding.consequence != Consequence::Changed || plan.is_about(finding));
        plan.findings = findings;
        if plan.entries.is_empty() && !takes_key {
            return Step::Done(self.delivery(&lead.id, Outcome::Kept, plan.findings));
        }
        Step::Write { target: Target::Existing { id: lead.id, takes_key }, plan }
    }

    /// The step for a booking that changed and whose Lead is known.
    fn change(&mut self, id: String) -> Result<Step<'a>, Stopped> {
        let plan = self.plan(Scope::Change)?;
        Ok(if plan.entries.is_empty() {
            Step::Done(self.delivery(&id, Outcome::Kept, plan.findings))
        } else {
            Step::Write { target: Target::Known { id }, plan }
        })
    }

    /// The step for a booking that needs no write.
    pub fn done(&self, id: &str, outcome: Outcome) -> Step<'a> {
        Step::Done(self.delivery(id, outcome, Vec::new()))
    }
}
