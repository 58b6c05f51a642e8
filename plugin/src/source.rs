//! Where a value comes from: the value that a mapping row's source has in a booking.

use crate::{
    attributes,
    bindings::types::{Answer, AnswerValue, Booking, QuestionKind, Source},
    blank::is_blank,
    template::{Reference, Template},
};
use std::borrow::Cow;

/// What a source gave. A blank is no value at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Given<'a> {
    /// Text, as typed or as the booking has it.
    Text(Cow<'a, str>),
    /// A number as decimal text.
    Number(&'a str),
    /// Yes or no.
    Boolean(bool),
    /// The choices taken; at least one.
    Choices(&'a [String]),
    /// The choices taken in a consent, which say what the guest agreed to; at least one.
    Agreed(&'a [String]),
}

impl<'a> Given<'a> {
    /// As one text, for people.
    pub fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => Cow::Borrowed(*number),
            Self::Boolean(true) => Cow::Borrowed("true"),
            Self::Boolean(false) => Cow::Borrowed("false"),
            Self::Choices([only]) | Self::Agreed([only]) => Cow::Borrowed(only),
            Self::Choices(choices) | Self::Agreed(choices) => {
                attributes::joined(choices.iter().map(String::as_str)).unwrap_or_default()
            }
        }
    }

    /// The text, unless it is blank.
    pub fn from_text(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        (!is_blank(&text)).then_some(Self::Text(text))
    }
}

/// The value of a source in a booking; `None` where it is blank. What the booking does not have is blank.
pub fn resolve<'a>(source: &'a Source, booking: &'a Booking) -> Option<Given<'a>> {
    match source {
        Source::Answer(id) => answer(booking, id),
        Source::Booking(name) => attributes::value(booking, name).and_then(Given::from_text),
        Source::Tracking(name) => tracking(booking, name),
        Source::Fixed(text) => Given::from_text(text.as_str()),
        Source::Template(text) => Given::from_text(
            Template::parse(text).render(|reference| resolve_reference(reference, booking).map(|given| given.text())),
        ),
    }
}

/// What a reference in a template stands for.
fn resolve_reference<'a>(reference: Reference<'_>, booking: &'a Booking) -> Option<Given<'a>> {
    match reference {
        Reference::Answer(id) => answer(booking, id),
        Reference::Tracking(name) => tracking(booking, name),
        Reference::Attribute(name) => attributes::value(booking, name).and_then(Given::from_text),
    }
}

/// Ids of the questions that a source reads, each once.
pub fn question_ids(source: &Source) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    match source {
        Source::Answer(id) => ids.push(id),
        Source::Template(text) => {
            for reference in Template::parse(text).references() {
                match reference {
                    Reference::Answer(id) if !ids.contains(&id) => ids.push(id),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    ids
}

/// Whether the value changes with the time, the place or the hosts of the meeting.
pub fn is_of_meeting(source: &Source) -> bool {
    match source {
        Source::Booking(name) => attributes::is_of_meeting(name),
        Source::Template(text) => Template::parse(text).references().any(|reference| match reference {
            Reference::Attribute(name) => attributes::is_of_meeting(name),
            _ => false,
        }),
        _ => false,
    }
}

fn answer<'a>(booking: &'a Booking, id: &str) -> Option<Given<'a>> {
    let Answer { kind, value, .. } = booking.answers.iter().find(|answer| answer.question_id == id)?;
    match value.as_ref()? {
        AnswerValue::Text(text) => Given::from_text(text.as_str()),
        AnswerValue::Number(number) => (!is_blank(number)).then_some(Given::Number(number)),
        AnswerValue::Boolean(value) => Some(Given::Boolean(*value)),
        AnswerValue::Choices(choices) if choices.iter().all(|choice| is_blank(choice)) => None,
        AnswerValue::Choices(choices) if *kind == QuestionKind::Consent => Some(Given::Agreed(choices)),
        AnswerValue::Choices(choices) => Some(Given::Choices(choices)),
    }
}

fn tracking<'a>(booking: &'a Booking, name: &str) -> Option<Given<'a>> {
    let parameter = booking.tracking.iter().find(|parameter| parameter.name == name)?;
    Given::from_text(parameter.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_kind_of_source_gives_its_value() {
        let mut booking = fixture::booking();
        for (id, value) in [
            ("q-control", AnswerValue::Text("\0\u{9F} ".into())),
            ("q-control-choice", AnswerValue::Choices(vec!["\u{1}".into()])),
            ("q-zero", AnswerValue::Number("0".into())),
        ] {
            let (question_id, label, kind) = (id.into(), String::new(), QuestionKind::Text);
            booking.answers.push(Answer { question_id, label, kind, required: false, value: Some(value) });
        }
        for (source, expected) in [
            (Source::Answer("q-company".into()), Some(Given::Text("株式会社サンプル＆パートナーズ".into()))),
            (Source::Answer("q-employees".into()), Some(Given::Choices(&["51-300".to_owned()]))),
            (Source::Answer("q-consent".into()), Some(Given::Agreed(&["同意します".to_owned()]))),
            (Source::Answer("q-budget".into()), Some(Given::Number("-12.50"))),
            (Source::Answer("q-visited".into()), Some(Given::Boolean(false))),
            (Source::Answer("q-empty".into()), None),
            (Source::Answer("q-not-shown".into()), None),
            (Source::Answer("q-none-taken".into()), None),
            (Source::Answer("no-such-question".into()), None),
            (Source::Booking("guest.email".into()), Some(Given::Text("Taro.Yamada@example.com".into()))),
            (Source::Booking("no-such-attribute".into()), None),
            (Source::Tracking("ref".into()), Some(Given::Text("a".into()))),
            (Source::Tracking("no-such-parameter".into()), None),
            (Source::Fixed("Web".into()), Some(Given::Text("Web".into()))),
            (Source::Fixed("　 ".into()), None),
            (
                Source::Template("{guest.name} / {answers.q-interests} / {tracking.utm_source}".into()),
                Some(Given::Text("山田　太郎 / 予約, 請求 / newsletter".into())),
            ),
            (Source::Template("{answers.no-such-question}".into()), None),
            (Source::Answer("q-control".into()), None),
            (Source::Answer("q-control-choice".into()), None),
            (
                Source::Template("{answers.q-control} / {guest.email}".into()),
                Some(Given::Text("Taro.Yamada@example.com".into())),
            ),
            (Source::Answer("q-zero".into()), Some(Given::Number("0"))),
        ] {
            assert_eq!(resolve(&source, &booking), expected, "{source:?}");
        }
    }

    #[test]
    fn a_question_that_is_read_twice_is_named_once() {
        for (source, expected) in [
            (Source::Answer("a".into()), &["a"][..]),
            (Source::Template("{answers.b} {answers.a} {answers.b} {guest.name} {a}".into()), &["b", "a"]),
            (Source::Fixed("{answers.a}".into()), &[]),
        ] {
            assert_eq!(question_ids(&source), expected);
        }
    }

    #[test]
    fn only_values_of_time_place_and_hosts_belong_to_the_meeting() {
        for (source, expected) in [
            (Source::Booking("start-date".into()), true),
            (Source::Booking("host.name".into()), true),
            (Source::Booking("place.join-url".into()), true),
            (Source::Booking("guest.name".into()), false),
            (Source::Booking("id".into()), false),
            (Source::Template("{guest.name}: {start-time}".into()), true),
            (Source::Template("{guest.name}: start-time".into()), false),
            (Source::Fixed("start".into()), false),
            (Source::Answer("start".into()), false),
        ] {
            assert_eq!(is_of_meeting(&source), expected, "{source:?}");
        }
    }
}
