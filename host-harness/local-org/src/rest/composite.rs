//! The composite family: several records or several requests in one call.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    Call,
    body::{self, parser_error},
    dispatch, record, saved, write,
};
use crate::{
    message::{Answer, ApiError, Refusal, Request},
    state::State,
};

/// Records that a collection may have.
const MOST_RECORDS: usize = 200;
/// Requests that a composite or a batch may have.
const MOST_REQUESTS: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Collection<'a> {
    #[serde(default)]
    all_or_none: bool,
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

/// How the records of a collection are written.
#[derive(Clone, Copy)]
pub(super) enum Writing<'a> {
    Create,
    Update,
    Upsert(&'a str),
}

/// `POST` and `PATCH` of `composite/sobjects`, and the upsert of `composite/sobjects/Lead/{field}`.
///
/// The call itself succeeds, and every record has its own result, in which errors have a `statusCode` instead of an
/// `errorCode`.
pub(super) fn write_collection(call: &Call<'_>, writing: Writing<'_>) -> Result<Answer, Refusal> {
    let collection: Collection<'_> =
        serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?;
    check_size(collection.records.len())?;
    // One lock over all of them: nobody sees half of a collection that is rolled back.
    let mut state = call.org.state();
    let before = state.kept.leads.clone();
    let results: Vec<_> = collection.records.iter().map(|raw| one_record(call, &mut state, writing, raw)).collect();
    if collection.all_or_none && results.iter().any(Result::is_err) {
        state.kept.leads = before;
        let rolled_back = ApiError::on::<String>(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
            &[],
        );
        let rolled_back = Refusal::bad_request(rolled_back);
        return Ok(all(results.into_iter().map(|result| failed(&result.err().unwrap_or(rolled_back.clone())))));
    }
    Ok(all(results.into_iter().map(|result| result.unwrap_or_else(|refusal| failed(&refusal)))))
}

/// `DELETE composite/sobjects?ids=`.
pub(super) fn delete_collection(call: &Call<'_>) -> Result<Answer, Refusal> {
    let ids = call.request.query("ids").unwrap_or_default();
    let ids: Vec<&str> = ids.split(',').filter(|id| !id.is_empty()).collect();
    check_size(ids.len())?;
    let mut state = call.org.state();
    let results = ids.iter().map(|id| {
        let id = record::resolve(id)?;
        write::remove(call, &mut state, &id).map(|()| saved(&id, None))
    });
    Ok(all(results.map(|result| result.unwrap_or_else(|refusal: Refusal| failed(&refusal)))))
}

#[derive(Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    fields: Vec<String>,
}

/// `GET composite/sobjects/Lead?ids=&fields=`, and the `POST` with the same in its body: null for what is not there.
pub(super) fn read_collection(call: &Call<'_>) -> Result<Answer, Refusal> {
    let list = |name: &str| {
        let list = call.request.query(name).unwrap_or_default();
        list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect()
    };
    let wanted: Wanted = match call.method {
        Method::POST => serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?,
        _ => Wanted { ids: list("ids"), fields: list("fields") },
    };
    check_size(wanted.ids.len())?;
    let state = call.org.state();
    let read = |id: &String| {
        let id = crate::id::to_18(id)?;
        let lead = state.kept.leads.iter().find(|lead| lead.id == id && !lead.deleted)?;
        Some(record::fields(call, lead, wanted.fields.iter().map(String::as_str)))
    };
    let records: Result<Vec<_>, _> = wanted.ids.iter().map(|id| read(id).transpose()).collect();
    Ok(Answer::json(StatusCode::OK, &json!(records?)))
}

fn all(results: impl Iterator<Item = Value>) -> Answer {
    Answer::json(StatusCode::OK, &results.collect())
}

fn check_size(records: usize) -> Result<(), Refusal> {
    let refuse = |code: &str, message: String| Err(Refusal::bad_request(ApiError::on::<String>(code, message, &[])));
    match records {
        0 => refuse("REQUIRED_FIELD_MISSING", "At least 1 record is required".to_owned()),
        1..=MOST_RECORDS => Ok(()),
        _ => refuse(
            "LIMIT_EXCEEDED",
            format!("record limit reached. cannot submit more than {MOST_RECORDS} records into this call"),
        ),
    }
}

