//! `token`: what callers of the HTTP API prove themselves with.

use crm_delivery::Settings;
use jiff::Timestamp;
use serde_json::json;

use super::Ending;
use crate::{
    cli::TokenCommand,
    databases::{As, Databases},
    error::CliError,
    ui::Ui,
};

pub(super) async fn run(ui: &Ui, command: TokenCommand) -> Result<Ending, CliError> {
    match command {
        TokenCommand::Create { team, scope, databases } => {
            let databases = Databases::create(ui, &databases).await?;
            if let Some(team) = &team
                && databases.ledger.team(team).await?.is_none()
            {
                return Err(CliError::NoTeam(team.clone()));
            }
            let scope = if team.is_some() { scope } else { "operator".to_owned() };
            let (token, text) = databases.store.create_token(team.as_deref(), &scope, Timestamp::now()).await?;
            ui.json(&json!({ "id": token.id, "team": token.team, "scope": token.scope, "token": text.expose() }))?;
            ui.print(text.expose());
            ui.note(ui.say.token_shown_once(&token.id));
        }
        TokenCommand::List { databases } => {
            let databases = Databases::open(ui, &databases, As::Command, Settings::default()).await?;
            let (mut rows, mut listed) = (Vec::new(), Vec::new());
            for token in databases.store.tokens().await?.into_iter().flatten() {
                let revoked = token.revoked_at.map(|time| time.to_string()).unwrap_or_default();
                listed.push(json!({
                    "id": token.id, "team": token.team, "scope": token.scope, "ends_with": token.last_four,
                    "created": token.created_at, "revoked": token.revoked_at,
                }));
                let ending = format!("…{}", token.last_four);
                rows.push(vec![token.id, token.team.unwrap_or_default(), token.scope, ending, revoked]);
            }
            ui.json(&listed)?;
            let say = &ui.say;
            ui.table(
                &[
                    &say.column_id(),
                    &say.column_team(),
                    &say.column_scope(),
                    &say.column_ends_with(),
                    &say.column_revoked(),
                ],
                rows,
            );
        }
        TokenCommand::Revoke { id, databases } => {
            let databases = Databases::open(ui, &databases, As::Command, Settings::default()).await?;
            if !databases.store.revoke_token(&id, Timestamp::now()).await? {
                return Err(CliError::NoToken(id));
            }
            ui.json(&json!({ "revoked": id }))?;
            ui.print(ui.say.token_revoked(&id));
        }
    }
    Ok(Ending::Done)
}
