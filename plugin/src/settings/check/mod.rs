//! Compares a mapping with the live fields and the form, when it is saved and once a day.

mod types;

use crate::{
    attributes,
    bindings::types::{
        Consequence, FieldType, Finding, LeadField, LeadFields, Mapping, MappingRow, Problem, Question, QuestionKind,
        Source,
    },
    blank::is_blank,
    codes,
    mapping::{finding, positions},
    salesforce::{api::AssignmentRules, fields::is_same_field, list_lead_fields, org::Connect},
    settings::options::{Choices, OWNER_FIELD, is_key_field, is_known},
    source::SourceValue,
    template::{Reference, Template},
    value::{Fit, Json, Note, fit, is_id_of, same_record, unlisted},
};
use std::borrow::Cow;
use types::{attribute_fits, kind_fits};

/// Finds what would stand in the way of bookings.
pub fn check(
    connect: &mut impl Connect,
    mapping: &Mapping,
    questions: &[Question],
) -> Result<Vec<Finding>, Box<Problem>> {
    let live = list_lead_fields(connect)?;
    Ok(Check { mapping, questions, live: &live, reserved: Vec::new(), row: None, findings: Vec::new() }.run())
}

struct Check<'a> {
    mapping: &'a Mapping,
    questions: &'a [Question],
    live: &'a LeadFields,
    /// Fields that the plugin's own choices set.
    reserved: Vec<&'a str>,
    /// The current row, with its position.
    row: Option<(u32, &'a MappingRow)>,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn run(mut self) -> Vec<Finding> {
        let rule_decides = self.options();
        for (position, row) in positions(self.mapping) {
            self.row = Some((position, row));
            let name = &row.field.name;
            let is_first = self.row_of(name).is_some_and(|first| std::ptr::eq(first, row));
            if !is_first {
                self.say(codes::FIELD_MAPPED_TWICE, Consequence::Refused, "another row writes this field");
            }
            if self.is_reserved(name) {
                let detail = "one of the mapping's options sets this field";
                self.say(codes::FIELD_SET_BY_OPTION, Consequence::Changed, detail);
            } else if rule_decides && is_same_field(name, OWNER_FIELD) {
                self.say(codes::OWNER_AND_ASSIGNMENT_RULE, Consequence::Changed, RULE_DECIDES);
            }
            self.source(row);
            match self.field(name) {
                Some(field) => self.target(row, field),
                None if self.live.withheld.iter().any(|field| is_same_field(&field.name, name)) => {
                    let detail = "the connected user may not write this field";
                    self.say(codes::FIELD_NOT_WRITABLE, Consequence::LeftOut, detail);
                }
                None => {
                    let detail = "the org has no such field, or hides it from the connected user";
                    self.say(codes::FIELD_GONE, Consequence::LeftOut, detail);
                }
            }
        }
        self.row = None;
        for field in self.live.fields.iter().filter(|field| field.required) {
            if self.row_of(&field.name).is_none() && !self.is_reserved(&field.name) {
                self.about(codes::REQUIRED_FIELD_UNMAPPED, Consequence::Refused, &field.name, "the field is required");
            }
        }
        self.findings
    }

    fn field(&self, name: &str) -> Option<&'a LeadField> {
        self.live.fields.iter().find(|field| is_same_field(&field.name, name))
    }

    fn row_of(&self, name: &str) -> Option<&'a MappingRow> {
        self.mapping.rows.iter().find(|row| is_same_field(&row.field.name, name))
    }

    fn is_reserved(&self, name: &str) -> bool {
        self.reserved.iter().any(|reserved| is_same_field(reserved, name))
    }

    /// Adds a finding about the current row, or about the whole mapping.
    fn say(&mut self, code: &'static str, consequence: Consequence, detail: &str) {
        match self.row {
            Some((position, row)) => {
                let note = Note { code, detail: detail.to_owned() };
                self.findings.push(finding(note, consequence, position, row));
            }
            None => self.about(code, consequence, "", detail),
        }
    }

    /// Adds a finding about a field without a row, or about no field.
    fn about(&mut self, code: &'static str, consequence: Consequence, field: &str, detail: &str) {
        self.findings.push(Finding {
            code: code.to_owned(),
            consequence,
            fields: if field.is_empty() { Vec::new() } else { vec![field.to_owned()] },
            rows: Vec::new(),
            question_ids: Vec::new(),
            detail: detail.to_owned(),
        });
    }

    /// What the row refers to.
    fn source(&mut self, row: &'a MappingRow) {
        let mut references = Vec::new();
        match &row.source {
            Source::Answer(id) => references.push(Reference::Answer(id)),
            Source::Booking(name) => references.push(Reference::Attribute(name)),
            Source::Tracking(_) | Source::Fixed(_) => {}
            Source::Template(text) => {
                let template = Template::parse(text);
                if !template.well_formed {
                    self.say(codes::TEMPLATE_INVALID, Consequence::Changed, "a brace without its other half");
                }
                references.extend(template.references());
            }
        }
        for reference in references {
            let (code, name) = match reference {
                Reference::Answer(id) if self.question(id).is_none() => (codes::QUESTION_UNKNOWN, id),
                Reference::Attribute(name) if !attributes::is_known(name) => (codes::ATTRIBUTE_UNKNOWN, name),
                _ => continue,
            };
            self.say(code, Consequence::LeftOut, &format!("there is no `{name}`"));
        }
    }

    fn question(&self, id: &str) -> Option<&'a Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// Compares the row with the live field.
    fn target(&mut self, row: &'a MappingRow, field: &'a LeadField) {
        let before = &row.field;
        let fallback = row.fallback.as_deref().and_then(SourceValue::from_text);
        if field.required && fallback.is_none() && self.may_be_blank(&row.source) {
            let detail = "the field is required, and what it is mapped to may be blank";
            self.say(codes::REQUIRED_FIELD_MAY_BE_BLANK, Consequence::Refused, detail);
            if !before.required {
                let detail = "the field was not required when the row was saved";
                self.say(codes::FIELD_NEWLY_REQUIRED, Consequence::Refused, detail);
            }
        }
        if field.field_type != before.field_type {
            let detail = "the field's type has changed since the row was saved";
            self.say(codes::FIELD_TYPE_CHANGED, Consequence::Changed, detail);
        } else if shrank(before.length, field.length)
            || (field.precision > 0 && digits(field) < digits(before))
            || field.scale < before.scale
        {
            let detail = "the field takes less than when the row was saved";
            self.say(codes::FIELD_SHRUNK, Consequence::Changed, detail);
        }
        let controlling = self.controlling_value(field, MOST_LEVELS);
        if let Some(name) = self.missing_controller(field) {
            let detail = format!("no row writes the controlling field `{name}`");
            self.say(codes::PICKLIST_VALUE_NOT_ALLOWED, unwritable(field), &detail);
        }
        for given in [fallback, fixed(&row.source)].into_iter().flatten() {
            if let Some((note, consequence)) = judged(given, field, controlling.as_deref()) {
                self.say(note.code, consequence, &note.detail);
            }
        }
        match &row.source {
            Source::Answer(id) => {
                if let Some(question) = self.question(id) {
                    self.answers(field, question, controlling.as_deref());
                }
            }
            Source::Booking(name) if !attribute_fits(name, &field.field_type) => {
                self.say(codes::TYPE_MISMATCH, unwritable(field), "the attribute never fits the field's type");
            }
            _ => {}
        }
    }

    /// Whether the answers of a question fit the field.
    fn answers(&mut self, field: &LeadField, question: &Question, controlling: Option<&str>) {
        let may_be_several = question.kind == QuestionKind::Checkboxes && question.choices.len() != 1;
        if (may_be_several || question.choices.is_empty()) && !kind_fits(question.kind, &field.field_type) {
            let detail = if may_be_several {
                "the question may have several answers, the field takes one"
            } else {
                "the answers never fit the field's type"
            };
            self.say(codes::TYPE_MISMATCH, unwritable(field), detail);
        }
        // One finding per code, which names the choices.
        let mut found: Vec<(&'static str, Consequence, String)> = Vec::new();
        for choice in &question.choices {
            let one = std::slice::from_ref(choice);
            let given = if question.kind == QuestionKind::Consent {
                SourceValue::Agreed(one)
            } else {
                SourceValue::Choices(one)
            };
            let Some((note, consequence)) = judged(given, field, controlling) else { continue };
            match found.iter_mut().find(|(code, _, _)| *code == note.code) {
                Some((_, _, choices)) => {
                    choices.push_str(", ");
                    choices.push_str(choice);
                }
                None => found.push((note.code, consequence, format!("choices: {choice}"))),
            }
        }
        for (code, consequence, choices) in found {
            self.say(code, consequence, &choices);
        }
    }

    /// The value that every booking writes to the field's controlling field, if the mapping alone determines it. Controlling
    /// fields may be controlled themselves, up to a depth.
    fn controlling_value(&self, field: &LeadField, levels: u8) -> Option<String> {
        let controlling = self.field(field.controlling_field.as_deref()?)?;
        let row = self.row_of(&controlling.name)?;
        let given = match &row.source {
            Source::Fixed(_) | Source::Template(_) => fixed(&row.source)?,
            _ => return None,
        };
        let above = levels.checked_sub(1).and_then(|levels| self.controlling_value(controlling, levels));
        match fit(given, controlling, above.as_deref()) {
            Fit::Whole(Json::Text(text)) | Fit::Changed(Json::Text(text), _) => Some(text.into_owned()),
            Fit::Whole(Json::Boolean(value)) => Some(if value { "true" } else { "false" }.into()),
            _ => None,
        }
    }

    /// The controlling field of a dependent one, if no booking gives it a value. A checkbox always has a value, and so does a
    /// picklist with a default.
    fn missing_controller<'f>(&self, field: &'f LeadField) -> Option<&'f str> {
        let name = field.controlling_field.as_deref()?;
        let has_value = self.row_of(name).is_some()
            || self.is_reserved(name)
            || self.field(name).is_some_and(|controlling| {
                controlling.field_type == FieldType::Checkbox || controlling.values.iter().any(|value| value.is_default)
            });
        let is_dependent = field.restricted && field.values.iter().any(|value| value.valid_for.is_some());
        (is_dependent && !has_value).then_some(name)
    }

    /// Whether a guest's booking can leave a source blank.
    fn may_be_blank(&self, source: &Source) -> bool {
        let reference_may_be_blank = |reference: Reference<'_>| match reference {
            Reference::Answer(id) => !self.question(id).is_some_and(|question| question.required),
            Reference::Attribute(name) => !attributes::is_always_given(name) && !self.form_asks_for(name),
            Reference::Tracking(_) => true,
        };
        match source {
            Source::Answer(id) => reference_may_be_blank(Reference::Answer(id)),
            Source::Booking(name) => reference_may_be_blank(Reference::Attribute(name)),
            Source::Tracking(_) => true,
            Source::Fixed(text) => is_blank(text),
            // One reference that is always there is enough; a template without any is a fixed text.
            Source::Template(text) => {
                fixed(source).is_none() && Template::parse(text).references().all(reference_may_be_blank)
            }
        }
    }

    /// Whether the form has a required question whose answer is this attribute.
    fn form_asks_for(&self, attribute: &str) -> bool {
        let kind = match attribute {
            "guest.email" => QuestionKind::Email,
            "guest.phone" => QuestionKind::Phone,
            "guest.company" => QuestionKind::Company,
            "comment" => QuestionKind::Comment,
            _ => return false,
        };
        self.questions.iter().any(|question| question.kind == kind && question.required)
    }

    /// Checks the options, and notes the fields that they set. Returns whether an assignment rule decides on the owner.
    fn options(&mut self) -> bool {
        for option in self.mapping.options.iter().filter(|option| !is_known(&option.id)) {
            let detail = format!("there is no option `{}`", option.id);
            self.say(codes::OPTION_INVALID, Consequence::Changed, &detail);
        }
        let choices = match Choices::of(self.mapping) {
            Ok(choices) => choices,
            Err(problem) => {
                self.say(codes::OPTION_INVALID, Consequence::Refused, &problem.message);
                return false;
            }
        };
        if let Some(name) = choices.booking_id_field {
            self.reserved.push(name);
            if !self.field(name).is_some_and(is_key_field) {
                let detail = "not a unique external-ID text field that the connected user can write";
                self.about(codes::BOOKING_ID_FIELD_UNFIT, Consequence::Refused, name, detail);
            }
        }
        if let Some(id) = choices.record_type {
            self.reserved.push("RecordTypeId");
            if !self.live.record_types.iter().any(|record_type| same_record(&record_type.id, id)) {
                let detail = "the connected user may not use this record type";
                self.about(codes::RECORD_TYPE_UNAVAILABLE, Consequence::Refused, "RecordTypeId", detail);
            }
        }
        let rule_decides = match choices.assignment_rules {
            AssignmentRules::Skip => false,
            AssignmentRules::Run => true,
            AssignmentRules::Rule(id) => {
                if !is_id_of(id, "AssignmentRule") {
                    self.say(codes::OPTION_INVALID, Consequence::Refused, "not an assignment-rule id (expected 01Q…)");
                }
                true
            }
        };
        if let Some(id) = choices.owner {
            self.reserved.push(OWNER_FIELD);
            if !is_id_of(id, "User") && !is_id_of(id, "Group") {
                self.say(
                    codes::OPTION_INVALID,
                    Consequence::Refused,
                    "the owner is not a user or queue id (expected 005… or 00G…)",
                );
            }
            if rule_decides {
                self.say(codes::OWNER_AND_ASSIGNMENT_RULE, Consequence::Changed, RULE_DECIDES);
            }
        }
        rule_decides
    }
}

