//! What an authorisation server said, as a problem that a person can act on.
//!
//! Salesforce hides a dozen causes behind `invalid_grant`, and its blocked, missing and unapproved apps behind several
//! spellings each; most often only the description tells them apart. Both parts of an answer may be missing.

use crate::{
    bindings::{
        connection::{OauthError, OauthStage},
        types::{Problem, Reaction},
    },
    errors::codes::CONNECTION_ENDED,
};

/// The plugin's own codes of this module, for causes that Salesforce gives no code of their own. The others keep the
/// authorisation server's spelling.
pub mod codes {
    /// Another refresh of the same token is under way.
    pub const REFRESH_IN_PROGRESS: &str = "refresh-in-progress";
    /// The code was used before, or too late.
    pub const AUTHORIZATION_CODE_ENDED: &str = "authorization-code-ended";
    /// Name, password or user state.
    pub const LOGIN_REFUSED: &str = "login-refused";
    /// Network address or hours.
    pub const LOGIN_RESTRICTED: &str = "login-restricted";
    /// Nobody allowed the app before.
    pub const APP_NOT_AUTHORIZED: &str = "app-not-authorized";
    /// An admin must approve the user for the app.
    pub const APP_NOT_APPROVED: &str = "app-not-approved";
    /// An admin blocked the app.
    pub const APP_BLOCKED: &str = "app-blocked";
    /// The app is not installed in the org.
    pub const APP_NOT_INSTALLED: &str = "app-not-installed";
    /// A policy of the app or the org that Salesforce does not name.
    pub const APPROVAL_FAILED: &str = "approval-failed";
    /// Only the org's own My Domain takes this request.
    pub const MY_DOMAIN_REQUIRED: &str = "my-domain-required";
    /// The client-credentials flow has no user to run as.
    pub const RUN_AS_USER_MISSING: &str = "run-as-user-missing";
    /// The assertion names another audience.
    pub const AUDIENCE_INVALID: &str = "audience-invalid";
    /// The code challenge and its verifier.
    pub const PKCE_FAILED: &str = "pkce-failed";
    /// There was nothing left to revoke.
    pub const ALREADY_REVOKED: &str = "already-revoked";
    /// The authorisation server failed without giving a code.
    pub const LOGIN_SERVER_ERROR: &str = "login-server-error";

    /// All of them.
    pub const ALL: &[&str] = &[
        REFRESH_IN_PROGRESS,
        AUTHORIZATION_CODE_ENDED,
        LOGIN_REFUSED,
        LOGIN_RESTRICTED,
        APP_NOT_AUTHORIZED,
        APP_NOT_APPROVED,
        APP_BLOCKED,
        APP_NOT_INSTALLED,
        APPROVAL_FAILED,
        MY_DOMAIN_REQUIRED,
        RUN_AS_USER_MISSING,
        AUDIENCE_INVALID,
        PKCE_FAILED,
        ALREADY_REVOKED,
        LOGIN_SERVER_ERROR,
    ];
}

/// What an error calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// An admin of the org, or of the app, changes something; then somebody connects again.
    Admin,
    /// Somebody connects again.
    Reconnect,
    /// It passes, after so many seconds at least. While a person logs in, that person starts over.
    Passes(u32),
}

/// Turns what an authorisation server said into a problem.
pub fn explain(error: OauthError) -> Problem {
    let description = error.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let given = error.error.trim();
    let (code, class) = recognise(given, description.unwrap_or_default(), &error);
    let (reaction, retry_after) = match (class, error.stage) {
        (Class::Admin, _) => (Reaction::AskAdmin, None),
        (Class::Reconnect, _) => (Reaction::Reconnect, None),
        // A code works once, so an exchange cannot be repeated: the person starts over.
        (Class::Passes(_), OauthStage::Authorize | OauthStage::Exchange) => (Reaction::Reconnect, None),
        (Class::Passes(seconds), OauthStage::Refresh | OauthStage::Revoke) => (Reaction::Retry, Some(seconds)),
    };
    let message = match (description, given) {
        (Some(description), _) => description.to_owned(),
        (None, "") => "The authorisation server gave no reason.".to_owned(),
        (None, given) => given.to_owned(),
    };
    Problem {
        code,
        message,
        reaction,
        http_status: error.http_status,
        fields: Vec::new(),
        rows: Vec::new(),
        question_ids: Vec::new(),
        retry_after,
        record_ids: Vec::new(),
        also: Vec::new(),
    }
}

