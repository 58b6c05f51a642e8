//! `options`: lists the options that a mapping can choose.

use crm_host::types::OptionGroup;

use super::{Ending, booking::answered};
use crate::{
    brokers::Brokers,
    cli::ConnectionArgs,
    connection::Connected,
    error::CliError,
    ui::{Ui, one_line},
};

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: &ConnectionArgs) -> Result<Ending, CliError> {
    let connected = Connected::open(ui, brokers, arguments).await?;
    let listed = if connected.plugin.exports().settings { list(ui, &connected).await? } else { Some(Vec::new()) };
    let ending = match listed {
        Some(targets) => {
            ui.json(&serde_json::json!({ "targets": targets }))?;
            if targets.is_empty() {
                ui.print(ui.say.no_options());
            }
            Ending::Done
        }
        None => Ending::Refused,
    };
    connected.close(ui).await;
    Ok(ending)
}

/// Each target with its options; `None` if the plugin reported a problem, which has been shown.
async fn list(ui: &Ui, connected: &Connected) -> Result<Option<Vec<serde_json::Value>>, CliError> {
    let (plugin, connection) = (&connected.plugin, &connected.connection);
    let called = connected.patiently(ui, plugin.list_targets(connection, ui.locale())).await?;
    let Some(targets) = answered(ui, plugin, called.answer).await? else { return Ok(None) };
    let mut listed = Vec::new();
    for target in targets {
        let called = connected.patiently(ui, plugin.options(connection, Some(&target.value), ui.locale())).await?;
        let Some(mut groups) = answered(ui, plugin, called.answer).await? else { return Ok(None) };
        ui.print(ui.say.options_for(one_line(&target.label), one_line(&target.value)));
        for group in groups.iter_mut().filter(|group| group.asks) {
            let called = connected
                .patiently(ui, plugin.list_choices(connection, Some(&target.value), &group.id, &[], ui.locale()))
                .await?;
            let Some(further) = answered(ui, plugin, called.answer).await? else { return Ok(None) };
            group
                .choices
                .extend(further.into_iter().filter(|choice| !group.choices.contains(choice)).collect::<Vec<_>>());
        }
        groups.iter().for_each(|group| human(ui, group));
        let groups: Vec<_> = groups
            .iter()
            .map(|group| {
                serde_json::json!({ "id": group.id, "label": group.label, "help": group.help,
                    "typed": group.typed, "default": group.default_value, "choices": group.choices })
            })
            .collect();
        listed.push(serde_json::json!({ "target": target, "options": groups }));
    }
    Ok(Some(listed))
}

fn human(ui: &Ui, group: &OptionGroup) {
    let mut lines = vec![format!("\n{} — {}", one_line(&group.id), one_line(&group.label))];
    if !group.help.is_empty() {
        lines.push(format!("  {}", one_line(&group.help)));
    }
    for choice in &group.choices {
        let mark =
            if choice.value == group.default_value { format!(" [{}]", ui.say.default_mark()) } else { String::new() };
        lines.push(format!("    {:<18} {}{mark}", one_line(&choice.value), one_line(&choice.label)));
    }
    ui.print(lines.join("\n"));
}
