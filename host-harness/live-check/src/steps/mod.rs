//! The steps, in order, and how they end.

mod ending;
mod reading;
mod refusals;
mod table;
mod writing;

use jiff::Timestamp;
use runtime::types::{Account, LeadFields, Mapping};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Obstacle, Subject, samples::Samples};
use refusals::Refusal;
pub(crate) use table::DUPLICATE_STEP;
pub use table::STEPS;
pub(crate) use writing::DUPLICATES_DETECTED;

/// A step of the check.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its name.
    pub id: &'static str,
    /// What is done.
    pub does: &'static str,
    /// What is expected.
    pub expects: &'static str,
    /// What to do when something else is found.
    pub remedy: &'static str,
    action: Action,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Connect,
    Versions,
    Doctor,
    Describe,
    ListFields,
    Options,
    CheckMapping,
    Preview,
    LeftOutValue,
    RequiredBlank,
    Refuse(Refusal),
    InventedToken,
    Create,
    ReadBack,
    RepeatBooking,
    ForgottenBooking,
    KeepExisting,
    FillExisting,
    OverwriteExisting,
    Duplicate,
    DuplicateSaved,
    LongestText,
    Reschedule,
    Delete,
    RescheduleGone,
    Refresh,
    Revoke,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As expected.
    AsExpected,
    /// Otherwise.
    Differs,
    /// Not done.
    Skipped,
}

/// A step that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Its name.
    pub id: &'static str,
    /// What was done.
    pub does: &'static str,
    /// What was expected.
    pub expects: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, in codes.
    pub found: String,
    /// What the org said of it. May hold values; stays out of the transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

/// All steps that were taken.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// In order.
    pub steps: Vec<StepReport>,
    /// Ids of test Leads that could not be deleted.
    pub left_behind: Vec<String>,
    /// How many creates got no answer and left no Lead that was found: the org may still carry them out.
    pub unanswered: usize,
}

impl Summary {
    /// How many steps ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.steps.iter().filter(|step| step.outcome == outcome).count()
    }
}

/// What becomes of the connection in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is kept.
    Keep,
    /// It is revoked.
    Revoke,
}

/// What a step found.
enum Verdict {
    Met(String),
    Unmet { found: String, detail: Option<String> },
    NotApplicable(String),
}

type Verdicts = Result<Verdict, Obstacle>;

fn met(found: impl Into<String>) -> Verdicts {
    Ok(Verdict::Met(found.into()))
}

fn unmet(found: impl Into<String>) -> Verdicts {
    Ok(Verdict::Unmet { found: found.into(), detail: None })
}

fn unmet_because(found: impl Into<String>, detail: impl Into<String>) -> Verdicts {
    Ok(Verdict::Unmet { found: found.into(), detail: Some(detail.into()) })
}

fn not_applicable(why: impl Into<String>) -> Verdicts {
    Ok(Verdict::NotApplicable(why.into()))
}

/// What the steps have come to know.
struct Run<'a> {
    subject: &'a Subject,
    ending: Ending,
    samples: Samples,
    is_connected: bool,
    account: Option<Account>,
    described: Option<Value>,
    fields: Option<LeadFields>,
    mapping: Option<Mapping>,
    /// What the plugin would write, as it would send it.
    body: Option<Map<String, Value>>,
    /// The Lead of booking 1.
    lead: Option<String>,
    /// All test Leads that are known to be there.
    leads: Vec<String>,
    /// Creates that got no answer, and of which no Lead has been found.
    unanswered: usize,
}

/// Takes all steps, and says of each one how it ended as soon as it has. A step that fails does not stop those that do not
/// need it, and the Leads that were made are looked for and deleted in any case, also those of which no answer told.
pub async fn run(subject: &Subject, ending: Ending, mut tell: impl FnMut(&StepReport)) -> Summary {
    let samples = Samples::new(Timestamp::now());
    let mut run = Run {
        subject,
        ending,
        samples,
        is_connected: false,
        account: None,
        described: None,
        fields: None,
        mapping: None,
        body: None,
        lead: None,
        leads: Vec::new(),
        unanswered: 0,
    };
    let mut steps = Vec::with_capacity(STEPS.len());
    for step in STEPS {
        subject.recorder().enter(step.id);
        let report = report(step, run.take(step).await);
        subject.recorder().ended(step.id, report.outcome, report.found.clone());
        tell(&report);
        steps.push(report);
    }
    Summary { steps, left_behind: run.leads, unanswered: run.unanswered }
}

