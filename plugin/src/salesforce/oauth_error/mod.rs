//! What an authorization server's refusal calls for. The manifest turns the server's words into the codes that are listed here.

use crate::{
    bindings::{
        connection::{OauthError, OauthStage},
        types::{Problem, Reaction},
    },
    codes,
};

/// What a code calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// An admin of the org, or of the app, changes something; then somebody connects again.
    Admin,
    /// Somebody connects again.
    Reconnect,
    /// It passes after this many seconds at least. A person who is logging in starts over.
    Passes(u32),
}

/// Turns a refusal into a problem.
pub fn explain(error: OauthError) -> Problem {
    let (code, remedy) = recognize(&error);
    let (reaction, retry_after) = match (remedy, &error.stage) {
        (Remedy::Admin, _) => (Reaction::AskAdmin, None),
        (Remedy::Reconnect, _) => (Reaction::Reconnect, None),
        // A code works once, so an exchange cannot be repeated: the person starts over.
        (Remedy::Passes(_), OauthStage::Authorize | OauthStage::Exchange) => (Reaction::Reconnect, None),
        (Remedy::Passes(seconds), OauthStage::Refresh | OauthStage::Revoke | OauthStage::Other(_)) => {
            (Reaction::Retry, Some(seconds))
        }
    };
    let message = format!("Salesforce's login server refused ({code}).");
    Problem { http_status: error.http_status, retry_after, ..Problem::new(code, reaction, message) }
}

/// Whether what a code means is over once somebody connects again.
pub fn is_cured_by_connecting(code: &str) -> bool {
    known(code).is_some_and(|(_, remedy)| remedy == Remedy::Reconnect)
}

fn known(code: &str) -> Option<(&'static str, Remedy)> {
    REMEDIES.iter().find_map(|(remedy, codes)| Some((*codes.iter().find(|known| **known == code)?, *remedy)))
}

fn recognize(error: &OauthError) -> (&'static str, Remedy) {
    let known = error.code.as_deref().and_then(known);
    let fails = matches!(error.http_status, Some(429 | 500..));
    match (known, &error.stage) {
        (Some(known), _) => known,
        (None, _) if fails => (codes::LOGIN_SERVER_ERROR, Remedy::Passes(60)),
        (None, OauthStage::Revoke) => (codes::LOGIN_UNEXPLAINED, Remedy::Admin),
        (None, _) => (codes::LOGIN_UNEXPLAINED, Remedy::Reconnect),
    }
}

/// Salesforce counts logins per user and hour.
const LOGIN_RATE: u32 = 3600;

static REMEDIES: &[(Remedy, &[&str])] = &[
    (
        Remedy::Admin,
        &[
            "NO_ACCESS",
            "OAUTH_APPROVAL_ERROR_GENERIC",
            "OAUTH_APP_ACCESS_DENIED",
            "OAUTH_APP_BLOCKED",
            "OAUTH_EC_APP_NOT_FOUND",
            "app_attest_failed",
            "app_blocked",
            "app_not_found",
            "bad_jti_claim",
            "ecapp_policy_not_found",
            "exceeded_registration_limit",
            "fail_close_app_blocked",
            "failed_registration",
            "inactive_org",
            "inactive_user",
            "installation_error",
            "invalid_app_access",
            "invalid_assertion_type",
            "invalid_basic_auth_header",
            "invalid_client",
            "invalid_client_id",
            "invalid_distribution_state",
            "invalid_dpop_proof",
            "invalid_expid",
            "invalid_scope",
            "oauth_flow_disabled",
            "oauth_policy_not_found",
            "redirect_uri_mismatch",
            "redirect_uri_missing",
            "registration_error",
            "unsupported_expid",
            "unsupported_grant_type",
            "unsupported_response_type",
            "unsupported_token_type",
            "use_dpop_nonce",
            codes::APP_BLOCKED,
            codes::APP_NOT_APPROVED,
            codes::APP_NOT_AUTHORIZED,
            codes::APP_NOT_INSTALLED,
            codes::AUDIENCE_INVALID,
            codes::LOGIN_RESTRICTED,
            codes::RUN_AS_USER_MISSING,
        ],
    ),
    (
        Remedy::Reconnect,
        &[
            "access_denied",
            "immediate_unsuccessful",
            "invalid_grant",
            "invalid_otp",
            "invalid_request",
            "invalid_session_level",
            "invalid_token",
            "otp_error",
            codes::ALREADY_REVOKED,
            codes::AUTHORIZATION_CODE_ENDED,
            codes::CONNECTION_ENDED,
            codes::LOGIN_HOST_MOVED,
            codes::LOGIN_REFUSED,
            codes::MY_DOMAIN_REQUIRED,
            codes::PKCE_FAILED,
        ],
    ),
    (
        Remedy::Passes(60),
        &[
            "app_attest_failed_retry",
            "login_error",
            "server_error",
            "service_unavailable",
            "system_down",
            "temporarily_unavailable",
            "unknown_error",
        ],
    ),
    (Remedy::Passes(5), &["authorization_pending", "slow_down", codes::REFRESH_IN_PROGRESS]),
    (Remedy::Passes(LOGIN_RATE), &["rate_limit_exceeded"]),
];

/// All codes that the manifest may give.
#[cfg(test)]
pub fn server_codes() -> impl Iterator<Item = &'static str> {
    REMEDIES.iter().flat_map(|(_, codes)| codes.iter().copied())
}

#[cfg(test)]
pub mod tests;
