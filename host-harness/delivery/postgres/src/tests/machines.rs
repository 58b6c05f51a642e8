//! Several processes at one ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use crm_booking::Kind;
use proptest::{
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};
use tokio::task::JoinSet;

use super::*;

const TEAMS: usize = 20;
const BOOKINGS: usize = 100;

/// Which of the ten guests of a team a booking is of.
fn lane(booking: &str) -> usize {
    booking.trim_start_matches("b-").parse::<usize>().unwrap() % 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_deliver_each_booking_once_in_the_order_of_its_lane_and_never_too_many_of_a_team() {
    let Some(url) = database() else { return };
    let ledgers = [(); 4].map(|()| open(&url));
    let mut machines = Vec::new();
    for ledger in ledgers {
        machines.push(ledger.await);
    }
    for team in 0..TEAMS {
        map(&machines[0], &format!("team-{team}")).await;
    }
    let mut accepting = JoinSet::new();
    for number in 0..TEAMS * BOOKINGS {
        let ledger = machines[number % machines.len()].clone();
        accepting.spawn(async move {
            let (team, booking) = (format!("team-{}", number % TEAMS), format!("b-{}", number / TEAMS));
            let guest = Some(format!("guest-{}", lane(&booking)));
            ledger.accept(Arrival { guest, ..arrival(&team, &booking, "c") }).await.unwrap()
        });
    }
    let lanes = Arc::new(Mutex::new(BTreeMap::<(String, usize), EntryId>::new()));
    let delivered = Arc::new(Mutex::new(BTreeSet::new()));
    let under_way = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
    let mut working = JoinSet::new();
    for worker in 0..8 {
        let ledger = machines[worker % machines.len()].clone();
        let (delivered, under_way, lanes) = (delivered.clone(), under_way.clone(), lanes.clone());
        let admin = connect(&url).await;
        working.spawn(async move {
            while delivered.lock().unwrap().len() < TEAMS * BOOKINGS {
                for claimed in ledger.claim(7).await.unwrap() {
                    let team = claimed.mapping_key.team.clone();
                    *under_way.lock().unwrap().entry(team.clone()).or_default() += 1;
                    assert!(under_way.lock().unwrap()[&team] <= ledger.settings().in_flight);
                    assert!(delivered.lock().unwrap().insert(claimed.id), "{claimed:?} was claimed twice");
                    assert_eq!(claimed.fence, 1);
                    let lane = (team.clone(), lane(&claimed.booking));
                    let earlier = lanes.lock().unwrap().insert(lane, claimed.id);
                    assert!(earlier < Some(claimed.id), "{claimed:?} passed {earlier:?}");
                    // Another worker may have its place from now on.
                    *under_way.lock().unwrap().get_mut(&team).unwrap() -= 1;
                    ledger.finish(tried(&claimed, created(&claimed.booking))).await.unwrap();
                }
                let most = "SELECT coalesce(max(count), 0) FROM (SELECT count(*) FROM crm_ledger.ready WHERE until IS NOT NULL GROUP BY queue)
                     AS by_queue";
                let most: i64 = admin.query_one(most, &[]).await.unwrap().get(0);
                assert!(most <= i64::from(ledger.settings().in_flight), "{most} under way");
                tokio::task::yield_now().await;
            }
        });
    }
    let accepted = accepting.join_all().await;
    assert!(accepted.iter().all(|acceptance| matches!(acceptance, Acceptance::Accepted(_))));
    working.join_all().await;
    let totals = machines[3].totals().await.unwrap();
    let delivered = u64::try_from(TEAMS * BOOKINGS).unwrap();
    assert_eq!(totals.states.get(&crm_delivery::State::Delivered), Some(&delivered));
    assert_eq!(totals.states.values().sum::<u64>(), delivered, "{totals:?}");
    for queue in machines[0].queues().await.unwrap() {
        assert_eq!((queue.open, queue.queue.in_flight), (0, 0), "{queue:?}");
    }
}

/// What a ledger keeps, by names that do not depend on ids and lanes.
async fn kept(ledger: &PostgresLedger) -> Vec<String> {
    let client = ledger.inner.pool.get().await.unwrap();
    let mut kept = Vec::new();
    for select in [
        "SELECT (team, booking, integration, change, chain, state, code, rank() OVER (ORDER BY id), progress, ready.turn, ready.head,
                 dense_rank() OVER (ORDER BY (SELECT min(first.id) FROM crm_ledger.entry AS first WHERE first.lane = entry.lane)))::text
         FROM crm_ledger.entry LEFT JOIN crm_ledger.ready ON ready.entry = entry.id ORDER BY id",
        "SELECT (team, integration, state, code, count)::text FROM crm_ledger.cause_count WHERE count > 0 ORDER BY 1",
        "SELECT (team, plugin, virtual_time, open, in_flight, due_fresh)::text FROM crm_ledger.queue ORDER BY 1",
    ] {
        kept.extend(client.query(select, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)));
    }
    kept
}

