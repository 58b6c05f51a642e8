//! Writing a plan: one call, and further ones without what Salesforce refused.

use super::{
    Job, Step, Stopped,
    decide::Target,
    find::{LeadQuery, is_open_with},
    plan::{Entry, Plan, text},
};
use crate::{
    bindings::types::{Consequence, Delivery, Effect, FieldType, Mapping, Outcome, Problem, Reaction},
    codes,
    field::is_same_field,
    mapping::finding,
    salesforce::{
        api::{AssignmentRules, Refused},
        body,
        errors::{DUPLICATE_VALUE, DUPLICATES_DETECTED, duplicates, names_a_record},
        org::Org,
    },
    settings::options::{DuplicateRules, Existing, OWNER_FIELD, RECORD_TYPE_FIELD},
    value::{Json, Note, same_record},
};
use std::borrow::Cow;

/// How often a booking is written at most. Salesforce checks in stages (formats, then rules, then states of a country), and
/// each stage that refuses an optional value costs a write.
const MOST_WRITES: u8 = 3;

const CONVERTED: &str = "CANNOT_UPDATE_CONVERTED_LEAD";
/// Errors whose message names an id that does not exist.
const ID_UNKNOWN: [&str; 2] = ["INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"];

/// Errors that a change of the fields since the mapping was saved can explain.
const EXPLAINED_BY_FIELDS: [&str; 9] = [
    "INVALID_FIELD",
    "INVALID_FIELD_FOR_INSERT_UPDATE",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "INVALID_TYPE_ON_FIELD_IN_RECORD",
    "JSON_PARSER_ERROR",
    "NUMBER_OUTSIDE_VALID_RANGE",
    "REQUIRED_FIELD_MISSING",
    "STRING_TOO_LONG",
    "FIELD_INTEGRITY_EXCEPTION",
];

/// Errors about a record that a value refers to. They come without fields.
const OF_A_REFERENCE: [&str; 3] =
    ["INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"];

