//! `cargo run --release -p acceptance --bin chaos -- --store sqlite --bookings 20000 --kills 100 --seed 7` feeds bookings, kills
//! processes, stops others for longer than their claims last (`--stops`), and counts Leads. `--without-field` maps no field for booking ids.

use std::process::ExitCode;

use acceptance::chaos::{Plan, StoreKind, run};

fn main() -> ExitCode {
    let mut plan =
        Plan { store: StoreKind::Sqlite, bookings: 1_000, kills: 20, stops: 0, seed: rand::random(), with_field: true };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        match argument.as_str() {
            "--bookings" => plan.bookings = count(number()),
            "--kills" => plan.kills = count(number()),
            "--stops" => plan.stops = count(number()),
            "--seed" => plan.seed = number(),
            "--without-field" => plan.with_field = false,
            "--store" => match arguments.next().as_deref() {
                Some("sqlite") => plan.store = StoreKind::Sqlite,
                Some("postgres") => plan.store = StoreKind::Postgres,
                _ => return usage(),
            },
            _ => return usage(),
        }
    }
    println!("{plan:?}");
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let begun = std::time::Instant::now();
    match runtime.block_on(run(plan)) {
        Ok(Some(outcome)) => {
            println!("{outcome:?} seed {} in {} s", plan.seed, begun.elapsed().as_secs());
            if outcome.lost + outcome.doubled == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?} (seed {})", plan.seed);
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("chaos [--store sqlite|postgres] [--bookings N] [--kills K] [--stops S] [--seed S] [--without-field]");
    ExitCode::from(2)
}
