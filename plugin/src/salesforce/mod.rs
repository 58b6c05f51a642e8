//! The connected org as a client sees it: its REST API, its fields, its Leads, its errors.

pub mod api;
pub mod body;
mod describe;
pub mod doctor;
pub mod errors;
pub mod fields;
mod json;
pub mod lead;
pub mod oauth_error;
pub mod org;
pub mod soql;
pub mod tree;

use crate::bindings::types::Problem;
use org::Connect;

/// Opens the connected org.
pub fn open<C: Connect>(connect: &mut C) -> Result<C::Org, Box<Problem>> {
    connect.connect().map_err(|error| Box::new(errors::problem_from_secret_error(&error)))
}
