//! What a settings page needs.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Finding, Problem};

/// What would be done.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct PreviewResult {
    /// The step.
    pub action: PlannedAction,
    /// What would be written, in the order of the rows.
    #[serde(default)]
    pub values: Vec<PreviewValue>,
    /// What would not be written as given.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// A step that would be taken.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(variant)]
#[serde(rename_all = "snake_case")]
pub enum PlannedAction {
    /// A Lead would be created.
    #[component(name = "create")]
    Create,
    /// The Lead with this id would be changed.
    #[component(name = "update")]
    Update(String),
    /// The Lead with this id would be left as it is.
    #[component(name = "keep")]
    Keep(String),
    /// Nothing would be written.
    #[component(name = "refuse")]
    Refuse(Problem),
}

/// A value that would be written.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct PreviewValue {
    /// API name of the field.
    pub field: String,
    /// Label of the field.
    pub label: String,
    /// The value as JSON, exactly as it would be sent.
    pub json: String,
    /// Position of the mapping row; `none` for what the plugin adds by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// Whether the row's fallback was taken.
    #[component(name = "from-fallback")]
    pub from_fallback: bool,
}

/// One choice to be made per mapping.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct OptionGroup {
    /// Stable id, for `chosen-option.id`.
    pub id: String,
    /// The question, in every language the plugin speaks.
    #[serde(default)]
    pub label: Vec<LocalizedText>,
    /// What it means, in every language the plugin speaks.
    #[serde(default)]
    pub help: Vec<LocalizedText>,
    /// The choices that are always there.
    #[serde(default)]
    pub choices: Vec<OptionChoice>,
    /// Where further choices come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<OptionSource>,
    /// The value that holds when none is chosen; one of `choices`.
    #[component(name = "default-value")]
    pub default_value: String,
}

/// A choice that is always there.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct OptionChoice {
    /// Stable value, for `chosen-option.value`.
    pub value: String,
    /// What people read, in every language the plugin speaks.
    #[serde(default)]
    pub label: Vec<LocalizedText>,
}

/// Where further choices come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(enum)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum OptionSource {
    /// API names of listed fields that are external IDs, unique, and hold text.
    #[component(name = "unique-text-field")]
    UniqueTextField,
    /// Ids of the listed record types.
    #[component(name = "record-type")]
    RecordType,
    /// The id of a record in the CRM, which an admin pastes.
    #[component(name = "record-id")]
    RecordId,
}

/// A text in one language.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct LocalizedText {
    /// BCP 47 tag, for example `ja`.
    pub locale: String,
    /// The text.
    pub text: String,
}
