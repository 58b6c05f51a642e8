//! Delivery: from the moment a booking is accepted until it has reached the CRM, or a person knows why it cannot.
//!
//! The core is pure: it has no clock, no randomness and no I/O. Callers pass the time and a random number, and keep what it returns.
//! It knows neither CRMs nor databases.
//!
//! - [`Progress`] is what a ledger keeps about one change of a booking, with every transition;
//! - [`Chain`] holds all changes of one booking, and what one means for the others;
//! - [`Queue`] is what a ledger keeps about a team's connection: its turn ([`fairness`]), its [`Circuit`], why it is held;
//! - [`Settings`] has the schedule.
//!
//! A [`Ledger`] keeps all that durably. `crm-delivery-sqlite` and `crm-delivery-postgres` do, and `conformance` tests others.

pub mod alerts;
mod arrival;
mod chain;
mod circuit;
pub mod columns;
#[cfg(feature = "conformance")]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that does not hold panics"
)]
pub mod conformance;
pub mod fairness;
mod ledger;
mod progress;
mod queue;
mod schedule;
#[cfg(feature = "worker")]
pub mod upkeep;
#[cfg(feature = "worker")]
pub mod worker;

pub use arrival::{ArrivalError, Payload};
pub use chain::{Chain, Entry, EntryId};
pub use circuit::Circuit;
pub use ledger::{
    Acceptance, Arrival, Attempt, Batch, CauseCount, Claimed, Detail, Filter, Integration, InvalidIntegration, Ledger,
    LedgerError, MappingKey, Placed, QueueSummary, StoredMapping, Summary, TeamRow, Totals, Tried,
};
pub use progress::{Cause, Claim, Ended, Progress, Stale, State, codes};
pub use queue::{Hold, Queue};
pub use schedule::Settings;
