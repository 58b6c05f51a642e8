//! The authorization endpoint and its two pages: log in, then allow or deny.

use http::{StatusCode, header::SET_COOKIE};
use jiff::SignedDuration;
use url::form_urlencoded;

use super::{OAuthError, Obstacle, pages};
use crate::{
    message::{Answer, Form, Request},
    org::Org,
    state::Code,
    token::{self, Digest},
};

/// Lifetime of an authorization code.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(15);
/// How long an expired code is still reported as expired rather than unknown.
const CODE_MEMORY: SignedDuration = SignedDuration::from_hours(24);
/// Form target of the login page.
pub(super) const LOGIN_PATH: &str = "/login";
/// Form target of the allow page, as at Salesforce.
pub(super) const DECISION_PATH: &str = "/setup/secur/RemoteAccessAuthorizationPage.apexp";
const AUTHORIZE: &str = "/services/oauth2/authorize";

/// Scopes that Salesforce accepts.
const KNOWN_SCOPES: [&str; 14] = [
    "api",
    "chatter_api",
    "custom_permissions",
    "email",
    "full",
    "id",
    "lightning",
    "offline_access",
    "openid",
    "profile",
    "refresh_token",
    "visualforce",
    "wave_api",
    "web",
];

/// A valid authorization request.
struct Wish {
    redirect_uri: String,
    state: Option<String>,
    scopes: Vec<String>,
    challenge: Option<String>,
    /// Whether showing pages is forbidden (`immediate=true`).
    silent: bool,
    /// Whether the user must log in again (`prompt=login`).
    fresh_login: bool,
}

/// `GET /services/oauth2/authorize`.
pub(crate) fn authorize(org: &Org, request: &Request) -> Answer {
    let language = pages::Language::of(request.header("accept-language"));
    let wish = match Wish::read(org, &Form::of_query(&request.query)) {
        Ok(wish) => wish,
        Err(Wrong::Page(error)) => return pages::error(language, &error),
        Err(Wrong::Callback(callback, error)) => return callback.refuse(&error),
    };
    let Some(username) = browser(org, request).filter(|_| !wish.fresh_login) else {
        if wish.silent {
            return wish.callback().refuse(&OAuthError::new("immediate_unsuccessful", "user must log in or approve"));
        }
        let hint = request.query("login_hint").unwrap_or_default();
        return pages::login(language, org, &format!("{AUTHORIZE}?{}", request.query), &hint, false);
    };
    if let Some(obstacle) = Obstacle::find(&org.settings(), &username) {
        return wish.callback().refuse(&obstacle.on_callback());
    }
    if wish.scopes.iter().any(|scope| !org.settings().file.app.scopes.contains(scope)) {
        let error = "An unexpected error has occurred during authentication. Please try again.";
        return wish.callback().refuse(&OAuthError::new("OAUTH_APPROVAL_ERROR_GENERIC", error));
    }
    if wish.silent {
        return wish.callback().refuse(&OAuthError::new("immediate_unsuccessful", "user must log in or approve"));
    }
    let cookie = cookie(request).unwrap_or_default();
    pages::allow(language, org, &username, &wish.scopes, &request.query, &csrf(&cookie))
}

/// `POST /login`, from the login page.
pub(crate) fn log_in(org: &Org, request: &Request) -> Answer {
    let language = pages::Language::of(request.header("accept-language"));
    let form = request.form();
    let start = form.filled("startURL").filter(|url| url.starts_with(&format!("{AUTHORIZE}?")));
    let Some(start) = start.map(ToOwned::to_owned) else {
        return pages::error(language, &OAuthError::new("login_error", "no authorization request to log in for"));
    };
    let username = form.get("username").unwrap_or_default();
    let settings = org.settings();
    let user = settings.user(username).filter(|user| user.active && Some(user.password.as_str()) == form.get("pw"));
    let Some(user) = user else { return pages::login(language, org, &start, username, true) };
    let cookie = token::random(40);
    org.state().browsers.insert(Digest::of(&cookie), user.username.clone());
    // The user has just logged in, as `prompt=login` demands; kept, it would demand another login.
    let (path, query) = start.split_once('?').unwrap_or((AUTHORIZE, ""));
    let mut kept = form_urlencoded::Serializer::new(String::new());
    for (key, value) in form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != "prompt") {
        kept.append_pair(&key, &value);
    }
    let location = format!("{path}?{}", kept.finish());
    Answer::redirect(&location).with(SET_COOKIE, &format!("sid={cookie}; Path=/; HttpOnly; SameSite=Lax"))
}

