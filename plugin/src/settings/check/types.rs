//! Which questions and attributes can fit which field types.

use crate::{
    attributes,
    bindings::types::{FieldType, QuestionKind},
};

/// Whether answers of a kind can ever fit a type.
pub fn kind_fits(kind: QuestionKind, field_type: &FieldType) -> bool {
    use QuestionKind as Q;
    match field_type {
        FieldType::Picklist => kind != Q::Checkboxes,
        FieldType::Email => {
            !matches!(kind, Q::Number | Q::Date | Q::Consent | Q::Phone | Q::Url | Q::Name | Q::Checkboxes)
        }
        FieldType::Date => matches!(kind, Q::Date | Q::Text | Q::Other),
        // A date alone is not a moment.
        FieldType::DateTime => matches!(kind, Q::Text | Q::Other),
        FieldType::Time => matches!(kind, Q::Text | Q::Other),
        FieldType::Integer | FieldType::Number | FieldType::Currency | FieldType::Percent => {
            !matches!(kind, Q::Date | Q::Consent | Q::Email | Q::Url | Q::Name | Q::Company | Q::Checkboxes)
        }
        FieldType::Checkbox => {
            !matches!(kind, Q::Date | Q::Email | Q::Url | Q::Name | Q::Company | Q::Phone | Q::Checkboxes)
        }
        FieldType::Reference => matches!(kind, Q::Text | Q::Other),
        _ => true,
    }
}

/// Whether an attribute can ever fit a type.
pub fn attribute_fits(name: &str, field_type: &FieldType) -> bool {
    let is_moment = matches!(name, "start" | "end" | "confirmed-at");
    let is_date = matches!(name, "start-date" | "end-date");
    let is_time = matches!(name, "start-time" | "end-time");
    let is_number = matches!(name, "duration-minutes" | "payment.amount");
    let is_open = name.starts_with("extra.") || name == "comment" || !attributes::is_known(name);
    match field_type {
        FieldType::Email => name.ends_with(".email") || name.ends_with(".emails") || is_open,
        FieldType::Date => is_moment || is_date || is_open,
        FieldType::DateTime => is_moment || is_open,
        FieldType::Time => is_moment || is_time || is_open,
        FieldType::Integer | FieldType::Number | FieldType::Currency | FieldType::Percent => {
            is_number || is_open || name.ends_with("id")
        }
        FieldType::Checkbox => is_open,
        FieldType::Reference => is_open || name.ends_with(".id"),
        _ => true,
    }
}
