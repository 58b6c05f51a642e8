//! The tables, and migrations from older versions.

use tokio_postgres::{Client, GenericClient};

use crate::OpenError;

/// The advisory lock of this schema: `crm_ledg` in ASCII. Whoever migrates it or makes its keys has it.
pub(crate) const LOCK: i64 = 0x6372_6d5f_6c65_6467;

/// Each step migrates the schema from its index to the next version. Released steps never change.
///
/// Names compare and sort byte by byte, as in SQLite, whatever the database's language is.
///
/// No table is partitioned. Entries are kept for good, so that a repeat is known for good, and content goes by when its entry became
/// final, so no month could ever be dropped. With a million entries in twelve months, partitions made reading a chain 2.8 times, an
/// update by id 2.1 times and a list 1.8 times as slow, and the table of keys that unique changes then need took 40 % more disk.
const STEPS: [&str; 1] = [r#"
    CREATE SCHEMA crm_ledger;

    -- The database's clock, in milliseconds since 1970.
    CREATE FUNCTION crm_ledger.milliseconds() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
        AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

    -- The keys that payloads are sealed with and that tags are made with, each sealed with the processes' key.
    CREATE TABLE crm_ledger.key (
        name text COLLATE "C" NOT NULL,
        sealed_with bytea NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (name, sealed_with)
    );

    -- One row.
    CREATE TABLE crm_ledger.ledger (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        restored_from bigint,
        restored_until bigint
    );
    INSERT INTO crm_ledger.ledger DEFAULT VALUES;

    CREATE TABLE crm_ledger.team (id text COLLATE "C" PRIMARY KEY, name text NOT NULL);

    -- A team's bookings for a plugin. Whoever changes one of them has locked this row, so that it is also the lock of its chains and
    -- lanes. `state` is the queue as JSON; the other columns are read by queries.
    CREATE TABLE crm_ledger.queue (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        team text COLLATE "C" NOT NULL,
        plugin text COLLATE "C" NOT NULL,
        virtual_time bigint NOT NULL DEFAULT 0,
        -- Its virtual time when it had its last turn. The greatest one is where a queue that was idle begins. (One row for all queues
        -- would make all workers wait for each other.)
        served bigint NOT NULL DEFAULT 0,
        -- No slot before.
        opens_at bigint NOT NULL DEFAULT 0,
        hold text COLLATE "C",
        in_flight integer NOT NULL DEFAULT 0,
        resent_in_flight integer NOT NULL DEFAULT 0,
        -- When the first of its fresh and of its resent bookings is due that can be claimed. NULL if none waits.
        due_fresh bigint,
        due_resent bigint,
        next_due bigint GENERATED ALWAYS AS (least(due_fresh, due_resent)) STORED,
        -- Bookings that wait or are being delivered.
        open bigint NOT NULL DEFAULT 0,
        state text NOT NULL,
        UNIQUE (team, plugin)
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
    CREATE INDEX queue_turn ON crm_ledger.queue (virtual_time, id) WHERE next_due IS NOT NULL AND hold IS NULL;
    CREATE INDEX queue_served ON crm_ledger.queue (served);

    -- Given out while the queue is locked, so that a later change of a booking has a greater one.
    CREATE SEQUENCE crm_ledger.entry_id AS bigint;

    -- One change of a booking for one integration. `progress` is JSON; `state`, `code` and `final_at` repeat what queries read of it.
    CREATE TABLE crm_ledger.entry (
        id bigint PRIMARY KEY,
        queue bigint NOT NULL,
        team text COLLATE "C" NOT NULL,
        calendar text COLLATE "C" NOT NULL,
        integration text COLLATE "C" NOT NULL,
        booking text COLLATE "C" NOT NULL,
        change text COLLATE "C" NOT NULL,
        -- The first booking id of all that moved into each other.
        chain text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        changed_at bigint NOT NULL,
        digest bytea NOT NULL,
        accepted bigint NOT NULL,
        meeting_start bigint NOT NULL,
        lane bytea NOT NULL,
        -- A tag of the guest's address, until retention removes it.
        guest bytea,
        -- The version of the mapping that the last try used.
        mapping bigint NOT NULL DEFAULT 0,
        state text COLLATE "C" NOT NULL,
        code text COLLATE "C",
        -- When it became final, until retention has removed its content.
        final_at bigint,
        progress text NOT NULL,
        -- In the order that serves looking for a booking's changes, too.
        UNIQUE (team, booking, integration, change)
    ) WITH (fillfactor = 80);
    CREATE INDEX entry_chain ON crm_ledger.entry (queue, integration, chain);
    CREATE INDEX entry_of_team ON crm_ledger.entry (team, id);
    CREATE INDEX entry_of_team_in_state ON crm_ledger.entry (team, state, id);
    CREATE INDEX entry_in_state ON crm_ledger.entry (state, id);
    CREATE INDEX entry_by_cause ON crm_ledger.entry (code, state, team, integration, meeting_start) WHERE code IS NOT NULL;
    CREATE INDEX entry_of_guest ON crm_ledger.entry (guest) WHERE guest IS NOT NULL;
    CREATE INDEX entry_to_forget ON crm_ledger.entry (final_at) WHERE final_at IS NOT NULL;
    CREATE INDEX entry_parked ON crm_ledger.entry (queue, id) WHERE state = 'parked';

    -- What is personal of an entry, sealed, until retention removes it.
    CREATE TABLE crm_ledger.content (
        entry bigint PRIMARY KEY,
        payload bytea NOT NULL,
        -- What the last try left for people to read.
        detail bytea
    );
    -- Sealed bytes do not compress.
    ALTER TABLE crm_ledger.content ALTER payload SET STORAGE EXTERNAL, ALTER detail SET STORAGE EXTERNAL;

    -- Entries that wait or are being delivered: small, and the only table that claiming searches.
    CREATE TABLE crm_ledger.ready (
        entry bigint PRIMARY KEY,
        queue bigint NOT NULL,
        lane bytea NOT NULL,
        -- 0 for a fresh one, 1 for one that a person sends again.
        turn smallint NOT NULL,
        due bigint NOT NULL,
        -- When its claim ends, if a worker has it.
        until bigint,
        -- Whether it is the first of its lane: the one that a worker has, or else the oldest. Only that one can be claimed.
        head boolean NOT NULL
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
    CREATE INDEX ready_turn ON crm_ledger.ready (queue, turn, due, entry) WHERE head AND until IS NULL;
    CREATE INDEX ready_lane ON crm_ledger.ready (queue, lane, entry);
    CREATE INDEX ready_head ON crm_ledger.ready (queue, lane) WHERE head;
    CREATE INDEX ready_claimed_lane ON crm_ledger.ready (queue, lane, entry) WHERE until IS NOT NULL;
    CREATE INDEX ready_claimed ON crm_ledger.ready (until) WHERE until IS NOT NULL;
    CREATE INDEX ready_due ON crm_ledger.ready (due) WHERE head AND until IS NULL;

    CREATE TABLE crm_ledger.attempt (
        entry bigint NOT NULL,
        fence bigint NOT NULL,
        began bigint NOT NULL,
        ended bigint,
        code text,
        reaction text,
        effect text,
        requests bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (entry, fence)
    );

    -- How many entries there are by state and cause. `code` is empty where there is none. Changed under the lock of the queue.
    CREATE TABLE crm_ledger.cause_count (
        team text COLLATE "C" NOT NULL,
        integration text COLLATE "C" NOT NULL,
        state text COLLATE "C" NOT NULL,
        code text COLLATE "C" NOT NULL,
        count bigint NOT NULL,
        PRIMARY KEY (team, integration, state, code)
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

    CREATE TABLE crm_ledger.mapping (
        team text COLLATE "C" NOT NULL,
        calendar text COLLATE "C" NOT NULL,
        integration text COLLATE "C" NOT NULL,
        version bigint NOT NULL,
        content text NOT NULL,
        -- JSON: what the plugin noted about the fields.
        memos text NOT NULL,
        saved_at bigint NOT NULL,
        saved_by text NOT NULL,
        PRIMARY KEY (team, calendar, integration, version)
    );

    -- Tasks that one process of the fleet does at a time.
    -- What upkeep remembers, such as what people were told.
    CREATE TABLE crm_ledger.note (name text COLLATE "C" PRIMARY KEY, content text NOT NULL);

    CREATE TABLE crm_ledger.task (name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, next bigint NOT NULL);

    CREATE TABLE crm_ledger.schema_version (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        version integer NOT NULL
    );
    INSERT INTO crm_ledger.schema_version (version) VALUES (0);
"#];

/// Runs the missing migrations. Where there are none, the role needs no right to change the schema.
pub(crate) async fn prepare(client: &mut Client) -> Result<(), OpenError> {
    if missing(client).await?.is_empty() {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    // Another process may have run them meanwhile.
    for step in missing(&transaction).await? {
        transaction.batch_execute(step).await?;
        transaction.batch_execute("UPDATE crm_ledger.schema_version SET version = version + 1").await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn missing(client: &impl GenericClient) -> Result<&'static [&'static str], OpenError> {
    // Not `to_regclass`: inside a transaction, it may not see what another one has created meanwhile.
    let exists =
        "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'crm_ledger' AND tablename = 'schema_version')";
    if !client.query_typed_one(exists, &[]).await?.try_get(0)? {
        return Ok(&STEPS);
    }
    let select = "SELECT version FROM crm_ledger.schema_version";
    let version: i32 = client.query_typed_one(select, &[]).await?.try_get(0)?;
    let version = u32::try_from(version).unwrap_or(u32::MAX);
    let missing = usize::try_from(version).ok().and_then(|version| STEPS.get(version..));
    missing.ok_or(OpenError::NewerSchema { version, known: STEPS.len() })
}

/// Refuses a server that confirms a commit that a crash can lose: "accepted" is a promise.
pub(crate) async fn check_durability(client: &impl GenericClient) -> Result<(), OpenError> {
    // Servers that only speak PostgreSQL's protocol lack some settings.
    let select = "SELECT current_setting('synchronous_commit', true), current_setting('fsync', true),
         coalesce(current_setting('synchronous_standby_names', true), '')";
    let row = client.query_typed_one(select, &[]).await?;
    let (commit, fsync): (Option<&str>, Option<&str>) = (row.try_get(0)?, row.try_get(1)?);
    let standbys: &str = row.try_get(2)?;
    let refused = match (commit, fsync) {
        (Some("off"), _) => {
            Some(("synchronous_commit", "off", "a crash of the server could lose bookings that were accepted"))
        }
        (_, Some("off")) => Some(("fsync", "off", "a crash of the server could lose bookings that were accepted")),
        (Some("local"), _) if !standbys.is_empty() => Some((
            "synchronous_commit",
            "local",
            "with `synchronous_standby_names` set, a failover could lose bookings that were accepted",
        )),
        _ => None,
    };
    match refused {
        Some((setting, value, why)) => Err(OpenError::NotDurable { setting, value, why }),
        None => Ok(()),
    }
}
