//! The composite resources: several records or several requests in one call.

mod collections;
mod references;

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, body::parser_error, count, dispatch};
use crate::message::{Answer, ApiError, Refusal, Request};
use references::{resolve, resolve_text};

pub(super) use collections::{Writing, delete_collection, read_collection, tree, write_collection};

/// Maximum subrequests of a composite or batch.
const MOST_REQUESTS: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Composite {
    #[serde(default)]
    all_or_none: bool,
    composite_request: Vec<Subrequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subrequest {
    method: String,
    url: String,
    reference_id: String,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    http_headers: BTreeMap<String, String>,
}

/// `POST composite`: sequential subrequests, which may reference the results of earlier ones.
pub(super) fn composite(call: &Call<'_>) -> Result<Answer, Refusal> {
    let composite: Composite =
        serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?;
    check_count(composite.composite_request.len())?;
    let before = call.org.state().kept.leads.clone();
    let mut results: Vec<(String, Answer)> = Vec::new();
    let mut bodies: BTreeMap<String, Value> = BTreeMap::new();
    let mut failed = None;
    for (position, subrequest) in composite.composite_request.into_iter().enumerate() {
        if failed.is_some() {
            results.push((subrequest.reference_id, halted()));
            continue;
        }
        let url = resolve_text(&subrequest.url, &bodies);
        let body = resolve(&subrequest.body, &bodies);
        let answer = run(call, &subrequest.method, &url, &body, &subrequest.http_headers);
        bodies.insert(subrequest.reference_id.clone(), answer.body_json().unwrap_or(Value::Null));
        let done = answer.status.is_success() || answer.status == StatusCode::NOT_MODIFIED;
        failed = (composite.all_or_none && !done).then_some(position);
        results.push((subrequest.reference_id, answer));
    }
    if let Some(failed) = failed {
        call.org.state().kept.change().leads = before;
        results.iter_mut().take(failed).for_each(|(_, answer)| *answer = halted());
    }
    let results = results.into_iter().map(|(reference, answer)| {
        let header = |name: &HeaderName, value: &HeaderValue| {
            let shown = ["location", "etag", "last-modified"].contains(&name.as_str());
            Some((title_case(name.as_str()), json!(value.to_str().ok()?))).filter(|_| shown)
        };
        let headers: Map<_, _> = answer.headers.iter().filter_map(|(name, value)| header(name, value)).collect();
        json!({
            "body": answer.body_json(),
            "httpHeaders": headers,
            "httpStatusCode": answer.status.as_u16(),
            "referenceId": reference,
        })
    });
    Ok(Answer::json(StatusCode::OK, &json!({"compositeResponse": results.collect::<Vec<_>>()})))
}

/// The result of a subrequest that is rolled back or skipped because another one failed.
fn halted() -> Answer {
    let message = "The transaction was rolled back since another operation in the same transaction failed.";
    Refusal::bad_request(ApiError::new("PROCESSING_HALTED", message)).into()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    #[serde(default)]
    halt_on_error: bool,
    batch_requests: Vec<BatchRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchRequest {
    method: String,
    url: String,
    #[serde(default)]
    rich_input: Value,
}

/// `POST composite/batch`: independent subrequests, each counted as an API call. The batch itself counts as the first.
pub(super) fn batch(call: &Call<'_>) -> Result<Answer, Refusal> {
    let batch: Batch = serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?;
    check_count(batch.batch_requests.len())?;
    let mut failed = false;
    let mut results = Vec::new();
    for (position, request) in batch.batch_requests.into_iter().enumerate() {
        if failed && batch.halt_on_error {
            let error =
                [json!({"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"})];
            results.push(json!({"statusCode": 412, "result": error}));
            continue;
        }
        let url = match request.url.strip_prefix('/') {
            Some(_) => request.url.clone(),
            None => format!("/services/data/{}", request.url),
        };
        let counted = if position == 0 { Ok(()) } else { count(call.org, &call.settings) };
        let answer = counted
            .map_or_else(Answer::from, |()| run(call, &request.method, &url, &request.rich_input, &BTreeMap::new()));
        failed |= !answer.status.is_success();
        results.push(json!({"statusCode": answer.status.as_u16(), "result": answer.body_json()}));
    }
    Ok(Answer::json(StatusCode::OK, &json!({"hasErrors": failed, "results": results})))
}

fn check_count(requests: usize) -> Result<(), Refusal> {
    if (1..=MOST_REQUESTS).contains(&requests) {
        return Ok(());
    }
    let message = format!("The request must have 1 to {MOST_REQUESTS} subrequests");
    Err(Refusal::bad_request(ApiError::new("LIMIT_EXCEEDED", message)))
}

/// Runs one subrequest in the caller's session.
fn run(call: &Call<'_>, method: &str, url: &str, body: &Value, headers: &BTreeMap<String, String>) -> Answer {
    let Ok(method) = method.parse::<Method>() else {
        return Refusal::bad_request(ApiError::new("METHOD_NOT_ALLOWED", "unknown HTTP method")).into();
    };
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            all.insert(name, value);
        }
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request {
        method: method.clone(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: all,
        body: body.into(),
    };
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["services", "data", version, resource @ ..] = segments.as_slice() else { return Refusal::not_found().into() };
    // Salesforce rejects nested composites too.
    if resource.first() == Some(&"composite") && resource.get(1) != Some(&"sobjects") {
        return Refusal::not_found().into();
    }
    let version = match super::version_number(&call.settings, version) {
        Ok(version) => version,
        Err(refusal) => return refusal.into(),
    };
    let settings = call.settings.clone();
    let inner = Call { org: call.org, settings, version, session: call.session.clone(), request: &request, method };
    dispatch(&inner, resource).unwrap_or_else(Answer::from)
}

fn title_case(name: &str) -> String {
    if name == "etag" {
        return "ETag".to_owned();
    }
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
