//! Bookings in PostgreSQL, their content sealed: one ledger for many processes on many machines.
//!
//! The tables are in the schema `crm_ledger`. What is personal of a booking is sealed with a key of the ledger's own until retention
//! removes it. What is not: ids of teams, calendars and bookings, times, codes of problems, ids of records, and tags that stand for
//! guests' addresses.
//!
//! ```no_run
//! # async fn open() -> Result<(), crm_delivery_postgres::OpenError> {
//! use crm_delivery_postgres::{Options, PostgresLedger};
//!
//! let key = crm_seal::Key::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").expect("a key");
//! let url = "postgres://crm:password@db.example/platform?sslmode=require";
//! let ledger = PostgresLedger::open(url, Options::new(vec![key])).await?;
//! # drop(ledger);
//! # Ok(())
//! # }
//! ```
//!
//! # In the platform's own transaction
//!
//! A platform that keeps its bookings in the same database accepts them in the transaction that writes its own row, so that neither
//! exists without the other: see [`PostgresLedger::accept_in`].
//!
//! # Many processes
//!
//! Each process opens the ledger by itself. Whoever changes a booking has locked the row of its queue (a team and a plugin), so that
//! the changes of a team come one after the other and those of different teams do not wait for each other. Workers that claim skip the
//! queues that another transaction has locked, as long as others have something due. Nobody waits for a queue for more than two
//! seconds: a caller then gets [`LedgerError::Busy`]. Transactions that end each other in a deadlock are tried again. Times are counted
//! by the database's clock, because those of the machines differ.
//!
//! # What the server needs
//!
//! - PostgreSQL 14 or newer, UTF-8. A role that owns the schema, or may create it; where the schema is up to date, rights on its tables
//!   are enough.
//! - `synchronous_commit` on, or `remote_apply` or `remote_write` with standbys. A server that confirms what a crash can lose is
//!   refused. `commit_delay` lets the commits of several processes share a sync; the accepts of one process do so anyway.
//! - Statements are prepared under names. PgBouncer can pool by transaction from its version 1.21 on, with `max_prepared_statements`.
//!
//! Back the schema up with the database's own means, and the key elsewhere. After a restore,
//! [`recover`](crm_delivery::Ledger::recover) must run before any process opens the ledger to work.

mod batch;
mod by_hand;
mod intake;
mod keys;
mod mappings;
mod rows;
mod schema;
mod session;
mod upkeep;
mod work;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use crm_contract::{Instant, RecordRef};
use crm_delivery::{
    Acceptance, Arrival, Batch, CauseCount, Claimed, Detail, EntryId, Filter, Hold, Ledger, LedgerError, MappingKey,
    Queue, QueueSummary, Settings, StoredMapping, Summary, TeamRow, Totals, Tried,
};
use crm_postgres::ConnectError;
use crm_seal::{Key, LedgerKeys};
use deadpool_postgres::Pool;
pub use tokio_postgres;

use batch::Gatherer;
use by_hand::Changed;
use intake::Prepared;
use mappings::MOST_RELEASED;
use session::{Session, connection, damaged, number, transaction};

type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL, or the certificates that it names, cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server confirms commits that a crash can lose.
    #[error("PostgreSQL runs with `{setting} = {value}`: {why}; set it to `on` for this database or role")]
    NotDurable {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: &'static str,
        /// What could happen.
        why: &'static str,
    },
    /// The content was sealed with another key.
    #[error("the ledger was sealed with another key; provide that key")]
    WrongKey,
    /// The operating system provides no random numbers.
    #[error("no key can be made: {0}")]
    NoRandom(String),
    /// A newer version wrote the schema.
    #[error("the ledger has schema version {version}, and this program supports up to {known}; use the newer program")]
    NewerSchema {
        /// Version of the schema.
        version: u32,
        /// Newest supported version.
        known: usize,
    },
    /// PostgreSQL cannot be reached, or refused.
    #[error("the ledger in PostgreSQL cannot be opened")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What a process left behind could not be settled.
    #[error("the ledger cannot be brought up to date")]
    Ledger(#[from] LedgerError),
}

impl OpenError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Connect(ConnectError::Url(_)) => "ledger-url",
            Self::Connect(ConnectError::Certificates { .. }) => "ledger-certificates",
            Self::Connect(_) | Self::Database(_) => "ledger-database",
            Self::NotDurable { .. } => "ledger-not-durable",
            Self::WrongKey => "ledger-wrong-key",
            Self::NoRandom(_) => "ledger-no-random",
            Self::NewerSchema { .. } => "ledger-newer-schema",
            Self::Ledger(error) => error.code(),
        }
    }
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<deadpool_postgres::PoolError> for OpenError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Database(error.into())
    }
}

