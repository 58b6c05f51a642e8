//! Values in the form that Salesforce accepts, with a module per kind of field. No conversion uses binary floating point, a
//! clock or a time-zone table.

mod checkbox;
mod date;
pub mod html;
mod locale;
#[cfg(test)]
mod memory;
pub mod money;
mod number;
mod picklist;
mod reference;
mod text;
pub mod timestamp;

pub use reference::{is_id_of, is_record_id, same_record};
use std::borrow::Cow;

use crate::{
    bindings::types::{FieldType, Parameter, Value},
    codes,
    field::LeadField,
};
use crm_characters::{Visible, has_invisible, is_blank, visible};

/// A value in the body of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    Text(Cow<'a, str>),
    /// A number, as valid JSON text.
    Number(String),
    Boolean(bool),
}

/// Why a value is changed or not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// One of [`crate::codes`].
    pub code: &'static str,
    /// What happened, in English.
    pub message: String,
    /// Named values for `guidance.advice`.
    pub particulars: Vec<Parameter>,
}

/// The most bytes of a particular: enough to recognize a text.
const LONGEST_PARTICULAR: usize = 200;

impl Note {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), particulars: Vec::new() }
    }

    /// Adds a particular.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.particulars.push(particular(name, value));
        self
    }
}

/// A named value for `guidance.advice`. A long text is cut.
pub fn particular(name: &str, value: impl ToString) -> Parameter {
    let mut value = value.to_string();
    if value.len() > LONGEST_PARTICULAR {
        value.truncate(value.floor_char_boundary(LONGEST_PARTICULAR));
        value.push('…');
    }
    Parameter::new(name, value)
}

/// How a value fits a field: what is written, or why it cannot be.
pub type Fit<'a> = Result<Fitted<'a>, Note>;

/// What is written for a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted<'a> {
    pub value: Json<'a>,
    /// How it differs from the given value; empty if it says the same.
    pub notes: Vec<Note>,
}

impl<'a> Fitted<'a> {
    /// Adds a note, if there is one.
    fn noting(mut self, note: Option<Note>) -> Self {
        self.notes.extend(note);
        self
    }

    /// A copy that outlives the given value.
    fn into_owned(self) -> Fitted<'static> {
        let value = match self.value {
            Json::Text(text) => Json::Text(Cow::Owned(text.into_owned())),
            Json::Number(number) => Json::Number(number),
            Json::Boolean(value) => Json::Boolean(value),
        };
        Fitted { value, notes: self.notes }
    }
}

impl<'a> From<Json<'a>> for Fitted<'a> {
    fn from(value: Json<'a>) -> Self {
        Self { value, notes: Vec::new() }
    }
}

/// A value that cannot be written.
fn unfit<'a>(code: &'static str, message: impl Into<String>) -> Fit<'a> {
    Err(Note::new(code, message))
}

/// A value, unless it is blank. What nobody can see is blank.
pub fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::Choices(choices) | Value::Agreed(choices) => choices.iter().any(|choice| !is_blank(choice)),
        value => !is_blank(&as_text(value)),
    })
}

/// A value as one text; several choices are joined by `, `.
pub fn as_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) | Value::Number(text) | Value::Date(text) | Value::Time(text) | Value::Moment(text) => {
            Cow::Borrowed(text)
        }
        Value::Boolean(true) => Cow::Borrowed("true"),
        Value::Boolean(false) => Cow::Borrowed("false"),
        Value::Choices(choices) | Value::Agreed(choices) => {
            let mut visible = choices.iter().map(String::as_str).filter(|choice| !is_blank(choice));
            match (visible.next(), visible.next()) {
                (None, _) => Cow::Borrowed(""),
                (Some(only), None) => Cow::Borrowed(only),
                (Some(first), Some(second)) => {
                    let all: Vec<&str> = [first, second].into_iter().chain(visible).collect();
                    Cow::Owned(all.join(", "))
                }
            }
        }
        Value::Other(other) => Cow::Borrowed(&other.value),
    }
}

/// What decides about a value beside its field.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'c> {
    /// The value written to the field's controlling field, if known.
    pub controlling: Option<&'c str>,
    /// The language of the person who typed the value, if known: it decides how a text like `1.500` is read.
    pub locale: Option<&'c str>,
}

