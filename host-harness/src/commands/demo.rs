//! `demo`: the main job end to end on this machine, with real input, step by step.

use std::{env, path::Path};

use crm_booking::Memos;
use crm_host::{Plugin, policy::Policy, types::FieldList};
use crm_texts::Texts;

use super::{
    Ending,
    booking::{Advice, all_findings, answered},
    fields,
    run::{first_try, show_delivery},
};
use crate::{
    brokers::Brokers,
    cli::Demo,
    component_file::ComponentFile,
    connection::Connected,
    doubt::{Doubt, Left},
    error::CliError,
    files, input, orgs,
    ui::Ui,
};

const STEPS: u32 = 7;
const WEBHOOK: &str = include_str!("../../../examples/timerex-webhook.json");
const MAPPING: &str = include_str!("../../../examples/timerex-mapping.json");

pub(super) async fn run(ui: &mut Ui, doubt: &Doubt, brokers: &Brokers, arguments: Demo) -> Result<Ending, CliError> {
    // Its org ends with the command, however that ends.
    doubt.raise(Left::AtLocalOrg);
    let folder = tempfile::tempdir().map_err(|source| CliError::Unwritable { file: env::temp_dir(), source })?;
    let webhook = folder.path().join("timerex-webhook.json");
    let mapping_file = folder.path().join("timerex-mapping.json");
    files::write(&webhook, WEBHOOK)?;
    files::write(&mapping_file, MAPPING)?;

    ui.step(STEPS, Texts::demo_component);
    let component = ComponentFile::find(ui, arguments.component.as_deref())?;
    show_component(ui, &component);

    ui.step(STEPS, Texts::demo_org);
    let connected = Connected::local(brokers, &component, Policy::default(), orgs::find(None)?, None).await?;
    ui.print(format!("  {}", ui.say.demo_path()));

    ui.step(STEPS, Texts::demo_fields);
    let called = connected.plugin.list_lead_fields(&connected.connection, None, ui.locale()).await?;
    let Some(listed) = answered(ui, &connected.plugin, called.answer).await? else {
        return Err(CliError::Demo("the fields could not be listed".to_owned()));
    };
    show_fields(ui, &connected.plugin, &listed).await;

    ui.step(STEPS, Texts::demo_mapping);
    let mapping = input::read_mapping(&mapping_file)?;
    let label = |name: &str| listed.fields.iter().find(|field| field.name == name).map(|field| field.label.clone());
    let rows = mapping.rows().iter().map(|row| {
        vec![label(&row.field).unwrap_or_default(), row.field.clone(), fields::source(&ui.say, &row.source)]
    });
    let (of_label, name) = (ui.say.column_label(), ui.say.column_api_name());
    ui.table(&[&of_label, &name, &ui.say.column_filled_from()], rows);

    ui.step(STEPS, Texts::demo_booking);
    let booking = input::read_booking(&webhook, &crm_intake::Timerex)?.booking;
    ui.print(format!("  {} — {} ({})", booking.title, booking.start, booking.time_zone));
    ui.print(format!("  {} / {}", booking.guest.name, booking.guest.company.as_deref().unwrap_or("-")));
    let resolved = crm_booking::resolve(&booking, &mapping, &Memos::of_list(&listed));
    let (plugin, connection) = (&connected.plugin, &connected.connection);
    let called = plugin.on_booking_completed(connection, &resolved.booking, &resolved.mapping, &first_try()).await?;
    let Some(mut delivery) = answered(ui, &connected.plugin, called.answer).await? else {
        return Err(CliError::Demo("the booking was not delivered".to_owned()));
    };
    let findings = all_findings(&resolved, std::mem::take(&mut delivery.findings));
    show_delivery(ui, &delivery);
    ui.findings(&findings, &Advice::new());

    ui.step(STEPS, Texts::demo_lead);
    let lead = delivery.records.first().and_then(|record| connected.show_lead(ui, &record.id));

    ui.step(STEPS, Texts::demo_disconnected);
    let path = called.usage.requests.first().map_or("/", |request| request.path.as_str());
    let proof = disconnect(ui, &connected, path).await?;
    ui.print(format!("\n{}", ui.say.demo_done()));
    ui.json(&serde_json::json!({
        "component": {
            "path": component.path,
            "bytes": component.inspection.bytes,
            "sha256": component.inspection.sha256,
        },
        "fields": { "offered": listed.fields.len(), "withheld": listed.withheld.len() },
        "delivery": delivery,
        "findings": findings,
        "lead": lead,
        "usage": called.usage,
        "after_disconnect": proof,
    }))?;
    connected.close(ui).await;
    Ok(Ending::Done)
}

fn show_component(ui: &Ui, component: &ComponentFile) {
    let ComponentFile { path, inspection, .. } = component;
    let here = env::current_dir().ok();
    let shown = here.as_deref().and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
    ui.print(format!("  {} — {}", Path::display(shown), ui.say.bytes(inspection.bytes)));
    ui.print(format!("  sha256 {}", inspection.sha256));
    ui.print(format!("  {}", ui.say.demo_imports(inspection.imports.join(", "))));
}

async fn show_fields(ui: &Ui, plugin: &Plugin, listed: &FieldList) {
    let required: Vec<_> = listed
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| format!("{} ({})", field.label, field.name))
        .collect();
    ui.print(format!("  {}", ui.say.required_fields(required.join(", "))));
    ui.print(format!("  {}", fields::summary(ui, plugin, listed).await.replace('\n', "\n  ")));
}

/// Revokes the grant and shows that its token no longer works by asking the org itself.
async fn disconnect(ui: &Ui, connected: &Connected, path: &str) -> Result<serde_json::Value, CliError> {
    connected.disconnect().await?;
    let called = connected.plugin.list_lead_fields(&connected.connection, None, ui.locale()).await?;
    let refused = match called.answer {
        Err(problem) => problem,
        Ok(_) => return Err(CliError::Demo("the plugin still reaches the org after the grant was revoked".to_owned())),
    };
    let status = connected.status_with_old_token(path).await?;
    if status != Some(401) {
        return Err(CliError::Demo(format!("the org still accepts the revoked token: status {status:?}")));
    }
    ui.print(format!("  {}", ui.say.demo_revoked()));
    ui.print(format!("  {}", ui.say.demo_refuses(401)));
    ui.print(format!("  {}", ui.say.demo_reports(&refused.code)));
    Ok(serde_json::json!({ "old_token_status": status, "plugin_answers": refused.code }))
}
