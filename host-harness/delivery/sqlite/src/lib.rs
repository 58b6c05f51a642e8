//! Bookings in one SQLite file, their content sealed.
//!
//! One server process works on a file at a time; commands may read and change it beside the server. What is personal of a booking is
//! sealed with a key of the ledger's own until retention removes it. What is not: ids of teams, calendars and bookings, times, codes of
//! problems, ids of records, and tags that stand for guests' addresses.
//!
//! Back the file up with SQLite's own means (`sqlite3 ledger.sqlite3 ".backup COPY"`, Litestream), together with the folder's key. After a
//! restore, `recover` must run before the server.

mod by_hand;
mod intake;
mod keys;
mod mappings;
mod rows;
mod schema;
mod upkeep;
mod work;
mod writer;

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use crm_contract::{Instant, RecordRef};
use crm_delivery::{
    Acceptance, Arrival, Batch, CauseCount, Claimed, Detail, EntryId, Filter, Hold, Ledger, LedgerError, MappingKey,
    QueueSummary, Settings, StoredMapping, Summary, TeamRow, Totals, Tried,
};
use crm_seal::{Key, LedgerKeys};
use rusqlite::{Connection, OpenFlags};

use writer::Writer;

type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// The database's file in a data folder.
pub const DATABASE_FILE: &str = "ledger.sqlite3";
/// The file that a server locks.
const LOCK_FILE: &str = "ledger.lock";
/// Connections that read beside the writer.
const READERS: usize = 3;

/// The time by the machine's clock, in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another server works on the folder.
    #[error("another process serves {}; stop it first, or use another data folder", .0.display())]
    InUse(PathBuf),
    /// A file cannot be used.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The content was sealed with another key.
    #[error("the ledger was sealed with another key than the data folder's; provide that key")]
    WrongKey,
    /// The operating system provides no random numbers.
    #[error("no key can be made: {0}")]
    NoRandom(String),
    /// A newer version wrote the file.
    #[error("the ledger has schema version {version}, and this program supports up to {known}; use the newer program")]
    NewerSchema {
        /// Version of the file.
        version: u32,
        /// Newest supported version.
        known: usize,
    },
    /// SQLite failed.
    #[error("the ledger cannot be opened")]
    Database(#[from] rusqlite::Error),
    /// What a crash left could not be settled.
    #[error("the ledger cannot be brought up to date")]
    Ledger(#[from] LedgerError),
}

impl OpenError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse(_) => "ledger-in-use",
            Self::File { .. } => "ledger-file",
            Self::WrongKey => "ledger-wrong-key",
            Self::NoRandom(_) => "ledger-no-random",
            Self::NewerSchema { .. } => "ledger-newer-schema",
            Self::Database(_) => "ledger-database",
            Self::Ledger(error) => error.code(),
        }
    }
}

/// How a ledger is opened.
pub struct Options {
    /// Keys of which one sealed the ledger's own; the first seals those of a new ledger.
    pub keys: Vec<Key>,
    /// Times and numbers of delivery.
    pub settings: Settings,
    /// The clock; the machine's if `None`.
    pub clock: Option<Clock>,
    /// Called if a sync failed, after which nothing is certain any more: the process must end, and start again from what is on the disk.
    pub failed: Box<dyn FnOnce(String) + Send>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A ledger in SQLite. Cheap to clone.
#[derive(Clone)]
pub struct SqliteLedger {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    settings: Settings,
    keys: LedgerKeys,
    clock: Clock,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    /// Locked for as long as this process serves.
    _lock: Option<File>,
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

fn system_clock() -> Instant {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

impl SqliteLedger {
    /// Opens the ledger of a data folder as its only server, and makes it if it is missing. What an earlier server had under way when it
    /// died is taken back. The folder must be private to the process's user.
    ///
    /// # Errors
    /// If another server uses the folder, or the database or its key cannot be used.
    pub fn serve(folder: &Path, options: Options) -> Result<Self, OpenError> {
        let path = folder.join(LOCK_FILE);
        let file = |source| OpenError::File { path: path.clone(), source };
        let lock = File::create(&path).map_err(file)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(OpenError::InUse(folder.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => return Err(file(source)),
        }
        let mut database = connect(folder, &options.keys)?.0;
        settle(&mut database, &options)?;
        Self::start(folder, database, options, Some(lock))
    }

    /// Opens the ledger of a data folder beside its server, for a command.
    ///
    /// # Errors
    /// If the database or its key cannot be used.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        let database = connect(folder, &options.keys)?.0;
        Self::start(folder, database, options, None)
    }

    fn start(folder: &Path, database: Connection, options: Options, lock: Option<File>) -> Result<Self, OpenError> {
        let keys = keys::open(&database, &options.keys)?;
        let path = folder.join(DATABASE_FILE);
        let mut readers = Vec::new();
        for _ in 0..READERS {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let reader = Connection::open_with_flags(&path, flags)?;
            schema::configure(&reader)?;
            readers.push(reader);
        }
        let failed = options.failed;
        let writer = Writer::start(database, move |error| failed(error.to_string()))
            .map_err(|source| OpenError::File { path: path.clone(), source })?;
        let inner = Inner {
            path,
            settings: options.settings,
            keys,
            clock: options.clock.unwrap_or_else(|| Arc::new(system_clock)),
            writer,
            readers: Mutex::new(readers),
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Seals the ledger's keys with a further key of the folder, before that replaces the present one.
    ///
    /// # Errors
    /// If none of `present` is the ledger's key, or the database fails.
    pub fn add_key(folder: &Path, present: &[Key], next: &Key) -> Result<(), OpenError> {
        keys::add(&connect(folder, present)?.0, present, next)
    }

    /// Forgets all keys of the folder but its present one.
    ///
    /// # Errors
    /// If the database fails.
    pub fn retire_keys(folder: &Path, present: &Key) -> Result<(), OpenError> {
        keys::retire(&connect(folder, std::slice::from_ref(present))?.0, present)
    }

    fn time(&self) -> Instant {
        (self.inner.clock)()
    }

    async fn write<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Connection, &Inner, Instant) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = self.inner.clone();
        self.inner.writer.write(move |database| task(database, &inner, (inner.clock)())).await
    }

    /// Reads beside the writer, on a thread where it may take its time.
    async fn read<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Connection, &Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = self.inner.clone();
        let read = move || {
            let reader = inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let reader = match reader {
                Some(reader) => reader,
                None => another_reader(&inner.path)?,
            };
            let done = task(&reader, &inner);
            let mut readers = inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < READERS {
                readers.push(reader);
            }
            done
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| LedgerError::Database(Box::new(error)))?
    }
}

fn another_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags).map_err(rows::failed)?;
    schema::configure(&reader).map_err(|error| LedgerError::Database(Box::new(error)))?;
    Ok(reader)
}

