//! The contract's types and functions, generated from `wit/`. Records and variants are plain data that the whole core
//! uses; only `host` calls the imported functions, and `component` alone is called.

wit_bindgen::generate!({
    path: "../wit",
    world: "lead-plugin-with-settings",
    generate_all,
    additional_derives: [PartialEq, crate::canonical::Canonical],
});

pub use exports::scheduling::crm::{connection, guidance, leads, settings};
pub use scheduling::crm::{http, secrets, types};
