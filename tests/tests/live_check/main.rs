//! The steps for a real org, taken against an org on this machine; and the command without an org.

use acceptance::command::{ended, harness};
use acceptance::system::{CREDENTIAL, component};
use anyhow::{Context as _, Result, ensure};
use live_check::{Ending, Imported, Line, Outcome, STEPS, Subject, Summary, Transcript};
use local_org::{Options, OrgFile, RunningOrg, visitor};
use runtime::credentials::{ClientRegistration, ConnectionId, GrantKey, GrantState, MemoryStore, SecretStore as _};
use runtime::origin::Origin;
use runtime::policy::{Policy, StandIn};
use runtime::secret::Secret;
use std::fs;
use std::sync::Arc;
use store::{SqliteStore, TeamConnection};

/// How the connection is made.
#[derive(Clone, Copy)]
enum By {
    /// By a person, in the browser.
    Person,
    /// By the app itself.
    App,
}

/// An org on this machine and the subject that is checked against it.
struct Checked {
    org: RunningOrg,
    subject: Subject,
}

impl Checked {
    async fn start(file: OrgFile, by: By) -> Result<Self> {
        let org = local_org::serve(file, Options::default()).await?;
        let origin: Origin = org.base_url().parse()?;
        let policy = Policy {
            stand_ins: vec![StandIn::new("https://*.my.salesforce.com".parse()?, origin)?],
            ..Policy::default()
        };
        let app = org.app();
        let client =
            ClientRegistration { client_id: app.client_id, client_secret: Some(Secret::new(app.client_secret)) };
        let secrets = Arc::new(MemoryStore::new());
        let connection = ConnectionId::new("live-check");
        let subject = Subject::load(component()?, policy, secrets, CREDENTIAL.parse()?, client, connection).await?;
        match by {
            By::App => subject.connect_with_client_credentials(org.base_url()).await?,
            By::Person => {
                let callback = app.redirect_uris.first().context("a callback")?;
                let broker = subject.plugin().broker();
                let pending = broker.begin(subject.connection(), CREDENTIAL, org.base_url(), callback)?;
                let user = org.org().file().users.into_iter().next().context("a user")?;
                let back = visitor::allow(pending.authorize_url().as_str(), &user.username, &user.password).await?;
                let (_, query) = back.split_once('?').context("a callback with a query")?;
                broker.finish(pending, query).await?;
            }
        }
        Ok(Self { org, subject })
    }

    /// Takes all steps, and holds what must be so whatever the org answers.
    async fn check(&self, ending: Ending) -> Result<Summary> {
        let mut told = Vec::new();
        let summary = live_check::run(&self.subject, ending, |step| told.push(step.id)).await;
        ensure!(told == STEPS.iter().map(|step| step.id).collect::<Vec<_>>(), "each step is told as it ends: {told:?}");
        ensure!(summary.left_behind.is_empty() && self.org.org().leads().is_empty(), "no test Lead is left behind");
        Ok(summary)
    }

    fn transcript(&self) -> Result<Transcript> {
        Ok(self.subject.recorder().transcript()?)
    }
}

