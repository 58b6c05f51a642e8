//! Taking bookings.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use crm_delivery::{Acceptance, Arrival, Placed};
use crm_intake::{CalendarRef, Intake as _, Native, Reading, Received};
use serde::Serialize;

use crate::{
    ApiError, Service,
    authentication::{Caller, Role},
    observed,
};

/// What became of a booking.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// The booking's id.
    booking: String,
    /// The id of the change: the scheduler's, or one that stands for the content.
    change: String,
    /// Where it goes.
    deliveries: Vec<Placed>,
}

/// `POST /v1/teams/{team}/calendars/{calendar}/bookings`: 202 if the booking is durable now, 200 if it was already.
pub(crate) async fn accept(
    State(service): State<Service>,
    caller: Caller,
    Path((team, calendar)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    caller.may(Role::Intake, &team)?;
    let body = body?;
    let text = std::str::from_utf8(&body).map_err(|_| ApiError::invalid("", "expected JSON in UTF-8"))?;
    let calendar = CalendarRef::new(&team, &calendar).map_err(fault)?;
    match Native.read(text, Some(calendar)).map_err(fault)? {
        Received::Booking(reading) => keep(&service, "native", &team, *reading).await,
        Received::Ignored { event, .. } => Err(ApiError::invalid("kind", format!("unknown kind `{event}`"))),
    }
}

pub(crate) fn fault(fault: crm_intake::Fault) -> ApiError {
    ApiError::invalid(fault.path, fault.reason)
}

/// Keeps a booking.
pub(crate) async fn keep(
    service: &Service,
    format: &'static str,
    team: &str,
    reading: Reading,
) -> Result<Response, ApiError> {
    let inner = &service.inner;
    if !inner.known.team(&*inner.ledger, team).await? {
        return Err(ApiError::not_found("no-such-team", format!("there is no team `{team}`; create it first")));
    }
    if !inner.pace.admits(team) {
        observed::refused(format, "too-fast");
        let detail = "too many bookings of this team arrive; send it again in a second";
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-fast", detail).later(1));
    }
    let arrival = Arrival::new(reading.booking, &reading.findings, inner.default_integration.clone())
        .map_err(|error| ApiError::invalid("", error.to_string()))?;
    let (booking, change) = (arrival.booking.clone(), arrival.change.clone());
    let sent = arrival.clone();
    let (status, deliveries) = match inner.ledger.accept(arrival).await? {
        Acceptance::Accepted(deliveries) => {
            observed::accepted(format);
            if let Some(wake) = &inner.wake {
                wake.notify_one();
            }
            (StatusCode::ACCEPTED, deliveries)
        }
        Acceptance::Known(deliveries) => {
            observed::repeated(format);
            (StatusCode::OK, deliveries)
        }
        Acceptance::Differs(kept) => {
            observed::refused(format, "change-differs");
            let paths = kept.map(|kept| sent.differences(&kept)).unwrap_or_default();
            let detail = format!(
                "the change `{change}` of booking `{booking}` was accepted with another content; send a new change_id"
            );
            return Err(ApiError::new(StatusCode::CONFLICT, "change-differs", detail).at(paths));
        }
    };
    Ok((status, Json(Answer { booking, change, deliveries })).into_response())
}
