//! What keeps bookings durably, as a trait.
//!
//! A ledger stores; the rules are [`Chain`](crate::Chain)'s and [`Queue`]'s. Each method is one transaction: when it returns, what it
//! did survives a power cut, and when its future is dropped, it did all or nothing.

use std::{collections::BTreeMap, fmt::Debug};

use async_trait::async_trait;
use crm_booking::Kind;
use crm_contract::{History, Instant, RecordRef};
use serde::{Deserialize, Serialize};

use crate::{Ended, EntryId, Hold, Progress, Queue, Settings, State};

/// A plugin and a target that a calendar's bookings go to: `salesforce-leads`, or `salesforce-leads.Contact` for another target than
/// the plugin's first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = r"^[!-\-0-~]([!-.0-~]{0,198}[!-\-0-~])?$"))]
#[serde(transparent)]
pub struct Integration(String);

/// A text that names no integration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a plugin's id, or PLUGIN.TARGET, of 1 to 200 visible ASCII characters; found `{0}`")]
pub struct InvalidIntegration(String);

impl std::str::FromStr for Integration {
    type Err = InvalidIntegration;

    fn from_str(text: &str) -> Result<Self, InvalidIntegration> {
        let is_visible = !text.is_empty() && text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_graphic());
        let has_plugin = !text.starts_with('.') && !text.ends_with('.') && !text.contains('/');
        if is_visible && has_plugin { Ok(Self(text.to_owned())) } else { Err(InvalidIntegration(text.to_owned())) }
    }
}

impl Integration {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The plugin's id.
    pub fn plugin(&self) -> &str {
        self.0.split_once('.').map_or(&self.0, |(plugin, _)| plugin)
    }

    /// The target, if it is not the plugin's first.
    pub fn target(&self) -> Option<&str> {
        self.0.split_once('.').map(|(_, target)| target)
    }
}

impl std::fmt::Display for Integration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A change of a booking that a platform hands over.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// The team that owns the calendar.
    pub team: String,
    /// The calendar.
    pub calendar: String,
    /// The booking's id, unique within the team.
    pub booking: String,
    /// The booking that it replaced when it was moved, if that has another id.
    pub previous: Option<String>,
    /// The scheduler's id of the change, unique within the booking.
    pub change: String,
    /// When it happened, by the scheduler's clock. Taken as now if the scheduler does not say.
    pub changed_at: Option<Instant>,
    /// What happened.
    pub kind: Kind,
    /// Tells whether a repeat has the same content.
    pub digest: [u8; 32],
    /// When the meeting starts and ends.
    pub meeting: (Instant, Instant),
    /// The guest's email address: bookings of one guest keep their order.
    pub guest: Option<String>,
    /// What a worker needs, in a form of its own. The ledger seals it.
    pub payload: Vec<u8>,
    /// Where the booking goes if the calendar has no mapping yet.
    pub default_integration: Integration,
}

/// Where a change of a booking is for one integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Placed {
    /// Its id in the ledger.
    pub id: EntryId,
    /// The integration.
    pub integration: Integration,
    /// Where it is now.
    pub state: State,
}

/// What became of an arrival.
#[derive(Clone, Debug, PartialEq)]
pub enum Acceptance {
    /// It is durable.
    Accepted(Vec<Placed>),
    /// It was accepted before, with the same content.
    Known(Vec<Placed>),
    /// The change was accepted before, with another content: this one. `None` if retention has removed that.
    Differs(Option<Vec<u8>>),
}

/// A mapping of a calendar for an integration, in one of its versions.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMapping {
    /// Counts from 1.
    pub version: u64,
    /// The mapping as JSON.
    pub content: String,
    /// What the plugin noted about its fields ([`crm_booking::Memos`]).
    pub memos: Vec<(String, String)>,
    /// When it was saved.
    pub saved_at: Instant,
    /// Who saved it.
    pub saved_by: String,
}

/// Names a calendar's mapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MappingKey {
    /// The team.
    pub team: String,
    /// The calendar.
    pub calendar: String,
    /// The integration.
    pub integration: Integration,
}

/// A booking that a worker has.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its id.
    pub id: EntryId,
    /// Proves the claim.
    pub fence: u64,
    /// Where it belongs.
    pub mapping_key: MappingKey,
    /// The booking's id.
    pub booking: String,
    /// When it was accepted.
    pub accepted: Instant,
    /// As it was accepted.
    pub payload: Vec<u8>,
    /// The mapping to use.
    pub mapping: StoredMapping,
    /// What the plugin is called with.
    pub history: History,
    /// How long from now the call may last, in milliseconds.
    pub time: u64,
}

/// How a try went.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The booking.
    pub id: EntryId,
    /// The claim's.
    pub fence: u64,
    /// The version of the mapping that was used.
    pub mapping: u64,
    /// How it ended.
    pub ended: Ended,
    /// Requests to the CRM.
    pub requests: u32,
    /// What a person may want to read of it, such as findings with their rows. The ledger seals it.
    pub detail: Vec<u8>,
    /// From 0 to 1, for the schedule.
    pub random: f64,
}

