//! The routes over real sockets, with a ledger and a store in SQLite.
//!
//! [`bed::Bed::send`] holds every answer to the OpenAPI document, and every line of the log to having nothing personal.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that does not hold panics")]

mod alerts;
mod bed;
mod bookings;
mod deliveries;
mod document;
mod hooks;
mod http;
mod judge;
mod log;
mod mappings;
mod metrics;
mod roles;
mod teams;
