//! The REST API below `/services/data`.

mod address;
mod body;
mod composite;
mod convert;
mod describe;
mod duplicates;
mod objects;
mod pretty;
mod query;
pub(crate) mod record;
mod relationships;
mod resources;
mod validate;
mod write;

use std::{io::Write as _, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderName, Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_ENCODING},
};
use serde_json::Value;

use composite::Writing;

use crate::{
    file::User,
    message::{Answer, ApiError, Refusal, Request},
    oauth,
    org::{Org, Settings},
    state::Session,
};

/// The context of a call, passed to every resource.
pub(crate) struct Call<'a> {
    pub org: &'a Org,
    pub settings: Arc<Settings>,
    pub version: u32,
    pub session: Session,
    pub request: &'a Request,
    pub method: Method,
}

impl Call<'_> {
    /// The path of a resource in this call's API version.
    pub fn path(&self, rest: &str) -> String {
        format!("/services/data/v{}.0/{rest}", self.version)
    }

    /// The calling user. Resources always have one: sessions without a user are rejected earlier.
    pub fn user(&self) -> Option<&User> {
        self.settings.user(&self.session.username)
    }

    pub fn user_id(&self) -> String {
        self.settings.user_id(&self.session.username).unwrap_or_default()
    }
}

/// `GET /services/data`, which needs no token.
pub(crate) fn versions(org: &Org) -> Answer {
    Answer::json(StatusCode::OK, &resources::versions(&org.settings()))
}

/// Handles a call to a versioned resource.
pub(crate) fn respond(org: &Org, request: &Request, version: &str, resource: &[&str]) -> Answer {
    let Some((_, session)) = oauth::session(org, request) else { return unauthorized(request) };
    let run = || admit(org, request, version, session).and_then(|call| dispatch(&call, resource));
    // Rolling back a composite must not roll back other callers' writes.
    let answer = if resource == ["composite"] { org.alone(run) } else { org.beside_others(run) };
    let answer = answer.unwrap_or_else(Answer::from);
    if answer.status == StatusCode::UNAUTHORIZED {
        return answer;
    }
    finish(org, request, answer)
}

/// Adds the limits header, pretty-printing and compression to any response.
fn finish(org: &Org, request: &Request, mut answer: Answer) -> Answer {
    let calls = org.state().calls(org.now());
    let api = &org.settings().file.api;
    let limits = [format!("api-usage={calls}/{}", api.daily_limit), api.limit_info_extra.clone()];
    let limits = limits.iter().map(String::as_str).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let pretty =
        request.header("x-prettyprint").is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"));
    if pretty && let Some(text) = answer.body_json().and_then(|body| pretty::text(&body).ok()) {
        answer.body = text.into();
    }
    let gzip = request.header("accept-encoding").is_some_and(|value| value.contains("gzip"));
    if gzip && answer.body.len() > 1024 {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        if encoder.write_all(&answer.body).is_ok()
            && let Ok(packed) = encoder.finish()
        {
            answer.body = packed.into();
            answer = answer.with(CONTENT_ENCODING, "gzip");
        }
    }
    if !answer.headers.contains_key(CACHE_CONTROL) {
        answer = answer.with(CACHE_CONTROL, "no-cache,must-revalidate,max-age=0,no-store,private");
    }
    answer.with(HeaderName::from_static("sforce-limit-info"), &limits)
}

/// Checks that run before any resource: permissions, version, limits.
fn admit<'a>(org: &'a Org, request: &'a Request, version: &str, session: Session) -> Result<Call<'a>, Refusal> {
    let settings = org.settings();
    if settings.file.locked {
        return Err(forbidden("ORG_LOCKED", "Org is locked, closed, or suspended"));
    }
    if !session.scopes.iter().any(|scope| scope == "api" || scope == "full") {
        let error = ApiError::new("INVALID_SESSION_ID", "This session is not valid for use with the REST API");
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, error));
    }
    let number = version_number(&settings, version)?;
    if !settings.file.api.enabled {
        return Err(forbidden("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."));
    }
    if !settings.user(&session.username).is_some_and(|user| user.api_enabled) {
        return Err(forbidden("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"));
    }
    count(org, &settings)?;
    // For clients that cannot send PATCH.
    let override_method = request.query("_HttpMethod").filter(|_| request.method == Method::POST);
    let method = override_method.and_then(|method| method.parse().ok()).unwrap_or_else(|| request.method.clone());
    Ok(Call { org, settings, version: number, session, request, method })
}

fn forbidden(code: &str, message: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, ApiError::new(code, message))
}

