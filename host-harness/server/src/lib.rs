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
//! One layer authenticates everything under `/v1` but the document; each handler says which [`Role`] it takes.

mod alert_webhook;
mod authentication;
mod bookings;
mod cache;
mod deliveries;
mod error;
mod extract;
mod health;
mod hooks;
mod mappings;
mod observed;
mod openapi;
mod teams;

use std::{num::NonZeroU32, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, header},
    response::Response,
};
use crm_delivery::{Integration, Ledger};
use crm_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Notify;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use alert_webhook::{AlertWebhook, AlertWebhookError};
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

    /// Wakes a worker of this process.
    fn wake(&self) {
        if let Some(wake) = &self.inner.wake {
            wake.notify_one();
        }
    }

    /// Whether a team was created.
    async fn must_know(&self, team: &str) -> Result<(), ApiError> {
        let is_known = self.inner.known.team(&*self.inner.ledger, team).await?;
        if is_known { Ok(()) } else { Err(ApiError::no_team(team)) }
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

/// All routes. Those with a token come first.
fn routes() -> OpenApiRouter<Service> {
    with_token().merge(open())
}

fn with_token() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(bookings::accept))
        .routes(routes!(mappings::show, mappings::put))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::export))
        .routes(routes!(deliveries::causes))
        .routes(routes!(deliveries::plan))
        .routes(routes!(deliveries::resend))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::retry))
        .routes(routes!(deliveries::cancel))
        .routes(routes!(teams::list))
        .routes(routes!(teams::put))
        .routes(routes!(teams::put_hook))
        .routes(routes!(teams::queues))
        .routes(routes!(teams::put_queue))
        .routes(routes!(teams::tokens, teams::create_token))
        .routes(routes!(teams::revoke_token))
}

fn open() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(hooks::receive))
        .routes(routes!(openapi::show))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
}

/// All routes, to be served.
pub fn router(service: Service) -> Router {
    let authenticate = axum::middleware::from_fn_with_state(service.clone(), authentication::authenticate);
    let router = with_token().route_layer(authenticate).merge(open());
    Router::from(router)
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(axum::middleware::map_response(careful))
        .with_state(service)
}

/// Keeps browsers and proxies from storing answers and from guessing their types.
async fn careful(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
