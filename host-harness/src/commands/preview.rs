//! `preview`: shows what delivering a booking would write.

use crm_booking::{Explained, Mapping};
use crm_host::types::{PlannedAction, PreviewResult};

use super::{
    Ending,
    booking::{self, all_findings, parts, show_problem, show_usage},
    fields,
};
use crate::{cli::BookingAndMapping, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Ending, CliError> {
    let Some(opened) = booking::open(ui, arguments).await? else {
        return Ok(Ending::Refused);
    };
    let resolved = opened.resolve(arguments)?;
    let connected = &opened.connected;
    let plugin = &connected.plugin;
    let (answer, usage) = parts(plugin.preview(&connected.connection, &resolved.booking, &resolved.mapping).await?);
    let ending = match answer {
        Ok(mut preview) => {
            let findings = all_findings(&resolved, std::mem::take(&mut preview.findings));
            for value in &mut preview.values {
                value.row = value.row.and_then(|row| resolved.origins.position(row));
            }
            if let PlannedAction::Refuse(problem) = &mut preview.action {
                *problem = resolved.origins.explain_problem(problem.clone()).problem;
            }
            ui.json(&serde_json::json!({ "preview": preview, "findings": findings, "usage": usage }))?;
            human(ui, &preview, &opened.mapping, &findings);
            match &preview.action {
                PlannedAction::Refuse(problem) => {
                    if !ui.is_json() {
                        show_problem(ui, plugin, &problem.clone().into(), &[]).await?;
                    }
                    Ending::Refused
                }
                _ => Ending::Done,
            }
        }
        Err(problem) => {
            show_problem(ui, plugin, &resolved.origins.explain_problem(problem), &resolved.findings).await?;
            Ending::Refused
        }
    };
    show_usage(ui, plugin, &usage);
    opened.connected.close().await;
    Ok(ending)
}

fn human(ui: &Ui, preview: &PreviewResult, mapping: &Mapping, findings: &[Explained]) {
    let plan = match &preview.action {
        PlannedAction::Create => "Would create a Lead:".to_owned(),
        PlannedAction::Update(id) => format!("Would update the Lead {id}:"),
        PlannedAction::Keep(id) => format!("Would leave the Lead {id} as it is."),
        PlannedAction::Refuse(_) => "Would write nothing.".to_owned(),
    };
    ui.print(plan);
    if !preview.values.is_empty() {
        let rows = preview.values.iter().map(|value| {
            let source = match value.row.and_then(|row| mapping.rows().get(usize::try_from(row).ok()?)) {
                Some(row) if value.from_fallback => format!("fallback of {}", fields::source(&row.source)),
                Some(row) => fields::source(&row.source),
                None => "added by the plugin".to_owned(),
            };
            vec![value.label.clone(), value.field.clone(), value.json.clone(), source]
        });
        ui.table(&["Label", "API name", "Value as sent", "From"], rows);
    }
    ui.findings(findings);
}
