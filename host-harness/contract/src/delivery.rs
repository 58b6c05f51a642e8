//! Deliveries and problems.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Instant, More, Parameter, RecordRef, enumeration::enumeration};

/// What the ledger knows about a booking before a try. All instants come from the ledger's clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The time now.
    pub now: Instant,
    /// The records that tries of this booking, or of the bookings it replaces, are known to have made.
    #[serde(default)]
    pub records: Vec<RecordRef>,
    /// Records that other mappings made of this booking.
    #[serde(default)]
    pub related: Vec<RecordRef>,
    /// When the first try of this booking began; `None` if this is the first.
    #[cfg_attr(feature = "component", component(name = "first-try"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_try: Option<Instant>,
    /// The tries of this booking that may have written something that nobody knows of.
    #[cfg_attr(feature = "component", component(name = "unknown-tries"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_tries: Option<UnknownTries>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// Tries whose effect is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct UnknownTries {
    /// When the oldest of them began.
    pub oldest: Instant,
    /// When the newest of them began: `oldest` or later.
    pub newest: Instant,
}

/// A booking that needs no further try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The records of this booking that are known now; the one that the mapping is about comes first.
    #[serde(default)]
    pub records: Vec<RecordRef>,
    /// What was done.
    pub outcome: Outcome,
    /// What was not written as given.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A record was created.
    #[cfg_attr(feature = "component", component(name = "created"))]
    Created,
    /// A record that existed was changed.
    #[cfg_attr(feature = "component", component(name = "updated"))]
    Updated,
    /// A record that existed was left as it is, because the mapping says so.
    #[cfg_attr(feature = "component", component(name = "kept"))]
    Kept,
    /// An earlier try had done it; this one changed nothing.
    #[cfg_attr(feature = "component", component(name = "already-delivered"))]
    AlreadyDelivered,
    /// Nothing was to be done.
    #[cfg_attr(feature = "component", component(name = "ignored"))]
    Ignored,
    /// A case that a later version adds. Nothing further is to be done.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}

/// Something that a person should know about a value, a mapping or a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Stable code, explained by `guidance.advice`.
    pub code: String,
    /// What it means for a booking.
    pub consequence: Consequence,
    /// Names of the fields concerned.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Positions of the rows concerned.
    #[serde(default)]
    pub rows: Vec<u32>,
    /// What happened, in English.
    pub message: String,
    /// Named values for `guidance.advice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub particulars: Vec<Parameter>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

enumeration! {
    /// What a finding means for a booking, from the mildest on.
    pub enum Consequence {
        /// The value is written, but not as given.
        Changed = "changed",
        /// The value is not written; the record is.
        LeftOut = "left-out",
        /// The record is not written.
        Refused = "refused",
    }
}

enumeration! {
    /// Whether something may have changed the CRM.
    pub enum Effect {
        /// It certainly changed nothing.
        None = "none",
        /// It may have changed something.
        Unknown = "unknown",
    }
}

/// Why something was not done, and what to do next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable code, explained by `guidance.advice`.
    pub code: String,
    /// The CRM's own words; English if the plugin itself refused.
    pub message: String,
    /// What to do next.
    pub reaction: Reaction,
    /// Whether this try may have written something that `made` does not name.
    pub effect: Effect,
    /// The status of the HTTP response that it rests on.
    #[cfg_attr(feature = "component", component(name = "http-status"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Seconds to wait, at least, before the next try.
    #[cfg_attr(feature = "component", component(name = "retry-after"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Names of the fields concerned.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Positions of the rows concerned.
    #[serde(default)]
    pub rows: Vec<u32>,
    /// Named values for `guidance.advice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub particulars: Vec<Parameter>,
    /// What was written all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<RecordRef>,
    /// Records that stand in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concerned: Vec<RecordRef>,
    /// Further errors of the same response.
    #[serde(default)]
    pub also: Vec<FurtherError>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

impl Problem {
    /// A problem of a try that wrote nothing.
    pub fn new(code: impl Into<String>, reaction: Reaction, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            reaction,
            effect: Effect::None,
            http_status: None,
            retry_after: None,
            fields: Vec::new(),
            rows: Vec::new(),
            particulars: Vec::new(),
            made: Vec::new(),
            concerned: Vec::new(),
            also: Vec::new(),
            more: Vec::new(),
        }
    }
}

impl Problem {
    /// Whether the tries named in `history.unknown_tries` are settled by this problem, so that they are not named again.
    pub fn settles_earlier_tries(&self) -> bool {
        !matches!(self.reaction, Reaction::CheckFirst | Reaction::Reconnect | Reaction::Other(_))
    }
}

/// A further error of a response that has several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct FurtherError {
    /// Stable code, explained by `guidance.advice`.
    pub code: String,
    /// The CRM's own words.
    pub message: String,
    /// Names of the fields concerned.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Positions of the rows concerned.
    #[serde(default)]
    pub rows: Vec<u32>,
}

/// What to do after a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// A person corrects this booking's data, or gives up.
    #[cfg_attr(feature = "component", component(name = "fix-booking"))]
    FixBooking,
    /// The mapping must be changed.
    #[cfg_attr(feature = "component", component(name = "fix-mapping"))]
    FixMapping,
    /// An admin of the CRM must change something there.
    #[cfg_attr(feature = "component", component(name = "ask-admin"))]
    AskAdmin,
    /// The connection has ended: an owner or admin of the team connects again.
    #[cfg_attr(feature = "component", component(name = "reconnect"))]
    Reconnect,
    /// The same call may succeed later.
    #[cfg_attr(feature = "component", component(name = "retry"))]
    Retry,
    /// The booking may have been written: look first. Without `retry_after`, a person must look.
    #[cfg_attr(feature = "component", component(name = "check-first"))]
    CheckFirst,
    /// A case that a later version adds: treat it as `CheckFirst` without `retry_after`.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}

impl Reaction {
    /// The name in the contract: `fix-booking`, or the name that a later version gave.
    pub fn name(&self) -> &str {
        match self {
            Self::FixBooking => "fix-booking",
            Self::FixMapping => "fix-mapping",
            Self::AskAdmin => "ask-admin",
            Self::Reconnect => "reconnect",
            Self::Retry => "retry",
            Self::CheckFirst => "check-first",
            Self::Other(name) => name,
        }
    }
}
