//! From a booking and a mapping to what a plugin is called with, or from a form and a mapping to what a plugin checks.
//!
//! `explain` is the way back, from the plugin's findings and problems to rows and questions; `translate` applies value tables.

mod explain;
#[cfg(test)]
mod tests;
mod translate;

use crm_contract::{ChosenOption, Consequence, Finding, LeadField, MappingRow, Question, Source};

pub use explain::{Explained, ExplainedProblem, Origins, QuestionRef};

use crate::{
    Booking, Event, Mapping, Row, attributes, is_blank,
    similar::suggestion,
    source,
    template::{Reference, Template},
};
use explain::Origin;
use translate::{quoted, translated, translated_question};

/// Codes of what the host itself finds.
pub mod codes {
    /// A row names a question that the form does not have.
    pub const QUESTION_UNKNOWN: &str = "question-unknown";
    /// A row names a booking attribute that does not exist.
    pub const ATTRIBUTE_UNKNOWN: &str = "attribute-unknown";
    /// A template has an unpaired brace.
    pub const TEMPLATE_INVALID: &str = "template-invalid";
    /// The mapping chooses an option that the plugin does not have.
    pub const OPTION_INVALID: &str = "option-invalid";
    /// A value is not listed in the row's value table and is passed unchanged.
    pub const VALUE_NOT_LISTED: &str = "value-not-listed";
    /// A row's value table lists a value that the question does not offer.
    pub const VALUE_NOT_OFFERED: &str = "value-not-offered";
    /// A row is for moved bookings, but contract 0.1.0 writes it only if the record has to be created.
    pub const NOT_REWRITTEN: &str = "row-not-rewritten";
    /// The plugin lists no writable field of this name.
    pub const FIELD_UNKNOWN: &str = "field-unknown";
}

/// Why a booking cannot be resolved. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A row writes a field that the CRM does not list as writable.
    #[error("rows[{position}].field: the plugin lists no writable field `{field}`{suggestion}")]
    UnknownField {
        /// Position of the row in the mapping.
        position: usize,
        /// The field.
        field: String,
        /// `; did you mean ...?`, or empty.
        suggestion: String,
    },
    /// Contract 0.1.0 cannot express a cancelled booking.
    #[error("kind: cancelled bookings are not delivered: contract 0.1.0 has no such kind")]
    Cancelled,
}

impl ResolveError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownField { .. } => codes::FIELD_UNKNOWN,
            Self::Cancelled => "kind-unsupported",
        }
    }
}

/// What a plugin is called with for one booking.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The booking in the contract's form.
    pub booking: crm_contract::Booking,
    /// The rows of the booking's event.
    pub mapping: crm_contract::Mapping,
    /// What the host itself found; nothing of it stops the booking.
    pub findings: Vec<Explained>,
    /// The way back from the plugin's findings and problems.
    pub origins: Origins,
}

/// What a plugin checks a mapping with.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The rows of the event.
    pub mapping: crm_contract::Mapping,
    /// The form, and a question of its own for each row with a value table: it offers the translated choices.
    pub questions: Vec<Question>,
    /// What the host itself found: unknown fields, and value tables that do not match their questions.
    pub findings: Vec<Explained>,
    /// The way back from the plugin's findings.
    pub origins: Origins,
}

/// Options that the plugin does not have, among those that a mapping chooses. `known` are the ids of the plugin's options.
pub fn unknown_options(mapping: &Mapping, known: &[&str]) -> Vec<Explained> {
    let unknown = mapping.options().keys().filter(|id| !known.contains(&id.as_str()));
    let found = unknown.map(|id| Finding {
        code: codes::OPTION_INVALID.to_owned(),
        consequence: Consequence::Changed,
        fields: Vec::new(),
        rows: Vec::new(),
        question_ids: Vec::new(),
        detail: format!("the plugin has no option `{id}`{}", suggestion(id, known.iter().copied())),
    });
    found.map(Explained::from).collect()
}

/// Resolves a booking: picks the rows of its event, translates values, and attaches to each row the field as `fields` lists it.
///
/// # Errors
/// If a row's field is not among `fields`, or the booking is of a kind that the contract does not have.
pub fn resolve(booking: &Booking, mapping: &Mapping, fields: &[LeadField]) -> Result<Resolved, ResolveError> {
    let mut resolved = Resolved {
        booking: booking.to_contract().ok_or(ResolveError::Cancelled)?,
        mapping: crm_contract::Mapping { rows: Vec::new(), options: options(mapping) },
        findings: Vec::new(),
        origins: Origins::default(),
    };
    let mut answers = Vec::new();
    for (position, row) in rows_for(mapping, booking.kind) {
        let origin = Origin::new(position, row, |id| label_in_booking(booking, id), &resolved.booking);
        let is_lost = origin.value.is_none() && row.fallback.as_deref().is_none_or(is_blank);
        let consequence = if is_lost { Consequence::LeftOut } else { Consequence::Changed };
        for (code, detail) in unknown_references(row, booking) {
            resolved.findings.push(origin.finding(row, code, consequence, detail));
        }
        if booking.kind == Event::Rescheduled && is_not_rewritten(row) {
            let detail = NOT_REWRITTEN.to_owned();
            resolved.findings.push(origin.finding(row, codes::NOT_REWRITTEN, Consequence::Changed, detail));
        }
        let mut source = row.source.clone();
        if let Some((answer, unlisted)) = translated(row, &resolved.booking) {
            source = Source::Answer(answer.question_id.clone());
            answers.push(answer);
            if !unlisted.is_empty() {
                let detail = format!("not in the row's value table: {}", quoted(unlisted.iter().map(String::as_str)));
                resolved.findings.push(origin.finding(row, codes::VALUE_NOT_LISTED, Consequence::Changed, detail));
            }
        }
        let field = listed(row, position, fields)?;
        resolved.mapping.rows.push(MappingRow { field, source, fallback: row.fallback.clone() });
        resolved.origins.0.push(origin);
    }
    // Before the form's answers, so that none of those takes the place of a translated one.
    resolved.booking.answers.splice(..0, answers);
    Ok(resolved)
}

