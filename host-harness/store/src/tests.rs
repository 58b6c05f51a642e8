use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Barrier, Mutex},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crm_host::{
    clock::SystemClock,
    credentials::{
        Broker, ClientRegistration, ConnectionId, Generation, GrantKey, GrantState, Lease, Registration, SecretStore,
        StoreError,
    },
    full_message,
    manifest::{GrantType, Manifest},
    policy::{Permissions, Policy},
    secret::Secret,
    transport::{Bounds, Transport, TransportError},
};
use jiff::{SignedDuration, Timestamp};

use super::{rotate::Step, *};

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

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open_with_key(directory, a_key()).unwrap()
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

#[tokio::test]
async fn a_grant_outlives_its_process() {
    let directory = tempfile::tempdir().unwrap();
    let written = open(directory.path()).save(&key("a"), None, &grant("one")).await.unwrap();
    let stored = open(directory.path()).load(&key("a")).await.unwrap().unwrap();
    assert_eq!((token(&stored.state).as_str(), stored.generation), ("one", written));
    assert!(open(directory.path()).load(&key("b")).await.unwrap().is_none());
}

#[tokio::test]
async fn an_api_key_is_kept_as_a_grant_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let first = store.save(&key("a"), None, &api_key("one")).await.unwrap();
    assert_eq!(store.save(&key("a"), None, &api_key("x")).await, Err(StoreError::Conflict));
    let second = store.save(&key("a"), Some(first), &api_key("two")).await.unwrap();
    let stored = open(directory.path()).load(&key("a")).await.unwrap().unwrap();
    assert_eq!((token(&stored.state).as_str(), stored.generation), ("two", second));
    assert_eq!(stored.state.origin().to_string(), "https://one.api.acme.example");
    let third = store.save(&key("a"), Some(second), &grant("three")).await.unwrap();
    assert_eq!(store.remove(&key("a"), second).await, Err(StoreError::Conflict));
    store.remove(&key("a"), third).await.unwrap();
}

#[tokio::test]
async fn a_grant_is_written_only_over_the_generation_that_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let first = store.save(&key("a"), None, &grant("one")).await.unwrap();
    assert_eq!(store.save(&key("a"), None, &grant("x")).await, Err(StoreError::Conflict));
    let second = store.save(&key("a"), Some(first), &grant("two")).await.unwrap();
    for stale in [first, Generation(999), Generation(u64::MAX)] {
        assert_eq!(store.save(&key("a"), Some(stale), &grant("x")).await, Err(StoreError::Conflict));
        assert_eq!(store.remove(&key("a"), stale).await, Err(StoreError::Conflict));
    }
    assert_eq!(token(&store.load(&key("a")).await.unwrap().unwrap().state), "two");
    store.remove(&key("a"), second).await.unwrap();
    store.remove(&key("a"), second).await.unwrap();
    assert_eq!(store.save(&key("a"), Some(second), &grant("x")).await, Err(StoreError::Conflict));
    let third = store.save(&key("a"), None, &grant("three")).await.unwrap();
    assert!(third > second, "no generation is used twice, not even after a removal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_one_of_many_writers_wins() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).save(&key("a"), None, &grant("start")).await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|number| {
            let store = open(directory.path());
            tokio::spawn(async move { store.save(&key("a"), Some(first), &grant(&format!("w{number}"))).await })
        })
        .collect();
    let mut won = Vec::new();
    for (number, writer) in writers.into_iter().enumerate() {
        match writer.await.unwrap() {
            Ok(generation) => won.push((format!("w{number}"), generation)),
            Err(error) => assert_eq!(error, StoreError::Conflict),
        }
    }
    let stored = open(directory.path()).load(&key("a")).await.unwrap().unwrap();
    assert_eq!(won, [(token(&stored.state), stored.generation)]);
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_expires_or_is_released() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (open(directory.path()), open(directory.path()));
    let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    let lease = |holder: &str, from: Timestamp| Lease {
        holder: holder.to_owned(),
        until: from + SignedDuration::from_secs(90),
    };
    assert!(one.acquire_lease(&key("a"), &lease("one", now), now).await.unwrap());
    assert!(!other.acquire_lease(&key("a"), &lease("other", now), now).await.unwrap());
    assert!(other.acquire_lease(&key("b"), &lease("other", now), now).await.unwrap(), "another grant has its own");
    let later = now + SignedDuration::from_secs(90);
    assert!(other.acquire_lease(&key("a"), &lease("other", later), later).await.unwrap(), "it has expired");
    one.release_lease(&key("a"), &lease("one", now)).await.unwrap();
    assert!(
        !one.acquire_lease(&key("a"), &lease("one", later), later).await.unwrap(),
        "only its holder can release a lease"
    );
    other.release_lease(&key("a"), &lease("other", later)).await.unwrap();
    assert!(one.acquire_lease(&key("a"), &lease("one", later), later).await.unwrap());
}

