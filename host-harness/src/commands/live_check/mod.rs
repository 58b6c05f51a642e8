//! `live-check`: tests the plugin against a real org step by step.

mod cases;
mod transcript_files;

use crm_host::{
    Host,
    credentials::{ClientRegistration, ConnectError, ConnectionId, GrantKey},
};
use salesforce_live_check::{
    Ending as Connection, LiveCheckError, Outcome, StepReport, Subject, Summary, TEST_COMPANY,
};

use super::{Ending, connect::absolute};
use crate::{
    brokers::Brokers,
    cli::LiveCheck,
    component_file::ComponentFile,
    connection::{Stored, registration},
    doubt::{Doubt, Left},
    environment::{LIVE_CLIENT_ID, LIVE_CLIENT_SECRET, LIVE_LOGIN_HOST, environment},
    error::CliError,
    policy_file::{self, announce_test_overrides, with_test_override},
    ui::Ui,
};

pub(super) async fn run(
    ui: &mut Ui,
    doubt: &Doubt,
    brokers: &Brokers,
    arguments: LiveCheck,
) -> Result<Ending, CliError> {
    if let (Some(transcript), Some(out)) = (&arguments.from_transcript, &arguments.out) {
        transcript_files::import(ui, transcript, out)?;
        return Ok(Ending::Done);
    }
    if let (Some(file), Some(org)) = (&arguments.cases, &arguments.org) {
        return cases::run(ui, brokers, &arguments, file, org).await;
    }
    let Some(tested) = Tested::open(ui, brokers, &arguments).await? else {
        let why = ui.say.live_not_run(LIVE_LOGIN_HOST, LIVE_CLIENT_ID, LIVE_CLIENT_SECRET);
        ui.json(&serde_json::json!({ "run": false, "why": why }))?;
        ui.print(why);
        return Ok(Ending::Done);
    };
    ui.note(ui.say.live_leads(TEST_COMPANY));
    doubt.raise(Left::TestLeads);
    let connection = match (&tested.stored, arguments.revoke) {
        (Some(_), false) => Connection::Keep,
        _ => Connection::Revoke,
    };
    let summary = salesforce_live_check::run(&tested.subject, connection, |step| show(ui, step)).await;
    transcript_files::write_transcript(tested.subject.recorder(), &arguments.transcript)?;
    if let Some((stored, team)) = &tested.stored
        && stored.store.load(&stored.key).await?.is_none()
    {
        stored.forget(team).await?;
    }
    let ending = conclude(ui, &summary, &arguments)?;
    doubt.clear();
    Ok(ending)
}

/// The plugin and org under test.
struct Tested {
    subject: Subject,
    /// The stored connection and its team.
    stored: Option<(Stored, String)>,
}

impl Tested {
    /// Opens the named stored connection, or the org that the environment names; `None` without either.
    async fn open(ui: &mut Ui, brokers: &Brokers, arguments: &LiveCheck) -> Result<Option<Self>, CliError> {
        if let Some(team) = &arguments.team {
            let component = ComponentFile::find(ui, arguments.component.as_deref())?;
            let stored = Stored::find(ui, &component, &arguments.databases, team).await?;
            let policy = policy_file::read(arguments.policy.as_deref())?;
            let policy = match &stored.origin {
                Some(origin) => with_test_override(policy, &component.manifest, origin)?,
                None => policy,
            };
            let host = Host::builder().secrets(stored.store.clone());
            let GrantKey { connection, credential, .. } = stored.key.clone();
            let registration = stored.registration.clone().ok_or_else(|| ConnectError::NotOAuth(credential.clone()))?;
            let subject = Subject::load(host, &component.content, policy, credential, registration, connection).await?;
            brokers.add(subject.plugin().broker());
            announce_test_overrides(ui, subject.plugin().permissions());
            return Ok(Some(Self { subject, stored: Some((stored, team.clone())) }));
        }
        let environment = environment();
        let Some(login_host) = &environment.live_login_host else { return Ok(None) };
        let client_id = environment.live_client_id.clone().ok_or(LiveCheckError::Incomplete(LIVE_CLIENT_ID))?;
        let secret = environment.live_client_secret.clone().ok_or(LiveCheckError::Incomplete(LIVE_CLIENT_SECRET))?;
        let client = ClientRegistration { client_id, client_secret: Some(secret) };
        let subject = by_client_credentials(ui, brokers, arguments, &absolute(login_host), client).await?;
        Ok(Some(Self { subject, stored: None }))
    }
}

/// Loads the plugin for an org that it will connect to by client credentials.
async fn by_client_credentials(
    ui: &mut Ui,
    brokers: &Brokers,
    arguments: &LiveCheck,
    login_host: &str,
    client: ClientRegistration,
) -> Result<Subject, CliError> {
    let policy = policy_file::read(arguments.policy.as_deref())?;
    let component = ComponentFile::find(ui, arguments.component.as_deref())?;
    let origin = login_host.parse().ok();
    let policy = match &origin {
        Some(origin) => with_test_override(policy, &component.manifest, origin)?,
        None => policy,
    };
    let connection = ConnectionId::new("live-check");
    let credential = component.credential()?;
    let registration = registration(client, &component.manifest, &credential, &origin);
    let subject =
        Subject::load(Host::builder(), &component.content, policy, credential, registration, connection).await?;
    brokers.add(subject.plugin().broker());
    announce_test_overrides(ui, subject.plugin().permissions());
    Ok(subject.with_client_credentials(login_host))
}

fn show(ui: &Ui, step: &StepReport) {
    let mark = match step.outcome {
        Outcome::AsExpected => ui.say.live_as_expected(),
        Outcome::Differs => ui.say.live_differs(),
        Outcome::Skipped => ui.say.live_skipped(),
    };
    ui.print(format!("{mark:>11}  {:<28} {}", step.id, step.found));
    if step.outcome == Outcome::Differs {
        ui.print(format!("{:13}{}", "", ui.say.live_done(step.does)));
        ui.print(format!("{:13}{}", "", ui.say.live_expected(step.expects)));
        if let Some(detail) = &step.detail {
            ui.print(format!("{:13}{}", "", ui.say.live_words(detail)));
        }
        if let Some(remedy) = step.remedy {
            ui.print(format!("{:13}{}", "", ui.say.live_remedy(remedy)));
        }
    }
}

fn conclude(ui: &Ui, summary: &Summary, arguments: &LiveCheck) -> Result<Ending, CliError> {
    let differing = summary.count(Outcome::Differs);
    ui.json(&serde_json::json!({ "run": true, "summary": summary, "transcript": arguments.transcript }))?;
    let (all, as_expected) = (summary.steps.len(), summary.count(Outcome::AsExpected));
    let file = arguments.transcript.display();
    ui.print(format!("\n{}", ui.say.live_summary(as_expected, all, differing, summary.count(Outcome::Skipped), file)));
    if summary.unanswered > 0 {
        ui.note(ui.say.live_unanswered(summary.unanswered, TEST_COMPANY));
    }
    for lead in &summary.left_behind {
        ui.note(ui.say.live_left_behind(lead));
    }
    Ok(if differing == 0 { Ending::Done } else { Ending::Refused })
}
