//! What a booking would write, without writing.

use super::{
    Attempt, Job,
    decide::{Step, Target},
    plan::{Plan, Scope},
    without_request,
};
use crate::{
    bindings::{
        settings::{PlannedAction, PlannedStep, PreviewResult, PreviewValue},
        types::{Booking, Delivery, Finding, History, Mapping, Problem, Reaction, RecordRef},
    },
    field::is_same_field,
    mapping,
    salesforce::{api::LEAD, body, fields::LeadFields, open, org::Connect},
    settings::options::Choices,
    value::Json,
};

/// Says what a try would write of a booking whose records are known. The live fields decide about values.
pub fn preview(
    connect: &mut impl Connect,
    booking: &Booking,
    mapping: &Mapping,
    records: &[RecordRef],
) -> Result<PreviewResult, Box<Problem>> {
    // No time has passed since a try of this booking began.
    let history = History { records: records.to_vec(), ..History::default() };
    match without_request(booking, mapping, &history) {
        Ok(None) => {}
        Ok(Some(delivery)) => return Ok(done(delivery)),
        Err(problem) => return Ok(refusal(*problem, &Plan::default(), Vec::new())),
    }
    let choices = match Choices::of_mapping(mapping) {
        Ok(choices) => choices,
        Err(problem) => return Ok(refusal(*problem, &Plan::default(), Vec::new())),
    };
    let mut org = open(connect)?;
    let attempt = Attempt::new(booking, mapping, &history, choices);
    let mut job = Job::new(&mut org, &attempt);
    let fields = job.live().map_err(|stopped| stopped.into_problem())?;
    match job.decide().map_err(|stopped| stopped.into_problem()) {
        Ok(Step::Done(delivery)) => Ok(done(delivery)),
        Ok(Step::Write { target, plan }) => {
            let action = match target.id() {
                None => PlannedAction::Create,
                Some(id) => PlannedAction::Update(job.api.lead(id)),
            };
            Ok(one_step(action, values(&plan, &job.added(&target), fields), plan.findings))
        }
        // A refusal by the plugin itself is a valid preview; a failed look-up is an error.
        Err(mut problem) if problem.http_status.is_none() && is_refusal(&problem) => {
            let plan = job.plan(Scope::Booking).map_err(|stopped| stopped.into_problem())?;
            mapping::attribute(&mut problem, mapping);
            Ok(refusal(*problem, &plan, values(&plan, &job.added(&Target::New), fields)))
        }
        Err(problem) => Err(problem),
    }
}

/// Whether a problem is about this booking, rather than about the attempt to ask.
fn is_refusal(problem: &Problem) -> bool {
    matches!(problem.reaction, Reaction::FixBooking | Reaction::FixMapping | Reaction::AskAdmin)
}

fn one_step(action: PlannedAction, values: Vec<PreviewValue>, findings: Vec<Finding>) -> PreviewResult {
    let steps = vec![PlannedStep { object: LEAD.to_owned(), action, values }];
    PreviewResult { steps, findings, more: Vec::new() }
}

/// The preview of a booking that needs no write: its Lead stays as it is, or it has none.
fn done(delivery: Delivery) -> PreviewResult {
    let findings = delivery.findings;
    match delivery.records.into_iter().find(|record| record.object == LEAD) {
        Some(lead) => one_step(PlannedAction::Keep(lead), Vec::new(), findings),
        None => PreviewResult { steps: Vec::new(), findings, more: Vec::new() },
    }
}

fn refusal(problem: Problem, plan: &Plan<'_>, values: Vec<PreviewValue>) -> PreviewResult {
    let findings = plan.findings.iter().chain(&plan.refusals).cloned().collect();
    one_step(PlannedAction::Refuse(problem), values, findings)
}

/// All values, those of the rows first.
fn values(plan: &Plan<'_>, added: &[(&str, Json<'_>)], fields: &LeadFields) -> Vec<PreviewValue> {
    let rows = plan.entries.iter().map(|entry| PreviewValue {
        field: entry.field.name.to_string(),
        label: entry.field.label.to_string(),
        json: body::json(&entry.value),
        row: Some(entry.row),
        from_fallback: entry.from_fallback,
    });
    let added = added.iter().map(|(name, value)| PreviewValue {
        field: (*name).to_owned(),
        label: fields
            .fields
            .iter()
            .find(|field| is_same_field(&field.name, name))
            .map_or_else(|| (*name).to_owned(), |field| field.label.to_string()),
        json: body::json(value),
        row: None,
        from_fallback: false,
    });
    rows.chain(added).collect()
}
