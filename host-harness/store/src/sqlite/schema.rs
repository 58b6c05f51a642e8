//! The tables, and migrations from older versions.

use rusqlite::{Connection, TransactionBehavior};

use crate::OpenError;

/// Each step migrates the schema from its index to the next version. Released steps never change.
const STEPS: [&str; 1] = ["
    -- One row: the generations of all sealed rows that are current, sealed.
    CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL) STRICT;

    CREATE TABLE grants (
        plugin TEXT NOT NULL,
        connection TEXT NOT NULL,
        credential TEXT NOT NULL,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (plugin, connection, credential)
    ) STRICT;

    CREATE TABLE clients (
        plugin TEXT NOT NULL,
        connection TEXT NOT NULL,
        credential TEXT NOT NULL,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (plugin, connection, credential)
    ) STRICT;

    -- `connection` is part of what is sealed. It is readable so that a damaged row can be removed with what belongs to it.
    CREATE TABLE teams (
        team TEXT NOT NULL,
        plugin TEXT NOT NULL,
        connection TEXT NOT NULL,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (team, plugin),
        UNIQUE (plugin, connection)
    ) STRICT;

    -- `state` is the hash of the state. `until_ms` is not sealed: it only says when the row can be removed.
    CREATE TABLE pending (
        state TEXT NOT NULL PRIMARY KEY,
        until_ms INTEGER NOT NULL DEFAULT 0,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;

    CREATE TABLE tokens (
        id TEXT NOT NULL PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;

    -- The secrets of a service's webhooks for a team.
    CREATE TABLE hooks (
        team TEXT NOT NULL,
        service TEXT NOT NULL,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (team, service)
    ) STRICT;

    CREATE TABLE leases (
        plugin TEXT NOT NULL,
        connection TEXT NOT NULL,
        credential TEXT NOT NULL,
        holder TEXT NOT NULL,
        until_ms INTEGER NOT NULL,
        PRIMARY KEY (plugin, connection, credential)
    ) STRICT;

    -- What a plugin noted about the fields that it listed (`field.memo` in the contract).
    CREATE TABLE memos (
        plugin TEXT NOT NULL,
        connection TEXT NOT NULL,
        target TEXT NOT NULL,
        field TEXT NOT NULL,
        memo TEXT NOT NULL,
        PRIMARY KEY (plugin, connection, target, field)
    ) STRICT, WITHOUT ROWID;
"];

/// Configures a connection and runs the missing migrations. The folder must be locked: SQLite does not wait when another process
/// switches a new file to WAL.
pub(crate) fn prepare(database: &mut Connection) -> Result<(), OpenError> {
    database.busy_timeout(std::time::Duration::from_secs(5))?;
    // FULL: a saved refresh token must survive a power cut. secure_delete: deleted content is overwritten.
    database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")?;
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let missing = usize::try_from(version).ok().and_then(|version| STEPS.get(version..));
    for step in missing.ok_or(OpenError::NewerSchema { version, known: STEPS.len() })? {
        transaction.execute_batch(step)?;
        version += 1;
    }
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    Ok(())
}
