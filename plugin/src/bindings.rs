//! The contract's types and functions, generated from `wit/`. Records and variants are plain data that the whole core
//! uses; only `lib.rs` calls the imported functions.

wit_bindgen::generate!({
    path: "../wit",
    world: "lead-plugin-with-settings",
    generate_all,
    additional_derives: [PartialEq, crate::canonical::Canonical],
});

pub use exports::scheduling::crm::{connection, guidance, leads, settings};
pub use scheduling::crm::{http, secrets, types};
