//! `connect`: a team's owner logs in and allows, in the browser; the grant is stored.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    response::Html,
};
use runtime::{
    Host,
    credentials::{ClientRegistration, ConnectError, ConnectionId, GrantKey},
    secret::Secret,
};
use store::{SqliteStore, TeamConnection};
use tokio::{net::TcpListener, sync::mpsc};

use super::{Ending, booking::show_problem};
use crate::{
    cli::Connect,
    input::InputError,
    target::{self, announce_stand_ins, only_credential, with_stand_in},
    ui::Ui,
};

/// A person looks for a password and reads an approval page in this time, or starts again.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

pub(super) async fn run(ui: &mut Ui, arguments: Connect) -> Result<Ending> {
    let client =
        ClientRegistration { client_id: arguments.client_id.clone(), client_secret: client_secret(&arguments)? };
    let login_host = absolute(&arguments.login_host);
    let component = target::component(ui, arguments.component.as_deref())?;
    let manifest = component.manifest()?;
    let credential = only_credential(&manifest)?;
    let policy = match login_host.parse() {
        Ok(origin) => with_stand_in(target::read_policy(arguments.policy.as_deref())?, &manifest, &origin)?,
        Err(_) => target::read_policy(arguments.policy.as_deref())?,
    };
    let store = SqliteStore::open(&arguments.data)?;
    let host = Host::builder()
        .policy(policy)
        .secrets(Arc::new(store.clone()))
        .registration(credential.clone(), client.clone())
        .build()?;
    let plugin = host.load(component.content()).await?;
    announce_stand_ins(ui, plugin.effective());

    // The port is taken before the address is shown: nobody else may receive the code.
    let (listener, path) = listen(&arguments.redirect_uri).await?;
    let connection = ConnectionId::new(arguments.team.clone());
    let pending =
        plugin.broker().begin(&connection, credential.as_str(), &login_host, arguments.redirect_uri.as_str())?;
    let url = pending.authorize_url().clone();
    ui.note("Open this address, log in as the user whose name Leads shall be created under, and allow the access:");
    ui.note(format!("\n  {url}\n"));
    if arguments.open
        && let Err(error) = open::that(url.as_str())
    {
        ui.note(format!("no browser could be opened ({error}); open the address by hand"));
    }
    let query = tokio::time::timeout(PATIENCE, callback(listener, &path, pending.state()))
        .await
        .context("nobody came back from the browser within 15 minutes; run the command again")??;

    match plugin.broker().finish(pending, &query).await {
        Ok(connected) => {
            let key = GrantKey { connection: connection.clone(), credential };
            store.put_client(&key, client).await?;
            store
                .put_connection(TeamConnection {
                    team: arguments.team.clone(),
                    plugin: manifest.plugin.id.to_string(),
                    connection,
                    login_host: connected.login_host.clone(),
                    account_id: None,
                    connected_at: connected.connected_at,
                })
                .await?;
            ui.json(&serde_json::json!({
                "team": arguments.team,
                "origin": connected.origin,
                "attributes": connected.attributes,
                "scopes": connected.scopes,
            }))?;
            ui.print(format!("Connected `{}` to {}.", arguments.team, connected.origin));
            for (name, value) in &connected.attributes {
                ui.print(format!("  {name}: {value}"));
            }
            ui.print(format!(
                "  stored in {}, sealed; `host-harness disconnect --team {}` ends it",
                arguments.data.display(),
                arguments.team
            ));
            Ok(Ending::Done)
        }
        Err(ConnectError::Refused(error)) if plugin.exports().connection => {
            let explained = plugin.explain(&error.into()).await?.answer;
            show_problem(ui, &plugin, &explained).await?;
            Ok(Ending::Refused)
        }
        Err(error) => Err(error.into()),
    }
}

/// A host without a scheme is meant as https.
pub(super) fn absolute(host: &str) -> String {
    let host = host.trim().trim_end_matches('/');
    if host.contains("://") { host.to_owned() } else { format!("https://{host}") }
}

fn client_secret(arguments: &Connect) -> Result<Option<Secret>> {
    if let Some(file) = &arguments.client_secret_file {
        let text = std::fs::read_to_string(file)
            .map_err(|source| InputError::Unreadable { file: file.to_owned(), source })?;
        // An editor's final line end is not part of a secret.
        return Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))));
    }
    Ok(std::env::var("CLIENT_SECRET").ok().filter(|secret| !secret.is_empty()).map(Secret::new))
}

async fn listen(redirect_uri: &url::Url) -> Result<(TcpListener, String)> {
    let host = redirect_uri.host_str().unwrap_or_default();
    if redirect_uri.scheme() != "http" || !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
        bail!(
            "the redirect URI must be on this machine, as in http://127.0.0.1:8917/callback; {redirect_uri} is not. \
             Register such a callback URL with the app"
        );
    }
    let port = redirect_uri.port_or_known_default().unwrap_or(80);
    let address = format!("{host}:{port}");
    let listener = TcpListener::bind(&address)
        .await
        .with_context(|| format!("{address} is taken; stop what listens there, or register another callback URL"))?;
    Ok((listener, redirect_uri.path().to_owned()))
}

/// Waits for the browser to come back with our `state`, thanks, and gives the query. Any page can send a browser to an
/// address on this machine, so visits without it are turned away and waiting goes on.
async fn callback(listener: TcpListener, path: &str, state: &Secret) -> Result<String> {
    struct Expected {
        path: String,
        state: Secret,
        sender: mpsc::Sender<String>,
    }
    async fn receive(State(expected): State<Arc<Expected>>, uri: Uri) -> (StatusCode, Html<&'static str>) {
        let query = uri.query().unwrap_or_default();
        let is_ours = url::form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| name == "state" && value == expected.state.expose());
        if uri.path() != expected.path || !is_ours {
            return (StatusCode::BAD_REQUEST, Html("<!doctype html><p>Not the answer that was waited for."));
        }
        // A second visit finds nobody waiting; the first one counts.
        let _ = expected.sender.try_send(query.to_owned());
        (
            StatusCode::OK,
            Html(
                "<!doctype html><meta charset=utf-8><title>host-harness</title>\
                 <p>Done. The terminal says how it went; this page may be closed.</p>\
                 <p lang=ja>完了しました。結果はターミナルに表示されています。このページは閉じてかまいません。</p>",
            ),
        )
    }
    let (sender, mut receiver) = mpsc::channel(1);
    let expected = Arc::new(Expected { path: path.to_owned(), state: state.clone(), sender });
    let app = Router::new().fallback(receive).with_state(expected);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        axum::serve(listener, app)
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            })
            .await
    });
    let query = receiver.recv().await.context("the callback listener stopped")?;
    drop(stop);
    // The page is still on its way to the browser.
    let _ = tokio::time::timeout(Duration::from_secs(2), server).await;
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_host_may_be_written_as_people_write_it() {
        for (text, expected) in [
            ("login.salesforce.com", "https://login.salesforce.com"),
            (" acme.my.salesforce.com/ ", "https://acme.my.salesforce.com"),
            ("http://127.0.0.1:8900", "http://127.0.0.1:8900"),
        ] {
            assert_eq!(absolute(text), expected);
        }
    }
}
