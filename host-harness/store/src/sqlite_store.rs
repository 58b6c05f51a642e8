//! The store itself.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use crm_host::credentials::{Generation, GrantKey, GrantState, Lease, SecretStore, StoreError, Stored};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::{
    data_dir::{PrivacyError, check_file, create_private, make_directory},
    key::{KEY_VARIABLE, Key},
    schema,
    seal::{SealError, Sealer},
};

const DATABASE_FILE: &str = "store.sqlite3";
/// The text that the key check seals.
const KEY_CHECK: &[u8] = b"this key opens this store";
const KEY_CHECK_CONTEXT: &[&[u8]] = &[b"key-check"];

/// Connections in SQLite, secrets sealed. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    database: Mutex<Connection>,
    sealer: Sealer,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.inner.path).finish_non_exhaustive()
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
    /// The secrets were sealed with another key.
    #[error(
        "the store was sealed with another key; provide that one (in `{KEY_VARIABLE}`, or the key file), or use another data directory and connect again"
    )]
    WrongKey,
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
}

impl OpenError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Privacy(PrivacyError::Io { .. }) => "store-directory",
            Self::Privacy(PrivacyError::Open { .. }) => "store-not-private",
            Self::KeyFormat => "store-key-format",
            Self::KeyMissing { .. } => "store-key-missing",
            Self::WrongKey => "store-wrong-key",
            Self::NoRandom(_) => "store-no-random",
            Self::NewerSchema { .. } => "store-newer-schema",
            Self::Database(_) => "store-database",
        }
    }
}

impl SqliteStore {
    /// Opens the store of a data directory, and creates both if missing. The key comes from the environment
    /// ([`KEY_VARIABLE`]), else from the key file.
    ///
    /// # Errors
    /// When the directory, the key or the database cannot be used.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        Self::open_by(directory, |create| Key::of_environment_or_file(directory, create))
    }

    /// Opens the store of a data directory with a key that the platform keeps itself.
    ///
    /// # Errors
    /// When the directory or the database cannot be used, or the key is not the store's.
    pub fn open_with_key(directory: &Path, key: Key) -> Result<Self, OpenError> {
        Self::open_by(directory, |_| Ok(key))
    }

    pub(crate) fn open_by(
        directory: &Path,
        key: impl FnOnce(bool) -> Result<Key, OpenError>,
    ) -> Result<Self, OpenError> {
        make_directory(directory)?;
        let path = directory.join(DATABASE_FILE);
        // SQLite creates its log with the mode of the database.
        match create_private(&path) {
            Err(PrivacyError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => check_file(&path)?,
            created => drop(created?),
        }
        let mut database = Connection::open(&path)?;
        schema::prepare(&mut database)?;
        // In one transaction: if two processes open a new store at once, one seals the key check and the other reads it.
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let check: Option<Vec<u8>> =
            transaction.query_row("SELECT sealed FROM key_check", [], |row| row.get(0)).optional()?;
        let sealer = Sealer::new(&key(check.is_none())?);
        match check {
            Some(sealed) => {
                sealer.open(&sealed, KEY_CHECK_CONTEXT).map_err(|SealError| OpenError::WrongKey)?;
            }
            None => {
                let sealed = sealer
                    .seal(KEY_CHECK, KEY_CHECK_CONTEXT)
                    .map_err(|SealError| OpenError::NoRandom("for a nonce".to_owned()))?;
                transaction.execute("INSERT INTO key_check VALUES (1, ?1)", [sealed])?;
            }
        }
        transaction.commit()?;
        Ok(Self { inner: Arc::new(Inner { path, database: Mutex::new(database), sealer }) })
    }

    /// Runs a task with the database on a blocking thread.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Connection, &Sealer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || {
            // A panic rolls its transaction back, so the connection stays usable.
            let mut database = inner.database.lock().unwrap_or_else(PoisonError::into_inner);
            task(&mut database, &inner.sealer)
        })
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

/// An error of SQLite. Its text contains no values.
pub(crate) fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn number(generation: Generation) -> Result<i64, StoreError> {
    i64::try_from(generation.0).map_err(|_| StoreError::Conflict)
}

/// The associated data of a grant: bytes of another row or an older generation do not open.
fn grant_context<'a>(key: &'a GrantKey, generation: &'a [u8; 8]) -> [&'a [u8]; 4] {
    [b"grant", key.connection.as_str().as_bytes(), key.credential.as_str().as_bytes(), generation]
}

