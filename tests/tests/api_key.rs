//! A team connects with an API key: the command from end to end, with `tiny-crm` and the invented CRM on this machine.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use acceptance::{
    command::{ended, harness, write_private},
    guests,
    invented_crm::InventedCrm,
    samples::example,
    system::NOW,
};
use anyhow::{Context as _, Result};
use serde_json::json;

const KEY: &str = "canary-key-0123456789";

/// Runs the command with `tiny-crm` in a folder.
fn tiny(folder: &Path, arguments: &[&str], input: &str) -> Result<(i32, String, String)> {
    with(&guests::build("tiny-crm")?.path, folder, arguments, input)
}

fn with(component: &Path, folder: &Path, arguments: &[&str], input: &str) -> Result<(i32, String, String)> {
    let mut command = harness(folder)?;
    command.args(arguments).arg("--component").arg(component).arg("--data").arg(folder.join("data"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // A command that does not read its input may have ended already.
    let _ = child.stdin.take().context("its input")?.write_all(input.as_bytes());
    Ok(ended(&child.wait_with_output()?))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_connects_with_a_key_delivers_and_disconnects_and_the_key_is_nowhere_to_be_read() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let crm = InventedCrm::new(NOW, KEY);
    let origin = crm.serve().await?;
    write_private(&folder.join("key"), &format!("{KEY}\n"))?;
    fs::write(
        folder.join("mapping.json"),
        json!({ "rows": [
            { "id": "name", "field": "なまえ", "source": { "booking": "guest.name" } },
            { "id": "mail", "field": "めーる", "source": { "booking": "guest.email" } },
            { "id": "at", "field": "にちじ", "source": { "booking": "start" } },
        ] })
        .to_string(),
    )?;
    let booking = example("booking.json");
    let booking = booking.to_str().context("a path")?;
    let delivery = ["run", "--team", "default", "--booking", booking, "--mapping", "mapping.json"];
    let mut said = String::new();
    let mut run = |arguments: &[&str], input: &str, exit: i32, says: &str| -> Result<()> {
        let (code, out, error) = tiny(folder, arguments, input)?;
        said = format!("{said}{out}{error}");
        assert_eq!(code, exit, "{arguments:?}: {out}{error}");
        assert!(format!("{out}{error}").contains(says), "{arguments:?}: {says} is not in: {out}{error}");
        Ok(())
    };
    run(&["connect", "--origin", &origin, "--api-key-file", "-"], "another-key\n", 0, "Connected `default`")?;
    run(&["doctor", "--team", "default"], "", 3, "key-unknown")?;
    run(&["connect", "--origin", &origin, "--api-key-file", "key"], "", 0, "Connected `default`")?;
    run(&["doctor", "--team", "default"], "", 0, "The connection works.")?;
    run(&delivery, "", 0, "")?;
    assert_eq!((crm.records("person").len(), crm.records("lead").len()), (1, 1));

    for file in files(&folder.join("data"))? {
        let bytes = fs::read(&file)?;
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{}", file.display());
    }
    run(&["disconnect"], "", 0, "The key itself is not revoked")?;
    run(&["doctor", "--team", "default"], "", 2, "no connection named `default`")?;
    assert!(!said.contains("canary"), "{said}");
    Ok(())
}

#[test]
fn an_argument_of_the_other_kind_is_refused_with_the_remedy() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    write_private(&folder.join("key"), KEY)?;
    let origin = ["--origin", "https://acme.tiny-crm.example"];
    for (arguments, says) in [
        (&["--login-host", "login.example", "--api-key-file", "key"][..], "`--login-host` does not apply"),
        (&["--client-id", "x", "--api-key-file", "key"], "`--client-id` does not apply"),
        (&["--client-secret-file", "key", "--api-key-file", "key"], "`--client-secret-file` does not apply"),
        (&["--redirect-uri", "http://127.0.0.1:1/", "--api-key-file", "key"], "`--redirect-uri` does not apply"),
        (&["--open", "--api-key-file", "key"], "connect with `--api-key-file FILE`"),
        (&["--api-key-file", "key"], "needs `--origin URL`"),
        (&origin, "needs `--api-key-file FILE`"),
        (&["--origin", "https://evil.example", "--api-key-file", "key"], "allowed are `https://*.tiny-crm.example`"),
        (&["--origin", "https://acme.tiny-crm.example", "--api-key-file", "nowhere"], "nowhere cannot be read"),
        // Arguments can be read by everybody on the machine.
        (&["--api-key", KEY], "unexpected argument '--api-key'"),
    ] {
        let (code, out, error) = tiny(folder, &[&["connect"], arguments].concat(), "")?;
        assert_eq!(code, 2, "{arguments:?}: {out}{error}");
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
    let (code, _, error) = tiny(folder, &[&["connect", "--api-key-file", "-"][..], &origin].concat(), "two keys\n")?;
    assert_eq!((code, error.contains("without blanks"), error.contains("two keys")), (2, true, false), "{error}");

    let salesforce = guests::build("salesforce-leads")?.path;
    for (arguments, says) in [
        (&["connect", "--api-key-file", "key"][..], "`--api-key-file` does not apply"),
        (&["connect", "--origin", "https://acme.example"], "`--origin` does not apply"),
        (&["connect"], "`--login-host HOST` or the variable HARNESS_LOGIN_HOST"),
        (&["connect", "--login-host", "login.salesforce.com"], "`--client-id ID` or the variable HARNESS_CLIENT_ID"),
    ] {
        let (code, _, error) = with(&salesforce, folder, arguments, "")?;
        assert_eq!(code, 2, "{arguments:?}: {error}");
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
    let (code, _, error) = tiny(folder, &["doctor", "--team", "default"], "")?;
    assert_eq!((code, error.contains("no connection named")), (2, true), "nothing was stored: {error}");
    Ok(())
}

#[test]
fn inspect_shows_where_a_key_goes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let component = guests::build("tiny-crm")?.path;
    let output = harness(folder.path())?.arg("inspect").arg(component).output()?;
    let (code, out, _) = ended(&output);
    assert_eq!(code, 0);
    assert!(out.contains("API key in header x-tiny-key, to https://*.tiny-crm.example"), "{out}");
    Ok(())
}
