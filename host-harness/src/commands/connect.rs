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
    credentials::{Asker, ClientRegistration, ConnectError, ConnectRequest, Connected, ConnectionId, Pending},
    manifest::{ApiKeySpec, CredentialSpec, Identifier},
    origin::Origin,
    secret::Secret,
};
use crm_texts::{Language, Texts};
use salesforce_local_org::visitor;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::{Ending, booking::show_problem};
use crate::{
    brokers::Brokers,
    cli::{Connect, Login},
    component_file::ComponentFile,
    connection::{host_for, registration},
    databases::Databases,
    environment::{environment, open_browser},
    error::CliError,
    files,
    policy_file::{self, announce_test_overrides, with_test_override},
    ui::{Ui, one_line},
};

/// Callback URL unless another one is registered.
const REDIRECT_URI: &str = "http://127.0.0.1:8917/callback";
/// How long a login host may take to accept a connection.
const REACH: Duration = Duration::from_secs(10);
/// How often the wait for a person is announced again.
const REMINDER: Duration = Duration::from_secs(30);

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
    let Login { login_host, client_id, client_secret_file, redirect_uri, open, no_browser, local_login, timeout: _ } =
        &arguments.login;
    unfit("--login-host", login_host.is_some(), IS_KEY)?;
    unfit("--client-id", client_id.is_some(), IS_KEY)?;
    unfit("--client-secret-file", client_secret_file.is_some(), IS_KEY)?;
    unfit("--redirect-uri", redirect_uri.is_some(), IS_KEY)?;
    unfit("--open", *open, IS_KEY)?;
    unfit("--no-browser", *no_browser, IS_KEY)?;
    unfit("--local-login", *local_login, IS_KEY)?;
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
    ui.print(format!("  {}", ui.say.try_the_key(&arguments.team)));
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

    let is_local = login_host.parse::<Origin>().is_ok_and(|origin| origin.is_loopback());
    if arguments.login.local_login && !is_local {
        return Err(CliError::LocalLoginElsewhere(login_host));
    }
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
    reach(&login_host, pending.authorize_url()).await?;
    let query = visited(ui, &arguments.login, &redirect_uri, &pending).await?;

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

/// Makes sure that the login host can be reached, before a person is asked to open it.
async fn reach(login_host: &str, address: &url::Url) -> Result<(), CliError> {
    let unreachable = |source| CliError::LoginHostUnreachable { origin: login_host.to_owned(), source };
    let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = address.port_or_known_default().unwrap_or(443);
    match tokio::time::timeout(REACH, TcpStream::connect((host, port))).await {
        Ok(reached) => reached.map(drop).map_err(unreachable),
        Err(_) => Err(unreachable(io::ErrorKind::TimedOut.into())),
    }
}

/// Lets a person visit the login host, and returns the query of the address that it sends the browser to.
async fn visited(ui: &Ui, login: &Login, redirect_uri: &url::Url, pending: &Pending) -> Result<String, CliError> {
    let url = pending.authorize_url();
    if login.local_login {
        let user = salesforce_local_org::User::default();
        return Ok(query_of(&visitor::allow(url.as_str(), &user.username, &user.password).await?));
    }
    let arriving = if login.no_browser {
        Arriving::Typed
    } else {
        // Listen before the address is shown, so that nobody else can receive the code.
        Arriving::Sent(listen(redirect_uri).await?)
    };
    ui.note(ui.say.open_address());
    ui.note(format!("\n  {url}\n"));
    if login.open
        && let Err(error) = open_browser(url.as_str())
    {
        ui.note(ui.say.no_browser_opened(error));
    }
    let limit = Duration::from_secs(login.timeout);
    let no_callback = || CliError::NoCallback { address: redirect_uri.clone(), seconds: login.timeout };
    let query = async {
        match arriving {
            Arriving::Typed => {
                ui.note(ui.say.paste_callback(redirect_uri));
                typed_line().await.map(|line| query_of(line.trim()))
            }
            Arriving::Sent((listener, path)) => {
                ui.note(ui.say.waiting_for_callback(time_text(&ui.say, limit), redirect_uri));
                callback(listener, &path, pending.state()).await
            }
        }
    };
    tokio::time::timeout(limit, reminding(ui, limit, query)).await.ok().flatten().ok_or_else(no_callback)
}