/// What a check of a mapping needs: the rows of an event, and the form with each row's value table applied to its choices.
/// A row whose field is not among `fields` is a finding and left out of the mapping.
pub fn expectations(questions: &[Question], mapping: &Mapping, event: Event, fields: &[LeadField]) -> Expected {
    let mut expected = Expected {
        mapping: crm_contract::Mapping { rows: Vec::new(), options: options(mapping) },
        questions: questions.to_vec(),
        findings: Vec::new(),
        origins: Origins::default(),
    };
    let find = |id: &str| questions.iter().find(|question| question.id == id);
    for (position, row) in rows_for(mapping, event) {
        let origin = Origin::without_value(position, row, |id| find(id).map(|question| question.label.clone()));
        let mut source = row.source.clone();
        let unknown = matches!(&row.source, Source::Answer(id) if find(id).is_none());
        if !row.values.is_empty() && !unknown {
            let (question, found) = translated_question(row, questions);
            source = Source::Answer(question.id.clone());
            expected.questions.push(question);
            for (code, detail) in found {
                expected.findings.push(origin.finding(row, code, Consequence::Changed, detail));
            }
        }
        if event == Event::Rescheduled && is_not_rewritten(row) {
            let detail = NOT_REWRITTEN.to_owned();
            expected.findings.push(origin.finding(row, codes::NOT_REWRITTEN, Consequence::Changed, detail));
        }
        match listed(row, position, fields) {
            Ok(field) => {
                expected.mapping.rows.push(MappingRow { field, source, fallback: row.fallback.clone() });
                expected.origins.0.push(origin);
            }
            Err(error) => {
                let detail = error.to_string();
                expected.findings.push(origin.finding(row, codes::FIELD_UNKNOWN, Consequence::LeftOut, detail));
            }
        }
    }
    expected
}

const NOT_REWRITTEN: &str = "if the booking has a record already, that keeps its earlier value";

/// Whether a row for moved bookings is written only if the record has to be created: the contract lets a plugin write the
/// rows whose sources are of the meeting, and a translated value travels as an answer.
fn is_not_rewritten(row: &Row) -> bool {
    let is_of_meeting = source::is_of_meeting(&row.source);
    if is_of_meeting { !row.values.is_empty() } else { row.on.is_some() && !row.is_for(Event::Confirmed) }
}

/// The rows of an event with their positions in the mapping.
fn rows_for(mapping: &Mapping, event: Event) -> impl Iterator<Item = (u32, &Row)> {
    (0..).zip(mapping.rows()).filter(move |(_, row)| row.is_for(event))
}

fn options(mapping: &Mapping) -> Vec<ChosenOption> {
    let chosen = |(id, value): (&String, &String)| ChosenOption { id: id.clone(), value: value.clone() };
    mapping.options().iter().map(chosen).collect()
}

/// The field of a row as it is listed.
fn listed(row: &Row, position: u32, fields: &[LeadField]) -> Result<LeadField, ResolveError> {
    fields.iter().find(|field| field.name == row.field).cloned().ok_or_else(|| ResolveError::UnknownField {
        position: position as usize,
        field: row.field.clone(),
        suggestion: suggestion(&row.field, fields.iter().map(|field| field.name.as_str())),
    })
}

fn label_in_booking(booking: &Booking, id: &str) -> Option<String> {
    let answered = booking.answers.iter().find(|answer| answer.question_id == id).map(|answer| &answer.label);
    let asked = booking.form.iter().flatten().find(|question| question.id == id).map(|question| &question.label);
    answered.or(asked).cloned()
}

/// What is wrong with a row's references: an unpaired brace, or something that neither the booking nor its form has. Without a
/// form, an unknown question cannot be told from one that was not shown.
fn unknown_references(row: &Row, booking: &Booking) -> Vec<(&'static str, String)> {
    let has_answer = |id: &str| booking.answers.iter().any(|answer| answer.question_id == id);
    let mut unknown = Vec::new();
    if let Source::Template(text) = &row.source
        && !Template::parse(text).well_formed
    {
        unknown.push((
            codes::TEMPLATE_INVALID,
            "the template has an unpaired brace, which is written as it is".to_owned(),
        ));
    }
    for reference in source::references(&row.source) {
        match (reference, &booking.form) {
            (Reference::Answer(id), Some(form)) => {
                let mut ids = form.iter().map(|question| question.id.as_str());
                if !has_answer(id) && !ids.clone().any(|known| known == id) {
                    let suggestion = suggestion(id, &mut ids);
                    unknown.push((codes::QUESTION_UNKNOWN, format!("the form has no question `{id}`{suggestion}")));
                }
            }
            (Reference::Attribute(name), _) if !attributes::is_known(name) => {
                let suggestion = suggestion(name, attributes::names());
                unknown.push((codes::ATTRIBUTE_UNKNOWN, format!("no booking attribute `{name}`{suggestion}")));
            }
            _ => {}
        }
    }
    unknown
}
