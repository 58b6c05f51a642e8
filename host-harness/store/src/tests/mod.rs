//! The promises of every store (`suite`), and those of one kind alone.

mod brokers;
mod postgres;
mod sqlite;
mod suite;

use std::{fs, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crm_host::{
    credentials::{ClientRegistration, ConnectionId, GrantKey, GrantState},
    secret::Secret,
};
use tempfile::TempDir;
use test_postgres::Cluster;

use super::*;

/// Where a store is kept. Each `open` is a process or machine of its own.
#[derive(Clone)]
enum Home {
    Sqlite(Arc<TempDir>),
    /// By the URL of a database.
    Postgres(String),
}

impl Home {
    fn sqlite() -> Self {
        Self::Sqlite(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// A database of its own, unless PostgreSQL is missing.
    fn postgres() -> Option<Self> {
        Some(Self::Postgres(Cluster::shared()?.database("store")))
    }

    async fn open(&self) -> Arc<dyn Store> {
        self.open_with(a_key()).await.unwrap()
    }

    async fn open_with(&self, key: Key) -> Result<Arc<dyn Store>, OpenError> {
        match self {
            Self::Sqlite(directory) => Ok(Arc::new(SqliteStore::open_with_key(directory.path(), key)?)),
            Self::Postgres(url) => Ok(Arc::new(PostgresStore::open(url, key, None).await?)),
        }
    }

    /// Runs statements as another program would.
    async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(directory) => sqlite_database(directory.path()).execute_batch(sql).unwrap(),
            Self::Postgres(url) => {
                let sql = format!("SET search_path = crm_grants; {sql}");
                postgres_database(url).await.batch_execute(&sql).await.unwrap();
            }
        }
    }

    /// All that somebody without the key can read.
    async fn readable(&self) -> Vec<u8> {
        match self {
            Self::Sqlite(directory) => {
                let files = fs::read_dir(directory.path()).unwrap();
                files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
            }
            Self::Postgres(url) => {
                let database = postgres_database(url).await;
                // Bytes that are letters are shown as letters.
                database.batch_execute("SET bytea_output = escape").await.unwrap();
                let mut read = Vec::new();
                for table in ["store", "grants", "clients", "teams", "pending", "tokens", "leases", "memos"] {
                    let select = format!("SELECT row::text FROM crm_grants.{table} AS row");
                    for row in database.query(&select, &[]).await.unwrap() {
                        read.extend_from_slice(row.get::<_, &str>(0).as_bytes());
                    }
                }
                read
            }
        }
    }

    /// Makes it a newer program's.
    async fn make_newer(&self) {
        match self {
            Self::Sqlite(_) => self.execute("PRAGMA user_version = 99").await,
            Self::Postgres(_) => self.execute("UPDATE schema_version SET version = 99").await,
        }
    }

    /// A value of 60 zero bytes.
    fn zeros(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "zeroblob(60)",
            Self::Postgres(_) => "decode(repeat('00', 60), 'hex')",
        }
    }

    /// The table with the row that shows the store's key.
    fn head(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "head",
            Self::Postgres(_) => "store",
        }
    }

    /// How many rows a table has.
    async fn count(&self, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        match self {
            Self::Sqlite(directory) => {
                sqlite_database(directory.path()).query_row(&count, [], |row| row.get(0)).unwrap()
            }
            Self::Postgres(url) => {
                let count = format!("SELECT count(*) FROM crm_grants.{table}");
                postgres_database(url).await.query_one(&count, &[]).await.unwrap().get(0)
            }
        }
    }
}

async fn postgres_database(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn sqlite_database(directory: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(directory.join("store.sqlite3")).unwrap()
}

fn key(connection: &str) -> GrantKey {
    GrantKey {
        plugin: "acme-leads".parse().unwrap(),
        connection: ConnectionId::new(connection),
        credential: "acme".parse().unwrap(),
    }
}

fn a_key() -> Key {
    Key::from_base64(&STANDARD.encode([7; 32])).unwrap()
}

fn grant(token: &str) -> GrantState {
    let grant = format!(
        r#"{{"live":{{"access_token":"{token}","refresh_token":"refresh-token-{token}","grant_type":"authorization_code",
            "login_host":"https://id.acme.example","origin":"https://one.api.acme.example","attributes":{{"account":"canary-attribute"}},
            "scopes":["leads"],"consent":{{"egress":[{{"origin":"https://*.api.acme.example","routes":[{{"method":"POST","path":"/"}}]}}],"scopes":[],"attributes":{{}},"account":[],"slot":{{"header":"authorization","scheme":"Bearer"}},"endpoints":["/oauth/token"],"by_test_override":false}},"connected_at":"2026-11-22T00:00:00Z","refreshed_at":"2026-11-22T00:00:00Z"}}}}"#
    );
    GrantState::from_plaintext(grant.as_bytes()).unwrap()
}

