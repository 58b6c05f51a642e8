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
    let stored = Stored::find_to_remove(ui, &component, &arguments.databases, &arguments.team).await?;
    let plugin = stored.load(brokers, &component, policy_file::read(arguments.policy.as_deref())?).await?;
    announce_test_overrides(ui, plugin.permissions());

    let gone =
        plugin.broker().disconnect(&stored.key.connection, stored.key.credential.as_str(), &Asker::operator()).await?;
    let others = stored.forget(&arguments.team).await?;
    let server = stored.origin.as_ref().map_or_else(|| ui.say.the_server(), ToString::to_string);
    let has_ended = matches!(gone.revoked, Revoked::Now | Revoked::Before);
    let own = (!has_ended && gone.revoked != Revoked::NothingToRevoke).then(|| stored.key.credential.to_string());
    ui.json(&serde_json::json!({
        "team": arguments.team,
        "revoked": has_ended && others.is_empty(),
        "not_revoked": own.iter().chain(&others).collect::<Vec<_>>(),
    }))?;
    let (say, team) = (&ui.say, &arguments.team);
    let (done, remaining) = match gone.revoked {
        Revoked::Now => (say.disconnected_now(team), None),
        Revoked::ApiKey => (say.disconnected_key(team), Some(say.key_remains(&server))),
        Revoked::NoToken => (say.disconnected_unreadable(team), Some(say.unreadable_remains())),
        Revoked::Before => (say.disconnected_before(team), None),
        Revoked::NothingToRevoke if others.is_empty() => {
            (say.disconnected_nothing(team), Some(say.nothing_remains(&server)))
        }
        Revoked::NothingToRevoke => (say.disconnected(team), None),
        _ => (say.disconnected(team), Some(say.grant_remains(&server))),
    };
    ui.print(done);
    remaining.into_iter().for_each(|remaining| ui.note(remaining));
    for credential in &others {
        ui.note(say.other_grant_remains(credential, &server));
    }
    let is_done = others.is_empty() && (has_ended || gone.revoked == Revoked::ApiKey);
    Ok(if is_done { Ending::Done } else { Ending::Refused })
}
