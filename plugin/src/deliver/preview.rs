//! What a booking would write, without writing.

use super::{
    Attempt, Job,
    decide::{Step, Target},
    plan::{Plan, Scope},
};
use crate::{
    bindings::{
        settings::{PlannedAction, PreviewResult, PreviewValue},
        types::{Booking, History, LeadFields, Mapping, Problem, Reaction},
    },
    mapping,
    salesforce::{body, fields::is_same_field, open, org::Connect},
    settings::options::Choices,
    value::Json,
};

/// Says what a first try would write. The live fields decide about values.
pub fn preview(
    connect: &mut impl Connect,
    booking: &Booking,
    mapping: &Mapping,
) -> Result<PreviewResult, Box<Problem>> {
    let choices = match Choices::of(mapping) {
        Ok(choices) => choices,
        Err(problem) => return Ok(refusal(*problem, &Plan::default(), &[], None)),
    };
    let mut org = open(connect)?;
    // A first try: no time has passed and nothing is known about the booking.
    let history = History { now: booking.confirmed_at.clone(), lead_id: None, first_try: None, unknown_tries: None };
    let attempt = Attempt::new(booking, mapping, &history, choices);
    let mut job = Job::new(&mut org, &attempt)?;
    let fields = job.live().map_err(|stopped| stopped.into_problem())?;
    let step = match job.decide().map_err(|stopped| stopped.into_problem()) {
        Ok(step) => step,
        // A refusal by the plugin itself is a valid preview; a failed look-up is an error.
        Err(mut problem) if problem.http_status.is_none() && is_refusal(&problem) => {
            let plan = job.plan(Scope::Booking).map_err(|stopped| stopped.into_problem())?;
            mapping::attribute(&mut problem, mapping);
            return Ok(refusal(*problem, &plan, &job.added(&Target::New), Some(fields)));
        }
        Err(problem) => return Err(problem),
    };
    Ok(match step {
        Step::Done(delivery) => PreviewResult {
            action: PlannedAction::Keep(delivery.lead_id),
            values: Vec::new(),
            findings: delivery.findings,
        },
        Step::Write { target, plan } => {
            let values = values(&plan, &job.added(&target), fields);
            let action = match target.id() {
                None => PlannedAction::Create,
                Some(id) => PlannedAction::Update(id.to_owned()),
            };
            PreviewResult { action, values, findings: plan.findings }
        }
    })
}

/// Whether a problem is about this booking, rather than about the attempt to ask.
fn is_refusal(problem: &Problem) -> bool {
    matches!(problem.reaction, Reaction::FixBooking | Reaction::FixMapping | Reaction::AskAdmin)
}

fn refusal(
    problem: Problem,
    plan: &Plan<'_>,
    added: &[(&str, Json<'_>)],
    fields: Option<&LeadFields>,
) -> PreviewResult {
    let mut findings = plan.findings.clone();
    findings.extend(plan.refusals.iter().map(|refusal| refusal.finding.clone()));
    let values = fields.map(|fields| values(plan, added, fields)).unwrap_or_default();
    PreviewResult { action: PlannedAction::Refuse(problem), values, findings }
}

/// All values, those of the rows first.
fn values(plan: &Plan<'_>, added: &[(&str, Json<'_>)], fields: &LeadFields) -> Vec<PreviewValue> {
    let rows = plan.entries.iter().map(|entry| PreviewValue {
        field: entry.field.name.clone(),
        label: entry.field.label.clone(),
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
            .map_or_else(|| (*name).to_owned(), |field| field.label.clone()),
        json: body::json(value),
        row: None,
        from_fallback: false,
    });
    rows.chain(added).collect()
}
