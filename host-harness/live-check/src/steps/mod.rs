//! The steps, in order, and how they end.

mod ending;
mod reading;
mod refusals;
mod writing;

use jiff::Timestamp;
use runtime::types::{Account, LeadFields, Mapping};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Obstacle, Subject, samples::Samples};
use refusals::Refusal;

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
    account: Option<Account>,
    described: Option<Value>,
    fields: Option<LeadFields>,
    mapping: Option<Mapping>,
    /// What the plugin would write, as it would send it.
    body: Option<Map<String, Value>>,
    /// The Lead of booking 1.
    lead: Option<String>,
    /// All test Leads that are still there.
    leads: Vec<String>,
}

/// Takes all steps, and says of each one how it ended as soon as it has. A step that fails does not stop those that do not
/// need it, and the Leads that were made are deleted in any case.
pub async fn run(subject: &Subject, ending: Ending, mut tell: impl FnMut(&StepReport)) -> Summary {
    let samples = Samples::new(Timestamp::now());
    let mut run = Run {
        subject,
        ending,
        samples,
        account: None,
        described: None,
        fields: None,
        mapping: None,
        body: None,
        lead: None,
        leads: Vec::new(),
    };
    let mut steps = Vec::with_capacity(STEPS.len());
    for step in STEPS {
        subject.recorder().enter(step.id);
        let report = report(step, run.take(step).await);
        subject.recorder().ended(step.id, report.outcome, report.found.clone());
        tell(&report);
        steps.push(report);
    }
    Summary { steps, left_behind: run.leads }
}

fn report(step: &Step, verdict: Verdicts) -> StepReport {
    let (outcome, found, detail) = match verdict {
        Ok(Verdict::Met(found)) => (Outcome::AsExpected, found, None),
        Ok(Verdict::Unmet { found, detail }) => (Outcome::Differs, found, detail),
        Ok(Verdict::NotApplicable(why)) => (Outcome::Skipped, why, None),
        Err(obstacle @ Obstacle::Needs(_)) => (Outcome::Skipped, obstacle.to_string(), None),
        Err(obstacle) => (Outcome::Differs, obstacle.code().to_owned(), Some(obstacle.to_string())),
    };
    let remedy = (outcome == Outcome::Differs).then_some(step.remedy);
    StepReport { id: step.id, does: step.does, expects: step.expects, outcome, found, detail, remedy }
}