/// Counts an API call, or fails if the daily limit is reached.
fn count(org: &Org, settings: &Settings) -> Result<(), Refusal> {
    let mut state = org.state();
    if state.calls(org.now()) >= settings.file.api.daily_limit {
        return Err(forbidden("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    }
    state.count_call(org.now());
    Ok(())
}

/// Parses a version that the org supports.
fn version_number(settings: &Settings, version: &str) -> Result<u32, Refusal> {
    let api = &settings.file.api;
    if version == "latest" {
        return Ok(api.newest);
    }
    let number = version.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0")).and_then(|n| n.parse().ok());
    let number = number.filter(|number| (1..=api.newest).contains(number)).ok_or_else(Refusal::not_found)?;
    if number < api.oldest {
        let error = ApiError::new("GONE", format!("The requested API version {number}.0 has been retired."));
        return Err(Refusal::new(StatusCode::GONE, error));
    }
    Ok(number)
}

/// The 401 for an invalid token. It is HTML unless the request's content type is JSON or absent.
fn unauthorized(request: &Request) -> Answer {
    match request.media_type() {
        Some(kind) if kind != "application/json" => {
            let body = "<html><head><title>Error 401</title></head><body>LOGIN_OAUTH_INVALID_TOKEN</body></html>";
            let answer = Answer::html(StatusCode::UNAUTHORIZED, body.to_owned());
            answer.with(HeaderName::from_static("sfdc-oauth-error"), "1703")
        }
        _ => {
            let error = ApiError::new("INVALID_SESSION_ID", "Session expired or invalid");
            Refusal::new(StatusCode::UNAUTHORIZED, error).into()
        }
    }
}

fn dispatch(call: &Call<'_>, resource: &[&str]) -> Result<Answer, Refusal> {
    match resource {
        [] => get(call, || Ok(resources::list(call))),
        ["limits"] => get(call, || resources::limits(call)),
        ["sobjects"] => get(call, || Ok(describe::global(call))),
        ["query"] => get(call, || query::query(call, false)),
        ["queryAll"] => get(call, || query::query(call, true)),
        ["query" | "queryAll", locator] => get(call, || query::more(call, locator)),
        ["sobjects", object, rest @ ..] => sobject(call, object, rest),
        ["composite"] => post(call, || composite::composite(call)),
        ["composite", "batch"] => post(call, || composite::batch(call)),
        ["composite", "tree", object] if object.eq_ignore_ascii_case("Lead") && sees_leads(call) => {
            post(call, || composite::tree(call))
        }
        ["composite", "sobjects", rest @ ..] => collection(call, rest),
        _ => Err(Refusal::not_found()),
    }
}

/// Whether the Lead object exists for the calling user.
fn sees_leads(call: &Call<'_>) -> bool {
    call.user().is_some_and(|user| user.read_leads)
}

fn collection(call: &Call<'_>, rest: &[&str]) -> Result<Answer, Refusal> {
    if !sees_leads(call) {
        return Err(Refusal::not_found());
    }
    match (rest, &call.method) {
        ([], &Method::POST) => composite::write_collection(call, Writing::Create),
        ([], &Method::PATCH) => composite::write_collection(call, Writing::Update),
        ([], &Method::DELETE) => composite::delete_collection(call),
        ([object, field], &Method::PATCH) if object.eq_ignore_ascii_case("Lead") => {
            composite::write_collection(call, Writing::Upsert(field))
        }
        ([object], &Method::GET | &Method::POST) if object.eq_ignore_ascii_case("Lead") => {
            composite::read_collection(call)
        }
        ([], _) => Err(not_allowed(call, "DELETE,PATCH,POST")),
        _ => Err(Refusal::not_found()),
    }
}

fn post(call: &Call<'_>, answer: impl FnOnce() -> Result<Answer, Refusal>) -> Result<Answer, Refusal> {
    match call.method {
        Method::POST => answer(),
        _ => Err(not_allowed(call, "POST")),
    }
}

fn sobject(call: &Call<'_>, object: &str, rest: &[&str]) -> Result<Answer, Refusal> {
    if !object.eq_ignore_ascii_case("Lead") || !sees_leads(call) {
        return match rest {
            // Only Lead is described.
            [id] if !object.eq_ignore_ascii_case("Lead") && *id != "describe" => {
                get(call, || record::read_other(call, object, id))
            }
            _ => Err(Refusal::not_found()),
        };
    }
    match (rest, &call.method) {
        ([], &Method::GET | &Method::HEAD) => Ok(describe::basic(call)),
        ([], &Method::POST) => write::create(call),
        ([], _) => Err(not_allowed(call, "GET,HEAD,POST")),
        (["describe"], _) => get(call, || Ok(describe::lead(call))),
        ([id], &Method::GET | &Method::HEAD) => record::read(call, id),
        ([id], &Method::PATCH) => write::update(call, id),
        ([id], &Method::DELETE) => write::delete(call, id),
        ([_], _) => Err(not_allowed(call, "DELETE,GET,HEAD,PATCH")),
        ([field, value], &Method::GET | &Method::HEAD) => record::read_by_key(call, field, value),
        ([field, value], &Method::PATCH) => write::upsert(call, field, value),
        ([field, value], &Method::DELETE) => write::delete_by_key(call, field, value),
        ([_, _], _) => Err(not_allowed(call, "DELETE,GET,HEAD,PATCH")),
        _ => Err(Refusal::not_found()),
    }
}

fn get(call: &Call<'_>, answer: impl FnOnce() -> Result<Answer, Refusal>) -> Result<Answer, Refusal> {
    match call.method {
        Method::GET | Method::HEAD => answer(),
        _ => Err(not_allowed(call, "GET,HEAD")),
    }
}

fn not_allowed(call: &Call<'_>, allowed: &str) -> Refusal {
    let message = format!("HTTP Method '{}' not allowed. Allowed are {allowed}", call.method);
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, ApiError::new("METHOD_NOT_ALLOWED", message))
}

/// The body of a successful write; upserts add `created`.
fn saved(id: &str, created: Option<bool>) -> Value {
    let mut body = serde_json::json!({"id": id, "success": true, "errors": []});
    if let (Value::Object(members), Some(created)) = (&mut body, created) {
        members.insert("created".to_owned(), Value::Bool(created));
    }
    body
}
