//! No booking is lost, and none becomes two Leads, whoever is killed when. The long runs are `--ignored`, or the program `chaos`.

use acceptance::chaos::{Outcome, Plan, StoreKind, run};

async fn play(store: StoreKind, bookings: usize, kills: usize) {
    let plan = Plan { store, bookings, kills, stops: 1, seed: 7, with_field: true };
    let Some(outcome) = run(plan).await.unwrap() else { return };
    println!("{store:?}: {outcome:?} (seed {})", plan.seed);
    let Outcome { accepted, delivered, lost, doubled, .. } = outcome;
    assert_eq!((accepted, delivered, lost, doubled), (bookings, bookings, 0, 0), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_stopped_processes_lose_and_double_nothing_in_sqlite() {
    play(StoreKind::Sqlite, 200, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_stopped_processes_and_servers_lose_and_double_nothing_in_postgres() {
    play(StoreKind::Postgres, 200, 8).await;
}
