//! Whether the process lives and can accept bookings, and what it counts.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{ApiError, Service, observed};

/// How long the ledger may take to say what it has.
const PATIENCE: Duration = Duration::from_secs(2);

/// That the process works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `alive` or `ready`.
    #[schema(value_type = String)]
    status: &'static str,
}

/// The process runs
#[utoipa::path(get, path = "/healthz", tag = "service", operation_id = "isAlive", responses(
    (status = 200, description = "The process runs.", body = Health),
))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "alive" })
}

/// Bookings can be accepted: the ledger can be used
#[utoipa::path(get, path = "/readyz", tag = "service", operation_id = "isReady", responses(
    (status = 200, description = "Bookings can be accepted.", body = Health),
    (status = 503, description = "ledger-slow ledger-busy ledger-damaged ledger-database ledger-stale"),
))]
pub(crate) async fn readyz(State(service): State<Service>) -> Result<Json<Health>, ApiError> {
    match tokio::time::timeout(PATIENCE, service.inner.ledger.totals()).await {
        Ok(totals) => totals.map(|_| Json(Health { status: "ready" })).map_err(ApiError::from),
        Err(_elapsed) => {
            let detail = "the ledger does not respond";
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ledger-slow", detail).later(5))
        }
    }
}

/// What is counted
///
/// In Prometheus's text format 0.0.4. No label names a team, a booking or a person.
#[utoipa::path(get, path = "/metrics", tag = "service", operation_id = "showMetrics", responses(
    (status = 200, description = "Metrics.", content_type = "text/plain; version=0.0.4; charset=utf-8", body = String),
    (status = 404, description = "no-metrics"),
))]
pub(crate) async fn metrics(State(service): State<Service>) -> Result<Response, ApiError> {
    let none = || ApiError::not_found("no-metrics", "this process counts nothing");
    let metrics = service.inner.metrics.as_ref().ok_or_else(none)?;
    if let (Ok(totals), Ok(now)) = (service.inner.ledger.totals().await, service.inner.ledger.now().await) {
        observed::totals(&totals, now);
    }
    let text = metrics.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