fn report(step: &Step, verdict: Verdicts) -> StepReport {
    let (outcome, found, detail) = match verdict {
        Ok(Verdict::Met(found)) => (Outcome::AsExpected, found, None),
        Ok(Verdict::Unmet { found, detail }) => (Outcome::Differs, found, detail),
        Ok(Verdict::NotApplicable(why)) => (Outcome::Skipped, why, None),
        Err(obstacle @ Obstacle::Needs(_)) => (Outcome::Skipped, obstacle.to_string(), None),
        Err(obstacle) => (Outcome::Differs, obstacle.code().to_owned(), Some(runtime::full_message(&obstacle))),
    };
    let remedy = (outcome == Outcome::Differs).then_some(step.remedy);
    StepReport { id: step.id, does: step.does, expects: step.expects, outcome, found, detail, remedy }
}

impl Run<'_> {
    async fn take(&mut self, step: &Step) -> Verdicts {
        if !self.is_connected && !matches!(step.action, Action::Connect | Action::Options) {
            return Err(Obstacle::Needs("connect"));
        }
        match step.action {
            Action::Connect => self.connect().await,
            Action::Versions => self.versions().await,
            Action::Doctor => self.doctor().await,
            Action::Describe => self.describe().await,
            Action::ListFields => self.list_fields().await,
            Action::Options => self.options().await,
            Action::CheckMapping => self.check_mapping().await,
            Action::Preview => self.preview().await,
            Action::LeftOutValue => self.left_out_value().await,
            Action::RequiredBlank => self.required_blank().await,
            Action::Refuse(refusal) => self.refuse(step.id, refusal).await,
            Action::InventedToken => self.invented_token(step.id).await,
            Action::Create => self.create().await,
            Action::ReadBack => self.read_back().await,
            Action::RepeatBooking => self.repeat_booking().await,
            Action::ForgottenBooking => self.forgotten_booking().await,
            Action::KeepExisting => self.keep_existing().await,
            Action::FillExisting => self.fill_existing().await,
            Action::OverwriteExisting => self.overwrite_existing().await,
            Action::Duplicate => self.duplicate().await,
            Action::DuplicateSaved => self.duplicate_saved().await,
            Action::LongestText => self.longest_text().await,
            Action::Reschedule => self.reschedule().await,
            Action::Delete => self.delete().await,
            Action::RescheduleGone => self.reschedule_gone().await,
            Action::Refresh => self.refresh().await,
            Action::Revoke => self.revoke().await,
        }
    }

    /// A path of the REST API in the plugin's own version.
    fn api(&self, rest: &str) -> Result<String, Obstacle> {
        let version = &self.account.as_ref().ok_or(Obstacle::Needs("doctor"))?.api_version;
        Ok(format!("/services/data/v{version}/{rest}"))
    }

    fn fields(&self) -> Result<&LeadFields, Obstacle> {
        self.fields.as_ref().ok_or(Obstacle::Needs("list-fields"))
    }

    fn mapping(&self) -> Result<&Mapping, Obstacle> {
        self.mapping.as_ref().ok_or(Obstacle::Needs("list-fields"))
    }

    fn lead(&self) -> Result<&str, Obstacle> {
        self.lead.as_deref().ok_or(Obstacle::Needs("create"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_has_a_name_of_its_own_and_says_what_to_do() {
        let ids: BTreeSet<&str> = STEPS.iter().map(|step| step.id).collect();
        assert_eq!(ids.len(), STEPS.len());
        for step in STEPS {
            assert!(![step.does, step.expects, step.remedy].contains(&""), "{}", step.id);
        }
    }

    #[test]
    fn a_step_that_cannot_be_taken_is_skipped_and_one_that_fails_says_what_to_do() {
        let [first, ..] = STEPS else { unreachable!() };
        let skipped = report(first, Err(Obstacle::Needs("doctor")));
        assert_eq!((skipped.outcome, skipped.remedy), (Outcome::Skipped, None));
        let failed = report(first, Err(Obstacle::Request("no host".into())));
        assert_eq!((failed.outcome, failed.remedy), (Outcome::Differs, Some(first.remedy)));
        assert_eq!(failed.found, "request-invalid", "the code, which may stand in a transcript");
    }
}
