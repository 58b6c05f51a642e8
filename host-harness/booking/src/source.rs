//! Where a value comes from: what a mapping row's source has in a booking.

use std::borrow::Cow;

use crm_contract::{Answer, AnswerValue, Booking, QuestionKind, Source};

use crate::{
    attributes, is_blank,
    template::{Reference, Template},
};

/// What a source has in a booking. Never blank: a blank source has no value.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceValue<'a> {
    /// Text, as typed or as the booking has it.
    Text(Cow<'a, str>),
    /// A number as decimal text, for example `-12.50`.
    Number(&'a str),
    /// Yes or no.
    Boolean(bool),
    /// The choices taken; at least one.
    Choices(&'a [String]),
    /// The choices ticked in a consent question: the text the guest agreed to; at least one.
    Agreed(&'a [String]),
}

impl<'a> SourceValue<'a> {
    /// The value as one text; several choices are joined by `, `.
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

    /// A text value; `None` if the text is blank.
    pub fn from_text(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        (!is_blank(&text)).then_some(Self::Text(text))
    }
}

/// The value of a source in a booking; `None` if it is blank. Whatever the booking does not have is blank, unknown questions
/// and attributes included.
pub fn value<'a>(source: &'a Source, booking: &'a Booking) -> Option<SourceValue<'a>> {
    match source {
        Source::Answer(id) => answer(booking, id),
        Source::Booking(name) => attributes::value(booking, name).and_then(SourceValue::from_text),
        Source::Tracking(name) => tracking(booking, name),
        Source::Fixed(text) => SourceValue::from_text(text.as_str()),
        Source::Template(text) => SourceValue::from_text(
            Template::parse(text).render(|reference| resolve_reference(reference, booking).map(|given| given.text())),
        ),
    }
}

fn resolve_reference<'a>(reference: Reference<'_>, booking: &'a Booking) -> Option<SourceValue<'a>> {
    match reference {
        Reference::Answer(id) => answer(booking, id),
        Reference::Tracking(name) => tracking(booking, name),
        Reference::Attribute(name) => attributes::value(booking, name).and_then(SourceValue::from_text),
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

/// Whether the value changes when the meeting is moved: its time, place or hosts.
pub fn is_of_meeting(source: &Source) -> bool {
    references(source)
        .into_iter()
        .any(|reference| matches!(reference, Reference::Attribute(name) if attributes::is_of_meeting(name)))
}

fn answer<'a>(booking: &'a Booking, id: &str) -> Option<SourceValue<'a>> {
    let Answer { kind, value, .. } = booking.answers.iter().find(|answer| answer.question_id == id)?;
    match value.as_ref()? {
        AnswerValue::Text(text) => SourceValue::from_text(text.as_str()),
        AnswerValue::Number(number) => (!is_blank(number)).then_some(SourceValue::Number(number)),
        AnswerValue::Boolean(value) => Some(SourceValue::Boolean(*value)),
        AnswerValue::Choices(choices) if choices.iter().all(|choice| is_blank(choice)) => None,
        AnswerValue::Choices(choices) if *kind == QuestionKind::Consent => Some(SourceValue::Agreed(choices)),
        AnswerValue::Choices(choices) => Some(SourceValue::Choices(choices)),
    }
}

fn tracking<'a>(booking: &'a Booking, name: &str) -> Option<SourceValue<'a>> {
    let parameter = booking.tracking.iter().find(|parameter| parameter.name == name)?;
    SourceValue::from_text(parameter.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

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
            (Source::Answer("q-company".into()), Some(SourceValue::Text("株式会社サンプル＆パートナーズ".into()))),
            (Source::Answer("q-employees".into()), Some(SourceValue::Choices(&["51-300".to_owned()]))),
            (Source::Answer("q-consent".into()), Some(SourceValue::Agreed(&["同意します".to_owned()]))),
            (Source::Answer("q-budget".into()), Some(SourceValue::Number("-12.50"))),
            (Source::Answer("q-visited".into()), Some(SourceValue::Boolean(false))),
            (Source::Answer("q-empty".into()), None),
            (Source::Answer("q-not-shown".into()), None),
            (Source::Answer("q-none-taken".into()), None),
            (Source::Answer("no-such-question".into()), None),
            (Source::Booking("guest.email".into()), Some(SourceValue::Text("Taro.Yamada@example.com".into()))),
            (Source::Booking("no-such-attribute".into()), None),
            (Source::Tracking("ref".into()), Some(SourceValue::Text("a".into()))),
            (Source::Tracking("no-such-parameter".into()), None),
            (Source::Fixed("Web".into()), Some(SourceValue::Text("Web".into()))),
            (Source::Fixed("　 ".into()), None),
            (
                Source::Template("{guest.name} / {answers.q-interests} / {tracking.utm_source}".into()),
                Some(SourceValue::Text("山田　太郎 / 予約, 請求 / newsletter".into())),
            ),
            (Source::Template("{answers.no-such-question}".into()), None),
            (Source::Answer("q-control".into()), None),
            (Source::Answer("q-control-choice".into()), None),
            (
                Source::Template("{answers.q-control} / {guest.email}".into()),
                Some(SourceValue::Text("Taro.Yamada@example.com".into())),
            ),
            (Source::Answer("q-zero".into()), Some(SourceValue::Number("0"))),
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
