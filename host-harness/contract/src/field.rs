//! Fields of the CRM.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::More;

/// A field that can be mapped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Identifies the field. Any Unicode.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// What it holds.
    #[cfg_attr(feature = "component", component(name = "field-type"))]
    pub field_type: FieldType,
    /// Whether a record cannot be created without a value.
    pub required: bool,
    /// A heading to list the field under.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The values that it takes; empty if any value fits.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Explains the field, for the person who maps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The booking attribute that most people would map to it.
    #[cfg_attr(feature = "component", component(name = "suggested-source"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested_source: Option<String>,
    /// The plugin's own note about the field.
    #[serde(default)]
    pub memo: String,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line of text.
    #[cfg_attr(feature = "component", component(name = "text"))]
    Text,
    /// Several lines of text.
    #[cfg_attr(feature = "component", component(name = "text-area"))]
    TextArea,
    /// An email address.
    #[cfg_attr(feature = "component", component(name = "email"))]
    Email,
    /// A telephone number.
    #[cfg_attr(feature = "component", component(name = "phone"))]
    Phone,
    /// A web address.
    #[cfg_attr(feature = "component", component(name = "url"))]
    Url,
    /// A whole number.
    #[cfg_attr(feature = "component", component(name = "integer"))]
    Integer,
    /// A number, perhaps with decimals.
    #[cfg_attr(feature = "component", component(name = "number"))]
    Number,
    /// An amount of money.
    #[cfg_attr(feature = "component", component(name = "currency"))]
    Currency,
    /// A percentage: 33 means 33 %.
    #[cfg_attr(feature = "component", component(name = "percent"))]
    Percent,
    /// Yes or no.
    #[cfg_attr(feature = "component", component(name = "checkbox"))]
    Checkbox,
    /// A calendar date.
    #[cfg_attr(feature = "component", component(name = "date"))]
    Date,
    /// A moment.
    #[cfg_attr(feature = "component", component(name = "date-time"))]
    DateTime,
    /// A time of day.
    #[cfg_attr(feature = "component", component(name = "time"))]
    Time,
    /// One of the field's choices.
    #[cfg_attr(feature = "component", component(name = "choice"))]
    Choice,
    /// Any number of the field's choices.
    #[cfg_attr(feature = "component", component(name = "choices"))]
    Choices,
    /// One of the field's choices, or other text.
    #[cfg_attr(feature = "component", component(name = "text-or-choice"))]
    TextOrChoice,
    /// Another record.
    #[cfg_attr(feature = "component", component(name = "reference"))]
    Reference,
    /// Any other type, in the CRM's own word.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}

/// A value that a field takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What is written.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Whether it can be chosen today.
    pub active: bool,
}

/// A field that cannot be mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct WithheldField {
    /// Identifies the field.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// Why, as a code that `guidance.advice` explains.
    pub reason: String,
}

/// The fields of a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct FieldList {
    /// Those that can be mapped: required ones first, then as the plugin sorts labels.
    pub fields: Vec<Field>,
    /// The others.
    #[serde(default)]
    pub withheld: Vec<WithheldField>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}