impl<'a, O: Org> Job<'a, '_, O> {
    /// Writes a plan. If Salesforce refuses optional values, writes it again without them.
    pub fn write(&mut self, mut target: Target, mut plan: Plan<'a>) -> Result<Delivery, Stopped> {
        let mut writes = 1;
        loop {
            let refused = match self.call(&target, &plan) {
                Ok(id) => {
                    let outcome = if target.id().is_some() { Outcome::Updated } else { Outcome::Created };
                    return Ok(self.delivery(&id, outcome, plan.findings));
                }
                Err(refused) => refused,
            };
            if refused.effect == Effect::Unknown {
                return Err(self.tries.stop_write(self.explain_refusal(&target, refused.problem), Effect::Unknown));
            }
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
                _ => return Err(self.tries.stop(self.explain_refusal(&target, refused.problem))),
            }
            writes += 1;
            // A Lead that exists stays as it is if nothing remains to be written.
            if let Some(id) = target.id()
                && plan.entries.is_empty()
                && self.added(&target).is_empty()
            {
                return Ok(self.delivery(id, Outcome::Kept, plan.findings));
            }
        }
    }

    /// One call with all values in it.
    fn call(&mut self, target: &Target, plan: &Plan<'_>) -> Result<String, Refused> {
        let body = self.body(target, plan);
        let choices = &self.attempt.choices;
        let saves_duplicates = choices.duplicates == DuplicateRules::SaveAnyway;
        match target.id() {
            None => {
                // A row without a value leaves the owner to the org's rule.
                let is_open = choices.owner_by_row && plan.entry_of(OWNER_FIELD).is_none();
                let assignment = if is_open { AssignmentRules::Run } else { choices.assignment_rules };
                self.api.create(body, assignment, saves_duplicates)
            }
            Some(id) => self.api.update(id, body, saves_duplicates).map(|()| id.to_owned()),
        }
    }

    fn body(&self, target: &Target, plan: &Plan<'_>) -> Vec<u8> {
        let added = self.added(target);
        let rows = plan.entries.iter().map(|entry| (&*entry.field.name, &entry.value));
        body::object(rows.chain(added.iter().map(|(name, value)| (*name, value))))
    }

    /// What the options add to the rows.
    pub fn added(&self, target: &Target) -> Vec<(&'a str, Json<'a>)> {
        let choices = &self.attempt.choices;
        let mut added = Vec::new();
        let is_new = target.id().is_none();
        if is_new && let Some(id) = choices.record_type {
            added.push((RECORD_TYPE_FIELD, Json::Text(Cow::Borrowed(id))));
        }
        if is_new && let Some(id) = choices.owner {
            added.push((OWNER_FIELD, Json::Text(Cow::Borrowed(id))));
        }
        if target.takes_key()
            && let Some((field, key)) = &self.attempt.key
        {
            added.push((field, Json::Text(Cow::Borrowed(key))));
        }
        added
    }

    /// The next step if the org says that the key is taken, or that the Lead looks like a duplicate.
    ///
    /// If a Lead has this booking's key, an earlier try created it, and there is nothing to do. Otherwise the Lead that a
    /// duplicate rule matched is used if the mapping wants that, the match is the only one, and it has the guest's address:
    /// rules compare loosely, so anything else may be another person.
    fn duplicated(&mut self, target: &Target, refused: &Refused, plan: &Plan<'a>) -> Result<Option<Step<'a>>, Stopped> {
        let attempt = self.attempt;
        let is_matched = has_code(&refused.problem, DUPLICATES_DETECTED);
        if !is_matched && !has_code(&refused.problem, DUPLICATE_VALUE) {
            return Ok(None);
        }
        // Salesforce asks its rules before it checks the key, so that a repeat may meet either. And another unique field may
        // be the one that is taken: then no Lead has this key.
        let key = attempt.key.as_ref().filter(|_| target.takes_key());
        let mut query = LeadQuery { keys: key.iter().map(|(_, key)| key.clone()).collect(), ..LeadQuery::default() };
        let found = refused.response.as_ref().and_then(duplicates).map(|found| found.matches).unwrap_or_default();
        if let ([matched], DuplicateRules::UseMatch, Target::New) = (&*found, attempt.choices.duplicates, target)
            && is_matched
            && matched.entity == "Lead"
        {
            query.id = Some(&matched.id);
        }
        // Whoever wants the match used, and set no policy for existing Leads, wants nothing overwritten.
        let policy = match attempt.choices.existing {
            Existing::CreateAnother => Existing::FillEmpty,
            policy => policy,
        };
        query.values = query.id.is_some() && policy == Existing::FillEmpty;
        let mut plan = plan.clone();
        let leads = self.look_up(&query, &mut plan)?.leads;
        if let Some((field, key)) = key
            && let Some(lead) = self.with_key(&leads, field, key).map_err(|problem| self.tries.stop(problem))?
        {
            return Ok(Some(self.done(&lead.id, Outcome::AlreadyDelivered)));
        }
        let (Some(id), Some(email)) = (query.id, self.email(&plan)) else { return Ok(None) };
        let lead = leads.into_iter().find(|lead| same_record(&lead.id, id) && is_open_with(lead, &email));
        Ok(lead.map(|lead| self.use_lead(lead, policy, plan)))
    }

    /// The plan without the optional values that Salesforce refused; `None` if that would not help.
    fn without_refused(
        &mut self,
        target: &Target,
        plan: &Plan<'a>,
        problem: &Problem,
    ) -> Result<Option<Plan<'a>>, Stopped> {
        if problem.http_status != Some(400) || matches!(problem.reaction, Reaction::CheckFirst | Reaction::Retry) {
            return Ok(None);
        }
        let mapping = self.attempt.mapping;
        let is_update = target.id().is_some();
        let mut errors = vec![OrgError { code: &problem.code, message: &problem.message, fields: &problem.fields }];
        for also in &problem.also {
            errors.push(OrgError { code: &also.code, message: &also.message, fields: &also.fields });
        }
        let mut next = plan.clone();
        // The live fields decide about values that no longer fit, and whether a new Lead needs the field.
        let is_mapped = |field: &String| mapping.rows.iter().any(|row| is_same_field(&row.field, field));
        let is_stale = |error: &OrgError<'_>| {
            let names = error.named_fields(plan);
            let is_required = |name: &String| plan.entry_of(name).is_some_and(|entry| entry.field.required);
            (error.is_explained() && (error.fields.is_empty() || names.iter().any(is_mapped)))
                || (!is_update && names.iter().any(is_required))
        };
        if self.attempt.live.get().is_none() && errors.iter().any(is_stale) {
            next = self.by_live_fields(target, plan)?;
        }
        for error in &errors {
            let names = error.named_fields(&next);
            if names.is_empty() && !error.is_explained() {
                return Ok(None);
            }
            for name in &names {
                let Some(before) = plan.entry_of(name) else { return Ok(None) };
                // If the live fields changed the value, the changed value is tried.
                if next.entry_of(name).is_some_and(|entry| entry.value == before.value)
                    && !leave_out(mapping, &mut next, name, error, is_update)
                {
                    return Ok(None);
                }
            }
        }
        let has_any = is_update || !next.entries.is_empty();
        let is_different = has_any && self.body(target, &next) != self.body(target, plan);
        Ok(is_different.then_some(next))
    }

    /// The values of a plan by the live fields. What was left out of it stays out.
    fn by_live_fields(&mut self, target: &Target, plan: &Plan<'a>) -> Result<Plan<'a>, Stopped> {
        self.live()?;
        let mut next = self.plan(plan.scope)?;
        if target.id().is_some() {
            next.keep_existing_values();
        }
        if let Some(problem) = next.problem() {
            return Err(self.tries.stop(problem));
        }
        next.entries.retain(|entry| plan.writes(entry.row));
        next.findings.retain(|finding| plan.is_about(finding));
        next.findings.extend(plan.findings.iter().filter(|finding| !plan.is_about(finding)).cloned());
        Ok(next)
    }

    /// A refusal, with the code and reaction that fit the target.
    fn explain_refusal(&self, target: &Target, mut problem: Box<Problem>) -> Box<Problem> {
        let key_field = self.attempt.choices.booking_id_field;
        let names_key_field =
            key_field.is_some_and(|field| problem.fields.iter().any(|name| is_same_field(name, field)));
        if problem.code == "STRING_TOO_LONG" && names_key_field {
            problem.code = codes::BOOKING_ID_TOO_LONG.to_owned();
            problem.reaction = Reaction::FixMapping;
        }
        let Some(id) = target.id() else { return problem };
        let code = if has_code(&problem, CONVERTED) {
            codes::LEAD_CONVERTED
        } else if is_gone(target, &problem) {
            codes::LEAD_GONE
        } else {
            return problem;
        };
        problem.code = code.to_owned();
        problem.concerned = vec![self.api.lead(id)];
        if matches!(target, Target::Known { .. }) {
            problem.reaction = Reaction::FixBooking;
        } else {
            // The next look-up finds another Lead, or none.
            problem.reaction = Reaction::Retry;
            problem.retry_after = Some(60);
        }
        problem
    }
}

