//! `connect`: a team's owner logs in and authorizes the app in the browser, or brings an API key; what comes of it is stored.

use std::{
    io::{self, IsTerminal},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    response::Html,
};
use crm_host::{
    Plugin,
    credentials::{Asker, ClientRegistration, ConnectError, ConnectRequest, Connected, ConnectionId},
    manifest::{ApiKeySpec, CredentialSpec, Identifier},
    secret::Secret,
};
use tokio::{net::TcpListener, sync::mpsc};

use super::{Ending, booking::show_problem};
use crate::{
    brokers::Brokers,
    cli::{Connect, Login},
    component_file::ComponentFile,
    connection::{host_for, open_store, registration},
    environment::{environment, open_browser},
    error::CliError,
    files,
    policy_file::{self, announce_test_overrides, with_test_override},
    ui::{Ui, one_line},
};

/// Callback URL unless another one is registered.
const REDIRECT_URI: &str = "http://127.0.0.1:8917/callback";
/// Time for a person to find a password and read the approval page.
const PATIENCE_MINUTES: u64 = 10;

const IS_KEY: &str = "this plugin uses an API key; connect with `--api-key-file FILE`";
const IS_LOGIN: &str = "this plugin's people log in; connect with `--login-host HOST`";

pub(super) async fn run(ui: &mut Ui, brokers: &Brokers, arguments: Connect) -> Result<Ending, CliError> {
    let component = ComponentFile::find(ui, arguments.component.as_deref())?;
    let credential = component.credential()?;
    match component.manifest.credentials.get(&credential) {
        Some(CredentialSpec::ApiKey(spec)) => with_key(ui, brokers, &arguments, &component, credential, spec).await,
        _ => by_login(ui, brokers, &arguments, &component, credential).await,
    }
}

/// Stores an API key that a person copied from the CRM.
async fn with_key(
    ui: &mut Ui,
    brokers: &Brokers,
    arguments: &Connect,
    component: &ComponentFile,
    credential: Identifier,
    spec: &ApiKeySpec,
) -> Result<Ending, CliError> {
    let Login { login_host, client_id, client_secret_file, redirect_uri, open } = &arguments.login;
    unfit("--login-host", login_host.is_some(), IS_KEY)?;
    unfit("--client-id", client_id.is_some(), IS_KEY)?;
    unfit("--client-secret-file", client_secret_file.is_some(), IS_KEY)?;
    unfit("--redirect-uri", redirect_uri.is_some(), IS_KEY)?;
    unfit("--open", *open, IS_KEY)?;
    let only = || spec.origin.exact().map(|origin| origin.to_string());
    let origin = arguments.key.origin.as_deref().map(absolute).or_else(only);
    let origin = origin.ok_or(CliError::ArgumentMissing("`--origin URL`, the address of your account at the CRM,"))?;
    let file = arguments.key.api_key_file.as_deref();
    let key = secret_of(&key_text(file.ok_or(CliError::ArgumentMissing("`--api-key-file FILE`"))?)?);

    let plugin = load(ui, brokers, arguments, component, &origin, None).await?;
    let connection = ConnectionId::new(arguments.team.clone());
    let broker = plugin.broker();
    let connected = broker.connect_api_key(&connection, credential.as_str(), &origin, key, &Asker::operator()).await?;
    show(ui, arguments, &connected)?;
    ui.print(format!("  `host-harness doctor --team {}` tells whether the CRM accepts the key", arguments.team));
    Ok(Ending::Done)
}

/// The text with the API key.
fn key_text(file: &Path) -> Result<String, CliError> {
    if file != Path::new("-") {
        return files::read_secret(file);
    }
    let input = io::stdin();
    if input.is_terminal() {
        return Err(CliError::KeyFromTerminal);
    }
    io::read_to_string(input).map_err(|source| CliError::Unreadable { file: "standard input".into(), source })
}

