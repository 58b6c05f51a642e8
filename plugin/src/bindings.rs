//! The contract in Rust, generated from `wit/`. Its records and variants are plain data that the whole core uses; its
//! functions are only called, and exported, in `component`.

wit_bindgen::generate!({
    path: "../wit",
    world: "plugin-with-settings",
    generate_all,
    // The records of `types` are those that hosts use, too.
    with: { "scheduling:crm/types@0.1.0": crm_contract },
    additional_derives: [PartialEq],
});

pub use crm_contract as types;
pub use exports::scheduling::crm::{connection, guidance, leads, settings};
pub use scheduling::crm::{http, secrets};
