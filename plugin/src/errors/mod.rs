//! What Salesforce's refusals and the network's failures mean, as problems that a host and a person can act on.

mod body;
mod catalogue;
mod duplicates;
mod failure;
mod problem;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use body::json;
pub use catalogue::{DUPLICATE_VALUE, DUPLICATES_DETECTED, codes as salesforce_codes};
pub use duplicates::{Duplicates, Match, duplicates};
pub use failure::{problem_from_failure, problem_from_secret_error};
pub use problem::{names_a_record, problem_from_response};

/// What the request was for. It decides what an unclear answer means: a write may have landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Changes nothing at Salesforce.
    Read,
    /// Creates or changes a record.
    Write,
}

/// The plugin's own codes of this module; Salesforce's codes keep Salesforce's spelling.
pub mod codes {
    /// The plugin was never connected, or no longer is, and the host holds no grant.
    pub const NOT_CONNECTED: &str = "not-connected";
    /// The grant has ended.
    pub const CONNECTION_ENDED: &str = "connection-ended";
    /// The host cannot read or refresh the credential just now.
    pub const CREDENTIAL_UNAVAILABLE: &str = "credential-unavailable";
    /// The session is good, but not for the REST API.
    pub const SESSION_NOT_FOR_API: &str = "session-not-for-api";
    /// No connection to the org came about, or none that answered a question in time.
    pub const ORG_UNREACHABLE: &str = "org-unreachable";
    /// The address leads to no org.
    pub const ORG_UNKNOWN: &str = "org-unknown";
    /// The org answers at another address.
    pub const ORG_MOVED: &str = "org-moved";
    /// Salesforce failed without giving a code.
    pub const ORG_ERROR: &str = "org-error";
    /// Salesforce asks to slow down, without giving a code.
    pub const ORG_BUSY: &str = "org-busy";
    /// Nobody can tell whether the write happened.
    pub const OUTCOME_UNKNOWN: &str = "outcome-unknown";
    /// Salesforce refused without giving a code.
    pub const REQUEST_REFUSED: &str = "request-refused";
    /// Salesforce refused for want of a permission, without giving a code.
    pub const ACCESS_REFUSED: &str = "access-refused";
    /// Nothing is there, and Salesforce gave no code.
    pub const RESOURCE_MISSING: &str = "resource-missing";
    /// The record changed in the meantime.
    pub const RECORD_CHANGED: &str = "record-changed";
    /// The org has no such API version, or has it no longer.
    pub const API_VERSION_RETIRED: &str = "api-version-retired";
    /// More was sent than Salesforce or the host takes.
    pub const REQUEST_TOO_LARGE: &str = "request-too-large";
    /// Several records hold the same external ID.
    pub const SEVERAL_RECORDS: &str = "several-records";
    /// The host's policy forbids the request.
    pub const REQUEST_DENIED: &str = "request-denied";
    /// The host took the request for malformed.
    pub const REQUEST_INVALID: &str = "request-invalid";
    /// The host's limits for one call are used up.
    pub const BUDGET_EXHAUSTED: &str = "budget-exhausted";
    /// The answer is larger than the host allows.
    pub const ANSWER_TOO_LARGE: &str = "answer-too-large";
    /// The host withheld the answer, since the credential was in it.
    pub const ANSWER_BLOCKED: &str = "answer-blocked";

    /// The answer was none that Salesforce gives.
    pub const ANSWER_UNREADABLE: &str = "answer-unreadable";

    /// All of them.
    pub const ALL: &[&str] = &[
        NOT_CONNECTED,
        CONNECTION_ENDED,
        CREDENTIAL_UNAVAILABLE,
        SESSION_NOT_FOR_API,
        ORG_UNREACHABLE,
        ORG_UNKNOWN,
        ORG_MOVED,
        ORG_ERROR,
        ORG_BUSY,
        OUTCOME_UNKNOWN,
        REQUEST_REFUSED,
        ACCESS_REFUSED,
        RESOURCE_MISSING,
        RECORD_CHANGED,
        API_VERSION_RETIRED,
        REQUEST_TOO_LARGE,
        SEVERAL_RECORDS,
        REQUEST_DENIED,
        REQUEST_INVALID,
        BUDGET_EXHAUSTED,
        ANSWER_TOO_LARGE,
        ANSWER_BLOCKED,
        ANSWER_UNREADABLE,
    ];
}
