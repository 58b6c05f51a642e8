//! Connections in one SQLite file, secrets sealed.
//!
//! A data directory contains the database and, unless the environment provides the key, the key file. Only the owner may
//! access either. Tokens are sealed with XChaCha20-Poly1305 before SQLite sees them, so that the database, its backups and
//! its deleted pages reveal none without the key. Keep the key elsewhere if that matters.
//!
//! Several processes may use one directory at the same time.

mod clients;
mod connections;
mod data_dir;
mod key;
mod memos;
mod schema;
mod seal;
mod sqlite_store;

pub use connections::TeamConnection;
pub use key::{KEY_VARIABLE, Key};
pub use sqlite_store::{OpenError, SqliteStore};

#[cfg(test)]
mod tests;