fn shown(arrivals: &[Arrival]) -> String {
    let line = |arrival: &Arrival| {
        let Arrival { team, booking, previous, change, kind, changed_at, guest, digest, .. } = arrival;
        format!("{team} {booking} from {previous:?}, {change}, {kind:?} at {changed_at:?}, {guest:?}, {}", digest[0])
    };
    arrivals.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Few bookings of few guests, so that changes meet.
fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let parts = (0..2_u8, 0..5_u8, proptest::option::of(0..5_u8), 0..3_u8, 0..3_usize, 0..2_u8, 0..4_u64);
    let each = parts.prop_map(|(team, booking, previous, change, kind, digest, changed_at)| Arrival {
        previous: previous.map(|previous| format!("b-{previous}")),
        kind: [Kind::Confirmed, Kind::Rescheduled, Kind::Cancelled][kind],
        // One change in eight has another content.
        digest: [u8::from(digest == 1 && changed_at == 3); 32],
        changed_at: (changed_at > 0).then_some(changed_at),
        guest: (booking > 0).then(|| format!("guest-{}@example.com", booking % 2)),
        ..arrival(&format!("team-{team}"), &format!("b-{booking}"), &format!("c-{change}"))
    });
    proptest::collection::vec(each, 1..40)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arrivals_that_are_accepted_together_are_kept_as_those_one_after_the_other() {
    let Some(url) = database() else { return };
    let time = Arc::new(AtomicU64::new(1_800_000_000_000));
    let open = async |url: &str| {
        let ledger = PostgresLedger::open(url, Options::new(vec![key()]).with_test_time(time.clone())).await.unwrap();
        map(&ledger, "team-1").await;
        ledger
    };
    let (apart, together) = (open(&url).await, open(&database().unwrap()).await);
    let mut runner = TestRunner::deterministic();
    for _ in 0..60 {
        for ledger in [&apart, &together] {
            let tables = "TRUNCATE crm_ledger.queue, crm_ledger.entry, crm_ledger.content, crm_ledger.ready, crm_ledger.cause_count";
            ledger.inner.pool.get().await.unwrap().batch_execute(tables).await.unwrap();
        }
        let arrivals = arrivals().new_tree(&mut runner).unwrap().current();
        let mut one_by_one = Vec::new();
        for arrival in &arrivals {
            one_by_one.push(apart.accept(arrival.clone()).await.unwrap());
        }
        let inner = &together.inner;
        let prepared: Vec<_> =
            arrivals.iter().map(|arrival| Prepared::new(arrival.clone(), &inner.keys).unwrap()).collect();
        let accepted =
            transaction!(&inner.pool, |session| intake::accept(session, &inner.keys, inner.time(), &prepared));
        let state = |acceptance: &Acceptance| match acceptance {
            Acceptance::Accepted(placed) => format!("accepted {:?}", placed[0].state),
            Acceptance::Known(placed) => format!("known {:?}", placed[0].state),
            Acceptance::Differs(payload) => format!("differs {payload:?}"),
        };
        let of = |acceptances: &[Acceptance]| acceptances.iter().map(state).collect::<Vec<_>>();
        assert_eq!(of(&accepted.unwrap()), of(&one_by_one), "{}", shown(&arrivals));
        assert_eq!(kept(&together).await, kept(&apart).await, "{}", shown(&arrivals));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_of_the_platform_that_hangs_holds_up_its_own_team_only() {
    let Some(url) = database() else { return };
    let ledger = open(&url).await;
    let mut client = connect(&url).await;
    let hanging = client.transaction().await.unwrap();
    ledger.accept_in(&hanging, arrival("team-1", "b-1", "c")).await.unwrap();
    let accepts = (0..12).map(|number| {
        let team = format!("team-{}", number % 3);
        ledger.accept(arrival(&team, &format!("b-{number}"), "c"))
    });
    let accepted = futures_util::future::join_all(accepts).await;
    for (number, accepted) in accepted.into_iter().enumerate() {
        match accepted {
            Ok(_) => assert_ne!(number % 3, 1),
            Err(error) => assert_eq!((number % 3, error.code()), (1, "ledger-busy")),
        }
    }
    hanging.commit().await.unwrap();
    let again = ledger.accept(arrival("team-1", "b-1", "c")).await.unwrap();
    assert!(matches!(again, Acceptance::Known(_)), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_waits_for_a_queue_that_is_locked_when_no_other_has_something_due() {
    let Some(url) = database() else { return };
    let ledger = open(&url).await;
    map(&ledger, "team-1").await;
    ledger.accept(arrival("team-1", "b-1", "c")).await.unwrap();
    let client = connect(&url).await;
    client.batch_execute("BEGIN; SELECT FROM crm_ledger.queue FOR UPDATE").await.unwrap();
    let claiming = tokio::spawn(async move { ledger.claim(1).await.unwrap() });
    let observer = connect(&url).await;
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
         OR NOT granted AND locktype = 'transactionid'";
    while observer.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(!claiming.is_finished(), "it waits");
    }
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(claiming.await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_arrival_that_cannot_be_stored_takes_no_others_along() {
    let Some(url) = database() else { return };
    let ledger = open(&url).await;
    // Whatever the first one waits for, the others gather behind it.
    let accepts = (0..9).map(|number| {
        let booking = if number == 4 { "NUL \0".to_owned() } else { format!("b-{number}") };
        ledger.accept(arrival("team-1", &booking, "c"))
    });
    let accepted = futures_util::future::join_all(accepts).await;
    for (number, accepted) in accepted.into_iter().enumerate() {
        assert_eq!(accepted.is_ok(), number != 4, "{accepted:?}");
    }
}

#[tokio::test]
async fn a_booking_accepted_in_a_transaction_of_the_platform_shares_its_fate() {
    let Some(url) = database() else { return };
    let ledger = open(&url).await;
    map(&ledger, "team-1").await;
    let mut client = connect(&url).await;
    client.batch_execute("CREATE TABLE booking (id text)").await.unwrap();
    let rows = "SELECT (SELECT count(*) FROM booking), (SELECT count(*) FROM crm_ledger.entry),
         (SELECT count(*) FROM crm_ledger.content), (SELECT count(*) FROM crm_ledger.ready)";
    for is_committed in [false, true] {
        let transaction = client.transaction().await.unwrap();
        transaction.execute("INSERT INTO booking VALUES ('b-1')", &[]).await.unwrap();
        let accepted = ledger.accept_in(&transaction, arrival("team-1", "b-1", "c")).await.unwrap();
        assert!(matches!(accepted, Acceptance::Accepted(_)), "{accepted:?}");
        if is_committed {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        let row = client.query_one(rows, &[]).await.unwrap();
        let counts: [i64; 4] = std::array::from_fn(|index| row.get(index));
        assert_eq!(counts, [i64::from(is_committed); 4]);
    }
    let again = ledger.accept(arrival("team-1", "b-1", "c")).await.unwrap();
    assert!(matches!(again, Acceptance::Known(_)));
    assert_eq!(ledger.claim(1).await.unwrap().len(), 1);
    let strict = client.build_transaction().isolation_level(tokio_postgres::IsolationLevel::Serializable);
    let strict = strict.start().await.unwrap();
    let refused = ledger.accept_in(&strict, arrival("team-1", "b-2", "c")).await.unwrap_err();
    let LedgerError::Database(why) = refused else { panic!("{refused:?}") };
    assert!(why.to_string().contains("`serializable`"), "{why}");
}
