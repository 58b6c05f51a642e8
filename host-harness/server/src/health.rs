//! Whether the process lives and can accept bookings, and what it counts.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{ApiError, Service, observed};

/// How long the ledger may take to say what it has.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process runs.
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// `GET /readyz`: the ledger can be used.
pub(crate) async fn readyz(State(service): State<Service>) -> Result<Json<Value>, ApiError> {
    match tokio::time::timeout(PATIENCE, service.inner.ledger.totals()).await {
        Ok(totals) => totals.map(|_| Json(json!({ "status": "ready" }))).map_err(ApiError::from),
        Err(_elapsed) => {
            let detail = "the ledger does not respond";
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ledger-slow", detail).later(5))
        }
    }
}

/// `GET /metrics`: in Prometheus's text format, without names of teams.
pub(crate) async fn metrics(State(service): State<Service>) -> Result<Response, ApiError> {
    let none = || ApiError::not_found("no-metrics", "this process counts nothing");
    let metrics = service.inner.metrics.as_ref().ok_or_else(none)?;
    if let (Ok(totals), Ok(now)) = (service.inner.ledger.totals().await, service.inner.ledger.now().await) {
        observed::totals(&totals, now);
    }
    let text = metrics.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
