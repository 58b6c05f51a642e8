//! `live-check` as an operator runs it.

use acceptance::command::{ended, harness};
use acceptance::memory;
use acceptance::system::{CREDENTIAL, component, registration};
use anyhow::{Context as _, Result};
use crm_host::credentials::{ConnectionId, GrantKey, SecretStore as _};
use crm_host::origin::Origin;
use crm_host::policy::{Policy, TestOverride};
use crm_store::{SqliteStore, Store as _};
use salesforce_live_check::{Case, Line, STEPS, Subject, Transcript};
use salesforce_local_org::{Options, OrgFile, RunningOrg};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn without_an_org_the_command_reports_not_run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = harness(folder.path())?;
    let command = command.arg("live-check").env_remove("HARNESS_LIVE_LOGIN_HOST");
    let (code, out, err) = ended(&command.output()?);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("not run: set HARNESS_LIVE_LOGIN_HOST"), "{out}");
    assert!(!format!("{out}{err}").to_lowercase().contains("passed"));
    assert_eq!(fs::read_dir(folder.path())?.count(), 0, "nothing was written");
    Ok(())
}

#[test]
fn an_org_without_credentials_is_an_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = harness(folder.path())?;
    let command = command
        .arg("live-check")
        .env("HARNESS_LIVE_LOGIN_HOST", "acme.my.salesforce.com")
        .env_remove("HARNESS_LIVE_CLIENT_ID");
    let (code, out, err) = ended(&command.output()?);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("HARNESS_LIVE_CLIENT_ID is not set"), "{err}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_connection_is_kept_unless_revoke_is_given() -> Result<()> {
    let org = salesforce_local_org::serve(OrgFile::enterprise()?, Options::default()).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("salesforce_leads.wasm");
    fs::write(&file, component()?)?;
    let login_host: Origin = org.base_url().parse()?;
    let app = org.app();
    let registration = registration(&app)?;
    let client = registration.client.clone();
    let key = GrantKey {
        plugin: "salesforce-leads".parse()?,
        connection: ConnectionId::new("uat-1"),
        credential: CREDENTIAL.parse()?,
    };
    let store = SqliteStore::open(&folder.path().join("data"))?;
    let policy = Policy {
        test_overrides: vec![TestOverride::new("https://*.my.salesforce.com".parse()?, login_host)?],
        ..Policy::default()
    };
    let host = memory::host().secrets(store.connecting("uat", Some(client.clone())));
    let subject =
        Subject::load(host, component()?, policy, CREDENTIAL.parse()?, registration, key.connection.clone()).await?;
    subject.with_client_credentials(org.base_url()).connect().await?;

    for (revoke, is_kept) in [(false, true), (true, false)] {
        let mut check = harness(folder.path())?;
        check.args(["live-check", "--team", "uat", "--data", "data", "--component"]).arg(&file);
        check.args(revoke.then_some("--revoke"));
        let (code, out, err) = ended(&tokio::task::spawn_blocking(move || check.output()).await??);
        assert_eq!(code, 0, "{out}{err}");
        assert_eq!(out.contains("the stored connection is kept"), is_kept, "{out}");
        assert_eq!(store.load(&key).await?.is_some(), is_kept);
        assert_eq!(store.connection("uat", "salesforce-leads").await?.is_some(), is_kept);
    }
    Ok(())
}

/// Writes the component into a folder.
fn component_in(folder: &Path) -> Result<PathBuf> {
    let file = folder.join("salesforce_leads.wasm");
    fs::write(&file, component()?)?;
    Ok(file)
}

async fn run(mut command: Command) -> Result<(i32, String, String)> {
    Ok(ended(&tokio::task::spawn_blocking(move || command.output()).await??))
}

