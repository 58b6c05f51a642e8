//! Connections in SQLite or PostgreSQL, secrets sealed.
//!
//! [`SqliteStore`] serves one machine, [`PostgresStore`] many. Both seal grants, their clients, the connections of teams, pending
//! connections and API tokens with XChaCha20-Poly1305 before the database sees them, so that the database and its backups reveal
//! no secret without the key. Leases and memos are not secret and not sealed.
//!
//! # SQLite
//!
//! A data directory contains the database and, unless the platform keeps the key, the key file. Only the owner may access either.
//! Keep the key elsewhere if that matters. Several processes may use one directory at the same time.
//!
//! Who can write the database but lacks the key can destroy what is sealed, and no more: a row does not open if it was changed,
//! swapped, or replaced by an older copy of itself. A copy of the *whole* database from an earlier time does open, except in a
//! process that has used the newer one; grants in it may have ended since, and teams that disconnected are in it again, though
//! their grants were revoked.
//!
//! # PostgreSQL
//!
//! The tables are in the schema `crm_grants`. The key comes from each worker's environment or file, and is never in the database.
//! A row is sealed for its store, its table, its name and its generation, and generations come from a sequence, so that none is
//! given twice. So a row does not open if it was changed or swapped.
//!
//! **An older copy of a row does open**, unlike in SQLite, whose head lists the current generations: one row that every write
//! changes would make all machines wait for each other. So who can write the database but lacks the key can also undo changes: put
//! back a spent refresh token, whose use ends the grant at servers that rotate; an earlier connection of a team; or an API token
//! from before it was revoked. Give no one else a role that can write this schema, and after restoring a backup, revoke API tokens
//! again and let teams reconnect.

mod contents;
mod error;
mod postgres;
mod sqlite;
mod store;
mod table;

pub use contents::{ApiToken, TeamConnection};
pub use crm_seal::Key;
pub use error::KEY_VARIABLE;
pub use error::OpenError;
pub use postgres::PostgresStore;
pub use sqlite::{PrivacyError, SqliteStore};
pub use store::{Rotated, Store};

#[cfg(test)]
mod tests;