#[tokio::test]
async fn nothing_secret_can_be_read_in_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let generation = store.save(&key("a"), None, &grant("canary-token")).await.unwrap();
    store.save(&key("a"), Some(generation), &grant("canary-rotated")).await.unwrap();
    store.save(&key("b"), None, &api_key("canary-key")).await.unwrap();
    let mut scanned = 0;
    for entry in fs::read_dir(directory.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        scanned += bytes.len();
        for secret in ["canary", &STANDARD.encode("canary"), &STANDARD.encode([7; 32])] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    }
    assert!(scanned > 4_096, "the database and its log were scanned");
    let debug = format!("{store:?} {:?} {:?}", store.load(&key("a")).await, store.load(&key("b")).await);
    for secret in ["canary-token", "canary-rotated", "canary-key"] {
        assert!(!debug.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn another_key_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path());
    let other = Key::from_base64(&STANDARD.encode([8; 32])).unwrap();
    let error = SqliteStore::open_with_key(directory.path(), other).unwrap_err();
    assert_eq!(error.code(), "store-wrong-key");
    assert!(error.to_string().contains(KEY_VARIABLE), "{error}");
}

#[tokio::test]
async fn a_row_changed_by_another_program_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.save(&key("a"), None, &grant("one")).await.unwrap();
    store.save(&key("b"), None, &grant("two")).await.unwrap();
    let database = rusqlite::Connection::open(directory.path().join("store.sqlite3")).unwrap();
    for change in [
        "UPDATE grants SET sealed = (SELECT sealed FROM grants WHERE connection = 'b') WHERE connection = 'a'",
        "UPDATE grants SET generation = generation + 10 WHERE connection = 'b'",
    ] {
        database.execute(change, []).unwrap();
    }
    for name in ["a", "b"] {
        let error = store.load(&key(name)).await.unwrap_err();
        assert_eq!(error.code(), "store-unreadable");
        assert!(error.to_string().contains("connect again"), "{error}");
    }
}