/// Opens the database to write, makes its tables and its keys.
fn connect(folder: &Path, outer: &[Key]) -> Result<(Connection, LedgerKeys), OpenError> {
    let path = folder.join(DATABASE_FILE);
    create_private(&path).map_err(|source| OpenError::File { path: path.clone(), source })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut database = Connection::open_with_flags(&path, flags)?;
    schema::prepare(&mut database)?;
    let keys = keys::open(&database, outer)?;
    Ok((database, keys))
}

/// Creates an empty file that only its owner can read, unless there is one. SQLite gives its log the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Takes back what an earlier server had under way: it is dead, or it would hold the lock.
fn settle(database: &mut Connection, options: &Options) -> Result<(), OpenError> {
    let now = options.clock.as_ref().map_or_else(system_clock, |clock| clock());
    loop {
        let transaction = database.transaction()?;
        let rescued = work::rescue(&transaction, &options.settings, 0.0, now, true)?;
        transaction.commit()?;
        if rescued == 0 {
            break;
        }
        tracing::info!(
            rescued,
            "bookings were under way when an earlier process ended; they are looked for before they are created"
        );
    }
    for (key, _) in mappings::all(database, None)? {
        while mappings::release(database, &key, now)? == mappings::MOST_RELEASED {}
    }
    Ok(())
}

#[async_trait]
impl Ledger for SqliteLedger {
    fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    async fn now(&self) -> Result<Instant> {
        Ok(self.time())
    }

    async fn accept(&self, arrival: Arrival) -> Result<Acceptance> {
        let prepared = intake::Prepared::new(arrival, &self.inner.keys)?;
        self.write(move |database, inner, now| prepared.accept(database, &inner.keys, now)).await
    }

    async fn claim(&self, most: u32) -> Result<Vec<Claimed>> {
        self.write(move |database, inner, now| work::claim(database, &inner.keys, &inner.settings, most, now)).await
    }

    async fn finish(&self, tried: Tried) -> Result<()> {
        self.write(move |database, inner, now| work::finish(database, &inner.keys, &inner.settings, tried, now)).await
    }

