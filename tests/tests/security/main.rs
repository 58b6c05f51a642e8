//! Attacks on the host: hostile plugins, hostile servers, other tenants. A table says how many of each family were held; one that
//! gets through fails the test.

mod binding;
mod ceilings;
mod echoes;
mod guest;
mod loading;
mod memory;
mod routes;
mod store;

use anyhow::Result;
use std::io::{self, Write as _};

/// The attacks of a family, and whether each was held.
struct Family {
    name: &'static str,
    tries: Vec<(String, bool)>,
}

impl Family {
    fn new(name: &'static str) -> Self {
        Self { name, tries: Vec::new() }
    }

    /// Notes an attack, and whether the host held.
    fn attack(&mut self, what: impl Into<String>, is_held: bool) {
        self.tries.push((what.into(), is_held));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_holds() -> Result<()> {
    let families = [
        binding::impostors().await?,
        binding::login_hosts().await?,
        binding::records().await?,
        ceilings::limits().await?,
        ceilings::turns().await?,
        ceilings::words().await?,
        loading::bombs().await?,
        routes::methods().await?,
        routes::paths().await?,
        routes::headers().await?,
        routes::bodies().await?,
        echoes::spellings().await?,
        echoes::ways().await?,
        echoes::again().await?,
        memory::credentials().await?,
        store::grants().await?,
        store::files().await?,
        store::processes().await?,
    ];
    let mut through = Vec::new();
    // The test harness would keep what `println!` writes to itself.
    let mut out = io::stdout().lock();
    for Family { name, tries } in &families {
        let held = tries.iter().filter(|(_, is_held)| *is_held).count();
        writeln!(out, "{name:<44} {held:>4} of {:>4}", tries.len())?;
        through.extend(tries.iter().filter(|(_, is_held)| !is_held).map(|(what, _)| format!("{name}: {what}")));
    }
    writeln!(out, "{:<44} {:>4}", "tries", families.iter().map(|family| family.tries.len()).sum::<usize>())?;
    let (memories, bytes) = acceptance::memory::searched();
    writeln!(out, "{memories} plugin memories of {} MB in total were searched for credentials", bytes >> 20)?;
    assert!(through.is_empty(), "got through:\n{}", through.join("\n"));
    Ok(())
}
