//! How long the Salesforce plugin takes to load: compiled on a thread, in another process, and from the cache.
//!
//! `cargo run --release -p acceptance --example load_time`

#![expect(clippy::disallowed_methods, reason = "nothing is called")]

use acceptance::{command, guests};
use anyhow::Result;
use crm_host::credentials::Builds;
use crm_host::{Host, HostBuilder, Inspection};
use std::fs;
use std::time::{Duration, Instant};

const RUNS: usize = 20;

#[tokio::main]
async fn main() -> Result<()> {
    let component = fs::read(guests::build("salesforce-leads")?.path)?;
    let id = Inspection::read(&component)?.manifest()?.plugin.id;
    let builder = || Host::builder().plugin(id.clone(), Builds::Any);
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("compiled");
    let program = command::binary()?;

    show("validated", RUNS, || Ok(Inspection::read(&component)?.check(&component)?))?;
    for (what, runs, host) in [
        ("compiled on a thread", 3, builder()),
        ("compiled in a process", 3, builder().compiler(program)),
        ("compiled and kept", 1, builder().compiler(program).compiled_cache(&cache)),
        ("from the cache", RUNS, builder().compiler("/missing").compiled_cache(&cache)),
    ] {
        time(what, runs, host, &component).await?;
    }
    for file in fs::read_dir(&cache)? {
        println!("{:<24} {:>9} bytes of native code", "", file?.metadata()?.len());
    }
    Ok(())
}

async fn time(what: &str, runs: usize, host: HostBuilder, component: &[u8]) -> Result<()> {
    let host = host.build()?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let began = Instant::now();
        host.load(component).await?;
        times.push(began.elapsed());
    }
    print(what, times);
    Ok(())
}

fn show(what: &str, runs: usize, work: impl Fn() -> Result<()>) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let began = Instant::now();
        work()?;
        times.push(began.elapsed());
    }
    print(what, times);
    Ok(())
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("{what:<24} {median:>9.2?}, best of {}: {:.2?}", times.len(), times.first().copied().unwrap_or_default());
}