fn api_key(key: &str) -> GrantState {
    let grant = format!(
        r#"{{"api-key":{{"key":"{key}","origin":"https://one.api.acme.example","consent":{{"egress":[{{"origin":"https://*.api.acme.example","routes":[{{"method":"POST","path":"/"}}]}}],"scopes":[],"attributes":{{}},"account":[],"slot":{{"header":"x-acme-token"}},"endpoints":[],"by_test_override":false}},"connected_at":"2026-11-22T00:00:00Z"}}}}"#
    );
    GrantState::from_plaintext(grant.as_bytes()).unwrap()
}

fn token(state: &GrantState) -> String {
    match state {
        GrantState::Live(grant) => grant.secrets().next().unwrap().expose().to_owned(),
        GrantState::Ended(_) => panic!("the grant has ended"),
    }
}

fn key_of(plugin: &str, connection: &str) -> GrantKey {
    GrantKey { plugin: plugin.parse().unwrap(), ..key(connection) }
}

fn client(id: &str) -> ClientRegistration {
    ClientRegistration { client_id: id.to_owned(), client_secret: Some(Secret::new("canary-client-secret")) }
}

/// Connects a team, as a broker does.
async fn connect(store: &dyn Store, team: &str, key: &GrantKey, token: &str) {
    let connecting = store.connecting(team, Some(client(token)));
    let expected = connecting.generation(key).await.unwrap();
    connecting.save(key, expected, &grant(token)).await.unwrap();
}

const TABLES: [&str; 3] = ["grants", "clients", "teams"];

/// The state of both teams of a store: each grant's token, client id and connection, or `-` if it does not open.
async fn states(store: &dyn Store) -> Vec<[String; 3]> {
    let mut states = Vec::new();
    for name in ["one", "two"] {
        let or_not = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let grant = store.load(&key(name)).await.ok().flatten().map(|stored| token(&stored.state));
        let client = store.client(&key(name)).await.ok().flatten().map(|client| client.client_id);
        let team = store.connection(name, "acme-leads").await.ok().flatten().map(|team| team.connection.to_string());
        states.push([grant, client, team].map(or_not));
    }
    states
}

/// Of two teams connected as `one` and `two`, the rows of a table do not open.
async fn does_not_open(store: &dyn Store, table: &str, attack: &str) {
    let column = TABLES.iter().position(|name| *name == table).unwrap();
    for found in states(store).await {
        assert_eq!(found[column], "-", "{attack}");
    }
}

/// Tests each promise of the suite with a kind of store.
macro_rules! promises {
    ($home:expr) => {
        promises!($home;
            a_grant_outlives_its_process,
            an_api_key_is_kept_as_a_grant_is,
            a_grant_is_written_only_over_the_generation_that_was_read,
            exactly_one_of_many_writers_wins,
            a_write_that_is_dropped_leaves_the_old_row_or_the_new_one,
            a_lease_has_one_holder_until_it_expires_or_is_released,
            one_of_many_holders_gets_a_lease,
            memos_are_replaced_as_a_whole_and_go_with_their_connection,
            a_teams_connection_is_found_listed_replaced_and_removed,
            a_team_has_a_connection_for_each_plugin,
            a_client_secret_is_stored_sealed_and_removed_with_its_grant,
            a_removed_connection_leaves_no_grant_whatever_its_credential_is_called,
            a_grant_its_client_and_its_team_are_written_together_or_not_at_all,
            a_pending_connection_is_taken_once_by_another_process,
            one_of_many_takers_gets_a_pending_connection,
            a_pending_connection_that_has_expired_is_swept,
            an_api_token_is_found_by_its_text_until_it_is_revoked,
            the_secrets_of_a_hook_are_replaced_together,
            an_api_token_that_another_program_wrote_is_not_found,
            nothing_secret_can_be_read_without_the_key,
            another_key_is_refused_at_once,
            a_key_that_the_platform_keeps_is_replaced_by_the_one_it_gives,
            a_row_changed_by_another_program_does_not_open,
            rows_that_were_changed_or_swapped_do_not_open_and_can_be_replaced,
            rows_from_before_a_store_was_emptied_do_not_open_in_it,
            a_store_of_a_newer_program_is_left_alone,
            new_stores_open_for_many_machines_at_once,
            a_crash_between_rotation_and_use_loses_nothing,
            four_machines_that_meet_a_401_refresh_once,
            many_processes_refresh_once_and_lose_no_grant,
        );
    };
    ($home:expr; $($promise:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $promise() {
                let Some(home) = $home else { return };
                super::suite::$promise(&home).await;
            }
        )*
    };
}

use promises;
