//! `preview`: shows what delivering a booking would write.

use runtime::types::{PlannedAction, PreviewResult};

use super::{
    Ending,
    booking::{self, Opened, parts, show_problem, show_usage},
    fields,
};
use crate::{cli::BookingAndMapping, error::CliError, ui::Ui};

pub(super) async fn run(ui: &mut Ui, arguments: &BookingAndMapping) -> Result<Ending, CliError> {
    let Some(Opened { connected, booking, mapping }) = booking::open(ui, arguments).await? else {
        return Ok(Ending::Refused);
    };
    let plugin = &connected.plugin;
    let (answer, usage) = parts(plugin.preview(&connected.connection, &booking, &mapping).await?);
    let ending = match answer {
        Ok(preview) => {
            ui.json(&serde_json::json!({ "preview": preview, "usage": usage }))?;
            let sources: Vec<_> = mapping.rows.iter().map(|row| fields::source(&row.source)).collect();
            human(ui, &preview, &sources);
            match &preview.action {
                PlannedAction::Refuse(problem) => {
                    if !ui.is_json() {
                        show_problem(ui, plugin, problem).await?;
                    }
                    Ending::Refused
                }
                _ => Ending::Done,
            }
        }
        Err(problem) => {
            show_problem(ui, plugin, &problem).await?;
            Ending::Refused
        }
    };
    show_usage(ui, plugin, &usage);
    connected.close().await;
    Ok(ending)
}

fn human(ui: &Ui, preview: &PreviewResult, sources: &[String]) {
    let plan = match &preview.action {
        PlannedAction::Create => "Would create a Lead:".to_owned(),
        PlannedAction::Update(id) => format!("Would update the Lead {id}:"),
        PlannedAction::Keep(id) => format!("Would leave the Lead {id} as it is."),
        PlannedAction::Refuse(_) => "Would write nothing.".to_owned(),
    };
    ui.print(plan);
    if !preview.values.is_empty() {
        let rows = preview.values.iter().map(|value| {
            let source = match value.row.and_then(|row| sources.get(usize::try_from(row).ok()?)) {
                Some(source) if value.from_fallback => format!("fallback of {source}"),
                Some(source) => source.clone(),
                None => "added by the plugin".to_owned(),
            };
            vec![value.label.clone(), value.field.clone(), value.json.clone(), source]
        });
        ui.table(&["Label", "API name", "Value as sent", "From"], rows);
    }
    ui.findings(&preview.findings);
}
