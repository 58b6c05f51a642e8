use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
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
    transport::{Bounds, Transport, TransportError},
};
use jiff::{SignedDuration, Timestamp};

use super::*;

fn key(connection: &str) -> GrantKey {
    GrantKey { connection: ConnectionId::new(connection), credential: "acme".parse().unwrap() }
}

fn a_key() -> Key {
    Key::from_base64(&STANDARD.encode([7; 32])).unwrap()
}

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open_with_key(directory, a_key()).unwrap()
}

/// As if the environment had no key.
fn open_with_file(directory: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open_by(directory, |create| Key::of_file(directory, create))
}

fn grant(token: &str) -> GrantState {
    let grant = format!(
        r#"{{"live":{{"access_token":"{token}","refresh_token":"refresh-{token}","grant_type":"authorization_code",
            "login_host":"https://id.acme.example","origin":"https://one.api.acme.example","attributes":{{"account":"canary-attribute"}},
            "scopes":["leads"],"consent":{{"egress":[{{"origin":"https://*.api.acme.example","routes":[{{"method":"POST","path":"/"}}]}}],"scopes":[],"attributes":[],"by_test_override":false}},"connected_at":"2026-11-22T00:00:00Z","refreshed_at":"2026-11-22T00:00:00Z"}}}}"#
    );
    GrantState::from_plaintext(grant.as_bytes()).unwrap()
}

fn api_key(key: &str) -> GrantState {
    let grant = format!(
        r#"{{"api-key":{{"key":"{key}","origin":"https://one.api.acme.example","consent":{{"egress":[{{"origin":"https://*.api.acme.example","routes":[{{"method":"POST","path":"/"}}]}}],"scopes":[],"attributes":[],"by_test_override":false}},"connected_at":"2026-11-22T00:00:00Z"}}}}"#
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
    drop(open_with_file(&data).unwrap());
    let file = data.join("key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let text = fs::read_to_string(&file).unwrap();
    drop(open_with_file(&data).unwrap());
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "it is created once");
    let names: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name == "key" || name.to_string_lossy().starts_with("store.sqlite3")), "{names:?}");

    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = open_with_file(&data).unwrap_err();
    assert_eq!(error.code(), "store-not-private");
    assert!(full_message(&error).contains("chmod 600"), "{error:?}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();

    fs::set_permissions(&data, fs::Permissions::from_mode(0o770)).unwrap();
    assert!(full_message(&open_with_file(&data).unwrap_err()).contains("chmod 700"));
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let database = data.join("store.sqlite3");
    assert_eq!(fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(full_message(&open_with_file(&data).unwrap_err()).contains("chmod 600"));
    fs::set_permissions(&database, fs::Permissions::from_mode(0o600)).unwrap();

    fs::write(&file, "not a key").unwrap();
    assert_eq!(open_with_file(&data).unwrap_err().code(), "store-key-format");
    fs::remove_file(&file).unwrap();
    let error = open_with_file(&data).unwrap_err();
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
    let connected = TeamConnection {
        team: "team".into(),
        plugin: "plugin".into(),
        connection: one.clone(),
        login_host: "https://id.acme.example".parse().unwrap(),
        account_id: None,
        connected_at: Timestamp::now(),
    };
    store.put_connection(connected).await.unwrap();
    store.put_memos(&one, "", pairs(&[("名前", "a"), ("b", "")])).await.unwrap();
    store.put_memos(&one, "deals", pairs(&[("b", "of deals")])).await.unwrap();
    store.put_memos(&other, "", pairs(&[("b", "of another")])).await.unwrap();
    store.put_memos(&one, "", pairs(&[("b", "new")])).await.unwrap();
    assert_eq!(store.memos(&one, "").await.unwrap(), pairs(&[("b", "new")]));
    assert_eq!(store.memos(&one, "deals").await.unwrap(), pairs(&[("b", "of deals")]));

    store.remove_connection("team", "plugin").await.unwrap();
    assert!(store.memos(&one, "").await.unwrap().is_empty() && store.memos(&one, "deals").await.unwrap().is_empty());
    assert_eq!(store.memos(&other, "").await.unwrap(), pairs(&[("b", "of another")]));
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
        account_id: Some("42".to_owned()),
        connected_at: "2026-11-22T00:00:00Z".parse().unwrap(),
    };
    for (team, id) in [("営業", "c1"), ("support", "c2"), ("営業", "c3")] {
        store.put_connection(connection(team, id)).await.unwrap();
    }
    let store = open(directory.path());
    assert_eq!(store.connection("営業", "acme-leads").await.unwrap(), Some(connection("営業", "c3")));
    assert_eq!(store.connection("営業", "other").await.unwrap(), None);
    assert_eq!(store.connections().await.unwrap(), [connection("support", "c2"), connection("営業", "c3")]);
    assert!(store.remove_connection("営業", "acme-leads").await.unwrap());
    assert!(!store.remove_connection("営業", "acme-leads").await.unwrap());
    assert_eq!(store.connections().await.unwrap().len(), 1);
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
        current.0 = format!("refresh-{}", current.1);
        let body = format!(r#"{{"access_token":"access-{}","refresh_token":"{}"}}"#, current.1, current.0);
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
    let server = Arc::new(Rotating(Mutex::new(("refresh-one".to_owned(), 0))));
    let connection = ConnectionId::new("a");
    let first = open(directory.path()).save(&key("a"), None, &grant("one")).await.unwrap();
    let crashed = broker(directory.path(), &server);
    crashed.refresh(&connection, "acme", first).await.unwrap();
    // The process ends here: nothing is closed, flushed or released.
    std::mem::forget(crashed);

    let next = broker(directory.path(), &server);
    let opened = next.open(&connection, "acme").await.unwrap();
    assert_eq!(opened.secrets().map(|secret| secret.expose()).collect::<Vec<_>>(), ["access-1", "refresh-1"]);
    let opened = next.refresh(&connection, "acme", opened.generation()).await.unwrap();
    assert_eq!(opened.secrets().next().unwrap().expose(), "access-2", "the rotated token was used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_refresh_once_and_lose_no_grant() {
    let directory = tempfile::tempdir().unwrap();
    let server = Arc::new(Rotating(Mutex::new(("refresh-one".to_owned(), 0))));
    let first = open(directory.path()).save(&key("a"), None, &grant("one")).await.unwrap();
    let callers: Vec<_> = (0..6)
        .map(|_| {
            let broker = broker(directory.path(), &server);
            tokio::spawn(async move { broker.refresh(&ConnectionId::new("a"), "acme", first).await })
        })
        .collect();
    for caller in callers {
        let opened = caller.await.unwrap().unwrap();
        assert_eq!(opened.secrets().next().unwrap().expose(), "access-1");
    }
    assert_eq!(server.0.lock().unwrap().1, 1, "one refresh served all callers");
}
