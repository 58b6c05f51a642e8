//! Authorization errors as problems that a person can act on.
//!
//! Salesforce hides a dozen causes behind `invalid_grant`, and its blocked, missing and unapproved apps behind several
//! spellings each; most often only the description tells them apart. Both parts of an answer may be missing.

use crate::{
    bindings::{
        connection::{OauthError, OauthStage},
        types::{Problem, Reaction},
    },
    codes,
};

/// What an error calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// An admin of the org, or of the app, changes something; then somebody connects again.
    Admin,
    /// Somebody connects again.
    Reconnect,
    /// It passes after this many seconds at least. A person who is logging in starts over.
    Passes(u32),
}

/// Turns an authorization error into a problem.
pub fn explain(error: OauthError) -> Problem {
    let description = error.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let given = error.error.trim();
    let (code, remedy) = recognize(given, description.unwrap_or_default(), &error);
    let (reaction, retry_after) = match (remedy, &error.stage) {
        (Remedy::Admin, _) => (Reaction::AskAdmin, None),
        (Remedy::Reconnect, _) => (Reaction::Reconnect, None),
        // A code works once, so an exchange cannot be repeated: the person starts over.
        (Remedy::Passes(_), OauthStage::Authorize | OauthStage::Exchange) => (Reaction::Reconnect, None),
        (Remedy::Passes(seconds), OauthStage::Refresh | OauthStage::Revoke | OauthStage::Other(_)) => {
            (Reaction::Retry, Some(seconds))
        }
    };
    let message = match (description, given) {
        (Some(description), _) => description.to_owned(),
        (None, "") => "The authorization server gave no reason.".to_owned(),
        (None, given) => given.to_owned(),
    };
    Problem { http_status: error.http_status, retry_after, ..Problem::new(code, reaction, message) }
}

/// The code of an error and its remedy.
fn recognize(given: &str, description: &str, error: &OauthError) -> (String, Remedy) {
    // Salesforce writes `access_denied` and `access-denied`, and codes in capitals on the way back to the browser.
    let code = given.to_ascii_lowercase().replace('-', "_");
    if let Some((known, remedy)) = lookup(DECISIVE, &code) {
        return (known.to_owned(), remedy);
    }
    // Blanks may still be a form's plus signs.
    let text = format!("{code} {}", description.to_ascii_lowercase().replace('+', " "));
    if let Some((_, own_code, remedy)) = TEXTS.iter().find(|(part, ..)| text.contains(part)) {
        return match (*own_code, &error.stage) {
            // A refresh has no authorization code: Salesforce has said this of ended refresh tokens.
            (codes::AUTHORIZATION_CODE_ENDED, OauthStage::Refresh) => {
                (codes::CONNECTION_ENDED.to_owned(), Remedy::Reconnect)
            }
            _ => ((*own_code).to_owned(), *remedy),
        };
    }
    match (code.as_str(), &error.stage) {
        // Every way in which a grant ends looks the same.
        ("invalid_grant" | "invalid_token", OauthStage::Refresh) => {
            (codes::CONNECTION_ENDED.to_owned(), Remedy::Reconnect)
        }
        // A repeated revocation looks like that of a token that never existed.
        ("invalid_token", OauthStage::Revoke) => (codes::ALREADY_REVOKED.to_owned(), Remedy::Reconnect),
        _ => lookup(GENERAL, &code)
            .map(|(known, remedy)| (known.to_owned(), remedy))
            .unwrap_or_else(|| unknown(given, error)),
    }
}

fn lookup(groups: &'static [(Remedy, &'static str)], code: &str) -> Option<(&'static str, Remedy)> {
    groups.iter().find_map(|(remedy, codes)| {
        codes.split(' ').find(|known| known.eq_ignore_ascii_case(code)).map(|known| (known, *remedy))
    })
}

fn unknown(given: &str, error: &OauthError) -> (String, Remedy) {
    let fails = matches!(error.http_status, Some(429 | 500..));
    let code = match (given, fails) {
        ("", true) => codes::LOGIN_SERVER_ERROR,
        ("", false) => codes::LOGIN_UNEXPLAINED,
        (given, _) => given,
    };
    let remedy = match error.stage {
        _ if fails => Remedy::Passes(60),
        OauthStage::Revoke => Remedy::Admin,
        _ => Remedy::Reconnect,
    };
    (code.to_owned(), remedy)
}