const RULE_DECIDES: &str = "the assignment rule may give the Lead to somebody else";
/// How many levels of controlling fields are followed.
const MOST_LEVELS: u8 = 3;

/// The value that a source has in every booking: a fixed text, or a template without references.
fn fixed(source: &Source) -> Option<SourceValue<'_>> {
    let text = match source {
        Source::Fixed(text) => Cow::Borrowed(text.as_str()),
        Source::Template(text) => {
            let template = Template::parse(text);
            if template.references().next().is_some() {
                return None;
            }
            Cow::Owned(template.render(|_| None))
        }
        _ => return None,
    };
    SourceValue::from_text(text)
}

/// What is wrong with a value that is known before any booking, and the consequence for a booking.
fn judged(given: SourceValue<'_>, field: &LeadField, controlling: Option<&str>) -> Option<(Note, Consequence)> {
    match fit(given.clone(), field, controlling) {
        Fit::Whole(_) => unlisted(&given, field).map(|note| (note, Consequence::Changed)),
        Fit::Changed(_, note) => Some((note, Consequence::Changed)),
        Fit::Unfit(note) => Some((note, unwritable(field))),
    }
}

/// The consequence of a value that cannot be written.
fn unwritable(field: &LeadField) -> Consequence {
    if field.required { Consequence::Refused } else { Consequence::LeftOut }
}

fn shrank(before: Option<u32>, now: Option<u32>) -> bool {
    matches!((before, now), (Some(before), Some(now)) if now < before)
}

/// Digits before the decimal point.
fn digits(field: &LeadField) -> u32 {
    field.precision.saturating_sub(field.scale)
}

#[cfg(test)]
mod tests;
