//! Compares a mapping with the live fields, when it is saved and once a day.

mod fits;

use crate::{
    bindings::{
        settings::{Checked, Expectation},
        types::{BookingKind, Consequence, FieldType, Finding, Parameter, Problem, Value},
    },
    codes,
    field::{LeadField, is_same_field, memo},
    mapping::{check_target, finding},
    salesforce::{
        api::{Api, AssignmentRules},
        fields::LeadFields,
        open,
        org::Connect,
    },
    settings::options::{Choices, EMAIL_FIELD, Existing, OWNER_FIELD, RECORD_TYPE_FIELD, asked, is_key_field},
    value::{Context, Note, as_controlling, fit, is_id_of, present, same_record, unlisted},
};
use fits::{may_fit, takes_several};

/// Finds what would stand in the way of bookings of a kind, and which memos are stale.
pub fn check(
    connect: &mut impl Connect,
    kind: &BookingKind,
    target: Option<&str>,
    rows: &[Expectation],
    options: &[Parameter],
) -> Result<Checked, Box<Problem>> {
    check_target(target)?;
    let creates = match kind {
        BookingKind::Confirmed | BookingKind::Rescheduled => true,
        BookingKind::Cancelled => false,
        // Nothing is written for it.
        BookingKind::Other(_) => return Ok(Checked { findings: Vec::new(), memos: Vec::new(), more: Vec::new() }),
    };
    let live = Api::new(&mut open(connect)?).describe()?;
    let check = Check {
        rows,
        options,
        creates,
        live: &live,
        reserved: Vec::new(),
        row: None,
        findings: Vec::new(),
        memos: Vec::new(),
    };
    Ok(check.run())
}

struct Check<'a> {
    rows: &'a [Expectation],
    options: &'a [Parameter],
    /// Whether such a booking may create a Lead, which then needs a value in every required field.
    creates: bool,
    live: &'a LeadFields,
    /// Fields that the plugin's own choices set.
    reserved: Vec<&'a str>,
    /// The current row, with its position.
    row: Option<(u32, &'a Expectation)>,
    findings: Vec<Finding>,
    memos: Vec<(u32, String)>,
}

impl<'a> Check<'a> {
    fn run(mut self) -> Checked {
        let rule_decides = self.options();
        for (position, row) in (0..).zip(self.rows) {
            self.row = Some((position, row));
            let name = &row.field;
            let is_first = self.row_of(name).is_some_and(|first| std::ptr::eq(first, row));
            if !is_first {
                self.say(codes::FIELD_MAPPED_TWICE, Consequence::Refused, "another row writes this field");
            }
            if self.is_reserved(name) {
                let message = "one of the mapping's options sets this field";
                self.say(codes::FIELD_SET_BY_OPTION, Consequence::Changed, message);
            } else if rule_decides && is_same_field(name, OWNER_FIELD) {
                self.say(codes::OWNER_AND_ASSIGNMENT_RULE, Consequence::Changed, RULE_DECIDES);
            }
            match self.field(name) {
                Some(field) => self.compare(position, row, field),
                None if self.live.withheld.iter().any(|field| is_same_field(&field.name, name)) => {
                    let message = "the connected user is not allowed to write this field";
                    self.say(codes::FIELD_NOT_WRITABLE, Consequence::LeftOut, message);
                }
                None => {
                    let message = "the org has no such field, or hides it from the connected user";
                    self.say(codes::FIELD_GONE, Consequence::LeftOut, message);
                }
            }
        }
        self.row = None;
        let needed = if self.creates { &*self.live.fields } else { &[] };
        for field in needed.iter().filter(|field| field.required) {
            if self.row_of(&field.name).is_none() && !self.is_reserved(&field.name) {
                self.about(codes::REQUIRED_FIELD_UNMAPPED, Consequence::Refused, &field.name, "the field is required");
            }
        }
        Checked { findings: self.findings, memos: self.memos, more: Vec::new() }
    }

    fn field(&self, name: &str) -> Option<&'a LeadField<'a>> {
        self.live.fields.iter().find(|field| is_same_field(&field.name, name))
    }

