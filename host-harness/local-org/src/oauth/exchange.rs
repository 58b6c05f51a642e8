//! The token endpoint: exchanges codes, refresh tokens and client credentials for access tokens.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{StatusCode, header::CACHE_CONTROL};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use sha2::Sha256;
use url::form_urlencoded;

use super::{EXPIRED, OAuthError, Obstacle, client};
use crate::{
    file::RefreshPolicy,
    id,
    message::{Answer, Form, Request},
    org::{Org, Settings},
    state::{Grant, Session, State},
    token::{self, Digest, sha256_base64url},
};

/// Maximum approvals per user and app. The next one ends the oldest.
const APPROVALS: usize = 5;
/// Minimum length of a PKCE code verifier.
const SHORTEST_VERIFIER: usize = 43;

/// `POST /services/oauth2/token`.
pub(crate) fn token(org: &Org, request: &Request) -> Answer {
    let form = request.form();
    match grant(org, request, &form) {
        Ok(members) => render(&members, &form, request).with(CACHE_CONTROL, "no-cache, no-store"),
        Err(error) => error.into(),
    }
}

type Members = Vec<(&'static str, String)>;

fn grant(org: &Org, request: &Request, form: &Form) -> Result<Members, OAuthError> {
    match form.get("grant_type") {
        Some("authorization_code") => {
            authenticate(org, request, form, org.settings().file.app.secret_required_for_web)?;
            check_address(org)?;
            by_code(org, form)
        }
        Some("refresh_token") => {
            authenticate(org, request, form, org.settings().file.app.secret_required_for_refresh)?;
            check_address(org)?;
            by_refresh_token(org, form)
        }
        Some("client_credentials") => {
            authenticate(org, request, form, true)?;
            by_client_credentials(org)
        }
        // New orgs block the username-password flow, and no user approved this app for the JWT bearer flow.
        Some("password") => Err(OAuthError::new("invalid_grant", "authentication failure")),
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
            Err(OAuthError::new("invalid_grant", "user hasn't approved this consumer"))
        }
        _ => Err(OAuthError::new("unsupported_grant_type", "grant type not supported")),
    }
}

fn authenticate(org: &Org, request: &Request, form: &Form, secret_required: bool) -> Result<(), OAuthError> {
    let app = org.app();
    if form.filled("client_assertion").is_some() {
        return Err(OAuthError::new("invalid_assertion_type", "client assertions are not set up for this app"));
    }
    let (client_id, secret) = client(request, form);
    if client_id.as_ref() != Some(&app.client_id) {
        return Err(OAuthError::new("invalid_client_id", "client identifier invalid"));
    }
    // A secret that is sent is checked even if it is not required.
    match secret {
        Some(secret) if secret == app.client_secret => Ok(()),
        None if !secret_required => Ok(()),
        _ => Err(OAuthError::new("invalid_client", "invalid client credentials")),
    }
}

/// Applies the app's list of IP addresses, which only those who send codes and refresh tokens must be on.
fn check_address(org: &Org) -> Result<(), OAuthError> {
    if org.settings().file.app.ip_allowlisted { Ok(()) } else { Err(Obstacle::IpRestricted.on_token()) }
}

fn by_code(org: &Org, form: &Form) -> Result<Members, OAuthError> {
    let settings = org.settings();
    let now = org.now();
    let mut state = org.state();
    let digest = Digest::of(form.get("code").unwrap_or_default());
    let Some(code) = state.codes.get_mut(&digest) else {
        return Err(OAuthError::new("invalid_grant", "invalid authorization code"));
    };
    if code.used || code.expires <= now {
        return Err(OAuthError::new("invalid_grant", "expired authorization code"));
    }
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(OAuthError::new("redirect_uri_mismatch", "redirect_uri must match configuration"));
    }
    code.used = true;
    let code = code.clone();
    match (&code.challenge, form.filled("code_verifier")) {
        (Some(_), None) => return Err(OAuthError::new("invalid_grant", "missing code verifier")),
        // The lower bound is from RFC 7636, section 4.1. The upper bound is not enforced: Salesforce's own tools exceed it.
        (Some(challenge), Some(verifier))
            if verifier.len() < SHORTEST_VERIFIER || *challenge != sha256_base64url(verifier) =>
        {
            return Err(OAuthError::new("invalid_grant", "invalid code verifier"));
        }
        _ => {}
    }
    if let Some(obstacle) = Obstacle::find(&settings, &code.username) {
        return Err(obstacle.on_token());
    }
    let (grant, refresh) = approve(&settings, &mut state, now, &code.username, &code.scopes);
    let mut members = issue(org, &settings, &mut state, now, grant, &code.username, &code.scopes);
    if let Some(refresh) = refresh {
        members.insert(1, ("refresh_token", refresh));
    }
    Ok(members)
}

