//! Connections in one SQLite file, secrets sealed.
//!
//! A data directory contains the database and, unless the platform keeps the key, the key file. Only the owner may
//! access either. Tokens are sealed with XChaCha20-Poly1305 before SQLite sees them, so that the database, its backups and
//! its deleted pages reveal none without the key. Keep the key elsewhere if that matters.
//!
//! Who can write the database but lacks the key can destroy connections, and no more: grants, their clients and the connections of
//! teams do not open if they were changed, swapped, or replaced by an older copy of the row. A copy of the *whole* database from
//! an earlier time does open, except in a process that has used the newer one; grants in it may have ended since, and teams that
//! disconnected are in it again, though their grants were revoked. Leases and memos are not sealed.
//!
//! Several processes may use one directory at the same time.

mod clients;
mod connections;
mod data_dir;
mod key;
mod memos;
mod rotate;
mod rows;
mod schema;
mod seal;
mod sqlite_store;

pub use connections::{Connecting, TeamConnection};
pub use data_dir::PrivacyError;
pub use key::{KEY_VARIABLE, Key};
pub use rotate::Rotated;
pub use sqlite_store::{OpenError, SqliteStore};

#[cfg(test)]
mod tests;
