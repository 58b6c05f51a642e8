//! What a settings page needs.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Finding, More, Problem, RecordRef, Value};

/// A value to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct OptionChoice {
    /// Stable value.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// One choice that a mapping makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct OptionGroup {
    /// Stable id.
    pub id: String,
    /// The question.
    pub label: String,
    /// What it means.
    #[serde(default)]
    pub help: String,
    /// What holds if nothing is chosen: the value of one of `choices`.
    #[cfg_attr(feature = "component", component(name = "default-value"))]
    pub default_value: String,
    /// The values that every connection has.
    #[serde(default)]
    pub choices: Vec<OptionChoice>,
    /// Whether `list-choices` has further values.
    pub asks: bool,
    /// Whether a person can type a value that is not listed.
    pub typed: bool,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// What a delivery would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct PreviewResult {
    /// The writes, in order. Empty if nothing is to be done.
    #[serde(default)]
    pub steps: Vec<PlannedStep>,
    /// What would not be written as given.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    /// The object that it writes.
    pub object: String,
    /// What it does.
    pub action: PlannedAction,
    /// What would be written: first what rows write, in their order.
    #[serde(default)]
    pub values: Vec<PreviewValue>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum PlannedAction {
    /// Creates a record.
    #[cfg_attr(feature = "component", component(name = "create"))]
    Create,
    /// Changes a record.
    #[cfg_attr(feature = "component", component(name = "update"))]
    Update(RecordRef),
    /// Leaves a record as it is.
    #[cfg_attr(feature = "component", component(name = "keep"))]
    Keep(RecordRef),
    /// Refuses. Later steps are not reached.
    #[cfg_attr(feature = "component", component(name = "refuse"))]
    Refuse(Problem),
    /// A case that a later version adds.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}

/// A value that would be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct PreviewValue {
    /// Name of the field.
    pub field: String,
    /// Label of the field.
    pub label: String,
    /// The value as JSON, as it would be sent.
    pub json: String,
    /// Position of the row; `None` for what the plugin adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// Whether it is the row's fallback.
    #[cfg_attr(feature = "component", component(name = "from-fallback"))]
    pub from_fallback: bool,
}

/// What a row can come to hold, as far as the form shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Name of the field.
    pub field: String,
    /// The plugin's note about the field; empty if there is none.
    #[serde(default)]
    pub memo: String,
    /// Names of the cases of [`Value`] that may come, as in the WIT.
    #[serde(default)]
    pub gives: Vec<String>,
    /// What a text is, if the host knows: `name`, `company`, `email`, `phone`, `url`, `id` or `label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Whether more than one choice may come at a time.
    #[serde(default)]
    pub several: bool,
    /// Whether a booking can leave it blank.
    #[cfg_attr(feature = "component", component(name = "may-be-blank"))]
    pub may_be_blank: bool,
    /// The texts that may come, or the one fixed text; empty if any text may.
    #[serde(default)]
    pub texts: Vec<String>,
    /// Written if there is no value, or if a required field does not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Value>,
    /// The calendar's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Empty if nothing stands in the way of a booking.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// New memos by position of their row.
    #[serde(default)]
    pub memos: Vec<(u32, String)>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}