/// Fits a value to a field.
///
/// | field | text, other | number | boolean | date | time | moment | choices | agreed |
/// | --- | --- | --- | --- | --- | --- | --- | --- | --- |
/// | text, area, phone, URL, unknown types | as it is | its digits | `true`, `false` | as written | as written | as written | joined by `, ` | like choices |
/// | email | an address | - | - | - | - | - | the only one | the only one |
/// | number | as people type numbers | as it is | - | - | - | - | the only one | - |
/// | checkbox | a word for yes or no | 1 or 0 | as it is | - | - | - | the only one | yes, unless it says no |
/// | date | a date or moment | - | - | as it is | - | its date as written | the only one | - |
/// | date and time | a moment | - | - | - | - | as it is | the only one | - |
/// | time | a time or moment | - | - | - | as it is | its time as written | the only one | - |
/// | picklist | the value like it | the value like it | the value that means the same | as text | as text | as text | the only one | the only one |
/// | multi-select | the values like its parts | the value like it | the value that means the same | as text | as text | as text | the values like each | the values like each |
/// | reference | an id | - | - | - | - | - | the only one | the only one |
///
/// What is not in the table cannot be written. Invisible characters stay in free text only: elsewhere they come from copying, and
/// make an address wrong or a choice unknown.
pub fn fit<'a>(given: &'a Value, field: &LeadField<'_>, context: Context<'_>) -> Fit<'a> {
    let kind = match &field.field_type {
        FieldType::Text => text::Kind::Line,
        FieldType::TextArea => text::Kind::Area,
        FieldType::TextOrChoice | FieldType::Other(_) => text::Kind::Whole,
        FieldType::Choice => return picklist::single(given, field, context.controlling, field.restricted),
        FieldType::Choices => return picklist::multi(given, field, context.controlling, field.restricted),
        _ => {
            let (seen, removed) = seen(given, &field.field_type);
            let fitted = match &seen {
                Cow::Borrowed(given) => fit_form(given, field, context),
                Cow::Owned(given) => fit_form(given, field, context).map(Fitted::into_owned),
            };
            return fitted.map(|fitted| fitted.noting(removal(&removed)));
        }
    };
    text::text(given, field, kind)
}

/// A written value as the controlling value of another field.
pub fn as_controlling(value: Json<'_>) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.into_owned()),
        Json::Boolean(value) => Some(value.to_string()),
        Json::Number(_) => None,
    }
}

/// Fits a value to a field whose values have a form of their own.
fn fit_form<'a>(given: &'a Value, field: &LeadField<'_>, context: Context<'_>) -> Fit<'a> {
    match &field.field_type {
        FieldType::Email => text::email(given, field),
        FieldType::Integer | FieldType::Number | FieldType::Currency | FieldType::Percent => {
            number::number(given, field, context.locale)
        }
        FieldType::Checkbox => checkbox::checkbox(given),
        FieldType::Date => date::date(given),
        FieldType::DateTime => date::date_time(given),
        FieldType::Time => date::time(given),
        FieldType::Reference => reference::reference(given, field),
        _ => text::text(given, field, text::Kind::Whole),
    }
}

/// A value without invisible characters, and these. What was agreed to is free text, even if it ticks a checkbox.
fn seen<'a>(given: &'a Value, field_type: &FieldType) -> (Cow<'a, Value>, Vec<char>) {
    let mut removed = Vec::new();
    let mut clean = |text: &str| {
        let Visible { text, removed: from_this } = visible(Cow::Borrowed(text));
        removed.extend(from_this);
        text.into_owned()
    };
    let is_clean = |text: &String| !has_invisible(text);
    let cleaned = match given {
        Value::Text(text) if !is_clean(text) => Value::Text(clean(text)),
        Value::Other(other) if !is_clean(&other.value) => Value::Text(clean(&other.value)),
        Value::Choices(choices) if !choices.iter().all(is_clean) => {
            Value::Choices(choices.iter().map(|choice| clean(choice)).collect())
        }
        Value::Agreed(choices) if *field_type != FieldType::Checkbox && !choices.iter().all(is_clean) => {
            Value::Agreed(choices.iter().map(|choice| clean(choice)).collect())
        }
        given => return (Cow::Borrowed(given), removed),
    };
    (Cow::Owned(cleaned), removed)
}

/// The note about invisible characters that were removed.
fn removal(removed: &[char]) -> Option<Note> {
    let mut names: Vec<String> = Vec::new();
    for c in removed {
        let name = format!("U+{:04X}", u32::from(*c));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| {
        let names = names.join(" ");
        Note::new(codes::INVISIBLE_CHARACTERS_REMOVED, format!("removed {names}")).with("characters", names)
    })
}