/// The steps that did not end as expected, and how.
fn others(summary: &Summary) -> Vec<(&str, Outcome, &str)> {
    let others = summary.steps.iter().filter(|step| step.outcome != Outcome::AsExpected);
    others.map(|step| (step.id, step.outcome, step.found.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_ends_as_expected_against_a_new_enterprise_org() -> Result<()> {
    for by in [By::App, By::Person] {
        let checked = Checked::start(OrgFile::enterprise()?, by).await?;
        let summary = checked.check(Ending::Revoke).await?;
        assert_eq!(others(&summary), [], "all as expected");
        assert!(summary.count(Outcome::AsExpected) >= 20);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_end_as_expected_or_say_why_not_in_other_orgs() -> Result<()> {
    for (org, expected) in [
        ("duplicates-block", &["longest-text"][..]),
        ("duplicates-alert", &[]),
        ("person-accounts", &[]),
        ("record-types", &[]),
        ("rotation-30-days", &[]),
        ("many-fields", &[]),
        ("developer-state-country", &[]),
    ] {
        let file = OrgFile::named(org).context("an org that is built in")??;
        let checked = Checked::start(file, By::Person).await?;
        let summary = checked.check(Ending::Revoke).await?;
        let found: Vec<&str> = others(&summary).iter().map(|(id, _, _)| *id).collect();
        assert_eq!(found, expected, "{org}: {:?}", others(&summary));
        assert_eq!(summary.count(Outcome::Differs), 0, "{org}: {:?}", others(&summary));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_differs_says_what_to_do() -> Result<()> {
    let mut file = OrgFile::enterprise()?;
    file.fields.retain(|field| field.name != "BookingId__c");
    let checked = Checked::start(file, By::App).await?;
    let summary = checked.check(Ending::Keep).await?;
    let differing: Vec<_> = summary.steps.iter().filter(|step| step.outcome == Outcome::Differs).collect();
    let ids: Vec<&str> = differing.iter().map(|step| step.id).collect();
    assert_eq!(ids, ["list-fields", "booking-id-repeat", "booking-id-unique"], "{:?}", others(&summary));
    assert!(differing.iter().all(|step| step.remedy.is_some_and(|remedy| remedy.contains("docs/salesforce-app"))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_kept_still_works_afterwards() -> Result<()> {
    let checked = Checked::start(OrgFile::named("rotation-30-days").context("an org")??, By::Person).await?;
    let summary = checked.check(Ending::Keep).await?;
    assert_eq!(others(&summary).iter().map(|(id, _, _)| *id).collect::<Vec<_>>(), ["revoke"]);
    let listed = checked.subject.plugin().list_lead_fields(checked.subject.connection()).await?;
    assert!(listed.answer.is_ok());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_holds_no_secret_no_id_and_no_name() -> Result<()> {
    let checked = Checked::start(OrgFile::enterprise()?, By::Person).await?;
    let (org, subject) = (checked.org.org(), &checked.subject);
    let state = subject.plugin().broker().state(subject.connection(), CREDENTIAL).await?.context("a grant")?.state;
    let GrantState::Live(grant) = state else { anyhow::bail!("a grant that holds") };
    let mut hidden: Vec<String> = grant.secrets().map(|secret| secret.expose().to_owned()).collect();
    let app = checked.org.app();
    hidden.extend([app.client_id, app.client_secret, checked.org.base_url().to_owned()]);
    let file = org.file();
    hidden.push(file.name);
    for user in file.users {
        hidden.extend([user.username, user.password, user.email]);
    }
    hidden.extend(grant.attributes().values().cloned());

    checked.check(Ending::Revoke).await?;
    for entry in org.requests() {
        // The ids of Leads stand in paths and answers.
        hidden.extend(entry.path.split('/').filter(|segment| segment.starts_with("00Q")).map(str::to_owned));
    }
    let text = checked.transcript()?.to_json_lines()?;
    for hidden in hidden.iter().filter(|text| !text.is_empty()) {
        assert!(!text.contains(hidden.as_str()), "the transcript tells {hidden}");
    }
    assert!(!text.to_lowercase().contains("bearer"));
    let exchanges =
        |method: &str| text.lines().filter(|line| line.contains(&format!("\"method\":\"{method}\""))).count();
    assert!(exchanges("GET") > 5 && exchanges("POST") > 10 && exchanges("DELETE") > 1, "all requests are in it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_made_of_a_transcript_answers_as_the_one_that_it_was_made_of() -> Result<()> {
    for org in ["enterprise", "person-accounts", "developer-state-country", "hidden-fields"] {
        let file = OrgFile::named(org).context("an org that is built in")??;
        let original = Checked::start(file, By::App).await?;
        original.check(Ending::Revoke).await?;
        let text = original.transcript()?.to_json_lines()?;

        let imported = Imported::from_transcript(&Transcript::parse(&text)?)?;
        let rebuilt = OrgFile::parse(&imported.org_toml()?)?;
        assert!(imported.cases.len() >= 12, "{org}: {} cases", imported.cases.len());
        let copy = Checked::start(rebuilt, By::App).await?;
        copy.check(Ending::Keep).await?;
        let described = |transcript: &Transcript| {
            let fields = transcript.describe().and_then(|result| result["fields"].as_array()).cloned();
            let mut names: Vec<_> = fields.into_iter().flatten().map(|field| field["name"].clone()).collect();
            names.sort_by_key(ToString::to_string);
            names
        };
        assert_eq!(described(&copy.transcript()?), described(&original.transcript()?), "{org}: the same fields");
        let copied = Imported::from_transcript(&copy.transcript()?)?.cases;
        assert_eq!(copied.len(), imported.cases.len());
        for (copied, case) in copied.iter().zip(&imported.cases) {
            assert_eq!((copied.status, &copied.errors), (case.status, &case.errors), "{org}: {}", case.id);
        }
    }
    Ok(())
}

#[test]
fn without_an_org_the_command_says_that_it_did_not_run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = harness(folder.path())?;
    let command = command.arg("live-check").env_remove("LIVE_LOGIN_HOST");
    let (code, out, err) = ended(&command.output()?);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("not run: set LIVE_LOGIN_HOST"), "{out}");
    assert!(!format!("{out}{err}").to_lowercase().contains("passed"));
    assert_eq!(fs::read_dir(folder.path())?.count(), 0, "nothing was written");
    Ok(())
}

#[test]
fn a_named_org_without_a_way_in_is_an_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = harness(folder.path())?;
    let command =
        command.arg("live-check").env("LIVE_LOGIN_HOST", "acme.my.salesforce.com").env_remove("LIVE_CLIENT_ID");
    let (code, out, err) = ended(&command.output()?);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("LIVE_CLIENT_ID is not set"), "{err}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_connection_is_kept_unless_it_shall_be_revoked() -> Result<()> {
    let org = local_org::serve(OrgFile::enterprise()?, Options::default()).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("salesforce_leads.wasm");
    fs::write(&file, component()?)?;
    let login_host: Origin = org.base_url().parse()?;
    let app = org.app();
    let client = ClientRegistration { client_id: app.client_id, client_secret: Some(Secret::new(app.client_secret)) };
    let key = GrantKey { connection: ConnectionId::new("uat-1"), credential: CREDENTIAL.parse()? };
    let store = SqliteStore::open(&folder.path().join("data"))?;
    let policy = Policy {
        stand_ins: vec![StandIn::new("https://*.my.salesforce.com".parse()?, login_host.clone())?],
        ..Policy::default()
    };
    let secrets = Arc::new(store.clone());
    let subject =
        Subject::load(component()?, policy, secrets, CREDENTIAL.parse()?, client.clone(), key.connection.clone())
            .await?;
    subject.connect_with_client_credentials(org.base_url()).await?;
    store.put_client(&key, client).await?;
    store
        .put_connection(TeamConnection {
            team: "uat".to_owned(),
            plugin: "salesforce-leads".to_owned(),
            connection: key.connection.clone(),
            login_host,
            account_id: None,
            connected_at: org.org().now(),
        })
        .await?;

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

#[tokio::test(flavor = "multi_thread")]
async fn the_command_checks_an_org_and_makes_a_local_one_of_the_transcript() -> Result<()> {
    let org = local_org::serve(OrgFile::enterprise()?, Options::default()).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("salesforce_leads.wasm");
    fs::write(&file, component()?)?;
    let mut check = harness(folder.path())?;
    check.arg("live-check").arg("--component").arg(&file);
    check.env("LIVE_LOGIN_HOST", org.base_url());
    check.env("LIVE_CLIENT_ID", org.app().client_id).env("LIVE_CLIENT_SECRET", org.app().client_secret);
    let output = tokio::task::spawn_blocking(move || check.output()).await??;
    let (code, out, err) = ended(&output);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("{0} of {0} steps as expected", STEPS.len())), "{out}");

    let mut import = harness(folder.path())?;
    import.args(["live-check", "--from-transcript", "live-check.jsonl", "--out", "imported"]);
    let (code, out, err) = ended(&import.output()?);
    assert_eq!(code, 0, "{out}{err}");
    OrgFile::parse(&fs::read_to_string(folder.path().join("imported/org.toml"))?)?;
    let cases: Vec<live_check::Case> = serde_json::from_slice(&fs::read(folder.path().join("imported/cases.json"))?)?;
    assert!(cases.iter().any(|case| case.id == "refusal-too-long" && case.status == 400));
    let text = fs::read_to_string(folder.path().join("live-check.jsonl"))?;
    assert!(Transcript::parse(&text)?.lines.iter().any(|line| matches!(line, Line::Exchange(_))));
    Ok(())
}
