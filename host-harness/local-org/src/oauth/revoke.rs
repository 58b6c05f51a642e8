//! Revocation and introspection of tokens.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::{OAuthError, client, exchange::has_lapsed};
use crate::{
    message::{Answer, Form, Request},
    org::{Org, Settings},
    state::Grant,
    token::Digest,
};

/// `POST /services/oauth2/revoke`: revokes an access token alone, or a refresh token with every access token of its grant.
/// An expired or revoked token is invalid.
pub(crate) fn revoke(org: &Org, request: &Request) -> Answer {
    let form = if request.body.is_empty() { Form::of_query(&request.query) } else { request.form() };
    let token = Digest::of(form.get("token").unwrap_or_default());
    let (settings, now) = (org.settings(), org.now());
    let mut state = org.state();
    if state.kept.change().sessions.remove(&token).is_some_and(|session| session.expires > now) {
        return Answer::empty(StatusCode::OK);
    }
    let grant = state.kept.grants.iter().find(|(_, grant)| works(&settings, grant, &token, now));
    match grant.map(|(&number, _)| number) {
        Some(number) => {
            state.end_grant(number);
            Answer::empty(StatusCode::OK)
        }
        None => OAuthError::new("invalid_token", "Token was invalid").into(),
    }
}

/// Whether a token is the current refresh token of a grant that has not expired.
fn works(settings: &Settings, grant: &Grant, token: &Digest, now: Timestamp) -> bool {
    grant.refresh.as_ref() == Some(token) && !has_lapsed(settings, grant, now)
}

/// `POST /services/oauth2/introspect` (RFC 7662).
pub(crate) fn introspect(org: &Org, request: &Request) -> Answer {
    let form = request.form();
    let app = org.app();
    if client(request, &form) != (Some(app.client_id.clone()), Some(app.client_secret)) {
        return OAuthError::new("invalid_client", "invalid client credentials").into();
    }
    let (settings, now) = (org.settings(), org.now());
    let token = Digest::of(form.get("token").unwrap_or_default());
    let state = org.state();
    let subject = |username: &str| {
        let user = settings.user_id(username).unwrap_or_default();
        format!("{}/id/{}/{user}", org.base_url(), settings.org_id())
    };
    let session = state.kept.sessions.get(&token).filter(|session| session.expires > now);
    let body = if let Some(session) = session {
        json!({
            "active": true,
            "scope": session.scopes.join(" "),
            "client_id": app.client_id,
            "username": session.username,
            "sub": subject(&session.username),
            "token_type": "access_token",
            "exp": session.expires.as_second(),
            "iat": session.issued.as_second(),
            "nbf": session.issued.as_second(),
        })
    } else if let Some(grant) = state.kept.grants.values().find(|grant| works(&settings, grant, &token, now)) {
        json!({
            "active": true,
            "scope": grant.scopes.join(" "),
            "client_id": app.client_id,
            "username": grant.username,
            "sub": subject(&grant.username),
            "token_type": "refresh_token",
            "iat": grant.issued.as_second(),
            "nbf": grant.issued.as_second(),
        })
    } else {
        json!({"active": false})
    };
    Answer::json(StatusCode::OK, &body)
}
