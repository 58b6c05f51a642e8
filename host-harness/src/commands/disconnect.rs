//! `disconnect`: revokes a team's grant and forgets it.

use crm_host::credentials::{Asker, Revoked};

use super::Ending;
use crate::{
    brokers::Brokers,
    cli::Disconnect,
    component_file::ComponentFile,
    connection::Stored,
    error::CliError,
    policy_file::{self, announce_test_overrides},
    ui::Ui,
};

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: Disconnect) -> Result<Ending, CliError> {
    let component = ComponentFile::find(ui, arguments.component.as_deref())?;
    let stored = Stored::find_to_remove(&component, &arguments.data, &arguments.team).await?;
    let plugin = stored.load(brokers, &component, policy_file::read(arguments.policy.as_deref())?).await?;
    announce_test_overrides(ui, plugin.permissions());

    let gone =
        plugin.broker().disconnect(&stored.key.connection, stored.key.credential.as_str(), &Asker::operator()).await?;
    let others = stored.forget(&arguments.team).await?;
    let server = stored.origin.as_ref().map_or_else(|| "the server".to_owned(), ToString::to_string);
    let has_ended = matches!(gone.revoked, Revoked::Now | Revoked::Before);
    let own = (!has_ended && gone.revoked != Revoked::NothingToRevoke).then(|| stored.key.credential.to_string());
    ui.json(&serde_json::json!({
        "team": arguments.team,
        "revoked": has_ended && others.is_empty(),
        "not_revoked": own.iter().chain(&others).collect::<Vec<_>>(),
    }))?;
    match gone.revoked {
        Revoked::Now => ui
            .print(format!("Disconnected `{}`: the grant is revoked and its tokens are deleted here.", arguments.team)),
        Revoked::ApiKey => {
            ui.print(format!("Disconnected `{}`: its API key is deleted here.", arguments.team));
            ui.note(format!(
                "The key itself is not revoked. Delete it at {server} too, unless something else uses it."
            ));
        }
        Revoked::NoToken => {
            ui.print(format!("Disconnected `{}`: its row could not be opened, and is deleted here.", arguments.team));
            ui.note("Its grant or key is not revoked. Revoke it at the server, in the settings of the user who connected it.");
        }
        Revoked::Before => ui.print(format!(
            "Disconnected `{}`: the grant had already ended; its tokens are deleted here.",
            arguments.team
        )),
        Revoked::NothingToRevoke if others.is_empty() => {
            ui.print(format!("Disconnected `{}`: no grant was stored for it, so none was revoked.", arguments.team));
            ui.note(format!(
                "If nobody has revoked the grant, revoke it at {server}, in the settings of the user who connected it."
            ));
        }
        Revoked::NothingToRevoke => {
            ui.print(format!("Disconnected `{}`: its tokens are deleted here.", arguments.team));
        }
        _ => {
            ui.print(format!("Disconnected `{}`: its tokens are deleted here.", arguments.team));
            ui.note(format!(
                "The grant may still be valid: nothing confirms that it is revoked. Revoke it at {server} too, in the settings of the user who connected it."
            ));
        }
    }
    for credential in &others {
        ui.note(format!(
            "This build cannot revoke the grant of credential `{credential}`, which another build made. Revoke it at {server} too, in \
             the settings of the user who connected it."
        ));
    }
    let is_done = others.is_empty() && (has_ended || gone.revoked == Revoked::ApiKey);
    Ok(if is_done { Ending::Done } else { Ending::Refused })
}
