//! A calendar's mapping with the values of one booking.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{More, Parameter};

/// What to write for one booking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Where to write it; `None` stands for the plugin's first target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Rows, identified by their position.
    pub rows: Vec<Row>,
    /// What was chosen in `settings.options`.
    #[serde(default)]
    pub options: Vec<Parameter>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// A field, and what to write to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Name of the field.
    pub field: String,
    /// The plugin's note about the field; empty if there is none.
    #[serde(default)]
    pub memo: String,
    /// The value in this booking; `None` if it is blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Written if there is no value, or if a required field does not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Value>,
    /// Where the value comes from.
    pub source: SourceKind,
    /// Whether the row is written to the booking's record when the booking changes.
    #[cfg_attr(feature = "component", component(name = "on-change"))]
    pub on_change: bool,
}

/// Where a row's value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The guest.
    #[cfg_attr(feature = "component", component(name = "guest"))]
    Guest,
    /// The meeting's time, place or hosts.
    #[cfg_attr(feature = "component", component(name = "meeting"))]
    Meeting,
    /// The mapping, whoever books.
    #[cfg_attr(feature = "component", component(name = "mapping"))]
    Mapping,
    /// A case that a later version adds.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// As typed, or as the platform has it.
    #[cfg_attr(feature = "component", component(name = "text"))]
    Text(String),
    /// Decimal text, for example `-12.50`.
    #[cfg_attr(feature = "component", component(name = "number"))]
    Number(String),
    /// Yes or no.
    #[cfg_attr(feature = "component", component(name = "boolean"))]
    Boolean(bool),
    /// `YYYY-MM-DD` in the booked zone.
    #[cfg_attr(feature = "component", component(name = "date"))]
    Date(String),
    /// `hh:mm` or `hh:mm:ss` in the booked zone.
    #[cfg_attr(feature = "component", component(name = "time"))]
    Time(String),
    /// RFC 3339 with the offset of the booked zone.
    #[cfg_attr(feature = "component", component(name = "moment"))]
    Moment(String),
    /// The choices taken, in the form's order.
    #[cfg_attr(feature = "component", component(name = "choices"))]
    Choices(Vec<String>),
    /// The text of a consent that the guest ticked.
    #[cfg_attr(feature = "component", component(name = "agreed"))]
    Agreed(Vec<String>),
    /// A case that a later version adds: its name, and the value as plain text.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(Parameter),
}
