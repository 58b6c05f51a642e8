//! What a booking writes: the value of each mapping row, fitted to its field, and findings about it.

use crate::{
    bindings::types::{Consequence, Finding, FurtherError, Mapping, Parameter, Problem, Reaction, Row, SourceKind},
    codes,
    field::{LeadField, is_same_field},
    mapping::{self, finding, positions},
    problem::refusal,
    salesforce::fields::LeadFields,
    value::{Context, Fitted, Json, Note, as_controlling, fit, money::is_code, present},
};

/// The field that has the currency of a Lead's amounts, in orgs with several.
const CURRENCY_FIELD: &str = "CurrencyIsoCode";

/// The fields that decide about values.
#[derive(Clone, Copy)]
pub enum Schema<'a> {
    /// As the rows' memos have them, by position; `None` if a memo says nothing.
    Memos(&'a [Option<LeadField<'a>>]),
    /// As they are now.
    Live(&'a LeadFields),
}

/// Which rows a plan is of.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    #[default]
    Booking,
    /// Those that a change of the booking writes to its Lead.
    Change,
}

impl Scope {
    fn has(self, row: &Row) -> bool {
        match self {
            Self::Booking => true,
            Self::Change => row.on_change,
        }
    }
}

/// A value that is written.
#[derive(Clone)]
pub struct Entry<'a> {
    /// The field, as the schema has it.
    pub field: &'a LeadField<'a>,
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
        let fallback = present(mapping::row(mapping, self.row)?.fallback.as_ref())?;
        fit(fallback, self.field, Context::default()).ok().map(|fitted| fitted.value)
    }
}

/// What a booking writes.
#[derive(Clone, Default)]
pub struct Plan<'a> {
    pub scope: Scope,
    /// Values, in the order of the rows.
    pub entries: Vec<Entry<'a>>,
    /// About values that are not written as given.
    pub findings: Vec<Finding>,
    /// Why there can be no Lead.
    pub refusals: Vec<Finding>,
    /// Whether a row with a value has a memo that says nothing.
    is_unknown: bool,
}

impl<'a> Plan<'a> {
    /// Plans what a booking writes. The options set the fields in `reserved`, so that rows must not.
    pub fn new(
        mapping: &'a Mapping,
        locale: Option<&'a str>,
        schema: Schema<'a>,
        scope: Scope,
        reserved: &[&str],
    ) -> Self {
        let rows = Rows { mapping, locale, schema };
        let mut plan = Self { scope, entries: Vec::with_capacity(mapping.rows.len()), ..Self::default() };
        for (position, row) in positions(mapping).filter(|(_, row)| scope.has(row)) {
            // An existing Lead keeps what a booking leaves blank, whatever the field is like.
            let is_blank = || present(row.value.as_ref()).or_else(|| present(row.fallback.as_ref())).is_none();
            if scope != Scope::Booking && is_blank() {
                continue;
            }
            if reserved.iter().any(|name| is_same_field(name, &row.field)) {
                let note = Note::new(codes::FIELD_SET_BY_OPTION, "one of the mapping's options sets this field");
                plan.findings.push(finding(note, Consequence::Changed, position, &row.field, ""));
                continue;
            }
            plan.add(&rows, position, row);
        }
        if scope == Scope::Change {
            plan.keep_existing_values();
        }
        plan.forget_carried_currency();
        plan
    }

    /// Drops findings about a currency that a row writes. What a sign stands for is the business of whoever mapped the currency.
    fn forget_carried_currency(&mut self) {
        let Some(written) = self.text_of(CURRENCY_FIELD).map(str::to_owned) else { return };
        self.findings.retain(|finding| {
            let is_other =
                |given: &Parameter| given.name == "currency" && is_code(&given.value) && given.value != written;
            finding.code != codes::CURRENCY_NOT_CARRIED || finding.particulars.iter().any(is_other)
        });
    }

    fn add(&mut self, rows: &Rows<'a>, position: u32, row: &'a Row) {
        let field = match rows.field(position, row) {
            Ok(Some(field)) => field,
            Ok(None) => {
                self.is_unknown = true;
                return;
            }
            Err(note) => {
                self.findings.push(finding(note, Consequence::LeftOut, position, &row.field, ""));
                return;
            }
        };
        let about = |note, consequence| finding(note, consequence, position, &row.field, &field.label);
        match rows.value(position, row, field) {
            Value::Blank => {}
            Value::Write(entry, notes) => {
                self.entries.push(entry);
                self.findings.extend(notes.into_iter().map(|note| about(note, Consequence::Changed)));
            }
            Value::LeaveOut(note) => self.findings.push(about(note, Consequence::LeftOut)),
            Value::Refuse(note) => self.refusals.push(about(note, Consequence::Refused)),
        }
    }

    /// Makes this a plan for an existing Lead, which keeps the values of required fields that the booking leaves blank.
    pub fn keep_existing_values(&mut self) {
        for mut finding in std::mem::take(&mut self.refusals) {
            if finding.code != codes::REQUIRED_FIELD_BLANK {
                finding.consequence = Consequence::LeftOut;
                self.findings.push(finding);
            }
        }
    }