/// Codes that determine the cause, whatever the description says.
static DECISIVE: &[(Remedy, &str)] = &[
    (
        Remedy::Admin,
        "OAUTH_APP_ACCESS_DENIED OAUTH_APP_BLOCKED OAUTH_EC_APP_NOT_FOUND NO_ACCESS app_attest_failed \
     app_blocked app_not_found bad_jti_claim ecapp_policy_not_found exceeded_registration_limit \
     fail_close_app_blocked failed_registration inactive_org installation_error invalid_app_access \
     invalid_assertion_type invalid_basic_auth_header invalid_client_id invalid_distribution_state \
     invalid_dpop_proof invalid_expid invalid_scope oauth_flow_disabled oauth_policy_not_found \
     redirect_uri_mismatch redirect_uri_missing registration_error unsupported_expid \
     unsupported_grant_type unsupported_response_type unsupported_token_type use_dpop_nonce",
    ),
    (Remedy::Reconnect, "immediate_unsuccessful inactive_user invalid_otp invalid_session_level otp_error"),
    (Remedy::Passes(60), "app_attest_failed_retry service_unavailable system_down temporarily_unavailable"),
    (Remedy::Passes(5), "authorization_pending slow_down"),
    (Remedy::Passes(LOGIN_RATE), "rate_limit_exceeded"),
];

/// Codes that mean little by themselves: they apply if the description is unknown.
static GENERAL: &[(Remedy, &str)] = &[
    (Remedy::Admin, "OAUTH_APPROVAL_ERROR_GENERIC invalid_client"),
    (Remedy::Reconnect, "access_denied invalid_grant invalid_request invalid_token"),
    (Remedy::Passes(60), "login_error server_error unknown_error"),
];

/// Salesforce's code for too many logins.
const RATE_LIMIT_EXCEEDED: &str = "rate_limit_exceeded";
/// Logins are counted per user and hour.
const LOGIN_RATE: u32 = 3600;

/// Parts of code and description, in lower case. The first match applies, so the specific ones come first.
static TEXTS: &[(&str, &str, Remedy)] = &[
    ("already being processed", codes::REFRESH_IN_PROGRESS, Remedy::Passes(5)),
    ("app must be installed", codes::APP_NOT_INSTALLED, Remedy::Admin),
    ("app is not installed", codes::APP_NOT_INSTALLED, Remedy::Admin),
    ("oauth_ec_app_not_found", "OAUTH_EC_APP_NOT_FOUND", Remedy::Admin),
    ("not admin approved", codes::APP_NOT_APPROVED, Remedy::Admin),
    ("oauth_app_access_denied", "OAUTH_APP_ACCESS_DENIED", Remedy::Admin),
    ("blocked by admin", codes::APP_BLOCKED, Remedy::Admin),
    ("oauth_app_blocked", "OAUTH_APP_BLOCKED", Remedy::Admin),
    ("oauth_approval_error_generic", "OAUTH_APPROVAL_ERROR_GENERIC", Remedy::Admin),
    ("approved this consumer", codes::APP_NOT_AUTHORIZED, Remedy::Reconnect),
    ("ip restricted", codes::LOGIN_RESTRICTED, Remedy::Admin),
    ("login hours", codes::LOGIN_RESTRICTED, Remedy::Admin),
    ("not supported on this domain", codes::MY_DOMAIN_REQUIRED, Remedy::Reconnect),
    ("no client credentials user", codes::RUN_AS_USER_MISSING, Remedy::Admin),
    ("audience validation failed", codes::AUDIENCE_INVALID, Remedy::Admin),
    ("code challenge", codes::PKCE_FAILED, Remedy::Reconnect),
    ("code verifier", codes::PKCE_FAILED, Remedy::Reconnect),
    ("code_verifier", codes::PKCE_FAILED, Remedy::Reconnect),
    ("authorization code", codes::AUTHORIZATION_CODE_ENDED, Remedy::Reconnect),
    ("authentication failure", codes::LOGIN_REFUSED, Remedy::Reconnect),
    ("user is inactive", "inactive_user", Remedy::Reconnect),
    ("org is locked", "inactive_org", Remedy::Admin),
    ("client identifier invalid", "invalid_client_id", Remedy::Admin),
    ("number of logins exceeded", RATE_LIMIT_EXCEEDED, Remedy::Passes(LOGIN_RATE)),
    ("login rate exceeded", RATE_LIMIT_EXCEEDED, Remedy::Passes(LOGIN_RATE)),
];

/// The known codes of the authorization server.
#[cfg(test)]
pub fn server_codes() -> impl Iterator<Item = &'static str> {
    DECISIVE.iter().chain(GENERAL).flat_map(|(_, codes)| codes.split(' '))
}

#[cfg(test)]
pub mod tests;