/// Whether a refusal says that the Lead to be changed does not exist.
fn is_gone(target: &Target, problem: &Problem) -> bool {
    let Some(id) = target.id() else { return false };
    // Salesforce writes ids with 15 characters or 18.
    let is_named = || id.get(..15).is_some_and(|id| problem.message.contains(id));
    // A 404 without a code of Salesforce's says nothing about the Lead.
    let is_of_salesforce = ![codes::ORG_MOVED, codes::RESOURCE_MISSING].contains(&&*problem.code);
    (problem.http_status == Some(404) && is_of_salesforce)
        || problem.code == "ENTITY_IS_DELETED"
        || (ID_UNKNOWN.contains(&&*problem.code) && is_named())
}

/// Whether one of a problem's errors has this code.
fn has_code(problem: &Problem, code: &str) -> bool {
    problem.code == code || problem.also.iter().any(|further| further.code == code)
}

/// One of the errors of an answer.
struct OrgError<'p> {
    code: &'p str,
    message: &'p str,
    fields: &'p [String],
}

impl OrgError<'_> {
    fn is_explained(&self) -> bool {
        EXPLAINED_BY_FIELDS.contains(&self.code)
    }

    /// The fields of a plan that it is about: those that it lists, or else the one whose label its message begins with, or
    /// the one that refers to the record in its message.
    fn named_fields(&self, plan: &Plan<'_>) -> Vec<String> {
        if !self.fields.is_empty() {
            return self.fields.to_vec();
        }
        let is_labelled = |entry: &&Entry<'_>| {
            let label = &entry.field.label;
            !label.is_empty() && self.message.strip_prefix(&**label).is_some_and(|rest| rest.starts_with(':'))
        };
        let references = || plan.entries.iter().filter(|entry| entry.field.field_type == FieldType::Reference);
        let mut found = plan.entries.iter().find(is_labelled);
        if found.is_none() && OF_A_REFERENCE.contains(&self.code) {
            found = if names_a_record(self.message) {
                references().find(|entry| {
                    text(&entry.value).and_then(|id| id.get(..15)).is_some_and(|id| self.message.contains(id))
                })
            } else {
                references().next().filter(|_| references().count() == 1)
            };
        }
        found.map(|entry| entry.field.name.to_string()).into_iter().collect()
    }
}

