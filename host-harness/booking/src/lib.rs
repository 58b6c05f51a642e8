//! A booking, where its values come from, and what a calendar's owner mapped them to.
//!
//! [`resolve`] turns a [`Booking`] and a [`Mapping`] into what a plugin is called with, and keeps the way back from the
//! plugin's findings to rows, questions and answers. The crate knows no CRM and no WebAssembly, and does no I/O.
//!
//! ```
//! # use crm_contract::{Booking, Delivery, LeadField, Mapping, Problem};
//! # fn example(
//! #     booking: crm_booking::Booking,
//! #     mapping: crm_booking::Mapping,
//! #     fields: Vec<LeadField>,
//! #     deliver: impl FnOnce(&Booking, &Mapping) -> Result<Delivery, Problem>,
//! # ) -> Result<(), crm_booking::ResolveError> {
//! // `fields` are the fields that the plugin listed when the mapping was saved.
//! let resolved = crm_booking::resolve(&booking, &mapping, &fields)?;
//! let mut findings = resolved.findings;
//! // `deliver` calls the plugin: `crm_host::Plugin::on_booking_completed`.
//! match deliver(&resolved.booking, &resolved.mapping) {
//!     Ok(delivery) => findings.extend(delivery.findings.into_iter().map(|found| resolved.origins.explain(found))),
//!     Err(problem) => println!("{:?}", resolved.origins.explain_problem(problem)),
//! }
//! for found in findings {
//!     println!("{:?} {:?}: {}", found.row_ids, found.questions, found.finding.detail);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! One file, one concern: `booking` is the platform's record, [`source`] reads values from it, [`attributes`] lists its
//! named facts, [`template`] and [`names`] derive texts, `mapping` is the mapping format of `docs/mapping.md`, `resolve`
//! puts them together.

pub mod attributes;
mod booking;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
mod mapping;
pub mod names;
mod resolve;
mod similar;
pub mod source;
pub mod template;
mod text;

pub use booking::{Booking, Kind};
pub use mapping::{EVENTS, Event, ListedTwice, Mapping, MappingFault, Row, RowId, ValueTable};
pub use resolve::{
    Expected, Explained, ExplainedProblem, Origins, QuestionRef, ResolveError, Resolved, codes, expectations, resolve,
    unknown_options,
};
pub use text::is_blank;
