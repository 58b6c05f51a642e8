//! What a settings page needs.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;
use crate::{Finding, Problem};

/// What would be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum PlannedAction {
    /// A Lead would be created.
    #[cfg_attr(feature = "component", component(name = "create"))]
    Create,
    /// The Lead with this id would be changed.
    #[cfg_attr(feature = "component", component(name = "update"))]
    Update(String),
    /// The Lead with this id would be left as it is.
    #[cfg_attr(feature = "component", component(name = "keep"))]
    Keep(String),
    /// Nothing would be written.
    #[cfg_attr(feature = "component", component(name = "refuse"))]
    Refuse(Problem),
}

/// A value that would be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
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
    #[cfg_attr(feature = "component", component(name = "from-fallback"))]
    pub from_fallback: bool,
}

/// One choice to be made per mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
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
    #[cfg_attr(feature = "component", component(name = "default-value"))]
    pub default_value: String,
}

/// A choice that is always there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct OptionChoice {
    /// Stable value, for `chosen-option.value`.
    pub value: String,
    /// What people read, in every language the plugin speaks.
    #[serde(default)]
    pub label: Vec<LocalizedText>,
}

enumeration! {
    /// Where further choices come from.
    pub enum OptionSource {
        /// API names of listed fields that are external IDs, unique, and hold text.
        UniqueTextField = "unique-text-field",
        /// Ids of the listed record types.
        RecordType = "record-type",
        /// The id of a record in the CRM, which an admin pastes.
        RecordId = "record-id",
    }
}

/// A text in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct LocalizedText {
    /// BCP 47 tag, for example `ja`.
    pub locale: String,
    /// The text.
    pub text: String,
}
