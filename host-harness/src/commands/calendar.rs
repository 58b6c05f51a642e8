//! `calendar`: a calendar's mapping, and the webhooks of its scheduling service.

use crm_delivery::MappingKey;
use crm_host::secret::Secret;
use crm_intake::HookSecret;
use serde_json::json;

use super::Ending;
use crate::{cli::CalendarCommand, databases::Databases, error::CliError, files, input::read_mapping, ui::Ui};

pub(super) async fn run(ui: &Ui, command: CalendarCommand) -> Result<Ending, CliError> {
    match command {
        CalendarCommand::Map { team, calendar, integration, mapping, databases } => {
            let key = MappingKey { team, calendar, integration: integration.parse()? };
            let mapping = read_mapping(&mapping)?;
            let databases = Databases::create(ui, &databases).await?;
            if databases.ledger.team(&key.team).await?.is_none() {
                return Err(CliError::NoTeam(key.team));
            }
            let content = serde_json::to_string(&mapping)?;
            let version = databases.ledger.put_mapping(&key, None, &content, &[], "calendar map").await?;
            ui.json(&json!({ "version": version }))?;
            ui.print(ui.say.mapping_saved(&key.calendar, version));
        }
        CalendarCommand::Hook { team, service, secrets, databases } => {
            if crm_intake::hook(&service).is_none() {
                return Err(CliError::NoHook(service));
            }
            let mut read = Vec::new();
            for file in &secrets {
                let text = files::read_secret(file)?.trim_end_matches(['\n', '\r']).to_owned();
                HookSecret::new(text.clone()).map_err(|source| CliError::HookSecret { file: file.clone(), source })?;
                read.push(Secret::new(text));
            }
            let databases = Databases::create(ui, &databases).await?;
            databases.store.put_hook_secrets(&team, &service, &read).await?;
            ui.json(&json!({ "secrets": read.len() }))?;
            ui.print(if read.is_empty() { ui.say.hook_off(&service) } else { ui.say.hook_set(&service, &team) });
        }
    }
    Ok(Ending::Done)
}