#[test]
fn the_key_file_is_created_once_for_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    drop(SqliteStore::open(&data).unwrap());
    let file = data.join("key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let text = fs::read_to_string(&file).unwrap();
    drop(SqliteStore::open(&data).unwrap());
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "it is created once");
    let names: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        names.iter().all(|name| ["key", "lock", ".gitignore"].iter().any(|known| name == known)
            || name.to_string_lossy().starts_with("store.sqlite3")),
        "{names:?}"
    );

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = SqliteStore::open(&data).unwrap_err();
    assert_eq!(error.code(), "store-not-private");
    assert!(full_message(&error).contains("chmod 600"), "{error:?}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();

    fs::set_permissions(&data, fs::Permissions::from_mode(0o770)).unwrap();
    assert!(full_message(&SqliteStore::open(&data).unwrap_err()).contains("chmod 700"));
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let database = data.join("store.sqlite3");
    assert_eq!(fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(full_message(&SqliteStore::open(&data).unwrap_err()).contains("chmod 600"));
    fs::set_permissions(&database, fs::Permissions::from_mode(0o600)).unwrap();

    fs::write(&file, "not a key").unwrap();
    assert_eq!(SqliteStore::open(&data).unwrap_err().code(), "store-key-format");
    fs::remove_file(&file).unwrap();
    let error = SqliteStore::open(&data).unwrap_err();
    assert_eq!(error.code(), "store-key-missing");
    assert!(!file.exists(), "a lost key is not replaced by one that opens nothing");
}

#[test]
fn a_file_of_a_newer_program_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let database = rusqlite::Connection::open(directory.path().join("store.sqlite3")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::open_with_key(directory.path(), a_key()).unwrap_err();
    assert_eq!(error.code(), "store-newer-schema");
}

#[tokio::test]
async fn memos_are_replaced_as_a_whole_and_go_with_their_connection() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let (one, other) = (ConnectionId::new("one"), ConnectionId::new("other"));
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(field, memo)| ((*field).to_owned(), (*memo).to_owned())).collect()
    };
    store.connecting("team", None).save(&key("one"), None, &grant("one")).await.unwrap();
    let put = |plugin: &'static str, connection, target: &'static str, memos| {
        let store = &store;
        async move { store.put_memos(plugin, connection, target, memos).await.unwrap() }
    };
    put("acme-leads", &one, "", pairs(&[("名前", "a"), ("b", "")])).await;
    put("acme-leads", &one, "deals", pairs(&[("b", "of deals")])).await;
    put("acme-leads", &other, "", pairs(&[("b", "of another")])).await;
    put("other-leads", &one, "", pairs(&[("b", "of another plugin")])).await;
    put("acme-leads", &one, "", pairs(&[("b", "new")])).await;
    assert_eq!(store.memos("acme-leads", &one, "").await.unwrap(), pairs(&[("b", "new")]));
    assert_eq!(store.memos("acme-leads", &one, "deals").await.unwrap(), pairs(&[("b", "of deals")]));

    store.remove_connection("team", "acme-leads").await.unwrap();
    for target in ["", "deals"] {
        assert!(store.memos("acme-leads", &one, target).await.unwrap().is_empty());
    }
    assert_eq!(store.memos("acme-leads", &other, "").await.unwrap(), pairs(&[("b", "of another")]));
    assert_eq!(store.memos("other-leads", &one, "").await.unwrap(), pairs(&[("b", "of another plugin")]));
}

fn key_of(plugin: &str, connection: &str) -> GrantKey {
    GrantKey { plugin: plugin.parse().unwrap(), ..key(connection) }
}

fn client(id: &str) -> ClientRegistration {
    ClientRegistration { client_id: id.to_owned(), client_secret: Some(Secret::new("canary-client-secret")) }
}

/// Connects a team, as a broker does.
async fn connect(store: &SqliteStore, team: &str, key: &GrantKey, token: &str) {
    let connecting = store.connecting(team, Some(client(token)));
    let expected = connecting.generation(key).await.unwrap();
    connecting.save(key, expected, &grant(token)).await.unwrap();
}

