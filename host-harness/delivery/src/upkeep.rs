//! What happens without anybody asking: alerts, reconnected teams, checks of mappings and connections, refreshes, retention.
//!
//! Each process runs it, and each task is taken by one of them at a time.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use crm_booking::{EVENTS, Mapping, Memos, codes, expectations, unknown_fields};
use crm_contract::{Consequence, Instant};
use crm_host::full_message;
use tokio::sync::{Notify, watch};

use crate::{
    Filter, Hold, Ledger, LedgerError, MappingKey, QueueSummary, State, StoredMapping,
    alerts::{self, Alert, AllTold},
    worker::{Installed, Plugins},
};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
/// How often to look for something to do.
const ROUND: Duration = Duration::from_secs(2);
/// How often people may hear of something.
const ALERTS: u64 = 5_000;
/// How often to look which teams connected again.
const CONNECTIONS: u64 = 2_000;
/// Parked bookings that are looked at: there are only those that were under way when the connection ended.
const MOST_PARKED: u32 = 50;
/// Entries whose content is removed in one transaction.
const FORGOTTEN_AT_ONCE: u32 = 500;
/// The note of what people were told.
const TOLD: &str = "alerts";

/// Tells people.
#[async_trait]
pub trait Alarm: fmt::Debug + Send + Sync {
    /// Passes an alert on. One that cannot be passed on is tried again; one that was may come again, with the same content.
    ///
    /// # Errors
    /// If nobody was told.
    async fn raise(&self, alert: &Alert) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// Writes alerts to the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

#[async_trait]
impl Alarm for Log {
    async fn raise(&self, alert: &Alert) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let (name, team) = (alert.name(), alert.team());
        match alert {
            Alert::Recovered(key) => {
                tracing::info!(alert = name, team, code = key.code, "bookings no longer wait for this")
            }
            Alert::Began(counted) | Alert::Urgent(counted) => {
                let key = &counted.key;
                tracing::warn!(alert = name, team, code = key.code, count = counted.count, "bookings wait");
            }
            Alert::Digest { causes, .. } => {
                let count: u64 = causes.iter().map(|counted| counted.count).sum();
                tracing::warn!(alert = name, team, causes = causes.len(), count, "bookings still wait");
            }
            Alert::Drift { calendar, codes, .. } => {
                tracing::warn!(alert = name, team, calendar, ?codes, "a mapping no longer fits the CRM");
            }
            Alert::Connection { plugin, codes, .. } => {
                tracing::warn!(alert = name, team, plugin, ?codes, "a connection does not work");
            }
        }
        Ok(())
    }
}

/// Looks after a ledger and its connections.
#[derive(Debug)]
pub struct Upkeep {
    ledger: Arc<dyn Ledger>,
    plugins: Arc<dyn Plugins>,
    alarms: Vec<Arc<dyn Alarm>>,
    /// Names this process.
    holder: String,
    /// How long the content of a booking is kept once it is final, in milliseconds.
    retention: u64,
    wake: Arc<Notify>,
}