/// How a ledger is opened.
#[derive(Clone)]
pub struct Options {
    /// Keys of which one sealed the ledger's own; the first seals those of a new ledger.
    pub keys: Vec<Key>,
    /// Times and numbers of delivery. All processes should have the same.
    pub settings: Settings,
    /// Connections to the server, at most.
    pub connections: usize,
    test_time: Option<Arc<AtomicU64>>,
}

impl Options {
    /// The default settings and 16 connections.
    pub fn new(keys: Vec<Key>) -> Self {
        Self { keys, settings: Settings::default(), connections: 16, test_time: None }
    }

    /// For tests: counts times by this clock, in milliseconds, in place of the database's. It exists in this handle only. Nothing that
    /// comes from outside the program, such as a setting, a table or a variable, can set it.
    #[must_use]
    pub fn with_test_time(self, time: Arc<AtomicU64>) -> Self {
        Self { test_time: Some(time), ..self }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A ledger in PostgreSQL. Cheap to clone; all clones share a pool of connections.
#[derive(Clone)]
pub struct PostgresLedger {
    inner: Arc<Inner>,
    accepts: Gatherer,
}

struct Inner {
    pool: Pool,
    settings: Settings,
    keys: LedgerKeys,
    test_time: Option<Arc<AtomicU64>>,
}

impl Inner {
    /// The time of a test. `None` for the database's clock.
    fn time(&self) -> Option<i64> {
        self.test_time.as_ref().map(|time| number(time.load(Ordering::SeqCst)))
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

impl fmt::Debug for PostgresLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLedger").field("pool", &self.inner.pool.status()).finish_non_exhaustive()
    }
}

/// Reads outside a transaction.
macro_rules! read {
    ($self:ident, |$session:ident| $task:expr) => {{
        let client = connection(&$self.inner.pool).await?;
        let $session = Session::reading(&client);
        Ok($task.await?)
    }};
}

/// Changes something in a transaction.
macro_rules! write {
    ($self:ident, |$session:ident| $task:expr) => {
        transaction!(&$self.inner.pool, |$session| $task).map_err(LedgerError::from)
    };
}

impl PostgresLedger {
    /// Opens the ledger in the schema `crm_ledger` of a database, and makes it if it is missing. `url` has the form
    /// `postgres://user:password@host/database?sslmode=require`; see [`crm_postgres`]. Must be called on a Tokio runtime, which then
    /// runs a task that writes what is accepted.
    ///
    /// # Errors
    /// If the server cannot be reached or confirms what a crash can lose, if the schema is newer, or if no key fits.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let Options { keys, settings, connections, test_time } = options;
        let (pool, keys) = prepare(url, &keys, connections).await?;
        let inner = Arc::new(Inner { pool, settings, keys, test_time });
        let ledger = Self { accepts: Gatherer::start(inner.clone()), inner };
        while ledger.release_left_behind().await? == MOST_RELEASED {}
        Ok(ledger)
    }

    async fn release_left_behind(&self) -> Result<usize> {
        write!(self, |session| mappings::release_left_behind(session, self.inner.time()))
    }

    /// Seals the ledger's keys with a further one, before that replaces the present one in all processes.
    ///
    /// # Errors
    /// If none of `present` is the ledger's key, or the database fails.
    pub async fn add_key(url: &str, present: &[Key], next: &Key) -> Result<(), OpenError> {
        let (pool, _) = prepare(url, present, 1).await?;
        let mut client = pool.get().await?;
        keys::add(&mut client, present, next).await
    }

    /// Forgets all keys but the present one.
    ///
    /// # Errors
    /// If it is not the ledger's key, or the database fails.
    pub async fn retire_keys(url: &str, present: &Key) -> Result<(), OpenError> {
        let (pool, _) = prepare(url, std::slice::from_ref(present), 1).await?;
        let mut client = pool.get().await?;
        keys::retire(&mut client, present).await
    }

    /// Accepts a change of a booking in a transaction of the caller's, on the database that the ledger is in: it is accepted when that
    /// commits, and never was if that rolls back. The isolation level must be READ COMMITTED, and the role needs rights on the
    /// ledger's tables.
    ///
    /// The queue of the booking's team stays locked until the transaction ends, so call this last and commit soon: meanwhile no other
    /// booking of the team is accepted or delivered, and after two seconds those who wait for it are told that the ledger is busy. One that accepts bookings of several teams should take them in one order, or may
    /// be ended as a deadlock. It costs some 15 round trips, because statements are not kept prepared on a connection that is not the
    /// ledger's.
    ///
    /// ```no_run
    /// use crm_delivery::{Acceptance, Arrival, LedgerError};
    /// use crm_delivery_postgres::{PostgresLedger, tokio_postgres::{Client, Error}};
    ///
    /// async fn confirm(ledger: &PostgresLedger, client: &mut Client, arrival: Arrival) -> Result<(), Box<dyn std::error::Error>> {
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("INSERT INTO booking (id) VALUES ($1)", &[&arrival.booking]).await?;
    ///     if let Acceptance::Differs(_) = ledger.accept_in(&transaction, arrival).await? {
    ///         return Err("the same change was accepted with another content".into());
    ///     }
    ///     transaction.commit().await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// If the isolation level is another one, or the database fails. The transaction must be rolled back then.
    pub async fn accept_in(
        &self,
        transaction: &tokio_postgres::Transaction<'_>,
        arrival: Arrival,
    ) -> Result<Acceptance> {
        let prepared = Prepared::new(arrival, &self.inner.keys)?;
        let session = Session::callers(transaction);
        let arrivals = std::slice::from_ref(&prepared);
        let accepted = intake::accept(session, &self.inner.keys, self.inner.time(), arrivals).await?.pop();
        accepted.ok_or_else(|| damaged("an arrival without a result").into())
    }

    async fn change_queue(&self, team: &str, plugin: &str, change: impl Fn(&mut Queue) + Send + Sync) -> Result<bool> {
        loop {
            let changed =
                write!(self, |session| { by_hand::change_queue(session, self.inner.time(), (team, plugin), &change) })?;
            if let Changed::Done { is_open } = changed {
                return Ok(is_open);
            }
        }
    }
}

async fn prepare(url: &str, outer: &[Key], connections: usize) -> Result<(Pool, LedgerKeys), OpenError> {
    let pool = crm_postgres::pool(url, "crm-ledger", connections)?;
    let mut client = pool.get().await?;
    schema::check_durability(&**client).await?;
    schema::prepare(&mut client).await?;
    let keys = keys::open(&mut client, outer).await?;
    drop(client);
    Ok((pool, keys))
}

#[async_trait]
impl Ledger for PostgresLedger {
    fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    async fn now(&self) -> Result<Instant> {
        read!(self, |session| rows::now(session, self.inner.time()))
    }

