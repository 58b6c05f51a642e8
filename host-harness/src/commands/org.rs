//! `org`: runs a Salesforce org on this machine until stopped.

use std::{collections::BTreeMap, future};

use salesforce_local_org::{Options, OrgFile};

use super::Ending;
use crate::{
    cli::Org,
    environment::{CLIENT_ID, CLIENT_SECRET, LOGIN_HOST, REDIRECT_URI},
    error::CliError,
    orgs,
    ui::Ui,
};

pub(super) async fn run(ui: &mut Ui, arguments: Org) -> Result<Ending, CliError> {
    if arguments.list {
        for (name, description) in OrgFile::built_in() {
            ui.print(format!("{name:<32} {description}"));
        }
        ui.json(&OrgFile::built_in().collect::<BTreeMap<_, _>>())?;
        return Ok(Ending::Done);
    }
    let file = match (&arguments.describe, &arguments.file) {
        (Some(describe), _) => orgs::from_describe(describe)?,
        (None, name) => orgs::find(name.as_deref())?,
    };
    let options =
        Options { listen: arguments.listen, admin: arguments.admin, store: arguments.state, ..Options::default() };
    let running = salesforce_local_org::serve(file, options).await?;
    let app = running.app();
    if arguments.print_env {
        let unique = running.org().file().fields.into_iter().find(|field| field.external_id && field.unique);
        let external_id = unique.map(|field| field.name).unwrap_or_default();
        let redirect_uri = app.redirect_uris.first().cloned().unwrap_or_default();
        for (name, value) in [
            (LOGIN_HOST, running.org().base_url()),
            (CLIENT_ID, app.client_id.as_str()),
            (CLIENT_SECRET, app.client_secret.as_str()),
            (REDIRECT_URI, redirect_uri.as_str()),
            ("HARNESS_EXT_ID_FIELD", external_id.as_str()),
            ("HARNESS_ADMIN_URL", running.admin_url()),
        ] {
            ui.print(format!("{name}={}", shell_quoted(value)));
        }
    }
    ui.json(&serde_json::json!({
        "base_url": running.org().base_url(),
        "admin_url": running.admin_url(),
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uris": app.redirect_uris,
    }))?;
    ui.note(ui.say.org_address(running.org().base_url()));
    ui.note(ui.say.org_admin(running.admin_url()));
    for user in running.org().file().users {
        ui.note(ui.say.org_user(user.username, user.password));
    }
    ui.note(ui.say.org_stop());
    // Ctrl-C drops this future and with it the org.
    future::pending().await
}

/// Quotes a text as a POSIX shell word.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
