//! The texts, one file per kind of cause.

mod access;
mod apps;
mod connection;
mod fields;
mod leads;
mod login;
mod mapping;
mod platform;
mod service;
mod values;

use super::cause::Cause;

/// All causes.
pub static ALL: &[&[Cause]] = &[
    values::CAUSES,
    fields::CAUSES,
    mapping::CAUSES,
    leads::CAUSES,
    access::CAUSES,
    connection::CAUSES,
    apps::CAUSES,
    login::CAUSES,
    service::CAUSES,
    platform::CAUSES,
];
