//! Attacks on the host: hostile plugins, hostile servers, other tenants. A table says how many of each family were held; one that
//! gets through fails the test.

mod binding;
mod ceilings;
mod connections;
mod echoes;
mod guest;
mod loading;
mod memory;
mod routes;
mod store;
mod terminal;
mod wire;

use acceptance::memory::{Searched, searched};
use anyhow::Result;
use std::io::{self, Write as _};

/// How an attack ended.
enum Outcome {
    Held,
    /// It got through, and the family says why that is accepted.
    Known,
    Through,
}

/// The attacks of a family.
struct Family {
    name: &'static str,
    tries: Vec<(String, Outcome)>,
}

impl Family {
    fn new(name: &'static str) -> Self {
        Self { name, tries: Vec::new() }
    }

    /// Notes an attack, and whether the host held.
    fn attack(&mut self, what: impl Into<String>, is_held: bool) {
        self.tries.push((what.into(), if is_held { Outcome::Held } else { Outcome::Through }));
    }

    /// Notes an attack that gets through, and why that is accepted.
    fn known(&mut self, what: impl Into<String>) {
        self.tries.push((what.into(), Outcome::Known));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_holds() -> Result<()> {
    let families = [
        binding::impostors().await?,
        binding::login_hosts().await?,
        binding::records().await?,
        connections::logins().await?,
        connections::moved().await?,
        connections::answers().await?,
        connections::dropped().await?,
        ceilings::limits().await?,
        ceilings::turns().await?,
        ceilings::words().await?,
        loading::bombs().await?,
        routes::methods().await?,
        routes::paths().await?,
        routes::headers().await?,
        routes::bodies().await?,
        echoes::salesforce().await?,
        echoes::base64().await?,
        echoes::ways().await?,
        echoes::again().await?,
        wire::codings().await?,
        wire::late().await?,
        wire::addresses()?,
        memory::credentials().await?,
        store::grants().await?,
        store::rows().await?,
        store::files().await?,
        store::processes().await?,
        terminal::escapes().await?,
    ];
    let mut through = Vec::new();
    // The test harness would keep what `println!` writes to itself.
    let mut out = io::stdout().lock();
    for Family { name, tries } in &families {
        let held = tries.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Held)).count();
        writeln!(out, "{name:<48} {held:>4} of {:>4}", tries.len())?;
        for (what, outcome) in tries {
            match outcome {
                Outcome::Held => (),
                Outcome::Known => writeln!(out, "  gets through: {what}")?,
                Outcome::Through => through.push(format!("{name}: {what}")),
            }
        }
    }
    writeln!(out, "{:<48} {:>12}", "tries", families.iter().map(|family| family.tries.len()).sum::<usize>())?;
    let Searched { memories, bytes, secrets, time } = searched();
    let size = bytes >> 20;
    writeln!(
        out,
        "{memories} plugin memories of {size} MB in total were searched for {secrets} credentials in {time:.1?}"
    )?;
    assert!(through.is_empty(), "got through:\n{}", through.join("\n"));
    Ok(())
}