impl Run<'_> {
    async fn take(&mut self, step: &Step) -> Verdicts {
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

const SEE_CODE: &str =
    "see the code in docs/errors.md; `host-harness doctor` and `preview` with the same connection tell more";
const LEARN: &str =
    "keep the transcript: the plugin or the local org must learn this answer (`live-check --from-transcript`)";

const DEPLOY: &str = "deploy the metadata in docs/salesforce-app and assign its permission set to the connected user";

/// The steps, in order.
pub const STEPS: &[Step] = &[
    step(
        Action::Connect,
        "connect",
        "looks at the grant",
        "a grant that holds",
        "connect again with `host-harness connect`",
    ),
    step(
        Action::Versions,
        "versions",
        "asks which API versions there are",
        "a list of versions",
        "check the login host: this address does not answer as an org does",
    ),
    step(Action::Doctor, "doctor", "lets the plugin check the connection", "no problem", SEE_CODE),
    step(
        Action::Describe,
        "describe",
        "reads the Lead's describe result",
        "fields, LastName among them",
        "give the connected user read access to Leads and their fields",
    ),
    step(
        Action::ListFields,
        "list-fields",
        "lets the plugin list the fields and counts them against the describe result",
        "every field offered or withheld; what is offered can be created and updated; BookingId__c is unique",
        DEPLOY,
    ),
    step(
        Action::Options,
        "options",
        "asks for the plugin's own choices",
        "choices in Japanese and English, no request",
        LEARN,
    ),
    step(
        Action::CheckMapping,
        "check-mapping",
        "holds the check's own mapping against the org",
        "nothing that would refuse a booking",
        "the org requires a field that the check cannot fill; use an org whose Leads need less",
    ),
    step(Action::Preview, "preview", "previews a booking", "a Lead would be created, no finding", SEE_CODE),
    step(
        Action::LeftOutValue,
        "left-out-value",
        "previews a booking with an e-mail address that is none",
        "the address is left out with a finding, or refuses the booking where the org requires it",
        LEARN,
    ),
    step(
        Action::RequiredBlank,
        "required-blank",
        "delivers a booking without a name",
        "the problem `required-field-blank` on LastName, nothing written",
        LEARN,
    ),
    refusal(
        Refusal::RequiredBlank,
        "refusal-required-blank",
        "posts a Lead without LastName",
        "400 REQUIRED_FIELD_MISSING",
    ),
    refusal(Refusal::TooLong, "refusal-too-long", "posts a Company one character too long", "400 STRING_TOO_LONG"),
    refusal(Refusal::BadEmail, "refusal-bad-email", "posts an Email that is none", "400 INVALID_EMAIL_ADDRESS"),
    refusal(
        Refusal::RestrictedPicklist,
        "refusal-restricted-picklist",
        "posts an unknown value of a restricted picklist",
        "400 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    ),
    refusal(Refusal::UnknownField, "refusal-unknown-field", "posts a field that does not exist", "400 INVALID_FIELD"),
    refusal(
        Refusal::ReadOnlyField,
        "refusal-read-only-field",
        "posts the compound field Name",
        "400 INVALID_FIELD_FOR_INSERT_UPDATE",
    ),
    refusal(Refusal::WrongType, "refusal-wrong-type", "posts a word for a number", "400 JSON_PARSER_ERROR"),
    refusal(
        Refusal::OutOfRange,
        "refusal-out-of-range",
        "posts a number with more digits than the field takes",
        "400 NUMBER_OUTSIDE_VALID_RANGE",
    ),
    refusal(Refusal::BadReference, "refusal-bad-reference", "posts an OwnerId that is no id", "400 MALFORMED_ID"),
    refusal(Refusal::MalformedJson, "refusal-malformed-json", "posts half an object", "400 JSON_PARSER_ERROR"),
    refusal(
        Refusal::UnknownObject,
        "refusal-unknown-object",
        "posts to an object that does not exist",
        "404 NOT_FOUND",
    ),
    refusal(Refusal::MalformedQuery, "refusal-malformed-query", "sends half a query", "400 MALFORMED_QUERY"),
    step(
        Action::InventedToken,
        "refusal-invented-token",
        "asks with a token that nobody issued",
        "401 INVALID_SESSION_ID",
        LEARN,
    ),
    step(
        Action::Create,
        "create",
        "delivers the booking",
        "a Lead, in one request that writes",
        "a rule of the org (validation, duplicate, flow) may refuse the test Lead; use an org that takes it",
    ),
    step(
        Action::ReadBack,
        "read-back",
        "reads the Lead",
        "the values as they were sent, Japanese text intact",
        "a flow or trigger of the org may have changed the Lead; otherwise keep the transcript",
    ),
    step(
        Action::RepeatBooking,
        "booking-id-repeat",
        "delivers the same booking again, as after an answer that was lost",
        "the Lead that is there, found by the booking id, no second one",
        DEPLOY,
    ),
    step(
        Action::ForgottenBooking,
        "booking-id-unique",
        "delivers the same booking again, as if nothing were known of it",
        "the Lead that is there: DUPLICATE_VALUE on the booking id, or read by it where a duplicate rule blocks first",
        DEPLOY,
    ),
    step(
        Action::KeepExisting,
        "existing-keep",
        "delivers another booking of the same guest, existing Leads to be kept",
        "the Lead is found and left as it is",
        LEARN,
    ),
    step(
        Action::FillExisting,
        "existing-fill-empty",
        "blanks FirstName, then delivers another booking of the same guest, blanks to be filled",
        "the Lead is found and FirstName is filled",
        LEARN,
    ),
    step(
        Action::OverwriteExisting,
        "existing-overwrite",
        "delivers another booking of the same guest, existing Leads to be overwritten",
        "the Lead is found and changed",
        LEARN,
    ),
    step(
        Action::Duplicate,
        "duplicate",
        "delivers another booking of the same guest, duplicate rules to be respected",
        "DUPLICATES_DETECTED, or a second Lead where no rule of the org applies",
        LEARN,
    ),
    step(
        Action::DuplicateSaved,
        "duplicate-save-anyway",
        "delivers another booking of the same guest, to be saved anyway",
        "a second Lead, or DUPLICATES_DETECTED where the rule blocks",
        LEARN,
    ),
    step(
        Action::LongestText,
        "longest-text",
        "delivers a booking whose company is far too long, in characters of two UTF-16 units",
        "a Lead with the company shortened: the org counts no stricter than the plugin",
        "keep the transcript: the plugin must shorten further",
    ),
    step(Action::Reschedule, "reschedule", "delivers the booking moved by a day", "the same Lead, changed", LEARN),
    step(
        Action::Delete,
        "delete",
        "deletes the test Leads, and one of them twice",
        "204, then 404 ENTITY_IS_DELETED",
        "delete the Leads whose company is `live-check (delete me)` by hand",
    ),
    step(
        Action::RescheduleGone,
        "lead-gone",
        "delivers the booking moved once more, its Lead deleted",
        "the problem `lead-gone`, no new Lead",
        LEARN,
    ),
    step(
        Action::Refresh,
        "refresh",
        "refreshes the grant and reads with the new token",
        "a newer grant, 200",
        "check the app's refresh-token policy, and that its secret was not rotated",
    ),
    step(
        Action::Revoke,
        "revoke",
        "revokes the grant and reads with its old token",
        "revoked, then 401 INVALID_SESSION_ID",
        "revoke the access by hand: Setup > Connected Apps OAuth Usage, or the user's own settings",
    ),
];

const fn step(
    action: Action,
    id: &'static str,
    does: &'static str,
    expects: &'static str,
    remedy: &'static str,
) -> Step {
    Step { id, does, expects, remedy, action }
}

const fn refusal(refusal: Refusal, id: &'static str, does: &'static str, expects: &'static str) -> Step {
    step(Action::Refuse(refusal), id, does, expects, LEARN)
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
