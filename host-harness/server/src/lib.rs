//! The HTTP side of delivery: what platforms, schedulers, operators and settings pages talk to.
//!
//! [`router`] has all routes, to be served alone or nested in a platform's own axum application:
//!
//! | route | for whom |
//! | --- | --- |
//! | `POST /v1/teams/{team}/calendars/{calendar}/bookings` | a platform's back end |
//! | `POST /hooks/{service}/{team}/{calendar}` | a scheduling service, by its own authentication |
//! | `/v1/...` | tokens of operators and teams |
//! | `/healthz`, `/readyz`, `/metrics`, `/v1/openapi.json` | anybody who reaches the port |
//!
//! One layer authenticates everything under `/v1`; each handler says which [`Role`] it takes.

mod authentication;
mod bookings;
mod cache;
mod deliveries;
mod error;
mod health;
mod hooks;
mod mappings;
mod observed;
mod teams;

use std::{num::NonZeroU32, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, post, put},
};
use crm_delivery::{Integration, Ledger};
use crm_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Notify;

pub use authentication::{Role, SCOPES};
pub use error::{ApiError, Fault};
pub use observed::{Metrics, host_observer};

/// Largest body: the contract limits the arguments of one call to as much.
pub const MOST_BODY_BYTES: usize = 1 << 20;

/// What the routes work with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ledger: Arc<dyn Ledger>,
    store: Arc<dyn Store>,
    default_integration: Integration,
    wake: Option<Arc<Notify>>,
    metrics: Option<PrometheusHandle>,
    known: cache::Known,
    pace: cache::Pace,
}

impl Service {
    /// A service over a ledger and a store. Bookings of calendars without a mapping wait for one for `default_integration`.
    pub fn new(ledger: Arc<dyn Ledger>, store: Arc<dyn Store>, default_integration: Integration) -> Self {
        let inner = Inner {
            ledger,
            store,
            default_integration,
            wake: None,
            metrics: None,
            known: cache::Known::default(),
            pace: cache::Pace::new(DEFAULT_PACE),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Wakes a worker of this process for each booking that was accepted.
    pub fn waking(self, wake: Arc<Notify>) -> Self {
        self.with(|inner| inner.wake = Some(wake))
    }

    /// Serves metrics at `/metrics`.
    pub fn metrics(self, metrics: PrometheusHandle) -> Self {
        self.with(|inner| inner.metrics = Some(metrics))
    }

    /// How many bookings of a team are accepted in a second. The default is 500. A burst may have four times as many.
    pub fn pace(self, per_second: NonZeroU32) -> Self {
        self.with(|inner| inner.pace = cache::Pace::new(per_second))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        // Nobody has cloned it yet; a service that was cloned keeps what it has.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            change(inner);
        }
        self
    }
}

/// Bookings of one team a second.
const DEFAULT_PACE: NonZeroU32 = match NonZeroU32::new(500) {
    Some(pace) => pace,
    None => NonZeroU32::MIN,
};

/// All routes.
pub fn router(service: Service) -> Router {
    let v1 = Router::new()
        .route("/teams", get(teams::list))
        .route("/teams/{team}", put(teams::put))
        .route("/teams/{team}/hooks/{service}", put(teams::put_hook))
        .route("/teams/{team}/queues/{plugin}", put(teams::put_queue))
        .route("/teams/{team}/calendars/{calendar}/bookings", post(bookings::accept))
        .route(
            "/teams/{team}/calendars/{calendar}/integrations/{integration}/mapping",
            get(mappings::show).put(mappings::put),
        )
        .route("/queues", get(teams::queues))
        .route("/tokens", get(teams::tokens).post(teams::create_token))
        .route("/tokens/{id}", delete(teams::revoke_token))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/causes", get(deliveries::causes))
        .route("/deliveries/plan", post(deliveries::plan))
        .route("/deliveries/resend", post(deliveries::resend))
        .route("/deliveries/{id}", get(deliveries::show))
        .route("/deliveries/{id}/retry", post(deliveries::retry))
        .route("/deliveries/{id}/cancel", post(deliveries::cancel))
        .fallback(error::no_route)
        .layer(axum::middleware::from_fn_with_state(service.clone(), authentication::authenticate));
    Router::new()
        .nest("/v1", v1)
        .route("/hooks/{service}/{team}/{calendar}", post(hooks::receive))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .with_state(service)
}