/// Leaves a field out of a plan, together with those that are meaningless without it; uses the row's fallback if a new Lead
/// needs the field. Returns whether that was possible.
fn leave_out<'a>(mapping: &'a Mapping, plan: &mut Plan<'a>, name: &str, error: &OrgError<'_>, is_update: bool) -> bool {
    let mut names = vec![name.to_owned()];
    let mut is_first = true;
    while let Some(name) = names.pop() {
        let Some(place) = plan.entries.iter().position(|entry| is_same_field(&entry.field.name, &name)) else {
            continue;
        };
        let Some(entry) = plan.entries.get_mut(place) else { continue };
        let position = entry.row;
        let (field, label) = (&entry.field.name, &entry.field.label);
        let message = format!("{}: {}", error.code, error.message);
        let new = if entry.field.required && !is_update {
            match entry.fallback(mapping) {
                Some(value) if is_first => {
                    entry.value = value;
                    entry.from_fallback = true;
                }
                // What depends on the first field stays as it is.
                _ if !is_first => continue,
                _ => return false,
            }
            finding(Note::new(codes::FALLBACK_USED, message), Consequence::Changed, position, field, label)
        } else {
            let mut left_out = finding(Note::new("", message), Consequence::LeftOut, position, field, label);
            left_out.code = error.code.to_owned();
            plan.entries.remove(place);
            let dependent = plan.entries.iter().filter(|entry| depends_on(entry, &name, error.code));
            names.extend(dependent.map(|entry| entry.field.name.to_string()));
            left_out
        };
        plan.findings.retain(|finding| finding.rows != [position]);
        plan.findings.push(new);
        is_first = false;
    }
    true
}

/// Whether a value is meaningless without another one: that of a controlled picklist; or that of a state, if states are
/// checked against their country.
fn depends_on(entry: &Entry<'_>, name: &str, code: &str) -> bool {
    let is_one = |one: &str, names: [&str; 2]| names.iter().any(|name| is_same_field(one, name));
    entry.field.controlling_field.as_deref().is_some_and(|controlling| is_same_field(controlling, name))
        || (code == "FIELD_INTEGRITY_EXCEPTION"
            && is_one(name, ["Country", "CountryCode"])
            && is_one(&entry.field.name, ["State", "StateCode"]))
}
