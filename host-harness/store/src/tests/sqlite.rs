//! The suite in SQLite, and promises about files, folders and modes, which only SQLite has.

use std::{os::unix::fs::PermissionsExt, sync::Barrier};

use crm_host::{
    credentials::{Lease, SecretStore as _},
    full_message,
};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::sqlite::{DataFolder, Step};

promises!(Some(Home::sqlite()));

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open_with_key(directory, a_key()).unwrap()
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

#[tokio::test]
async fn an_older_copy_of_a_row_does_not_open() {
    for table in TABLES {
        let home = Home::sqlite();
        let store = home.open().await;
        for name in ["one", "two"] {
            connect(&*store, name, &key(name), "old").await;
        }
        home.execute(&format!("CREATE TABLE old AS SELECT * FROM {table}")).await;
        for name in ["one", "two"] {
            connect(&*store, name, &key(name), name).await;
        }
        home.execute(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM old")).await;
        for store in [&store, &home.open().await] {
            does_not_open(&**store, table, "an older copy").await;
        }
        assert!(store.remove_connection("one", "acme-leads").await.unwrap().is_some());
        for name in ["one", "two"] {
            connect(&*store, name, &key(name), name).await;
        }
        assert_eq!(states(&*store).await, ["one", "two"].map(|name| [name; 3].map(str::to_owned)));
    }
}

#[tokio::test]
async fn a_lease_expires_by_the_clock_of_who_asks() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (open(directory.path()), open(directory.path()));
    let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    let lease = |holder: &str, from: Timestamp| Lease {
        holder: holder.to_owned(),
        until: from + SignedDuration::from_secs(90),
    };
    assert!(one.acquire_lease(&key("a"), &lease("one", now), now).await.unwrap());
    let later = now + SignedDuration::from_secs(90);
    assert!(other.acquire_lease(&key("a"), &lease("other", later), later).await.unwrap(), "it has expired");
    one.release_lease(&key("a"), &lease("one", now)).await.unwrap();
    assert!(!one.acquire_lease(&key("a"), &lease("one", later), later).await.unwrap(), "it is another's by now");
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
    let folder = DataFolder::open_or_create(directory.path()).unwrap();
    let turn = folder.lock().unwrap();
    let Err(error) = folder.lock_within(std::time::Duration::from_millis(100)) else { panic!("locked twice") };
    assert!(error.to_string().contains("end it"), "{error}");
    assert_eq!(OpenError::from(error).code(), "store-locked");
    drop(turn);
    folder.lock().unwrap();
}

#[test]
fn a_key_that_the_platform_keeps_is_in_no_file() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(open(directory.path()).rotate_key_file().unwrap_err().code(), "store-key-given");
    assert!(!directory.path().join("key").exists());
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
        let rotated = store.rotate(
            None,
            |_, _| Ok(()),
            |step| if Some(step) == interrupted { Err(OpenError::KeyGiven) } else { Ok(()) },
        );
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
