//! A plugin, or an org, that wants more than its share: of time, memory, turns, or of the host's reports.

use crate::Family;
use crate::guest::{hostile, run};
use acceptance::guests;
use acceptance::memory;
use anyhow::Result;
use crm_host::credentials::{Builds, ConnectionId};
use crm_host::manifest::Limits;

pub async fn limits() -> Result<Family> {
    let mut family = Family::new("a manifest that asks for too much");
    let host = memory::host().concurrent_calls(1).plugin("hostile".parse()?, Builds::Any).build()?;
    const HUGE: &str = "9_000_000_000_000_000_000";
    let ceiling = Limits::CEILING;
    for key in ["memory_bytes", "cpu_ms", "wall_ms", "http_requests", "request_bytes", "response_bytes"] {
        let huge = if key == "http_requests" { "4_000_000_000" } else { HUGE };
        let limits: Vec<_> = ["memory_bytes", "cpu_ms", "wall_ms", "http_requests", "request_bytes", "response_bytes"]
            .map(|name| format!("{name} = {}", if name == key { huge } else { "1" }))
            .into();
        let plugin = host.load(&guests::with_limits(&limits.join("\n"))?).await;
        let got = plugin.map(|plugin| *plugin.limits());
        let is_held = got.as_ref().is_ok_and(|got| {
            [
                (got.memory_bytes, ceiling.memory_bytes),
                (got.cpu_ms, ceiling.cpu_ms),
                (got.wall_ms, ceiling.wall_ms),
                (got.http_requests.into(), ceiling.http_requests.into()),
                (got.request_bytes, ceiling.request_bytes),
                (got.response_bytes, ceiling.response_bytes),
            ]
            .iter()
            .all(|(got, ceiling)| got <= ceiling)
        });
        family.attack(format!("{key}: {got:?}"), is_held);
    }
    let refused = host.load(&guests::that_never_starts()?).await.err().map(|error| error.code());
    family.attack(format!("start code without end: {refused:?}"), refused == Some("component-start"));

    let guest = hostile().await?;
    for target in ["10k credentials", "10k opens"] {
        let opened = run(&guest, &guest.connection, target, &[]).await.map(|called| called.answer.message);
        family.attack(format!("{target}: {opened:?}"), opened.is_ok_and(|opened| opened == "16"));
    }
    Ok(family)
}

/// A team whose org does not answer holds its own share of turns only.
pub async fn turns() -> Result<Family> {
    let mut family = Family::new("a team that holds up the others");
    let guest = hostile().await?;
    let other = ConnectionId::new("team-2");
    guest.connect(&other).await?;
    let silent = || run(&guest, &guest.connection, "request", &[("url", "{origin}/open/silence")]);
    let held_up = async { tokio::join!(silent(), silent(), silent()) };
    let mut served = 0;
    let others = async {
        for _ in 0..20 {
            served += usize::from(run(&guest, &other, "request", &[("url", "{origin}/open/x")]).await.is_ok());
        }
    };
    // The others end while all calls of the silent org still wait: they last for seconds.
    let is_first = tokio::select! {
        biased;
        () = others => true,
        _ = held_up => false,
    };
    family.attack(format!("{served} of 20 calls of another team while an org is silent"), is_first && served == 20);
    Ok(family)
}

/// What a plugin says is cut before it is kept, logged or reported.
pub async fn words() -> Result<Family> {
    let mut family = Family::new("a plugin that floods reports");
    let guest = hostile().await?;
    for letter in ["\u{7f}", "\u{0}", "\n", "\u{1b}", "\u{202e}", "a", "é", "\u{10ffff}"] {
        let long = letter.repeat(12_000);
        let cases = [
            ("header name", vec![("url", "{origin}/open/x".to_owned()), ("header", format!("{long}: x"))]),
            ("header value", vec![("url", "{origin}/open/x".to_owned()), ("header", format!("x-note: {long}"))]),
            ("path", vec![("url", format!("{{origin}}/closed/{long}"))]),
            ("host", vec![("url", format!("https://{long}.example/open/x"))]),
        ];
        for (place, options) in cases {
            let options: Vec<(&str, &str)> = options.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let usage = match run(&guest, &guest.connection, "10k requests", &options).await {
                Ok(called) => called.usage,
                Err(error) => error.usage,
            };
            let said: usize = usage
                .denials
                .iter()
                .map(|denial| denial.reason.len() + denial.would_allow.as_ref().map_or(0, String::len))
                .sum();
            let is_plain = usage.denials.iter().all(|denial| !denial.reason.contains(char::is_control));
            family.attack(format!("{place} of {letter:?}: {said} bytes"), said <= 16 * 600 && is_plain);
        }
    }
    Ok(family)
}
