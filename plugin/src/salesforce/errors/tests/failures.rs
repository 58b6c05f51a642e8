//! Requests without a response.

use crate::{
    bindings::{
        http::{
            Effect::{None as NoEffect, Unknown},
            Failure, FailureKind,
        },
        secrets::SecretError,
        types::Reaction::{AskAdmin, CheckFirst, FixBooking, Reconnect, Retry},
    },
    salesforce::errors::{Call, problem_from_failure, problem_from_secret_error},
};

#[rustfmt::skip]
const KINDS: &[(FailureKind, &str, crate::bindings::types::Reaction)] = &[
    (FailureKind::Denied, "request-denied", AskAdmin),
    (FailureKind::InvalidRequest, "request-invalid", FixBooking),
    (FailureKind::GrantEnded, "connection-ended", Reconnect),
    (FailureKind::RefreshFailed, "credential-unavailable", Retry),
    (FailureKind::Connect, "org-unreachable", Retry),
    (FailureKind::Tls, "org-unreachable", Retry),
    (FailureKind::Timeout, "org-unreachable", Retry),
    (FailureKind::Closed, "org-unreachable", Retry),
    (FailureKind::ResponseTooLarge, "answer-too-large", AskAdmin),
    (FailureKind::ResponseBlocked, "answer-blocked", AskAdmin),
    (FailureKind::Budget, "budget-exhausted", Retry),
];

#[test]
fn a_failure_without_effect_says_what_to_do() {
    for &(kind, code, reaction) in KINDS {
        for (call, effect) in [(Call::Read, NoEffect), (Call::Read, Unknown), (Call::Write, NoEffect)] {
            let problem = problem_from_failure(&Failure { kind, effect }, call);
            assert_eq!((problem.code.as_str(), problem.reaction), (code, reaction), "{kind:?}");
            assert_eq!(problem.retry_after.is_some(), reaction == Retry, "{kind:?}");
            assert_eq!(problem.http_status, None);
            assert!(!problem.message.is_empty());
        }
    }
}

#[test]
fn a_write_of_unknown_effect_is_looked_for_whatever_went_wrong() {
    for &(kind, ..) in KINDS {
        let problem = problem_from_failure(&Failure { kind, effect: Unknown }, Call::Write);
        assert_eq!((problem.code.as_str(), problem.reaction), ("outcome-unknown", CheckFirst), "{kind:?}");
        assert_eq!(problem.retry_after, Some(30));
    }
}

#[test]
fn a_credential_that_cannot_be_opened_says_why() {
    for (error, code, reaction) in [
        (SecretError::Unavailable, "not-connected", Reconnect),
        (SecretError::GrantEnded, "connection-ended", Reconnect),
        (SecretError::Temporary, "credential-unavailable", Retry),
    ] {
        let problem = problem_from_secret_error(error);
        assert_eq!((problem.code.as_str(), problem.reaction), (code, reaction));
    }
}
