//! Writing a plan: one call, and a second one without what Salesforce would not take.

use super::{Job, Step, Target};
use crate::{
    api::Refused,
    bindings::types::{Consequence, Delivery, Mapping, Outcome, Problem, Reaction},
    body,
    choices::{DuplicateRules, Existing},
    codes,
    errors::{DUPLICATE_VALUE, DUPLICATES_DETECTED, duplicates},
    mapping::{finding, is_same_field},
    org::Org,
    plan::{Plan, Scope},
    source::Given,
    value::{Fit, Json, Note, fit, same_record},
};
use alloc::{
    borrow::{Cow, ToOwned},
    boxed::Box,
    string::String,
    vec,
    vec::Vec,
};

/// Errors that a change of the fields since the mapping was saved explains.
const EXPLAINED_BY_FIELDS: [&str; 8] = [
    "INVALID_FIELD",
    "INVALID_FIELD_FOR_INSERT_UPDATE",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "INVALID_TYPE_ON_FIELD_IN_RECORD",
    "JSON_PARSER_ERROR",
    "NUMBER_OUTSIDE_VALID_RANGE",
    "STRING_TOO_LONG",
    "FIELD_INTEGRITY_EXCEPTION",
];

/// Errors that say that a Lead is not there.
const GONE: [&str; 4] = ["ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"];
const CONVERTED: &str = "CANNOT_UPDATE_CONVERTED_LEAD";

impl<'a, O: Org> Job<'a, '_, O> {
    /// Writes a plan. Where Salesforce refuses optional values, it is written once more without them.
    pub fn write(&mut self, target: &Target, plan: Plan<'a>) -> Result<Delivery, Box<Problem>> {
        let refused = match self.call(target, &plan) {
            Ok(id) => return Ok(self.written(target, id, plan)),
            Err(refused) => refused,
        };
        if let Some(delivery) = self.already_there(target, &refused)? {
            return Ok(delivery);
        }
        if let (Target::New, Some(delivery)) = (target, self.matched_lead(&refused, &plan)?) {
            return Ok(delivery);
        }
        let Some(second) = self.without_refused(target, &plan, &refused.problem)? else {
            return Err(self.told(target, refused.problem));
        };
        match self.call(target, &second) {
            Ok(id) => Ok(self.written(target, id, second)),
            Err(refused) => match self.already_there(target, &refused)? {
                Some(delivery) => Ok(delivery),
                None => match (target, self.matched_lead(&refused, &second)?) {
                    (Target::New, Some(delivery)) => Ok(delivery),
                    _ => Err(self.told(target, refused.problem)),
                },
            },
        }
    }

    /// One call with all values in it.
    fn call(&mut self, target: &Target, plan: &Plan<'_>) -> Result<String, Refused> {
        let body = self.body(target, plan);
        match target {
            Target::New => self.api.create(body, self.choices.assignment_rules, self.choices.duplicates),
            Target::Existing { id, .. } | Target::Moved { id } => self.api.update(id, body).map(|()| id.clone()),
        }
    }

    fn body(&self, target: &Target, plan: &Plan<'_>) -> Vec<u8> {
        let added = self.added(target);
        let rows = plan.entries.iter().map(|entry| (&*entry.field.name, &entry.value));
        body::object(rows.chain(added.iter().map(|(name, value)| (*name, value))))
    }

    /// What the plugin's own choices add to the rows.
    pub fn added(&self, target: &Target) -> Vec<(&'a str, Json<'a>)> {
        let mut added = Vec::new();
        let is_new = matches!(target, Target::New);
        if is_new && let Some(id) = self.choices.record_type {
            added.push(("RecordTypeId", Json::Text(Cow::Borrowed(id))));
        }
        if is_new && let Some(id) = self.choices.owner {
            added.push(("OwnerId", Json::Text(Cow::Borrowed(id))));
        }
        // Another booking's key is never replaced.
        let takes_key = is_new || matches!(target, Target::Existing { takes_key: true, .. });
        if takes_key && let Some((field, key)) = self.key(&self.booking.id) {
            added.push((field, Json::Text(Cow::Owned(key))));
        }
        added
    }

    fn written(&self, target: &Target, id: String, plan: Plan<'_>) -> Delivery {
        let outcome = if matches!(target, Target::New) { Outcome::Created } else { Outcome::Updated };
        self.delivery(id, outcome, plan.findings)
    }

    /// The Lead that an earlier try of this booking made, where the org says that its key is taken, or that it
    /// looks like a duplicate.
    fn already_there(&mut self, target: &Target, refused: &Refused) -> Result<Option<Delivery>, Box<Problem>> {
        let has_key = self.added(target).iter().any(|(field, _)| Some(*field) == self.choices.booking_id_field);
        // Duplicate rules are asked before the key's uniqueness, so that a repeat which nobody knows of may meet either.
        let looks_repeated = is_of(&refused.problem, DUPLICATES_DETECTED) && !self.may_be_there();
        if !has_key || !(looks_repeated || is_of(&refused.problem, DUPLICATE_VALUE)) {
            return Ok(None);
        }
        // Another unique field may be the one that is taken, or another person's Lead: then no Lead has this key.
        let found = self.lead_of_booking()?;
        Ok(found.map(|lead| self.delivery(lead.id, Outcome::AlreadyDelivered, Vec::new())))
    }

    /// Uses the Lead that a duplicate rule matched, where the mapping wants that: exactly one, with the guest's address. A rule
    /// compares loosely, so anything else may be another person.
    fn matched_lead(&mut self, refused: &Refused, plan: &Plan<'a>) -> Result<Option<Delivery>, Box<Problem>> {
        if self.choices.duplicates != DuplicateRules::UseMatch || !is_of(&refused.problem, DUPLICATES_DETECTED) {
            return Ok(None);
        }
        let (Some(found), Some(email)) = (refused.response.as_ref().and_then(duplicates), self.email(plan)) else {
            return Ok(None);
        };
        let [matched] = &*found.matches else { return Ok(None) };
        if matched.entity != "Lead" {
            return Ok(None);
        }
        // Who wants the match used and has no rule for Leads that are there wants nothing overwritten.
        let policy = match self.choices.existing {
            Existing::CreateAnother => Existing::FillEmpty,
            policy => policy,
        };
        let Some(lead) = self.lead_by_id(&matched.id, &self.fields_to_read(policy, plan, false))? else {
            return Ok(None);
        };
        let is_same = lead.text("Email").is_some_and(|held| held.eq_ignore_ascii_case(&email));
        if !is_same || lead.is_true("IsConverted") || !same_record(&lead.id, &matched.id) {
            return Ok(None);
        }
        match self.use_lead(lead, policy, plan.clone()) {
            Step::Done(delivery) => Ok(Some(delivery)),
            Step::Write { target, plan } => match self.call(&target, &plan) {
                Ok(id) => Ok(Some(self.written(&target, id, plan))),
                Err(refused) => Err(self.told(&target, refused.problem)),
            },
        }
    }

    /// The plan without the optional values that Salesforce refused; `None` where that would be of no use.
    fn without_refused(
        &mut self,
        target: &Target,
        plan: &Plan<'a>,
        problem: &Problem,
    ) -> Result<Option<Plan<'a>>, Box<Problem>> {
        if problem.http_status != Some(400) || matches!(problem.reaction, Reaction::CheckFirst | Reaction::Retry) {
            return Ok(None);
        }
        let codes = || core::iter::once(&problem.code).chain(problem.also.iter().map(|further| &further.code));
        let mut next = plan.clone();
        let is_explained = codes().any(|code| EXPLAINED_BY_FIELDS.contains(&&**code));
        if is_explained && self.live.get().is_none() {
            // Values that no longer fit are judged once more, by the fields as they are now.
            let scope = if matches!(target, Target::Moved { .. }) { Scope::Meeting } else { Scope::Booking };
            let mut fresh = self.plan_live(scope)?;
            fresh.entries.retain(|entry| plan.entries.iter().any(|old| old.row == entry.row));
            if let Some(problem) = fresh.problem() {
                return Err(problem);
            }
            next = fresh;
        }
        let errors = core::iter::once((&problem.code, &problem.message, &problem.fields))
            .chain(problem.also.iter().map(|further| (&further.code, &further.message, &further.fields)));
        for (code, message, fields) in errors {
            if fields.is_empty() && code != "JSON_PARSER_ERROR" {
                return Ok(None);
            }
            for field in fields {
                if plan.value_of(field).is_none() || !leave_out(self.mapping, &mut next, plan, field, code, message) {
                    return Ok(None);
                }
            }
        }
        let is_other = self.body(target, &next) != self.body(target, plan) && !next.entries.is_empty();
        Ok(is_other.then_some(next))
    }

    fn plan_live(&mut self, scope: Scope) -> Result<Plan<'a>, Box<Problem>> {
        self.live()?;
        self.plan(scope)
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
        let (id, reaction) = match target {
            Target::New => return problem,
            Target::Moved { id } => (id, Reaction::FixBooking),
            // The next look-up finds another one, or none.
            Target::Existing { id, .. } => (id, Reaction::Retry),
        };
        let code = if is_of(&problem, CONVERTED) {
            codes::LEAD_CONVERTED
        } else if problem.fields.is_empty() && GONE.contains(&&*problem.code) {
            codes::LEAD_GONE
        } else {
            return problem;
        };
        problem.code = code.to_owned();
        problem.reaction = reaction;
        problem.retry_after = (reaction == Reaction::Retry).then_some(1);
        problem.record_ids = vec![id.clone()];
        self.still_unknown(problem)
    }
}

