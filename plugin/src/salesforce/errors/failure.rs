//! Requests without a response, and credentials that could not be opened.

use super::{
    Call,
    catalogue::{BUSY, Class},
};
use crate::{
    bindings::{
        http::{Failure, FailureKind},
        secrets::SecretError,
        types::{Effect, Problem},
    },
    codes, guidance,
    salesforce::oauth_error,
};

/// The problem that a request without a response means: `check-first` if it may have written.
pub fn problem_from_failure(failure: &Failure, call: Call) -> Problem {
    let (code, class, message) = by_kind(&failure.kind);
    if call == Call::Write && failure.effect == Effect::Unknown {
        return plain_problem(codes::OUTCOME_UNKNOWN, Class::Unclear, call, message);
    }
    let is_of_the_credential = matches!(
        failure.kind,
        FailureKind::GrantEnded | FailureKind::RefreshFailed | FailureKind::NeedsAPerson | FailureKind::Other(_)
    );
    let detail = failure.detail.as_deref().filter(|_| is_of_the_credential);
    of_credential(code, class, detail, call, message)
}

/// A problem of the credential. `detail` is the manifest's code for what the authorization server said; it stands if people can
/// read about it, and tells who must act while the grant stands.
fn of_credential(code: &str, class: Class, detail: Option<&str>, call: Call, message: &str) -> Problem {
    let Some(detail) = detail.filter(|code| guidance::explains(code)) else {
        return plain_problem(code, class, call, message);
    };
    let class = match class {
        Class::Admin if oauth_error::is_cured_by_connecting(detail) => Class::Reconnect,
        class => class,
    };
    plain_problem(detail, class, call, message)
}

fn by_kind(kind: &FailureKind) -> (&'static str, Class, &'static str) {
    match kind {
        FailureKind::Denied => (codes::REQUEST_DENIED, Class::Admin, "The platform's policy forbids the request."),
        FailureKind::InvalidRequest => {
            (codes::REQUEST_INVALID, Class::Booking, "The platform refused the request as malformed or too large.")
        }
        FailureKind::GrantEnded => (codes::CONNECTION_ENDED, Class::Reconnect, "The connection's grant has ended."),
        FailureKind::RefreshFailed => {
            (codes::CREDENTIAL_UNAVAILABLE, Class::Wait(BUSY), "The credential could not be refreshed just now.")
        }
        FailureKind::NeedsAPerson => NEEDS_A_PERSON,
        FailureKind::Connect => (codes::ORG_UNREACHABLE, Class::Wait(BUSY), "The org could not be reached."),
        FailureKind::Tls => {
            (codes::ORG_UNREACHABLE, Class::Wait(BUSY), "No secure connection to the org could be made.")
        }
        FailureKind::Timeout => (codes::ORG_UNREACHABLE, Class::Wait(BUSY), "The org did not answer in time."),
        FailureKind::Closed => {
            (codes::ORG_UNREACHABLE, Class::Wait(BUSY), "The connection ended before the answer did.")
        }
        FailureKind::ResponseTooLarge => {
            (codes::ANSWER_TOO_LARGE, Class::Admin, "The answer is larger than the platform allows.")
        }
        FailureKind::ResponseBlocked => (
            codes::ANSWER_BLOCKED,
            Class::Admin,
            "The answer was withheld: it is partial, and could contain a part of the credential.",
        ),
        FailureKind::Budget => {
            (codes::BUDGET_EXHAUSTED, Class::Wait(BUSY), "The platform's limits for one call are used up.")
        }
        FailureKind::Other(_) => {
            (codes::ORG_UNREACHABLE, Class::Wait(BUSY), "The platform could not complete the request.")
        }
    }
}

/// The grant stands, but somebody must allow its use.
const NEEDS_A_PERSON: (&str, Class, &str) =
    (codes::CREDENTIAL_BLOCKED, Class::Admin, "Salesforce's login server refused to renew the connection.");

/// The problem if there is no credential.
pub fn problem_from_secret_error(error: &SecretError) -> Problem {
    let unavailable =
        (codes::CREDENTIAL_UNAVAILABLE, Class::Wait(BUSY), "The credential could not be opened just now.");
    let ((code, class, message), detail) = match error {
        SecretError::Unavailable => {
            ((codes::NOT_CONNECTED, Class::Reconnect, "There is no connection to Salesforce."), None)
        }
        SecretError::GrantEnded(detail) => {
            ((codes::CONNECTION_ENDED, Class::Reconnect, "The connection's grant has ended."), detail.as_deref())
        }
        SecretError::Temporary(detail) => (unavailable, detail.as_deref()),
        SecretError::NeedsAPerson(detail) => (NEEDS_A_PERSON, detail.as_deref()),
        SecretError::Other(_) => (unavailable, None),
    };
    // Opening sends nothing, so that nothing can have been written.
    of_credential(code, class, detail, Call::Read, message)
}

fn plain_problem(code: &str, class: Class, call: Call, message: &str) -> Problem {
    let (reaction, retry_after) = class.reaction(call);
    Problem { retry_after, ..Problem::new(code, reaction, message) }
}
