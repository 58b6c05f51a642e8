//! OAuth 2.0 as Salesforce implements it.

mod authorize;
mod exchange;
mod identity;
mod pages;
mod revoke;

use http::{Method, StatusCode, header::CACHE_CONTROL};
use serde_json::json;

use crate::{
    message::{Answer, Form, Request},
    org::{Org, Settings},
    state::Session,
    token::Digest,
};

pub(crate) use authorize::{decide, log_in};
pub(crate) use exchange::begin_refresh;
pub(crate) use identity::{display_name, identity};

/// Handles the endpoints below `/services/oauth2/`.
pub(crate) fn respond(org: &Org, endpoint: &str, request: &Request) -> Answer {
    match (endpoint, &request.method) {
        ("authorize", &Method::GET) => authorize::authorize(org, request),
        ("authorize", &Method::POST) => {
            authorize::authorize(org, &Request { query: body_text(request), ..request.clone() })
        }
        ("token", &Method::POST) => exchange::token(org, request),
        ("token", _) => OAuthError::new("invalid_request", "must use HTTP POST").into(),
        ("revoke", &Method::GET | &Method::POST) => revoke::revoke(org, request),
        ("introspect", &Method::POST) => revoke::introspect(org, request),
        ("userinfo", &Method::GET | &Method::POST) => identity::userinfo(org, request),
        _ => Answer::empty(StatusCode::NOT_FOUND),
    }
}

fn body_text(request: &Request) -> String {
    String::from_utf8_lossy(&request.body).into_owned()
}

/// The session of a request's bearer token, and the token's digest.
pub(crate) fn session(org: &Org, request: &Request) -> Option<(Digest, Session)> {
    let header = request.header("authorization")?;
    let (scheme, token) = header.split_once(' ')?;
    // Salesforce also accepts its older scheme "OAuth".
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("oauth") {
        return None;
    }
    let digest = Digest::of(token.trim());
    let settings = org.settings();
    let idle = jiff::SignedDuration::from_mins(i64::from(settings.file.app.session_minutes));
    let session = org.state().touch_session(&digest, org.now(), idle)?;
    // Sessions end when the user is deactivated or an admin blocks the app.
    let ended = matches!(Obstacle::find(&settings, &session.username), Some(Obstacle::Inactive | Obstacle::Blocked));
    (!ended).then_some((digest, session))
}

/// An error of an OAuth endpoint, always with status 400.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OAuthError {
    pub error: &'static str,
    pub description: &'static str,
}

impl OAuthError {
    pub const fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description }
    }
}

pub(crate) const EXPIRED: OAuthError = OAuthError::new("invalid_grant", "expired access/refresh token");

impl From<OAuthError> for Answer {
    fn from(error: OAuthError) -> Self {
        let body = json!({"error": error.error, "error_description": error.description});
        Answer::json(StatusCode::BAD_REQUEST, &body).with(CACHE_CONTROL, "no-cache, no-store")
    }
}

/// What keeps a user from using the app.
pub(crate) enum Obstacle {
    Locked,
    Inactive,
    IpRestricted,
    Blocked,
    NotApproved,
    NotInstalled,
    ExternalClientAppMissing,
}

impl Obstacle {
    pub fn find(settings: &Settings, username: &str) -> Option<Self> {
        use crate::file::AppAccess;
        let Some(user) = settings.user(username) else { return Some(Self::Inactive) };
        if settings.file.locked {
            return Some(Self::Locked);
        }
        if !user.active {
            return Some(Self::Inactive);
        }
        if user.ip_restricted {
            return Some(Self::IpRestricted);
        }
        match settings.file.app.access {
            AppAccess::AllUsers => None,
            AppAccess::AdminApproved => (!user.approved).then_some(Self::NotApproved),
            AppAccess::Blocked => Some(Self::Blocked),
            AppAccess::Uninstalled => (!user.approved).then_some(Self::NotInstalled),
            AppAccess::ExternalClientAppMissing => Some(Self::ExternalClientAppMissing),
        }
    }

    /// The error sent to the callback.
    pub fn on_callback(&self) -> OAuthError {
        match self {
            Self::Locked => OAuthError::new("inactive_org", "Org is locked, closed, or suspended"),
            Self::Inactive => OAuthError::new("inactive_user", "User is inactive"),
            Self::IpRestricted => OAuthError::new("invalid_grant", "ip restricted or invalid login hours"),
            Self::Blocked => OAuthError::new("OAUTH_APP_BLOCKED", "this app is blocked by admin"),
            Self::NotApproved => {
                OAuthError::new("OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app")
            }
            Self::NotInstalled => OAuthError::new("invalid_client", "app must be installed into org"),
            Self::ExternalClientAppMissing => {
                OAuthError::new("OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org")
            }
        }
    }

    /// The error of the token endpoint.
    pub fn on_token(&self) -> OAuthError {
        match self {
            Self::NotApproved => OAuthError::new("invalid_app_access", "user is not admin approved to access this app"),
            Self::Blocked => OAuthError::new("app_blocked", "this app is blocked by admin"),
            Self::ExternalClientAppMissing => {
                OAuthError::new("app_not_found", "External client app is not installed in this org")
            }
            other => other.on_callback(),
        }
    }
}

/// Client id and secret of a token request. A Basic header is used unless the body has a secret or another client id.
fn client(request: &Request, form: &Form) -> (Option<String>, Option<String>) {
    let (id, secret) = (form.filled("client_id"), form.filled("client_secret"));
    let basic = request.header("authorization").and_then(|header| header.strip_prefix("Basic ")).and_then(decode_basic);
    match basic {
        Some((own, password)) if secret.is_none() && id.is_none_or(|id| id == own) => {
            (Some(own), Some(password).filter(|password| !password.is_empty()))
        }
        _ => (id.map(ToOwned::to_owned), secret.map(ToOwned::to_owned)),
    }
}

fn decode_basic(text: &str) -> Option<(String, String)> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let text = String::from_utf8(BASE64_STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749, section 2.3.1: both parts are form-encoded.
    let decode = |part: &str| Form::of_query(&format!("v={}", part)).get("v").map(ToOwned::to_owned);
    Some((decode(id)?, decode(secret)?))
}