/// `POST` from the allow page.
pub(crate) fn decide(org: &Org, request: &Request) -> Answer {
    let language = pages::Language::of(request.header("accept-language"));
    let form = request.form();
    let cookie = cookie(request).unwrap_or_default();
    let wish = Wish::read(org, &Form::of_query(form.get("request").unwrap_or_default()));
    let Some(username) = browser(org, request).filter(|_| form.get("csrf") == Some(&csrf(&cookie))) else {
        return pages::error(language, &OAuthError::new("login_error", "the session has ended; start again"));
    };
    let wish = match wish {
        Ok(wish) => wish,
        Err(Wrong::Page(error)) => return pages::error(language, &error),
        Err(Wrong::Callback(callback, error)) => return callback.refuse(&error),
    };
    if form.get("decision") != Some("allow") {
        return wish.callback().refuse(&OAuthError::new("access_denied", "end-user denied authorization"));
    }
    if let Some(obstacle) = Obstacle::find(&org.settings(), &username) {
        return wish.callback().refuse(&obstacle.on_callback());
    }
    // Salesforce's codes end in "==", which arrives percent-encoded.
    let code = format!("aPrx{}==", token::random(80));
    let expires = org.now().saturating_add(CODE_LIFE).unwrap_or(org.now());
    let callback = wish.callback();
    let Wish { redirect_uri, scopes, challenge, .. } = wish;
    let issued = Code { redirect_uri, challenge, username, scopes, expires, used: false };
    let mut state = org.state();
    let now = org.now();
    state.codes.retain(|_, code| now.duration_since(code.expires) < CODE_MEMORY);
    state.codes.insert(Digest::of(&code), issued);
    drop(state);
    callback.answer(&[("code", &code)])
}

/// The callback of an authorization request, with its `state`.
struct Callback {
    redirect_uri: String,
    state: Option<String>,
}

impl Callback {
    fn refuse(&self, error: &OAuthError) -> Answer {
        self.answer(&[("error", error.error), ("error_description", error.description)])
    }

    fn answer(&self, parameters: &[(&str, &str)]) -> Answer {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        let joint = if self.redirect_uri.contains('?') { '&' } else { '?' };
        Answer::redirect(&format!("{}{joint}{}", self.redirect_uri, query.finish()))
    }
}

/// A rejected authorization request: reported on a page if the callback cannot be trusted, otherwise to the callback.
enum Wrong {
    Page(OAuthError),
    Callback(Callback, OAuthError),
}

impl Wish {
    fn read(org: &Org, parameters: &Form) -> Result<Self, Wrong> {
        let app = org.app();
        if parameters.get("client_id") != Some(&app.client_id) {
            return Err(Wrong::Page(OAuthError::new("invalid_client_id", "client identifier invalid")));
        }
        let Some(redirect_uri) = parameters.filled("redirect_uri") else {
            return Err(Wrong::Page(OAuthError::new("redirect_uri_missing", "Redirect_uri not provided")));
        };
        if !app.redirect_uris.iter().any(|known| known == redirect_uri) {
            let description = "redirect_uri must match configuration";
            return Err(Wrong::Page(OAuthError::new("redirect_uri_mismatch", description)));
        }
        let redirect_uri = redirect_uri.to_owned();
        let state = parameters.get("state").map(ToOwned::to_owned);
        let wrong = |error, description| {
            let callback = Callback { redirect_uri: redirect_uri.clone(), state: state.clone() };
            Err(Wrong::Callback(callback, OAuthError::new(error, description)))
        };
        if parameters.get("response_type") != Some("code") {
            return wrong("unsupported_response_type", "Response type not supported");
        }
        let settings = org.settings();
        let scopes: Vec<String> = match parameters.filled("scope") {
            Some(scopes) => scopes.split_whitespace().map(canonical_scope).collect(),
            None => settings.file.app.scopes.clone(),
        };
        if scopes.iter().any(|scope| !KNOWN_SCOPES.contains(&scope.as_str())) {
            return wrong("invalid_scope", "Requested scope is invalid, unknown, or malformed");
        }
        let challenge = parameters.filled("code_challenge").map(ToOwned::to_owned);
        // Salesforce CLI omits the method and means S256.
        if challenge.is_some() && !matches!(parameters.get("code_challenge_method"), None | Some("S256")) {
            return wrong("invalid_request", "invalid code challenge method");
        }
        if challenge.is_none() && settings.file.app.pkce_required {
            return wrong("invalid_request", "missing required code challenge");
        }
        let prompt = parameters.get("prompt").unwrap_or_default();
        let fresh_login = prompt.split_whitespace().any(|word| word == "login");
        let silent = parameters.get("immediate") == Some("true");
        Ok(Self { scopes, challenge, silent, fresh_login, redirect_uri, state })
    }

    fn callback(&self) -> Callback {
        Callback { redirect_uri: self.redirect_uri.clone(), state: self.state.clone() }
    }
}

/// `offline_access` is an alias of `refresh_token`.
fn canonical_scope(scope: &str) -> String {
    if scope == "offline_access" { "refresh_token".to_owned() } else { scope.to_owned() }
}

fn cookie(request: &Request) -> Option<String> {
    let cookies = request.header("cookie")?;
    cookies.split(';').find_map(|pair| pair.trim().strip_prefix("sid=")).map(ToOwned::to_owned)
}

fn browser(org: &Org, request: &Request) -> Option<String> {
    let cookie = cookie(request)?;
    org.state().browsers.get(&Digest::of(&cookie)).cloned()
}

/// CSRF token: proves that the allow page was shown to the browser that posts it.
fn csrf(cookie: &str) -> String {
    token::sha256_base64url(&format!("allow page {cookie}"))
}

/// Status of error pages.
pub(super) const PAGE_STATUS: StatusCode = StatusCode::BAD_REQUEST;