/// Which entries are meant. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Of one team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Of one calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// In one state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// With one cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Of one booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking: Option<String>,
    /// Accepted at or after this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>))]
    pub from: Option<Instant>,
    /// Accepted before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>))]
    pub until: Option<Instant>,
}

/// An entry of the ledger, without personal data.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Its id.
    pub id: EntryId,
    /// The team.
    pub team: String,
    /// The calendar.
    pub calendar: String,
    /// The integration.
    pub integration: Integration,
    /// The booking's id.
    pub booking: String,
    /// The scheduler's id of the change.
    pub change: String,
    /// What happened.
    pub kind: Kind,
    /// When the meeting starts.
    pub meeting_start: Instant,
    /// Why its queue is held, if it is.
    pub hold: Option<Hold>,
    /// How far it is.
    pub progress: Progress,
}

/// A try of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// When it began.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub began: Instant,
    /// When it ended; `None` if it is under way, or its worker was lost.
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>))]
    pub ended: Option<Instant>,
    /// `delivered`, or the code of the problem.
    pub code: Option<String>,
    /// What the plugin said to do next.
    pub reaction: Option<String>,
    /// Whether it may have written something.
    pub effect: Option<String>,
    /// Requests to the CRM.
    pub requests: u32,
}

/// An entry with everything that is kept of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// The entry.
    pub summary: Summary,
    /// Its tries, the oldest first.
    pub attempts: Vec<Attempt>,
    /// The booking as it was accepted, until retention removes it.
    pub payload: Option<Vec<u8>>,
    /// What the last try left for people to read.
    pub detail: Option<Vec<u8>>,
}

/// Entries that wait for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CauseCount {
    /// The team.
    pub team: String,
    /// The integration.
    pub integration: Integration,
    /// Where they are.
    pub state: State,
    /// Why.
    pub code: String,
    /// How many.
    pub count: u64,
    /// The earliest start of a meeting among them.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub earliest_meeting: Instant,
}

/// A team's queue for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSummary {
    /// The team.
    pub team: String,
    /// The plugin's id.
    pub plugin: String,
    /// Its state.
    pub queue: Queue,
    /// Entries that wait or are being delivered.
    pub open: u64,
}

/// How far a batch of resends came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Entries that are tried again.
    pub changed: u64,
    /// The last entry that was looked at; `None` if there was none.
    pub last: Option<EntryId>,
}

/// Numbers of the whole ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Entries by state. Final states are counted since the ledger was made.
    pub states: BTreeMap<State, u64>,
    /// When the oldest entry that waits was due.
    pub oldest_due: Option<Instant>,
}

/// A team that the platform told us of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TeamRow {
    /// Its id, as in bookings.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

/// Why a ledger did not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another worker has taken the booking since.
    #[error("another worker has taken the booking since")]
    Stale,
    /// There is no such entry, or it belongs to another team.
    #[error("there is no delivery {0}")]
    NoEntry(EntryId),
    /// The mapping was saved by somebody else meanwhile.
    #[error("the mapping has version {current} by now; read it again")]
    MappingChanged {
        /// The latest version; 0 if there is none.
        current: u64,
    },
    /// A stored row cannot be read.
    #[error("the ledger has a row that cannot be read: {0}; restore a backup, then run `recover`")]
    Damaged(String),
    /// More work arrives than the ledger can write. Try again soon.
    #[error("the ledger is busy; try again in a moment")]
    Busy,
    /// The database failed.
    #[error("the ledger's database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LedgerError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stale => "ledger-stale",
            Self::NoEntry(_) => "no-such-delivery",
            Self::MappingChanged { .. } => "mapping-changed",
            Self::Damaged(_) => "ledger-damaged",
            Self::Busy => "ledger-busy",
            Self::Database(_) => "ledger-database",
        }
    }
}

