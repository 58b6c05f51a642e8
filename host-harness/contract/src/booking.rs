//! The booking, and what all records share.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Instant = u64;

/// Members that a later version of the contract added.
pub type More = Vec<Parameter>;

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

impl Parameter {
    /// A value with its name.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A record in the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct RecordRef {
    /// Its object, in the CRM's own word.
    pub object: String,
    /// Its id, unique within the object.
    pub id: String,
    /// The `https` address of its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What a plugin needs to know about a booking beside the values that are mapped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// What happened.
    pub kind: BookingKind,
    /// Stable, and unique within the team. 1 to 200 bytes.
    pub id: String,
    /// The booking that this one replaced when it was moved. Always given for `rescheduled`.
    #[cfg_attr(feature = "component", component(name = "previous-id"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_id: Option<String>,
    /// The team that owns the calendar and the connection.
    #[cfg_attr(feature = "component", component(name = "team-id"))]
    pub team_id: String,
    /// The language of the guest, or else of the calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// What happened to a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum BookingKind {
    /// Confirmed for the first time.
    #[cfg_attr(feature = "component", component(name = "confirmed"))]
    Confirmed,
    /// Moved to another time, place or host.
    #[cfg_attr(feature = "component", component(name = "rescheduled"))]
    Rescheduled,
    /// Cancelled.
    #[cfg_attr(feature = "component", component(name = "cancelled"))]
    Cancelled,
    /// A kind that a later version names.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}