#[tokio::test]
async fn a_teams_connection_is_found_listed_replaced_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let connection = |team: &str, id: &str| TeamConnection {
        team: team.to_owned(),
        plugin: "acme-leads".to_owned(),
        connection: ConnectionId::new(id),
        login_host: "https://id.acme.example".parse().unwrap(),
        connected_at: "2026-11-22T00:00:00Z".parse().unwrap(),
    };
    for (team, id) in [("営業", "c1"), ("support", "c2"), ("営業", "c3")] {
        connect(&store, team, &key(id), id).await;
    }
    let store = open(directory.path());
    assert_eq!(store.connection("営業", "acme-leads").await.unwrap(), Some(connection("営業", "c3")));
    assert_eq!(store.connection("営業", "other").await.unwrap(), None);
    let all = store.connections().await.unwrap().into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(all, [connection("support", "c2"), connection("営業", "c3")]);
    assert!(store.remove_connection("営業", "acme-leads").await.unwrap().is_some());
    assert!(store.remove_connection("営業", "acme-leads").await.unwrap().is_none());
    assert_eq!(store.connections().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_team_has_a_connection_for_each_plugin() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for plugin in ["acme-leads", "other-leads"] {
        connect(&store, "sales", &key_of(plugin, "sales"), plugin).await;
    }
    for plugin in ["acme-leads", "other-leads"] {
        let key = key_of(plugin, "sales");
        assert!(store.connection("sales", plugin).await.unwrap().is_some(), "{plugin}");
        assert_eq!(token(&store.load(&key).await.unwrap().unwrap().state), plugin);
        assert_eq!(store.client(&key).await.unwrap().unwrap().client_id, plugin);
    }
    store.remove_connection("sales", "other-leads").await.unwrap();
    assert!(store.connection("sales", "acme-leads").await.unwrap().is_some());
    assert!(store.client(&key_of("acme-leads", "sales")).await.unwrap().is_some());
    assert!(store.client(&key_of("other-leads", "sales")).await.unwrap().is_none(), "clients go with their connection");
}

#[tokio::test]
async fn a_client_secret_is_stored_sealed_and_removed_with_its_grant() {
    let directory = tempfile::tempdir().unwrap();
    connect(&open(directory.path()), "sales", &key("sales"), "one").await;
    let store = open(directory.path());
    let read = store.client(&key("sales")).await.unwrap().unwrap();
    assert_eq!((read.client_id.as_str(), read.client_secret.unwrap().expose()), ("one", "canary-client-secret"));
    for file in fs::read_dir(directory.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|six| six == b"canary"));
    }
    store.remove_connection("sales", "acme-leads").await.unwrap();
    assert!(store.client(&key("sales")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_removed_connection_leaves_no_grant_whatever_its_credential_is_called() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let renamed = |connection: &str| GrantKey { credential: "renamed".parse().unwrap(), ..key(connection) };
    for team in ["sales", "support"] {
        connect(&store, team, &key(team), team).await;
        connect(&store, team, &renamed(team), team).await;
    }
    let ended = GrantState::from_plaintext(
        br#"{"ended":{"login_host":"https://id.acme.example","origin":"https://one.api.acme.example","attributes":{},
            "ended_at":"2026-11-22T00:00:00Z","cause":null}}"#,
    )
    .unwrap();
    let ended_key = GrantKey { credential: "ended".parse().unwrap(), ..key("sales") };
    store.save(&ended_key, None, &ended).await.unwrap();
    let left = store.remove_connection("sales", "acme-leads").await.unwrap();
    assert_eq!(left, Some(vec!["acme".to_owned(), "renamed".to_owned()]), "the third has ended");
    assert!(store.load(&ended_key).await.unwrap().is_none());
    for gone in [key("sales"), renamed("sales")] {
        assert!(store.load(&gone).await.unwrap().is_none(), "{gone:?}");
    }
    for kept in [key("support"), renamed("support")] {
        assert!(store.load(&kept).await.unwrap().is_some(), "{kept:?}");
    }
}

#[tokio::test]
async fn a_grant_its_client_and_its_team_are_written_together_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    connect(&store, "sales", &key("sales"), "one").await;
    // Two teams never share a connection, so the last of the three writes fails.
    let expected = store.generation(&key("sales")).await.unwrap();
    let error = store.connecting("support", Some(client("two"))).save(&key("sales"), expected, &grant("two")).await;
    assert_eq!(error.unwrap_err().code(), "store-unavailable");
    assert_eq!(token(&store.load(&key("sales")).await.unwrap().unwrap().state), "one");
    assert_eq!(store.client(&key("sales")).await.unwrap().unwrap().client_id, "one");
    assert!(store.connection("support", "acme-leads").await.unwrap().is_none());
}

const TABLES: [&str; 3] = ["grants", "clients", "teams"];

