//! Writing a plan: one call, and further ones without what Salesforce would not take.

use super::{
    Job, Step, Target,
    find::{Sought, is_open_with, with_key},
    refused::{is_of, is_update},
};
use crate::{
    api::Refused,
    bindings::types::{Delivery, Outcome, Problem, Reaction},
    body,
    choices::{AssignmentRules, DuplicateRules, Existing, OWNER_FIELD},
    codes,
    errors::{DUPLICATE_VALUE, DUPLICATES_DETECTED, duplicates},
    mapping::is_same_field,
    org::Org,
    plan::Plan,
    value::{Json, same_record},
};
use std::borrow::Cow;

/// How often a booking is written at most. Salesforce checks in steps (formats, then rules, then states of a country), and each step
/// that refuses an optional value costs a write.
const MOST_WRITES: u8 = 3;

const CONVERTED: &str = "CANNOT_UPDATE_CONVERTED_LEAD";
/// Errors that say of the id in their words that nothing is there.
const ID_UNKNOWN: [&str; 2] = ["INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"];

impl<'a, O: Org> Job<'a, '_, O> {
    /// Writes a plan. Where Salesforce refuses optional values, it is written again without them.
    pub fn write(&mut self, mut target: Target, mut plan: Plan<'a>) -> Result<Delivery, Box<Problem>> {
        let mut writes = 1;
        loop {
            let refused = match self.call(&target, &plan) {
                Ok(id) => {
                    let outcome = if is_update(&target) { Outcome::Updated } else { Outcome::Created };
                    return Ok(self.delivery(id, outcome, plan.findings));
                }
                Err(refused) => refused,
            };
            let next = match self.duplicated(&target, &refused, &plan)? {
                Some(Step::Done(delivery)) => return Ok(delivery),
                Some(Step::Write { target: matched, plan }) => {
                    target = matched;
                    Some(plan)
                }
                None if writes < MOST_WRITES && !is_gone(&target, &refused.problem) => {
                    self.without_refused(&target, &plan, &refused.problem)?
                }
                None => None,
            };
            match next {
                Some(next) if writes < MOST_WRITES => plan = next,
                _ => return Err(self.told(&target, refused.problem)),
            }
            writes += 1;
            // A Lead that is there is left as it is where nothing remains.
            if let Target::Existing { id, .. } | Target::Moved { id } = &target
                && plan.entries.is_empty()
                && self.added(&target).is_empty()
            {
                return Ok(self.delivery(id.clone(), Outcome::Kept, plan.findings));
            }
        }
    }

    /// One call with all values in it.
    fn call(&mut self, target: &Target, plan: &Plan<'_>) -> Result<String, Refused> {
        let body = self.body(target, plan);
        let duplicates = self.choices.duplicates;
        match target {
            Target::New => {
                // A row that says nothing leaves it to the org's rule.
                let is_open = self.choices.owner_by_row && plan.entry_of(OWNER_FIELD).is_none();
                let assignment = if is_open { AssignmentRules::Run } else { self.choices.assignment_rules };
                self.api.create(body, assignment, duplicates)
            }
            Target::Existing { id, .. } | Target::Moved { id } => {
                self.api.update(id, body, duplicates).map(|()| id.clone())
            }
        }
    }

    /// What a plan is sent as.
    pub fn body(&self, target: &Target, plan: &Plan<'_>) -> Vec<u8> {
        let added = self.added(target);
        let rows = plan.entries.iter().map(|entry| (&*entry.field.name, &entry.value));
        body::object(rows.chain(added.iter().map(|(name, value)| (*name, value))))
    }

    /// What the plugin's own choices add to the rows.
    pub fn added(&self, target: &Target) -> Vec<(&'a str, Json<'a>)> {
        let mut added = Vec::new();
        let is_new = !is_update(target);
        if is_new && let Some(id) = self.choices.record_type {
            added.push(("RecordTypeId", Json::Text(Cow::Borrowed(id))));
        }
        if is_new && let Some(id) = self.choices.owner {
            added.push((OWNER_FIELD, Json::Text(Cow::Borrowed(id))));
        }
        if takes_key(target)
            && let Some((field, key)) = self.key(&self.booking.id)
        {
            added.push((field, Json::Text(Cow::Owned(key))));
        }
        added
    }

    /// What is to be done where the org says that the key is taken, or that the Lead looks like a duplicate: nothing, where
    /// this booking's key is found, since an earlier try made that Lead; or to use the Lead that a duplicate rule matched, where the mapping
    /// wants that: exactly one, with the guest's address. A rule compares loosely, so anything else may be another person.
    fn duplicated(
        &mut self,
        target: &Target,
        refused: &Refused,
        plan: &Plan<'a>,
    ) -> Result<Option<Step<'a>>, Box<Problem>> {
        let is_matched = is_of(&refused.problem, DUPLICATES_DETECTED);
        if !is_matched && !is_of(&refused.problem, DUPLICATE_VALUE) {
            return Ok(None);
        }
        // Rules are asked before the key's uniqueness: a repeat, even one that nobody knows of, may meet either. And another unique
        // field may be the one that is taken: then no Lead has this key.
        let key = self.key(&self.booking.id).filter(|_| takes_key(target));
        let mut sought = Sought { keys: key.iter().map(|(_, key)| key.clone()).collect(), ..Sought::default() };
        let found = refused.response.as_ref().and_then(duplicates).map(|found| found.matches).unwrap_or_default();
        if let ([matched], DuplicateRules::UseMatch, Target::New) = (&*found, self.choices.duplicates, target)
            && is_matched
            && matched.entity == "Lead"
        {
            sought.id = Some(&matched.id);
        }
        // Who wants the match used and has no rule for Leads that are there wants nothing overwritten.
        let policy = match self.choices.existing {
            Existing::CreateAnother => Existing::FillEmpty,
            policy => policy,
        };
        sought.values = sought.id.is_some() && policy == Existing::FillEmpty;
        let mut plan = plan.clone();
        let leads = self.look_up(&sought, &mut plan)?;
        if let Some((field, key)) = key
            && let Some(lead) = with_key(&leads, field, &key)?
        {
            return Ok(Some(self.done(lead.id.clone(), Outcome::AlreadyDelivered)));
        }
        let (Some(id), Some(email)) = (sought.id, self.email(&plan)) else { return Ok(None) };
        let lead = leads.into_iter().find(|lead| same_record(&lead.id, id) && is_open_with(lead, &email));
        Ok(lead.map(|lead| self.use_lead(lead, policy, plan)))
    }

    /// A refusal in the words that fit where it was met.
    fn told(&self, target: &Target, mut problem: Box<Problem>) -> Box<Problem> {
        let key_too_long = problem.code == "STRING_TOO_LONG"
            && self
                .choices
                .booking_id_field
                .is_some_and(|field| problem.fields.iter().any(|name| is_same_field(name, field)));
        if key_too_long {
            problem.code = codes::BOOKING_ID_TOO_LONG.to_owned();
            problem.reaction = Reaction::FixMapping;
        }
        let (Target::Existing { id, .. } | Target::Moved { id }) = target else { return problem };
        let code = if is_of(&problem, CONVERTED) {
            codes::LEAD_CONVERTED
        } else if is_gone(target, &problem) {
            codes::LEAD_GONE
        } else {
            return problem;
        };
        problem.code = code.to_owned();
        problem.record_ids = [id.clone()].into();
        if matches!(target, Target::Moved { .. }) {
            problem.reaction = Reaction::FixBooking;
        } else {
            // The next look-up finds another one, or none.
            problem.reaction = Reaction::Retry;
            problem.retry_after = Some(60);
        }
        problem
    }
}

/// Whether this booking's key is in the body. Another booking's key is never replaced.
fn takes_key(target: &Target) -> bool {
    matches!(target, Target::New | Target::Existing { takes_key: true, .. })
}

/// Whether a refusal says that the Lead which was to be changed is not there.
fn is_gone(target: &Target, problem: &Problem) -> bool {
    let (Target::Existing { id, .. } | Target::Moved { id }) = target else { return false };
    // Salesforce writes ids with 15 characters or 18.
    let is_named = || id.get(..15).is_some_and(|id| problem.message.contains(id));
    problem.http_status == Some(404)
        || problem.code == "ENTITY_IS_DELETED"
        || (ID_UNKNOWN.contains(&&*problem.code) && is_named())
}
