//! The contract's types: those of the crate `contract`, and those of the imports, which never leave this crate.

pub(crate) mod http;

pub use contract::*;
