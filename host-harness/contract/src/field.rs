//! Lead fields.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Source;
use crate::enumeration::enumeration;

/// A Lead field that may be mapped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct LeadField {
    /// The API name, for example `LastName` or `BookingId__c`.
    pub name: String,
    /// The label as the org's people see it.
    pub label: String,
    /// What the field holds.
    #[cfg_attr(feature = "component", component(name = "field-type"))]
    pub field_type: FieldType,
    /// Longest text in characters as the CRM counts them; `none` for what has no length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Most digits of a number, on both sides of the point together; 0 where it does not apply.
    pub precision: u32,
    /// Digits after the decimal point; 0 where it does not apply.
    pub scale: u32,
    /// A Lead cannot be created without a value: createable, not nillable, not defaulted on create.
    pub required: bool,
    /// Only the active `values` are accepted.
    pub restricted: bool,
    /// The field is an external ID.
    #[cfg_attr(feature = "component", component(name = "external-id"))]
    pub external_id: bool,
    /// No two records may hold the same value.
    pub unique: bool,
    /// The values of a picklist, in the org's order; empty for other types.
    #[serde(default)]
    pub values: Vec<PicklistValue>,
    /// API name of the field whose value decides which `values` are allowed.
    #[cfg_attr(feature = "component", component(name = "controlling-field"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controlling_field: Option<String>,
    /// What a reference may point to, for example `User` and `Group`.
    #[cfg_attr(feature = "component", component(name = "reference-to"))]
    #[serde(default)]
    pub reference_to: Vec<String>,
    /// The help text that the org's admin wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The source that most people would choose for this field.
    #[cfg_attr(feature = "component", component(name = "suggested-source"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested_source: Option<Source>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line of text.
    #[cfg_attr(feature = "component", component(name = "text"))]
    Text,
    /// Several lines of text.
    #[cfg_attr(feature = "component", component(name = "text-area"))]
    TextArea,
    /// An e-mail address.
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
    /// A number with `scale` decimals.
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
    /// One of `values`.
    #[cfg_attr(feature = "component", component(name = "picklist"))]
    Picklist,
    /// Any number of `values`.
    #[cfg_attr(feature = "component", component(name = "multi-select-picklist"))]
    MultiSelectPicklist,
    /// One of `values`, or other text.
    #[cfg_attr(feature = "component", component(name = "combobox"))]
    Combobox,
    /// The id of another record.
    #[cfg_attr(feature = "component", component(name = "reference"))]
    Reference,
    /// Any type that this list does not have, in the CRM's own spelling.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}

/// One value of a picklist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct PicklistValue {
    /// What is written.
    pub value: String,
    /// What people see.
    pub label: String,
    /// Whether it may be chosen.
    pub active: bool,
    /// Whether the CRM fills it in by itself.
    #[cfg_attr(feature = "component", component(name = "is-default"))]
    pub is_default: bool,
    /// The controlling field's values that allow this one; `none` when it is always allowed.
    #[cfg_attr(feature = "component", component(name = "valid-for"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Vec<String>>,
}

/// A field that is not offered, and why, so that an admin can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct WithheldField {
    /// API name.
    pub name: String,
    /// Label as the org's people see it.
    pub label: String,
    /// Why it is not offered.
    pub reason: WithheldReason,
}

enumeration! {
    /// Why a field is not offered.
    pub enum WithheldReason {
        /// The connected user may not both create and update it.
        NotWritable = "not-writable",
        /// The CRM computes it: formula, roll-up or auto-number.
        Calculated = "calculated",
        /// It is put together from other fields, which are offered.
        Compound = "compound",
        /// The CRM keeps it: ids, owners of changes, timestamps, conversion.
        System = "system",
    }
}

/// A record type that the connected user may give to a Lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct RecordType {
    /// Its id.
    pub id: String,
    /// Its name as the org's people see it.
    pub name: String,
    /// Whether the CRM takes it when none is given.
    #[cfg_attr(feature = "component", component(name = "is-default"))]
    pub is_default: bool,
}

/// What `leads.list-lead-fields` found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct LeadFields {
    /// Fields that can be both created and updated: required ones first, then by label.
    #[serde(default)]
    pub fields: Vec<LeadField>,
    /// The others, by label.
    #[serde(default)]
    pub withheld: Vec<WithheldField>,
    /// Record types the user may use; empty where the org has none but the master.
    #[cfg_attr(feature = "component", component(name = "record-types"))]
    #[serde(default)]
    pub record_types: Vec<RecordType>,
}