    async fn rescue(&self, random: f64) -> Result<u64> {
        self.write(move |database, inner, now| {
            work::mend_clock(database, &inner.settings, now)?;
            work::rescue(database, &inner.settings, random, now, false)
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Instant>> {
        self.read(|database, _| work::next_due(database)).await
    }

    async fn hold(&self, team: &str, plugin: &str, hold: Option<Hold>) -> Result<()> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.write(move |database, _, now| by_hand::hold(database, (&team, &plugin), hold, now)).await
    }

    async fn connected(&self, team: &str, plugin: &str, account: &str, accept_other: bool) -> Result<bool> {
        let [team, plugin, account] = [team, plugin, account].map(str::to_owned);
        self.write(move |database, _, now| by_hand::connected(database, (&team, &plugin), &account, accept_other, now))
            .await
    }

    async fn limit_calls(&self, team: &str, plugin: &str, most: Option<u32>) -> Result<()> {
        let (team, plugin) = (team.to_owned(), plugin.to_owned());
        self.write(move |database, _, now| by_hand::limit_calls(database, (&team, &plugin), most, now)).await
    }

    async fn queues(&self) -> Result<Vec<QueueSummary>> {
        self.read(|database, _| by_hand::queues(database)).await
    }

    async fn put_mapping(
        &self,
        key: &MappingKey,
        expected: Option<u64>,
        content: &str,
        memos: &[(String, String)],
        by: &str,
    ) -> Result<u64> {
        let saved = (key.clone(), content.to_owned(), memos.to_owned(), by.to_owned());
        let version = self
            .write(move |database, _, now| {
                let (key, content, memos, by) = saved;
                mappings::put(database, &key, expected, &content, &memos, (&by, now))
            })
            .await?;
        loop {
            let key = key.clone();
            let released = self.write(move |database, _, now| mappings::release(database, &key, now)).await?;
            if released < mappings::MOST_RELEASED {
                return Ok(version);
            }
        }
    }

    async fn mapping(&self, key: &MappingKey, version: Option<u64>) -> Result<Option<StoredMapping>> {
        let key = key.clone();
        self.read(move |database, _| mappings::read(database, &key, version)).await
    }

    async fn put_memos(&self, key: &MappingKey, version: u64, memos: &[(String, String)]) -> Result<()> {
        let (key, memos) = (key.clone(), memos.to_owned());
        self.write(move |database, _, _| mappings::put_memos(database, &key, version, &memos)).await
    }

    async fn mappings(&self, team: Option<&str>) -> Result<Vec<(MappingKey, StoredMapping)>> {
        let team = team.map(str::to_owned);
        self.read(move |database, _| mappings::all(database, team.as_deref())).await
    }

    async fn list(&self, filter: &Filter, before: Option<EntryId>, most: u32) -> Result<Vec<Summary>> {
        let filter = filter.clone();
        self.read(move |database, _| by_hand::list(database, &filter, before, most)).await
    }

    async fn show(&self, team: Option<&str>, id: EntryId) -> Result<Detail> {
        let team = team.map(str::to_owned);
        self.read(move |database, inner| by_hand::show(database, &inner.keys, team.as_deref(), id)).await
    }

    async fn causes(&self, team: Option<&str>) -> Result<Vec<CauseCount>> {
        let team = team.map(str::to_owned);
        self.read(move |database, _| by_hand::causes(database, team.as_deref())).await
    }

    async fn count_to_resend(&self, filter: &Filter) -> Result<u64> {
        let filter = filter.clone();
        self.read(move |database, _| by_hand::count_to_resend(database, &filter)).await
    }

    async fn resend(&self, filter: &Filter, after: Option<EntryId>, most: u32) -> Result<Batch> {
        let filter = filter.clone();
        self.write(move |database, _, now| by_hand::resend(database, &filter, after, most, now)).await
    }

    async fn resend_one(&self, team: Option<&str>, id: EntryId, looked: Option<Option<RecordRef>>) -> Result<bool> {
        let team = team.map(str::to_owned);
        self.write(move |database, _, now| by_hand::resend_one(database, team.as_deref(), id, looked, now)).await
    }

    async fn give_up(&self, team: Option<&str>, id: EntryId) -> Result<bool> {
        let team = team.map(str::to_owned);
        self.write(move |database, _, now| by_hand::give_up(database, team.as_deref(), id, now)).await
    }

    async fn put_team(&self, team: &TeamRow) -> Result<bool> {
        let team = team.clone();
        self.write(move |database, _, _| by_hand::put_team(database, &team)).await
    }

    async fn team(&self, id: &str) -> Result<Option<TeamRow>> {
        let id = id.to_owned();
        self.read(move |database, _| by_hand::team(database, &id)).await
    }

    async fn teams(&self) -> Result<Vec<TeamRow>> {
        self.read(|database, _| by_hand::teams(database)).await
    }

    async fn take_task(&self, task: &str, holder: &str, every: u64) -> Result<bool> {
        let (task, holder) = (task.to_owned(), holder.to_owned());
        self.write(move |database, _, now| upkeep::take_task(database, &task, &holder, every, now)).await
    }

    async fn note(&self, name: &str) -> Result<Option<String>> {
        let name = name.to_owned();
        self.read(move |database, _| upkeep::note(database, &name)).await
    }

    async fn put_note(&self, name: &str, content: &str) -> Result<()> {
        let (name, content) = (name.to_owned(), content.to_owned());
        self.write(move |database, _, _| upkeep::put_note(database, &name, &content)).await
    }

    async fn forget(&self, before: Instant, most: u32) -> Result<u64> {
        self.write(move |database, _, _| upkeep::forget(database, before, most)).await
    }

    async fn erase(&self, guest: &str) -> Result<Vec<Summary>> {
        let tag = self.inner.keys.guest_tag(guest);
        self.write(move |database, _, now| upkeep::erase(database, &tag, now)).await
    }

    async fn recover(&self, from: Instant) -> Result<u64> {
        self.write(move |database, _, now| upkeep::recover(database, from, now)).await
    }

    async fn totals(&self) -> Result<Totals> {
        self.read(|database, _| upkeep::totals(database)).await
    }
}

#[cfg(test)]
mod tests;
