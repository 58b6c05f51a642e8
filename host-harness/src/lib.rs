//! The `host-harness` command as a library, so that tests read an operator's files as the command does.
//!
//! - [`input`] reads bookings and mappings,
//! - `component_file`, `policy_file` and `orgs` read what a command works with,
//! - [`environment`] reads the settings in the environment,
//! - `connection` opens a plugin and a connection, and `brokers` saves what is under way when the command ends,
//! - [`commands`] holds the sub-commands, one file each, and [`error`] their failures with exit codes.

mod brokers;
pub mod cli;
pub mod commands;
mod component_file;
mod connection;
mod databases;
mod doubt;
pub mod environment;
pub mod error;
mod files;
pub mod input;
mod orgs;
mod policy_file;
mod ui;
