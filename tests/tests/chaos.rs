//! No booking is lost, and none becomes two Leads, whoever is killed when. Longer runs: `cargo run --release -p acceptance --bin chaos`.

use acceptance::chaos::{Outcome, Plan, StoreKind, run};
use anyhow::Result;

async fn play(store: StoreKind) -> Result<()> {
    let (bookings, kills) = (200, 6);
    let plan = Plan { store, bookings, kills, stops: 1, seed: 7, with_field: true };
    let Some(outcome) = run(plan).await? else { return Ok(()) };
    println!("{store:?}: {outcome:?} (seed {})", plan.seed);
    let Outcome { accepted, delivered, lost, doubled, .. } = outcome;
    assert_eq!((accepted, delivered, lost, doubled), (bookings, bookings, 0, 0), "{outcome:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_stopped_processes_lose_and_double_nothing_in_sqlite() -> Result<()> {
    play(StoreKind::Sqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_stopped_processes_and_servers_lose_and_double_nothing_in_postgres() -> Result<()> {
    play(StoreKind::Postgres).await
}
