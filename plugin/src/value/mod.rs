//! Values as Salesforce wants them: one module per kind of field. No conversion uses binary floating point, a clock or a
//! time-zone table.

mod checkbox;
mod cluster;
mod date;
mod number;
mod picklist;
mod reference;
mod text;

use alloc::{borrow::Cow, string::String};
pub use reference::{is_record_id, same_record};

use crate::{
    bindings::types::{FieldType, LeadField},
    source::Given,
};

/// A value as it stands in the body of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number, as valid JSON text.
    Number(String),
    /// True or false.
    Boolean(bool),
}

/// What somebody should know about a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// One of [`crate::codes`].
    pub code: &'static str,
    /// The particulars in English.
    pub detail: String,
}

/// Whether and how a value fits a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Fit<'a> {
    /// As given.
    Whole(Json<'a>),
    /// Not as given, but close enough to be written.
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

/// Makes a value fit a field. `controlling` is what is written to the field's controlling field, where that is known.
pub fn fit<'a>(given: Given<'a>, field: &LeadField, controlling: Option<&str>) -> Fit<'a> {
    match &field.field_type {
        FieldType::Text | FieldType::Combobox | FieldType::Other(_) => text::free(given, field, false),
        FieldType::TextArea => text::free(given, field, true),
        FieldType::Email => text::email(given, field),
        FieldType::Phone | FieldType::Url => text::whole(given, field),
        FieldType::Integer => number::number(given, field, number::Kind::Integer),
        FieldType::Number => number::number(given, field, number::Kind::Number),
        FieldType::Currency => number::number(given, field, number::Kind::Currency),
        FieldType::Percent => number::number(given, field, number::Kind::Percent),
        FieldType::Checkbox => checkbox::checkbox(&given),
        FieldType::Date => date::date(&given),
        FieldType::DateTime => date::date_time(&given),
        FieldType::Time => date::time(&given),
        FieldType::Picklist => picklist::single(given, field, controlling),
        FieldType::MultiSelectPicklist => picklist::multi(given, field, controlling),
        FieldType::Reference => reference::reference(&given),
    }
}