    /// Whether the live fields are needed: memos say nothing, or stale ones may be the only thing that is wrong.
    pub fn is_doubtful(&self) -> bool {
        // What was removed from a value or said about it has nothing to do with its field.
        const CERTAIN: [&str; 5] = [
            codes::CURRENCY_NOT_CARRIED,
            codes::FIELD_SET_BY_OPTION,
            codes::CHARACTERS_REMOVED,
            codes::CHARACTERS_REPLACED,
            codes::INVISIBLE_CHARACTERS_REMOVED,
        ];
        let is_certain = |code: &str| CERTAIN.contains(&code);
        self.is_unknown || !self.refusals.is_empty() || !self.findings.iter().all(|finding| is_certain(&finding.code))
    }

    /// The problem if there can be no Lead.
    pub fn problem(&self) -> Option<Box<Problem>> {
        let (first, others) = self.refusals.split_first()?;
        let mut problem = refusal(&first.code, Reaction::FixBooking, first.message.clone());
        problem.fields.clone_from(&first.fields);
        problem.rows.clone_from(&first.rows);
        problem.particulars.clone_from(&first.particulars);
        problem.also = others
            .iter()
            .map(|finding| FurtherError {
                code: finding.code.clone(),
                message: finding.message.clone(),
                fields: finding.fields.clone(),
                rows: finding.rows.clone(),
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
    Write(Entry<'a>, Vec<Note>),
    LeaveOut(Note),
    Refuse(Note),
}

struct Rows<'a> {
    mapping: &'a Mapping,
    /// The guest's language.
    locale: Option<&'a str>,
    schema: Schema<'a>,
}

impl<'a> Rows<'a> {
    fn value(&self, position: u32, row: &'a Row, field: &'a LeadField<'a>) -> Value<'a> {
        let entry = |value, from_fallback| Entry { field, value, row: position, from_fallback };
        let controlling = self.controlling_value(field, 3);
        let context = Context { controlling: controlling.as_deref(), locale: None };
        // The language is the guest's: what the mapping's owner typed is not read by it.
        let locale = self.locale.filter(|_| row.source != SourceKind::Mapping);
        let fitted = |given| fit(given, field, Context { locale, ..context });
        let fitted_fallback = |given| fit(given, field, context);
        let write = |fitted: Fitted<'a>, from_fallback| Value::Write(entry(fitted.value, from_fallback), fitted.notes);
        match (present(row.value.as_ref()), present(row.fallback.as_ref())) {
            (None, None) if field.required => {
                Value::Refuse(Note::new(codes::REQUIRED_FIELD_BLANK, "the field is required"))
            }
            (None, None) => Value::Blank,
            (None, Some(fallback)) => match fitted_fallback(fallback) {
                Ok(fitted) => write(fitted, true),
                Err(note) => unwritable(field, note),
            },
            (Some(given), fallback) => match fitted(given) {
                Ok(fitted) => write(fitted, false),
                Err(note) => match fallback.filter(|_| field.required).map(fitted_fallback) {
                    Some(Ok(fitted)) => {
                        let message = format!("{}: {}", note.code, note.message);
                        Value::Write(entry(fitted.value, true), vec![Note::new(codes::FALLBACK_USED, message)])
                    }
                    _ => unwritable(field, note),
                },
            },
        }
    }

    /// The field that a row writes, as the schema has it; `None` if its memo says nothing.
    fn field(&self, position: u32, row: &Row) -> Result<Option<&'a LeadField<'a>>, Note> {
        let name = &row.field;
        let live = match self.schema {
            Schema::Memos(memos) => {
                let position = usize::try_from(position).unwrap_or(usize::MAX);
                return Ok(memos.get(position).and_then(Option::as_ref));
            }
            Schema::Live(live) => live,
        };
        if let Some(field) = live.fields.iter().find(|field| is_same_field(&field.name, name)) {
            return Ok(Some(field));
        }
        Err(if live.withheld.iter().any(|field| is_same_field(&field.name, name)) {
            Note::new(codes::FIELD_NOT_WRITABLE, "the connected user is not allowed to write this field")
        } else {
            Note::new(codes::FIELD_GONE, "the org has no such field, or hides it from the connected user")
        })
    }

    /// The value written to the field that controls this one. Controlling fields may be controlled themselves, up to a depth.
    fn controlling_value(&self, field: &LeadField<'_>, depth: u8) -> Option<String> {
        let name = field.controlling_field.as_deref()?;
        let (position, row) = positions(self.mapping).find(|(_, row)| is_same_field(&row.field, name))?;
        let controlling = self.field(position, row).ok()??;
        let above = depth.checked_sub(1).and_then(|depth| self.controlling_value(controlling, depth));
        let given = present(row.value.as_ref()).or_else(|| present(row.fallback.as_ref()))?;
        let context = Context { controlling: above.as_deref(), ..Context::default() };
        as_controlling(fit(given, controlling, context).ok()?.value)
    }
}

fn unwritable<'a>(field: &LeadField<'_>, note: Note) -> Value<'a> {
    if field.required { Value::Refuse(note) } else { Value::LeaveOut(note) }
}
