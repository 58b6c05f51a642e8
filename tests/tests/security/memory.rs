//! Credentials in the memory of a plugin. Held means: a credential that is planted there is found.

use crate::Family;
use crate::guest::{hostile, hostile_with, run};
use acceptance::memory::{ENCODINGS, Found, Scanner};
use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use crm_host::secret::Secret;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

/// Salesforce's shape, base64, and a short one. No host has them.
const PLANTED: [&str; 3] = [
    "00D8d00000PlAnT!AQEAQPlanted1y.kZ_3vW0pLmN2rT6uYcVbX9sDfGhJqA1Zw4E5R.t7U8i_Oo",
    "planted+Jk/0Zt5vX9mPw2Ls+Yb7Nc4Hd1Rf6Ge8Ta3Ku/Vi0Wj9Xo2Mq5Bz7Sn4A==",
    "planted-0123",
];

/// A credential in each way to write it, and the encoding that the scanner must name.
fn spelled(text: &str) -> Vec<(&'static str, &'static str, String)> {
    let each = |write: fn(u8) -> String| text.bytes().map(write).collect::<String>();
    let special = |write: fn(u8) -> String| {
        let write = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { write(byte) };
        text.bytes().map(write).collect::<String>()
    };
    let middle = text.get(text.len() / 4..text.len() / 4 + 31).unwrap_or(text);
    let shifted = |before: &str| format!("{before}{text}, and more");
    vec![
        ("plain", "plain", text.to_owned()),
        ("31 characters of it", "plain", middle.to_owned()),
        ("percent", "percent", each(|byte| format!("%{byte:02X}"))),
        ("percent, lower case", "percent", special(|byte| format!("%{byte:02x}"))),
        ("JSON", "JSON", each(|byte| format!("\\u{byte:04x}"))),
        ("JSON, upper case", "JSON", special(|byte| format!("\\u{byte:04X}"))),
        ("base64, first alignment", "base64", STANDARD.encode(shifted(""))),
        ("base64, second alignment", "base64", STANDARD.encode(shifted("a"))),
        ("base64, third alignment", "base64", STANDARD.encode(shifted("ab"))),
        ("base64url", "base64", URL_SAFE.encode(shifted("abc"))),
        ("hex", "hex", each(|byte| format!("{byte:02x}"))),
        ("hex, upper case", "hex", each(|byte| format!("{byte:02X}"))),
        ("entities", "HTML entities", each(|byte| format!("&#{byte};"))),
        ("entities, hex", "HTML entities", special(|byte| format!("&#x{byte:X};"))),
        ("UTF-16, little endian", "UTF-16", each(|byte| format!("{}\0", char::from(byte)))),
        ("UTF-16, big endian", "UTF-16", each(|byte| format!("\0{}", char::from(byte)))),
        ("backwards", "backwards", text.chars().rev().collect()),
    ]
}

pub async fn credentials() -> Result<Family> {
    let mut family = Family::new("credentials in the plugin's memory");
    let scanner = Scanner::new(PLANTED.map(str::to_owned).into());
    let seen: Arc<Mutex<Vec<Found>>> = Arc::default();
    let found = seen.clone();
    let guest = hostile_with(move |host| {
        host.inspect_memory(move |memory| {
            found.lock().unwrap_or_else(PoisonError::into_inner).extend(scanner.find(memory));
        })
    })
    .await?;
    let take = || std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    run(&guest, &guest.connection, "nothing", &[("held", "planted")]).await?;
    let nothing = take();
    family.attack(format!("nothing is planted: {nothing:?}"), nothing.is_empty());
    for secret in PLANTED {
        for (what, encoding, text) in spelled(secret) {
            // The guest uses what it has freed again, so that one short text could be gone.
            let held = format!("{text} ").repeat(20);
            run(&guest, &guest.connection, "nothing", &[("held", &held)]).await?;
            let found = take();
            // Letters and digits are the same in several encodings.
            let is_found = match secret.len() {
                12 => !found.is_empty(),
                _ => found.iter().any(|found| found.encoding == encoding),
            };
            ensure!(found.iter().all(|found| ENCODINGS.contains(&found.encoding)), "{found:?}");
            family.attack(format!("{what} of {} characters: {found:?}", secret.len()), is_found);
        }
    }
    let (code, said) = planted_in_this_program()?;
    let is_held = code.is_none() && said.contains("a plugin's memory holds a credential: hex, at ");
    family.attack(format!("in a scenario: {code:?} {said}"), is_held && !said.contains("scenario"));
    Ok(family)
}

/// Runs [`a_planted_secret_ends_this_process`]. Its exit code, if it ended by itself, and what it said.
fn planted_in_this_program() -> Result<(Option<i32>, String)> {
    let name = "memory::a_planted_secret_ends_this_process";
    let output = Command::new(std::env::current_exe()?).args(["--exact", name, "--ignored"]).output()?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Nobody checks the host's memory here: what begins every host does.
#[tokio::test]
#[ignore = "ends the process, which is what another test expects"]
async fn a_planted_secret_ends_this_process() -> Result<()> {
    let guest = hostile().await?;
    let secret = Secret::new("of-this-scenario-0123456789");
    let hex: String = secret.expose().bytes().map(|byte| format!("{byte:02x}")).collect();
    run(&guest, &guest.connection, "nothing", &[("held", &hex)]).await?;
    Ok(())
}
