//! Prints how fast a ledger in PostgreSQL is, beside a number of older entries:
//! `cargo run --release -p crm-delivery-postgres --example measure -- 1000000`.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a tool for developers")]

use std::{
    env,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crm_contract::{Delivery, Outcome, RecordRef};
use crm_delivery::{Arrival, Ended, Filter, Ledger as _, MappingKey, Tried};
use crm_delivery_postgres::{Options, PostgresLedger, tokio_postgres};
use crm_seal::Key;
use test_postgres::Cluster;
use tokio::task::JoinSet;

const TEAMS: usize = 200;
const BOOKINGS: usize = 20_000;

#[tokio::main]
async fn main() {
    let older: i64 = env::args().nth(1).map_or(0, |number| number.parse().unwrap());
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.database("ledger");
    let ledger = PostgresLedger::open(&url, Options::new(vec![Key::random().unwrap()])).await.unwrap();
    for team in 0..TEAMS {
        let key = MappingKey {
            team: format!("team-{team}"),
            calendar: "calendar-1".to_owned(),
            integration: "plugin-1".parse().unwrap(),
        };
        ledger.put_mapping(&key, None, "{}", &[], "measure").await.unwrap();
    }
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let began = Instant::now();
    client.batch_execute(&OLDER.replace("$1", &older.to_string())).await.unwrap();
    println!("{older} older entries in {:.1} s", began.elapsed().as_secs_f64());

    for (name, teams, callers) in
        [("200 teams, 256 callers", TEAMS, 256), ("one team, 256 callers", 1, 256), ("one team, one caller", 1, 1)]
    {
        let bookings = if callers == 1 { 500 } else { BOOKINGS };
        accept(&ledger, name, teams, callers, bookings).await;
    }
    deliver(&ledger).await;
    let accepting = accept(&ledger, "200 teams, 256 callers, while others deliver", TEAMS, 256, BOOKINGS);
    tokio::join!(accepting, deliver(&ledger));
    let of_team = Filter { team: Some("team-1".to_owned()), ..Filter::default() };
    for _ in 0..5 {
        let began = Instant::now();
        let listed = ledger.list(&of_team, None, 50).await.unwrap().len();
        println!("list of {listed}: {:.2} ms", began.elapsed().as_secs_f64() * 1e3);
    }
    let began = Instant::now();
    let mut forgotten = 0;
    loop {
        let some = ledger.forget(u64::MAX, 1_000).await.unwrap();
        forgotten += some;
        if some == 0 || forgotten >= 100_000 {
            break;
        }
    }
    println!("forget: {:.0}/s", forgotten as f64 / began.elapsed().as_secs_f64());
}

async fn accept(ledger: &PostgresLedger, name: &str, teams: usize, callers: usize, bookings: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for _ in 0..callers {
        let (ledger, next, name) = (ledger.clone(), next.clone(), name.to_owned());
        tasks.spawn(async move {
            let mut took = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= bookings {
                    return took;
                }
                let began = Instant::now();
                ledger.accept(arrival(&name, number % teams, number)).await.unwrap();
                took.push(began.elapsed());
            }
        });
    }
    let mut took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    took.sort();
    let at = |share: usize| took.get(took.len() * share / 100).unwrap().as_secs_f64() * 1e3;
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    println!("accept, {name}: {rate:.0}/s, {:.1} ms median, {:.1} ms for 99 %", at(50), at(99));
}

fn arrival(name: &str, team: usize, number: usize) -> Arrival {
    Arrival {
        team: format!("team-{team}"),
        calendar: "calendar-1".to_owned(),
        booking: format!("{name} {number}"),
        previous: None,
        change: "c".to_owned(),
        changed_at: None,
        kind: crm_booking::Kind::Confirmed,
        digest: [0; 32],
        meeting: (1 << 41, (1 << 41) + 3_600_000),
        guest: Some(format!("{name} {number}@example.com")),
        payload: vec![b'x'; 2_000],
        default_integration: "plugin-1".parse().unwrap(),
    }
}

async fn deliver(ledger: &PostgresLedger) {
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..12 {
        let (ledger, done) = (ledger.clone(), done.clone());
        tasks.spawn(async move {
            while done.load(Ordering::Relaxed) < BOOKINGS {
                let claimed = ledger.claim(16).await.unwrap();
                for claimed in claimed {
                    let record = RecordRef { object: "Lead".to_owned(), id: claimed.id.to_string(), url: None };
                    let ended = Ended::Delivered(Delivery {
                        records: vec![record],
                        outcome: Outcome::Created,
                        findings: Vec::new(),
                        more: Vec::new(),
                    });
                    let (id, fence, mapping) = (claimed.id, claimed.fence, claimed.mapping.version);
                    let tried = Tried { id, fence, mapping, ended, requests: 1, detail: vec![b'x'; 500], random: 0.5 };
                    ledger.finish(tried).await.unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    tasks.join_all().await;
    println!("claimed and finished: {:.0}/s", done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64());
}

/// Delivered entries, spread over a year and all teams.
const OLDER: &str = r#"
    INSERT INTO crm_ledger.entry (id, queue, team, calendar, integration, booking, change, chain, kind, changed_at, digest, accepted,
                                  meeting_start, lane, guest, state, code, final_at, progress)
    SELECT nextval('crm_ledger.entry_id'), queue.id, queue.team, 'calendar-1', 'plugin-1', 'old ' || number, 'c', 'old ' || number,
           'confirmed', accepted, sha256(number::text::bytea), accepted, accepted, decode(md5(number::text), 'hex'),
           decode(md5(number::text), 'hex'), 'delivered', NULL, accepted,
           '{"state":"delivered","accepted":' || accepted || ',"meeting_end":' || accepted || ',"due":' || accepted ||
           ',"fence":1,"first_try":' || accepted || ',"records":[{"object":"Lead","id":"00Q5g00000' || number || '"}]}'
    FROM (SELECT number, (1790000000000 + number * 31536000000 / greatest($1, 1))::bigint AS accepted
          FROM generate_series(1::bigint, $1) AS number) AS older
    JOIN crm_ledger.queue ON queue.team = 'team-' || number % 200;
    INSERT INTO crm_ledger.content (entry, payload) SELECT id, decode(repeat('00', 600), 'hex') FROM crm_ledger.entry;
    ANALYZE;
"#;
