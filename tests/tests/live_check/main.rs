//! The `live-check` steps, run against local orgs, and the command around them.

mod command;
mod leftovers;
mod steps;
mod support;
mod transcript;
