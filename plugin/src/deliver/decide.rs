//! Which step a booking needs.

use super::{
    Job,
    find::{Lost, one_with_key},
};
use crate::{
    bindings::types::{BookingKind, Consequence, Delivery, Outcome, Problem, Reaction},
    choices::Existing,
    codes,
    lead::Lead,
    mapping,
    org::Org,
    plan::{Plan, Scope},
};
use alloc::{boxed::Box, string::String, vec, vec::Vec};

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
        self.choose().map_err(|problem| self.still_unknown(problem))
    }

    fn choose(&mut self) -> Result<Step<'a>, Box<Problem>> {
        if let Some(id) = &self.history.lead_id {
            return match self.booking.kind {
                // A repeat changes nothing.
                BookingKind::New => Ok(self.done(id.clone(), Outcome::AlreadyDelivered)),
                BookingKind::Rescheduled(_) => self.moved(id.clone()),
            };
        }
        if self.key(&self.booking.id).is_some_and(|(_, key)| key.len() > LONGEST_KEY) {
            return Err(mapping::refusal(
                codes::BOOKING_ID_TOO_LONG,
                Reaction::FixMapping,
                "Team id and booking id are longer than an external-ID field can be.",
            ));
        }
        if let Some(step) = self.known_by_key()? {
            return Ok(step);
        }
        self.by_policy()
    }

    /// Whether an earlier try, or the booking that was moved, may have made a Lead: then its key is read first.
    pub fn may_be_there(&self) -> bool {
        self.history.first_try.is_some()
            || self.history.unknown_tries.is_some()
            || matches!(self.booking.kind, BookingKind::Rescheduled(_))
    }

    /// The step for a booking whose Lead the booking-id field leads to.
    fn known_by_key(&mut self) -> Result<Option<Step<'a>>, Box<Problem>> {
        let Some((field, own)) = self.key(&self.booking.id) else { return Ok(None) };
        if !self.may_be_there() {
            return Ok(None);
        }
        let previous = match &self.booking.kind {
            BookingKind::New => None,
            BookingKind::Rescheduled(previous) => self.key(previous).map(|(_, key)| key),
        };
        let keys: Vec<&str> = match &previous {
            Some(previous) if *previous != own => vec![&own, previous],
            _ => vec![&own],
        };
        let (own_leads, other_leads) = self
            .leads_by_key(field, &keys)?
            .into_iter()
            .partition(|lead| lead.text(field).is_some_and(|key| key.eq_ignore_ascii_case(&own)));
        if let Some(lead) = one_with_key(own_leads, field, &own)? {
            return if previous.as_ref() == Some(&own) {
                // The booking kept its id and was moved.
                self.moved(lead.id).map(Some)
            } else {
                Ok(Some(self.done(lead.id, Outcome::AlreadyDelivered)))
            };
        }
        match previous.filter(|previous| *previous != own) {
            Some(previous) => match one_with_key(other_leads, field, &previous)? {
                Some(lead) => self.moved(lead.id).map(Some),
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    /// The step for a booking whose Lead is not known: by what is there with the guest's e-mail address.
    fn by_policy(&mut self) -> Result<Step<'a>, Box<Problem>> {
        let plan = self.plan(Scope::Booking)?;
        let email = self.email(&plan);
        // With a key a second create is refused, so that an unknown outcome is no danger.
        let is_unknown = self.history.unknown_tries.is_some() && self.choices.booking_id_field.is_none();
        let policy = self.choices.existing;
        // Looking for the guest's Leads finds the one of a lost try as well, if its address is written.
        let finds_lost = policy != Existing::CreateAnother && email.is_some() && plan.value_of("Email").is_some();
        if is_unknown && !finds_lost {
            match self.lost_lead(&plan)? {
                Lost::Found(lead) => return Ok(self.done(lead.id, Outcome::AlreadyDelivered)),
                Lost::Nothing => {}
            }
        }
        if let Some(problem) = plan.problem() {
            return Err(problem);
        }
        if policy != Existing::CreateAnother
            && let Some(email) = email
        {
            if let Some(lead) = self.existing_lead(&email, &self.fields_to_read(policy, &plan, is_unknown))? {
                if is_unknown && !plan.entries.is_empty() && lead.holds(&plan.entries) {
                    return Ok(self.done(lead.id, Outcome::AlreadyDelivered));
                }
                if is_unknown && self.is_since_lost_try(&lead) && !self.is_conclusive() {
                    return Err(self.pending());
                }
                return Ok(self.use_lead(lead, policy, plan));
            }
            if is_unknown && !self.is_conclusive() {
                return Err(self.pending());
            }
        }
        if plan.entries.is_empty() {
            return Err(mapping::refusal(
                codes::NOTHING_TO_WRITE,
                Reaction::FixMapping,
                "No row of the mapping has a value in this booking.",
            ));
        }
        Ok(Step::Write { target: Target::New, plan })
    }

    /// What must be known of a Lead to treat it by a policy.
    pub fn fields_to_read<'p>(&self, policy: Existing, plan: &'p Plan<'a>, compare: bool) -> Vec<&'p str>
    where
        'a: 'p,
    {
        let mut fields: Vec<&str> = self.choices.booking_id_field.into_iter().collect();
        if policy == Existing::FillEmpty || compare {
            fields.extend(plan.entries.iter().map(|entry| &*entry.field.name));
        }
        if compare {
            fields.push("CreatedDate");
        }
        fields
    }

    /// The step for a Lead that is there.
    pub fn use_lead(&self, lead: Lead, policy: Existing, mut plan: Plan<'a>) -> Step<'a> {
        let takes_key = self.choices.booking_id_field.is_some_and(|field| lead.is_blank(field));
        match policy {
            Existing::Keep => return self.done(lead.id, Outcome::Kept),
            Existing::FillEmpty => plan.entries.retain(|entry| lead.is_blank(&entry.field.name)),
            Existing::CreateAnother | Existing::Overwrite => {}
        }
        if plan.entries.is_empty() && !takes_key {
            return self.done(lead.id, Outcome::Kept);
        }
        // What is not written needs no word.
        plan.findings.retain(|finding| {
            finding.consequence != Consequence::Changed
                || finding.rows.iter().any(|row| plan.entries.iter().any(|entry| entry.row == *row))
        });
        Step::Write { target: Target::Existing { id: lead.id, takes_key }, plan }
    }

    /// The step for a booking that was moved and whose Lead is known.
    fn moved(&mut self, id: String) -> Result<Step<'a>, Box<Problem>> {
        let plan = self.plan(Scope::Meeting)?;
        if plan.entries.is_empty() {
            let mut step = self.done(id, Outcome::Kept);
            if let Step::Done(delivery) = &mut step {
                delivery.findings = plan.findings;
            }
            return Ok(step);
        }
        Ok(Step::Write { target: Target::Moved { id }, plan })
    }

    fn done(&self, lead_id: String, outcome: Outcome) -> Step<'a> {
        Step::Done(self.delivery(lead_id, outcome, Vec::new()))
    }

    /// What a write's problem says about the tries before it.
    pub fn in_doubt(&self, problem: Box<Problem>) -> Box<Problem> {
        if self.history.unknown_tries.is_none() || self.choices.booking_id_field.is_some() {
            return problem;
        }
        if self.is_conclusive() { problem } else { self.still_unknown(problem) }
    }

    /// A reaction of `retry` says that nothing was written. While an earlier try is in doubt, nobody can say so.
    pub fn still_unknown(&self, mut problem: Box<Problem>) -> Box<Problem> {
        if problem.reaction == Reaction::Retry && self.history.unknown_tries.is_some() {
            problem.reaction = Reaction::CheckFirst;
            problem.retry_after = problem.retry_after.or(Some(60));
        }
        problem
    }
}
