//! Measures how long the bookings of a team take while others make trouble: a team whose org does not answer, and a plugin that
//! is costly to load.
//!
//! ```sh
//! cargo run --release -p acceptance --example neighbours
//! ```
//!
//! A booking is one with 12 answers and 18 rows that becomes a Lead, sent one after another. Its time is that of the whole call
//! in the host library, in pooled memory; the org's response is a recorded one. Alone and disturbed take turns, and a 99th percentile is
//! the median of those of rounds, so that what else runs on the machine for a moment slows neither. This program compiles in a
//! process of its own, as a platform's does.
//!
//! The limits are goals for a machine on which little else runs. No time is too long for this program: it prints what misses one.

#![expect(clippy::disallowed_methods, reason = "plugins run in pooled memory, as for people")]

use acceptance::bombs::{self, Bomb};
use acceptance::command::Children;
use acceptance::samples::{self, first_try};
use acceptance::scripted::Replay;
use acceptance::system::{self, CREDENTIAL, NOW, PLUGIN, unexpected};
use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use crm_booking::Resolved;
use crm_host::credentials::{Builds, ConnectionId};
use crm_host::policy::Permissions;
use crm_host::transport::{Bounds, Transport, TransportError};
use crm_host::types::{History, Outcome};
use crm_host::{Host, Inspection, Plugin, run_as_compiler};
use http::{Request, Response};
use salesforce_local_org::{Options, OrgFile};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const WARM_UP: usize = 500;
const ROUNDS: usize = 10;
const BOOKINGS_PER_ROUND: usize = 1_000;
/// Bookings of the team whose org does not answer.
const WAITING: usize = 100;

/// How much longer the 99th percentile may be while an org is silent, and while a plugin is loaded.
const SILENT_LIMIT: f64 = 1.2;
const LOAD_LIMIT: f64 = 2.0;
const LONGEST_LOAD: Duration = Duration::from_secs(5);
const MOST_MEMORY: u64 = 512 << 20;

fn main() -> Result<ExitCode> {
    if let Some(code) = run_as_compiler() {
        return Ok(code);
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure())?;
    Ok(ExitCode::SUCCESS)
}

async fn measure() -> Result<()> {
    let system = Arc::new(System::start().await?);
    system.book_times(WARM_UP).await?;

    let (mut alone, mut disturbed) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        alone.add(system.book_times(BOOKINGS_PER_ROUND).await?);
        let waiting = system.clone().wait_for_a_silent_org().await;
        disturbed.add(system.book_times(BOOKINGS_PER_ROUND).await?);
        ensure!(waiting.len() == WAITING, "a booking of the silent org ended");
        drop(waiting);
        // Their calls end now, which takes time of its own.
        system.book_times(WARM_UP / 5).await?;
    }
    println!("bookings of a team, in µs {:>31} {:>9} {:>9}", "bookings", "median", "99 %");
    alone.print("alone", None);
    disturbed.print(&format!("{WAITING} bookings of another team wait"), Some((&alone, SILENT_LIMIT)));

    // The test override of the other host does not fit another plugin.
    let loader = Host::builder().plugin("hostile".parse()?, Builds::Any).compiler(std::env::current_exe()?).build()?;
    let loader = Arc::new(loader);
    println!("\nbookings of a team, in µs, while another plugin is loaded");
    for Bomb { name, component } in bombs::accepted()? {
        let mut alone = Times::default();
        for _ in 0..ROUNDS / 2 {
            alone.add(system.book_times(BOOKINGS_PER_ROUND).await?);
        }
        let children = Children::watch();
        // A task of its own, as in a platform: else a booking would wait for what the load does between its waits.
        let loading = tokio::spawn({
            let loader = loader.clone();
            async move {
                let began = Instant::now();
                let loaded = loader.load(&component).await;
                (began.elapsed(), loaded.map_or_else(|error| error.code(), |_| "loaded"))
            }
        });
        let mut times = Times::default();
        while !loading.is_finished() {
            times.add(system.book_times(1).await?);
        }
        let (took, ended) = loading.await?;
        let peak = children.peak();
        times.print(&name, Some((&alone, LOAD_LIMIT)));
        let late = mark(took > LONGEST_LOAD);
        let large = mark(peak > MOST_MEMORY);
        println!("    {ended} after {:.2} s{late}, with {} MiB{large}", took.as_secs_f64(), peak >> 20);
    }
    Ok(())
}

