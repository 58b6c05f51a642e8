//! The store itself.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use crm_host::credentials::{Generation, GrantKey, GrantState, Lease, SecretStore, StoreError, Stored};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use crate::{
    data_dir::{Folder, PrivacyError},
    key::{KEY_VARIABLE, Key, KeySource},
    rows::{self, Head, Opened, Rows, Table, Version},
    schema,
    seal::Sealer,
};

const DATABASE_FILE: &str = "store.sqlite3";

/// Connections in SQLite, secrets sealed. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) folder: Folder,
    pub(crate) keys: KeySource,
    pub(crate) open: Mutex<Open>,
}

/// The open database.
pub(crate) struct Open {
    database: Connection,
    key: Key,
    sealer: Sealer,
    /// The last version that this process has seen.
    seen: Version,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file or directory cannot be used, or other users have access to it.
    #[error("the data directory cannot be used")]
    Privacy(#[from] PrivacyError),
    /// The key is not 32 bytes in base64.
    #[error(
        "the store's key (in `{KEY_VARIABLE}`, or the key file) must be 32 bytes in base64, as `openssl rand -base64 32` prints"
    )]
    KeyFormat,
    /// There are sealed secrets but no key.
    #[error("the store has sealed secrets but its key file `{}` is missing; put it back, or set `{KEY_VARIABLE}`", path.display())]
    KeyMissing {
        /// The expected path.
        path: PathBuf,
    },
    /// The secrets were sealed with another key, or the store was damaged.
    #[error(
        "the store was sealed with another key, or changed by another program; provide its key (in `{KEY_VARIABLE}`, or the key file), or use another data directory and connect again"
    )]
    WrongKey,
    /// There are sealed rows, but not the head that lists them.
    #[error(
        "another program removed a part of the store; put back a copy of the whole data directory, or use another one and connect \
         again, and revoke the earlier grants at the CRM"
    )]
    Damaged,
    /// The key is not in a file that could be replaced.
    #[error("the key comes from `{KEY_VARIABLE}` or from the platform; give the new key too")]
    KeyGiven,
    /// The new key is the key that the store has.
    #[error("the new key is the present one; make another, for example with `openssl rand -base64 32`")]
    SameKey,
    /// The operating system provides no random numbers.
    #[error("the operating system provides no random numbers: {0}")]
    NoRandom(String),
    /// A newer version wrote the file.
    #[error("the store has schema version {version}, and this program supports up to {known}; use the newer program")]
    NewerSchema {
        /// Version of the file.
        version: u32,
        /// Newest supported version.
        known: usize,
    },
    /// SQLite failed.
    #[error("the store cannot be opened")]
    Database(#[from] rusqlite::Error),
    /// Sealing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Privacy(PrivacyError::Io { .. }) => "store-directory",
            Self::Privacy(PrivacyError::Locked { .. }) => "store-locked",
            Self::Privacy(_) => "store-not-private",
            Self::KeyFormat => "store-key-format",
            Self::KeyMissing { .. } => "store-key-missing",
            Self::WrongKey => "store-wrong-key",
            Self::Damaged => "store-damaged",
            Self::KeyGiven => "store-key-given",
            Self::SameKey => "store-key-same",
            Self::NoRandom(_) => "store-no-random",
            Self::NewerSchema { .. } => "store-newer-schema",
            Self::Database(_) => "store-database",
            Self::Store(error) => error.code(),
        }
    }
}

impl SqliteStore {
    /// Opens the store of a data directory with the key in its key file, and creates them if missing.
    ///
    /// # Errors
    /// When the directory, the key or the database cannot be used.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        Self::open_by(directory, KeySource::File)
    }

    /// Opens the store of a data directory with a key that the platform keeps itself.
    ///
    /// # Errors
    /// When the directory or the database cannot be used, or the key is not the store's.
    pub fn open_with_key(directory: &Path, key: Key) -> Result<Self, OpenError> {
        Self::open_by(directory, KeySource::Given(key))
    }

    fn open_by(directory: &Path, keys: KeySource) -> Result<Self, OpenError> {
        let folder = Folder::open_or_create(directory)?;
        // If processes open a new store at once, one makes its files and the others find them.
        let turn = folder.lock()?;
        // SQLite creates its log with the mode of the database.
        folder.create_file(DATABASE_FILE, b"")?;
        for file in ["", "-wal", "-shm", "-journal"] {
            folder.check(&format!("{DATABASE_FILE}{file}"))?;
        }
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut database = Connection::open_with_flags(folder.file(DATABASE_FILE), flags)?;
        schema::prepare(&mut database)?;
        let (key, seen) = match rows::sealed_head(&database)? {
            Some(sealed) => {
                let (key, head) = rows::open_head(keys.keys(&folder)?, &sealed).ok_or(OpenError::WrongKey)?;
                keys.settle(&folder, &key)?;
                (key, head.version())
            }
            None if rows::has_rows(&database)? => return Err(OpenError::Damaged),
            None => {
                let key = keys.of_new_store(&folder)?;
                let rows = Rows::new(database.transaction()?, &Sealer::new(&key), Head::of_new_store()?).commit()?;
                (key, rows)
            }
        };
        drop(turn);
        let open = Mutex::new(Open { database, sealer: Sealer::new(&key), key, seen });
        Ok(Self { inner: Arc::new(Inner { folder, keys, open }) })
    }

    /// Runs a task on a blocking thread.
    async fn blocking<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Inner, &mut Open) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || {
            // A panic rolls its transaction back, so the connection stays usable.
            let mut open = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
            task(&inner, &mut open)
        })
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Runs a task with the tables that are not sealed.
    pub(crate) async fn plain<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(|_, open| task(&mut open.database).map_err(unavailable)).await
    }

    /// Reads sealed rows, all from the same state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Rows<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(|inner, open| task(&open.rows(inner, TransactionBehavior::Deferred)?)).await
    }

    /// Changes sealed rows, all or none.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Rows<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(|inner, open| {
            let mut rows = open.rows(inner, TransactionBehavior::Immediate)?;
            let done = task(&mut rows)?;
            open.seen = rows.commit()?;
            Ok(done)
        })
        .await
    }
}

