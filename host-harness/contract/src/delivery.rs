//! Deliveries and problems.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

/// What the host's ledger knows of a booking before a try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The time now.
    pub now: String,
    /// The Lead of an earlier delivery of this booking, or of the one it replaces.
    #[cfg_attr(feature = "component", component(name = "lead-id"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    /// When the first try of this booking began; `none` when this is it.
    #[cfg_attr(feature = "component", component(name = "first-try"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_try: Option<String>,
    /// The tries of this booking whose effect is still unknown: those that ended with reaction `check-first`, or never
    /// ended.
    #[cfg_attr(feature = "component", component(name = "unknown-tries"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_tries: Option<UnknownTries>,
}

/// The tries of a booking whose effect is unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct UnknownTries {
    /// When the oldest of them began.
    pub oldest: String,
    /// When the newest of them began.
    pub newest: String,
}

/// A booking that is now a Lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Id of the Lead.
    #[cfg_attr(feature = "component", component(name = "lead-id"))]
    pub lead_id: String,
    /// Where people open it; a plain https address.
    #[cfg_attr(feature = "component", component(name = "lead-url"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_url: Option<String>,
    /// What was done.
    pub outcome: Outcome,
    /// What was not written as given.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

enumeration! {
    /// What was done to a Lead.
    pub enum Outcome {
        /// A Lead was created.
        Created = "created",
        /// A Lead that was there was changed.
        Updated = "updated",
        /// A Lead that was there was left as it is, because the mapping says so.
        Kept = "kept",
        /// An earlier try had already done it; nothing was changed now.
        AlreadyDelivered = "already-delivered",
    }
}

/// Something about a value that somebody should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Stable code, explained by `guidance.advice`.
    pub code: String,
    /// What it does to a booking.
    pub consequence: Consequence,
    /// API names of the fields concerned.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Positions of the mapping rows concerned.
    #[serde(default)]
    pub rows: Vec<u32>,
    /// Ids of the questions concerned.
    #[cfg_attr(feature = "component", component(name = "question-ids"))]
    #[serde(default)]
    pub question_ids: Vec<String>,
    /// The particulars in English, for example `143 characters, the field takes 128`.
    pub detail: String,
}

enumeration! {
    /// What something does to a booking, from the mildest on.
    pub enum Consequence {
        /// The value is written, but not as it was given.
        Changed = "changed",
        /// The value is not written; the Lead is.
        LeftOut = "left-out",
        /// The Lead is not written.
        Refused = "refused",
    }
}

/// Why something could not be done, and what the caller does next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable code, explained by `guidance.advice`.
    pub code: String,
    /// The CRM's own words; English where the plugin itself refused.
    pub message: String,
    /// What the caller must do.
    pub reaction: Reaction,
    /// Status of the HTTP answer it rests on.
    #[cfg_attr(feature = "component", component(name = "http-status"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// API names of the fields concerned.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Positions of the mapping rows concerned.
    #[serde(default)]
    pub rows: Vec<u32>,
    /// Ids of the questions concerned.
    #[cfg_attr(feature = "component", component(name = "question-ids"))]
    #[serde(default)]
    pub question_ids: Vec<String>,
    /// How long to wait at least before the next try, in seconds.
    #[cfg_attr(feature = "component", component(name = "retry-after"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Ids of the records concerned, for example those that a duplicate rule matched.
    #[cfg_attr(feature = "component", component(name = "record-ids"))]
    #[serde(default)]
    pub record_ids: Vec<String>,
    /// Further errors of the same answer.
    #[serde(default)]
    pub also: Vec<FurtherError>,
}

/// A further error of an answer that has several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct FurtherError {
    /// Stable code, explained by `guidance.advice`.
    pub code: String,
    /// The CRM's own words.
    pub message: String,
    /// API names of the fields concerned.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Positions of the mapping rows concerned.
    #[serde(default)]
    pub rows: Vec<u32>,
    /// Ids of the questions concerned.
    #[cfg_attr(feature = "component", component(name = "question-ids"))]
    #[serde(default)]
    pub question_ids: Vec<String>,
}

enumeration! {
    /// What a caller does after a problem.
    pub enum Reaction {
        /// This booking's data cannot be written: a person corrects it, or gives up.
        FixBooking = "fix-booking",
        /// The mapping must be changed before any booking like this one can be written.
        FixMapping = "fix-mapping",
        /// An admin of the CRM must change something there.
        AskAdmin = "ask-admin",
        /// The connection has ended: an owner or admin of the team connects again.
        Reconnect = "reconnect",
        /// The same call later may succeed.
        Retry = "retry",
        /// The booking may or may not have been written.
        CheckFirst = "check-first",
    }
}
