//! Values in the form that Salesforce accepts, with a module per kind of field. No conversion uses binary floating point, a
//! clock or a time-zone table.

mod checkbox;
mod date;
#[cfg(test)]
mod memory;
mod number;
mod picklist;
mod reference;
mod text;
pub mod timestamp;
pub mod width;

pub use reference::{is_id_of, is_record_id, same_record};
use std::borrow::Cow;

use crate::{
    bindings::types::{FieldType, LeadField},
    source::SourceValue,
};

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
    /// Details in English.
    pub detail: String,
}

/// How a value fits a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Fit<'a> {
    /// As given.
    Whole(Json<'a>),
    /// Changed, but close enough to be written.
    Changed(Json<'a>, Note),
    /// Not at all.
    Unfit(Note),
}

impl Fit<'_> {
    /// A value that cannot be written.
    fn unfit(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Unfit(Note { code, detail: detail.into() })
    }
}

/// Fits a value to a field. `controlling` is the value written to the field's controlling field, if known.
pub fn fit<'a>(given: SourceValue<'a>, field: &LeadField, controlling: Option<&str>) -> Fit<'a> {
    let given = &given;
    let kind = match &field.field_type {
        FieldType::Text => text::Kind::Line,
        FieldType::TextArea => text::Kind::Area,
        FieldType::Phone | FieldType::Url | FieldType::Combobox | FieldType::Other(_) => text::Kind::Whole,
        FieldType::Email => return text::email(given, field),
        FieldType::Integer | FieldType::Number | FieldType::Currency | FieldType::Percent => {
            return number::number(given, field);
        }
        FieldType::Checkbox => return checkbox::checkbox(given),
        FieldType::Date => return date::date(given),
        FieldType::DateTime => return date::date_time(given),
        FieldType::Time => return date::time(given),
        FieldType::Picklist => return picklist::single(given, field, controlling, field.restricted),
        FieldType::MultiSelectPicklist => return picklist::multi(given, field, controlling, field.restricted),
        FieldType::Reference => return reference::reference(given, field),
    };
    text::text(given, field, kind)
}

/// A value that an unrestricted picklist accepts although it is not one of its active values.
pub fn unlisted(given: &SourceValue<'_>, field: &LeadField) -> Option<Note> {
    let fitted = match field.field_type {
        _ if field.restricted || field.values.is_empty() => return None,
        FieldType::Picklist => picklist::single(given, field, None, true),
        FieldType::MultiSelectPicklist => picklist::multi(given, field, None, true),
        _ => return None,
    };
    match fitted {
        Fit::Whole(_) => None,
        Fit::Changed(_, note) | Fit::Unfit(note) => Some(note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{field, value};

    fn types() -> Vec<FieldType> {
        vec![
            FieldType::Text,
            FieldType::TextArea,
            FieldType::Email,
            FieldType::Phone,
            FieldType::Url,
            FieldType::Integer,
            FieldType::Number,
            FieldType::Currency,
            FieldType::Percent,
            FieldType::Checkbox,
            FieldType::Date,
            FieldType::DateTime,
            FieldType::Time,
            FieldType::Picklist,
            FieldType::MultiSelectPicklist,
            FieldType::Combobox,
            FieldType::Reference,
            FieldType::Other("encryptedstring".into()),
        ]
    }

    #[test]
    fn a_value_of_any_type_is_written_or_a_finding() {
        let texts = ["x", "はい", "2026-12-02", "4,000", "0", "a@x.org", "0055e00000AbCdE"].map(str::to_owned);
        for field_type in types() {
            let field = LeadField { restricted: true, values: vec![value("x")], ..field("F__c", field_type.clone()) };
            for text in &texts {
                let choices = std::slice::from_ref(text);
                for given in [
                    SourceValue::Text(text.as_str().into()),
                    SourceValue::Number("12"),
                    SourceValue::Boolean(true),
                    SourceValue::Choices(choices),
                    SourceValue::Agreed(choices),
                    SourceValue::Choices(&texts),
                ] {
                    match fit(given, &field, None) {
                        Fit::Whole(Json::Text(text)) | Fit::Changed(Json::Text(text), _) => assert!(!text.is_empty()),
                        Fit::Whole(Json::Number(number)) | Fit::Changed(Json::Number(number), _) => {
                            assert!(number.parse::<f64>().is_ok());
                        }
                        Fit::Whole(Json::Boolean(_)) => assert_eq!(field_type, FieldType::Checkbox),
                        Fit::Changed(Json::Boolean(_), _) => panic!("{field_type:?}"),
                        Fit::Unfit(note) => assert!(!note.detail.is_empty() && crate::codes::ALL.contains(&note.code)),
                    }
                }
            }
        }
    }

    #[test]
    fn nought_and_no_are_values_and_no_blanks() {
        for (given, field_type, expected) in [
            (SourceValue::Number("0"), FieldType::Number, Json::Number("0".into())),
            (SourceValue::Text("0".into()), FieldType::Integer, Json::Number("0".into())),
            (SourceValue::Number("0"), FieldType::Text, Json::Text("0".into())),
            (SourceValue::Boolean(false), FieldType::Checkbox, Json::Boolean(false)),
            (SourceValue::Boolean(false), FieldType::Text, Json::Text("false".into())),
            (SourceValue::Text("false".into()), FieldType::Checkbox, Json::Boolean(false)),
        ] {
            assert_eq!(fit(given, &field("F__c", field_type), None), Fit::Whole(expected));
        }
    }
}
