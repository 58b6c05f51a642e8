//! A booking, where its values come from, and what a calendar's owner mapped them to.
//!
//! [`resolve`] turns a [`Booking`] and a [`Mapping`] into what a plugin is called with, and keeps the way back from the
//! plugin's findings to rows, questions and answers. The crate knows no CRM and no WebAssembly, and does no I/O.
//!
//! One file, one concern: `booking` is the platform's record, [`source`] reads values from it, [`attributes`] lists its
//! named facts, [`template`] and [`names`] derive texts, `mapping` is the mapping format of `docs/mapping.md`, `resolve`
//! puts them together.

pub mod attributes;
mod booking;
#[cfg(test)]
mod fixture;
mod mapping;
pub mod names;
mod resolve;
mod similar;
pub mod source;
pub mod template;
mod text;

pub use booking::{Booking, Kind};
pub use mapping::{Event, Mapping, MappingFault, Row, RowId, ValueTable};
pub use resolve::{Expected, Explained, QuestionRef, ResolveError, Resolved, codes, expectations, resolve};
pub use text::is_blank;