/// Lets a person log in and authorize the app.
async fn by_login(
    ui: &mut Ui,
    brokers: &Brokers,
    arguments: &Connect,
    component: &ComponentFile,
    credential: Identifier,
) -> Result<Ending, CliError> {
    unfit("--api-key-file", arguments.key.api_key_file.is_some(), IS_LOGIN)?;
    unfit("--origin", arguments.key.origin.is_some(), IS_LOGIN)?;
    let environment = environment();
    let login_host = arguments.login.login_host.clone().or_else(|| environment.login_host.clone());
    let login_host = absolute(
        &login_host.ok_or(CliError::ArgumentMissing("`--login-host HOST` or the variable HARNESS_LOGIN_HOST"))?,
    );
    let client_id = arguments.login.client_id.clone().or_else(|| environment.client_id.clone());
    let client_id = client_id.ok_or(CliError::ArgumentMissing("`--client-id ID` or the variable HARNESS_CLIENT_ID"))?;
    let client_secret = match &arguments.login.client_secret_file {
        Some(file) => Some(secret_of(&files::read_secret(file)?)),
        None => environment.client_secret.clone(),
    };
    let client = ClientRegistration { client_id, client_secret };
    let redirect_uri = redirect_uri(&arguments.login)?;
    let plugin = load(ui, brokers, arguments, component, &login_host, Some((&credential, &client))).await?;

    // Listen before the address is shown, so that nobody else can receive the code.
    let (listener, path) = listen(&redirect_uri).await?;
    let connection = ConnectionId::new(arguments.team.clone());
    // Whoever runs the command opens the address in a browser of their own; the listener is this process.
    let browser = Secret::new(arguments.team.clone());
    let pending = plugin.broker().begin(ConnectRequest {
        connection: &connection,
        credential: credential.as_str(),
        login_host: &login_host,
        redirect_uri: redirect_uri.as_str(),
        asker: &Asker::operator(),
        browser: &browser,
    })?;
    let url = pending.authorize_url().clone();
    ui.note("Open this address, log in as the user who should appear as the Leads' creator, then choose Allow:");
    ui.note(format!("\n  {url}\n"));
    if arguments.login.open
        && let Err(error) = open_browser(url.as_str())
    {
        ui.note(format!("no browser could be opened ({error}); open the address yourself"));
    }
    let patience = Duration::from_secs(PATIENCE_MINUTES * 60);
    let query = tokio::time::timeout(patience, callback(listener, &path, pending.state())).await.ok().flatten();
    let query = query.ok_or(CliError::NoCallback(PATIENCE_MINUTES))?;

    match plugin.broker().finish(pending, &query, &browser).await {
        Ok(connected) => {
            show(ui, arguments, &connected)?;
            Ok(Ending::Done)
        }
        Err(ConnectError::Refused(error)) if plugin.exports().connection => {
            let explained = plugin.explain_refusal(error).await?.answer;
            show_problem(ui, &plugin, &explained.into(), &[], None, None).await?;
            Ok(Ending::Refused)
        }
        Err(error) => Err(error.into()),
    }
}

fn unfit(argument: &'static str, is_given: bool, reason: &'static str) -> Result<(), CliError> {
    if is_given { Err(CliError::ArgumentUnfit { argument, reason }) } else { Ok(()) }
}

/// Loads the plugin. A connection to this machine works through a test override.
async fn load(
    ui: &Ui,
    brokers: &Brokers,
    arguments: &Connect,
    component: &ComponentFile,
    address: &str,
    client: Option<(&Identifier, &ClientRegistration)>,
) -> Result<Plugin, CliError> {
    let policy = policy_file::read(arguments.policy.as_deref())?;
    // An address that is no origin is refused where it is used.
    let origin = address.parse().ok();
    let policy = match &origin {
        Some(origin) => with_test_override(policy, &component.manifest, origin)?,
        None => policy,
    };
    let store = open_store(&arguments.data)?.connecting(&arguments.team, client.map(|(_, client)| client.clone()));
    let mut host = host_for(component, policy, Some(&arguments.data)).secrets(Arc::new(store));
    if let (Some((credential, client)), Some(origin)) = (client, &origin) {
        let registration = registration(client.clone(), &component.manifest, credential, [origin]);
        host = host.registration(component.manifest.plugin.id.clone(), credential.clone(), registration);
    }
    let plugin = host.build()?.load(&component.content).await?;
    brokers.add(plugin.broker());
    announce_test_overrides(ui, plugin.permissions());
    Ok(plugin)
}

/// Says what was connected.
fn show(ui: &Ui, arguments: &Connect, connected: &Connected) -> Result<(), CliError> {
    let Connected { origin, attributes, scopes, .. } = connected;
    ui.json(&serde_json::json!({
        "team": arguments.team,
        "origin": origin,
        "attributes": attributes,
        "scopes": scopes,
    }))?;
    ui.print(format!("Connected `{}` to {origin}.", arguments.team));
    for (name, value) in attributes {
        ui.print(format!("  {name}: {}", one_line(value)));
    }
    ui.print(format!(
        "  stored in {}, sealed; `host-harness disconnect --team {}` ends it",
        arguments.data.display(),
        arguments.team
    ));
    Ok(())
}

/// Adds `https` to a host without a scheme.
pub(super) fn absolute(host: &str) -> String {
    let host = host.trim().trim_end_matches('/');
    if host.contains("://") { host.to_owned() } else { format!("https://{host}") }
}

/// A secret that a file holds. A final line end comes from the editor.
fn secret_of(text: &str) -> Secret {
    Secret::new(text.trim_end_matches(['\r', '\n']))
}

fn redirect_uri(login: &Login) -> Result<url::Url, CliError> {
    match (&login.redirect_uri, &environment().redirect_uri) {
        (Some(given), _) => Ok(given.clone()),
        (None, given) => given.as_deref().unwrap_or(REDIRECT_URI).parse().map_err(CliError::RedirectUriInvalid),
    }
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