/// Whether a grant has expired under the app's refresh token policy.
pub(super) fn has_lapsed(settings: &Settings, grant: &Grant, now: Timestamp) -> bool {
    settings.file.app.refresh_policy.end(grant.issued, grant.used).is_some_and(|end| now > end)
}

/// Records a user's approval; returns its number and its refresh token, if the scopes include one.
fn approve(
    settings: &Settings,
    state: &mut State,
    now: Timestamp,
    username: &str,
    scopes: &[String],
) -> (Option<u64>, Option<String>) {
    if !scopes.iter().any(|scope| scope == "refresh_token") {
        return (None, None);
    }
    let theirs: Vec<u64> =
        state.kept.grants.iter().filter(|(_, grant)| grant.username == username).map(|(&number, _)| number).collect();
    if theirs.len() >= APPROVALS
        && let Some(&oldest) = theirs.first()
    {
        state.end_grant(oldest);
    }
    let refresh = new_refresh_token();
    let number = state.next();
    // Under the policy "Immediately expire", the issued token never works.
    let usable = settings.file.app.refresh_policy != RefreshPolicy::Zero;
    let grant = Grant {
        username: username.to_owned(),
        scopes: scopes.to_vec(),
        refresh: usable.then(|| Digest::of(&refresh)),
        retired: Default::default(),
        issued: now,
        used: now,
    };
    state.kept.change().grants.insert(number, grant);
    (Some(number), Some(refresh))
}

fn new_refresh_token() -> String {
    format!("5Aep861{}", token::random(80))
}

fn by_refresh_token(org: &Org, form: &Form) -> Result<Members, OAuthError> {
    let settings = org.settings();
    let now = org.now();
    let digest = Digest::of(form.get("refresh_token").unwrap_or_default());
    let mut state = org.state();
    let state = &mut *state;
    let Some((&number, grant)) = state
        .kept
        .change()
        .grants
        .iter_mut()
        .find(|(_, grant)| grant.refresh.as_ref() == Some(&digest) || grant.retired.contains(&digest))
    else {
        return Err(EXPIRED);
    };
    // A retired token was either stolen or reused by mistake; Salesforce ends the whole grant.
    if has_lapsed(&settings, grant, now) || grant.retired.contains(&digest) {
        state.end_grant(number);
        return Err(EXPIRED);
    }
    match Obstacle::find(&settings, &grant.username) {
        // Users who approved the app before installation became mandatory can keep using it.
        None | Some(Obstacle::NotInstalled) => {}
        Some(obstacle) => return Err(obstacle.on_token()),
    }
    grant.used = now;
    let (username, scopes) = (grant.username.clone(), grant.scopes.clone());
    let rotated = settings.file.app.rotation.then(|| {
        let refresh = new_refresh_token();
        grant.retired.extend(grant.refresh.replace(Digest::of(&refresh)));
        refresh
    });
    let mut members = issue(org, &settings, state, now, Some(number), &username, &scopes);
    if let Some(refresh) = rotated {
        members.insert(1, ("refresh_token", refresh));
    }
    Ok(members)
}

