//! `disconnect`: revokes a team's grant and forgets it.

use crm_host::credentials::Revoked;

use super::Ending;
use crate::{
    cli::Disconnect,
    component_file::ComponentFile,
    connection::Stored,
    error::CliError,
    policy_file::{self, announce_test_overrides},
    ui::Ui,
};

pub(super) async fn run(ui: &mut Ui, arguments: Disconnect) -> Result<Ending, CliError> {
    let component = ComponentFile::find(ui, arguments.component.as_deref())?;
    let stored = Stored::find(&component, &arguments.data, &arguments.team).await?;
    let plugin = stored.load(&component, policy_file::read(arguments.policy.as_deref())?).await?;
    announce_test_overrides(ui, plugin.permissions());

    let gone = plugin.broker().disconnect(&stored.key.connection, stored.key.credential.as_str()).await?;
    stored.forget(&arguments.team).await?;
    let certain = gone.revoked.is_certain();
    ui.json(&serde_json::json!({ "team": arguments.team, "revoked": certain }))?;
    match gone.revoked {
        Revoked::Now => ui
            .print(format!("Disconnected `{}`: the grant is revoked and its tokens are deleted here.", arguments.team)),
        Revoked::ApiKey => {
            ui.print(format!("Disconnected `{}`: its API key is deleted here.", arguments.team));
            ui.note(format!(
                "The key itself is not revoked. Delete it at {} too, unless something else uses it.",
                stored.origin
            ));
            return Ok(Ending::Done);
        }
        _ if certain => ui.print(format!(
            "Disconnected `{}`: the grant had already ended; its tokens are deleted here.",
            arguments.team
        )),
        _ => {
            ui.print(format!("Disconnected `{}`: its tokens are deleted here.", arguments.team));
            ui.note(format!(
                "{} did not confirm that the grant is revoked. Revoke it there too, in the settings of the user who connected it.",
                stored.origin
            ));
        }
    }
    Ok(if certain { Ending::Done } else { Ending::Refused })
}
