//! The promises of every ledger, and those of many processes and of a server that fails.

mod crashes;
mod machines;
mod plans;

use crm_contract::{Delivery, Outcome, RecordRef};
use crm_delivery::{Ended, conformance::Bed};
use test_postgres::Cluster;
use tokio_postgres::{Client, NoTls};

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

/// An empty database, unless PostgreSQL is missing.
fn database() -> Option<String> {
    Some(Cluster::shared()?.database("ledger"))
}

async fn bed() -> Option<PostgresBed> {
    let url = database()?;
    let time = Arc::new(AtomicU64::new(1_800_000_000_000));
    let options = Options { connections: 8, ..Options::new(vec![key()]).with_test_time(time.clone()) };
    Some(PostgresBed { ledger: PostgresLedger::open(&url, options).await.unwrap(), time })
}

crm_delivery::conformance_tests!(bed());

/// A process of its own, by the database's clock.
async fn open(url: &str) -> PostgresLedger {
    PostgresLedger::open(url, Options { connections: 8, ..Options::new(vec![key()]) }).await.unwrap()
}

/// Another program at the database.
async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    client
}

async fn map(ledger: &PostgresLedger, team: &str) {
    let integration = "plugin-1".parse().unwrap();
    let key = MappingKey { team: team.to_owned(), calendar: "calendar-1".to_owned(), integration };
    ledger.put_mapping(&key, None, "{}", &[], "a test").await.unwrap();
}

fn arrival(team: &str, booking: &str, change: &str) -> Arrival {
    Arrival {
        team: team.to_owned(),
        calendar: "calendar-1".to_owned(),
        booking: booking.to_owned(),
        previous: None,
        change: change.to_owned(),
        changed_at: None,
        kind: crm_booking::Kind::Confirmed,
        digest: [0; 32],
        meeting: (1 << 41, (1 << 41) + 3_600_000),
        guest: Some(format!("{booking}@example.com")),
        payload: format!("payload of {booking}").into_bytes(),
        default_integration: "plugin-1".parse().unwrap(),
    }
}

fn created(id: &str) -> Ended {
    let record = RecordRef { object: "Lead".to_owned(), id: id.to_owned(), url: None };
    Ended::Delivered(Delivery {
        records: vec![record],
        outcome: Outcome::Created,
        findings: Vec::new(),
        more: Vec::new(),
    })
}

fn tried(claimed: &Claimed, ended: Ended) -> Tried {
    let mapping = claimed.mapping.version;
    Tried { id: claimed.id, fence: claimed.fence, mapping, ended, requests: 1, detail: b"detail".to_vec(), random: 0.5 }
}
