//! `disconnect`: revokes a team's grant and forgets it.

use std::sync::Arc;

use anyhow::Result;
use runtime::{Host, credentials::Revoked};
use store::SqliteStore;

use super::Ending;
use crate::{
    cli::Disconnect,
    target::{self, TargetError, announce_stand_ins, only_credential, with_stand_in},
    ui::Ui,
};

pub(super) async fn run(ui: &mut Ui, arguments: Disconnect) -> Result<Ending> {
    let missing =
        || TargetError::NoConnection { team: arguments.team.clone(), data: arguments.data.display().to_string() };
    if !arguments.data.exists() {
        return Err(missing().into());
    }
    let component = target::component(ui, arguments.component.as_deref())?;
    let manifest = component.manifest()?;
    let credential = only_credential(&manifest)?;
    let store = Arc::new(SqliteStore::open(&arguments.data).await?);
    let stored = store.connection(&arguments.team).await?.ok_or_else(missing)?;
    let policy = with_stand_in(target::read_policy(arguments.policy.as_deref())?, &manifest, &stored.origin)?;
    let host = Host::builder()
        .policy(policy)
        .secrets(store.clone())
        .registration(credential.clone(), stored.client)
        .build()?;
    let plugin = host.load(component.content()).await?;
    announce_stand_ins(ui, plugin.effective());

    let gone = plugin.broker().disconnect(&stored.id, credential.as_str()).await?;
    store.remove_connection(&arguments.team).await?;
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
                stored.login_host
            ));
        }
    }
    Ok(if certain { Ending::Done } else { Ending::Refused })
}
