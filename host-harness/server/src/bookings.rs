//! Taking bookings.

use axum::{Json, extract::State, http::StatusCode};
use crm_booking::Booking;
use crm_delivery::{Acceptance, Arrival, Placed};
use crm_intake::{CalendarRef, Intake as _, Native, Reading, Received};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    ApiError, Service,
    authentication::{Caller, Role},
    extract::{Body, Path},
    observed,
};

/// A booking that is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// The booking's id.
    booking: String,
    /// The id of the change: the scheduler's, or one that stands for the content.
    change: String,
    /// Where it goes: one delivery for each integration of its calendar.
    deliveries: Vec<Placed>,
}

/// Takes a change of a booking
///
/// Send it again until the answer is 202, 200 or 400: the same change with the same content is kept once.
#[utoipa::path(post, path = "/v1/teams/{team}/calendars/{calendar}/bookings", tag = "bookings", operation_id = "acceptBooking", request_body = Booking, responses(
    (status = 202, description = "The change is durable now.", body = Accepted),
    (status = 200, description = "The change was durable already.", body = Accepted),
    (status = 404, description = "no-such-team"),
    (status = 409, description = "change-differs"),
    (status = 429, description = "too-fast"),
))]
pub(crate) async fn accept(
    State(service): State<Service>,
    caller: Caller,
    Path((team, calendar)): Path<(String, String)>,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    caller.may(Role::Intake, &team)?;
    let calendar = CalendarRef::new(&team, &calendar)?;
    let read = body.text().and_then(|text| Ok(Native.read(&text, Some(calendar))?));
    match read.inspect_err(|error| observed::refused("native", error.code()))? {
        Received::Booking(reading) => keep(&service, "native", &team, *reading).await,
        Received::Ignored { event, .. } => Err(ApiError::invalid("kind", format!("unknown kind `{event}`"))),
    }
}

/// Keeps a booking.
pub(crate) async fn keep(
    service: &Service,
    format: &'static str,
    team: &str,
    reading: Reading,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let inner = &service.inner;
    service.must_know(team).await.inspect_err(|error| observed::refused(format, error.code()))?;
    if !inner.pace.admits(team) {
        observed::refused(format, "too-fast");
        let detail = "too many bookings of this team arrive; send it again in a second";
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-fast", detail).later(1));
    }
    let arrival = Arrival::new(reading.booking, &reading.findings, inner.default_integration.clone())
        .map_err(|error| ApiError::invalid("", error.to_string()))?;
    let (booking, change) = (arrival.booking.clone(), arrival.change.clone());
    let sent = arrival.clone();
    let failed = |error: &ApiError| observed::refused(format, error.code());
    let (status, deliveries) = match inner.ledger.accept(arrival).await.map_err(ApiError::from).inspect_err(failed)? {
        Acceptance::Accepted(deliveries) => {
            observed::accepted(format);
            service.wake();
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
    Ok((status, Json(Accepted { booking, change, deliveries })))
}
