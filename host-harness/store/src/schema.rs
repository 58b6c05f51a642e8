//! The tables, and migrations from older versions.

use rusqlite::{Connection, TransactionBehavior};

use crate::sqlite_store::OpenError;

/// Each step migrates the schema from its index to the next version. Released steps never change.
const STEPS: [&str; 1] = ["
    -- One row: a text that only the right key opens.
    CREATE TABLE key_check (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL) STRICT;

    -- One row: the last generation of any grant. Generations are never reused.
    CREATE TABLE last_generation (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL) STRICT;
    INSERT INTO last_generation VALUES (1, 0);

    CREATE TABLE grants (
        connection TEXT NOT NULL,
        credential TEXT NOT NULL,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (connection, credential)
    ) STRICT;

    CREATE TABLE leases (
        connection TEXT NOT NULL,
        credential TEXT NOT NULL,
        holder TEXT NOT NULL,
        until_ms INTEGER NOT NULL,
        PRIMARY KEY (connection, credential)
    ) STRICT;

    CREATE TABLE client_registrations (
        connection TEXT NOT NULL,
        credential TEXT NOT NULL,
        client_id TEXT NOT NULL,
        sealed_secret BLOB,
        PRIMARY KEY (connection, credential)
    ) STRICT;

    CREATE TABLE team_connections (
        team TEXT NOT NULL,
        plugin TEXT NOT NULL,
        connection TEXT NOT NULL UNIQUE,
        login_host TEXT NOT NULL,
        account_id TEXT,
        connected_at TEXT NOT NULL,
        PRIMARY KEY (team, plugin)
    ) STRICT;

    -- What a plugin noted about the fields that it listed (`field.memo` in the contract).
    CREATE TABLE memos (
        connection TEXT NOT NULL,
        target TEXT NOT NULL,
        field TEXT NOT NULL,
        memo TEXT NOT NULL,
        PRIMARY KEY (connection, target, field)
    ) STRICT, WITHOUT ROWID;
"];

/// Configures a connection and runs the missing migrations.
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
