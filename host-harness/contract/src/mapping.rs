//! Mappings.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::LeadField;

/// How a calendar's owner wants its bookings written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What goes into which field.
    #[serde(default)]
    pub rows: Vec<MappingRow>,
    /// The plugin's own choices; what is not named has its default.
    #[serde(default)]
    pub options: Vec<ChosenOption>,
}

/// One field and where its value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct MappingRow {
    /// The field as it was listed when the row was saved.
    pub field: LeadField,
    /// Where the value comes from.
    pub source: Source,
    /// What is written when the source is blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The answer to the question with this id.
    #[cfg_attr(feature = "component", component(name = "answer"))]
    Answer(String),
    /// A booking attribute.
    #[cfg_attr(feature = "component", component(name = "booking"))]
    Booking(String),
    /// The first value of this name in `booking.tracking`.
    #[cfg_attr(feature = "component", component(name = "tracking"))]
    Tracking(String),
    /// This text.
    #[cfg_attr(feature = "component", component(name = "fixed"))]
    Fixed(String),
    /// Text with references in braces: `{answers.ID}`, `{tracking.NAME}`, or `{ATTRIBUTE}` with a booking attribute.
    #[cfg_attr(feature = "component", component(name = "template"))]
    Template(String),
}

/// One of the plugin's own choices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct ChosenOption {
    /// `option-group.id`.
    pub id: String,
    /// `option-choice.value`, or a value from the group's `source`.
    pub value: String,
}