#[async_trait]
impl SecretStore for SqliteStore {
    async fn load(&self, key: &GrantKey) -> Result<Option<Stored>, StoreError> {
        let key = key.clone();
        self.with(move |database, sealer| {
            let row: Option<(i64, Vec<u8>)> = database
                .query_row(
                    "SELECT generation, sealed FROM grants WHERE connection = ?1 AND credential = ?2",
                    [key.connection.as_str(), key.credential.as_str()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
                .map_err(unavailable)?;
            let Some((generation, sealed)) = row else { return Ok(None) };
            let plain = sealer.open(&sealed, &grant_context(&key, &generation.to_be_bytes())).map_err(|SealError| {
                StoreError::Unreadable(format!(
                    "the row of connection `{}` was changed by another program; disconnect and connect again",
                    key.connection
                ))
            })?;
            let state =
                GrantState::from_plaintext(&plain).map_err(|error| StoreError::Unreadable(error.to_string()))?;
            let generation = u64::try_from(generation).map_err(|_| StoreError::Conflict)?;
            Ok(Some(Stored { state, generation: Generation(generation) }))
        })
        .await
    }

    async fn save(
        &self,
        key: &GrantKey,
        expected: Option<Generation>,
        state: &GrantState,
    ) -> Result<Generation, StoreError> {
        let expected = expected.map(number).transpose()?;
        let plain = state.to_plaintext().map_err(|error| StoreError::Unreadable(error.to_string()))?;
        let key = key.clone();
        self.with(move |database, sealer| {
            let transaction =
                database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
            let current: Option<i64> = transaction
                .query_row(
                    "SELECT generation FROM grants WHERE connection = ?1 AND credential = ?2",
                    [key.connection.as_str(), key.credential.as_str()],
                    |row| row.get(0),
                )
                .optional()
                .map_err(unavailable)?;
            if current != expected {
                return Err(StoreError::Conflict);
            }
            let generation: i64 = transaction
                .query_row("UPDATE last_generation SET generation = generation + 1 RETURNING generation", [], |row| {
                    row.get(0)
                })
                .map_err(unavailable)?;
            let sealed = sealer
                .seal(&plain, &grant_context(&key, &generation.to_be_bytes()))
                .map_err(|SealError| StoreError::Unavailable("the grant could not be sealed".to_owned()))?;
            transaction
                .execute(
                    "INSERT INTO grants (connection, credential, generation, sealed) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET generation = excluded.generation, sealed = excluded.sealed",
                    params![key.connection.as_str(), key.credential.as_str(), generation, sealed],
                )
                .map_err(unavailable)?;
            transaction.commit().map_err(unavailable)?;
            u64::try_from(generation).map(Generation).map_err(|_| StoreError::Conflict)
        })
        .await
    }

    async fn remove(&self, key: &GrantKey, expected: Generation) -> Result<(), StoreError> {
        let (key, expected) = (key.clone(), number(expected)?);
        self.with(move |database, _| {
            let names = [key.connection.as_str(), key.credential.as_str()];
            let transaction =
                database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
            let current: Option<i64> = transaction
                .query_row("SELECT generation FROM grants WHERE connection = ?1 AND credential = ?2", names, |row| {
                    row.get(0)
                })
                .optional()
                .map_err(unavailable)?;
            if current.is_some_and(|current| current != expected) {
                return Err(StoreError::Conflict);
            }
            transaction
                .execute("DELETE FROM grants WHERE connection = ?1 AND credential = ?2", names)
                .map_err(unavailable)?;
            transaction.commit().map_err(unavailable)
        })
        .await
    }

    async fn acquire_lease(&self, key: &GrantKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let (key, lease) = (key.clone(), lease.clone());
        self.with(move |database, _| {
            let taken = database
                .execute(
                    "INSERT INTO leases (connection, credential, holder, until_ms) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
                     WHERE until_ms <= ?5",
                    params![
                        key.connection.as_str(),
                        key.credential.as_str(),
                        lease.holder,
                        lease.until.as_millisecond(),
                        now.as_millisecond()
                    ],
                )
                .map_err(unavailable)?;
            Ok(taken == 1)
        })
        .await
    }

    async fn release_lease(&self, key: &GrantKey, lease: &Lease) -> Result<(), StoreError> {
        let (key, lease) = (key.clone(), lease.clone());
        self.with(move |database, _| {
            database
                .execute(
                    "DELETE FROM leases WHERE connection = ?1 AND credential = ?2 AND holder = ?3",
                    [key.connection.as_str(), key.credential.as_str(), &lease.holder],
                )
                .map_err(unavailable)?;
            Ok(())
        })
        .await
    }
}
