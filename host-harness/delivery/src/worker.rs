//! The loop that claims bookings and calls plugins.
//!
//! claim → resolve → call → finish. Any number of workers share a ledger. A worker that is told to stop finishes what it has, and leaves
//! the rest.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use crm_booking::{Mapping, Memos};
use crm_contract::{Delivery, Effect, Instant, Problem, Reaction};
use crm_host::{
    Asked, CallError, CallErrorKind, Deadline, Plugin,
    credentials::{ConnectionId, GrantState, StoreError},
    full_message,
    manifest::Identifier,
};
use serde_json::json;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::{Claimed, Ended, Integration, Ledger, LedgerError, Payload, Tried};

/// Claims that are taken at once, at most: a claim is one transaction, and other workers want some too.
const MOST_AT_ONCE: u32 = 32;
/// How long an idle worker waits before it asks again. Bookings that this process accepts wake it at once.
const POLL: Duration = Duration::from_millis(200);
/// How long to wait after the ledger failed.
const PAUSE: Duration = Duration::from_secs(1);
/// No connection of the team for the plugin.
const NOT_CONNECTED: &str = "not-connected";
/// An integration names a plugin that is not installed.
const PLUGIN_MISSING: &str = "plugin-missing";
/// How often claims of lost workers are looked for, as a part of a lease.
const RESCUES_IN_A_LEASE: u32 = 6;

/// Finds what delivers the bookings of an integration.
#[async_trait]
pub trait Plugins: fmt::Debug + Send + Sync {
    /// The loaded plugin of this id, and a team's connection for it; `None` if no such plugin is installed.
    ///
    /// # Errors
    /// If the store of connections fails.
    async fn find(&self, team: &str, plugin: &str) -> Result<Option<Installed>, StoreError>;
}

/// An installed plugin.
#[derive(Clone)]
pub struct Installed {
    /// The plugin.
    pub plugin: Plugin,
    /// The team's connection, if it has one.
    pub connection: Option<ConnectionId>,
    /// The credential of the manifest that the connection has.
    pub credential: Identifier,
}

impl Installed {
    /// The account that the connection leads to, and when a person connected it; `None` if it has no grant.
    pub(crate) async fn account(&self) -> Result<Option<(String, Instant)>, StoreError> {
        let Some(connection) = &self.connection else { return Ok(None) };
        let (broker, credential) = (self.plugin.broker(), self.credential.as_str());
        let connected_at = match broker.state(connection, credential).await?.map(|stored| stored.state) {
            Some(GrantState::Live(grant)) => u64::try_from(grant.connected_at().as_millisecond()).unwrap_or(0),
            _ => return Ok(None),
        };
        Ok(broker.account(connection, credential).await?.map(|account| (account, connected_at)))
    }
}

/// Reports how tries end, for metrics.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A try ended, and the ledger knows it unless it lost the claim.
    fn tried(&self, seen: &Seen<'_>);

    /// The ledger lost a claim of this worker, and what its try did is unknown.
    fn lost(&self, _integration: &Integration) {}
}

/// How a try went.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The integration.
    pub integration: &'a Integration,
    /// How it ended.
    pub ended: &'a Ended,
    /// From acceptance to now, in milliseconds, by the ledger's clock when the try began.
    pub waited: u64,
    /// How long the try took.
    pub took: Duration,
    /// What the call used.
    pub usage: Option<&'a crm_host::Usage>,
}

/// Delivers the bookings of a ledger.
#[derive(Debug)]
pub struct Worker {
    ledger: Arc<dyn Ledger>,
    plugins: Arc<dyn Plugins>,
    observer: Option<Arc<dyn Observer>>,
    slots: u32,
    wake: Arc<Notify>,
}

impl Worker {
    /// A worker that has at most `slots` bookings under way.
    pub fn new(ledger: Arc<dyn Ledger>, plugins: Arc<dyn Plugins>, slots: u32) -> Self {
        Self { ledger, plugins, observer: None, slots: slots.max(1), wake: Arc::default() }
    }

    /// Reports how tries end.
    pub fn observe(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Wakes the worker when a booking was accepted, so that it does not wait until it asks again.
    pub fn waker(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Works until `stop` becomes true, and then finishes what is under way.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let worker = Arc::new(self);
        let slots = Arc::new(Semaphore::new(usize::try_from(worker.slots).unwrap_or(Semaphore::MAX_PERMITS)));
        let tasks = TaskTracker::new();
        let rescuing = tokio::spawn(worker.clone().rescue(stop.clone()));
        while !*stop.borrow_and_update() {
            let Ok(first) = slots.clone().acquire_owned().await else { break };
            let free = u32::try_from(slots.available_permits()).unwrap_or(u32::MAX).saturating_add(1);
            let asked = Asked::now();
            // Not cancelled by `stop`: a claim that was made must be worked on.
            let pause = match worker.ledger.claim(free.min(MOST_AT_ONCE)).await {
                Ok(claimed) if claimed.is_empty() => Some(worker.idle().await),
                Ok(claimed) => {
                    let mut first = Some(first);
                    for claimed in claimed {
                        // There are as many permits as were asked for.
                        let permit = first.take().or_else(|| slots.clone().try_acquire_owned().ok());
                        tasks.spawn(worker.clone().deliver(claimed, asked, permit));
                    }
                    None
                }
                Err(error) => {
                    tracing::error!(code = error.code(), error = full_message(&error), "no booking could be claimed");
                    Some(PAUSE)
                }
            };
            if let Some(pause) = pause {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = worker.wake.notified() => {}
                    _ = stop.changed() => {}
                }
            }
        }
        tasks.close();
        tasks.wait().await;
        rescuing.abort();
    }