/// Whether one of a problem's errors has this code.
fn is_of(problem: &Problem, code: &str) -> bool {
    problem.code == code || problem.also.iter().any(|further| further.code == code)
}

/// Leaves a field out of a plan, or takes the row's fallback where the field is required. Answers whether that could be done, or
/// had been done already.
fn leave_out<'a>(
    mapping: &'a Mapping,
    next: &mut Plan<'a>,
    refused: &Plan<'a>,
    field: &str,
    code: &str,
    message: &str,
) -> bool {
    let Some(place) = next.entries.iter().position(|entry| is_same_field(&entry.field.name, field)) else {
        return true;
    };
    let Some(entry) = next.entries.get_mut(place) else { return true };
    if refused.value_of(field) != Some(&entry.value) {
        return true;
    }
    let Some(row) = usize::try_from(entry.row).ok().and_then(|row| mapping.rows.get(row)) else { return false };
    let position = entry.row;
    let detail = [code, ": ", message].concat();
    if entry.field.required {
        let fallback = row.fallback.as_deref().and_then(Given::from_text).filter(|_| !entry.from_fallback);
        let Some(Fit::Whole(value) | Fit::Changed(value, _)) = fallback.map(|given| fit(given, entry.field, None))
        else {
            return false;
        };
        entry.value = value;
        entry.from_fallback = true;
        next.findings.retain(|finding| finding.rows != [position]);
        next.findings.push(finding(Note { code: codes::FALLBACK_USED, detail }, Consequence::Changed, position, row));
    } else {
        next.entries.remove(place);
        next.findings.retain(|finding| finding.rows != [position]);
        let mut left_out = finding(Note { code: "", detail }, Consequence::LeftOut, position, row);
        left_out.code = code.to_owned();
        next.findings.push(left_out);
    }
    true
}