fn one_record(call: &Call<'_>, state: &mut State, writing: Writing<'_>, raw: &RawValue) -> Result<Value, Refusal> {
    let mut members = body::members(raw.get().as_bytes())?;
    let attributes = members.iter().find(|member| member.name == "attributes");
    let attributes: Option<Value> = attributes.and_then(|member| serde_json::from_str(member.raw.get()).ok());
    let object = attributes.as_ref().and_then(|attributes| attributes.get("type")).and_then(Value::as_str);
    if !object.is_some_and(|object| object.eq_ignore_ascii_case("Lead")) {
        return Err(Refusal::bad_request(ApiError::on(
            "INVALID_TYPE",
            "sObject type is not supported",
            &["attributes"],
        )));
    }
    let mut take = |name: &str| {
        let at = members.iter().position(|member| member.name.eq_ignore_ascii_case(name))?;
        let value: Value = serde_json::from_str(members.remove(at).raw.get()).ok()?;
        value.as_str().map(ToOwned::to_owned)
    };
    match writing {
        Writing::Create => Ok(saved(&write::insert(call, state, &members)?, None)),
        Writing::Update => {
            let missing = || {
                Refusal::bad_request(ApiError::on("MISSING_ARGUMENT", "Id not specified in an update call", &["Id"]))
            };
            let id = record::resolve(&take("Id").ok_or_else(missing)?)?;
            write::modify(call, state, &id, &members)?;
            Ok(saved(&id, None))
        }
        Writing::Upsert(field) => {
            let key = record::key_field(call, field)?;
            let missing = || {
                let message = format!("{} not specified", key.name);
                Refusal::bad_request(ApiError::on("MISSING_ARGUMENT", message, &[&key.name]))
            };
            let value = take(&key.name).ok_or_else(missing)?;
            match write::upsert_one(call, state, key, &value, members)? {
                write::Upserted::Created(id) => Ok(saved(&id, Some(true))),
                write::Upserted::Updated(id) => Ok(saved(&id, Some(false))),
                write::Upserted::Ambiguous(_) => {
                    let message = format!("{}: more than one record found for external id field", key.name);
                    Err(Refusal::bad_request(ApiError::on::<String>("DUPLICATE_EXTERNAL_ID", message, &[])))
                }
            }
        }
    }
}

fn failed(refusal: &Refusal) -> Value {
    let error = |error: &ApiError| json!({"statusCode": error.code, "message": error.message, "fields": error.fields.clone().unwrap_or_default()});
    json!({"success": false, "errors": refusal.errors.iter().map(error).collect::<Vec<_>>()})
}

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

/// `POST composite`: requests one after the other, which may name the results of earlier ones.
pub(super) fn composite(call: &Call<'_>) -> Result<Answer, Refusal> {
    let composite: Composite =
        serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?;
    check_count(composite.composite_request.len())?;
    let before = call.org.state().kept.leads.clone();
    let mut results: Vec<(String, Answer)> = Vec::new();
    let mut bodies: BTreeMap<String, Value> = BTreeMap::new();
    for subrequest in composite.composite_request {
        let url = resolve_text(&subrequest.url, &bodies);
        let body = resolve(&subrequest.body, &bodies);
        let answer = run(call, &subrequest.method, &url, &body, &subrequest.http_headers);
        bodies.insert(subrequest.reference_id.clone(), answer.body_json().unwrap_or(Value::Null));
        let failed = !answer.status.is_success() && answer.status != StatusCode::NOT_MODIFIED;
        results.push((subrequest.reference_id, answer));
        if failed && composite.all_or_none {
            call.org.state().kept.leads = before;
            halt(&mut results);
            break;
        }
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

/// Takes back what the requests before a failed one did.
fn halt(results: &mut [(String, Answer)]) {
    let Some((_, done)) = results.split_last_mut() else { return };
    for (_, answer) in done {
        let message = "The transaction was rolled back since another operation in the same transaction failed.";
        *answer = Refusal::bad_request(ApiError::new("PROCESSING_HALTED", message)).into();
    }
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

/// `POST composite/batch`: independent requests.
pub(super) fn batch(call: &Call<'_>) -> Result<Answer, Refusal> {
    let batch: Batch = serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?;
    check_count(batch.batch_requests.len())?;
    let mut failed = false;
    let mut results = Vec::new();
    for request in batch.batch_requests {
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
        let answer = run(call, &request.method, &url, &request.rich_input, &BTreeMap::new());
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

/// Runs one request of a composite, in the caller's session.
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
    // A composite inside a composite is refused by Salesforce, too.
    if resource.first() == Some(&"composite") && resource.get(1) != Some(&"sobjects") {
        return Refusal::not_found().into();
    }
    let Some(version) = super::version_number(&call.settings, version) else { return Refusal::not_found().into() };
    let settings = call.settings.clone();
    let inner = Call { org: call.org, settings, version, session: call.session.clone(), request: &request, method };
    dispatch(&inner, resource).unwrap_or_else(Answer::from)
}

/// Resolves `@{reference.path}` in every text of a body.
fn resolve(value: &Value, bodies: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => Value::from(resolve_text(text, bodies)),
        Value::Array(items) => items.iter().map(|item| resolve(item, bodies)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), resolve(value, bodies))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn resolve_text(text: &str, bodies: &BTreeMap<String, Value>) -> String {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((reference, tail)) = after.split_once('}') else { break };
        resolved.push_str(before);
        match look_up(reference, bodies) {
            Some(Value::String(value)) => resolved.push_str(&value),
            Some(value) => resolved.push_str(&value.to_string()),
            None => {
                resolved.push_str("@{");
                resolved.push_str(reference);
                resolved.push('}');
            }
        }
        rest = tail;
    }
    resolved + rest
}

fn look_up(reference: &str, bodies: &BTreeMap<String, Value>) -> Option<Value> {
    let mut steps = reference.split('.');
    let mut value = bodies.get(steps.next()?)?;
    for step in steps {
        // `records[0]` takes a member and then an element.
        let (name, index) = match step.split_once('[') {
            Some((name, index)) => (name, Some(index.trim_end_matches(']').parse::<usize>().ok()?)),
            None => (step, None),
        };
        value = value.get(name)?;
        if let Some(index) = index {
            value = value.get(index)?;
        }
    }
    Some(value.clone())
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
