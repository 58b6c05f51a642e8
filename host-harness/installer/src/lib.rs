//! Installs missing tools from Debian packages, and starts tools in a clean environment.
//!
//! For builds and tests. A crate of its own, so that a test can use it without the sandbox that a build needs.

mod environment;
mod install;

pub use environment::{clean, withhold_settings};
pub use install::{FORBIDDEN_BY, Needed, NotInstalled, install};

/// The source of [`clean`]: a build's stamp covers it, because it decides what the compiler sees.
pub const CLEAN_SOURCE: &str = include_str!("environment.rs");
