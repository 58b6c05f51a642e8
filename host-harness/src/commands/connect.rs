//! `connect`: a team's owner logs in and authorises the app in the browser; the grant is stored.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    response::Html,
};
use crm_host::{
    Host,
    credentials::{ClientRegistration, ConnectError, ConnectionId, GrantKey},
    secret::Secret,
};
use crm_store::{SqliteStore, TeamConnection};
use tokio::{net::TcpListener, sync::mpsc};

use super::{Ending, booking::show_problem};
use crate::{
    cli::Connect,
    component_file::ComponentFile,
    error::CliError,
    files,
    policy_file::{self, announce_test_overrides, with_test_override},
    ui::{Ui, one_line},
};

/// Time for a person to find a password and read the approval page.
const PATIENCE_MINUTES: u64 = 15;

pub(super) async fn run(ui: &mut Ui, arguments: Connect) -> Result<Ending, CliError> {
    let client =
        ClientRegistration { client_id: arguments.client_id.clone(), client_secret: client_secret(&arguments)? };
    let login_host = absolute(&arguments.login_host);
    let component = ComponentFile::find(ui, arguments.component.as_deref())?;
    let credential = component.credential()?;
    let policy = policy_file::read(arguments.policy.as_deref())?;
    let policy = match login_host.parse() {
        Ok(origin) => with_test_override(policy, &component.manifest, &origin)?,
        Err(_) => policy,
    };
    let store = SqliteStore::open(&arguments.data)?;
    let host = Host::builder()
        .policy(policy)
        .secrets(Arc::new(store.clone()))
        .registration(credential.clone(), client.clone())
        .build()?;
    let plugin = host.load(&component.content).await?;
    announce_test_overrides(ui, plugin.permissions());

    // Listen before the address is shown, so that nobody else can receive the code.
    let (listener, path) = listen(&arguments.redirect_uri).await?;
    let connection = ConnectionId::new(arguments.team.clone());
    let pending =
        plugin.broker().begin(&connection, credential.as_str(), &login_host, arguments.redirect_uri.as_str())?;
    let url = pending.authorize_url().clone();
    ui.note("Open this address, log in as the user who should appear as the Leads' creator, then choose Allow:");
    ui.note(format!("\n  {url}\n"));
    if arguments.open
        && let Err(error) = open::that(url.as_str())
    {
        ui.note(format!("no browser could be opened ({error}); open the address yourself"));
    }
    let patience = Duration::from_secs(PATIENCE_MINUTES * 60);
    let query = tokio::time::timeout(patience, callback(listener, &path, pending.state())).await.ok().flatten();
    let query = query.ok_or(CliError::NoCallback(PATIENCE_MINUTES))?;

    match plugin.broker().finish(pending, &query).await {
        Ok(connected) => {
            let key = GrantKey { connection: connection.clone(), credential };
            store.put_client(&key, client).await?;
            store
                .put_connection(TeamConnection {
                    team: arguments.team.clone(),
                    plugin: component.manifest.plugin.id.to_string(),
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
                ui.print(format!("  {name}: {}", one_line(value)));
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
            show_problem(ui, &plugin, &explained.into(), &[], None).await?;
            Ok(Ending::Refused)
        }
        Err(error) => Err(error.into()),
    }
}

/// Adds `https` to a host without a scheme.
pub(super) fn absolute(host: &str) -> String {
    let host = host.trim().trim_end_matches('/');
    if host.contains("://") { host.to_owned() } else { format!("https://{host}") }
}

fn client_secret(arguments: &Connect) -> Result<Option<Secret>, CliError> {
    if let Some(file) = &arguments.client_secret_file {
        let text = files::read_text(file)?;
        // A final line end comes from the editor.
        return Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))));
    }
    Ok(std::env::var("CLIENT_SECRET").ok().filter(|secret| !secret.is_empty()).map(Secret::new))
}

async fn listen(redirect_uri: &url::Url) -> Result<(TcpListener, String), CliError> {
    let host = redirect_uri.host_str().unwrap_or_default();
    if redirect_uri.scheme() != "http" || !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
        return Err(CliError::RedirectUri(redirect_uri.clone()));
    }
    let port = redirect_uri.port_or_known_default().unwrap_or(80);
    let address = format!("{host}:{port}");
    match TcpListener::bind(&address).await {
        Ok(listener) => Ok((listener, redirect_uri.path().to_owned())),
        Err(source) => Err(CliError::Listen { address, source }),
    }
}

/// Waits for a callback with our `state` and returns its query; `None` if the listener stops. Any page can send a browser to
/// an address on this machine, so requests without that `state` are refused, and waiting goes on.
async fn callback(listener: TcpListener, path: &str, state: &Secret) -> Option<String> {
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
            return (StatusCode::BAD_REQUEST, Html("<!doctype html><p>This is not the expected callback."));
        }
        // Only the first callback counts; nobody waits for a second one.
        let _ = expected.sender.try_send(query.to_owned());
        (
            StatusCode::OK,
            Html(
                "<!doctype html><meta charset=utf-8><title>host-harness</title>\
                 <p>Done. The terminal shows the result; you can close this page.</p>\
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
    let query = receiver.recv().await?;
    drop(stop);
    // Let the browser receive the page first.
    let _ = tokio::time::timeout(Duration::from_secs(2), server).await;
    Some(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_host_needs_no_scheme() {
        for (text, expected) in [
            ("login.salesforce.com", "https://login.salesforce.com"),
            (" acme.my.salesforce.com/ ", "https://acme.my.salesforce.com"),
            ("http://127.0.0.1:8900", "http://127.0.0.1:8900"),
        ] {
            assert_eq!(absolute(text), expected);
        }
    }
}
