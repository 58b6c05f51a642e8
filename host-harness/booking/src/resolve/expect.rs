//! What a row can come to hold, as far as the form and the kind of its source show.

use crm_contract::{Expectation, SourceKind};

use super::{
    codes,
    explain::Found,
    question,
    translate::{distinct, quoted},
};
use crate::{
    Question, QuestionKind, Row, Source,
    attributes::{self, Form},
    is_blank,
    source::{self, text_value},
    template::Reference,
};

/// What may come, before a value table.
struct Shape {
    gives: &'static [&'static str],
    content: Option<&'static str>,
    several: bool,
    /// The texts that may come; empty if any may.
    texts: Vec<String>,
}

impl Shape {
    fn text(content: Option<&'static str>) -> Self {
        Self { gives: &["text"], content, several: false, texts: Vec::new() }
    }

    fn of(row: &Row, asked: Option<&Question>) -> Self {
        match &row.source {
            Source::Answer(_) => asked.map_or_else(|| Self::text(None), Self::of_question),
            Source::Booking(name) => Self::of_form(attributes::form(name)),
            Source::Tracking(_) => Self::text(None),
            Source::Fixed(text) => Self { texts: vec![text.clone()], ..Self::text(None) },
            // A template without references is a fixed text, apart from doubled braces.
            Source::Template(text) if source::references(&row.source).is_empty() => {
                let text = crate::template::Template::parse(text).render(|_| None);
                Self { texts: vec![text], ..Self::text(None) }
            }
            Source::Template(_) => Self::text(None),
        }
    }

    fn of_question(question: &Question) -> Self {
        let choices = &question.choices;
        let gives: &[&str] = match question.kind {
            QuestionKind::Checkboxes => &["choices"],
            QuestionKind::Radio | QuestionKind::Dropdown => &["text", "choices"],
            QuestionKind::Consent if choices.is_empty() => &["boolean", "text"],
            QuestionKind::Consent => &["agreed"],
            QuestionKind::Number => &["number"],
            QuestionKind::Date => &["date"],
            _ => &["text"],
        };
        let content = match question.kind {
            QuestionKind::Name => Some("name"),
            QuestionKind::Company => Some("company"),
            QuestionKind::Email => Some("email"),
            QuestionKind::Phone => Some("phone"),
            QuestionKind::Url => Some("url"),
            _ => None,
        };
        let several = question.kind == QuestionKind::Checkboxes && choices.len() != 1;
        Self { gives, content, several, texts: choices.clone() }
    }

    fn of_form(form: Form) -> Self {
        let (gives, content): (&[&str], _) = match form {
            Form::Number => (&["number"], None),
            Form::Date => (&["date"], None),
            Form::Time => (&["time"], None),
            Form::Moment => (&["moment"], None),
            Form::Text => (&["text"], None),
            Form::Name => (&["text"], Some("name")),
            Form::Company => (&["text"], Some("company")),
            Form::Email => (&["text"], Some("email")),
            Form::Phone => (&["text"], Some("phone")),
            Form::Url => (&["text"], Some("url")),
            Form::Id => (&["text"], Some("id")),
            Form::Label => (&["text"], Some("label")),
        };
        Self { gives, content, several: false, texts: Vec::new() }
    }
}

/// What a plugin checks a row by, and what does not match between the row's value table and its source.
pub(super) fn expectation(
    row: &Row,
    questions: &[Question],
    memo: &str,
    locale: Option<&str>,
) -> (Expectation, Vec<Found>) {
    let asked = match &row.source {
        Source::Answer(id) => question(questions, id),
        _ => None,
    };
    let shape = Shape::of(row, asked);
    let mut gives: Vec<String> = shape.gives.iter().map(|case| (*case).to_owned()).collect();
    let (mut texts, mut content, mut found) = (shape.texts, shape.content, Vec::new());
    if !row.values.is_empty() {
        // What a table can be asked about: choices, a fixed text, or yes and no.
        if texts.is_empty() && gives.iter().any(|case| case == "boolean") {
            texts = vec!["true".to_owned(), "false".to_owned()];
        }
        found = unmatched(row, &texts);
        texts = if texts.is_empty() {
            distinct(row.values.iter().map(|(_, written)| written))
        } else {
            distinct(texts.iter().map(|text| row.values.translate(text).unwrap_or(text)))
        };
        gives.retain(|case| matches!(case.as_str(), "choices" | "agreed"));
        if !shape.gives.iter().all(|case| matches!(*case, "choices" | "agreed")) {
            gives.push("text".to_owned());
        }
        content = None;
    }
    // A table can write nothing for a value.
    let may_be_blank = may_be_blank(&row.source, questions) || row.values.iter().any(|(_, written)| is_blank(written));
    texts.retain(|text| row.values.is_empty() || !is_blank(text));
    let expectation = Expectation {
        field: row.field.clone(),
        memo: memo.to_owned(),
        gives,
        content: content.map(str::to_owned),
        several: shape.several,
        may_be_blank,
        texts,
        fallback: row.fallback.as_deref().and_then(text_value),
        locale: locale.map(str::to_owned),
        more: Vec::new(),
    };
    (expectation, found)
}

fn unmatched(row: &Row, offered: &[String]) -> Vec<Found> {
    let mut found = Vec::new();
    if offered.is_empty() {
        return found;
    }
    let unlisted = quoted(offered.iter().map(String::as_str).filter(|text| row.values.translate(text).is_none()));
    if !unlisted.is_empty() {
        let message = format!("not in the row's value table: {unlisted}");
        found.push(Found::new(codes::VALUE_NOT_LISTED, message, "values", &unlisted));
    }
    let used: Vec<&str> = offered.iter().filter_map(|text| row.values.listed(text)).collect();
    let unused = quoted(row.values.iter().map(|(value, _)| value).filter(|value| !used.contains(value)));
    if !unused.is_empty() {
        let message = format!("in the row's value table, but never given: {unused}");
        found.push(Found::new(codes::VALUE_NOT_OFFERED, message, "values", &unused));
    }
    found
}

/// Whether a booking can leave a source blank. One reference that is always given is enough.
fn may_be_blank(source: &Source, questions: &[Question]) -> bool {
    let may = |reference: Reference<'_>| match reference {
        Reference::Answer(id) => !question(questions, id).is_some_and(|question| question.required),
        Reference::Attribute(name) => !attributes::is_always_given(name) && !form_asks_for(name, questions),
        Reference::Tracking(_) => true,
    };
    match source {
        Source::Fixed(text) => is_blank(text),
        _ if source::kind(source) == SourceKind::Mapping && source::references(source).is_empty() => {
            matches!(source, Source::Template(text) if is_blank(text))
        }
        _ => source::references(source).into_iter().all(may),
    }
}

/// Whether the form has a required question whose answer is this attribute.
fn form_asks_for(attribute: &str, questions: &[Question]) -> bool {
    let kind = match attribute {
        "guest.email" => QuestionKind::Email,
        "guest.phone" => QuestionKind::Phone,
        "guest.company" => QuestionKind::Company,
        "comment" => QuestionKind::Comment,
        _ => return false,
    };
    questions.iter().any(|question| question.kind == kind && question.required)
}