/// `live-check` against an org, using client credentials.
fn check(folder: &Path, org: &RunningOrg, client_secret: &str) -> Result<Command> {
    let mut check = harness(folder)?;
    check.args(["live-check", "--component", "salesforce_leads.wasm"]).env("HARNESS_LIVE_LOGIN_HOST", org.base_url());
    check.env("HARNESS_LIVE_CLIENT_ID", org.app().client_id).env("HARNESS_LIVE_CLIENT_SECRET", client_secret);
    Ok(check)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_checks_an_org_and_replays_its_refusals_on_a_local_copy() -> Result<()> {
    let org = salesforce_local_org::serve(OrgFile::enterprise()?, Options::default()).await?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    component_in(folder)?;
    let (code, out, err) = run(check(folder, &org, &org.app().client_secret)?).await?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("{0} of {0} steps as expected", STEPS.len())), "{out}");
    let text = fs::read_to_string(folder.join("live-check.jsonl"))?;
    assert!(Transcript::parse(&text)?.lines.iter().any(|line| matches!(line, Line::Exchange(_))));

    let mut import = harness(folder)?;
    import.args(["live-check", "--from-transcript", "live-check.jsonl", "--out", "imported"]);
    let (code, out, err) = run(import).await?;
    assert_eq!(code, 0, "{out}{err}");

    let replay = || -> Result<Command> {
        let mut replay = harness(folder)?;
        replay.args(["live-check", "--component", "salesforce_leads.wasm"]);
        replay.args(["--cases", "imported/cases.json", "--org", "imported/org.toml"]);
        Ok(replay)
    };
    let (code, out, err) = run(replay()?).await?;
    assert_eq!(code, 0, "{out}{err}");
    let mut cases = Case::parse_all(&fs::read_to_string(folder.join("imported/cases.json"))?)?;
    assert!(out.contains(&format!("{0} of {0} cases have the same response", cases.len())), "{out}");

    let case = cases.iter_mut().find(|case| case.id == "refusal-too-long").context("the case")?;
    assert_eq!(case.status, 400);
    case.status = 409;
    fs::write(folder.join("imported/cases.json"), serde_json::to_string(&cases)?)?;
    let (code, out, err) = run(replay()?).await?;
    assert_eq!(code, 3, "{out}{err}");
    assert!(out.contains("DIFFERS  refusal-too-long"), "{out}");
    assert!(out.contains("expected: 409 STRING_TOO_LONG on Company"), "{out}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_client_fails_the_connect_step_with_a_remedy_and_a_transcript() -> Result<()> {
    let org = salesforce_local_org::serve(OrgFile::enterprise()?, Options::default()).await?;
    let folder = tempfile::tempdir()?;
    component_in(folder.path())?;
    let secret = "a secret that the app does not have";
    let mut check = check(folder.path(), &org, secret)?;
    check.arg("--json");
    let (code, out, err) = run(check).await?;
    assert_eq!(code, 3, "{out}{err}");
    let answer: Value = serde_json::from_str(&out)?;
    let steps = answer["summary"]["steps"].as_array().context("steps")?;
    assert_eq!(steps.len(), STEPS.len());
    for step in steps {
        let expected = match step["id"].as_str().unwrap_or_default() {
            "connect" => "differs",
            "options" => "as-expected",
            _ => "skipped",
        };
        assert_eq!(step["outcome"], expected, "{step}");
    }
    assert_eq!(steps[0]["found"], "invalid_client (400)");
    assert!(
        steps[0]["remedy"].as_str().is_some_and(|remedy| remedy.contains("docs/salesforce-app.md")),
        "{}",
        steps[0]
    );

    let text = fs::read_to_string(folder.path().join("live-check.jsonl"))?;
    let told = Transcript::parse(&text)?.lines.into_iter().any(|line| match line {
        Line::Exchange(exchange) => exchange.errors.iter().any(|error| error.code == "invalid_client"),
        _ => false,
    });
    assert!(told && !text.contains(secret), "{text}");
    Ok(())
}

#[test]
fn an_invalid_cases_file_is_an_input_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("cases.json"), "{}")?;
    let mut replay = harness(folder.path())?;
    replay.args(["live-check", "--cases", "cases.json", "--org", "enterprise"]);
    let (code, _, err) = ended(&replay.output()?);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("the cases cannot be parsed"), "{err}");
    Ok(())
}
