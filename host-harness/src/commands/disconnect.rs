//! `disconnect`: revokes a team's grant and forgets it.

use anyhow::Result;
use runtime::credentials::Revoked;

use super::Ending;
use crate::{
    cli::Disconnect,
    target::{self, Stored, announce_stand_ins},
    ui::Ui,
};

pub(super) async fn run(ui: &mut Ui, arguments: Disconnect) -> Result<Ending> {
    let component = target::component(ui, arguments.component.as_deref())?;
    let stored = Stored::find(&component, &arguments.data, &arguments.team).await?;
    let plugin = stored.load(&component, target::read_policy(arguments.policy.as_deref())?).await?;
    announce_stand_ins(ui, plugin.effective());

    let gone = plugin.broker().disconnect(&stored.key.connection, stored.key.credential.as_str()).await?;
    stored.forget(&arguments.team).await?;
    let certain = gone.revoked.is_certain();
    ui.json(&serde_json::json!({ "team": arguments.team, "revoked": certain }))?;
    match gone.revoked {
        Revoked::Now => ui.print(format!(
            "Disconnected `{}`: the grant is revoked and its tokens are gone from here.",
            arguments.team
        )),
        _ if certain => ui.print(format!(
            "Disconnected `{}`: the grant had ended before; its tokens are gone from here.",
            arguments.team
        )),
        _ => {
            ui.print(format!("Disconnected `{}`: its tokens are gone from here.", arguments.team));
            ui.note(format!(
                "{} did not confirm that the grant is revoked. Revoke it there as well, in the settings of the user who connected it.",
                stored.origin()
            ));
        }
    }
    Ok(if certain { Ending::Done } else { Ending::Refused })
}
