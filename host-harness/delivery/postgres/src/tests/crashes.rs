//! Connections and servers that end.

use std::{collections::BTreeSet, sync::Mutex, task::Poll};

use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::*;

/// Everything that the ledger keeps.
async fn everything(client: &Client) -> Vec<String> {
    let mut all = Vec::new();
    for table in ["queue", "entry", "content", "ready", "attempt", "cause_count", "mapping", "task", "ledger"] {
        let select = format!("SELECT row::text FROM crm_ledger.{table} AS row ORDER BY 1");
        let rows = client.query(&select, &[]).await.unwrap();
        all.extend(rows.iter().map(|row| format!("{table} {}", row.get::<_, String>(0))));
    }
    all
}

/// Ends the connection that changes a table, before or at its commit.
async fn kill_at(client: &Client, (table, event, moment): (&str, &str, &str)) {
    let trigger = match moment {
        "statement" => {
            format!("CREATE TRIGGER killing AFTER {event} ON crm_ledger.{table} EXECUTE FUNCTION pg_temp_killing()")
        }
        _ => format!(
            "CREATE CONSTRAINT TRIGGER killing AFTER {event} ON crm_ledger.{table} DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION pg_temp_killing()"
        ),
    };
    client.batch_execute(&trigger).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_killed_at_any_stage_leaves_the_old_state_and_the_next_try_the_new_one() {
    let Some(url) = database() else { return };
    let ledger = open(&url).await;
    let client = connect(&url).await;
    let function = "CREATE FUNCTION pg_temp_killing() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$";
    client.batch_execute(function).await.unwrap();
    map(&ledger, "team-1").await;
    let accept: &[_] = &[
        ("entry", "INSERT", "statement"),
        ("content", "INSERT", "statement"),
        ("cause_count", "INSERT", "statement"),
        ("ready", "INSERT", "statement"),
        ("ready", "UPDATE", "statement"),
        ("queue", "UPDATE", "statement"),
        ("entry", "INSERT", "commit"),
    ];
    let claim: &[_] = &[
        ("entry", "UPDATE", "statement"),
        ("cause_count", "UPDATE", "statement"),
        ("ready", "UPDATE", "statement"),
        ("queue", "UPDATE", "statement"),
        ("attempt", "INSERT", "statement"),
        ("attempt", "INSERT", "commit"),
    ];
    let finish: &[_] = &[
        ("entry", "UPDATE", "statement"),
        ("cause_count", "UPDATE", "statement"),
        ("ready", "DELETE", "statement"),
        ("queue", "UPDATE", "statement"),
        ("attempt", "UPDATE", "statement"),
        ("content", "UPDATE", "statement"),
        ("content", "UPDATE", "commit"),
    ];
    let mut claimed = None;
    for (step, stages) in [("accept", accept), ("claim", claim), ("finish", finish)] {
        let mut work = async || match step {
            "accept" => ledger.accept(arrival("team-1", "b-1", "c")).await.map(drop),
            "claim" => ledger.claim(1).await.map(|found| claimed = found.into_iter().next()),
            _ => ledger.finish(tried(claimed.as_ref().unwrap(), created("1"))).await,
        };
        let before = everything(&client).await;
        for stage in stages {
            kill_at(&client, *stage).await;
            let error = work().await.expect_err(&format!("{step} {stage:?}"));
            assert_eq!(error.code(), "ledger-database");
            client.batch_execute(&format!("DROP TRIGGER killing ON crm_ledger.{}", stage.0)).await.unwrap();
            assert_eq!(everything(&client).await, before, "{step} {stage:?}");
        }
        work().await.unwrap();
        assert_ne!(everything(&client).await, before);
    }
    let totals = ledger.totals().await.unwrap();
    assert_eq!(totals.states.get(&crm_delivery::State::Delivered), Some(&1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_when_the_server_died_is_there_and_a_repeat_is_known() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.database("ledger");
    let ledger = open(&url).await;
    for team in 0..4 {
        map(&ledger, &format!("team-{team}")).await;
    }
    let accepted = Arc::new(Mutex::new(BTreeSet::new()));
    let mut senders = JoinSet::new();
    for sender in 0..32 {
        let (ledger, accepted) = (ledger.clone(), accepted.clone());
        senders.spawn(async move {
            for number in 0.. {
                let (team, booking) = (format!("team-{}", sender % 4), format!("b-{sender}-{number}"));
                match ledger.accept(arrival(&team, &booking, "c")).await {
                    Ok(Acceptance::Accepted(_)) => accepted.lock().unwrap().insert((team, booking)),
                    Ok(other) => panic!("{other:?}"),
                    Err(_) => return (team, booking),
                };
            }
            unreachable!()
        });
    }
    while accepted.lock().unwrap().len() < 300 {
        tokio::task::yield_now().await;
    }
    tokio::task::block_in_place(|| cluster.kill9());
    let in_doubt = senders.join_all().await;
    tokio::task::block_in_place(|| cluster.restart());
    let accepted = accepted.lock().unwrap().clone();
    for (team, booking) in &accepted {
        let again = ledger.accept(arrival(team, booking, "c")).await.unwrap();
        assert!(matches!(again, Acceptance::Known(_)), "{team} {booking}: {again:?}");
    }
    for (team, booking) in &in_doubt {
        ledger.accept(arrival(team, booking, "c")).await.unwrap();
        let again = ledger.accept(arrival(team, booking, "c")).await.unwrap();
        assert!(matches!(again, Acceptance::Known(_)), "{team} {booking}: {again:?}");
    }
    let client = connect(&url).await;
    let count: i64 = client.query_one("SELECT count(*) FROM crm_ledger.entry", &[]).await.unwrap().get(0);
    assert_eq!(usize::try_from(count).unwrap(), accepted.len() + in_doubt.len(), "and nothing else");
}

#[tokio::test]
async fn a_server_that_confirms_before_it_is_on_disk_is_refused() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.database("ledger");
    open(&url).await;
    let client = connect(&url).await;
    let mut table = vec![("synchronous_commit", "off", true), ("synchronous_commit", "local", false)];
    table.push(("synchronous_commit", "remote_write", false));
    for (setting, value, is_refused) in table {
        client.batch_execute(&format!("ALTER DATABASE ledger_0 SET {setting} = {value}")).await.unwrap();
        let opened = PostgresLedger::open(&url, Options::new(vec![key()])).await;
        assert_eq!(opened.as_ref().err().map(OpenError::code), is_refused.then_some("ledger-not-durable"), "{value}");
    }
    client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'a_standby'").await.unwrap();
    client.batch_execute("ALTER DATABASE ledger_0 SET synchronous_commit = local").await.unwrap();
    cluster.restart();
    let error = PostgresLedger::open(&url, Options::new(vec![key()])).await.unwrap_err();
    assert!(
        error.to_string().contains("`synchronous_commit = local`: with `synchronous_standby_names` set"),
        "{error}"
    );
}

#[tokio::test]
async fn a_newer_schema_and_another_key_are_refused() {
    let Some(url) = database() else { return };
    open(&url).await;
    let other = PostgresLedger::open(&url, Options::new(vec![Key::random().unwrap()])).await.unwrap_err();
    assert_eq!(other.code(), "ledger-wrong-key");
    let client = connect(&url).await;
    client.batch_execute("UPDATE crm_ledger.schema_version SET version = 99").await.unwrap();
    let newer = PostgresLedger::open(&url, Options::new(vec![key()])).await.unwrap_err();
    assert!(matches!(newer, OpenError::NewerSchema { version: 99, known: 1 }), "{newer:?}");
}

#[tokio::test]
async fn the_key_can_be_replaced_and_a_process_with_both_opens_all_along() {
    let Some(url) = database() else { return };
    let ledger = open(&url).await;
    map(&ledger, "team-1").await;
    ledger.accept(arrival("team-1", "b-1", "c")).await.unwrap();
    let next = Key::random().unwrap();
    PostgresLedger::add_key(&url, &[key()], &next).await.unwrap();
    for keys in [vec![key()], vec![next.clone()], vec![next.clone(), key()]] {
        PostgresLedger::open(&url, Options::new(keys)).await.unwrap();
    }
    PostgresLedger::retire_keys(&url, &next).await.unwrap();
    let old = PostgresLedger::open(&url, Options::new(vec![key()])).await.unwrap_err();
    assert_eq!(old.code(), "ledger-wrong-key");
    let ledger = PostgresLedger::open(&url, Options::new(vec![next])).await.unwrap();
    assert_eq!(ledger.claim(1).await.unwrap()[0].payload, b"payload of b-1");
}

#[tokio::test]
async fn many_processes_that_open_a_new_ledger_at_once_have_the_same_keys() {
    let Some(url) = database() else { return };
    let opened = futures_util::future::join_all((0..8).map(|_| open(&url))).await;
    map(&opened[0], "team-1").await;
    opened[1].accept(arrival("team-1", "b-1", "c")).await.unwrap();
    assert_eq!(opened[7].claim(1).await.unwrap()[0].payload, b"payload of b-1");
}

/// Polls a future so many times, and drops it unless it is done by then.
async fn polled<T>(times: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_future_that_is_dropped_does_all_or_nothing_and_leaves_its_connection_usable() {
    let Some(url) = database() else { return };
    let options = Options { connections: 1, ..Options::new(vec![key()]) };
    let ledger = PostgresLedger::open(&url, options).await.unwrap();
    map(&ledger, "team-1").await;
    let client = connect(&url).await;
    let mut number = 0;
    for times in 0.. {
        let booking = format!("b-{number}");
        number += 1;
        ledger.accept(arrival("team-1", &booking, "c")).await.unwrap();
        // What a dropped claim took ends here, or is not there.
        if polled(times, ledger.claim(1)).await.is_some_and(|claimed| claimed.unwrap().len() == 1) {
            break;
        }
        // Waits until the server has ended the transaction.
        client.batch_execute("SELECT FROM crm_ledger.queue FOR UPDATE").await.unwrap();
        let counts = "SELECT (SELECT count(*) FROM crm_ledger.attempt), (SELECT count(*) FROM crm_ledger.ready WHERE until IS NOT NULL),
             (SELECT sum(in_flight) FROM crm_ledger.queue)";
        let row = client.query_one(counts, &[]).await.unwrap();
        let counts: [i64; 3] = std::array::from_fn(|index| row.get(index));
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?} after {times} polls");
        if counts[0] == 1 {
            // The commit was sent.
            break;
        }
    }
    assert!(number > 4, "it was dropped at several stages");
}

#[tokio::test]
async fn a_booking_that_cannot_be_read_comes_to_a_person_and_keeps_no_other_waiting() {
    let Some(PostgresBed { ledger, time }) = bed().await else { return };
    map(&ledger, "team-1").await;
    let mut ids = Vec::new();
    for booking in ["b-1", "b-2"] {
        let Acceptance::Accepted(placed) = ledger.accept(arrival("team-1", booking, "c")).await.unwrap() else {
            panic!()
        };
        ids.push(placed[0].id);
    }
    let client = ledger.inner.pool.get().await.unwrap();
    let damage = "UPDATE crm_ledger.content SET payload = 'damaged' WHERE entry = $1";
    client.execute(damage, &[&number(ids[0].0)]).await.unwrap();
    let claimed = ledger.claim(10).await.unwrap();
    assert_eq!(claimed.iter().map(|claimed| claimed.id).collect::<Vec<_>>(), [ids[1]]);
    let damaged = async || {
        let of_team = crm_delivery::Filter { booking: Some("b-1".to_owned()), ..crm_delivery::Filter::default() };
        ledger.list(&of_team, None, 1).await.unwrap().remove(0).progress
    };
    assert_eq!(damaged().await.cause.unwrap().code, "ledger-damaged");
    for _ in 1..ledger.settings().stopped_tries {
        time.fetch_add(ledger.settings().longest_wait, Ordering::SeqCst);
        assert!(ledger.claim(10).await.unwrap().is_empty());
    }
    assert_eq!(damaged().await.state, crm_delivery::State::NeedsAttention);
    assert_eq!(ledger.queues().await.unwrap()[0].queue.in_flight, 1, "the other one's");
}
