//! The Salesforce plugin: every confirmed booking becomes a Lead.
//!
//! The core is pure: it takes a booking, a mapping and an [`org::Org`] to speak to. `host` and `component` glue it to the
//! component's imports and exports.

// Without the standard library, whose handling of panics nobody would hear: a trap ends the call, and the host says so.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "an allocator is unsafe by its nature")]
mod allocator;
mod api;
mod attributes;
#[expect(missing_docs, reason = "generated; the documentation is in wit/")]
pub mod bindings;
mod body;
#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "only a component has such a boundary"))]
#[expect(unsafe_code, reason = "what crosses a component's boundary lies in raw memory")]
mod canonical;
pub mod check;
mod choices;
pub mod codes;
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the exported functions of a component take and give raw memory")]
mod component;
pub mod deliver;
mod describe;
pub mod doctor;
pub mod errors;
pub mod fields;
#[cfg(test)]
mod fixture;
pub mod guidance;
#[cfg(target_arch = "wasm32")]
mod host;
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
mod strings;
mod template;
#[cfg(test)]
mod tests;
mod timestamp;
mod tree;
mod value;
mod width;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
