//! The admin API, on its own port: controls for tests and people that no real org offers.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

use crate::{fault::Fault, log::LogEntry, org::Org};

/// Serves the admin API until `stop` changes.
pub(crate) async fn serve(org: Org, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let stopped = async move {
        // A dropped sender stops the server too.
        let _ = stop.changed().await;
    };
    // Only a broken listener ends this early; the org itself keeps running.
    let _ = axum::serve(listener, router(org)).with_graceful_shutdown(stopped).await;
}

fn router(org: Org) -> Router {
    Router::new()
        .route("/leads", get(leads))
        .route("/requests", get(requests).delete(clear_requests))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/clock", post(advance_clock))
        .route("/callbacks", post(register_callback))
        .route("/move", post(move_to))
        .route("/tokens/expire", post(expire_tokens))
        .route("/tokens/revoke", post(revoke_tokens))
        .layer(middleware::from_fn_with_state(org.clone(), saved))
        .with_state(org)
}

/// Saves a request's changes before responding.
async fn saved(State(org): State<Org>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match org.save().await {
        Ok(()) => response,
        Err(error) => {
            let text = format!("cannot write the org's store: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

async fn leads(State(org): State<Org>) -> Json<Vec<Value>> {
    Json(org.leads())
}

async fn requests(State(org): State<Org>) -> Json<Vec<LogEntry>> {
    Json(org.requests())
}

async fn clear_requests(State(org): State<Org>) -> StatusCode {
    org.clear_requests();
    StatusCode::NO_CONTENT
}

async fn faults(State(org): State<Org>) -> Json<Vec<Fault>> {
    Json(org.state().faults.clone())
}

async fn add_fault(State(org): State<Org>, Json(fault): Json<Fault>) -> StatusCode {
    org.add_fault(fault);
    StatusCode::CREATED
}

async fn clear_faults(State(org): State<Org>) -> StatusCode {
    org.clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

async fn advance_clock(State(org): State<Org>, Json(advance): Json<Advance>) -> StatusCode {
    org.advance_clock(SignedDuration::from_secs(advance.seconds));
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    url: String,
}

async fn register_callback(State(org): State<Org>, Json(callback): Json<Address>) -> StatusCode {
    org.register_callback(&callback.url);
    StatusCode::NO_CONTENT
}

async fn move_to(State(org): State<Org>, Json(address): Json<Address>) -> StatusCode {
    org.move_to(&address.url);
    StatusCode::NO_CONTENT
}

async fn expire_tokens(State(org): State<Org>) -> StatusCode {
    org.expire_access_tokens();
    StatusCode::NO_CONTENT
}

async fn revoke_tokens(State(org): State<Org>) -> StatusCode {
    org.revoke_all_tokens();
    StatusCode::NO_CONTENT
}