impl Open {
    pub(crate) fn rows(&mut self, inner: &Inner, behavior: TransactionBehavior) -> Result<Rows<'_>, StoreError> {
        let transaction = self.database.transaction_with_behavior(behavior).map_err(unavailable)?;
        let sealed = rows::sealed_head(&transaction).map_err(unavailable)?.unwrap_or_default();
        let mut head = Head::open(&self.sealer, &sealed);
        if head.is_none() {
            // Another process may have rotated the key since.
            let keys = inner.keys.keys(&inner.folder).map_err(|error| StoreError::Unavailable(error.to_string()))?;
            if let Some((key, opened)) = rows::open_head(keys, &sealed) {
                (self.sealer, self.key) = (Sealer::new(&key), key);
                head = Some(opened);
            }
        }
        let lost =
            || StoreError::Unreadable("the store's head was removed or changed, or sealed with another key".to_owned());
        let rows = Rows::new(transaction, &self.sealer, head.ok_or_else(lost)?);
        if !self.seen.can_become(rows.version()) {
            let replaced = "another store, or an older copy of the whole store, was put in place of the one in use";
            return Err(StoreError::Unreadable(replaced.to_owned()));
        }
        self.seen = rows.version();
        Ok(rows)
    }

    pub(crate) fn has_key(&self, key: &Key) -> bool {
        self.key.bytes() == key.bytes()
    }

    pub(crate) fn use_key(&mut self, key: Key) {
        (self.sealer, self.key) = (Sealer::new(&key), key);
    }

    /// Ends a rotation of the key that was interrupted. The folder must be locked.
    pub(crate) fn settle_key(&mut self, inner: &Inner) -> Result<(), OpenError> {
        drop(self.rows(inner, TransactionBehavior::Deferred)?);
        inner.keys.settle(&inner.folder, &self.key)
    }
}

/// An error of SQLite. Its text contains no values.
pub(crate) fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn number(generation: Generation) -> Result<i64, StoreError> {
    i64::try_from(generation.0).map_err(|_| StoreError::Conflict)
}

fn generation(number: i64) -> Result<Generation, StoreError> {
    u64::try_from(number).map(Generation).map_err(|_| StoreError::Conflict)
}

/// Names the row of a grant.
pub(crate) fn row(key: &GrantKey) -> [&str; 3] {
    [key.plugin.as_str(), key.connection.as_str(), key.credential.as_str()]
}

/// Writes a grant if the stored one still has the expected generation.
pub(crate) fn save(
    rows: &mut Rows<'_>,
    key: &GrantKey,
    expected: Option<Generation>,
    state: &GrantState,
) -> Result<Generation, StoreError> {
    if rows.generation(Table::Grants, row(key))? != expected.map(number).transpose()? {
        return Err(StoreError::Conflict);
    }
    let plain = state.to_plaintext().map_err(|error| StoreError::Unreadable(error.to_string()))?;
    generation(rows.put(Table::Grants, row(key), &plain)?)
}

#[async_trait]
impl SecretStore for SqliteStore {
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        let key = key.clone();
        self.read(move |rows| {
            let Some(Opened { generation: number, plain }) = rows.get(Table::Grants, row(&key))? else {
                return Ok(None);
            };
            let state =
                GrantState::from_plaintext(&plain).map_err(|error| StoreError::Unreadable(error.to_string()))?;
            Ok(Some(Stored { state, generation: generation(number)? }))
        })
        .await
    }

    async fn generation(&self, key: &GrantKey) -> Result<Option<Generation>, StoreError> {
        let key = key.clone();
        self.read(move |rows| rows.generation(Table::Grants, row(&key))?.map(generation).transpose()).await
    }

    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        let (key, state) = (key.clone(), state.clone());
        self.write(move |rows| save(rows, &key, expected, &state)).await
    }

    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError> {
        let (key, expected) = (key.clone(), number(expected)?);
        self.write(move |rows| match rows.generation(Table::Grants, row(&key))? {
            Some(current) if current != expected => Err(StoreError::Conflict),
            _ => rows.remove(Table::Grants, row(&key)),
        })
        .await
    }

    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let (key, lease) = (key.clone(), lease.clone());
        self.plain(move |database| {
            let [plugin, connection, credential] = row(&key);
            let taken = database.execute(
                "INSERT INTO leases (plugin, connection, credential, holder, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
                 WHERE until_ms <= ?6",
                params![
                    plugin,
                    connection,
                    credential,
                    lease.holder,
                    lease.until.as_millisecond(),
                    now.as_millisecond()
                ],
            )?;
            Ok(taken == 1)
        })
        .await
    }

    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError> {
        let (key, lease) = (key.clone(), lease.clone());
        self.plain(move |database| {
            let [plugin, connection, credential] = row(&key);
            database.execute(
                "DELETE FROM leases WHERE plugin = ?1 AND connection = ?2 AND credential = ?3 AND holder = ?4",
                [plugin, connection, credential, &lease.holder],
            )?;
            Ok(())
        })
        .await
    }
}