fn by_client_credentials(org: &Org) -> Result<Members, OAuthError> {
    let settings = org.settings();
    if !settings.file.app.client_credentials {
        return Err(OAuthError::new("invalid_grant", "no client credentials user enabled"));
    }
    if settings.file.app.generic_login_host {
        return Err(OAuthError::new("invalid_grant", "request not supported on this domain"));
    }
    let Some(user) = settings.file.users.first() else {
        return Err(OAuthError::new("invalid_grant", "no client credentials user enabled"));
    };
    if let Some(obstacle) = Obstacle::find(&settings, &user.username) {
        return Err(obstacle.on_token());
    }
    let kept = |scope: &&String| !["full", "refresh_token", "web"].contains(&scope.as_str());
    let scopes: Vec<String> = settings.file.app.scopes.iter().filter(kept).cloned().collect();
    Ok(issue(org, &settings, &mut org.state(), org.now(), None, &user.username, &scopes))
}

/// Issues an access token and returns the members of the token response.
fn issue(
    org: &Org,
    settings: &Settings,
    state: &mut State,
    now: Timestamp,
    grant: Option<u64>,
    username: &str,
    scopes: &[String],
) -> Members {
    let org_id = settings.org_id();
    let access_token = format!("{}!AQEAQ{}", id::to_15(&org_id), token::random(90));
    let idle = SignedDuration::from_mins(i64::from(settings.file.app.session_minutes));
    let expires = now.saturating_add(idle).unwrap_or(Timestamp::MAX);
    let session = Session { grant, username: username.to_owned(), scopes: scopes.to_vec(), issued: now, expires };
    state.kept.change().sessions.retain(|_, session| session.expires > now);
    state.kept.change().sessions.insert(Digest::of(&access_token), session);
    let identity = format!("{}/id/{org_id}/{}", org.base_url(), settings.user_id(username).unwrap_or_default());
    let issued_at = now.as_millisecond().to_string();
    let signature = sign(&state.kept.client_secret, &format!("{identity}{issued_at}"));
    vec![
        ("access_token", access_token),
        ("signature", signature),
        ("scope", scopes.join(" ")),
        ("instance_url", org.instance_url()),
        ("id", identity),
        ("token_type", "Bearer".to_owned()),
        ("issued_at", issued_at),
    ]
}

fn sign(secret: &str, text: &str) -> String {
    // HMAC accepts keys of any length, so this never fails.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn render(members: &Members, form: &Form, request: &Request) -> Answer {
    let accepts = |kind: &str| request.header("accept").is_some_and(|accept| accept.starts_with(kind));
    match form.get("format") {
        Some("urlencoded") => urlencoded(members),
        Some("xml") => xml(members),
        None if accepts("application/x-www-form-urlencoded") => urlencoded(members),
        None if accepts("application/xml") => xml(members),
        _ => {
            let members: Map<_, _> = members.iter().map(|(k, v)| ((*k).to_owned(), Value::from(v.as_str()))).collect();
            Answer::json(StatusCode::OK, &Value::Object(members))
        }
    }
}

fn urlencoded(members: &Members) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    Answer::text(StatusCode::OK, "application/x-www-form-urlencoded;charset=UTF-8", body)
}

fn xml(members: &Members) -> Answer {
    // No member contains a character that XML requires escaped.
    let inner: String = members.iter().map(|(key, value)| format!("<{key}>{value}</{key}>")).collect();
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><OAuth>{inner}</OAuth>");
    Answer::text(StatusCode::OK, "application/xml;charset=UTF-8", body)
}

/// A refresh in progress. Until dropped, another refresh of the same token is rejected.
#[derive(Debug)]
pub(crate) struct Refreshing {
    org: Org,
    token: Digest,
}

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.org.state().refreshing.remove(&self.token);
    }
}

/// Marks a request's refresh token as being refreshed, or returns an error if it already is.
pub(crate) fn begin_refresh(org: &Org, request: &Request) -> Result<Option<Refreshing>, OAuthError> {
    if request.segments() != ["services", "oauth2", "token"] {
        return Ok(None);
    }
    let form = request.form();
    let Some(token) = form.filled("refresh_token").map(Digest::of) else { return Ok(None) };
    if org.state().refreshing.insert(token.clone()) {
        return Ok(Some(Refreshing { org: org.clone(), token }));
    }
    Err(OAuthError::new("invalid_grant", "token request is already being processed"))
}
