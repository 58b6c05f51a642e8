//! Value tables: what a row's table makes of an answer, and of the choices of a question.
//!
//! The contract has no value tables, so a translated value travels as an answer of its own, and a check gets a question of its own.

use crm_contract::{Answer, AnswerValue, Question, QuestionKind, Source};

use super::codes;
use crate::{
    Row, RowId, attributes, is_blank,
    source::{self, SourceValue},
    template::Reference,
};

/// The question that a row with a value table is checked by, and what does not match between the two.
pub(super) fn translated_question(row: &Row, questions: &[Question]) -> (Question, Vec<(&'static str, String)>) {
    let find = |id: &str| questions.iter().find(|question| question.id == id);
    let asked = match &row.source {
        Source::Answer(id) => find(id),
        _ => None,
    };
    let yes_or_no = || ["true", "false"].map(str::to_owned).to_vec();
    let offered: Vec<String> = match (asked, &row.source) {
        (Some(question), _) if !question.choices.is_empty() => question.choices.clone(),
        (Some(question), _) if question.kind == QuestionKind::Consent => yes_or_no(),
        (None, Source::Fixed(text)) => vec![text.clone()],
        _ => Vec::new(),
    };
    let is_always_given = |reference: &Reference<'_>| match reference {
        Reference::Answer(id) => find(id).is_some_and(|question| question.required),
        Reference::Attribute(name) => attributes::is_always_given(name),
        Reference::Tracking(_) => false,
    };
    let references = source::references(&row.source);
    let choices = if offered.is_empty() {
        distinct(row.values.iter().map(|(_, written)| written))
    } else {
        distinct(offered.iter().map(|choice| row.values.translate(choice).unwrap_or(choice)))
    };
    let question = Question {
        id: translated_id(&row.id),
        label: String::new(),
        kind: match asked.map(|question| question.kind) {
            Some(QuestionKind::Checkboxes) => QuestionKind::Checkboxes,
            Some(QuestionKind::Consent) if asked.is_some_and(|question| !question.choices.is_empty()) => {
                QuestionKind::Consent
            }
            _ => QuestionKind::Radio,
        },
        required: references.is_empty() || references.iter().any(is_always_given),
        choices,
    };
    let mut found = Vec::new();
    if !offered.is_empty() {
        let unlisted = offered.iter().map(String::as_str).filter(|choice| row.values.translate(choice).is_none());
        let unlisted = quoted(unlisted);
        if !unlisted.is_empty() {
            found.push((codes::VALUE_NOT_LISTED, format!("not in the row's value table: {unlisted}")));
        }
        let is_offered = |value: &str| offered.iter().any(|choice| choice.trim() == value);
        let unused = quoted(row.values.iter().map(|(value, _)| value).filter(|value| !is_offered(value)));
        if !unused.is_empty() {
            found.push((codes::VALUE_NOT_OFFERED, format!("in the row's value table, but never given: {unused}")));
        }
    }
    (question, found)
}

/// Texts of people for a finding's detail, cut to what a line shows.
pub(super) fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    const LONGEST: usize = 80;
    let cut = |text: &str| match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    let mut quoted: Vec<String> = texts.take(11).map(cut).collect();
    if quoted.len() > 10 {
        quoted.truncate(10);
        quoted.push("…".to_owned());
    }
    quoted.join(", ")
}

/// The id under which a row's translated value is sent. The control character keeps it apart from the ids of forms.
pub(super) fn translated_id(row: &RowId) -> String {
    format!("\u{1f}{row}")
}

/// A row's value, translated by its table, as an answer; and the values that the table does not list. `None` if there is
/// nothing to translate.
pub(super) fn translated(row: &Row, booking: &crm_contract::Booking) -> Option<(Answer, Vec<String>)> {
    if row.values.is_empty() {
        return None;
    }
    let mut unlisted = Vec::new();
    let mut text = |given: &str| match row.values.translate(given) {
        Some(written) => Some(written.to_owned()),
        None => {
            if !is_blank(given) {
                unlisted.push(given.trim().to_owned());
            }
            None
        }
    };
    let mut choices = |taken: &[String]| {
        let written: Vec<String> = taken.iter().map(|choice| text(choice).unwrap_or_else(|| choice.clone())).collect();
        AnswerValue::Choices(distinct(written.iter().map(String::as_str)))
    };
    let (kind, value) = match source::value(&row.source, booking)? {
        SourceValue::Choices(taken) => (QuestionKind::Checkboxes, choices(taken)),
        SourceValue::Agreed(taken) => (QuestionKind::Consent, choices(taken)),
        SourceValue::Text(given) => {
            (QuestionKind::Other, AnswerValue::Text(text(&given).unwrap_or_else(|| given.into_owned())))
        }
        SourceValue::Number(given) => {
            (QuestionKind::Number, text(given).map_or_else(|| AnswerValue::Number(given.to_owned()), AnswerValue::Text))
        }
        SourceValue::Boolean(given) => (
            QuestionKind::Other,
            text(if given { "true" } else { "false" }).map_or(AnswerValue::Boolean(given), AnswerValue::Text),
        ),
    };
    let (label, required) = (String::new(), false);
    Some((Answer { question_id: translated_id(&row.id), label, kind, required, value: Some(value) }, unlisted))
}

/// Texts in their order, each once: a table may write the same for several values.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !distinct.iter().any(|known| known == text) {
            distinct.push(text.to_owned());
        }
    }
    distinct
}
