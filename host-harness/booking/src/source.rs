//! Where a value comes from: what a mapping row's source has in a booking.

use std::borrow::Cow;

use crm_contract::{SourceKind, Value};
use serde::{Deserialize, Serialize};

use crate::{
    AnswerValue, Booking, QuestionKind, attributes, is_blank,
    template::{Reference, Template},
};

/// Where a row's value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The answer to the question with this id.
    Answer(String),
    /// A booking attribute.
    Booking(String),
    /// The first URL parameter of this name.
    Tracking(String),
    /// This text.
    Fixed(String),
    /// Text with references in braces: `{answers.ID}`, `{tracking.NAME}`, or `{ATTRIBUTE}` with a booking attribute.
    Template(String),
}

/// The value of a source in a booking; `None` if it is blank. Whatever the booking does not have is blank, unknown questions
/// and attributes included.
pub fn value(source: &Source, booking: &Booking) -> Option<Value> {
    match source {
        Source::Answer(id) => answer(booking, id),
        Source::Booking(name) => attributes::value(booking, name),
        Source::Tracking(name) => tracking(booking, name).and_then(text_value),
        Source::Fixed(text) => text_value(text),
        Source::Template(text) => {
            text_value(&Template::parse(text).render(|reference| resolve_reference(reference, booking)))
        }
    }
}

/// A text as a value; `None` if it is blank.
pub fn text_value(text: &str) -> Option<Value> {
    (!is_blank(text)).then(|| Value::Text(text.to_owned()))
}

/// A value as one text; several choices are joined by `, `.
pub fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) | Value::Number(text) | Value::Date(text) | Value::Time(text) | Value::Moment(text) => {
            Cow::Borrowed(text)
        }
        Value::Boolean(true) => Cow::Borrowed("true"),
        Value::Boolean(false) => Cow::Borrowed("false"),
        Value::Choices(choices) | Value::Agreed(choices) => {
            attributes::joined(choices.iter().map(String::as_str)).unwrap_or_default()
        }
        Value::Other(other) => Cow::Borrowed(&other.value),
    }
}

fn resolve_reference<'b>(reference: Reference<'_>, booking: &'b Booking) -> Option<Cow<'b, str>> {
    match reference {
        Reference::Answer(id) => Some(Cow::Owned(text_of(&answer(booking, id)?).into_owned())),
        Reference::Tracking(name) => tracking(booking, name).filter(|text| !is_blank(text)).map(Cow::Borrowed),
        Reference::Attribute(name) => attributes::text(booking, name).filter(|text| !is_blank(text)),
    }
}

/// Everything a source refers to, in order. Fixed texts refer to nothing.
pub fn references(source: &Source) -> Vec<Reference<'_>> {
    match source {
        Source::Answer(id) => vec![Reference::Answer(id)],
        Source::Booking(name) => vec![Reference::Attribute(name)],
        Source::Tracking(name) => vec![Reference::Tracking(name)],
        Source::Fixed(_) => Vec::new(),
        Source::Template(text) => Template::parse(text).references().collect(),
    }
}

/// Ids of the questions that a source reads, each once.
pub fn question_ids(source: &Source) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for reference in references(source) {
        match reference {
            Reference::Answer(id) if !ids.contains(&id) => ids.push(id),
            _ => {}
        }
    }
    ids
}

/// Where the value of a source comes from. A source that reads the meeting's time, place or hosts is `Meeting`, whatever else it
/// reads; one whose value is the same for every booking of a calendar is `Mapping`.
pub fn kind(source: &Source) -> SourceKind {
    let references = references(source);
    let reads = |is_such: fn(&str) -> bool| move |reference: &Reference<'_>| matches!(reference, Reference::Attribute(name) if is_such(name));
    if references.iter().any(reads(attributes::is_of_meeting)) {
        SourceKind::Meeting
    } else if references.iter().all(reads(attributes::is_of_calendar)) {
        SourceKind::Mapping
    } else {
        SourceKind::Guest
    }
}

fn answer(booking: &Booking, id: &str) -> Option<Value> {
    match booking.answer(id)? {
        (QuestionKind::Date, AnswerValue::Text(text)) if attributes::is_date(text) => Some(Value::Date(text.clone())),
        (_, AnswerValue::Text(text)) => text_value(text),
        (_, AnswerValue::Number(number)) if attributes::is_decimal(number) => Some(Value::Number(number.clone())),
        (_, AnswerValue::Number(number)) => text_value(number),
        (_, AnswerValue::Boolean(value)) => Some(Value::Boolean(*value)),
        (_, AnswerValue::Choices(choices)) if choices.iter().all(|choice| is_blank(choice)) => None,
        (QuestionKind::Consent, AnswerValue::Choices(choices)) => Some(Value::Agreed(choices.clone())),
        (_, AnswerValue::Choices(choices)) => Some(Value::Choices(choices.clone())),
    }
}

