//! `preview`: shows what delivering a booking would write.

use crm_booking::{ExplainedProblem, Mapping};
use crm_host::types::{PlannedAction, PlannedStep, PreviewResult, Problem};

use super::{
    Ending,
    booking::{self, advice, advice_on, all_findings, codes_of, left_out, parts, show_problem, show_usage},
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
        opened.connected.close(ui).await;
        return Ok(Ending::Refused);
    };
    let connected = &opened.connected;
    let plugin = &connected.plugin;
    let records = &arguments.known.records;
    let called = connected
        .patiently(ui, plugin.preview(&connected.connection, &resolved.booking, &resolved.mapping, records))
        .await?;
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
            let left_out = left_out(&findings);
            if left_out > 0 {
                ui.print(ui.say.left_out_count_preview(left_out));
            }
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
    opened.connected.close(ui).await;
    Ok(ending)
}

fn refusal(preview: &PreviewResult) -> Option<&Problem> {
    preview.steps.iter().find_map(|step| match &step.action {
        PlannedAction::Refuse(problem) => Some(problem),
        _ => None,
    })
}

fn human(ui: &Ui, preview: &PreviewResult, mapping: &Mapping) {
    let say = &ui.say;
    if preview.steps.is_empty() {
        ui.print(say.would_do_nothing());
    }
    for PlannedStep { object, action, values } in &preview.steps {
        let plan = match action {
            PlannedAction::Create => say.would_create(object),
            PlannedAction::Update(record) => say.would_update(format_args!("{object}/{}", record.id)),
            PlannedAction::Keep(record) => say.would_keep(format_args!("{object}/{}", record.id)),
            PlannedAction::Refuse(_) => say.would_refuse(object),
            PlannedAction::Other(action) => say.would_do_other(object, action),
        };
        ui.print(one_line(&plan));
        if !values.is_empty() {
            let rows = values.iter().map(|value| {
                let source = match value.row.and_then(|row| mapping.rows().get(usize::try_from(row).ok()?)) {
                    Some(row) if value.from_fallback => say.source_fallback(fields::source(say, &row.source)),
                    Some(row) => fields::source(say, &row.source),
                    None => say.source_integration(),
                };
                vec![value.label.clone(), value.field.clone(), value.json.clone(), source]
            });
            let (label, name) = (say.column_label(), say.column_api_name());
            ui.table(&[&label, &name, &say.column_sent(), &say.column_from()], rows);
        }
    }
}
