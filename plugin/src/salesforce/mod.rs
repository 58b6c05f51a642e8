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
mod tree;

use crate::bindings::types::{LeadFields, Problem};
use org::Connect;

/// Opens the connected org.
pub fn open<C: Connect>(connect: &mut C) -> Result<C::Org, Box<Problem>> {
    connect.connect().map_err(|error| Box::new(errors::problem_from_secret_error(error)))
}

/// The Lead fields that the connected user can map.
pub fn list_lead_fields(connect: &mut impl Connect) -> Result<LeadFields, Box<Problem>> {
    api::Api::new(&mut open(connect)?)?.describe()
}
