//! What a booking writes: the value of each mapping row, fitted to its field, and findings about it.

use crate::{
    bindings::types::{
        Booking, Consequence, Finding, FurtherError, LeadField, LeadFields, Mapping, MappingRow, Problem, Reaction,
        Source,
    },
    codes,
    mapping::{self, finding, positions},
    problem::refusal,
    salesforce::fields::is_same_field,
    source::{self, SourceValue, is_of_meeting},
    value::{Fit, Json, Note, fit},
};

/// The fields that decide about values.
#[derive(Clone, Copy)]
pub enum Schema<'a> {
    /// As they were when the rows were saved.
    Snapshot,
    /// As they are now.
    Live(&'a LeadFields),
}

/// Which rows are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Booking,
    /// Those that come from the meeting's time, place and hosts, which a reschedule changes.
    Meeting,
}

/// A value that is written.
#[derive(Clone)]
pub struct Entry<'a> {
    /// The field, as the schema has it.
    pub field: &'a LeadField,
    pub value: Json<'a>,
    /// Position of the row.
    pub row: u32,
    /// Whether it is the row's fallback.
    pub from_fallback: bool,
}

impl<'a> Entry<'a> {
    /// The value to write instead if Salesforce refuses this one and the field is required.
    pub fn fallback(&self, mapping: &'a Mapping) -> Option<Json<'a>> {
        if !self.field.required || self.from_fallback {
            return None;
        }
        let fallback = SourceValue::from_text(mapping::row(mapping, self.row)?.fallback.as_deref()?)?;
        match fit(fallback, self.field, None) {
            Fit::Whole(value) | Fit::Changed(value, _) => Some(value),
            Fit::Unfit(_) => None,
        }
    }
}

/// What a booking writes.
#[derive(Clone, Default)]
pub struct Plan<'a> {
    /// Values, in the order of the rows.
    pub entries: Vec<Entry<'a>>,
    /// About values that are not written as given.
    pub findings: Vec<Finding>,
    /// Why there can be no Lead.
    pub refusals: Vec<Refusal>,
}

/// Why there can be no Lead.
#[derive(Clone)]
pub struct Refusal {
    pub finding: Finding,
    pub reaction: Reaction,
}

impl<'a> Plan<'a> {
    /// Plans what a booking writes. The options set the fields in `reserved`, so that rows must not.
    pub fn new(
        booking: &'a Booking,
        mapping: &'a Mapping,
        schema: Schema<'a>,
        scope: Scope,
        reserved: &[&str],
    ) -> Self {
        let rows = Rows { booking, mapping, schema };
        let mut plan = Self { entries: Vec::with_capacity(mapping.rows.len()), ..Self::default() };
        for (position, row) in positions(mapping) {
            if scope == Scope::Meeting && !is_of_meeting(&row.source) {
                continue;
            }
            if reserved.iter().any(|name| is_same_field(name, &row.field.name)) {
                let note = Note {
                    code: codes::FIELD_SET_BY_OPTION,
                    detail: "one of the mapping's options sets this field".into(),
                };
                plan.findings.push(finding(note, Consequence::Changed, position, row));
                continue;
            }
            plan.add(rows.value(position, row), position, row);
        }
        if scope == Scope::Meeting {
            plan.keep_existing_values();
        }
        plan
    }

    fn add(&mut self, value: Value<'a>, position: u32, row: &'a MappingRow) {
        match value {
            Value::Blank => {}
            Value::Write(entry, note) => {
                self.entries.push(entry);
                if let Some(note) = note {
                    self.findings.push(finding(note, Consequence::Changed, position, row));
                }
            }
            Value::LeaveOut(note) => {
                self.findings.push(finding(note, Consequence::LeftOut, position, row));
            }
            Value::Refuse(note) => {
                // Nobody can correct in the booking what nobody typed.
                let reaction = match row.source {
                    Source::Fixed(_) => Reaction::FixMapping,
                    _ => Reaction::FixBooking,
                };
                let finding = finding(note, Consequence::Refused, position, row);
                self.refusals.push(Refusal { finding, reaction });
            }
        }
    }

    /// Makes this a plan for an existing Lead, which keeps the values of required fields that the booking leaves blank.
    pub fn keep_existing_values(&mut self) {
        for Refusal { mut finding, .. } in std::mem::take(&mut self.refusals) {
            if finding.code != codes::REQUIRED_FIELD_BLANK {
                finding.consequence = Consequence::LeftOut;
                self.findings.push(finding);
            }
        }
    }

    /// Whether a stale snapshot may be the only thing that is wrong.
    pub fn is_doubtful(&self) -> bool {
        !self.refusals.is_empty()
            || self
                .findings
                .iter()
                .any(|finding| ![codes::FIELD_SET_BY_OPTION, codes::CHARACTERS_REMOVED].contains(&&*finding.code))
    }

