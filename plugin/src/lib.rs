//! The Salesforce plugin: every confirmed booking becomes a Lead.
//!
//! The core is pure: the contract's functions are here, and take the org to speak to as an [`Org`]. Modules depend only on
//! those listed before them:
//!
//! - `bindings`, `codes`, `problem`, `texts`: the contract, and what needs no other module;
//! - `guidance`: what people read about a code;
//! - `field`: a Lead field as the plugin knows it, and its memo;
//! - `value`: a value in the type of a field;
//! - `salesforce`: the org as a client sees it;
//! - `mapping`: which rows a field concerns;
//! - `settings`: fields and options to choose from, and the check of a mapping;
//! - `deliver`: from rows to a record, or to a preview of it;
//! - `component`: exports, and the host's imports. The only part that exists for WebAssembly alone.

#[expect(missing_docs, reason = "generated; the documentation is in wit/")]
pub mod bindings;
mod codes;
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "generated exports, and an allocator")]
mod component;
mod deliver;
mod field;
#[cfg(test)]
mod fixture;
mod guidance;
mod mapping;
mod problem;
mod salesforce;
#[cfg(test)]
mod script;
mod settings;
mod texts;
mod value;

pub use deliver::{deliver, preview::preview};
pub use guidance::{advice, codes};
pub use salesforce::{
    doctor::check as check_connection,
    oauth_error::explain,
    org::{Connect, Org},
};
pub use settings::{
    check::check as check_mapping,
    list_choices, list_lead_fields,
    options::{list_targets, options},
};
