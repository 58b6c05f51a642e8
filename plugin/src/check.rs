//! A mapping held against the live fields and the form, when it is saved and once a day.

use crate::{
    api::Api,
    attributes,
    bindings::types::{
        Consequence, FieldType, Finding, LeadField, LeadFields, Mapping, MappingRow, Problem, Question, QuestionKind,
        Source,
    },
    choices::{AssignmentRules, Choices, ids},
    codes,
    errors::problem_from_secret_error,
    mapping::{finding, is_same_field, positions},
    org::Connect,
    source::Given,
    template::{Reference, Template},
    value::{Fit, Note, fit, same_record},
};
use alloc::{borrow::ToOwned, boxed::Box, string::String, vec, vec::Vec};

/// Finds what stands in the way of bookings.
pub fn check(
    connect: &mut impl Connect,
    mapping: &Mapping,
    questions: &[Question],
) -> Result<Vec<Finding>, Box<Problem>> {
    let mut org = connect.connect().map_err(|error| Box::new(problem_from_secret_error(error)))?;
    let live = Api::new(&mut org)?.describe()?;
    Ok(Check { mapping, questions, live: &live, findings: Vec::new() }.run())
}

struct Check<'a> {
    mapping: &'a Mapping,
    questions: &'a [Question],
    live: &'a LeadFields,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn run(mut self) -> Vec<Finding> {
        let reserved = self.options();
        for (position, row) in positions(self.mapping) {
            let earlier = self.mapping.rows.iter().take_while(|other| !core::ptr::eq(*other, row));
            if earlier.filter(|other| is_same_field(&other.field.name, &row.field.name)).count() > 0 {
                self.row(
                    codes::FIELD_MAPPED_TWICE,
                    Consequence::Refused,
                    position,
                    row,
                    "another row writes this field",
                );
            }
            if reserved.iter().any(|name| is_same_field(name, &row.field.name)) {
                let detail = "one of the mapping's choices sets this field";
                self.row(codes::FIELD_SET_BY_OPTION, Consequence::Changed, position, row, detail);
            }
            self.source(position, row);
            match self.field(&row.field.name) {
                Some(field) => self.target(position, row, field),
                None if self.live.withheld.iter().any(|field| is_same_field(&field.name, &row.field.name)) => {
                    let detail = "the connected user may not write this field";
                    self.row(codes::FIELD_NOT_WRITABLE, Consequence::LeftOut, position, row, detail);
                }
                None => {
                    let detail = "the org has no such field, or hides it from the connected user";
                    self.row(codes::FIELD_GONE, Consequence::LeftOut, position, row, detail);
                }
            }
        }
        self.unmapped(&reserved);
        self.findings
    }

    fn field(&self, name: &str) -> Option<&'a LeadField> {
        self.live.fields.iter().find(|field| is_same_field(&field.name, name))
    }

    fn row(&mut self, code: &'static str, consequence: Consequence, position: u32, row: &MappingRow, detail: &str) {
        let note = Note { code, detail: detail.to_owned() };
        self.findings.push(finding(note, consequence, position, row));
    }

    /// Required fields that no row writes.
    fn unmapped(&mut self, reserved: &[&str]) {
        for field in self.live.fields.iter().filter(|field| field.required) {
            let is_written = self.mapping.rows.iter().any(|row| is_same_field(&row.field.name, &field.name))
                || reserved.iter().any(|name| is_same_field(name, &field.name));
            if !is_written {
                self.findings.push(about_field(codes::REQUIRED_FIELD_UNMAPPED, &field.name, "the field is required"));
            }
        }
    }

    /// What the row refers to.
    fn source(&mut self, position: u32, row: &'a MappingRow) {
        let references = match &row.source {
            Source::Answer(id) => vec![Reference::Answer(id)],
            Source::Booking(name) => vec![Reference::Attribute(name)],
            Source::Tracking(_) | Source::Fixed(_) => Vec::new(),
            Source::Template(text) => {
                let template = Template::parse(text);
                if !template.well_formed {
                    let detail = "a brace without its other half";
                    self.row(codes::TEMPLATE_INVALID, Consequence::Changed, position, row, detail);
                }
                template.references().collect()
            }
        };
        for reference in references {
            let (code, name) = match reference {
                Reference::Answer(id) if !self.questions.iter().any(|question| question.id == id) => {
                    (codes::QUESTION_UNKNOWN, id)
                }
                Reference::Attribute(name) if !attributes::is_known(name) => (codes::ATTRIBUTE_UNKNOWN, name),
                _ => continue,
            };
            self.row(code, Consequence::LeftOut, position, row, &["there is no `", name, "`"].concat());
        }
    }

    /// The row against the field as it is now.
    fn target(&mut self, position: u32, row: &'a MappingRow, field: &'a LeadField) {
        let before = &row.field;
        let has_fallback = row.fallback.as_deref().and_then(Given::from_text).is_some();
        if field.required && !has_fallback && self.may_be_blank(&row.source) {
            let detail = "the field is required, and what it is mapped to may be blank";
            self.row(codes::REQUIRED_FIELD_MAY_BE_BLANK, Consequence::Refused, position, row, detail);
            if !before.required {
                let detail = "the field was not required when the row was saved";
                self.row(codes::FIELD_NEWLY_REQUIRED, Consequence::Refused, position, row, detail);
            }
        }
        if field.field_type != before.field_type {
            let detail = "the field's type is another than when the row was saved";
            self.row(codes::FIELD_TYPE_CHANGED, Consequence::Changed, position, row, detail);
        } else if shrank(before.length, field.length)
            || (field.precision > 0 && digits(field) < digits(before))
            || field.scale < before.scale
        {
            let detail = "the field takes less than when the row was saved";
            self.row(codes::FIELD_SHRUNK, Consequence::Changed, position, row, detail);
        }
        if let Some(fallback) = row.fallback.as_deref().and_then(Given::from_text) {
            self.value(position, row, field, fallback);
        }
        match &row.source {
            Source::Fixed(text) => {
                if let Some(given) = Given::from_text(text.as_str()) {
                    self.value(position, row, field, given);
                }
            }
            Source::Answer(id) => {
                if let Some(question) = self.questions.iter().find(|question| question.id == *id) {
                    self.question(position, row, field, question);
                }
            }
            Source::Booking(name) if !attribute_fits(name, &field.field_type) => {
                let detail = "the attribute is never such a value";
                self.row(codes::TYPE_MISMATCH, unwritable(field), position, row, detail);
            }
            _ => {}
        }
    }

    /// A value that is known before any booking.
    fn value(&mut self, position: u32, row: &MappingRow, field: &LeadField, given: Given<'_>) {
        match fit(given, field, None) {
            Fit::Whole(_) => {}
            Fit::Changed(_, note) => self.row(note.code, Consequence::Changed, position, row, &note.detail),
            Fit::Unfit(note) => self.row(note.code, unwritable(field), position, row, &note.detail),
        }
    }

    /// What a question's answers make of the field.
    fn question(&mut self, position: u32, row: &MappingRow, field: &LeadField, question: &Question) {
        if question.choices.is_empty() {
            if !kind_fits(question.kind, &field.field_type) {
                let detail = "what the question is answered with never fits the field's type";
                self.row(codes::TYPE_MISMATCH, unwritable(field), position, row, detail);
            }
            return;
        }
        // One finding for a code, naming the choices.
        let mut found: Vec<(&'static str, Consequence, String)> = Vec::new();
        for choice in &question.choices {
            let one = core::slice::from_ref(choice);
            let given = if question.kind == QuestionKind::Consent { Given::Agreed(one) } else { Given::Choices(one) };
            let (note, consequence) = match fit(given, field, None) {
                Fit::Whole(_) => continue,
                Fit::Changed(_, note) => (note, Consequence::Changed),
                Fit::Unfit(note) => (note, unwritable(field)),
            };
            match found.iter_mut().find(|(code, _, _)| *code == note.code) {
                Some((_, _, choices)) => {
                    choices.push_str(", ");
                    choices.push_str(choice);
                }
                None => found.push((note.code, consequence, choice.clone())),
            }
        }
        for (code, consequence, choices) in found {
            self.row(code, consequence, position, row, &["choices: ", &choices].concat());
        }
    }

    /// Whether a guest's booking can leave a source blank.
    fn may_be_blank(&self, source: &Source) -> bool {
        let answer_may_be_blank =
            |id: &str| !self.questions.iter().any(|question| question.id == id && question.required);
        match source {
            Source::Answer(id) => answer_may_be_blank(id),
            Source::Booking(name) => !attributes::is_always_given(name) && !self.form_asks_for(name),
            Source::Tracking(_) => true,
            Source::Fixed(text) => text.trim().is_empty(),
            // One reference that is always there is enough; a template without any is a fixed text.
            Source::Template(text) => {
                let template = Template::parse(text);
                let mut references = template.references().peekable();
                if references.peek().is_none() {
                    return text.trim().is_empty();
                }
                references.all(|reference| match reference {
                    Reference::Answer(id) => answer_may_be_blank(id),
                    Reference::Tracking(_) => true,
                    Reference::Attribute(name) => !attributes::is_always_given(name) && !self.form_asks_for(name),
                })
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

    /// The plugin's own choices. Answers the fields that they set.
    fn options(&mut self) -> Vec<&'a str> {
        let known = [
            ids::EXISTING,
            ids::DUPLICATES,
            ids::BOOKING_ID_FIELD,
            ids::ASSIGNMENT_RULES,
            ids::RECORD_TYPE,
            ids::OWNER,
        ];
        for option in self.mapping.options.iter().filter(|option| !known.contains(&&*option.id)) {
            let detail = ["there is no choice `", &option.id, "`"].concat();
            self.findings.push(about_options(codes::OPTION_INVALID, Consequence::Changed, &detail));
        }
        let choices = match Choices::of(self.mapping) {
            Ok(choices) => choices,
            Err(problem) => {
                self.findings.push(about_options(codes::OPTION_INVALID, Consequence::Refused, &problem.message));
                return Vec::new();
            }
        };
        let mut reserved = Vec::new();
        if let Some(name) = choices.booking_id_field {
            reserved.push(name);
            let is_fit = self
                .field(name)
                .is_some_and(|field| field.external_id && field.unique && field.field_type == FieldType::Text);
            if !is_fit {
                let detail = "not a unique external-ID text field that the connected user can write";
                self.findings.push(about_field(codes::BOOKING_ID_FIELD_UNFIT, name, detail));
            }
        }
        if let Some(id) = choices.record_type {
            reserved.push("RecordTypeId");
            if !self.live.record_types.iter().any(|record_type| same_record(&record_type.id, id)) {
                let detail = "the connected user may not use this record type";
                self.findings.push(about_field(codes::RECORD_TYPE_UNAVAILABLE, "RecordTypeId", detail));
            }
        }
        if choices.owner.is_some() {
            reserved.push("OwnerId");
            if choices.assignment_rules != AssignmentRules::Skip {
                let detail = "the assignment rule may give the Lead to somebody else";
                let code = codes::OWNER_AND_ASSIGNMENT_RULE;
                self.findings.push(about_options(code, Consequence::Changed, detail));
            }
        }
        reserved
    }
}

fn about_field(code: &str, field: &str, detail: &str) -> Finding {
    Finding { fields: vec![field.to_owned()], ..about_options(code, Consequence::Refused, detail) }
}

fn about_options(code: &str, consequence: Consequence, detail: &str) -> Finding {
    Finding {
        code: code.to_owned(),
        consequence,
        fields: Vec::new(),
        rows: Vec::new(),
        question_ids: Vec::new(),
        detail: detail.to_owned(),
    }
}

/// What a value that cannot be written does to a booking.
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

/// Whether answers of a kind can ever fit a type.
fn kind_fits(kind: QuestionKind, field_type: &FieldType) -> bool {
    use QuestionKind as Q;
    match field_type {
        FieldType::Email => !matches!(kind, Q::Number | Q::Date | Q::Consent | Q::Phone | Q::Url | Q::Name),
        FieldType::Date => matches!(kind, Q::Date | Q::Text | Q::Other),
        // A date alone is no moment.
        FieldType::DateTime => matches!(kind, Q::Text | Q::Other),
        FieldType::Time => matches!(kind, Q::Text | Q::Other),
        FieldType::Integer | FieldType::Number | FieldType::Currency | FieldType::Percent => {
            !matches!(kind, Q::Date | Q::Consent | Q::Email | Q::Url | Q::Name | Q::Company)
        }
        FieldType::Checkbox => !matches!(kind, Q::Date | Q::Email | Q::Url | Q::Name | Q::Company | Q::Phone),
        FieldType::Reference => matches!(kind, Q::Text | Q::Other),
        _ => true,
    }
}

/// Whether an attribute can ever fit a type.
fn attribute_fits(name: &str, field_type: &FieldType) -> bool {
    let is_moment = matches!(name, "start" | "end" | "confirmed-at");
    let is_date = matches!(name, "start-date" | "end-date");
    let is_time = matches!(name, "start-time" | "end-time");
    let is_number = matches!(name, "duration-minutes" | "payment.amount");
    let is_open = name.starts_with("extra.") || name == "comment" || !attributes::is_known(name);
    match field_type {
        FieldType::Email => name.ends_with(".email") || name.ends_with(".emails") || is_open,
        FieldType::Date => is_moment || is_date || is_open,
        FieldType::DateTime => is_moment || is_open,
        FieldType::Time => is_moment || is_time || is_open,
        FieldType::Integer | FieldType::Number | FieldType::Currency | FieldType::Percent => {
            is_number || is_open || name.ends_with("id")
        }
        FieldType::Checkbox => is_open,
        FieldType::Reference => is_open || name.ends_with(".id"),
        _ => true,
    }
}
