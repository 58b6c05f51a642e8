//! Several processes at one ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use tokio::task::JoinSet;

use super::*;

const TEAMS: usize = 20;
const BOOKINGS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_deliver_each_booking_once_and_a_team_never_has_too_many_under_way() {
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
            ledger.accept(arrival(&team, &booking, "c")).await.unwrap()
        });
    }
    let delivered = Arc::new(Mutex::new(BTreeSet::new()));
    let under_way = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
    let mut working = JoinSet::new();
    for worker in 0..8 {
        let ledger = machines[worker % machines.len()].clone();
        let (delivered, under_way) = (delivered.clone(), under_way.clone());
        let admin = connect(&url).await;
        working.spawn(async move {
            while delivered.lock().unwrap().len() < TEAMS * BOOKINGS {
                for claimed in ledger.claim(7).await.unwrap() {
                    let team = claimed.mapping_key.team.clone();
                    *under_way.lock().unwrap().entry(team.clone()).or_default() += 1;
                    assert!(under_way.lock().unwrap()[&team] <= ledger.settings().in_flight);
                    assert!(delivered.lock().unwrap().insert(claimed.id), "{claimed:?} was claimed twice");
                    assert_eq!(claimed.fence, 1);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookings_that_move_are_accepted_together_as_one_after_the_other() {
    let Some(url) = database() else { return };
    let (one, together) = (open(&url).await, open(&database().unwrap()).await);
    for ledger in [&one, &together] {
        map(ledger, "team-1").await;
    }
    let mut arrivals = Vec::new();
    for number in [3_u64, 1, 2, 0, 5, 4] {
        let previous = (number > 0).then(|| format!("b-{}", number.saturating_sub(1)));
        let kind = crm_booking::Kind::Rescheduled;
        let changed_at = Some(1_000 + number);
        arrivals.push(Arrival { previous, kind, changed_at, ..arrival("team-1", &format!("b-{number}"), "c") });
    }
    for arrival in &arrivals {
        one.accept(arrival.clone()).await.unwrap();
    }
    let prepared: Vec<_> =
        arrivals.iter().map(|arrival| Prepared::new(arrival.clone(), &together.inner.keys).unwrap()).collect();
    let inner = &together.inner;
    let accepted = transaction!(&inner.pool, |session| intake::accept(session, &inner.keys, None, &prepared)).unwrap();
    assert_eq!(accepted.len(), 6);
    let rows = "SELECT booking, chain, state, (SELECT count(DISTINCT lane) = 1 FROM crm_ledger.entry)
         FROM crm_ledger.entry ORDER BY booking";
    let mut found = Vec::new();
    for ledger in [one, together] {
        let client = ledger.inner.pool.get().await.unwrap();
        let rows = client.query(rows, &[]).await.unwrap();
        let row = |row: &tokio_postgres::Row| (row.get(0), row.get(1), row.get(2), row.get(3));
        found.push(rows.iter().map(row).collect::<Vec<(String, String, String, bool)>>());
    }
    assert_eq!(found[0], found[1]);
    assert!(found[1].iter().all(|(_, chain, _, has_lane)| chain == "b-0" && *has_lane), "{:?}", found[1]);
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
        assert!(ledger.claim(1).await.unwrap().is_empty(), "it is not accepted yet");
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
