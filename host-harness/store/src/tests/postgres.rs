//! The suite in PostgreSQL, and promises about several machines and a server that fails.

use crm_host::{
    credentials::{Lease, SecretStore as _},
    full_message,
};
use jiff::{SignedDuration, Timestamp};

use super::*;

promises!(Home::postgres());

fn another_key() -> Key {
    Key::from_base64(&STANDARD.encode([9; 32])).unwrap()
}

#[tokio::test]
async fn an_older_copy_of_a_row_opens_as_the_documentation_says() {
    let Some(home) = Home::postgres() else { return };
    let store = home.open().await;
    connect(&*store, "one", &key("one"), "old").await;
    for table in TABLES {
        home.execute(&format!("CREATE TABLE old_{table} AS SELECT * FROM {table}")).await;
    }
    connect(&*store, "one", &key("one"), "new").await;
    for table in TABLES {
        home.execute(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM old_{table}")).await;
    }
    assert_eq!(states(&*store).await[0], ["old", "old", "one"]);
    let old = store.generation(&key("one")).await.unwrap();
    connect(&*store, "one", &key("one"), "newer").await;
    assert!(store.generation(&key("one")).await.unwrap() > old, "its generation is not given again");
}

#[tokio::test]
async fn a_server_that_confirms_before_it_is_on_disk_is_refused() {
    let Some(home) = Home::postgres() else { return };
    home.open().await;
    let Home::Postgres(url) = &home else { unreachable!() };
    let database = url.trim_start_matches("postgres:///").split('?').next().unwrap();
    home.execute(&format!("ALTER DATABASE {database} SET synchronous_commit = off")).await;
    let error = home.open_with(a_key()).await.unwrap_err();
    assert_eq!(error.code(), "store-not-durable");
    assert!(error.to_string().contains("`synchronous_commit = off`"), "{error}");
    home.execute(&format!("ALTER DATABASE {database} SET synchronous_commit = local")).await;
    home.open().await;
}

#[tokio::test]
async fn machines_that_were_given_the_next_key_follow_a_rotation() {
    let Some(Home::Postgres(url)) = Home::postgres() else { return };
    let prepared = PostgresStore::open(&url, a_key(), Some(another_key())).await.unwrap();
    let unprepared = PostgresStore::open(&url, a_key(), None).await.unwrap();
    connect(&prepared, "one", &key("one"), "old").await;
    assert_eq!(unprepared.reseal(&another_key()).await.unwrap(), Rotated { rows: 3, damaged: 0 });
    assert_eq!(states(&prepared).await[0], ["old", "old", "one"]);
    connect(&prepared, "one", &key("one"), "new").await;
    assert_eq!(states(&unprepared).await[0], ["new", "new", "one"], "who rotated it has the new key");

    let next = PostgresStore::open(&url, another_key(), None).await.unwrap();
    next.reseal(&a_key()).await.unwrap();
    next.reseal(&Key::random().unwrap()).await.unwrap();
    for store in [&prepared, &unprepared] {
        let expected = store.generation(&key("one")).await.unwrap();
        let error = store.save(&key("one"), expected, &grant("lost")).await.unwrap_err();
        assert_eq!(error.code(), "store-unreadable", "nothing is written with an old key");
        assert!(error.to_string().contains("another key by now"), "{error}");
    }
    assert_eq!(states(&next).await[0], ["new", "new", "one"]);
}

#[tokio::test]
async fn what_was_saved_survives_a_crash_of_the_server() {
    let Some(cluster) = Cluster::start() else { return };
    let home = Home::Postgres(cluster.database("store"));
    let store = home.open().await;
    connect(&*store, "one", &key("one"), "one").await;
    let saved = store.generation(&key("one")).await.unwrap();
    let (_, text) = store.create_token(None, "everything", Timestamp::now()).await.unwrap();
    cluster.kill9();
    let error = store.load(&key("one")).await.unwrap_err();
    assert_eq!(error.code(), "store-unavailable");
    let error = home.open_with(a_key()).await.unwrap_err();
    assert_eq!(error.code(), "store-postgres");
    cluster.restart();
    assert_eq!(states(&*store).await[0], ["one"; 3], "the same handle connects again");
    assert!(store.find_token(&text).await.unwrap().is_some());
    connect(&*store, "one", &key("one"), "two").await;
    assert!(store.generation(&key("one")).await.unwrap() > saved, "no generation is given again after a crash");
}

#[tokio::test]
async fn a_machine_with_a_wrong_clock_takes_no_lease_early() {
    let Some(home) = Home::postgres() else { return };
    let store = home.open().await;
    let now = Timestamp::now();
    let lease = |holder: &str, from: Timestamp| Lease {
        holder: holder.to_owned(),
        until: from + SignedDuration::from_secs(90),
    };
    assert!(store.acquire_lease(&key("a"), &lease("one", now), now).await.unwrap());
    for hours in [-24, 24] {
        let wrong = now + SignedDuration::from_hours(hours);
        assert!(!store.acquire_lease(&key("a"), &lease("other", wrong), wrong).await.unwrap(), "{hours} hours off");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_machines_that_connect_a_team_at_once_the_last_one_wins() {
    let Some(home) = Home::postgres() else { return };
    let mut machines = tokio::task::JoinSet::new();
    for number in 0..8 {
        let store = home.open().await;
        machines.spawn(async move {
            let id = format!("c{number}");
            store.connecting("sales", Some(client(&id))).save(&key(&id), None, &grant(&id)).await.unwrap();
        });
    }
    machines.join_all().await;
    let store = home.open().await;
    assert_eq!(store.connections().await.unwrap().len(), 1);
    let connection = store.connection("sales", "acme-leads").await.unwrap().unwrap().connection;
    assert_eq!(token(&store.load(&key(connection.as_str())).await.unwrap().unwrap().state), connection.as_str());
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named_without_its_password() {
    let url = "postgres://user:canary@127.0.0.1:1/crm?sslmode=disable";
    let error = PostgresStore::open(url, a_key(), None).await.unwrap_err();
    assert_eq!(error.code(), "store-postgres");
    assert!(!format!("{error:?} {}", full_message(&error)).contains("canary"), "{error:?}");
}

#[tokio::test]
async fn only_a_server_whose_certificate_verifies_gets_a_password() {
    let Some((cluster, port, certificate)) = Cluster::start_with_tls() else { return };
    let socket = cluster.database("store");
    let database = socket.trim_start_matches("postgres:///").split('?').next().unwrap();
    let url = |host: &str, query: &str| format!("postgres://postgres:canary@{host}:{port}/{database}?{query}");
    let trusted = format!("sslrootcert={}", certificate.display());
    for mode in ["sslmode=require", "sslmode=verify-full", "sslmode=prefer"] {
        let url = url("localhost", &format!("{mode}&{trusted}"));
        PostgresStore::open(&url, a_key(), None).await.unwrap();
    }
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'crm-store' AND ssl";
    let store = PostgresStore::open(&url("localhost", &trusted), a_key(), None).await.unwrap();
    let count: i64 = postgres_database(&socket).await.query_one(encrypted, &[]).await.unwrap().get(0);
    assert!(count >= 1, "the connection is encrypted by default");
    drop(store);
    let refused = [
        ("localhost", "sslmode=require".to_owned()),
        ("localhost", "sslmode=prefer".to_owned()),
        ("127.0.0.1", format!("sslmode=require&{trusted}")),
    ];
    for (host, query) in refused {
        let error = PostgresStore::open(&url(host, &query), a_key(), None).await.unwrap_err();
        assert_eq!(error.code(), "store-postgres", "{host} {query}");
        let message = full_message(&error);
        assert!(message.contains("certificate") && !message.contains("canary"), "{message}");
    }
    PostgresStore::open(&url("localhost", "sslmode=disable"), a_key(), None).await.unwrap();
}
