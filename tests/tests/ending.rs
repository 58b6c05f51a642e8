//! However `run` ends, the person who ran it learns how to look for a record that may have been written, and doing so makes no second
//! one.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use acceptance::command::{Team, ended};
use acceptance::samples::example;
use anyhow::{Context as _, Result, ensure};
use salesforce_local_org::Fault;
use serde_json::{Value, json};

const CREATE: (&str, &str) = ("POST", "/services/data/*/sobjects/Lead");

/// A mapping without a booking-id field, so that only a look-up finds the Lead.
fn write_mapping(folder: &Path) -> Result<()> {
    let rows = json!([
        { "id": "a", "field": "LastName", "source": { "booking": "guest.family-name" } },
        { "id": "b", "field": "Company", "source": { "booking": "guest.company" } },
        { "id": "c", "field": "Email", "source": { "booking": "guest.email" } },
        { "id": "d", "field": "Status", "source": { "fixed": "Closed - Not Converted" }, "on": ["cancelled"] },
    ]);
    Ok(std::fs::write(folder.join("mapping.json"), json!({ "rows": rows }).to_string())?)
}

fn run(team: &Team, further: &[&str]) -> Result<Command> {
    let mut command = team.command(&["run", "--mapping", "mapping.json"])?;
    command.arg("--booking").arg(example("booking.json")).args(further);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// Waits until the org has the Lead, whose creation it does not answer.
async fn created(team: &Team, child: &mut Child) -> Result<()> {
    for _ in 0..600 {
        if !team.org.org().leads().is_empty() {
            return Ok(());
        }
        ensure!(child.try_wait()?.is_none(), "it ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("no Lead")
}

/// The arguments that a message gives for the next run.
fn advised(said: &str) -> Result<Vec<&str>> {
    let arguments = said.split("run again with ").nth(1).with_context(|| said.to_owned())?;
    let arguments: Vec<&str> = arguments.lines().next().unwrap_or_default().split(' ').collect();
    ensure!(matches!(arguments.as_slice(), ["--unknown-since", _, "--unknown-until", _]), "{arguments:?}");
    Ok(arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_says_how_to_look_and_the_next_one_finds_the_lead() -> Result<()> {
    for (signal, json) in [("INT", false), ("TERM", true), ("HUP", false)] {
        let team = Team::connect().await?;
        write_mapping(team.folder())?;
        // The Lead is there at once, its reply only after a minute.
        team.org.org().add_fault(Fault::delay_answer(Duration::from_secs(60)).on(CREATE.0, CREATE.1));
        let mut child = run(&team, if json { &["--json"] } else { &[] })?.spawn()?;
        created(&team, &mut child).await?;
        ensure!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status()?.success(), "kill");
        let (code, out, err) = ended(&child.wait_with_output()?);
        assert_eq!(code, 130, "{signal}: {out}{err}");
        let arguments = advised(&err)?;
        if json {
            let told: Value = serde_json::from_str(&out)?;
            assert_eq!(told["error"]["code"], "interrupted");
            assert!(told["unknown_tries"]["newest"].is_u64(), "{out}");
        }

        team.org.org().clear_faults();
        let (code, out, err) = ended(&run(&team, &arguments)?.output()?);
        assert_eq!(code, 0, "{signal}: {out}{err}");
        assert!(out.contains("Already delivered: Lead/00Q"), "{out}");
        assert_eq!(team.org.org().leads().len(), 1, "{signal}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_and_a_call_that_was_stopped_say_how_to_look() -> Result<()> {
    for (fault, further, exit) in [
        (Fault::drop_after_commit(), &[][..], 3),
        // The plugin itself learns of the time-out, and says `check-first`.
        (Fault::delay_answer(Duration::from_secs(60)), &["--policy", "policy.toml"], 3),
    ] {
        let team = Team::connect().await?;
        write_mapping(team.folder())?;
        std::fs::write(team.folder().join("policy.toml"), "[limits]\nwall_ms = 1500\n")?;
        team.org.org().add_fault(fault.on(CREATE.0, CREATE.1));
        let (code, out, err) = ended(&run(&team, further)?.output()?);
        assert_eq!(code, exit, "{out}{err}");
        let arguments = advised(&err)?;
        team.org.org().clear_faults();
        let (code, out, err) = ended(&run(&team, &arguments)?.output()?);
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains("Already delivered: Lead/00Q"), "{out}");
        assert_eq!(team.org.org().leads().len(), 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_doubts_name_the_first_and_the_last_try() -> Result<()> {
    let team = Team::connect().await?;
    write_mapping(team.folder())?;
    team.org.org().add_fault(Fault::drop_before_commit().on(CREATE.0, CREATE.1));
    let (code, _, err) = ended(&run(&team, &[])?.output()?);
    assert_eq!(code, 3, "{err}");
    let first: Vec<String> = advised(&err)?.into_iter().map(str::to_owned).collect();
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    // Too early to tell: this run looks, writes nothing, and does not become the newest unknown one.
    let (code, _, err) = ended(&run(&team, &first)?.output()?);
    assert_eq!(code, 3, "{err}");
    assert_eq!(advised(&err)?, first);
    assert!(team.org.org().leads().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_and_a_cancelled_booking_change_the_record_that_is_named() -> Result<()> {
    let team = Team::connect().await?;
    write_mapping(team.folder())?;
    let (code, out, err) = ended(&run(&team, &["--json"])?.output()?);
    assert_eq!(code, 0, "{out}{err}");
    let told: Value = serde_json::from_str(&out)?;
    let record = format!("Lead/{}", told["delivery"]["records"][0]["id"].as_str().context("an id")?);
    let mut booking: Value = serde_json::from_str(&std::fs::read_to_string(example("booking.json"))?)?;
    booking["kind"] = json!("cancelled");
    std::fs::write(team.folder().join("cancelled.json"), booking.to_string())?;
    let cancelled = |further: &[&str]| -> Result<(i32, String, String)> {
        let mut command = team.command(&["run", "--mapping", "mapping.json", "--booking", "cancelled.json"])?;
        Ok(ended(&command.args(further).output()?))
    };
    // Without the record nothing is created.
    let (code, out, err) = cancelled(&[])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("Nothing to do.") && out.contains("record-unknown"), "{out}");
    let (code, out, err) = cancelled(&["--record", &record])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("Updated {record}")), "{out}");
    let leads = team.org.org().leads();
    assert_eq!((leads.len(), &leads[0]["Status"]), (1, &json!("Closed - Not Converted")));
    let (code, _, err) = cancelled(&["--record", "Lead"])?;
    assert!(code == 2 && err.contains("expected OBJECT/ID"), "{err}");
    Ok(())
}
