//! `live-check`: tries the plugin against a real org, step by step.

mod cases;
mod files;

use std::sync::Arc;

use ::live_check::{Ending as Connection, LiveCheckError, Outcome, StepReport, Subject, Summary};
use anyhow::{Context, Result};
use runtime::{
    credentials::{ClientRegistration, ConnectionId, MemoryStore, SecretStore as _},
    secret::Secret,
};

use super::{Ending, connect::absolute};
use crate::{
    cli::LiveCheck,
    target::{self, Stored, announce_stand_ins, only_credential, with_stand_in},
    ui::Ui,
};

/// The org that is tried, where no stored connection is named.
const LOGIN_HOST: &str = "LIVE_LOGIN_HOST";
const CLIENT_ID: &str = "LIVE_CLIENT_ID";
const CLIENT_SECRET: &str = "LIVE_CLIENT_SECRET";

pub(super) async fn run(ui: &mut Ui, arguments: LiveCheck) -> Result<Ending> {
    if let (Some(transcript), Some(out)) = (&arguments.from_transcript, &arguments.out) {
        files::import(ui, transcript, out)?;
        return Ok(Ending::Done);
    }
    if let (Some(file), Some(org)) = (&arguments.cases, &arguments.org) {
        return cases::run(ui, &arguments, file, org).await;
    }
    let Some(tried) = Tried::open(ui, &arguments).await? else {
        let why = format!(
            "not run: set {LOGIN_HOST} (the org's My Domain), {CLIENT_ID} and {CLIENT_SECRET}, or name a stored connection with --team"
        );
        ui.json(&serde_json::json!({ "run": false, "why": why }))?;
        ui.print(why);
        return Ok(Ending::Done);
    };
    ui.note("Test Leads are created in the org and deleted again; their company is `live-check (delete me)`.");
    let connection = match (&tried.stored, arguments.revoke) {
        (Some(_), false) => Connection::Keep,
        _ => Connection::Revoke,
    };
    let summary = ::live_check::run(&tried.subject, connection, |step| show(ui, step)).await;
    files::write_transcript(tried.subject.recorder(), &arguments.transcript)?;
    if let Some((stored, team)) = &tried.stored
        && stored.store.load(&stored.key).await?.is_none()
    {
        stored.forget(team).await?;
    }
    conclude(ui, &summary, &arguments)
}

/// What is tried.
struct Tried {
    subject: Subject,
    /// The stored connection and its team.
    stored: Option<(Stored, String)>,
}

impl Tried {
    /// The stored connection that is named, else the org that the environment names, else nothing.
    async fn open(ui: &mut Ui, arguments: &LiveCheck) -> Result<Option<Self>> {
        if let Some(team) = &arguments.team {
            let component = target::component(ui, arguments.component.as_deref())?;
            let stored = Stored::find(&component, &arguments.data, team).await?;
            let policy = target::read_policy(arguments.policy.as_deref())?;
            let policy = with_stand_in(policy, &component.manifest()?, stored.origin())?;
            let client = stored.store.client(&stored.key).await?.context("the stored connection has no client")?;
            let store = Arc::new(stored.store.clone());
            let key = stored.key.clone();
            let subject =
                Subject::load(component.content(), policy, store, key.credential, client, key.connection).await?;
            announce_stand_ins(ui, subject.plugin().effective());
            return Ok(Some(Self { subject, stored: Some((stored, team.clone())) }));
        }
        let Some(login_host) = variable(LOGIN_HOST) else { return Ok(None) };
        let client_id = variable(CLIENT_ID).ok_or(LiveCheckError::Incomplete(CLIENT_ID))?;
        let secret = variable(CLIENT_SECRET).ok_or(LiveCheckError::Incomplete(CLIENT_SECRET))?;
        let client = ClientRegistration { client_id, client_secret: Some(Secret::new(secret)) };
        let subject = by_client_credentials(ui, arguments, &absolute(&login_host), client).await?;
        Ok(Some(Self { subject, stored: None }))
    }
}

/// The plugin, and an org that it has yet to be connected to, without a person.
async fn by_client_credentials(
    ui: &mut Ui,
    arguments: &LiveCheck,
    login_host: &str,
    client: ClientRegistration,
) -> Result<Subject> {
    let policy = target::read_policy(arguments.policy.as_deref())?;
    let component = target::component(ui, arguments.component.as_deref())?;
    let manifest = component.manifest()?;
    let policy = match login_host.parse() {
        Ok(origin) => with_stand_in(policy, &manifest, &origin)?,
        Err(_) => policy,
    };
    let secrets = Arc::new(MemoryStore::new());
    let connection = ConnectionId::new("live-check");
    let credential = only_credential(&manifest)?;
    let subject = Subject::load(component.content(), policy, secrets, credential, client, connection).await?;
    announce_stand_ins(ui, subject.plugin().effective());
    Ok(subject.with_client_credentials(login_host))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn show(ui: &Ui, step: &StepReport) {
    let mark = match step.outcome {
        Outcome::AsExpected => "as expected",
        Outcome::Differs => "DIFFERS",
        Outcome::Skipped => "skipped",
    };
    ui.print(format!("{mark:>11}  {:<28} {}", step.id, step.found));
    if step.outcome == Outcome::Differs {
        ui.print(format!("{:13}done:     {}", "", step.does));
        ui.print(format!("{:13}expected: {}", "", step.expects));
        if let Some(detail) = &step.detail {
            ui.print(format!("{:13}its words: {detail}", ""));
        }
        if let Some(remedy) = step.remedy {
            ui.print(format!("{:13}do:       {remedy}", ""));
        }
    }
}

fn conclude(ui: &Ui, summary: &Summary, arguments: &LiveCheck) -> Result<Ending> {
    let differing = summary.count(Outcome::Differs);
    ui.json(&serde_json::json!({ "run": true, "summary": summary, "transcript": arguments.transcript }))?;
    ui.print(format!(
        "\n{} of {} steps as expected, {differing} otherwise, {} skipped. Transcript: {}",
        summary.count(Outcome::AsExpected),
        summary.steps.len(),
        summary.count(Outcome::Skipped),
        arguments.transcript.display()
    ));
    if summary.unanswered > 0 {
        ui.note(format!(
            "{} creates got no answer; the org may still carry them out: look in ten minutes for Leads whose company is \
             `live-check (delete me)`, and delete them by hand",
            summary.unanswered
        ));
    }
    for lead in &summary.left_behind {
        ui.note(format!("the test Lead {lead} could not be deleted; delete it by hand"));
    }
    Ok(if differing == 0 { Ending::Done } else { Ending::Refused })
}
