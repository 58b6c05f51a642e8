//! Measures the time of a booking and of a list of fields, for variants of the Salesforce plugin side by side.
//!
//! ```sh
//! cargo run -- build --out base.wasm
//! # change the plugin
//! cargo run -- build --out variant.wasm
//! cargo run --release -p acceptance --example booking_time -- base.wasm variant.wasm
//! ```
//!
//! For each file it prints the minimum, the median and the 95th percentile, in microseconds, of
//!
//! - a booking with 12 answers and 18 rows that becomes a Lead: the booking that the budget of instructions is defined for, resolved;
//! - a list of 842 fields.
//!
//! A time is that of the whole call in the host library, as a platform makes it: a fresh instance in pooled memory, limits,
//! the check of each request, and its response. Instructions are not counted. A local org responds to the first request of
//! each kind; then it stops, and the recorded response is repeated, so that neither sockets nor the org are measured. The
//! components take turns, so that a busy machine slows all of them alike. Compare minimums: they are the least disturbed.
//!
//! No time is too long for this program: it fails only if a component does not do its job.

#![expect(clippy::disallowed_methods, reason = "plugins run in pooled memory, as for people")]

use acceptance::samples::{self, first_try};
use acceptance::scripted::Replay;
use acceptance::system::{self, CREDENTIAL, NOW, PLUGIN, unexpected};
use anyhow::{Context as _, Result, ensure};
use crm_host::credentials::{Builds, ConnectionId};
use crm_host::policy::Permissions;
use crm_host::types::Outcome;
use crm_host::{Host, Inspection, Plugin};
use salesforce_local_org::{Options, OrgFile, RunningOrg};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Calls of one component before the next one takes its turn: enough to have its code in the processor's caches again.
const CALLS_PER_TURN: usize = 20;
const WARM_UP_TURNS: usize = 5;
/// Turns of each component in a round.
const BOOKING_TURNS: usize = 50;
const LIST_TURNS: usize = 3;
/// Each round loads the components again, in another order: a component that happens to be placed badly in memory takes up to
/// five percent longer than the same one placed well.
const ROUNDS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    ensure!(!files.is_empty(), "usage: booking_time A.wasm [B.wasm ...]");
    measure_bookings(&files).await?;
    measure_lists(&files).await
}

async fn measure_bookings(files: &[PathBuf]) -> Result<()> {
    let (system, running) = System::start(files, OrgFile::enterprise()?).await?;
    let listed = system.first.list_lead_fields(&system.connection, None, "en").await?.answer.map_err(unexpected)?;
    let (booking, mapping) = samples::full_booking(&listed)?;
    let (history, resolved) = (first_try(NOW), mapping.resolve(&booking));
    let deliver = async |plugin: &Plugin| {
        let called =
            plugin.on_booking_completed(&system.connection, &resolved.booking, &resolved.mapping, &history).await?;
        let delivery = called.answer.map_err(unexpected)?;
        ensure!(delivery.outcome == Outcome::Created && delivery.findings.is_empty(), "{delivery:?}");
        Ok(())
    };
    deliver(&system.first).await?;
    running.stop().await;
    let times = take_turns(&system, BOOKING_TURNS, deliver).await?;
    print("a booking with 12 answers and 18 rows", files, times);
    Ok(())
}

async fn measure_lists(files: &[PathBuf]) -> Result<()> {
    let org = OrgFile::named("many-fields").context("no org `many-fields`")??;
    let (system, running) = System::start(files, org).await?;
    let list = async |plugin: &Plugin| {
        let called = plugin.list_lead_fields(&system.connection, None, "en").await?;
        let listed = called.answer.map_err(unexpected)?;
        let count = listed.fields.len() + listed.withheld.len();
        ensure!(count == 842, "{count} fields");
        Ok(())
    };
    list(&system.first).await?;
    running.stop().await;
    let times = take_turns(&system, LIST_TURNS, list).await?;
    print("a list of 842 fields", files, times);
    Ok(())
}

/// Times the calls of each component.
async fn take_turns(
    system: &System,
    turns: usize,
    call: impl AsyncFn(&Plugin) -> Result<()>,
) -> Result<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::with_capacity(ROUNDS * turns * CALLS_PER_TURN); system.components.len()];
    for round in 0..ROUNDS {
        let mut order: Vec<_> = system.components.iter().zip(&mut times).collect();
        order.rotate_left(round % system.components.len());
        let mut plugins = Vec::new();
        for (component, times) in order {
            plugins.push((system.host.load(component).await?, times));
        }
        for turn in 0..WARM_UP_TURNS + turns {
            for (plugin, times) in &mut plugins {
                for _ in 0..CALLS_PER_TURN {
                    let start = Instant::now();
                    call(plugin).await?;
                    let time = start.elapsed();
                    if turn >= WARM_UP_TURNS {
                        times.push(time);
                    }
                }
            }
        }
    }
    Ok(times)
}

fn print(what: &str, files: &[PathBuf], times: Vec<Vec<Duration>>) {
    println!("{what}, in µs ({} calls of each component)", times.first().map_or(0, Vec::len));
    println!("{:>10} {:>10} {:>10}", "minimum", "median", "95 %");
    for (file, mut times) in files.iter().zip(times) {
        times.sort_unstable();
        let micros = |percent: usize| {
            let time = times.get(times.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default();
            time.as_secs_f64() * 1e6
        };
        println!("{:>10.1} {:>10.1} {:>10.1}  {}", micros(0), micros(50), micros(95), file.display());
    }
    println!();
}

/// The components, and the host that loads them.
struct System {
    host: Host,
    components: Vec<Vec<u8>>,
    connection: ConnectionId,
    /// The first component, connected. The others use its connection.
    first: Plugin,
}

impl System {
    /// Connects to an org. It must run until each request has been sent once.
    async fn start(files: &[PathBuf], org: OrgFile) -> Result<(Self, RunningOrg)> {
        let components = files
            .iter()
            .map(|file| std::fs::read(file).with_context(|| file.display().to_string()))
            .collect::<Result<Vec<_>>>()?;
        let first = components.first().context("a component")?;
        let running = salesforce_local_org::serve(org, Options::default()).await?;
        let policy = system::policy(running.org())?;
        let permissions = Permissions::new(&Inspection::read(first)?.manifest()?, &policy)?;
        let app = running.app();
        let host = Host::builder()
            .transport(Arc::new(Replay::new(&permissions)))
            .policy(PLUGIN.parse()?, policy)
            .plugin(PLUGIN.parse()?, Builds::Any)
            .registration(PLUGIN.parse()?, CREDENTIAL.parse()?, system::registration(&app)?)
            .build()?;
        ensure!(host.is_pooled(), "this machine has too little address space for pooled memory");
        let first = host.load(first).await?;
        let connection = ConnectionId::new("team-1");
        system::connect(first.broker(), &connection, running.org()).await?;
        Ok((Self { host, components, connection, first }, running))
    }
}
