//! A plan without the optional values that Salesforce refused.

use super::{Job, Target};
use crate::{
    bindings::types::{Consequence, FieldType, Mapping, Problem, Reaction},
    codes,
    errors::names_a_record,
    mapping::{self, finding, is_same_field},
    org::Org,
    plan::{Entry, Plan, Scope, text},
    value::Note,
};

/// Errors that a change of the fields since the mapping was saved explains.
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

/// Errors about a record that a value points to. They come without fields.
const OF_A_REFERENCE: [&str; 3] =
    ["INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"];

/// One of the errors of an answer.
struct Refusal<'p> {
    code: &'p str,
    message: &'p str,
    fields: &'p [String],
}

impl Refusal<'_> {
    fn is_explained(&self) -> bool {
        EXPLAINED_BY_FIELDS.contains(&self.code)
    }

    /// The fields of a plan that it is about: those that it names, or else the one whose label its words begin with, or the
    /// one that points to the record in its words.
    fn named(&self, plan: &Plan<'_>) -> Vec<String> {
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
        found.map(|entry| entry.field.name.clone()).into_iter().collect()
    }
}

impl<'a, O: Org> Job<'a, '_, O> {
    /// The plan without the optional values that Salesforce refused; `None` where that would be of no use.
    pub fn without_refused(
        &mut self,
        target: &Target,
        plan: &Plan<'a>,
        problem: &Problem,
    ) -> Result<Option<Plan<'a>>, Box<Problem>> {
        if problem.http_status != Some(400) || matches!(problem.reaction, Reaction::CheckFirst | Reaction::Retry) {
            return Ok(None);
        }
        let mut refusals = vec![Refusal { code: &problem.code, message: &problem.message, fields: &problem.fields }];
        for also in &problem.also {
            refusals.push(Refusal { code: &also.code, message: &also.message, fields: &also.fields });
        }
        let mut next = plan.clone();
        // Values that no longer fit are judged by the fields as they are now, and so is whether a new Lead needs the field.
        let is_mapped = |field: &String| self.mapping.rows.iter().any(|row| is_same_field(&row.field.name, field));
        let is_stale = |refusal: &Refusal<'_>| {
            let names = refusal.named(plan);
            let is_required = |name: &String| plan.entry_of(name).is_some_and(|entry| entry.field.required);
            (refusal.is_explained() && (refusal.fields.is_empty() || names.iter().any(is_mapped)))
                || (!is_update(target) && names.iter().any(is_required))
        };
        if self.known.live.get().is_none() && refusals.iter().any(is_stale) {
            next = self.by_live_fields(target, plan)?;
        }
        for refusal in &refusals {
            let names = refusal.named(&next);
            if names.is_empty() && !refusal.is_explained() {
                return Ok(None);
            }
            for name in &names {
                let Some(before) = plan.entry_of(name) else { return Ok(None) };
                // Where the fields as they are now changed the value, that is what is tried.
                if next.entry_of(name).is_some_and(|entry| entry.value == before.value)
                    && !leave_out(self.mapping, &mut next, name, refusal, is_update(target))
                {
                    return Ok(None);
                }
            }
        }
        let is_some = is_update(target) || !next.entries.is_empty();
        let is_other = is_some && self.body(target, &next) != self.body(target, plan);
        Ok(is_other.then_some(next))
    }

    /// The values of a plan by the fields as they are now. What was left out of it stays out.
    fn by_live_fields(&mut self, target: &Target, plan: &Plan<'a>) -> Result<Plan<'a>, Box<Problem>> {
        self.live()?;
        let mut next =
            self.plan(if matches!(target, Target::Moved { .. }) { Scope::Meeting } else { Scope::Booking })?;
        if is_update(target) {
            next.keep_what_is_there();
        }
        if let Some(problem) = next.problem() {
            return Err(problem);
        }
        next.entries.retain(|entry| plan.writes(entry.row));
        next.findings.retain(|finding| plan.is_about(finding));
        next.findings.extend(plan.findings.iter().filter(|finding| !plan.is_about(finding)).cloned());
        Ok(next)
    }
}

/// Whether a Lead that is there is written to.
pub fn is_update(target: &Target) -> bool {
    !matches!(target, Target::New)
}

/// Whether one of a problem's errors has this code.
pub fn is_of(problem: &Problem, code: &str) -> bool {
    problem.code == code || problem.also.iter().any(|further| further.code == code)
}

/// Leaves a field out of a plan, together with those that are worth nothing without it; takes the row's fallback where a new Lead
/// needs the field. Answers whether that could be done.
fn leave_out<'a>(
    mapping: &'a Mapping,
    plan: &mut Plan<'a>,
    name: &str,
    refusal: &Refusal<'_>,
    is_update: bool,
) -> bool {
    let mut names = vec![name.to_owned()];
    let mut is_first = true;
    while let Some(name) = names.pop() {
        let Some(place) = plan.entries.iter().position(|entry| is_same_field(&entry.field.name, &name)) else {
            continue;
        };
        let Some(entry) = plan.entries.get_mut(place) else { continue };
        let position = entry.row;
        let Some(row) = mapping::row(mapping, position) else { return false };
        let detail = format!("{}: {}", refusal.code, refusal.message);
        let said = if entry.field.required && !is_update {
            match entry.fallback(mapping) {
                Some(value) if is_first => {
                    entry.value = value;
                    entry.from_fallback = true;
                }
                // What hangs on the first one is left as it is.
                _ if !is_first => continue,
                _ => return false,
            }
            finding(Note { code: codes::FALLBACK_USED, detail }, Consequence::Changed, position, row)
        } else {
            plan.entries.remove(place);
            let hang_on = plan.entries.iter().filter(|entry| hangs_on(entry, &name, refusal.code));
            names.extend(hang_on.map(|entry| entry.field.name.clone()));
            let mut left_out = finding(Note { code: "", detail }, Consequence::LeftOut, position, row);
            left_out.code = refusal.code.to_owned();
            left_out
        };
        plan.findings.retain(|finding| finding.rows != [position]);
        plan.findings.push(said);
        is_first = false;
    }
    true
}

/// Whether a value is worth nothing without another one: a controlled picklist's; or a state's, where states are checked against
/// their country.
fn hangs_on(entry: &Entry<'_>, name: &str, code: &str) -> bool {
    let is_one = |one: &str, names: [&str; 2]| names.iter().any(|name| is_same_field(one, name));
    entry.field.controlling_field.as_deref().is_some_and(|controlling| is_same_field(controlling, name))
        || (code == "FIELD_INTEGRITY_EXCEPTION"
            && is_one(name, ["Country", "CountryCode"])
            && is_one(&entry.field.name, ["State", "StateCode"]))
}