fn tracking<'b>(booking: &'b Booking, name: &str) -> Option<&'b str> {
    Some(&booking.tracking.iter().find(|parameter| parameter.name == name)?.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, fixture};

    #[test]
    fn every_kind_of_source_gives_its_value() {
        let mut booking = fixture::booking();
        for (id, answer) in [
            ("q-control", AnswerValue::Text("\0\u{9F} ".into())),
            ("q-control-choice", AnswerValue::Choices(vec!["\u{1}".into()])),
            ("q-zero", AnswerValue::Number("0".into())),
        ] {
            let (question_id, label, kind) = (id.into(), String::new(), QuestionKind::Text);
            booking.answers.push(Answer { question_id, label, kind, required: false, value: Some(answer) });
        }
        for (source, expected) in [
            (Source::Answer("q-company".into()), Some(Value::Text("株式会社サンプル＆パートナーズ".into()))),
            (Source::Answer("q-employees".into()), Some(Value::Choices(vec!["51-300".to_owned()]))),
            (Source::Answer("q-consent".into()), Some(Value::Agreed(vec!["同意します".to_owned()]))),
            (Source::Answer("q-budget".into()), Some(Value::Number("-12.50".into()))),
            (Source::Answer("q-visited".into()), Some(Value::Boolean(false))),
            (Source::Answer("q-empty".into()), None),
            (Source::Answer("q-not-shown".into()), None),
            (Source::Answer("q-none-taken".into()), None),
            (Source::Answer("no-such-question".into()), None),
            (Source::Booking("guest.email".into()), Some(Value::Text("Taro.Yamada@example.com".into()))),
            (Source::Booking("no-such-attribute".into()), None),
            (Source::Tracking("ref".into()), Some(Value::Text("a".into()))),
            (Source::Tracking("no-such-parameter".into()), None),
            (Source::Fixed("Web".into()), Some(Value::Text("Web".into()))),
            (Source::Fixed("　 ".into()), None),
            (
                Source::Template("{guest.name} / {answers.q-interests} / {tracking.utm_source}".into()),
                Some(Value::Text("山田　太郎 / 予約, 請求 / newsletter".into())),
            ),
            (Source::Template("{answers.no-such-question}".into()), None),
            (Source::Answer("q-control".into()), None),
            (Source::Answer("q-control-choice".into()), None),
            (
                Source::Template("{answers.q-control} / {guest.email}".into()),
                Some(Value::Text("Taro.Yamada@example.com".into())),
            ),
            (Source::Answer("q-zero".into()), Some(Value::Number("0".into()))),
        ] {
            assert_eq!(value(&source, &booking), expected, "{source:?}");
        }
    }

    #[test]
    fn a_question_read_twice_is_listed_once() {
        for (source, expected) in [
            (Source::Answer("a".into()), &["a"][..]),
            (Source::Template("{answers.b} {answers.a} {answers.b} {guest.name} {a}".into()), &["b", "a"]),
            (Source::Fixed("{answers.a}".into()), &[]),
        ] {
            assert_eq!(question_ids(&source), expected);
        }
    }

    #[test]
    fn dates_and_numbers_keep_their_kind_only_if_they_have_its_form() {
        let mut booking = fixture::booking();
        for (id, kind, answer) in [
            ("date", QuestionKind::Date, AnswerValue::Text("2026-12-02".into())),
            ("words", QuestionKind::Date, AnswerValue::Text("next week".into())),
            ("impossible", QuestionKind::Date, AnswerValue::Text("2026-02-30".into())),
            ("exponent", QuestionKind::Number, AnswerValue::Number("1e3".into())),
        ] {
            let (question_id, label) = (id.into(), String::new());
            booking.answers.push(Answer { question_id, label, kind, required: false, value: Some(answer) });
        }
        for (id, expected) in [
            ("date", Value::Date("2026-12-02".into())),
            ("words", Value::Text("next week".into())),
            ("impossible", Value::Text("2026-02-30".into())),
            ("exponent", Value::Text("1e3".into())),
        ] {
            assert_eq!(value(&Source::Answer(id.into()), &booking), Some(expected));
        }
    }

    #[test]
    fn a_source_is_of_the_meeting_of_the_mapping_or_of_the_guest() {
        for (source, expected) in [
            (Source::Booking("start-date".into()), SourceKind::Meeting),
            (Source::Booking("host.name".into()), SourceKind::Meeting),
            (Source::Booking("place.join-url".into()), SourceKind::Meeting),
            (Source::Booking("guest.name".into()), SourceKind::Guest),
            (Source::Booking("id".into()), SourceKind::Guest),
            (Source::Booking("calendar.name".into()), SourceKind::Mapping),
            (Source::Template("{guest.name}: {start-time}".into()), SourceKind::Meeting),
            (Source::Template("{guest.name}: start-time".into()), SourceKind::Guest),
            (Source::Template("{calendar.name}: {team.name}".into()), SourceKind::Mapping),
            (Source::Template("no reference".into()), SourceKind::Mapping),
            (Source::Fixed("start".into()), SourceKind::Mapping),
            (Source::Answer("start".into()), SourceKind::Guest),
            (Source::Tracking("start".into()), SourceKind::Guest),
        ] {
            assert_eq!(kind(&source), expected, "{source:?}");
        }
    }
}
