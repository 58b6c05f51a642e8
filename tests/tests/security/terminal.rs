//! Manifests and orgs that write to the terminal of who reads about them.

use crate::Family;
use acceptance::command::{Team, ended, harness};
use acceptance::guests;
use anyhow::Result;
use salesforce_local_org::Fault;
use std::fs;

/// Each of them would change what is on the screen, in the clipboard, or in the title, or would turn text around.
const CONTROLS: [(&str, &str); 8] = [
    ("moves the cursor", "\u{1b}[4A\u{1b}[2K"),
    ("writes the clipboard", "\u{1b}]52;c;Y3VybCBldmlsLmV4YW1wbGU=\u{7}"),
    ("sets the title", "\u{1b}]0;safe\u{7}"),
    ("writes a link", "\u{1b}]8;;https://evil.example\u{1b}\\"),
    ("uses an 8-bit control", "\u{9b}2J"),
    ("goes back", "\u{8}\u{8}\u{8}\r"),
    ("deletes", "\u{7f}"),
    ("turns text around", "\u{202e}\u{2066}"),
];

fn is_plain(text: &str) -> bool {
    let is_bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.contains(|c: char| is_bad(c) && !matches!(c, '\n' | '\t'))
}

pub async fn escapes() -> Result<Family> {
    let mut family = Family::new("text that controls a terminal");
    let manifest = fs::read_to_string(guests::workspace()?.root().join("tests/guests/hostile/plugin.toml"))?;
    for (what, control) in CONTROLS {
        let escaped: String = control.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
        for (place, from, to) in [
            ("name", "name = \"Hostile\"", format!("name = \"Hostile{escaped}\"")),
            ("plan", "version = \"0.1.0\"", format!("version = \"0.1.0\"\nplan = \"pro{escaped}\"")),
            ("version", "version = \"0.1.0\"", format!("version = \"0.1.0{escaped}\"")),
            ("scope", "scopes = [\"all\"]", format!("scopes = [\"all{escaped}\"]")),
            ("path", "path = \"/open/{page}\"", format!("path = \"/open/{escaped}{{page}}\"")),
            ("key", "[limits]", format!("[limits]\n\"{escaped}\" = 1")),
        ] {
            let folder = tempfile::tempdir()?;
            let file = folder.path().join("plugin.wasm");
            fs::write(&file, guests::with_manifest_text(&manifest.replacen(from, &to, 1))?)?;
            let (code, out, error) = ended(&harness(folder.path())?.arg("inspect").arg(&file).output()?);
            family.attack(
                format!("a manifest's {place} {what}: {code} {out:?} {error:?}"),
                is_plain(&format!("{out}{error}")),
            );
        }
    }
    let team = Team::connect().await?;
    for (what, control) in CONTROLS {
        team.org.org().clear_faults();
        team.org.org().add_fault(Fault::api_error(400, "ODD", &format!("no{control}")).times(9));
        let (code, out, error) = ended(&team.command(&["doctor"])?.output()?);
        family.attack(format!("an org's message {what}: {code} {out:?} {error:?}"), is_plain(&format!("{out}{error}")));
    }
    Ok(family)
}
