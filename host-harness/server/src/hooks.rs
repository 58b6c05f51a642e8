//! Webhooks of scheduling services.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use crm_intake::{CalendarRef, HookRequest, HookSecret, Received};
use jiff::Timestamp;
use serde_json::json;

use crate::{ApiError, Service, bookings, observed};

/// `POST /hooks/{service}/{team}/{calendar}`: takes a service's webhook. The service proves itself first, on the bytes as they arrived.
pub(crate) async fn receive(
    State(service): State<Service>,
    Path((name, team, calendar)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let no_hook = || ApiError::not_found("no-such-hook", format!("there is no hook for a service `{name}`"));
    let hook = crm_intake::hook(&name).ok_or_else(no_hook)?;
    let body = body?;
    // A team that does not exist has no secrets: nobody finds out which do.
    let stored = service.inner.store.hook_secrets(&team, hook.name()).await?;
    let mut secrets = Vec::new();
    for secret in &stored {
        let secret = HookSecret::new(secret.expose().to_owned());
        secrets.extend(secret.inspect_err(|error| tracing::error!(code = error.code(), "a hook's secret is unusable")));
    }
    let request = HookRequest { headers: &headers, body: &body };
    hook.authenticate(&request, &secrets, Timestamp::now()).map_err(|error| {
        observed::refused(hook.name(), error.code());
        ApiError::unauthorized(error.code(), error.to_string())
    })?;
    let text = std::str::from_utf8(&body).map_err(|_| ApiError::invalid("", "expected JSON in UTF-8"))?;
    let calendar = CalendarRef::new(&team, &calendar).map_err(bookings::fault)?;
    let received = hook.read(text, Some(calendar)).map_err(|error| {
        observed::refused(hook.name(), "body-invalid");
        tracing::warn!(service = hook.name(), path = error.path, "a webhook's body was refused");
        bookings::fault(error)
    })?;
    match received {
        Received::Booking(reading) => bookings::keep(&service, hook.name(), &team, *reading).await,
        Received::Ignored { event, reason } => {
            observed::ignored(hook.name(), reason.code());
            Ok((StatusCode::OK, Json(json!({ "ignored": event, "reason": reason.code() }))).into_response())
        }
    }
}
