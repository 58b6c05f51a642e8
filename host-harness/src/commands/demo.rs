//! `demo`: the main job from end to end on this machine, on real input, step by step.

use std::path::Path;

use anyhow::{Context, Result, bail};
use runtime::types::{LeadFields, WithheldReason};

use super::{
    Ending,
    booking::{all_findings, answered},
    fields,
    run::{first_try, show_delivery},
};
use crate::{
    cli::{self, Demo},
    input,
    target::{self, Connected, Target},
    ui::Ui,
};

const STEPS: u32 = 7;
const WEBHOOK: &str = include_str!("../../../examples/timerex-webhook.json");
const MAPPING: &str = include_str!("../../../examples/timerex-mapping.json");

pub(super) async fn run(ui: &mut Ui, arguments: Demo) -> Result<Ending> {
    let files = tempfile::tempdir().context("a folder for the demo's files")?;
    let webhook = files.path().join("timerex-webhook.json");
    let mapping = files.path().join("timerex-mapping.json");
    std::fs::write(&webhook, WEBHOOK)?;
    std::fs::write(&mapping, MAPPING)?;

    ui.step(STEPS, "The component");
    let component = target::component(ui, arguments.component.as_deref())?;
    show_component(ui, &component)?;

    ui.step(STEPS, "A Salesforce org on this machine, connected as a team's owner would in the browser");
    let target = cli::Target {
        component: Some(component.path.clone()),
        team: None,
        data: files.path().join("data"),
        policy: None,
        org: None,
    };
    let connected = Target::open(ui, &target).await?;
    ui.print(
        "  log-in page → allow page → callback with a code → tokens, which the host keeps and the plugin never sees",
    );

    ui.step(STEPS, "The Lead fields that can be mapped");
    let called = connected.plugin.list_lead_fields(&connected.connection).await?;
    let Some(listed) = answered(ui, &connected.plugin, called.answer).await? else {
        bail!("the fields could not be listed");
    };
    show_fields(ui, &listed);

    ui.step(STEPS, "How the calendar's owner mapped them");
    let mapping = input::read_mapping(&mapping)?;
    let label = |name: &str| listed.fields.iter().find(|field| field.name == name).map(|field| field.label.clone());
    let rows = mapping
        .rows()
        .iter()
        .map(|row| vec![label(&row.field).unwrap_or_default(), row.field.clone(), fields::source(&row.source)]);
    ui.table(&["Label", "API name", "Filled from"], rows);

    ui.step(STEPS, "A guest books; the scheduling service's webhook body arrives");
    let booking = input::read_booking(&webhook, &intake::Timerex)?;
    ui.print(format!("  {} — {} ({})", booking.title, booking.start, booking.time_zone));
    ui.print(format!("  {} / {}", booking.guest.name, booking.guest.company.as_deref().unwrap_or("-")));
    let resolved = booking::resolve(&booking, &mapping, &listed.fields)?;
    let (plugin, connection) = (&connected.plugin, &connected.connection);
    let called = plugin.on_booking_completed(connection, &resolved.booking, &resolved.mapping, &first_try()).await?;
    let Some(mut delivery) = answered(ui, &connected.plugin, called.answer).await? else {
        bail!("the booking was not delivered");
    };
    let findings = all_findings(&resolved, std::mem::take(&mut delivery.findings));
    show_delivery(ui, &delivery, &findings);

    ui.step(STEPS, "The Lead as Salesforce now holds it");
    let lead = connected.show_lead(ui, &delivery.lead_id);

    ui.step(STEPS, "Disconnected");
    let path = called.usage.requests.first().map_or("/", |request| request.path.as_str());
    let proof = disconnect(ui, &connected, path).await?;
    ui.print("\nDone: a booking became a Lead, in one request, by a plugin that never held a credential.");
    ui.json(&serde_json::json!({
        "component": { "path": component.path, "bytes": component.bytes, "sha256": component.sha256 },
        "fields": { "offered": listed.fields.len(), "withheld": listed.withheld.len() },
        "delivery": delivery,
        "findings": findings,
        "lead": lead,
        "usage": called.usage,
        "after_disconnect": proof,
    }))?;
    connected.close().await;
    Ok(Ending::Done)
}

fn show_component(ui: &Ui, component: &target::ComponentFile) -> Result<()> {
    let inspection = component.inspect()?;
    let shown = std::env::current_dir().ok();
    let path = shown.as_deref().and_then(|folder| component.path.strip_prefix(folder).ok()).unwrap_or(&component.path);
    ui.print(format!("  {} — {} bytes", Path::display(path), component.bytes));
    ui.print(format!("  sha256 {}", component.sha256));
    ui.print(format!("  imports {} and nothing else", inspection.imports.join(", ")));
    Ok(())
}

fn show_fields(ui: &Ui, listed: &LeadFields) {
    let required: Vec<_> = listed
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| format!("{} ({})", field.label, field.name))
        .collect();
    ui.print(format!("  required: {}", required.join(", ")));
    ui.print(format!("  {}", fields::summary(listed).replace('\n', "\n  ")));
    if let Some(field) = listed.withheld.iter().find(|field| field.reason == WithheldReason::Calculated) {
        ui.print(format!("  for example “{}” is not offered, because Salesforce computes it", field.label));
    }
}

/// Revokes the grant and shows that its token no longer works, by asking the org itself.
async fn disconnect(ui: &Ui, connected: &Connected, path: &str) -> Result<serde_json::Value> {
    connected.disconnect().await?;
    let called = connected.plugin.list_lead_fields(&connected.connection).await?;
    let refused = match called.answer {
        Err(problem) => problem,
        Ok(_) => bail!("the plugin still reaches the org after the grant was revoked"),
    };
    let status = connected.answer_to_old_token(path).await?;
    if status != 401 {
        bail!("the org still accepts the revoked token: status {status}");
    }
    ui.print("  the grant was revoked at the org and removed here");
    ui.print(format!("  the old token, sent by hand, is answered: {status}"));
    ui.print(format!("  the plugin now answers: {}", refused.code));
    Ok(serde_json::json!({ "old_token_status": status, "plugin_answers": refused.code }))
}
