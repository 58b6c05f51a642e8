//! Connections in one SQLite file, secrets sealed.
//!
//! A data directory holds the database and, unless the environment gives the key, the key file; both are for their owner's
//! eyes only. Tokens are sealed with XChaCha20-Poly1305 before SQLite sees them: who gets hold of the database, of a backup
//! or of a deleted page of it reads none. Who also gets hold of the key does; keep it elsewhere where that matters.
//!
//! Several processes may use one directory at the same time.

mod clients;
mod connections;
mod data_dir;
mod key;
mod schema;
mod seal;
mod sqlite_store;

pub use connections::TeamConnection;
pub use key::{KEY_VARIABLE, Key};
pub use sqlite_store::{OpenError, SqliteStore};

#[cfg(test)]
mod tests;