/// A value that an unrestricted picklist accepts although it is not one of its active values.
pub fn unlisted(given: &Value, field: &LeadField<'_>) -> Option<Note> {
    let fitted = match field.field_type {
        _ if field.restricted || field.values.is_empty() => return None,
        FieldType::Choice => picklist::single(given, field, None, true),
        FieldType::Choices => picklist::multi(given, field, None, true),
        _ => return None,
    };
    match fitted {
        Ok(fitted) => fitted.notes.into_iter().find(|note| note.code == codes::CHOICES_LEFT_OUT),
        Err(note) => Some(note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{field, types, value};

    #[test]
    fn a_value_of_any_type_is_written_or_a_finding() {
        let texts = ["x", "はい", "2026-12-02", "4,000", "0", "a@x.org", "0055e00000AbCdE"].map(str::to_owned);
        for field_type in types() {
            let field = LeadField { restricted: true, values: vec![value("x")], ..field("F__c", field_type.clone()) };
            for text in &texts {
                let choices = vec![text.clone()];
                for given in [
                    Value::Text(text.clone()),
                    Value::Number("12".into()),
                    Value::Boolean(true),
                    Value::Date("2026-12-02".into()),
                    Value::Time("08:30".into()),
                    Value::Moment("2026-12-02T08:30:00+09:00".into()),
                    Value::Choices(choices.clone()),
                    Value::Agreed(choices),
                    Value::Choices(texts.to_vec()),
                    Value::Other(Parameter::new("rating", text.as_str())),
                ] {
                    match fit(&given, &field, Context::default()) {
                        Ok(Fitted { value: Json::Text(text), .. }) => assert!(!text.is_empty()),
                        Ok(Fitted { value: Json::Number(number), .. }) => assert!(number.parse::<f64>().is_ok()),
                        Ok(Fitted { value: Json::Boolean(_), .. }) => assert_eq!(field_type, FieldType::Checkbox),
                        Err(note) => assert!(!note.message.is_empty() && crate::codes::ALL.contains(&note.code)),
                    }
                }
            }
        }
    }

    #[test]
    fn nought_and_no_are_values_and_no_blanks() {
        for (given, field_type, expected) in [
            (Value::Number("0".into()), FieldType::Number, Json::Number("0".into())),
            (Value::Text("0".into()), FieldType::Integer, Json::Number("0".into())),
            (Value::Number("0".into()), FieldType::Text, Json::Text("0".into())),
            (Value::Boolean(false), FieldType::Checkbox, Json::Boolean(false)),
            (Value::Boolean(false), FieldType::Text, Json::Text("false".into())),
            (Value::Text("false".into()), FieldType::Checkbox, Json::Boolean(false)),
        ] {
            assert_eq!(fit(&given, &field("F__c", field_type), Context::default()), Ok(expected.into()));
        }
    }
    #[test]
    fn each_case_of_a_value_is_written_as_the_table_says() {
        let moment = || Value::Moment("2026-12-02T08:30:00+09:00".into());
        let (date, time) = (|| Value::Date("2026-12-02".into()), || Value::Time("08:30".into()));
        for (given, field_type, expected) in [
            (moment(), FieldType::Text, Some("2026-12-02T08:30:00+09:00")),
            (moment(), FieldType::Date, Some("2026-12-02")),
            (moment(), FieldType::DateTime, Some("2026-12-02T08:30:00+09:00")),
            (moment(), FieldType::Time, Some("08:30:00.000Z")),
            (moment(), FieldType::Number, None),
            (moment(), FieldType::Checkbox, None),
            (date(), FieldType::TextArea, Some("2026-12-02")),
            (date(), FieldType::Date, Some("2026-12-02")),
            (date(), FieldType::DateTime, None),
            (date(), FieldType::Time, None),
            (date(), FieldType::Number, None),
            (time(), FieldType::Text, Some("08:30")),
            (time(), FieldType::Time, Some("08:30:00.000Z")),
            (time(), FieldType::Date, None),
            (Value::Boolean(true), FieldType::Text, Some("true")),
            (Value::Boolean(true), FieldType::Number, None),
            (Value::Number("-12.50".into()), FieldType::Text, Some("-12.50")),
            (Value::Number("20261202".into()), FieldType::Date, None),
            (Value::Choices(vec!["a".into(), "b".into()]), FieldType::Text, Some("a, b")),
            (Value::Choices(vec!["a".into(), "b".into()]), FieldType::Choices, Some("a;b")),
            (Value::Agreed(vec!["a".into(), "b".into()]), FieldType::Text, Some("a, b")),
            (Value::Other(Parameter::new("rating", "2026/12/2")), FieldType::Date, Some("2026-12-02")),
            (Value::Other(Parameter::new("rating", "five")), FieldType::Text, Some("five")),
        ] {
            let written = match fit(&given, &field("F__c", field_type.clone()), Context::default()) {
                Ok(Fitted { value: Json::Text(text), .. }) => Some(text.into_owned()),
                Err(_) => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(written.as_deref(), expected, "{given:?} {field_type:?}");
        }
    }

    #[test]
    fn what_nobody_can_see_is_blank() {
        for blank in [
            Value::Text("\0 \u{9F}　".into()),
            Value::Number(String::new()),
            Value::Date(" ".into()),
            Value::Choices(Vec::new()),
            Value::Choices(vec![" ".into(), "\u{1}".into()]),
            Value::Agreed(vec![String::new()]),
            Value::Other(Parameter::new("rating", "")),
        ] {
            assert_eq!(present(Some(&blank)), None, "{blank:?}");
        }
        for value in [Value::Boolean(false), Value::Number("0".into()), Value::Choices(vec![" ".into(), "a".into()])] {
            assert_eq!(present(Some(&value)), Some(&value));
        }
    }

    #[test]
    fn a_particular_that_is_long_is_cut() {
        let long = particular("value", "あ".repeat(1_000)).value;
        assert!(long.len() < 220 && long.starts_with("ああ") && long.ends_with('…'));
    }
}
