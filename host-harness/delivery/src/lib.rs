//! Delivery: from the moment a booking is accepted until it has reached the CRM, or a person knows why it cannot.
//!
//! This crate is the pure core. It has no clock, no randomness and no I/O: callers pass the time and a random number, and keep what it
//! returns. It knows neither CRMs nor databases.
//!
//! - [`Progress`] is what a ledger keeps about one change of a booking, with every transition;
//! - [`Settings`] has the schedule;
//! - [`fairness`] says whose turn it is, and [`Circuit`] when a team has none.

mod circuit;
pub mod fairness;
mod progress;
mod schedule;

pub use circuit::Circuit;
pub use progress::{Cause, Claim, Ended, Progress, Stale, State};
pub use schedule::Settings;