/// How the address that the browser is sent to arrives.
enum Arriving {
    /// A person pastes it.
    Typed,
    /// The browser goes there.
    Sent((TcpListener, String)),
}

/// Says from time to time how long the wait still takes.
async fn reminding<T>(ui: &Ui, limit: Duration, awaited: impl Future<Output = T>) -> T {
    let begun = tokio::time::Instant::now();
    let mut awaited = std::pin::pin!(awaited);
    loop {
        match tokio::time::timeout(REMINDER, &mut awaited).await {
            Ok(arrived) => return arrived,
            Err(_) => ui.note(ui.say.still_waiting(time_text(&ui.say, limit.saturating_sub(begun.elapsed())))),
        }
    }
}

fn time_text(say: &Texts, time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    if seconds >= 60 && seconds.is_multiple_of(60) { say.minutes(seconds / 60) } else { say.seconds(seconds) }
}

/// The first line of standard input. A thread of its own reads it, because nothing ends a blocking read.
async fn typed_line() -> Option<String> {
    let (sender, line) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        if io::stdin().read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            // Nobody waits any more if the time is up.
            let _ = sender.send(line);
        }
    });
    line.await.ok()
}

/// The query of a pasted address, or the text itself if it is a query already.
fn query_of(address: &str) -> String {
    let query = address.split_once('?').map_or(address, |(_, query)| query);
    query.split('#').next().unwrap_or_default().to_owned()
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
    let store = Databases::store(ui, &arguments.databases).await?;
    let store = store.connecting(&arguments.team, client.map(|(_, client)| client.clone()));
    let mut host = host_for(component, policy, Some(&arguments.databases.data)).secrets(store);
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
    ui.print(ui.say.connected(&arguments.team, origin));
    for (name, value) in attributes {
        ui.print(format!("  {name}: {}", one_line(value)));
    }
    ui.print(format!("  {}", ui.say.stored_in(arguments.databases.data.display(), &arguments.team)));
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
    async fn receive(State(expected): State<Arc<Expected>>, uri: Uri) -> (StatusCode, Html<String>) {
        let query = uri.query().unwrap_or_default();
        let value = |wanted: &str| {
            url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value)
        };
        let is_ours = value("state").is_some_and(|state| state == expected.state.expose());
        if uri.path() != expected.path || !is_ours {
            return (StatusCode::BAD_REQUEST, Html(page(Texts::page_other, "")));
        }
        let error = value("error").unwrap_or_default();
        let description = value("error_description").unwrap_or_default();
        let title = match &*error {
            "" => Texts::page_allowed,
            "access_denied" => Texts::page_denied,
            _ => Texts::page_refused,
        };
        // Only the first callback counts; nobody waits for a second one.
        let _ = expected.sender.try_send(query.to_owned());
        (StatusCode::OK, Html(page(title, format!("{error} {description}").trim())))
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

/// What the browser shows, in both languages: nobody knows the reader's.
fn page(text: fn(&Texts) -> String, detail: &str) -> String {
    let [en, ja] = [Language::English, Language::Japanese].map(|language| text(&Texts::new(language)));
    let detail = detail.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<!doctype html><meta charset=utf-8><title>host-harness</title><p>{en}</p><p lang=ja>{ja}</p><p><code>{detail}</code></p>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_address_or_its_query_gives_the_query() {
        for pasted in ["http://127.0.0.1:8917/callback?code=a&state=b#_=_", "code=a&state=b", "?code=a&state=b"] {
            assert_eq!(query_of(pasted), "code=a&state=b");
        }
    }

    #[test]
    fn the_page_shows_the_servers_words_as_text() {
        let page = page(Texts::page_denied, "<script>");
        assert!(page.contains("&lt;script&gt;") && page.contains("許可されなかった"), "{page}");
    }

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