    fn row_of(&self, name: &str) -> Option<&'a Expectation> {
        self.rows.iter().find(|row| is_same_field(&row.field, name))
    }

    fn is_reserved(&self, name: &str) -> bool {
        self.reserved.iter().any(|reserved| is_same_field(reserved, name))
    }

    /// Adds a finding about the current row, or about the whole mapping.
    fn say(&mut self, code: &'static str, consequence: Consequence, message: &str) {
        self.note(Note::new(code, message), consequence);
    }

    fn note(&mut self, note: Note, consequence: Consequence) {
        match self.row {
            Some((position, row)) => {
                let name = &row.field;
                let withheld = || self.live.withheld.iter().find(|field| is_same_field(&field.name, name));
                let label = self.field(name).map(|field| &*field.label).or_else(|| Some(&withheld()?.label));
                let finding = finding(note, consequence, position, name, label.unwrap_or_default());
                self.findings.push(finding);
            }
            None => self.push(note, consequence, Vec::new()),
        }
    }

    /// Adds a finding about a field without a row.
    fn about(&mut self, code: &'static str, consequence: Consequence, field: &str, message: &str) {
        let label = self.field(field).map_or(field, |field| &field.label);
        self.push(Note::new(code, message).with("field", label), consequence, vec![field.to_owned()]);
    }

    fn push(&mut self, note: Note, consequence: Consequence, fields: Vec<String>) {
        let Note { code, message, particulars } = note;
        let (code, rows, more) = (code.to_owned(), Vec::new(), Vec::new());
        self.findings.push(Finding { code, consequence, fields, rows, message, particulars, more });
    }

    /// Compares a row with the live field.
    fn compare(&mut self, position: u32, row: &'a Expectation, field: &'a LeadField<'a>) {
        let memo = memo::of(field);
        if memo != row.memo {
            self.memos.push((position, memo));
        }
        let before = memo::read(&row.field, &row.memo);
        let fallback = present(row.fallback.as_ref());
        if field.required && self.creates && fallback.is_none() && row.may_be_blank {
            let message = "the field is required, and what it is mapped to may be blank";
            self.say(codes::REQUIRED_FIELD_MAY_BE_BLANK, Consequence::Refused, message);
            if before.as_ref().is_some_and(|before| !before.required) {
                let message = "the field was not required when the row was saved";
                self.say(codes::FIELD_NEWLY_REQUIRED, Consequence::Refused, message);
            }
        }
        match &before {
            Some(before) if field.field_type != before.field_type => {
                let message = "the field's type has changed since the row was saved";
                self.say(codes::FIELD_TYPE_CHANGED, Consequence::Changed, message);
            }
            Some(before) if shrank(before, field) => {
                let message = "the field takes less than when the row was saved";
                self.say(codes::FIELD_SHRUNK, Consequence::Changed, message);
            }
            _ => {}
        }
        let controlling = self.controlling_value(field, MOST_LEVELS);
        if let Some(name) = self.missing_controller(field) {
            let message = format!("no row writes the controlling field `{name}`");
            self.say(codes::PICKLIST_VALUE_NOT_ALLOWED, self.unwritable(field), &message);
        }
        if let Some(fallback) = fallback {
            for (note, consequence) in
                self.judged(fallback, field, Context { controlling: controlling.as_deref(), locale: None })
            {
                self.note(note, consequence);
            }
        }
        if (row.several || row.texts.is_empty()) && !may_fit(row, &field.field_type) {
            let message = if row.several && !takes_several(&field.field_type) {
                "several choices may come at a time; the field takes one"
            } else {
                "no value that may come fits the field's type"
            };
            self.say(codes::TYPE_MISMATCH, self.unwritable(field), message);
        }
        self.texts(row, field, controlling.as_deref());
    }

    /// Whether the texts that may come fit the field. One finding per code, which names the texts.
    fn texts(&mut self, row: &Expectation, field: &LeadField<'_>, controlling: Option<&str>) {
        let mut found: Vec<(Note, Consequence, Vec<&str>)> = Vec::new();
        // What the mapping's owner typed is not read by the guest's language.
        let locale = row.locale.as_deref().filter(|_| only_text(row).is_none());
        for text in &row.texts {
            let value = given(row, text);
            let Some(value) = present(Some(&value)) else { continue };
            for (note, consequence) in self.judged(value, field, Context { controlling, locale }) {
                match found.iter_mut().find(|(known, ..)| known.code == note.code) {
                    Some((.., texts)) => texts.push(text),
                    None => found.push((note, consequence, vec![text])),
                }
            }
        }
        for (note, consequence, texts) in found {
            let note = if only_text(row).is_some() {
                note
            } else {
                let texts = texts.join(", ");
                Note::new(note.code, format!("choices: {texts}")).with("value", texts)
            };
            self.note(note, consequence);
        }
    }

    /// The value that every booking writes to the field's controlling field, if the mapping alone determines it. Controlling
    /// fields may be controlled themselves, up to a depth.
    fn controlling_value(&self, field: &LeadField<'_>, levels: u8) -> Option<String> {
        let controlling = self.field(field.controlling_field.as_deref()?)?;
        let given = Value::Text(only_text(self.row_of(&controlling.name)?)?.to_owned());
        let given = present(Some(&given))?;
        let above = levels.checked_sub(1).and_then(|levels| self.controlling_value(controlling, levels));
        let context = Context { controlling: above.as_deref(), ..Context::default() };
        as_controlling(fit(given, controlling, context).ok()?.value)
    }

    /// The controlling field of a dependent one, if no booking gives it a value. A checkbox always has a value, and so do a
    /// picklist with a default, and a Lead that exists.
    fn missing_controller<'f>(&self, field: &'f LeadField<'_>) -> Option<&'f str> {
        let name = field.controlling_field.as_deref()?;
        let has_value = self.row_of(name).is_some()
            || self.is_reserved(name)
            || self.field(name).is_some_and(|controlling| {
                controlling.field_type == FieldType::Checkbox || controlling.values.iter().any(|value| value.is_default)
            });
        let is_dependent = field.restricted && field.values.iter().any(|value| value.valid_for.is_some());
        (is_dependent && !has_value && self.creates).then_some(name)
    }

    /// What is wrong with a value that is known before any booking, and the consequence for a booking.
    fn judged(&self, given: &Value, field: &LeadField<'_>, context: Context<'_>) -> Vec<(Note, Consequence)> {
        match fit(given, field, context) {
            Ok(fitted) if fitted.notes.is_empty() => {
                unlisted(given, field).into_iter().map(|note| (note, Consequence::Changed)).collect()
            }
            Ok(fitted) => fitted.notes.into_iter().map(|note| (note, Consequence::Changed)).collect(),
            Err(note) => vec![(note, self.unwritable(field))],
        }
    }

    /// The consequence of a value that cannot be written.
    fn unwritable(&self, field: &LeadField<'_>) -> Consequence {
        if field.required && self.creates { Consequence::Refused } else { Consequence::LeftOut }
    }

    /// Checks the options, and notes the fields that they set. Returns whether an assignment rule decides on the owner.
    fn options(&mut self) -> bool {
        for option in self.options.iter().filter(|option| asked(&option.name).is_err()) {
            let message = format!("there is no option `{}`", option.name);
            let note = Note::new(codes::OPTION_INVALID, message).with("option", &option.name);
            self.note(note, Consequence::Changed);
        }
        let choices = match Choices::of(self.options, self.rows.iter().map(|row| &*row.field)) {
            Ok(choices) => choices,
            Err(problem) => {
                let (message, particulars) = (problem.message, problem.particulars);
                self.note(Note { code: codes::OPTION_INVALID, message, particulars }, Consequence::Refused);
                return false;
            }
        };
        self.reserved.extend(choices.reserved());
        if self.creates && choices.existing != Existing::CreateAnother && self.row_of(EMAIL_FIELD).is_none() {
            let message = "no row writes the email address, so that no existing Lead is looked for";
            self.about(codes::EMAIL_UNMAPPED, Consequence::Changed, EMAIL_FIELD, message);
        }
        let live = self.live;
        let is_unsearchable =
            |name: &str| live.fields.iter().any(|field| is_same_field(&field.name, name) && !field.filterable);
        if self.creates
            && choices.existing != Existing::CreateAnother
            && self.row_of(EMAIL_FIELD).is_some()
            && is_unsearchable(EMAIL_FIELD)
        {
            let message = "the org cannot search by this field, so that no existing Lead can be looked for";
            self.about(codes::FIELD_NOT_SEARCHABLE, Consequence::Refused, EMAIL_FIELD, message);
        }
        match choices.booking_id_field {
            Some(name) if is_unsearchable(name) => {
                let message = "the org cannot search by this field, so that it cannot be the booking-id field";
                self.about(codes::FIELD_NOT_SEARCHABLE, Consequence::Refused, name, message);
            }
            Some(name) if !self.field(name).is_some_and(is_key_field) => {
                let message = "not a unique external-ID text field that the connected user can write";
                self.about(codes::BOOKING_ID_FIELD_UNFIT, Consequence::Refused, name, message);
            }
            _ => {}
        }
        if let Some(id) = choices.record_type
            && !self.live.record_types.iter().any(|record_type| same_record(&record_type.id, id))
        {
            let message = "the connected user is not allowed to use this record type";
            self.about(codes::RECORD_TYPE_UNAVAILABLE, Consequence::Refused, RECORD_TYPE_FIELD, message);
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

/// A text that may come, as the value in which it comes.
fn given(row: &Expectation, text: &str) -> Value {
    let text = text.to_owned();
    match row.gives.first().map(String::as_str) {
        Some("choices") => Value::Choices(vec![text]),
        Some("agreed") => Value::Agreed(vec![text]),
        _ => Value::Text(text),
    }
}

/// The text that every booking gives, if the mapping alone determines it.
fn only_text(row: &Expectation) -> Option<&str> {
    match (&*row.gives, &*row.texts) {
        ([case], [text]) if case == "text" && !row.may_be_blank => Some(text),
        _ => None,
    }
}

fn shrank(before: &LeadField<'_>, now: &LeadField<'_>) -> bool {
    let is_shorter = matches!((before.length, now.length), (Some(before), Some(now)) if now < before);
    is_shorter || (now.precision > 0 && digits(now) < digits(before)) || now.scale < before.scale
}

/// Digits before the decimal point.
fn digits(field: &LeadField<'_>) -> u32 {
    field.precision.saturating_sub(field.scale)
}

#[cfg(test)]
mod tests;
