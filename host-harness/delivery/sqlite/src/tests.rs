//! The promises of every ledger, and those of a file.

use std::sync::atomic::{AtomicU64, Ordering};

use crm_delivery::conformance::Bed;
use tempfile::TempDir;

use super::*;

struct SqliteBed {
    ledger: SqliteLedger,
    time: Arc<AtomicU64>,
    _folder: TempDir,
}

impl Bed for SqliteBed {
    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(self.ledger.clone())
    }

    fn advance(&self, by: Instant) {
        self.time.fetch_add(by, Ordering::SeqCst);
    }
}

fn key() -> Key {
    Key::from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap()
}

fn options(time: &Arc<AtomicU64>) -> Options {
    let time = time.clone();
    Options {
        keys: vec![key()],
        settings: Settings::default(),
        clock: Some(Arc::new(move || time.load(Ordering::SeqCst))),
        failed: Box::new(|error| panic!("{error}")),
    }
}

async fn bed() -> SqliteBed {
    let folder = tempfile::tempdir().unwrap();
    let time = Arc::new(AtomicU64::new(1_800_000_000_000));
    let ledger = SqliteLedger::serve(folder.path(), options(&time)).unwrap();
    SqliteBed { ledger, time, _folder: folder }
}

crm_delivery::conformance_tests!(async { Some(bed().await) });

/// Damages the stored content of an entry, as a bad disk would.
fn damage(bed: &SqliteBed, id: u64) {
    let database = Connection::open(bed.ledger.inner.path.clone()).unwrap();
    database.execute("UPDATE content SET payload = x'00' WHERE entry = ?1", [rows::number(id)]).unwrap();
}

#[tokio::test]
async fn a_booking_that_cannot_be_read_stops_no_other() {
    use crm_delivery::{State, conformance as given};
    let bed = bed().await;
    let ledger = bed.ledger();
    given::map(&*ledger, given::TEAM).await;
    let damaged = given::accept(&*ledger, given::arrival(given::TEAM, "b-1", "c")).await;
    let other = given::accept(&*ledger, given::arrival(given::TEAM, "b-2", "c")).await;
    damage(&bed, damaged.0);
    assert_eq!(given::ids(&given::claim(&*ledger).await), [other]);
    for _ in 0..5 {
        bed.advance(ledger.settings().longest_wait);
        given::claim(&*ledger).await;
    }
    let listed = ledger.list(&crm_delivery::Filter::default(), None, 10).await.unwrap();
    let summary = listed.into_iter().find(|summary| summary.id == damaged).unwrap();
    assert_eq!(summary.progress.state, State::NeedsAttention);
    assert_eq!(summary.progress.cause.unwrap().code, "ledger-damaged");
}

#[tokio::test]
async fn a_second_server_is_refused_and_a_command_is_not() {
    let bed = bed().await;
    let folder = bed.ledger.inner.path.parent().unwrap();
    let refused = SqliteLedger::serve(folder, options(&bed.time)).unwrap_err();
    assert_eq!(refused.code(), "ledger-in-use");
    let command = SqliteLedger::open(folder, options(&bed.time)).unwrap();
    command.put_team(&TeamRow { id: "a".into(), name: "A".into() }).await.unwrap();
    assert_eq!(bed.ledger.teams().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_takes_back_what_a_dead_one_had() {
    use crm_delivery::conformance as given;
    let bed = bed().await;
    let folder = bed.ledger.inner.path.parent().unwrap().to_owned();
    given::map(&bed.ledger, given::TEAM).await;
    given::accept(&bed.ledger, given::arrival(given::TEAM, "b-1", "c")).await;
    let claimed = given::claim(&bed.ledger).await.remove(0);
    let SqliteBed { ledger, time, _folder } = bed;
    drop(ledger);
    // The thread that writes ends after the last handle.
    let again = loop {
        match SqliteLedger::serve(&folder, options(&time)) {
            Ok(again) => break again,
            Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let due = given::summary(&again, claimed.id).await.progress.due;
    time.store(due, Ordering::SeqCst);
    let second = given::claim(&again).await.remove(0);
    assert!(second.history.unknown_tries.is_some(), "nobody knows what the dead one did");
}

#[tokio::test]
async fn the_content_cannot_be_read_without_the_key_and_survives_its_rotation() {
    use crm_delivery::conformance as given;
    let bed = bed().await;
    let folder = bed.ledger.inner.path.parent().unwrap().to_owned();
    let id = given::accept(&bed.ledger, given::arrival(given::TEAM, "b-1", "c")).await;
    let other = Key::random().unwrap();
    let with = |keys: Vec<Key>| SqliteLedger::open(&folder, Options { keys, ..options(&bed.time) });
    assert_eq!(with(vec![other.clone()]).unwrap_err().code(), "ledger-wrong-key");
    SqliteLedger::add_key(&folder, &[key()], &other).unwrap();
    for keys in [vec![key()], vec![other.clone()], vec![other.clone(), key()]] {
        let payload = with(keys).unwrap().show(None, id).await.unwrap().payload;
        assert_eq!(payload.as_deref(), Some(b"payload of b-1 c".as_slice()));
    }
    SqliteLedger::retire_keys(&folder, &other).unwrap();
    assert_eq!(with(vec![key()]).unwrap_err().code(), "ledger-wrong-key");
    for file in ["ledger.sqlite3", "ledger.sqlite3-wal"] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"payload o"), "{file}");
    }
}
