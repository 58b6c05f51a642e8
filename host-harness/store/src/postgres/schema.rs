//! The tables, and migrations from older versions.

use tokio_postgres::{Client, GenericClient};

use super::open_error;
use crate::OpenError;

/// The advisory lock of this schema: `crm_gran` in ASCII. Writers share it; a migration and a rotation of the key have it alone.
/// It is in memory only, unlike a lock of the row that all would have to take.
pub(super) const LOCK: i64 = 0x6372_6d5f_6772_616e;

/// Each step migrates the schema from its index to the next version. Released steps never change.
///
/// Names compare and sort byte by byte, as in SQLite, whatever the database's language is.
const STEPS: [&str; 1] = [r#"
    CREATE SCHEMA crm_grants;

    -- Never reused, not even after a rollback or a crash.
    CREATE SEQUENCE crm_grants.generation AS bigint;

    -- One row: the store's random id, sealed. Whoever opens it has the key.
    CREATE TABLE crm_grants.store (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        sealed bytea NOT NULL
    );

    CREATE TABLE crm_grants.grants (
        plugin text COLLATE "C" NOT NULL,
        connection text COLLATE "C" NOT NULL,
        credential text COLLATE "C" NOT NULL,
        generation bigint NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (plugin, connection, credential)
    );

    CREATE TABLE crm_grants.clients (
        plugin text COLLATE "C" NOT NULL,
        connection text COLLATE "C" NOT NULL,
        credential text COLLATE "C" NOT NULL,
        generation bigint NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (plugin, connection, credential)
    );

    CREATE TABLE crm_grants.teams (
        team text COLLATE "C" NOT NULL,
        plugin text COLLATE "C" NOT NULL,
        connection text COLLATE "C" NOT NULL,
        generation bigint NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (team, plugin),
        UNIQUE (plugin, connection)
    );

    -- `state` is the hash of the state. `until` is not sealed: it only says when the row can be removed.
    CREATE TABLE crm_grants.pending (
        state text COLLATE "C" PRIMARY KEY,
        until timestamptz NOT NULL DEFAULT 'infinity',
        generation bigint NOT NULL,
        sealed bytea NOT NULL
    );

    CREATE TABLE crm_grants.tokens (
        id text COLLATE "C" PRIMARY KEY,
        hash text COLLATE "C" NOT NULL UNIQUE,
        generation bigint NOT NULL,
        sealed bytea NOT NULL
    );

    -- The secrets of a service's webhooks for a team.
    CREATE TABLE crm_grants.hooks (
        team text COLLATE "C" NOT NULL,
        service text COLLATE "C" NOT NULL,
        generation bigint NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (team, service)
    );

    CREATE TABLE crm_grants.leases (
        plugin text COLLATE "C" NOT NULL,
        connection text COLLATE "C" NOT NULL,
        credential text COLLATE "C" NOT NULL,
        holder text COLLATE "C" NOT NULL,
        until timestamptz NOT NULL,
        PRIMARY KEY (plugin, connection, credential)
    );

    -- `memos` is JSON in bytes: the texts are a plugin's, and PostgreSQL's own types have no NUL.
    CREATE TABLE crm_grants.memos (
        plugin text COLLATE "C" NOT NULL,
        connection text COLLATE "C" NOT NULL,
        target text COLLATE "C" NOT NULL,
        memos bytea NOT NULL,
        PRIMARY KEY (plugin, connection, target)
    );

    CREATE TABLE crm_grants.schema_version (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        version integer NOT NULL
    );
    INSERT INTO crm_grants.schema_version (version) VALUES (0);
"#];

/// Runs the missing migrations. Where there are none, the role needs no right to change the schema.
pub(super) async fn prepare(client: &mut Client) -> Result<(), OpenError> {
    if missing(client).await?.is_empty() {
        return Ok(());
    }
    let transaction = client.transaction().await.map_err(open_error)?;
    let lock = format!("SELECT pg_advisory_xact_lock({LOCK})");
    transaction.batch_execute(&lock).await.map_err(open_error)?;
    // Another machine may have run them meanwhile.
    for step in missing(&transaction).await? {
        let next = "UPDATE crm_grants.schema_version SET version = version + 1";
        transaction.batch_execute(step).await.map_err(open_error)?;
        transaction.batch_execute(next).await.map_err(open_error)?;
    }
    transaction.commit().await.map_err(open_error)
}

async fn missing(client: &impl GenericClient) -> Result<&'static [&'static str], OpenError> {
    // Not `to_regclass`: inside a transaction, it may not see what another one has created meanwhile.
    let exists =
        "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'crm_grants' AND tablename = 'schema_version')";
    if !client.query_typed_one(exists, &[]).await.and_then(|row| row.try_get(0)).map_err(open_error)? {
        return Ok(&STEPS);
    }
    let select = "SELECT version FROM crm_grants.schema_version";
    let version: i32 = client.query_typed_one(select, &[]).await.and_then(|row| row.try_get(0)).map_err(open_error)?;
    let version = u32::try_from(version).unwrap_or(u32::MAX);
    let missing = usize::try_from(version).ok().and_then(|version| STEPS.get(version..));
    missing.ok_or(OpenError::NewerSchema { version, known: STEPS.len() })
}
