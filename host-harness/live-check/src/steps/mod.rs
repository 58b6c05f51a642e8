//! Runs the steps in order.

mod ending;
mod reading;
mod refusals;
mod table;
mod writing;

use crm_booking::{Mapping, Memos};
use crm_host::types::{Account, FieldList};
use jiff::Timestamp;
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
    /// Name of the step.
    pub id: &'static str,
    /// What it does.
    pub does: &'static str,
    /// What it expects.
    pub expects: &'static str,
    /// What to do if it finds something else.
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

/// Outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As expected.
    AsExpected,
    /// Different from what was expected.
    Differs,
    /// Skipped.
    Skipped,
}

/// Report on a step.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Name of the step.
    pub id: &'static str,
    /// What was done.
    pub does: &'static str,
    /// What was expected.
    pub expects: &'static str,
    /// The outcome.
    pub outcome: Outcome,
    /// What was found, in codes.
    pub found: String,
    /// The org's message. It may contain values, so it is not in the transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

/// Reports on all steps.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// In order.
    pub steps: Vec<StepReport>,
    /// Ids of test Leads that could not be deleted.
    pub left_behind: Vec<String>,
    /// Number of creates without a response or a Lead; the org may still carry them out.
    pub unanswered: usize,
}

impl Summary {
    /// Number of steps with this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.steps.iter().filter(|step| step.outcome == outcome).count()
    }
}

/// What to do with the connection at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Keep it.
    Keep,
    /// Revoke it.
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

/// What the steps have found out.
struct Run<'a> {
    subject: &'a Subject,
    ending: Ending,
    samples: Samples,
    is_connected: bool,
    account: Option<Account>,
    described: Option<Value>,
    fields: Option<FieldList>,
    memos: Memos,
    mapping: Option<Mapping>,
    /// The values that the plugin would write, as it would send them.
    body: Option<Map<String, Value>>,
    /// The Lead of booking 1.
    lead: Option<String>,
    /// All known test Leads.
    leads: Vec<String>,
    /// Creates without a response or a Lead.
    unanswered: usize,
}

/// Runs all steps and reports each one as soon as it ends. A failed step does not stop steps that do not need it. The test
/// Leads are searched and deleted in any case, including those without a response.
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
        memos: Memos::default(),
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
        Err(obstacle) => (Outcome::Differs, obstacle.code().to_owned(), Some(crm_host::full_message(&obstacle))),
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

    /// A path of the REST API in the plugin's version.
    fn api(&self, rest: &str) -> Result<String, Obstacle> {
        let account = self.account.as_ref().ok_or(Obstacle::Needs("doctor"))?;
        let version = fact(account, "api-version").ok_or(Obstacle::Needs("doctor"))?;
        Ok(format!("/services/data/v{version}/{rest}"))
    }

    /// The fields of the org's own describe result, which has more than the plugin lists.
    fn described(&self) -> Result<&[Value], Obstacle> {
        let fields = self.described.as_ref().and_then(|result| result.get("fields")).and_then(Value::as_array);
        Ok(fields.ok_or(Obstacle::Needs("describe"))?)
    }

    fn fields(&self) -> Result<&FieldList, Obstacle> {
        self.fields.as_ref().ok_or(Obstacle::Needs("list-fields"))
    }

    fn mapping(&self) -> Result<&Mapping, Obstacle> {
        self.mapping.as_ref().ok_or(Obstacle::Needs("list-fields"))
    }

    fn lead(&self) -> Result<&str, Obstacle> {
        self.lead.as_deref().ok_or(Obstacle::Needs("create"))
    }
}

/// A fact about the account.
fn fact<'a>(account: &'a Account, id: &str) -> Option<&'a str> {
    account.facts.iter().find(|fact| fact.id == id).map(|fact| fact.value.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_has_a_unique_name_and_a_remedy() {
        let ids: BTreeSet<&str> = STEPS.iter().map(|step| step.id).collect();
        assert_eq!(ids.len(), STEPS.len());
        for step in STEPS {
            assert!(![step.does, step.expects, step.remedy].contains(&""), "{}", step.id);
        }
    }

    #[test]
    fn an_impossible_step_is_skipped_and_a_failed_one_has_a_remedy() {
        let [first, ..] = STEPS else { unreachable!() };
        let skipped = report(first, Err(Obstacle::Needs("doctor")));
        assert_eq!((skipped.outcome, skipped.remedy), (Outcome::Skipped, None));
        let failed = report(first, Err(Obstacle::Request("no host".into())));
        assert_eq!((failed.outcome, failed.remedy), (Outcome::Differs, Some(first.remedy)));
        assert_eq!(failed.found, "request-invalid", "the code, which a transcript may contain");
    }
}