fn recognise(given: &str, description: &str, error: &OauthError) -> (String, Class) {
    // Salesforce writes `access_denied` and `access-denied`; a browser's way back may leave blanks as `+`.
    let code = given.to_ascii_lowercase().replace('-', "_");
    let text = format!("{code} {}", description.to_ascii_lowercase().replace('+', " "));
    if let Some((_, own_code, class)) = TEXTS.iter().find(|(part, ..)| text.contains(part)) {
        return ((*own_code).to_owned(), *class);
    }
    match (code.as_str(), error.stage) {
        // Every way in which a grant ends looks the same, and a repeated revocation like a first one too late.
        ("invalid_token", OauthStage::Revoke) => return (codes::ALREADY_REVOKED.to_owned(), Class::Reconnect),
        ("invalid_grant", OauthStage::Refresh) => return (CONNECTION_ENDED.to_owned(), Class::Reconnect),
        // The verifier is missing, or the code is: Salesforce says the same for both.
        ("invalid_grant", OauthStage::Exchange) if description.is_empty() => {
            return (codes::AUTHORIZATION_CODE_ENDED.to_owned(), Class::Reconnect);
        }
        _ => {}
    }
    if let Some((class, known)) =
        CODES.iter().find_map(|(class, codes)| codes.iter().find(|known| **known == code).map(|known| (*class, *known)))
    {
        return (known.to_owned(), class);
    }
    let fails = matches!(error.http_status, Some(429 | 500..=599));
    match (given, fails) {
        ("", true) => (codes::LOGIN_SERVER_ERROR.to_owned(), Class::Passes(60)),
        ("", false) => (codes::APPROVAL_FAILED.to_owned(), Class::Admin),
        (_, true) => (given.to_owned(), Class::Passes(60)),
        (_, false) if error.stage == OauthStage::Refresh => (given.to_owned(), Class::Reconnect),
        (_, false) => (given.to_owned(), Class::Admin),
    }
}

/// Parts of code and description, in lower case; the first that matches holds. The particular ones come first.
static TEXTS: &[(&str, &str, Class)] = &[
    ("already being processed", codes::REFRESH_IN_PROGRESS, Class::Passes(5)),
    ("app must be installed", codes::APP_NOT_INSTALLED, Class::Admin),
    ("app is not installed", codes::APP_NOT_INSTALLED, Class::Admin),
    ("oauth_ec_app_not_found", codes::APP_NOT_INSTALLED, Class::Admin),
    ("not admin approved", codes::APP_NOT_APPROVED, Class::Admin),
    ("oauth_app_access_denied", codes::APP_NOT_APPROVED, Class::Admin),
    ("blocked by admin", codes::APP_BLOCKED, Class::Admin),
    ("oauth_app_blocked", codes::APP_BLOCKED, Class::Admin),
    ("oauth_approval_error_generic", codes::APPROVAL_FAILED, Class::Admin),
    ("approved this consumer", codes::APP_NOT_AUTHORIZED, Class::Reconnect),
    ("ip restricted", codes::LOGIN_RESTRICTED, Class::Admin),
    ("invalid login hours", codes::LOGIN_RESTRICTED, Class::Admin),
    ("not supported on this domain", codes::MY_DOMAIN_REQUIRED, Class::Reconnect),
    ("no client credentials user", codes::RUN_AS_USER_MISSING, Class::Admin),
    ("audience validation failed", codes::AUDIENCE_INVALID, Class::Admin),
    ("code challenge", codes::PKCE_FAILED, Class::Reconnect),
    ("code verifier", codes::PKCE_FAILED, Class::Reconnect),
    ("code_verifier", codes::PKCE_FAILED, Class::Reconnect),
    ("authorization code", codes::AUTHORIZATION_CODE_ENDED, Class::Reconnect),
    ("authentication failure", codes::LOGIN_REFUSED, Class::Reconnect),
    ("invalid_grant expired access/refresh token", CONNECTION_ENDED, Class::Reconnect),
    // Salesforce's way to say that there was nothing to revoke.
    ("invalid_token token was invalid", codes::ALREADY_REVOKED, Class::Reconnect),
    ("number of logins exceeded", "rate_limit_exceeded", Class::Passes(3600)),
    ("login rate exceeded", "rate_limit_exceeded", Class::Passes(3600)),
];

/// The authorisation server's own codes.
static CODES: &[(Class, &[&str])] = &[
    (
        Class::Passes(60),
        &[
            "server_error",
            "service_unavailable",
            "system_down",
            "login_error",
            "temporarily_unavailable",
            "unknown_error",
        ],
    ),
    (Class::Passes(5), &["slow_down", "authorization_pending"]),
    (Class::Passes(3600), &["rate_limit_exceeded"]),
];

/// The authorisation server's codes that are recognised, and have advice.
pub fn server_codes() -> impl Iterator<Item = &'static str> {
    CODES.iter().flat_map(|(_, codes)| codes.iter().copied())
}
