//! Requests without a response.

use crate::{
    bindings::{
        http::{Failure, FailureKind},
        secrets::SecretError,
        types::{
            Effect::{self, None as NoEffect, Unknown},
            Reaction::{self, AskAdmin, CheckFirst, FixBooking, Reconnect, Retry},
        },
    },
    salesforce::errors::{Call, problem_from_failure, problem_from_secret_error},
};

#[rustfmt::skip]
static KINDS: &[(FailureKind, &str, Reaction)] = &[
    (FailureKind::Denied, "request-denied", AskAdmin),
    (FailureKind::InvalidRequest, "request-invalid", FixBooking),
    (FailureKind::GrantEnded, "connection-ended", Reconnect),
    (FailureKind::RefreshFailed, "credential-unavailable", Retry),
    (FailureKind::NeedsAPerson, "credential-blocked", AskAdmin),
    (FailureKind::Connect, "org-unreachable", Retry),
    (FailureKind::Tls, "org-unreachable", Retry),
    (FailureKind::Timeout, "org-unreachable", Retry),
    (FailureKind::Closed, "org-unreachable", Retry),
    (FailureKind::ResponseTooLarge, "answer-too-large", AskAdmin),
    (FailureKind::ResponseBlocked, "answer-blocked", AskAdmin),
    (FailureKind::Budget, "budget-exhausted", Retry),
    (FailureKind::Other(String::new()), "org-unreachable", Retry),
];

fn failure(kind: &FailureKind, effect: Effect) -> Failure {
    Failure { kind: kind.clone(), effect, detail: None, more: Vec::new() }
}

#[test]
fn a_failure_without_effect_says_what_to_do() {
    for (kind, code, reaction) in KINDS {
        for (call, effect) in [(Call::Read, NoEffect), (Call::Read, Unknown), (Call::Write, NoEffect)] {
            let problem = problem_from_failure(&failure(kind, effect), call);
            assert_eq!((problem.code.as_str(), &problem.reaction), (*code, reaction), "{kind:?}");
            assert_eq!(problem.retry_after.is_some(), *reaction == Retry, "{kind:?}");
            assert_eq!(problem.http_status, None);
            assert!(!problem.message.is_empty());
        }
    }
}

#[test]
fn a_write_of_unknown_effect_is_looked_for_whatever_went_wrong() {
    for (kind, ..) in KINDS {
        let named = Failure { detail: Some("app-blocked".into()), ..failure(kind, Unknown) };
        let problem = problem_from_failure(&named, Call::Write);
        assert_eq!((problem.code.as_str(), problem.reaction), ("outcome-unknown", CheckFirst), "{kind:?}");
        assert_eq!(problem.retry_after, Some(30));
    }
}

#[test]
fn what_the_authorization_server_said_is_kept_if_people_can_read_about_it() {
    for (detail, code, reaction) in [
        (Some("app-not-approved"), "app-not-approved", AskAdmin),
        // The grant stands, and yet only a new connection helps.
        (Some("login-host-moved"), "login-host-moved", Reconnect),
        (Some("never-heard-of"), "credential-blocked", AskAdmin),
        (None, "credential-blocked", AskAdmin),
    ] {
        let detail = detail.map(str::to_owned);
        let failure = Failure { detail: detail.clone(), ..failure(&FailureKind::NeedsAPerson, NoEffect) };
        for problem in
            [problem_from_failure(&failure, Call::Write), problem_from_secret_error(&SecretError::NeedsAPerson(detail))]
        {
            assert_eq!((problem.code.as_str(), &problem.reaction), (code, &reaction));
        }
    }
    // A failure of the network has nothing to do with it.
    let lost = Failure { detail: Some("app-blocked".into()), ..failure(&FailureKind::Timeout, NoEffect) };
    assert_eq!(problem_from_failure(&lost, Call::Read).code, "org-unreachable");
}

#[test]
fn a_credential_that_cannot_be_opened_says_why() {
    let code = || Some("refresh-in-progress".to_owned());
    for (error, code, reaction) in [
        (SecretError::Unavailable, "not-connected", Reconnect),
        (SecretError::GrantEnded(None), "connection-ended", Reconnect),
        (SecretError::GrantEnded(Some("inactive_user".into())), "inactive_user", Reconnect),
        (SecretError::Temporary(None), "credential-unavailable", Retry),
        (SecretError::Temporary(code()), "refresh-in-progress", Retry),
        (SecretError::NeedsAPerson(None), "credential-blocked", AskAdmin),
        (SecretError::Other("of a later version".into()), "credential-unavailable", Retry),
    ] {
        let problem = problem_from_secret_error(&error);
        assert_eq!((problem.code.as_str(), problem.reaction), (code, reaction), "{error:?}");
        assert_eq!(problem.effect, NoEffect);
    }
}
