//! A booking, where its values come from, and what a calendar's owner mapped them to.
//!
//! [`resolve`] turns a [`Booking`] and a [`Mapping`] into the rows that a plugin is called with, and keeps the way back from the
//! plugin's findings to rows, questions and answers. [`expectations`] does the same for a check of a mapping. The crate knows no
//! CRM and no WebAssembly, and does no I/O.
//!
//! ```
//! # use crm_contract::{Booking, Delivery, Mapping, Problem};
//! # fn example(
//! #     booking: crm_booking::Booking,
//! #     mapping: crm_booking::Mapping,
//! #     memos: crm_booking::Memos,
//! #     deliver: impl FnOnce(&Booking, &Mapping) -> Result<Delivery, Problem>,
//! # ) {
//! // `memos` are those of the fields that the plugin listed when the mapping was saved.
//! let resolved = crm_booking::resolve(&booking, &mapping, &memos);
//! let mut findings = resolved.findings;
//! // `deliver` calls the plugin: `crm_host::Plugin::on_booking_completed`.
//! match deliver(&resolved.booking, &resolved.mapping) {
//!     Ok(delivery) => findings.extend(delivery.findings.into_iter().map(|found| resolved.origins.explain(found))),
//!     Err(problem) => println!("{:?}", resolved.origins.explain_problem(problem)),
//! }
//! for found in findings {
//!     println!("{:?} {:?}: {}", found.row_ids, found.questions, found.finding.message);
//! }
//! # }
//! ```
//!
//! One file, one concern: `booking` is the platform's record, [`source`] reads values from it, [`attributes`] lists its
//! named facts, [`template`] and [`names`] derive texts, `mapping` is the mapping format of `docs/mapping.md`, `resolve`
//! puts them together.

mod advice;
mod alike;
mod answer_json;
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

pub use advice::advice;
pub use booking::{
    Answer, AnswerValue, Booking, Calendar, Guest, Kind, Payment, Person, Place, PlaceKind, Question, QuestionKind,
    Team,
};
pub use crm_characters::is_blank;
pub use mapping::{EVENTS, Event, ListedTwice, Mapping, MappingFault, Memos, Row, RowId, ValueTable};
pub use resolve::{
    Expected, Explained, ExplainedProblem, Origins, QuestionRef, Resolved, codes, expectations, resolve,
    unknown_fields, unknown_options,
};
pub use similar::suggestion;
pub use source::Source;
