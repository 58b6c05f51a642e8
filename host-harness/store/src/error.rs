//! Why a store could not be opened.

use std::{error::Error, path::PathBuf};

use crm_host::credentials::StoreError;
use crm_postgres::ConnectError;
use crm_seal::KeyError;

use crate::sqlite::PrivacyError;

/// The environment variable in which the command takes the key: 32 bytes in base64.
pub const KEY_VARIABLE: &str = "HARNESS_STORE_KEY";

type PostgresError = Box<dyn Error + Send + Sync>;

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
        "the store was sealed with another key, or changed by another program; provide its key (in `{KEY_VARIABLE}`, or the key file), or use another store and connect again"
    )]
    WrongKey,
    /// There are sealed rows, but not the row that shows the store's key.
    #[error(
        "another program removed a part of the store; put back a copy of the whole store, or use another one and connect again, and \
         revoke the earlier grants at the CRM"
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
    /// PostgreSQL cannot be reached, or refused.
    #[error("the store in PostgreSQL cannot be opened")]
    Postgres(#[source] PostgresError),
    /// The URL of PostgreSQL, or the certificates that it names, cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// PostgreSQL confirms commits that a crash can lose.
    #[error(
        "PostgreSQL runs with `{setting} = off`, so a crash could lose a refresh token that was already used; set it to `on` for this \
         database or role"
    )]
    NotDurable {
        /// The setting.
        setting: String,
    },
    /// What else is sealed with the key cannot follow.
    #[error("something else that is sealed with the same key cannot be sealed with the next one")]
    Prepare(#[source] Box<dyn Error + Send + Sync>),
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
            Self::Prepare(_) => "store-key-not-prepared",
            Self::SameKey => "store-key-same",
            Self::NoRandom(_) => "store-no-random",
            Self::NewerSchema { .. } => "store-newer-schema",
            Self::Database(_) => "store-database",
            Self::Postgres(_) => "store-postgres",
            Self::Connect(ConnectError::Url(_)) => "store-url",
            Self::Connect(ConnectError::Certificates { .. }) => "store-certificates",
            Self::Connect(_) => "store-postgres",
            Self::NotDurable { .. } => "store-not-durable",
            Self::Store(error) => error.code(),
        }
    }
}

impl From<KeyError> for OpenError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Format => Self::KeyFormat,
            KeyError::NoRandom(reason) => Self::NoRandom(reason),
        }
    }
}
