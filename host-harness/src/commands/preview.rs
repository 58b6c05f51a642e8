//! `preview`: shows what delivering a booking would write.

use crm_booking::{ExplainedProblem, Mapping};
use crm_host::types::{PlannedAction, PlannedStep, PreviewResult, Problem};

use super::{
    Ending,
    booking::{self, advice, advice_on, all_findings, codes_of, parts, show_problem, show_usage},
    fields,
};
use crate::{
    brokers::Brokers,
    cli::Preview,
    error::CliError,
    ui::{Ui, one_line},
};

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: &Preview) -> Result<Ending, CliError> {
    let Some(opened) = booking::open(ui, brokers, &arguments.delivered).await? else {
        return Ok(Ending::Refused);
    };
    let Some(resolved) = opened.resolve(ui, &arguments.delivered.mapping).await? else {
        opened.connected.close().await;
        return Ok(Ending::Refused);
    };
    let connected = &opened.connected;
    let plugin = &connected.plugin;
    let records = &arguments.known.records;
    let called = plugin.preview(&connected.connection, &resolved.booking, &resolved.mapping, records).await?;
    let (answer, usage) = parts(called);
    let ending = match answer {
        Ok(mut preview) => {
            let findings = all_findings(&resolved, std::mem::take(&mut preview.findings));
            for step in &mut preview.steps {
                for value in &mut step.values {
                    value.row = value.row.and_then(|row| resolved.origins.position(row));
                }
            }
            let refusal = refusal(&preview).map(|problem| resolved.origins.explain_problem(problem.clone()));
            let on_refusal = match &refusal {
                Some(ExplainedProblem { problem, .. }) => advice(ui, plugin, &problem.code, &problem.particulars).await,
                None => None,
            };
            let on_findings = advice_on(ui, plugin, codes_of(&findings)).await;
            ui.json(&serde_json::json!({
                "preview": preview,
                "refusal": refusal,
                "advice": on_refusal,
                "findings": findings,
                "advice_on_findings": on_findings,
                "usage": usage,
            }))?;
            human(ui, &preview, &opened.mapping);
            ui.findings(&findings, &on_findings);
            match refusal {
                Some(problem) => {
                    ui.problem(&problem, on_refusal.as_ref());
                    Ending::Refused
                }
                None => Ending::Done,
            }
        }
        Err(problem) => {
            let problem = resolved.origins.explain_problem(problem);
            show_problem(ui, plugin, &problem, &resolved.findings, None, Some(&usage)).await?;
            Ending::Refused
        }
    };
    show_usage(ui, plugin, &usage);
    opened.connected.close().await;
    Ok(ending)
}

fn refusal(preview: &PreviewResult) -> Option<&Problem> {
    preview.steps.iter().find_map(|step| match &step.action {
        PlannedAction::Refuse(problem) => Some(problem),
        _ => None,
    })
}

fn human(ui: &Ui, preview: &PreviewResult, mapping: &Mapping) {
    if preview.steps.is_empty() {
        ui.print("Would do nothing.");
    }
    for PlannedStep { object, action, values } in &preview.steps {
        let plan = match action {
            PlannedAction::Create => format!("Would create a record ({object}):"),
            PlannedAction::Update(record) => format!("Would update {object}/{}:", record.id),
            PlannedAction::Keep(record) => format!("Would leave {object}/{} as it is.", record.id),
            PlannedAction::Refuse(_) => format!("Would write nothing ({object})."),
            PlannedAction::Other(action) => format!("Would do this ({object}): {action}"),
        };
        ui.print(one_line(&plan));
        if !values.is_empty() {
            let rows = values.iter().map(|value| {
                let source = match value.row.and_then(|row| mapping.rows().get(usize::try_from(row).ok()?)) {
                    Some(row) if value.from_fallback => format!("fallback of {}", fields::source(&row.source)),
                    Some(row) => fields::source(&row.source),
                    None => "added by the plugin".to_owned(),
                };
                vec![value.label.clone(), value.field.clone(), value.json.clone(), source]
            });
            ui.table(&["Label", "API name", "Value as sent", "From"], rows);
        }
    }
}
