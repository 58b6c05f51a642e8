//! The promises of every ledger, and those of many processes and of a server that fails.

use crm_delivery::conformance::Bed;
use test_postgres::Cluster;

use super::*;

struct PostgresBed {
    ledger: PostgresLedger,
    time: Arc<AtomicU64>,
}

impl Bed for PostgresBed {
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

async fn bed() -> Option<PostgresBed> {
    let url = Cluster::shared()?.database("ledger");
    let time = Arc::new(AtomicU64::new(1_800_000_000_000));
    let options = Options { connections: 8, ..Options::new(vec![key()]).with_test_time(time.clone()) };
    Some(PostgresBed { ledger: PostgresLedger::open(&url, options).await.unwrap(), time })
}

crm_delivery::conformance_tests!(bed());