/// The state of both teams of a store: each grant's token, client id and connection, or `-` if it does not open.
async fn states(store: &SqliteStore) -> Vec<[String; 3]> {
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

#[tokio::test]
async fn rows_that_were_changed_swapped_or_put_back_do_not_open_and_can_be_replaced() {
    let swap = |table: &str, columns: &str| {
        let name = if table == "teams" { "team" } else { "connection" };
        let from = |other| format!("(SELECT {columns} FROM old.{table} WHERE {name} = '{other}')");
        let (one, two) = (from("two"), from("one"));
        format!(
            "UPDATE main.{table} SET ({columns}) = {one} WHERE {name} = 'one';
             UPDATE main.{table} SET ({columns}) = {two} WHERE {name} = 'two'"
        )
    };
    let mut attacks = Vec::new();
    for table in TABLES {
        attacks.push((table, swap(table, "sealed")));
        attacks.push((table, swap(table, "generation, sealed")));
        attacks.push((table, format!("UPDATE main.{table} SET generation = generation + 100")));
        attacks.push((table, format!("UPDATE main.{table} SET sealed = zeroblob(60)")));
        // Older copies of the rows, from before both teams connected again.
        attacks.push((table, format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM old.{table}")));
    }
    let rename =
        "UPDATE main.teams SET team = 'x' WHERE team = 'one'; UPDATE main.teams SET team = 'one' WHERE team = 'two';
        UPDATE main.teams SET team = 'two' WHERE team = 'x'";
    attacks.push(("teams", rename.to_owned()));
    for (table, attack) in attacks {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        for name in ["one", "two"] {
            connect(&store, name, &key(name), "old").await;
        }
        let database = rusqlite::Connection::open(directory.path().join("store.sqlite3")).unwrap();
        let old = directory.path().join("old");
        database.execute("VACUUM INTO ?1", [old.to_str().unwrap()]).unwrap();
        for name in ["one", "two"] {
            connect(&store, name, &key(name), name).await;
        }
        assert_eq!(states(&store).await, ["one", "two"].map(|name| [name; 3].map(str::to_owned)));

        database.execute("ATTACH ?1 AS old", [old.to_str().unwrap()]).unwrap();
        database.execute_batch(&attack).unwrap();
        for store in [&store, &open(directory.path())] {
            for [grant, client, team] in states(store).await {
                let found = if table == "grants" {
                    grant
                } else if table == "clients" {
                    client
                } else {
                    team
                };
                assert_eq!(found, "-", "{attack}");
            }
        }
        assert!(store.connection_to_remove("two", "acme-leads").await.unwrap().is_some());
        assert!(store.remove_connection("one", "acme-leads").await.unwrap().is_some());
        for name in ["one", "two"] {
            connect(&store, name, &key(name), name).await;
        }
        assert_eq!(states(&store).await, ["one", "two"].map(|name| [name; 3].map(str::to_owned)), "{attack}");
    }
}

#[tokio::test]
async fn an_older_copy_of_the_whole_store_is_noticed_by_a_process_that_used_the_newer_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    connect(&store, "one", &key("one"), "old").await;
    let database = rusqlite::Connection::open(directory.path().join("store.sqlite3")).unwrap();
    let old = directory.path().join("old");
    database.execute("VACUUM INTO ?1", [old.to_str().unwrap()]).unwrap();
    connect(&store, "one", &key("one"), "one").await;
    database.execute("ATTACH ?1 AS old", [old.to_str().unwrap()]).unwrap();
    for table in ["head", "grants", "clients", "teams"] {
        let restore = format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM old.{table}");
        database.execute_batch(&restore).unwrap();
    }
    assert_eq!(store.load(&key("one")).await.unwrap_err().code(), "store-unreadable");
    assert!(open(directory.path()).load(&key("one")).await.is_ok(), "another process cannot notice it");
}

#[tokio::test]
async fn rows_from_before_a_store_was_emptied_do_not_open_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    connect(&store, "one", &key("one"), "old").await;
    let database = rusqlite::Connection::open(directory.path().join("store.sqlite3")).unwrap();
    let old = directory.path().join("old");
    database.execute("VACUUM INTO ?1", [old.to_str().unwrap()]).unwrap();

    database.execute("DELETE FROM head", []).unwrap();
    let error = SqliteStore::open_with_key(directory.path(), a_key()).unwrap_err();
    assert_eq!(error.code(), "store-damaged");
    assert!(error.to_string().contains("connect again"), "{error}");
    assert_eq!(store.load(&key("one")).await.unwrap_err().code(), "store-unreadable");

    for table in TABLES {
        database.execute(&format!("DELETE FROM {table}"), []).unwrap();
    }
    let next = open(directory.path());
    connect(&next, "one", &key("one"), "new").await;
    assert_eq!(store.load(&key("one")).await.unwrap_err().code(), "store-unreadable", "it was another store");
    // The numbers of the rows are the same as before.
    database.execute("ATTACH ?1 AS old", [old.to_str().unwrap()]).unwrap();
    for table in TABLES {
        let restore = format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM old.{table}");
        database.execute_batch(&restore).unwrap();
    }
    assert_eq!(states(&next).await[0], ["-"; 3]);
    next.rotate(Some(&Key::random().unwrap()), |_| Ok(())).unwrap();
    assert_eq!(states(&next).await[0], ["-"; 3]);
    connect(&next, "one", &key("one"), "one").await;
    assert_eq!(states(&next).await[0], ["one"; 3]);
}

#[test]
fn new_stores_open_for_many_at_once() {
    for _ in 0..30 {
        let directory = tempfile::tempdir().unwrap();
        let start = Barrier::new(8);
        std::thread::scope(|scope| {
            let openers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        SqliteStore::open(&directory.path().join("data"))
                            .map(drop)
                            .map_err(|error| full_message(&error))
                    })
                })
                .collect();
            for opener in openers {
                assert_eq!(opener.join().unwrap(), Ok(()));
            }
        });
    }
}