fn mark(is_over: bool) -> &'static str {
    if is_over { " (OVER THE LIMIT)" } else { "" }
}

/// Times of bookings.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn add(&mut self, times: Vec<Duration>) {
        self.0.extend(times);
    }

    /// The median over rounds.
    fn micros(&self, percent: usize) -> f64 {
        let rounds = self.0.chunks(BOOKINGS_PER_ROUND).map(|round| percentile(round, percent)).collect::<Vec<_>>();
        percentile(&rounds, 50).as_secs_f64() * 1e6
    }

    fn print(&self, what: &str, limit: Option<(&Times, f64)>) {
        let (median, high) = (self.micros(50), self.micros(99));
        print!("{what:<45} {:>10} {median:>9.1} {high:>9.1}", self.0.len());
        if let Some((alone, limit)) = limit {
            let factor = high / alone.micros(99);
            print!("  {factor:.2} x {:.1}, at most {limit}{}", alone.micros(99), mark(factor > limit));
        }
        println!();
    }
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
}

/// A team that books, and one whose org is silent.
struct System {
    plugin: Plugin,
    books: ConnectionId,
    waits: ConnectionId,
    resolved: Resolved,
    history: History,
}

impl System {
    async fn start() -> Result<Self> {
        let component = system::component()?;
        let running = salesforce_local_org::serve(OrgFile::enterprise()?, Options::default()).await?;
        let policy = system::policy(running.org())?;
        let permissions = Permissions::new(&Inspection::read(component)?.manifest()?, &policy)?;
        let (books, waits) = (ConnectionId::new("team-b"), ConnectionId::new("team-a"));
        let is_silent = Arc::new(AtomicBool::new(false));
        let org = Org { replay: Replay::new(&permissions), silent: waits.clone(), is_silent: is_silent.clone() };
        let host = Host::builder()
            .transport(Arc::new(org))
            .policy(PLUGIN.parse()?, policy)
            .plugin(PLUGIN.parse()?, Builds::Any)
            .registration(PLUGIN.parse()?, CREDENTIAL.parse()?, system::registration(&running.app())?)
            .build()?;
        ensure!(host.is_pooled(), "this machine has too little address space for pooled memory");
        let plugin = host.load(component).await?;
        for team in [&waits, &books] {
            system::connect(plugin.broker(), team, running.org()).await?;
        }
        let listed = plugin.list_lead_fields(&books, None, "en").await?.answer.map_err(unexpected)?;
        let (booking, mapping) = samples::full_booking(&listed)?;
        let (resolved, history) = (mapping.resolve(&booking), first_try(NOW));
        let this = Self { plugin, books, waits, resolved, history };
        this.book_times(1).await.context("the first booking")?;
        is_silent.store(true, Ordering::Relaxed);
        running.stop().await;
        Ok(this)
    }

    async fn book_times(&self, bookings: usize) -> Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(bookings);
        let Resolved { booking, mapping, .. } = &self.resolved;
        for _ in 0..bookings {
            let began = Instant::now();
            let called = self.plugin.on_booking_completed(&self.books, booking, mapping, &self.history).await?;
            times.push(began.elapsed());
            let delivery = called.answer.map_err(unexpected)?;
            ensure!(delivery.outcome == Outcome::Created && delivery.findings.is_empty(), "{delivery:?}");
        }
        Ok(times)
    }

    /// Bookings of the team whose org is silent. Each is tried again when it fails, so that all of them always wait.
    async fn wait_for_a_silent_org(self: Arc<Self>) -> JoinSet<()> {
        let mut waiting = JoinSet::new();
        for _ in 0..WAITING {
            let system = self.clone();
            waiting.spawn(async move {
                let Resolved { booking, mapping, .. } = &system.resolved;
                loop {
                    let _ = system.plugin.on_booking_completed(&system.waits, booking, mapping, &system.history).await;
                }
            });
        }
        // Until all have begun.
        tokio::time::sleep(Duration::from_millis(50)).await;
        waiting
    }
}

/// The org of both teams, which at some point stops answering one of them.
#[derive(Debug)]
struct Org {
    replay: Replay,
    silent: ConnectionId,
    is_silent: Arc<AtomicBool>,
}

#[async_trait]
impl Transport for Org {
    async fn send(
        &self,
        connection: &ConnectionId,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        if *connection == self.silent && self.is_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.replay.send(connection, request, bounds).await
    }
}
