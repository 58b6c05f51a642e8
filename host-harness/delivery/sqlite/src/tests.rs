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
