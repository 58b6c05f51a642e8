//! Which step a booking needs.

use super::{
    Job,
    find::{Sought, is_open_with, with_key},
};
use crate::{
    bindings::types::{BookingKind, Consequence, Delivery, History, LeadField, Outcome, Problem, Reaction},
    choices::{Existing, is_key_field},
    codes,
    lead::Lead,
    mapping::{self, is_same_field},
    org::Org,
    plan::{Plan, Scope},
};

/// What is to be done.
pub enum Step<'a> {
    /// Nothing: it is done already, or the mapping wants it left.
    Done(Delivery),
    /// A write.
    Write {
        /// Where.
        target: Target,
        /// What.
        plan: Plan<'a>,
    },
}

/// Where a plan is written.
pub enum Target {
    /// A new Lead.
    New,
    /// A Lead that the guest's e-mail address or a duplicate rule led to.
    Existing {
        /// Its id.
        id: String,
        /// Whether it takes this booking's key: it has none yet.
        takes_key: bool,
    },
    /// The Lead of the booking that was moved.
    Moved {
        /// Its id.
        id: String,
    },
}

/// The longest key: no external-ID text field is longer.
const LONGEST_KEY: usize = 255;

impl<'a, O: Org> Job<'a, '_, O> {
    /// Chooses the step. Reads, but writes nothing.
    pub fn decide(&mut self) -> Result<Step<'a>, Box<Problem>> {
        if let Some(id) = self.history.lead_id.clone() {
            // A repeat changes nothing.
            return match self.booking.kind {
                BookingKind::New => Ok(self.done(id, Outcome::AlreadyDelivered)),
                BookingKind::Rescheduled(_) => self.moved(id),
            };
        }
        let mut plan = self.plan(Scope::Booking)?;
        let sought = self.sought(&plan)?;
        let mut leads = self.look_up(&sought, &mut plan)?;
        if let Some(step) = self.by_key(&sought.keys, &leads)? {
            return Ok(step);
        }
        let mut is_unknown = self.history.unknown_tries.is_some();
        if is_unknown && let Some(name) = self.choices.booking_id_field {
            // That no Lead has the key tells all, if the field as it is now keeps a second Lead of this booking out, whatever is still
            // under way.
            let is_key = |field: &LeadField| is_same_field(&field.name, name) && is_key_field(field);
            is_unknown = !self.live()?.fields.iter().any(is_key);
            plan = self.plan(Scope::Booking)?;
        }
        let place = match &sought.email {
            Some(email) => leads.iter().position(|lead| is_open_with(lead, email)),
            None => None,
        };
        let existing = place.and_then(|place| leads.get(place));
        if existing.is_none() && plan.entries.is_empty() {
            return Err(plan.problem().unwrap_or_else(|| {
                mapping::refusal(
                    codes::NOTHING_TO_WRITE,
                    Reaction::FixMapping,
                    "No row of the mapping has a value in this booking.",
                )
            }));
        }
        if is_unknown && let Some(id) = self.lost(&leads, existing, &plan)? {
            return Ok(self.done(id, Outcome::AlreadyDelivered));
        }
        self.known.in_doubt.set(is_unknown && !self.is_conclusive());
        match (place, plan.problem()) {
            (Some(place), _) => Ok(self.use_lead(leads.swap_remove(place), self.choices.existing, plan)),
            (None, Some(problem)) => Err(problem),
            (None, None) => Ok(Step::Write { target: Target::New, plan }),
        }
    }

    /// What must be known before a Lead is created.
    fn sought(&self, plan: &Plan<'_>) -> Result<Sought<'static>, Box<Problem>> {
        let History { first_try, unknown_tries, .. } = self.history;
        let policy = self.choices.existing;
        let own = &self.booking.id;
        let previous = match &self.booking.kind {
            BookingKind::New => None,
            BookingKind::Rescheduled(previous) => Some(previous),
        };
        // An earlier try, or the booking that was moved, may have made a Lead.
        let may_be_there = first_try.is_some() || unknown_tries.is_some() || previous.is_some();
        let mut keys = Vec::new();
        for id in [Some(own), previous.filter(|id| *id != own)].into_iter().flatten() {
            keys.extend(self.key(id).map(|(_, key)| key));
        }
        if keys.first().is_some_and(|key| key.len() > LONGEST_KEY) {
            return Err(mapping::refusal(
                codes::BOOKING_ID_TOO_LONG,
                Reaction::FixMapping,
                "Team id and booking id are longer than an external-ID field can be.",
            ));
        }
        keys.retain(|_| may_be_there);
        Ok(Sought {
            keys,
            email: if policy == Existing::CreateAnother { None } else { self.email(plan) },
            since: self.since_lost_try(),
            values: unknown_tries.is_some() || policy == Existing::FillEmpty,
            id: None,
        })
    }

    /// The step for a booking whose Lead the booking-id field leads to. Of the keys, the booking's own comes first.
    fn by_key(&mut self, keys: &[String], leads: &[Lead]) -> Result<Option<Step<'a>>, Box<Problem>> {
        let Some(field) = self.choices.booking_id_field else { return Ok(None) };
        for (place, key) in keys.iter().enumerate() {
            let Some(lead) = with_key(leads, field, key)? else { continue };
            self.known.in_doubt.set(false);
            let id = lead.id.clone();
            // A booking that kept its id was moved.
            let is_moved = matches!(&self.booking.kind, BookingKind::Rescheduled(id) if *id == self.booking.id);
            return if place == 0 && !is_moved {
                Ok(Some(self.done(id, Outcome::AlreadyDelivered)))
            } else {
                self.moved(id).map(Some)
            };
        }
        Ok(None)
    }

    /// The step for a Lead that is there.
    pub fn use_lead(&self, lead: Lead, policy: Existing, mut plan: Plan<'a>) -> Step<'a> {
        let takes_key = self.choices.booking_id_field.is_some_and(|field| lead.is_blank(field));
        plan.keep_what_is_there();
        match policy {
            Existing::Keep => return self.done(lead.id, Outcome::Kept),
            Existing::FillEmpty => plan.entries.retain(|entry| lead.is_blank(&entry.field.name)),
            Existing::CreateAnother | Existing::Overwrite => {}
        }
        // How a value was changed needs no word where it is not written.
        let mut findings = std::mem::take(&mut plan.findings);
        findings.retain(|finding| finding.consequence != Consequence::Changed || plan.is_about(finding));
        plan.findings = findings;
        if plan.entries.is_empty() && !takes_key {
            return Step::Done(self.delivery(lead.id, Outcome::Kept, plan.findings));
        }
        Step::Write { target: Target::Existing { id: lead.id, takes_key }, plan }
    }

    /// The step for a booking that was moved and whose Lead is known.
    fn moved(&mut self, id: String) -> Result<Step<'a>, Box<Problem>> {
        let plan = self.plan(Scope::Meeting)?;
        Ok(if plan.entries.is_empty() {
            Step::Done(self.delivery(id, Outcome::Kept, plan.findings))
        } else {
            Step::Write { target: Target::Moved { id }, plan }
        })
    }

    /// The step for a booking that needs no write.
    pub fn done(&self, lead_id: String, outcome: Outcome) -> Step<'a> {
        Step::Done(self.delivery(lead_id, outcome, Vec::new()))
    }
}
