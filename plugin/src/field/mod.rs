//! A Lead field as this plugin knows it, and the memo that reminds it of one.

pub mod memo;

use crate::bindings::types::FieldType;
use std::borrow::Cow;

/// A field that the connected user can create and change. One that a memo describes borrows its texts from the memo.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadField<'a> {
    /// The API name.
    pub name: Cow<'a, str>,
    pub label: Cow<'a, str>,
    pub field_type: FieldType,
    /// Longest text, in characters as Salesforce counts them.
    pub length: Option<u32>,
    /// Most digits of a number, on both sides of the point; 0 if it is unknown.
    pub precision: u32,
    /// Digits after the decimal point.
    pub scale: u32,
    /// Whether a Lead cannot be created without a value.
    pub required: bool,
    /// Whether only active `values` are accepted.
    pub restricted: bool,
    pub external_id: bool,
    pub unique: bool,
    /// Whether its text is HTML, as in a rich text area.
    pub html: bool,
    /// Whether queries can look for Leads by it. They cannot if it is encrypted or a long text.
    pub filterable: bool,
    /// The values of a picklist. They may repeat if a controlling field tells them apart.
    pub values: Vec<PicklistValue<'a>>,
    /// API name of the field whose value decides which `values` are allowed.
    pub controlling_field: Option<Cow<'a, str>>,
    /// Objects that a reference may point to.
    pub reference_to: Vec<Cow<'a, str>>,
    pub help: Option<String>,
}

/// A value of a picklist.
#[derive(Clone, Debug, PartialEq)]
pub struct PicklistValue<'a> {
    pub value: Cow<'a, str>,
    pub label: Cow<'a, str>,
    pub active: bool,
    /// Whether the org fills it in by itself.
    pub is_default: bool,
    /// The controlling field's values that allow this one; `None` if it is always allowed.
    pub valid_for: Option<Vec<Cow<'a, str>>>,
}

/// Whether two API names are the same: Salesforce ignores their case.
pub fn is_same_field(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
