//! What becomes of each code of the manifest, and of refusals without one.

use super::{Remedy, explain, recognize, server_codes};
use crate::bindings::{
    connection::{
        OauthError,
        OauthStage::{self, Authorize, Exchange, Other, Refresh, Revoke},
    },
    types::Reaction::{AskAdmin, Reconnect, Retry},
};
use std::collections::BTreeSet;

pub fn refused(stage: OauthStage, code: Option<&str>, http_status: Option<u16>) -> OauthError {
    OauthError { stage, code: code.map(str::to_owned), http_status, more: Vec::new() }
}

/// The codes that the manifest gives, with what they mean for a grant.
fn manifest() -> Vec<(String, String)> {
    let manifest: toml::Table = include_str!("../../../plugin.toml").parse().unwrap();
    let refusals = manifest["credentials"]["salesforce"]["refusals"].as_array().unwrap();
    let mut codes = Vec::new();
    for refusal in refusals {
        let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
        match (refusal.get("code"), refusal.get("error")) {
            (Some(code), _) => codes.push((text(code), text(&refusal["means"]))),
            (None, errors) => {
                let errors = errors.unwrap().as_array().unwrap();
                codes.extend(errors.iter().map(|error| (text(error), text(&refusal["means"]))));
            }
        }
    }
    codes
}

#[test]
fn every_code_of_the_manifest_has_a_remedy_of_the_same_meaning_and_no_other_code_has_one() {
    for (code, means) in manifest() {
        let (known, remedy) = recognize(&refused(Refresh, Some(&code), Some(400)));
        let fits = match remedy {
            Remedy::Admin => ["crm-admin", "operator"].contains(&means.as_str()),
            Remedy::Reconnect => ["ended", "team"].contains(&means.as_str()),
            Remedy::Passes(_) => means == "passing",
        };
        assert!(known == code && fits, "{code} means {means}: {known} {remedy:?}");
    }
    let given: BTreeSet<_> = manifest().into_iter().map(|(code, _)| code).collect();
    assert_eq!(given, server_codes().map(str::to_owned).collect());
}

#[test]
fn what_passes_is_repeated_unless_a_person_is_logging_in() {
    for (stage, reaction) in [
        (Authorize, Reconnect),
        (Exchange, Reconnect),
        (Refresh, Retry),
        (Revoke, Retry),
        (Other("of a later version".to_owned()), Retry),
    ] {
        let problem = explain(refused(stage.clone(), Some("server_error"), Some(400)));
        assert_eq!(problem.retry_after.is_some(), reaction == Retry, "{stage:?}");
        assert_eq!(problem.reaction, reaction, "{stage:?}");
    }
}

#[test]
fn a_refusal_without_a_code_is_classed_by_status_and_stage() {
    for code in [None, Some(""), Some("of a later manifest")] {
        for (stage, status, expected, reaction) in [
            (Refresh, Some(400), "login-unexplained", Reconnect),
            (Refresh, Some(500), "login-server-error", Retry),
            (Refresh, Some(429), "login-server-error", Retry),
            (Refresh, None, "login-unexplained", Reconnect),
            (Exchange, Some(502), "login-server-error", Reconnect),
            (Authorize, None, "login-unexplained", Reconnect),
            (Revoke, Some(400), "login-unexplained", AskAdmin),
            (Revoke, Some(503), "login-server-error", Retry),
        ] {
            let problem = explain(refused(stage.clone(), code, status));
            assert_eq!((problem.code.as_str(), problem.reaction), (expected, reaction), "{stage:?} {status:?}");
            assert_eq!(problem.http_status, status);
            assert!(!problem.message.is_empty());
        }
    }
}
