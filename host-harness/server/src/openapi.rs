//! The OpenAPI document.
//!
//! Handlers describe what is theirs. [`complete`] adds what follows from a route: its path's parameters, its token, and the problems
//! that every route of its kind has. A handler writes the codes of its own problems as the description of a response.

use std::{collections::BTreeSet, sync::LazyLock};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use crm_delivery::Integration;
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, ToSchema as _};

use crate::ApiError;

/// Where the document is.
const PATH: &str = "/v1/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bookings to CRMs",
        description = "Takes bookings, and says what became of them. Every error is a problem (RFC 9457) with a stable `code`. \
                       Moments are milliseconds since 1970-01-01T00:00:00Z unless a member says otherwise. Ids are compared byte \
                       by byte, have 1 to 200 bytes in UTF-8, and are percent-encoded in paths.",
    ),
    components(schemas(ApiError))
)]
pub(crate) struct Document;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = serde_json::to_value(crate::routes().to_openapi()).unwrap_or_default();
    complete(&mut document);
    name_formats(&mut document);
    document.to_string()
});

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "service", operation_id = "showDocument", responses(
    (status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Value)
))]
pub(crate) async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// What the parameters of paths mean.
const PARAMETERS: [(&str, &str); 7] = [
    ("team", "The team's id, as in its bookings."),
    ("calendar", "The calendar's id, as in its bookings."),
    ("integration", "The plugin's id, or PLUGIN.TARGET, of 1 to 200 visible ASCII characters."),
    ("plugin", "The plugin's id."),
    ("service", "The scheduling service: `timerex`, `calendly` or `calcom`."),
    ("token", "The token's id, which is not its text."),
    ("delivery", "The delivery's id."),
];

const OF_TOKENS: &str = "token-missing token-unknown";
const OF_STORES: &str =
    "ledger-busy ledger-damaged ledger-database ledger-stale store-conflict store-unavailable store-unreadable";

/// utoipa writes `u-int64` for what the OpenAPI Initiative's registry of formats calls `uint64`.
fn name_formats(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(format)) = members.get_mut("format") {
                *format = format.replace("u-int", "uint");
            }
            members.values_mut().for_each(name_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(name_formats),
        _ => {}
    }
}

fn complete(document: &mut Value) {
    let Some(document) = document.as_object_mut() else { return };
    let tokens = json!({ "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token that the command or `POST /v1/tokens` made. Scope `intake` hands over bookings of its team, `admin` \
                        does all for its team, and `operator` does all for all teams."
    } });
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), tokens);
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for (path, methods) in paths {
        for operation in methods.as_object_mut().into_iter().flatten().filter_map(|(_, value)| value.as_object_mut()) {
            complete_operation(path, operation);
        }
    }
}

fn complete_operation(path: &str, operation: &mut Map<String, Value>) {
    let is_open = path == PATH || !path.starts_with("/v1/");
    let mut problems = own_problems(operation);
    let mut add = |status: StatusCode, codes: &str| {
        problems.extend(codes.split(' ').map(|code| (status.as_u16(), code.to_owned())));
    };
    if !is_open {
        operation.insert("security".to_owned(), json!([{ "token": [] }]));
        add(StatusCode::UNAUTHORIZED, OF_TOKENS);
        add(StatusCode::FORBIDDEN, "forbidden");
        add(StatusCode::SERVICE_UNAVAILABLE, OF_STORES);
    }
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if parameters.as_array().is_some_and(|query| !query.is_empty()) {
        add(StatusCode::BAD_REQUEST, "query-invalid");
    }
    for (name, description) in PARAMETERS.iter().filter(|(name, _)| path.contains(&format!("{{{name}}}"))) {
        add(StatusCode::BAD_REQUEST, "path-invalid");
        let schema = match *name {
            "delivery" => json!({ "type": "integer", "format": "uint64", "minimum": 0 }),
            "integration" => json!({ "$ref": format!("#/components/schemas/{}", Integration::name()) }),
            _ => json!({ "type": "string", "minLength": 1, "maxLength": 200 }),
        };
        let parameter =
            json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema });
        parameters.as_array_mut().into_iter().for_each(|parameters| parameters.push(parameter.clone()));
    }
    if operation.contains_key("requestBody") {
        add(StatusCode::BAD_REQUEST, "body-invalid body-unreadable");
        add(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large");
        if !is_open {
            add(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type");
        }
    }
    let statuses: BTreeSet<u16> = problems.iter().map(|(status, _)| *status).collect();
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for status in statuses {
        let codes = problems.iter().filter(|(of, _)| *of == status).map(|(_, code)| code.as_str()).collect::<Vec<_>>();
        responses.insert(status.to_string(), problem(status, &codes));
    }
}

/// The codes that a handler wrote as descriptions, with their statuses.
fn own_problems(operation: &Map<String, Value>) -> BTreeSet<(u16, String)> {
    let mut problems = BTreeSet::new();
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    for (status, response) in responses {
        let codes = response.get("description").and_then(Value::as_str).unwrap_or_default();
        if let Some(status) = status.parse().ok().filter(|status| *status >= 400) {
            problems.extend(codes.split(' ').map(|code| (status, code.to_owned())));
        }
    }
    problems
}

fn problem(status: u16, codes: &[&str]) -> Value {
    let schema = json!({ "allOf": [
        { "$ref": format!("#/components/schemas/{}", ApiError::name()) },
        { "properties": { "code": { "enum": codes }, "status": { "const": status } } },
    ] });
    let mut response = json!({
        "description": codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", "),
        "content": { "application/problem+json": { "schema": schema } },
    });
    let headers = match status {
        401 => json!({ "www-authenticate": { "required": true, "schema": { "const": "Bearer" } } }),
        429 | 503 => json!({ "retry-after": {
            "required": true,
            "description": "Seconds after which the same request may succeed.",
            "schema": { "type": "integer", "minimum": 1 }
        } }),
        _ => return response,
    };
    if let Some(response) = response.as_object_mut() {
        response.insert("headers".to_owned(), headers);
    }
    response
}