type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// Keeps bookings until they are delivered, and what became of them.
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// The times and numbers that it goes by.
    fn settings(&self) -> &Settings;

    /// The time by the ledger's clock, which all workers share.
    async fn now(&self) -> Result<Instant>;

    // ---------------------------------------------------------------- intake

    /// Takes a change of a booking, once for each integration that its calendar has a mapping for. When this returns, it is durable.
    async fn accept(&self, arrival: Arrival) -> Result<Acceptance>;

    // ---------------------------------------------------------------- workers

    /// Gives a worker up to `most` bookings that are due, in turn. Each try is durably noted to have begun [H11].
    async fn claim(&self, most: u32) -> Result<Vec<Claimed>>;

    /// Notes how a try ended.
    ///
    /// # Errors
    /// [`LedgerError::Stale`] if the claim has ended: nothing was changed.
    async fn finish(&self, tried: Tried) -> Result<()>;

    /// Takes back bookings from workers whose claims have ended; returns how many.
    async fn rescue(&self, random: f64) -> Result<u64>;

    /// When the next booking is due, as far as one waits. A claim at that time may find nothing all the same.
    async fn next_due(&self) -> Result<Option<Instant>>;

    // ---------------------------------------------------------------- connections

    /// Holds a team's bookings for a plugin, or lets them go.
    async fn hold(&self, team: &str, plugin: &str, hold: Option<Hold>) -> Result<()>;

    /// A team connected to an account. Its parked bookings are tried again if they were for the same account, or if `accept_other` is
    /// set; returns whether they are.
    async fn connected(&self, team: &str, plugin: &str, account: &str, accept_other: bool) -> Result<bool>;

    /// Limits the requests to a team's CRM a day; unlimited if `None`.
    async fn limit_calls(&self, team: &str, plugin: &str, most: Option<u32>) -> Result<()>;

    /// All queues.
    async fn queues(&self) -> Result<Vec<QueueSummary>>;

    // ---------------------------------------------------------------- mappings

    /// Saves a new version of a mapping if the latest one is `expected`, and returns its number. Bookings that wait for a mapping are
    /// tried.
    async fn put_mapping(
        &self,
        key: &MappingKey,
        expected: Option<u64>,
        content: &str,
        memos: &[(String, String)],
        by: &str,
    ) -> Result<u64>;

    /// A version of a mapping; the latest if `None`.
    async fn mapping(&self, key: &MappingKey, version: Option<u64>) -> Result<Option<StoredMapping>>;

    /// Replaces what the plugin noted about the fields of a version.
    async fn put_memos(&self, key: &MappingKey, version: u64, memos: &[(String, String)]) -> Result<()>;

    /// The latest version of each mapping of a team; of all teams if `None`.
    async fn mappings(&self, team: Option<&str>) -> Result<Vec<(MappingKey, StoredMapping)>>;

    // ---------------------------------------------------------------- by hand

    /// Entries, the newest first, older than `before`.
    async fn list(&self, filter: &Filter, before: Option<EntryId>, most: u32) -> Result<Vec<Summary>>;

    /// An entry with all that is kept of it. One of another team is not found.
    async fn show(&self, team: Option<&str>, id: EntryId) -> Result<Detail>;

    /// Why entries wait, the earliest meeting first.
    async fn causes(&self, team: Option<&str>) -> Result<Vec<CauseCount>>;

    /// How many entries a resend would try again.
    async fn count_to_resend(&self, filter: &Filter) -> Result<u64>;

    /// Tries up to `most` entries again that come after `after`, the oldest first.
    async fn resend(&self, filter: &Filter, after: Option<EntryId>, most: u32) -> Result<Batch>;

    /// Tries one entry again. `looked` says that a person looked for what unknown tries wrote, and which record they found. Returns
    /// whether it is tried: not if it is final or under way.
    async fn resend_one(&self, team: Option<&str>, id: EntryId, looked: Option<Option<RecordRef>>) -> Result<bool>;

    /// Ends an entry without delivering it. Returns whether it did: not if it is final or under way.
    async fn give_up(&self, team: Option<&str>, id: EntryId) -> Result<bool>;

    // ---------------------------------------------------------------- teams

    /// Adds a team, or renames it. Returns whether it is new.
    async fn put_team(&self, team: &TeamRow) -> Result<bool>;

    /// A team.
    async fn team(&self, id: &str) -> Result<Option<TeamRow>>;

    /// All teams.
    async fn teams(&self) -> Result<Vec<TeamRow>>;

    // ---------------------------------------------------------------- upkeep

    /// Takes a task for a while, unless another process has it or finished it less than `every` milliseconds ago.
    async fn take_task(&self, task: &str, holder: &str, every: u64) -> Result<bool>;

    /// What upkeep noted under a name, as JSON. Not personal.
    async fn note(&self, name: &str) -> Result<Option<String>>;

    /// Replaces what upkeep noted under a name.
    async fn put_note(&self, name: &str, content: &str) -> Result<()>;

    /// Removes what is personal of up to `most` entries that became final before `before`; returns how many.
    async fn forget(&self, before: Instant, most: u32) -> Result<u64>;

    /// Removes what is personal of all entries of a guest that no worker has, and gives up those that were not delivered. Returns the
    /// entries with their records, for the person who asked.
    async fn erase(&self, guest: &str) -> Result<Vec<Summary>>;

    /// To be called after the ledger was restored from a backup of this time: entries that are open or were delivered since, and
    /// bookings of before now that arrive later, are looked for before they are created. Returns how many.
    async fn recover(&self, from: Instant) -> Result<u64>;

    /// Numbers for metrics.
    async fn totals(&self) -> Result<Totals>;
}
