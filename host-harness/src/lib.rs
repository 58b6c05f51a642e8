//! The `host-harness` command as a library, so that tests and the command do things in the same way.
//!
//! - [`input`] reads an operator's files,
//! - [`target`] opens a plugin and the connection that a command works on,
//! - [`commands`] are the sub-commands, one file each.

pub mod cli;
pub mod commands;
pub mod input;
pub mod target;
mod ui;
