//! Deliveries and problems.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

/// What the host's ledger knows of a booking before a try.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The time now.
    pub now: String,
    /// The Lead of an earlier delivery of this booking, or of the one it replaces.
    #[component(name = "lead-id")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    /// When the first try of this booking began; `none` when this is it.
    #[component(name = "first-try")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_try: Option<String>,
    /// The tries of this booking whose effect is still unknown: those that ended with reaction `check-first`, or never
    /// ended.
    #[component(name = "unknown-tries")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_tries: Option<UnknownTries>,
}

/// The tries of a booking whose effect is unknown.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct UnknownTries {
    /// When the oldest of them began.
    pub oldest: String,
    /// When the newest of them began.
    pub newest: String,
}

/// A booking that is now a Lead.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Id of the Lead.
    #[component(name = "lead-id")]
    pub lead_id: String,
    /// Where people open it; a plain https address.
    #[component(name = "lead-url")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_url: Option<String>,
    /// What was done.
    pub outcome: Outcome,
    /// What was not written as given.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// What was done to a Lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(enum)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Outcome {
    /// A Lead was created.
    #[component(name = "created")]
    Created,
    /// A Lead that was there was changed.
    #[component(name = "updated")]
    Updated,
    /// A Lead that was there was left as it is, because the mapping says so.
    #[component(name = "kept")]
    Kept,
    /// An earlier try had already done it; nothing was changed now.
    #[component(name = "already-delivered")]
    AlreadyDelivered,
}

/// Something about a value that somebody should know.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
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
    #[component(name = "question-ids")]
    #[serde(default)]
    pub question_ids: Vec<String>,
    /// The particulars in English, for example `143 characters, the field takes 128`.
    pub detail: String,
}

/// What something does to a booking, from the mildest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(enum)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Consequence {
    /// The value is written, but not as it was given.
    #[component(name = "changed")]
    Changed,
    /// The value is not written; the Lead is.
    #[component(name = "left-out")]
    LeftOut,
    /// The Lead is not written.
    #[component(name = "refused")]
    Refused,
}

/// Why something could not be done, and what the caller does next.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable code, explained by `guidance.advice`.
    pub code: String,
    /// The CRM's own words; English where the plugin itself refused.
    pub message: String,
    /// What the caller must do.
    pub reaction: Reaction,
    /// Status of the HTTP answer it rests on.
    #[component(name = "http-status")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// API names of the fields concerned.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Positions of the mapping rows concerned.
    #[serde(default)]
    pub rows: Vec<u32>,
    /// Ids of the questions concerned.
    #[component(name = "question-ids")]
    #[serde(default)]
    pub question_ids: Vec<String>,
    /// How long to wait at least before the next try, in seconds.
    #[component(name = "retry-after")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Ids of the records concerned, for example those that a duplicate rule matched.
    #[component(name = "record-ids")]
    #[serde(default)]
    pub record_ids: Vec<String>,
    /// Further errors of the same answer.
    #[serde(default)]
    pub also: Vec<FurtherError>,
}

/// A further error of an answer that has several.
#[derive(Clone, Debug, PartialEq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(record)]
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
    #[component(name = "question-ids")]
    #[serde(default)]
    pub question_ids: Vec<String>,
}

/// What a caller does after a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift, Lower, Serialize, Deserialize)]
#[component(enum)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Reaction {
    /// This booking's data cannot be written: a person corrects it, or gives up.
    #[component(name = "fix-booking")]
    FixBooking,
    /// The mapping must be changed before any booking like this one can be written.
    #[component(name = "fix-mapping")]
    FixMapping,
    /// An admin of the CRM must change something there.
    #[component(name = "ask-admin")]
    AskAdmin,
    /// The connection has ended: an owner or admin of the team connects again.
    #[component(name = "reconnect")]
    Reconnect,
    /// The same call later may succeed.
    #[component(name = "retry")]
    Retry,
    /// The booking may or may not have been written.
    #[component(name = "check-first")]
    CheckFirst,
}
