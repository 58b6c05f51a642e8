//! The steps for a real org, taken against orgs on this machine; and the command around them.

mod command;
mod leftovers;
mod steps;
mod support;
mod transcript;
