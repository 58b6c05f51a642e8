//! The tables, and migrations from older versions.

use rusqlite::{Connection, TransactionBehavior};

use crate::OpenError;

/// Each step migrates the schema from its index to the next version. Released steps never change.
pub(crate) const STEPS: [&str; 1] = ["
    -- The keys that payloads are sealed with and that tags are made with, each sealed with the store's key.
    CREATE TABLE key (
        name TEXT NOT NULL,
        sealed_with BLOB NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (name, sealed_with)
    ) STRICT, WITHOUT ROWID;

    -- One row. `served` is the virtual time of the queue that had the last turn.
    CREATE TABLE ledger (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        served INTEGER NOT NULL DEFAULT 0,
        restored_from INTEGER,
        restored_until INTEGER
    ) STRICT;
    INSERT INTO ledger (id) VALUES (1);

    CREATE TABLE team (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;

    -- A team's bookings for a plugin. `state` is the queue as JSON; the columns before it are read by queries.
    CREATE TABLE queue (
        id INTEGER PRIMARY KEY,
        team TEXT NOT NULL,
        plugin TEXT NOT NULL,
        virtual_time INTEGER NOT NULL DEFAULT 0,
        -- No slot before.
        opens_at INTEGER NOT NULL DEFAULT 0,
        hold TEXT,
        -- When the first of its bookings is due, or earlier. NULL if none waits.
        next_due INTEGER,
        -- Bookings that wait or are being delivered.
        open INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL,
        UNIQUE (team, plugin)
    ) STRICT;
    CREATE INDEX queue_turn ON queue (virtual_time) WHERE next_due IS NOT NULL AND hold IS NULL;

    -- One change of a booking for one integration. `progress` is JSON; `state`, `code` and `final_at` repeat what queries read of it.
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue INTEGER NOT NULL,
        team TEXT NOT NULL,
        calendar TEXT NOT NULL,
        integration TEXT NOT NULL,
        booking TEXT NOT NULL,
        change TEXT NOT NULL,
        -- The first booking id of all that moved into each other.
        chain TEXT NOT NULL,
        kind TEXT NOT NULL,
        changed_at INTEGER NOT NULL,
        digest BLOB NOT NULL,
        accepted INTEGER NOT NULL,
        meeting_start INTEGER NOT NULL,
        lane BLOB NOT NULL,
        -- A tag of the guest's address, until retention removes it.
        guest BLOB,
        -- The version of the mapping that the last try used.
        mapping INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL,
        code TEXT,
        -- When it became final, until retention has removed its content.
        final_at INTEGER,
        progress TEXT NOT NULL,
        UNIQUE (team, integration, booking, change)
    ) STRICT;
    CREATE INDEX entry_chain ON entry (queue, integration, chain);
    CREATE INDEX entry_of_team ON entry (team, state, id);
    CREATE INDEX entry_in_state ON entry (state, id);
    CREATE INDEX entry_by_cause ON entry (code, state, team, integration, meeting_start) WHERE code IS NOT NULL;
    CREATE INDEX entry_of_guest ON entry (guest) WHERE guest IS NOT NULL;
    CREATE INDEX entry_to_forget ON entry (final_at) WHERE final_at IS NOT NULL;
    CREATE INDEX entry_parked ON entry (queue) WHERE state = 'parked';

    -- What is personal of an entry, sealed, until retention removes it.
    CREATE TABLE content (
        entry INTEGER PRIMARY KEY,
        payload BLOB NOT NULL,
        -- What the last try left for people to read.
        detail BLOB
    ) STRICT;

    -- Entries that wait or are being delivered: small, and the only table that claiming searches.
    CREATE TABLE ready (
        entry INTEGER PRIMARY KEY,
        queue INTEGER NOT NULL,
        lane BLOB NOT NULL,
        -- 0 for a fresh one, 1 for one that a person sends again.
        turn INTEGER NOT NULL,
        due INTEGER NOT NULL,
        -- When its claim ends, if a worker has it.
        until INTEGER,
        -- Whether it is the first of its lane.
        head INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ready_turn ON ready (queue, turn, due) WHERE head = 1 AND until IS NULL;
    CREATE INDEX ready_lane ON ready (queue, lane, entry);
    CREATE INDEX ready_head ON ready (queue, lane) WHERE head = 1;
    CREATE INDEX ready_claimed ON ready (until) WHERE until IS NOT NULL;
    CREATE INDEX ready_due ON ready (due) WHERE head = 1 AND until IS NULL;

    CREATE TABLE attempt (
        entry INTEGER NOT NULL,
        fence INTEGER NOT NULL,
        began INTEGER NOT NULL,
        ended INTEGER,
        code TEXT,
        reaction TEXT,
        effect TEXT,
        requests INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (entry, fence)
    ) STRICT, WITHOUT ROWID;

    -- How many entries there are by state and cause. `code` is empty where there is none.
    CREATE TABLE cause_count (
        team TEXT NOT NULL,
        integration TEXT NOT NULL,
        state TEXT NOT NULL,
        code TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (team, integration, state, code)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE mapping (
        team TEXT NOT NULL,
        calendar TEXT NOT NULL,
        integration TEXT NOT NULL,
        version INTEGER NOT NULL,
        content TEXT NOT NULL,
        -- JSON: what the plugin noted about the fields.
        memos TEXT NOT NULL,
        saved_at INTEGER NOT NULL,
        saved_by TEXT NOT NULL,
        PRIMARY KEY (team, calendar, integration, version)
    ) STRICT, WITHOUT ROWID;

    -- What upkeep remembers, such as what people were told.
    CREATE TABLE note (name TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;

    -- Tasks that one process of the fleet does at a time.
    CREATE TABLE task (name TEXT PRIMARY KEY, holder TEXT NOT NULL, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"];

/// Configures a connection that writes, and runs the missing migrations.
pub(crate) fn prepare(database: &mut Connection) -> Result<(), OpenError> {
    configure(database)?;
    // FULL: what was accepted must survive a power cut.
    database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let missing = usize::try_from(version).ok().and_then(|version| STEPS.get(version..));
    for step in missing.ok_or(OpenError::NewerSchema { version, known: STEPS.len() })? {
        transaction.execute_batch(step)?;
        version = version.saturating_add(1);
    }
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    Ok(())
}

/// Configures any connection.
pub(crate) fn configure(database: &Connection) -> Result<(), OpenError> {
    database.busy_timeout(std::time::Duration::from_secs(5))?;
    database.set_prepared_statement_cache_capacity(128);
    // secure_delete: what retention removes is overwritten.
    database.execute_batch("PRAGMA secure_delete = ON; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;")?;
    Ok(())
}