#[test]
fn a_folder_or_file_that_is_a_link_or_that_others_can_write_is_refused() {
    use std::os::unix::fs::symlink;

    let directory = tempfile::tempdir().unwrap();
    let (data, moved) = (directory.path().join("data"), directory.path().join("moved"));
    let refused = || {
        let error = SqliteStore::open(&data).unwrap_err();
        assert_eq!(error.code(), "store-not-private", "{error:?}");
        full_message(&error)
    };
    drop(SqliteStore::open(&data).unwrap());
    for name in ["key", "store.sqlite3", "lock"] {
        fs::rename(data.join(name), &moved).unwrap();
        symlink(&moved, data.join(name)).unwrap();
        assert!(refused().contains("is a link"), "{name}");
        fs::remove_file(data.join(name)).unwrap();
        fs::rename(&moved, data.join(name)).unwrap();
    }
    drop(SqliteStore::open(&data).unwrap());
    fs::rename(&data, &moved).unwrap();
    symlink(&moved, &data).unwrap();
    assert!(refused().contains("is a link"));
    fs::remove_file(&data).unwrap();
    fs::rename(&moved, &data).unwrap();
    // Only root can give a file away, as a test in a container can.
    if std::os::unix::fs::chown(&data, Some(65_534), None).is_ok() {
        assert!(refused().contains("belongs to another user"));
    }
}