impl Upkeep {
    /// Upkeep by a process of this name, which wakes a worker when something may be due.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        plugins: Arc<dyn Plugins>,
        alarms: Vec<Arc<dyn Alarm>>,
        holder: String,
        wake: Arc<Notify>,
    ) -> Self {
        Self { ledger, plugins, alarms, holder, retention: 30 * DAY, wake }
    }

    /// Keeps the content of a booking for `days` once it is final. The default is 30.
    pub fn retention_days(mut self, days: u32) -> Self {
        self.retention = u64::from(days).saturating_mul(DAY);
        self
    }

    /// Works until `stop` becomes true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.round() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn round(&self) {
        note_failure("alerts", self.alert().await);
        note_failure("reconnected teams", self.welcome_back().await);
        note_failure("retention", self.forget().await);
        note_failure("checks", self.check().await);
    }

    async fn is_ours(&self, task: &str, every: u64) -> Result<bool, LedgerError> {
        self.ledger.take_task(task, &self.holder, every).await
    }

    async fn alert(&self) -> Result<(), LedgerError> {
        if !self.is_ours("alerts", ALERTS).await? {
            return Ok(());
        }
        let before = self.ledger.note(TOLD).await?;
        // A note that cannot be read tells people again, which is better than not at all.
        let mut told: AllTold = before.as_deref().and_then(|told| serde_json::from_str(told).ok()).unwrap_or_default();
        let (causes, now) = (self.ledger.causes(None).await?, self.ledger.now().await?);
        let due = alerts::due(&mut told, &causes, now, self.ledger.settings());
        if !self.raise(&due).await {
            return Ok(());
        }
        let after = serde_json::to_string(&told).map_err(|error| LedgerError::Damaged(error.to_string()))?;
        if before.as_deref() != Some(&after) {
            self.ledger.put_note(TOLD, &after).await?;
        }
        Ok(())
    }

    /// Passes alerts on, and returns whether all arrived.
    async fn raise(&self, alerts: &[Alert]) -> bool {
        let mut all = true;
        for alert in alerts {
            for alarm in &self.alarms {
                if let Err(error) = alarm.raise(alert).await {
                    tracing::error!(
                        alert = alert.name(),
                        error = full_message(&*error),
                        "an alert could not be passed on"
                    );
                    all = false;
                }
            }
        }
        all
    }

    /// Lets the bookings of teams go on that connected again. Whoever connected them may be another process.
    async fn welcome_back(&self) -> Result<(), LedgerError> {
        if !self.is_ours("connections", CONNECTIONS).await? {
            return Ok(());
        }
        for queue in self.ledger.queues().await? {
            let is_waited_for = queue.queue.hold == Some(Hold::NotConnected) || queue.queue.account.is_none();
            if !is_waited_for {
                continue;
            }
            let account = match self.plugins.find(&queue.team, &queue.plugin).await {
                Ok(Some(installed)) => installed.account().await,
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            match account {
                Ok(Some((account, connected_at))) => {
                    if self.has_failed_since(&queue, connected_at).await? {
                        continue;
                    }
                    let goes_on = self.ledger.connected(&queue.team, &queue.plugin, &account, false).await?;
                    tracing::info!(team = queue.team, plugin = queue.plugin, goes_on, "a team is connected");
                    self.wake.notify_one();
                }
                Ok(None) => {}
                Err(error) => tracing::error!(code = error.code(), team = queue.team, "a connection could not be read"),
            }
        }
        Ok(())
    }

    /// Whether a try that began after the team connected was refused all the same. A CRM can refuse a grant that is still stored, such as
    /// an API key that was withdrawn there: only connecting again helps.
    async fn has_failed_since(&self, queue: &QueueSummary, connected_at: Instant) -> Result<bool, LedgerError> {
        let parked = Filter { team: Some(queue.team.clone()), state: Some(State::Parked), ..Filter::default() };
        for summary in self.ledger.list(&parked, None, MOST_PARKED).await? {
            if summary.integration.plugin() == queue.plugin {
                let attempts = self.ledger.show(Some(&queue.team), summary.id).await?.attempts;
                if attempts.last().is_some_and(|last| last.began >= connected_at) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn forget(&self) -> Result<(), LedgerError> {
        if !self.is_ours("retention", 60 * MINUTE).await? {
            return Ok(());
        }
        let before = self.ledger.now().await?.saturating_sub(self.retention);
        let mut forgotten = 0;
        loop {
            let batch = self.ledger.forget(before, FORGOTTEN_AT_ONCE).await?;
            forgotten += batch;
            if batch < u64::from(FORGOTTEN_AT_ONCE) {
                break;
            }
        }
        if forgotten > 0 {
            tracing::info!(forgotten, "the content of old bookings was removed");
        }
        Ok(())
    }

    /// Checks connections and mappings once a day, and keeps idle grants alive.
    async fn check(&self) -> Result<(), LedgerError> {
        if !self.is_ours("checks", DAY).await? {
            return Ok(());
        }
        for queue in self.ledger.queues().await? {
            if let Ok(Some(installed)) = self.plugins.find(&queue.team, &queue.plugin).await {
                let codes = examine(&installed).await;
                if !codes.is_empty() {
                    let (team, plugin) = (queue.team, queue.plugin);
                    self.raise(&[Alert::Connection { team, plugin, codes }]).await;
                }
            }
        }
        for (key, mapping) in self.ledger.mappings(None).await? {
            let Ok(Some(installed)) = self.plugins.find(&key.team, key.integration.plugin()).await else { continue };
            let codes = self.drift(&key, &mapping, &installed).await?;
            if !codes.is_empty() {
                let MappingKey { team, calendar, integration } = key;
                self.raise(&[Alert::Drift { team, calendar, integration, codes }]).await;
            }
        }
        Ok(())
    }

    /// What of a mapping no longer fits the CRM, as codes. The notes about its fields are renewed.
    async fn drift(
        &self,
        key: &MappingKey,
        stored: &StoredMapping,
        installed: &Installed,
    ) -> Result<Vec<String>, LedgerError> {
        let (Some(connection), Ok(mapping)) = (&installed.connection, serde_json::from_str::<Mapping>(&stored.content))
        else {
            return Ok(Vec::new());
        };
        // The doctor reports a connection that does not work.
        let Ok(called) = installed.plugin.list_lead_fields(connection, mapping.target(), "en").await else {
            return Ok(Vec::new());
        };
        let Ok(listed) = called.answer else { return Ok(Vec::new()) };
        let memos = Memos::of_list(&listed);
        let mut found = Vec::new();
        for event in EVENTS {
            found.extend(unknown_fields(&mapping, event, &memos).into_iter().map(|found| found.finding.code));
            if !installed.plugin.exports().settings {
                continue;
            }
            let expected = expectations(&[], &mapping, event, &memos, None);
            let checked = installed
                .plugin
                .check_mapping(connection, &event.to_contract(), mapping.target(), &expected.rows, &expected.options)
                .await;
            if let Ok(Ok(checked)) = checked.map(|called| called.answer) {
                let lasting = checked.findings.into_iter().filter(|found| found.consequence != Consequence::Changed);
                found.extend(lasting.map(|finding| finding.code));
            }
        }
        found.retain(|code| code != codes::QUESTION_UNKNOWN);
        found.sort_unstable();
        found.dedup();
        let (pairs, now) = (memos.pairs(), self.ledger.now().await?);
        if pairs != stored.memos {
            self.ledger.put_memos(key, stored.version, &pairs).await?;
        }
        let note = serde_json::json!({ "at": now, "codes": found }).to_string();
        self.ledger.put_note(&drift_note(key), &note).await?;
        Ok(found)
    }
}

/// The note of a mapping's last check.
pub fn drift_note(MappingKey { team, calendar, integration }: &MappingKey) -> String {
    serde_json::json!(["drift", team, calendar, integration]).to_string()
}

fn note_failure(what: &str, done: Result<(), LedgerError>) {
    if let Err(error) = done {
        tracing::error!(code = error.code(), error = full_message(&error), what, "upkeep failed");
    }
}

/// Keeps a grant alive, and asks the doctor. Returns codes of what does not work.
async fn examine(installed: &Installed) -> Vec<String> {
    let Some(connection) = &installed.connection else { return Vec::new() };
    let mut codes = Vec::new();
    if let Err(error) = installed.plugin.broker().keep_alive(connection, installed.credential.as_str()).await {
        codes.push(error.code().to_owned());
    }
    if installed.plugin.exports().connection
        && let Ok(called) = installed.plugin.check_connection(connection, "en").await
        && let Err(problems) = called.answer
    {
        codes.extend(problems.into_iter().map(|problem| problem.code));
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}
