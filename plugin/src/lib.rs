//! The Salesforce plugin: every confirmed booking becomes a Lead.
//!
//! The core is pure: it takes a booking, a mapping and an [`org::Org`] to speak to. `component` connects it to the
//! component's imports and exports.

mod api;
mod attributes;
#[expect(missing_docs, reason = "generated; the documentation is in wit/")]
pub mod bindings;
mod blank;
mod body;
pub mod check;
mod choices;
pub mod codes;
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "generated exports, and an allocator")]
mod component;
pub mod deliver;
mod describe;
pub mod doctor;
pub mod errors;
pub mod fields;
#[cfg(test)]
mod fixture;
pub mod guidance;
mod json;
mod lead;
mod mapping;
mod names;
pub mod oauth_error;
pub mod options;
pub mod org;
mod plan;
pub mod preview;
#[cfg(test)]
mod script;
mod soql;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod texts;
mod timestamp;
mod tree;
mod value;
mod width;
