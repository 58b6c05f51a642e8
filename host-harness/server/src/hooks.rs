//! Webhooks of scheduling services.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use crm_intake::{CalendarRef, HookRequest, HookSecret, Received};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    ApiError, Service,
    bookings::{self, Accepted},
    extract::{Body, Path, utf8},
    observed,
};

/// An event that was not kept, because it neither confirms nor moves nor cancels a booking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ignored {
    /// The service's name of the event.
    ignored: String,
    /// `not-a-change`, or `half-of-a-move`: another event has both bookings of the move.
    #[schema(value_type = String)]
    reason: &'static str,
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Heard {
    /// Its booking is durable.
    Accepted(Accepted),
    /// There is nothing to deliver.
    Ignored(Ignored),
}

/// Takes a scheduling service's webhook
///
/// The service proves itself with a secret of the team's hook, as it documents: in a header, or by a signature over the body. The body
/// is the service's own.
#[utoipa::path(post, path = "/hooks/{service}/{team}/{calendar}", tag = "bookings", operation_id = "receiveWebhook",
    request_body(content = serde_json::Value, content_type = "application/json"), responses(
    (status = 202, description = "The change is durable now.", body = Accepted),
    (status = 200, description = "The change was durable already, or the event is ignored.", body = Heard),
    (status = 401, description = "hook-without-secret authentication-missing authentication-repeated authentication-malformed \
                                  service-without-secret authentication-mismatch signature-expired signature-from-the-future"),
    (status = 404, description = "no-such-hook no-such-team"),
    (status = 409, description = "change-differs"),
    (status = 429, description = "too-fast"),
    (status = 503, description = "ledger-busy ledger-damaged ledger-database ledger-stale store-conflict store-unavailable \
                                  store-unreadable"),
))]
pub(crate) async fn receive(
    State(service): State<Service>,
    Path((name, team, calendar)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Heard>), ApiError> {
    let no_hook = || ApiError::not_found("no-such-hook", format!("there is no hook for a service `{name}`"));
    let hook = crm_intake::hook(&name).ok_or_else(no_hook)?;
    let body = body.bytes()?;
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
    let text = utf8(&body)?;
    let calendar = CalendarRef::new(&team, &calendar)?;
    let received = hook.read(text, Some(calendar)).map_err(|error| {
        observed::refused(hook.name(), "body-invalid");
        tracing::warn!(service = hook.name(), path = error.path, "a webhook's body was refused");
        ApiError::from(error)
    })?;
    match received {
        Received::Booking(reading) => {
            let (status, Json(accepted)) = bookings::keep(&service, hook.name(), &team, *reading).await?;
            Ok((status, Json(Heard::Accepted(accepted))))
        }
        Received::Ignored { event, reason } => {
            observed::ignored(hook.name(), reason.code());
            Ok((StatusCode::OK, Json(Heard::Ignored(Ignored { ignored: event, reason: reason.code() }))))
        }
    }
}