    /// The problem if there can be no Lead.
    pub fn problem(&self) -> Option<Box<Problem>> {
        let (first, others) = self.refusals.split_first()?;
        let mut problem = refusal(&first.finding.code, first.reaction, first.finding.detail.clone());
        problem.fields.clone_from(&first.finding.fields);
        problem.rows.clone_from(&first.finding.rows);
        problem.question_ids.clone_from(&first.finding.question_ids);
        problem.also = others
            .iter()
            .map(|Refusal { finding, .. }| FurtherError {
                code: finding.code.clone(),
                message: finding.detail.clone(),
                fields: finding.fields.clone(),
                rows: finding.rows.clone(),
                question_ids: finding.question_ids.clone(),
            })
            .collect();
        Some(problem)
    }

    pub fn entry_of(&self, field: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| is_same_field(&entry.field.name, field))
    }

    pub fn text_of(&self, field: &str) -> Option<&str> {
        text(&self.entry_of(field)?.value)
    }

    /// Whether a row has a value that is written.
    pub fn writes(&self, row: u32) -> bool {
        self.entries.iter().any(|entry| entry.row == row)
    }

    /// Whether a finding is about a value that is written.
    pub fn is_about(&self, finding: &Finding) -> bool {
        finding.rows.iter().any(|row| self.writes(*row))
    }
}

/// The text of a value, if it is a text.
pub fn text<'v>(value: &'v Json<'_>) -> Option<&'v str> {
    match value {
        Json::Text(text) => Some(text),
        _ => None,
    }
}

/// The result of a row.
enum Value<'a> {
    Blank,
    Write(Entry<'a>, Option<Note>),
    LeaveOut(Note),
    Refuse(Note),
}

struct Rows<'a> {
    booking: &'a Booking,
    mapping: &'a Mapping,
    schema: Schema<'a>,
}

impl<'a> Rows<'a> {
    fn value(&self, position: u32, row: &'a MappingRow) -> Value<'a> {
        let field = match self.field(row) {
            Ok(field) => field,
            Err(note) => return Value::LeaveOut(note),
        };
        let entry = |value, from_fallback| Entry { field, value, row: position, from_fallback };
        let controlling = self.controlling_value(field, 3);
        let fitted = |given| fit(given, field, controlling.as_deref());
        let given = source::value(&row.source, self.booking);
        let fallback = row.fallback.as_deref().and_then(SourceValue::from_text);
        match (given, fallback) {
            (None, None) if field.required => {
                Value::Refuse(Note { code: codes::REQUIRED_FIELD_BLANK, detail: "the field is required".into() })
            }
            (None, None) => Value::Blank,
            (None, Some(fallback)) => match fitted(fallback) {
                Fit::Whole(value) => Value::Write(entry(value, true), None),
                Fit::Changed(value, note) => Value::Write(entry(value, true), Some(note)),
                Fit::Unfit(note) => unwritable(field, note),
            },
            (Some(given), fallback) => match fitted(given) {
                Fit::Whole(value) => Value::Write(entry(value, false), None),
                Fit::Changed(value, note) => Value::Write(entry(value, false), Some(note)),
                Fit::Unfit(note) => match fallback.filter(|_| field.required).map(fitted) {
                    Some(Fit::Whole(value) | Fit::Changed(value, _)) => {
                        let detail = format!("{}: {}", note.code, note.detail);
                        Value::Write(entry(value, true), Some(Note { code: codes::FALLBACK_USED, detail }))
                    }
                    _ => unwritable(field, note),
                },
            },
        }
    }

    /// The field that a row writes, as the schema has it.
    fn field(&self, row: &'a MappingRow) -> Result<&'a LeadField, Note> {
        let Schema::Live(live) = self.schema else { return Ok(&row.field) };
        let name = &row.field.name;
        if let Some(field) = live.fields.iter().find(|field| is_same_field(&field.name, name)) {
            return Ok(field);
        }
        Err(if live.withheld.iter().any(|field| is_same_field(&field.name, name)) {
            Note { code: codes::FIELD_NOT_WRITABLE, detail: "the connected user may not write this field".into() }
        } else {
            Note {
                code: codes::FIELD_GONE,
                detail: "the org has no such field, or hides it from the connected user".into(),
            }
        })
    }

    /// The value written to the field that controls this one. Controlling fields may be controlled themselves, up to a depth.
    fn controlling_value(&self, field: &LeadField, depth: u8) -> Option<String> {
        let name = field.controlling_field.as_deref()?;
        let row = self.mapping.rows.iter().find(|row| is_same_field(&row.field.name, name))?;
        let controlling = self.field(row).ok()?;
        let above = depth.checked_sub(1).and_then(|depth| self.controlling_value(controlling, depth));
        let given =
            source::value(&row.source, self.booking).or_else(|| SourceValue::from_text(row.fallback.as_deref()?))?;
        match fit(given, controlling, above.as_deref()) {
            Fit::Whole(Json::Text(text)) | Fit::Changed(Json::Text(text), _) => Some(text.into_owned()),
            Fit::Whole(Json::Boolean(value)) => Some(if value { "true" } else { "false" }.into()),
            _ => None,
        }
    }
}

fn unwritable<'a>(field: &LeadField, note: Note) -> Value<'a> {
    if field.required { Value::Refuse(note) } else { Value::LeaveOut(note) }
}