    async fn accept(&self, arrival: Arrival) -> Result<Acceptance> {
        self.accepts.accept(Prepared::new(arrival, &self.inner.keys)?).await
    }

    async fn claim(&self, most: u32) -> Result<Vec<Claimed>> {
        let Inner { keys, settings, .. } = &*self.inner;
        let time = self.inner.time();
        match transaction!(&self.inner.pool, |session| work::claim(session, keys, settings, time, most)) {
            // All that is due belongs to teams whose queues another transaction has had for long.
            Err(failure) if failure.is_impatience() => Ok(Vec::new()),
            claimed => claimed.map_err(LedgerError::from),
        }
    }

    async fn finish(&self, tried: Tried) -> Result<()> {
        let Inner { keys, settings, .. } = &*self.inner;
        write!(self, |session| work::finish(session, keys, settings, self.inner.time(), &tried))
    }

    async fn rescue(&self, random: f64) -> Result<u64> {
        let settings = &self.inner.settings;
        write!(self, |session| work::mend_clock(session, settings, self.inner.time()))?;
        write!(self, |session| work::rescue(session, settings, self.inner.time(), random))
    }

    async fn next_due(&self) -> Result<Option<Instant>> {
        read!(self, |session| work::next_due(session))
    }

    async fn hold(&self, team: &str, plugin: &str, hold: Option<Hold>) -> Result<()> {
        self.change_queue(team, plugin, |queue| queue.hold_by_hand(hold)).await.map(drop)
    }

    async fn connected(&self, team: &str, plugin: &str, account: &str, accept_other: bool) -> Result<bool> {
        let connect = |queue: &mut Queue| {
            if accept_other {
                queue.account = None;
            }
            queue.connected(account);
        };
        self.change_queue(team, plugin, connect).await
    }

    async fn limit_calls(&self, team: &str, plugin: &str, most: Option<u32>) -> Result<()> {
        self.change_queue(team, plugin, |queue| queue.most_calls = most).await.map(drop)
    }

