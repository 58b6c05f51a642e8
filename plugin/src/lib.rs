//! The Salesforce plugin: every confirmed booking becomes a Lead.
//!
//! The core is pure: it takes a booking, a mapping and an [`org::Org`] to speak to. This file only glues it to the
//! component's imports and exports.

#[expect(missing_docs, reason = "generated; the documentation is in wit/")]
pub mod bindings;
pub mod codes;
pub mod doctor;
pub mod errors;
pub mod guidance;
pub mod oauth_error;
pub mod org;