    /// How long nothing is due, at most [`POLL`].
    async fn idle(&self) -> Duration {
        let due = async { Ok::<_, LedgerError>((self.ledger.next_due().await?, self.ledger.now().await?)) };
        match due.await {
            Ok((Some(due), now)) if due > now => Duration::from_millis(due - now).min(POLL),
            _ => POLL,
        }
    }

    async fn rescue(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let pause = Duration::from_millis(self.ledger.settings().lease) / RESCUES_IN_A_LEASE;
        loop {
            match self.ledger.rescue(random()).await {
                Ok(0) => {}
                Ok(rescued) => {
                    tracing::warn!(rescued, "bookings were taken back from lost workers");
                    self.wake.notify_one();
                }
                Err(error) => {
                    tracing::error!(code = error.code(), error = full_message(&error), "no claim could be rescued")
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn deliver(self: Arc<Self>, claimed: Claimed, asked: Asked, _permit: Option<OwnedSemaphorePermit>) {
        let span = tracing::info_span!(
            "delivery",
            delivery = claimed.id.0,
            try_number = claimed.fence,
            team = claimed.mapping_key.team,
            calendar = claimed.mapping_key.calendar,
            integration = claimed.mapping_key.integration.as_str(),
        );
        async {
            let begun = std::time::Instant::now();
            let attempted = self.attempt(&claimed, asked).await;
            let took = begun.elapsed();
            log(&attempted.ended);
            self.finish(&claimed, &attempted).await;
            if let Some(observer) = &self.observer {
                observer.tried(&Seen {
                    integration: &claimed.mapping_key.integration,
                    ended: &attempted.ended,
                    waited: claimed.history.now.saturating_sub(claimed.accepted),
                    took,
                    usage: attempted.usage.as_ref(),
                });
            }
        }
        .instrument(span)
        .await;
    }

    /// Keeps trying to note how a try ended: what is not noted counts as unknown, and costs a look.
    async fn finish(&self, claimed: &Claimed, attempted: &Attempted) {
        let tried = Tried {
            id: claimed.id,
            fence: claimed.fence,
            mapping: claimed.mapping.version,
            requests: attempted
                .usage
                .as_ref()
                .map_or(0, |usage| u32::try_from(usage.requests.len()).unwrap_or(u32::MAX)),
            detail: serde_json::to_vec(&attempted.detail).unwrap_or_default(),
            ended: attempted.ended.clone(),
            random: random(),
        };
        let give_up = Duration::from_millis(self.ledger.settings().lease);
        let begun = std::time::Instant::now();
        loop {
            match self.ledger.finish(tried.clone()).await {
                Ok(()) => break,
                Err(LedgerError::Stale) => {
                    tracing::warn!("the claim has ended; another worker looks for what this try wrote");
                    if let Some(observer) = &self.observer {
                        observer.lost(&claimed.mapping_key.integration);
                    }
                    break;
                }
                Err(error) => {
                    tracing::error!(
                        code = error.code(),
                        error = full_message(&error),
                        "the end of a try could not be noted"
                    );
                    if begun.elapsed() >= give_up {
                        break;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        // The next booking of its lane may be due.
        self.wake.notify_one();
    }

    async fn attempt(&self, claimed: &Claimed, asked: Asked) -> Attempted {
        let key = &claimed.mapping_key;
        let (plugin, connection) = match self.plugins.find(&key.team, key.integration.plugin()).await {
            Ok(Some(Installed { plugin, connection: Some(connection), .. })) => (plugin, connection),
            Ok(Some(Installed { connection: None, .. })) => {
                let message = "the team is not connected; an owner or admin connects it";
                return Attempted::refused(Problem::new(NOT_CONNECTED, Reaction::Reconnect, message));
            }
            Ok(None) => {
                let code = PLUGIN_MISSING.to_owned();
                return Attempted::without_call(Ended::Stopped { code, effect: Effect::None });
            }
            Err(error) => {
                let message = "the store of connections cannot be used just now";
                tracing::error!(code = error.code(), error = full_message(&error), message);
                return Attempted::refused(Problem::new(error.code(), Reaction::Retry, message));
            }
        };
        let plugin = plugin.until(Deadline::after(asked, Duration::from_millis(claimed.time)));
        let payload = match Payload::read(&claimed.payload) {
            Ok(payload) => payload,
            Err(error) => return Attempted::refused(unreadable("booking-unreadable", Reaction::FixBooking, &error)),
        };
        let mapping: Mapping = match serde_json::from_str(&claimed.mapping.content) {
            Ok(mapping) => mapping,
            Err(error) => return Attempted::refused(unreadable("mapping-unreadable", Reaction::FixMapping, &error)),
        };
        let memos = match self.memos(claimed, &plugin, &connection, &mapping).await {
            Ok(memos) => memos,
            Err(attempted) => return *attempted,
        };
        let resolved = crm_booking::resolve(&payload.booking, &mapping, &memos);
        let called =
            plugin.on_booking_completed(&connection, &resolved.booking, &resolved.mapping, &claimed.history).await;
        let of_host = || payload.findings.iter().cloned().chain(resolved.findings.iter().map(|found| json!(found)));
        match called {
            Ok(called) => match called.answer {
                Ok(delivery) => {
                    let of_plugin =
                        delivery.findings.iter().map(|found| json!(resolved.origins.explain(found.clone())));
                    let findings: Vec<_> = of_host().chain(of_plugin).collect();
                    let detail = json!({ "outcome": delivery.outcome, "findings": findings });
                    Attempted {
                        ended: Ended::Delivered(with_lost(delivery, &resolved)),
                        usage: Some(called.usage),
                        detail,
                    }
                }
                Err(problem) => {
                    let explained = resolved.origins.explain_problem(problem.clone());
                    let detail = json!({ "problem": explained, "findings": of_host().collect::<Vec<_>>() });
                    Attempted { ended: Ended::Refused(problem), usage: Some(called.usage), detail }
                }
            },
            Err(error) => Attempted::stopped(error),
        }
    }

    /// What the plugin noted about the fields of the mapping: kept with it, or asked for now.
    async fn memos(
        &self,
        claimed: &Claimed,
        plugin: &Plugin,
        connection: &ConnectionId,
        mapping: &Mapping,
    ) -> Result<Memos, Box<Attempted>> {
        let memos: Memos = claimed.mapping.memos.iter().cloned().collect();
        if memos.cover(mapping) {
            return Ok(memos);
        }
        let listed = match plugin.list_lead_fields(connection, mapping.target(), "en").await {
            Ok(called) => called.answer.map_err(|problem| Box::new(Attempted::refused(problem)))?,
            Err(error) => return Err(Box::new(Attempted::stopped(error))),
        };
        let memos = Memos::of_list(&listed);
        let (key, version) = (&claimed.mapping_key, claimed.mapping.version);
        if let Err(error) = self.ledger.put_memos(key, version, &memos.pairs()).await {
            // The next booking asks again.
            tracing::warn!(code = error.code(), "the plugin's notes about the fields could not be kept");
        }
        Ok(memos)
    }
}

/// How a try went, with what people may want to read.
#[derive(Debug)]
struct Attempted {
    ended: Ended,
    usage: Option<crm_host::Usage>,
    detail: serde_json::Value,
}

impl Attempted {
    fn without_call(ended: Ended) -> Self {
        Self { ended, usage: None, detail: json!({}) }
    }

    fn refused(problem: Problem) -> Self {
        Self { detail: json!({ "problem": problem }), ended: Ended::Refused(problem), usage: None }
    }

    fn stopped(error: CallError) -> Self {
        let detail = json!({ "problem": { "code": error.code(), "message": error.to_string() } });
        let ended = match &error.kind {
            CallErrorKind::Busy(_) => Ended::NotCalled,
            CallErrorKind::ArgumentsTooLarge(_) => {
                Ended::Refused(Problem::new(error.code(), Reaction::FixBooking, error.to_string()))
            }
            _ => Ended::Stopped { code: error.code().to_owned(), effect: error.effect() },
        };
        Self { ended, usage: Some(error.usage), detail }
    }
}

fn unreadable(code: &str, reaction: Reaction, error: &serde_json::Error) -> Problem {
    Problem::new(code, reaction, error.to_string())
}

/// A delivery in which the host left out a value is partial, too.
fn with_lost(mut delivery: Delivery, resolved: &crm_booking::Resolved) -> Delivery {
    delivery.findings.extend(resolved.findings.iter().map(|found| found.finding.clone()));
    delivery
}

/// One line a try, without personal data [H4].
fn log(ended: &Ended) {
    match ended {
        Ended::Delivered(delivery) => tracing::info!(
            outcome = ?delivery.outcome,
            records = delivery.records.len(),
            findings = delivery.findings.len(),
            "delivered"
        ),
        Ended::Refused(problem) => tracing::warn!(
            code = problem.code,
            reaction = problem.reaction.name(),
            effect = ?problem.effect,
            status = problem.http_status,
            retry_after = problem.retry_after,
            "not delivered"
        ),
        Ended::Stopped { code, effect } => tracing::error!(code, ?effect, "the call was stopped"),
        Ended::NotCalled => tracing::info!("the host was busy"),
    }
}

/// From 0 to 1, so that those who failed together do not come back together.
fn random() -> f64 {
    rand::random()
}
