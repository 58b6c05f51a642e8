//! Which step a booking needs.

use super::{
    Job, Stopped,
    find::{LeadQuery, is_open_with, with_key},
    plan::{Plan, Scope},
};
use crate::{
    bindings::types::{BookingKind, Consequence, Delivery, History, LeadField, Outcome, Reaction},
    codes,
    problem::refusal,
    salesforce::{fields::is_same_field, lead::Lead, org::Org},
    settings::options::{Existing, is_key_field},
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
    /// A Lead that the guest's e-mail address or a duplicate rule led to.
    Existing {
        id: String,
        /// Whether it takes this booking's key: it has none yet.
        takes_key: bool,
    },
    /// The Lead of a rescheduled booking.
    Rescheduled {
        id: String,
    },
}

impl Target {
    /// The id of the Lead, unless it is a new one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::New => None,
            Self::Existing { id, .. } | Self::Rescheduled { id } => Some(id),
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
        if let Some(id) = attempt.history.lead_id.clone() {
            // A repeat changes nothing.
            return match attempt.booking.kind {
                BookingKind::New => Ok(self.done(id, Outcome::AlreadyDelivered)),
                BookingKind::Rescheduled(_) => self.reschedule(id),
            };
        }
        let mut plan = self.plan(Scope::Booking)?;
        let query = self.lead_query(&plan)?;
        let mut leads = self.look_up(&query, &mut plan)?;
        if let Some(step) = self.by_key(&query.keys, &leads)? {
            return Ok(step);
        }
        let mut is_unknown = attempt.history.unknown_tries.is_some();
        if is_unknown && let Some(name) = attempt.choices.booking_id_field {
            // No Lead has the key. That settles it if the live field keeps out a second Lead of this booking, whatever is
            // still in progress.
            let is_key = |field: &LeadField| is_same_field(&field.name, name) && is_key_field(field);
            is_unknown = !self.live()?.fields.iter().any(is_key);
            plan = self.plan(Scope::Booking)?;
        }
        let place = match &query.email {
            Some(email) => leads.iter().position(|lead| is_open_with(lead, email)),
            None => None,
        };
        let existing = place.and_then(|place| leads.get(place));
        if existing.is_none() && plan.entries.is_empty() {
            let nothing = || {
                let message = "No row of the mapping has a value in this booking.";
                refusal(codes::NOTHING_TO_WRITE, Reaction::FixMapping, message)
            };
            return Err(self.tries.stop(plan.problem().unwrap_or_else(nothing)));
        }
        if is_unknown && let Some(id) = self.lost_lead(&leads, existing, &plan)? {
            return Ok(self.done(id, Outcome::AlreadyDelivered));
        }
        if !is_unknown || self.is_conclusive() {
            self.tries.settle();
        }
        match (place, plan.problem()) {
            (Some(place), _) => Ok(self.use_lead(leads.swap_remove(place), attempt.choices.existing, plan)),
            (None, Some(problem)) => Err(self.tries.stop(problem)),
            (None, None) => Ok(Step::Write { target: Target::New, plan }),
        }
    }

    /// What must be known before a Lead is created.
    fn lead_query(&self, plan: &Plan<'_>) -> Result<LeadQuery<'static>, Stopped> {
        let attempt = self.attempt;
        let History { first_try, unknown_tries, .. } = attempt.history;
        let policy = attempt.choices.existing;
        let own = &attempt.booking.id;
        let previous = match &attempt.booking.kind {
            BookingKind::New => None,
            BookingKind::Rescheduled(previous) => Some(previous),
        };
        // An earlier try, or the booking before it was rescheduled, may have created a Lead.
        let may_exist = first_try.is_some() || unknown_tries.is_some() || previous.is_some();
        let mut keys = Vec::new();
        for id in [Some(own), previous.filter(|id| *id != own)].into_iter().flatten() {
            keys.extend(self.key(id).map(|(_, key)| key));
        }
        if keys.first().is_some_and(|key| key.len() > LONGEST_KEY) {
            let message = "Team id and booking id are longer than an external-ID field can be.";
            return Err(self.tries.stop(refusal(codes::BOOKING_ID_TOO_LONG, Reaction::FixMapping, message)));
        }
        keys.retain(|_| may_exist);
        Ok(LeadQuery {
            keys,
            email: if policy == Existing::CreateAnother { None } else { self.email(plan) },
            since: self.since_lost_try(),
            values: unknown_tries.is_some() || policy == Existing::FillEmpty,
            id: None,
        })
    }

    /// The step for a booking whose Lead was found by the booking-id field. The booking's own key comes first.
    fn by_key(&mut self, keys: &[String], leads: &[Lead]) -> Result<Option<Step<'a>>, Stopped> {
        let attempt = self.attempt;
        let Some(field) = attempt.choices.booking_id_field else { return Ok(None) };
        for (place, key) in keys.iter().enumerate() {
            let found = with_key(leads, field, key).map_err(|problem| self.tries.stop(problem))?;
            let Some(lead) = found else { continue };
            self.tries.settle();
            let id = lead.id.clone();
            let keeps_id = matches!(&attempt.booking.kind, BookingKind::Rescheduled(id) if *id == attempt.booking.id);
            return if place == 0 && !keeps_id {
                Ok(Some(self.done(id, Outcome::AlreadyDelivered)))
            } else {
                self.reschedule(id).map(Some)
            };
        }
        Ok(None)
    }

    /// The step for a Lead that exists.
    pub fn use_lead(&self, lead: Lead, policy: Existing, mut plan: Plan<'a>) -> Step<'a> {
        let takes_key = self.attempt.choices.booking_id_field.is_some_and(|field| lead.is_blank(field));
        plan.keep_existing_values();
        match policy {
            Existing::Keep => return self.done(lead.id, Outcome::Kept),
            Existing::FillEmpty => plan.entries.retain(|entry| lead.is_blank(&entry.field.name)),
            Existing::CreateAnother | Existing::Overwrite => {}
        }
        // A value that is not written needs no finding about how it was changed.
        let mut findings = std::mem::take(&mut plan.findings);
        findings.retain(|finding| finding.consequence != Consequence::Changed || plan.is_about(finding));
        plan.findings = findings;
        if plan.entries.is_empty() && !takes_key {
            return Step::Done(self.delivery(lead.id, Outcome::Kept, plan.findings));
        }
        Step::Write { target: Target::Existing { id: lead.id, takes_key }, plan }
    }

    /// The step for a rescheduled booking whose Lead is known.
    fn reschedule(&mut self, id: String) -> Result<Step<'a>, Stopped> {
        let plan = self.plan(Scope::Meeting)?;
        Ok(if plan.entries.is_empty() {
            Step::Done(self.delivery(id, Outcome::Kept, plan.findings))
        } else {
            Step::Write { target: Target::Rescheduled { id }, plan }
        })
    }

    /// The step for a booking that needs no write.
    pub fn done(&self, lead_id: String, outcome: Outcome) -> Step<'a> {
        Step::Done(self.delivery(lead_id, outcome, Vec::new()))
    }
}