    async fn queues(&self) -> Result<Vec<QueueSummary>> {
        read!(self, |session| by_hand::queues(session))
    }

    async fn put_mapping(
        &self,
        key: &MappingKey,
        expected: Option<u64>,
        content: &str,
        memos: &[(String, String)],
        by: &str,
    ) -> Result<u64> {
        let time = self.inner.time();
        let version = write!(self, |session| mappings::put(session, time, key, expected, (content, memos), by))?;
        while write!(self, |session| mappings::release(session, time, key))? == MOST_RELEASED {}
        Ok(version)
    }

    async fn mapping(&self, key: &MappingKey, version: Option<u64>) -> Result<Option<StoredMapping>> {
        let found: Result<Vec<_>> = read!(self, |session| mappings::read(session, &[(key, version)]));
        Ok(found?.pop().flatten())
    }

    async fn put_memos(&self, key: &MappingKey, version: u64, memos: &[(String, String)]) -> Result<()> {
        write!(self, |session| mappings::put_memos(session, key, version, memos))
    }

    async fn mappings(&self, team: Option<&str>) -> Result<Vec<(MappingKey, StoredMapping)>> {
        read!(self, |session| mappings::all(session, team))
    }

    async fn list(&self, filter: &Filter, before: Option<EntryId>, most: u32) -> Result<Vec<Summary>> {
        read!(self, |session| by_hand::list(session, filter, before, most))
    }

    async fn show(&self, team: Option<&str>, id: EntryId) -> Result<Detail> {
        read!(self, |session| by_hand::show(session, &self.inner.keys, team, id))
    }

    async fn causes(&self, team: Option<&str>) -> Result<Vec<CauseCount>> {
        read!(self, |session| by_hand::causes(session, team))
    }

    async fn count_to_resend(&self, filter: &Filter) -> Result<u64> {
        read!(self, |session| by_hand::count_to_resend(session, filter))
    }

    async fn resend(&self, filter: &Filter, after: Option<EntryId>, most: u32) -> Result<Batch> {
        write!(self, |session| by_hand::resend(session, self.inner.time(), filter, after, most))
    }

    async fn resend_one(&self, team: Option<&str>, id: EntryId, looked: Option<Option<RecordRef>>) -> Result<bool> {
        write!(self, |session| by_hand::resend_one(session, self.inner.time(), team, id, looked.clone()))
    }

    async fn give_up(&self, team: Option<&str>, id: EntryId) -> Result<bool> {
        write!(self, |session| by_hand::give_up(session, self.inner.time(), team, id))
    }

    async fn put_team(&self, team: &TeamRow) -> Result<bool> {
        write!(self, |session| by_hand::put_team(session, team))
    }

    async fn team(&self, id: &str) -> Result<Option<TeamRow>> {
        read!(self, |session| by_hand::team(session, id))
    }

    async fn teams(&self) -> Result<Vec<TeamRow>> {
        read!(self, |session| by_hand::teams(session))
    }

    async fn take_task(&self, task: &str, holder: &str, every: u64) -> Result<bool> {
        write!(self, |session| upkeep::take_task(session, self.inner.time(), task, holder, every))
    }

    async fn note(&self, name: &str) -> Result<Option<String>> {
        read!(self, |session| upkeep::note(session, name))
    }

    async fn put_note(&self, name: &str, content: &str) -> Result<()> {
        write!(self, |session| upkeep::put_note(session, name, content))
    }

    async fn forget(&self, before: Instant, most: u32) -> Result<u64> {
        write!(self, |session| upkeep::forget(session, before, most))
    }

    async fn erase(&self, guest: &str) -> Result<Vec<Summary>> {
        let tag = self.inner.keys.guest_tag(guest);
        write!(self, |session| upkeep::erase(session, self.inner.time(), &tag))
    }

    /// In several transactions, because entries may be a million. If it is interrupted, run it again.
    async fn recover(&self, from: Instant) -> Result<u64> {
        let time = self.inner.time();
        let tries = write!(self, |session| upkeep::note_restore(session, time, from))?;
        let (mut all, mut after) = (0_u64, EntryId(0));
        loop {
            let (doubted, next) = write!(self, |session| upkeep::doubt(session, time, tries, after))?;
            all = all.saturating_add(doubted);
            match next {
                Some(next) => after = next,
                None => return Ok(all),
            }
        }
    }

    async fn totals(&self) -> Result<Totals> {
        read!(self, |session| upkeep::totals(session))
    }
}

#[cfg(test)]
mod tests;
