//! `team`: the teams whose bookings are accepted.

use crm_delivery::{Settings, TeamRow};

use super::Ending;
use crate::{
    cli::TeamCommand,
    databases::{As, Databases},
    error::CliError,
    ui::Ui,
};

pub(super) async fn run(ui: &Ui, command: TeamCommand) -> Result<Ending, CliError> {
    match command {
        TeamCommand::Create { id, name, databases } => {
            if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
                return Err(CliError::TeamId(id));
            }
            let databases = Databases::create(ui, &databases).await?;
            let team = TeamRow { name: name.unwrap_or_else(|| id.clone()), id };
            let is_new = databases.ledger.put_team(&team).await?;
            ui.json(&team)?;
            ui.print(if is_new { ui.say.team_created(&team.id) } else { ui.say.team_renamed(&team.id, &team.name) });
        }
        TeamCommand::List { databases } => {
            let databases = Databases::open(ui, &databases, As::Command, Settings::default()).await?;
            let teams = databases.ledger.teams().await?;
            ui.json(&teams)?;
            ui.table(
                &[&ui.say.column_team(), &ui.say.column_name()],
                teams.into_iter().map(|team| vec![team.id, team.name]),
            );
        }
    }
    Ok(Ending::Done)
}
