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
pub use text::is_blank;

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
        FieldType::Picklist => return picklist::single(given, field, controlling),
        FieldType::MultiSelectPicklist => return picklist::multi(given, field, controlling),
        FieldType::Reference => return reference::reference(given, field),
    };
    text::text(given, field, kind)
}
