//! Shared parts of these tests: a local org and the steps run against it.

use acceptance::memory;
use acceptance::system::{CREDENTIAL, component, registration};
use anyhow::{Context as _, Result, ensure};
use crm_host::credentials::{Asker, ConnectRequest, ConnectionId};
use crm_host::origin::Origin;
use crm_host::policy::{Policy, TestOverride};
use crm_host::secret::Secret;
use salesforce_live_check::{Ending, Outcome, STEPS, StepReport, Subject, Summary, Transcript};
use salesforce_local_org::{Options, OrgFile, RunningOrg, visitor};

/// How the connection is authorized.
#[derive(Clone, Copy)]
pub enum By {
    /// By a person in the browser.
    Person,
    /// By client credentials.
    App,
}

/// A local org and the subject checked against it.
pub struct Checked {
    pub org: RunningOrg,
    pub subject: Subject,
}

impl Checked {
    pub async fn start(file: OrgFile, by: By) -> Result<Self> {
        let org = salesforce_local_org::serve(file, Options::default()).await?;
        let origin: Origin = org.base_url().parse()?;
        let policy = Policy {
            test_overrides: vec![TestOverride::new("https://*.my.salesforce.com".parse()?, origin)?],
            ..Policy::default()
        };
        let app = org.app();
        let registration = registration(&app)?;
        let connection = ConnectionId::new("live-check");
        let subject =
            Subject::load(memory::host(), component()?, policy, CREDENTIAL.parse()?, registration, connection).await?;
        let subject = match by {
            By::App => subject.with_client_credentials(org.base_url()),
            By::Person => {
                let callback = app.redirect_uris.first().context("a callback")?;
                let broker = subject.plugin().broker();
                let browser = Secret::new("cookie");
                let pending = broker.begin(ConnectRequest {
                    connection: subject.connection(),
                    credential: CREDENTIAL,
                    login_host: org.base_url(),
                    redirect_uri: callback,
                    asker: &Asker::operator(),
                    browser: &browser,
                })?;
                let user = org.org().file().users.into_iter().next().context("a user")?;
                let back = visitor::allow(pending.authorize_url().as_str(), &user.username, &user.password).await?;
                let (_, query) = back.split_once('?').context("a callback with a query")?;
                broker.finish(pending, query, &browser).await?;
                subject
            }
        };
        Ok(Self { org, subject })
    }

    /// Runs all steps and checks that no Lead is left behind.
    pub async fn check(&self, ending: Ending) -> Result<Summary> {
        let summary = self.check_with(ending, |_| {}).await?;
        ensure!(summary.left_behind.is_empty() && self.org.org().leads().is_empty(), "no test Lead is left behind");
        Ok(summary)
    }

    /// Runs all steps and calls `then` after each. Checks that every step is reported.
    pub async fn check_with(&self, ending: Ending, mut then: impl FnMut(&StepReport)) -> Result<Summary> {
        let mut told = Vec::new();
        let tell = |step: &StepReport| {
            told.push(step.id);
            then(step);
        };
        let summary = salesforce_live_check::run(&self.subject, ending, tell).await;
        ensure!(
            told == STEPS.iter().map(|step| step.id).collect::<Vec<_>>(),
            "each step is reported as it ends: {told:?}"
        );
        Ok(summary)
    }

    pub fn transcript(&self) -> Result<Transcript> {
        Ok(self.subject.recorder().transcript()?)
    }
}

/// The steps that did not end as expected, with their outcomes.
pub fn others(summary: &Summary) -> Vec<(&str, Outcome, &str)> {
    let others = summary.steps.iter().filter(|step| step.outcome != Outcome::AsExpected);
    others.map(|step| (step.id, step.outcome, step.found.as_str())).collect()
}

/// The steps whose result differs from the expected one.
pub fn differing(summary: &Summary) -> Vec<&StepReport> {
    summary.steps.iter().filter(|step| step.outcome == Outcome::Differs).collect()
}