#[test]
fn a_lock_on_the_folder_which_other_users_may_open_delays_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    drop(SqliteStore::open(&data).unwrap());
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = fs::File::open(&data).unwrap();
    folder.lock().unwrap();
    let (done, opened) = std::sync::mpsc::channel();
    let path = data.clone();
    std::thread::spawn(move || {
        let rotated = SqliteStore::open(&path).and_then(|store| store.rotate_key_file());
        let _ = done.send(rotated.map_err(|error| full_message(&error)));
    });
    let rotated = opened.recv_timeout(std::time::Duration::from_secs(5));
    assert_eq!(rotated, Ok(Ok(Rotated { rows: 0, damaged: 0 })));
    assert_eq!(fs::metadata(data.join("lock")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_process_that_keeps_the_lock_is_not_waited_for_forever() {
    let directory = tempfile::tempdir().unwrap();
    let folder = data_dir::Folder::open_or_create(directory.path()).unwrap();
    let turn = folder.lock().unwrap();
    let Err(error) = folder.lock_within(std::time::Duration::from_millis(100)) else { panic!("locked twice") };
    assert!(error.to_string().contains("end it"), "{error}");
    assert_eq!(OpenError::from(error).code(), "store-locked");
    drop(turn);
    folder.lock().unwrap();
}

#[tokio::test]
async fn a_rotation_of_the_key_can_be_interrupted_at_any_step() {
    for interrupted in [Some(Step::KeyWritten), Some(Step::Resealed), Some(Step::Committed), None] {
        let directory = tempfile::tempdir().unwrap();
        let key_file = directory.path().join("key");
        let store = SqliteStore::open(directory.path()).unwrap();
        connect(&store, "one", &key("one"), "one").await;
        connect(&store, "two", &key("two"), "two").await;
        let running = SqliteStore::open(directory.path()).unwrap();
        let before = fs::read_to_string(&key_file).unwrap();
        let rotated =
            store.rotate(None, |step| if Some(step) == interrupted { Err(OpenError::KeyGiven) } else { Ok(()) });
        assert_eq!(rotated.ok(), interrupted.is_none().then_some(Rotated { rows: 6, damaged: 0 }));

        let expected = ["one", "two"].map(|name| [name; 3].map(str::to_owned));
        assert_eq!(states(&running).await, expected, "{interrupted:?}: a process that has it open");
        let reopened = SqliteStore::open(directory.path()).unwrap();
        assert_eq!(states(&reopened).await, expected, "{interrupted:?}");
        assert_eq!(states(&store).await, expected, "{interrupted:?}");
        let after = fs::read_to_string(&key_file).unwrap();
        let is_rotated = matches!(interrupted, None | Some(Step::Committed));
        assert_eq!(before != after, is_rotated, "{interrupted:?}");
        assert!(!directory.path().join("key.next").exists(), "{interrupted:?}: one key remains");
        connect(&running, "one", &key("one"), "new").await;
        assert_eq!(token(&reopened.load(&key("one")).await.unwrap().unwrap().state), "new");
        assert_eq!(reopened.rotate_key_file().unwrap().damaged, 0);
        if is_rotated {
            let old = Key::from_base64(&before).unwrap();
            assert_eq!(SqliteStore::open_with_key(directory.path(), old).unwrap_err().code(), "store-wrong-key");
        }
    }
}

#[tokio::test]
async fn a_key_that_the_platform_keeps_is_replaced_by_the_one_it_gives() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    connect(&store, "one", &key("one"), "one").await;
    assert_eq!(store.rotate_key_file().unwrap_err().code(), "store-key-given");
    assert_eq!(store.reseal(&a_key()).unwrap_err().code(), "store-key-same");
    let next = Key::from_base64(&STANDARD.encode([9; 32])).unwrap();
    assert_eq!(store.reseal(&next).unwrap(), Rotated { rows: 3, damaged: 0 });
    assert_eq!(SqliteStore::open_with_key(directory.path(), a_key()).unwrap_err().code(), "store-wrong-key");
    let store = SqliteStore::open_with_key(directory.path(), next).unwrap();
    assert_eq!(token(&store.load(&key("one")).await.unwrap().unwrap().state), "one");
    assert!(!directory.path().join("key").exists());
}

const MANIFEST: &str = r#"
[plugin]
id = "acme-leads"
name = "Acme"
version = "2.0.0"
contract = "scheduling:crm@0.1.0"

[[egress]]
origin = "https://*.api.acme.example"
routes = [{ method = "POST", path = "/" }]

[limits]
memory_bytes = 1
cpu_ms = 1
wall_ms = 1
http_requests = 1
request_bytes = 1
response_bytes = 1

[credentials.acme]
kind = "oauth2"
login_hosts = ["https://id.acme.example"]
authorization_path = "/oauth/authorize"
token_path = "/oauth/token"
slot = { header = "authorization", scheme = "Bearer" }
origin_member = "api_base"
"#;

/// A server that rotates: each refresh token works once, and a reused one ends the grant.
#[derive(Debug)]
struct Rotating(Mutex<(String, u32)>);

#[async_trait]
impl Transport for Rotating {
    async fn send(
        &self,
        _connection: &ConnectionId,
        request: http::Request<Vec<u8>>,
        _bounds: Bounds,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        // Let other tasks run while the response is under way.
        tokio::task::yield_now().await;
        let form = String::from_utf8(request.into_body()).unwrap();
        let mut current = self.0.lock().unwrap();
        if !form.contains(&format!("refresh_token={}&", current.0)) {
            current.0 = "revoked".to_owned();
            let body = br#"{"error":"invalid_grant"}"#.to_vec();
            return Ok(http::Response::builder().status(400).body(body).unwrap());
        }
        current.1 += 1;
        current.0 = format!("refresh-token-{}", current.1);
        let body = format!(r#"{{"access_token":"access-token-{}","refresh_token":"{}"}}"#, current.1, current.0);
        Ok(http::Response::new(body.into_bytes()))
    }
}

fn broker(directory: &Path, server: &Arc<Rotating>) -> Broker {
    let permissions = Permissions::new(&Manifest::from_toml(MANIFEST).unwrap(), &Policy::default()).unwrap();
    let registration = Registration {
        client: ClientRegistration { client_id: "id".to_owned(), client_secret: None },
        login_hosts: vec!["https://id.acme.example".parse().unwrap()],
        grant_types: [GrantType::AuthorizationCode].into(),
    };
    Broker::new(
        Arc::new(permissions),
        server.clone(),
        Arc::new(open(directory)),
        Arc::new(SystemClock),
        BTreeMap::from([("acme".parse().unwrap(), registration)]),
    )
}

#[tokio::test]
async fn a_crash_between_rotation_and_use_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let server = Arc::new(Rotating(Mutex::new(("refresh-token-one".to_owned(), 0))));
    let connection = ConnectionId::new("a");
    let first = open(directory.path()).save(&key("a"), None, &grant("one")).await.unwrap();
    let crashed = broker(directory.path(), &server);
    crashed.refresh(&connection, "acme", first).await.unwrap();
    // The process ends here: nothing is closed, flushed or released.
    std::mem::forget(crashed);

    let next = broker(directory.path(), &server);
    let opened = next.open(&connection, "acme").await.unwrap();
    assert_eq!(
        opened.secrets().map(|secret| secret.expose()).collect::<Vec<_>>(),
        ["access-token-1", "refresh-token-1"]
    );
    let opened = next.refresh(&connection, "acme", opened.generation()).await.unwrap();
    assert_eq!(opened.secrets().next().unwrap().expose(), "access-token-2", "the rotated token was used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_refresh_once_and_lose_no_grant() {
    let directory = tempfile::tempdir().unwrap();
    let server = Arc::new(Rotating(Mutex::new(("refresh-token-one".to_owned(), 0))));
    let first = open(directory.path()).save(&key("a"), None, &grant("one")).await.unwrap();
    let callers: Vec<_> = (0..6)
        .map(|_| {
            let broker = broker(directory.path(), &server);
            tokio::spawn(async move { broker.refresh(&ConnectionId::new("a"), "acme", first).await })
        })
        .collect();
    for caller in callers {
        let opened = caller.await.unwrap().unwrap();
        assert_eq!(opened.secrets().next().unwrap().expose(), "access-token-1");
    }
    assert_eq!(server.0.lock().unwrap().1, 1, "one refresh served all callers");
}
