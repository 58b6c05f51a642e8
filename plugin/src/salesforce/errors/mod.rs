//! Salesforce's refusals and network failures as problems that a host and a person can act on.

mod body;
mod catalogue;
mod duplicates;
mod failure;
mod problem;
#[cfg(test)]
mod tests;

pub(crate) use body::json;
#[cfg(test)]
pub use catalogue::known_codes as salesforce_codes;
pub use catalogue::{DUPLICATE_VALUE, DUPLICATES_DETECTED, explained_alike, explained_like};
pub use duplicates::duplicates;
pub use failure::{problem_from_failure, problem_from_secret_error};
pub use problem::{names_a_record, problem_from_response};

/// The purpose of a request. It decides what an unclear answer means: a write may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Changes nothing at Salesforce.
    Read,
    /// Creates or changes a record.
    Write,
}
