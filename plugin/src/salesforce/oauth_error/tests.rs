//! What becomes of each answer of an authorization server that the reference lists.

use super::{TEXTS, explain, server_codes};
use crate::bindings::{
    connection::{
        OauthError,
        OauthStage::{self, Authorize, Exchange, Refresh, Revoke},
    },
    types::{
        Problem,
        Reaction::{self, AskAdmin, Reconnect, Retry},
    },
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn explained(stage: OauthStage, error: &str, description: Option<&str>, status: Option<u16>) -> Problem {
    let (error, description) = (error.into(), description.map(Into::into));
    explain(OauthError { stage, error, description, http_status: status, more: Vec::new() })
}

#[rustfmt::skip]
/// Answers with what becomes of them: stage, error, description, code, reaction.
pub static CATALOGUE: &[(OauthStage, &str, &str, &str, Reaction)] = &[
    (Refresh, "invalid_grant", "expired access/refresh token", "connection-ended", Reconnect),
    (Refresh, "invalid_grant", "token request is already being processed", "refresh-in-progress", Retry),
    (Exchange, "invalid_grant", "expired authorization code", "authorization-code-ended", Reconnect),
    (Exchange, "invalid_grant", "invalid authorization code", "authorization-code-ended", Reconnect),
    (Exchange, "invalid_grant", "authentication failure", "login-refused", Reconnect),
    (Exchange, "invalid_grant", "authentication failure - Invalid Password", "login-refused", Reconnect),
    (Refresh, "invalid_grant", "ip restricted or invalid login hours", "login-restricted", AskAdmin),
    (Exchange, "invalid_grant", "IP restricted", "login-restricted", AskAdmin),
    (Exchange, "invalid_grant", "user hasn't approved this consumer", "app-not-authorized", Reconnect),
    (Exchange, "invalid_grant", "request not supported on this domain", "my-domain-required", Reconnect),
    (Exchange, "invalid_grant", "no client credentials user enabled", "run-as-user-missing", AskAdmin),
    (Exchange, "invalid_grant", "Audience validation failed", "audience-invalid", AskAdmin),
    (Exchange, "invalid_grant", "missing code verifier", "pkce-failed", Reconnect),
    (Exchange, "invalid_grant", "something new", "invalid_grant", Reconnect),
    (Refresh, "invalid_grant", "something new", "connection-ended", Reconnect),
    (Refresh, "invalid_grant", "expired authorization code", "connection-ended", Reconnect),
    (Refresh, "inactive_user", "User is inactive", "inactive_user", Reconnect),
    (Refresh, "inactive_org", "Org is locked, closed, or suspended", "inactive_org", AskAdmin),
    (Authorize, "invalid_client_id", "client identifier invalid", "invalid_client_id", AskAdmin),
    (Exchange, "invalid_client", "invalid client credentials", "invalid_client", AskAdmin),
    (Authorize, "invalid_client", "app+must+be+installed+into+org", "app-not-installed", AskAdmin),
    (Authorize, "invalid_client", "App must be installed into org", "app-not-installed", AskAdmin),
    (Authorize, "access_denied", "External client app is not installed in this org", "app-not-installed", AskAdmin),
    (Authorize, "OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org", "OAUTH_EC_APP_NOT_FOUND", AskAdmin),
    (Authorize, "", "OAUTH_EC_APP_NOT_FOUND : not here", "OAUTH_EC_APP_NOT_FOUND", AskAdmin),
    (Exchange, "invalid_app_access", "user is not admin approved to access this app", "invalid_app_access", AskAdmin),
    (Authorize, "OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app", "OAUTH_APP_ACCESS_DENIED", AskAdmin),
    (Authorize, "access_denied", "User is not admin approved to access this app", "app-not-approved", AskAdmin),
    (Authorize, "OAUTH_APP_BLOCKED", "this app is blocked by admin", "OAUTH_APP_BLOCKED", AskAdmin),
    (Authorize, "access_denied", "this app is blocked by admin", "app-blocked", AskAdmin),
    (Authorize, "OAUTH_APPROVAL_ERROR_GENERIC", "An unexpected error has occurred during authentication. Please try again.", "OAUTH_APPROVAL_ERROR_GENERIC", AskAdmin),
    (Authorize, "", "OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occurred", "OAUTH_APPROVAL_ERROR_GENERIC", AskAdmin),
    (Authorize, "NO_ACCESS", "", "NO_ACCESS", AskAdmin),
    (Authorize, "invalid_request", "missing required code challenge", "pkce-failed", Reconnect),
    (Exchange, "invalid_request", "invalid code verifier", "pkce-failed", Reconnect),
    (Authorize, "invalid_request", "HTTPS required", "invalid_request", Reconnect),
    (Authorize, "invalid_request", "Must use HTTP GET", "invalid_request", Reconnect),
    (Authorize, "invalid_request", "Out-of-band not supported", "invalid_request", Reconnect),
    (Authorize, "redirect_uri_mismatch", "redirect_uri must match configuration", "redirect_uri_mismatch", AskAdmin),
    (Authorize, "redirect_uri_missing", "Redirect_uri not provided", "redirect_uri_missing", AskAdmin),
    (Authorize, "unsupported_response_type", "Response type not supported", "unsupported_response_type", AskAdmin),
    (Exchange, "unsupported_grant_type", "grant type not supported", "unsupported_grant_type", AskAdmin),
    (Authorize, "invalid_scope", "Requested scope is invalid, unknown, or malformed", "invalid_scope", AskAdmin),
    (Authorize, "access_denied", "end-user denied authorization", "access_denied", Reconnect),
    (Authorize, "access-denied", "User denied authorization", "access_denied", Reconnect),
    (Refresh, "rate_limit_exceeded", "Number of logins exceeded", "rate_limit_exceeded", Retry),
    (Refresh, "invalid_grant", "Login Rate Exceeded", "rate_limit_exceeded", Retry),
    (Authorize, "immediate_unsuccessful", "", "immediate_unsuccessful", Reconnect),
    (Refresh, "server_error", "sorry", "server_error", Retry),
    (Exchange, "server_error", "sorry", "server_error", Reconnect),
    (Refresh, "service_unavailable", "", "service_unavailable", Retry),
    (Refresh, "temporarily_unavailable", "", "temporarily_unavailable", Retry),
    (Refresh, "system_down", "", "system_down", Retry),
    (Refresh, "login_error", "", "login_error", Retry),
    (Refresh, "unknown_error", "retry your request", "unknown_error", Retry),
    (Refresh, "slow_down", "", "slow_down", Retry),
    (Refresh, "authorization_pending", "", "authorization_pending", Retry),
    (Refresh, "app_attest_failed_retry", "", "app_attest_failed_retry", Retry),
    (Refresh, "oauth_flow_disabled", "", "oauth_flow_disabled", AskAdmin),
    (Refresh, "oauth_policy_not_found", "", "oauth_policy_not_found", AskAdmin),
    (Refresh, "ecapp_policy_not_found", "", "ecapp_policy_not_found", AskAdmin),
    (Refresh, "invalid_distribution_state", "", "invalid_distribution_state", AskAdmin),
    (Refresh, "app_not_found", "", "app_not_found", AskAdmin),
    (Refresh, "app_blocked", "", "app_blocked", AskAdmin),
    (Refresh, "fail_close_app_blocked", "", "fail_close_app_blocked", AskAdmin),
    (Refresh, "installation_error", "", "installation_error", AskAdmin),
    (Refresh, "app_attest_failed", "", "app_attest_failed", AskAdmin),
    (Refresh, "bad_jti_claim", "", "bad_jti_claim", AskAdmin),
    (Refresh, "exceeded_registration_limit", "", "exceeded_registration_limit", AskAdmin),
    (Refresh, "failed_registration", "", "failed_registration", AskAdmin),
    (Refresh, "registration_error", "", "registration_error", AskAdmin),
    (Refresh, "invalid_assertion_type", "", "invalid_assertion_type", AskAdmin),
    (Refresh, "invalid_basic_auth_header", "", "invalid_basic_auth_header", AskAdmin),
    (Refresh, "invalid_dpop_proof", "", "invalid_dpop_proof", AskAdmin),
    (Refresh, "use_dpop_nonce", "", "use_dpop_nonce", AskAdmin),
    (Refresh, "invalid_expid", "", "invalid_expid", AskAdmin),
    (Refresh, "unsupported_expid", "", "unsupported_expid", AskAdmin),
    (Authorize, "invalid_otp", "", "invalid_otp", Reconnect),
    (Authorize, "otp_error", "", "otp_error", Reconnect),
    (Refresh, "invalid_session_level", "", "invalid_session_level", Reconnect),
    (Refresh, "invalid_token", "", "connection-ended", Reconnect),
    (Exchange, "invalid_token", "", "invalid_token", Reconnect),
    (Revoke, "invalid_token", "Token was invalid", "already-revoked", Reconnect),
    (Revoke, "unsupported_token_type", "Token type not supported", "unsupported_token_type", AskAdmin),
];

#[test]
fn every_answer_of_the_catalogue_is_explained() {
    for (stage, error, description, code, reaction) in CATALOGUE.iter().cloned() {
        let description = Some(description).filter(|text| !text.is_empty());
        let problem = explained(stage, error, description, Some(400));
        assert_eq!((problem.code.as_str(), &problem.reaction), (code, &reaction), "{error} {description:?}");
        assert_eq!(problem.message, description.unwrap_or(error));
        assert_eq!(problem.retry_after.is_some(), reaction == Retry, "{error} {description:?}");
    }
}

#[test]
fn every_code_that_is_recognised_is_in_the_table_above() {
    let mut reached: BTreeSet<_> = CATALOGUE.iter().map(|(.., code, _)| *code).collect();
    reached.extend(["login-server-error", "login-unexplained"]);
    let own = TEXTS.iter().map(|(_, code, _)| *code).chain([crate::codes::ALREADY_REVOKED]);
    for code in server_codes().chain(own) {
        assert!(reached.contains(code), "{code}");
    }
}

#[test]
fn case_and_punctuation_make_no_difference() {
    let shouted = explained(Refresh, "INVALID_GRANT", Some("Token Request Is ALREADY Being Processed"), Some(400));
    assert_eq!((shouted.code.as_str(), shouted.reaction), ("refresh-in-progress", Retry));
    assert_eq!(explained(Authorize, " oauth_app_blocked ", None, None).code, "OAUTH_APP_BLOCKED");
}

#[test]
fn a_missing_description_and_a_missing_error_are_survived() {
    for description in [None, Some(""), Some("  ")] {
        assert_eq!(explained(Refresh, "invalid_grant", description, Some(400)).code, "connection-ended");
        let silent = explained(Exchange, "", description, Some(502));
        assert_eq!((silent.code.as_str(), silent.reaction), ("login-server-error", Reconnect));
        let silent = explained(Refresh, "", description, Some(503));
        assert_eq!((silent.code.as_str(), silent.reaction), ("login-server-error", Retry));
        let silent = explained(Authorize, "", description, None);
        assert_eq!((silent.code.as_str(), silent.reaction), ("login-unexplained", Reconnect));
        assert!(!silent.message.is_empty());
    }
}

#[test]
fn an_unknown_error_keeps_its_code_and_is_classed_by_status_and_stage() {
    for (stage, status, reaction) in [
        (Refresh, Some(400), Reconnect),
        (Refresh, Some(500), Retry),
        (Refresh, Some(429), Retry),
        (Refresh, None, Reconnect),
        (Exchange, Some(500), Reconnect),
        (Authorize, None, Reconnect),
        (Revoke, Some(400), AskAdmin),
        (Revoke, Some(503), Retry),
    ] {
        let problem = explained(stage.clone(), "brand_new", Some("Never seen."), status);
        assert_eq!((problem.code.as_str(), problem.reaction), ("brand_new", reaction), "{stage:?} {status:?}");
        assert_eq!(problem.http_status, status);
    }
}

/// Whether the manifest has a host end the grant over a refusal of the token endpoint: what `ended` names and `invalid_grant`, unless
/// it is `transient`.
fn ends_the_grant(refresh: &toml::Table, error: &str, description: &str) -> bool {
    let is_in = |list: &str| {
        refresh[list].as_array().unwrap().iter().any(|pattern| {
            let part = pattern.get("description").and_then(toml::Value::as_str).unwrap_or_default();
            pattern["error"].as_str() == Some(error) && description.to_lowercase().contains(&part.to_lowercase())
        })
    };
    !is_in("transient") && (error == "invalid_grant" || is_in("ended"))
}

#[test]
fn the_manifest_ends_a_grant_where_somebody_must_connect_again_and_nowhere_else() {
    let manifest: toml::Table = include_str!("../../../plugin.toml").parse().unwrap();
    let refresh = manifest["credentials"]["salesforce"]["refresh"].as_table().unwrap();
    for (stage, error, description, ..) in CATALOGUE.iter().cloned() {
        let ends = ends_the_grant(refresh, error, description);
        // What a refresh may be answered, whether it was seen there or elsewhere.
        let reaction = explained(Refresh, error, Some(description), Some(400)).reaction;
        assert!(reaction == Reconnect || !ends, "{error} {description:?}");
        if stage == Refresh {
            assert_eq!(ends, reaction == Reconnect, "{error} {description:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_trap(error in ".{0,40}", description in proptest::option::of(".{0,80}"), status in any::<Option<u16>>()) {
        for stage in [Authorize, Exchange, Refresh, Revoke] {
            let problem = explained(stage.clone(), &error, description.as_deref(), status);
            prop_assert!(!problem.code.is_empty() && !problem.message.is_empty());
        }
    }
}
