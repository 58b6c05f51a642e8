//! A loaded plugin and the connection that a command works on: a stored one, or one to an org that runs on this machine for
//! as long as the command does.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use crm_booking::Memos;
use crm_host::{
    Host, HostBuilder, Plugin,
    credentials::{
        Asker, Builds, ClientRegistration, ConnectRequest, ConnectionId, GrantKey, GrantState, MemoryStore,
        Registration, StoreError,
    },
    manifest::{CredentialSpec, Identifier, Manifest},
    origin::Origin,
    policy::Policy,
    secret::Secret,
    transport::{Bounds, ReqwestTransport, Transport as _},
};
use crm_store::{Key, OpenError, SqliteStore, Store};
use salesforce_local_org::{Options, OrgFile, RunningOrg, visitor};
use serde_json::Value;

use crate::{
    brokers::Brokers,
    cli::{self, ConnectionArgs},
    component_file::ComponentFile,
    databases::Databases,
    environment::environment,
    error::CliError,
    orgs,
    policy_file::{self, announce_test_overrides, with_test_override},
    ui::{Ui, one_line},
};

/// What takes longer is announced.
const UNANNOUNCED: Duration = Duration::from_secs(3);
/// The folder in a data folder for compiled components.
const COMPILED: &str = "compiled";

/// What the operator of this command registers: their client, for the hosts that they named.
pub(crate) fn registration<'o>(
    client: ClientRegistration,
    manifest: &Manifest,
    credential: &Identifier,
    hosts: impl IntoIterator<Item = &'o Origin>,
) -> Registration {
    let Some(CredentialSpec::OAuth2(spec)) = manifest.credentials.get(credential) else {
        return Registration { client, login_hosts: Vec::new(), grant_types: BTreeSet::new() };
    };
    let mut login_hosts = Vec::new();
    for host in hosts {
        // A host on this machine is reached through a test override only, which stands in for those of the manifest.
        match host.to_string().parse() {
            Ok(pattern) => login_hosts.push(pattern),
            Err(_) => login_hosts.extend(spec.login_hosts.iter().cloned()),
        }
    }
    Registration { client, login_hosts, grant_types: spec.grant_types.clone() }
}

/// A host for the plugin of a component, which the operator of this command named on the command line. It compiles components in
/// another process of this program, and keeps them in a data folder.
pub(crate) fn host_for(component: &ComponentFile, policy: Policy, data: Option<&Path>) -> HostBuilder {
    let id = &component.manifest.plugin.id;
    let mut host = Host::builder().plugin(id.clone(), Builds::Any).policy(id.clone(), policy);
    if let Ok(program) = env::current_exe() {
        host = host.compiler(program);
    }
    match data {
        Some(data) if cfg!(unix) => host.compiled_cache(data.join(COMPILED)),
        _ => host,
    }
}

/// The key that the environment names, if any.
pub(crate) fn given_key() -> Result<Option<Key>, CliError> {
    match &environment().store_key {
        Some(key) if key.expose().trim().is_empty() => Err(CliError::StoreKeyBlank),
        Some(key) => Ok(Some(Key::from_base64(key.expose()).map_err(OpenError::from)?)),
        None => Ok(None),
    }
}

/// Opens the store of a data folder, with the key that the environment names, if any. Another process can make that wait.
pub(crate) fn open_store(ui: &Ui, data: &Path) -> Result<SqliteStore, CliError> {
    let (opening, opened) = mpsc::channel::<()>();
    let message = ui.say.waiting_for_folder(data.display());
    std::thread::spawn(move || {
        if opened.recv_timeout(UNANNOUNCED) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{message}");
        }
    });
    // Ends the wait of that thread.
    let _opening = opening;
    Ok(match given_key()? {
        Some(key) => SqliteStore::open_with_key(data, key)?,
        None => SqliteStore::open(data)?,
    })
}

/// A connection in a data folder.
pub(crate) struct Stored {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: GrantKey,
    /// `None` if neither the grant nor the connection can be opened.
    pub(crate) origin: Option<Origin>,
    /// `None` for an API key.
    pub(crate) registration: Option<Registration>,
    data: PathBuf,
}

impl Stored {
    /// Finds a team's connection for the plugin of a component.
    pub(crate) async fn find(
        ui: &Ui,
        component: &ComponentFile,
        databases: &cli::Databases,
        team: &str,
    ) -> Result<Self, CliError> {
        let missing = || no_connection(databases, team);
        let store = Self::existing(ui, databases, missing).await?;
        let plugin = component.manifest.plugin.id.clone();
        let found = store.connection(team, plugin.as_str()).await?.ok_or_else(missing)?;
        let key = GrantKey { plugin, connection: found.connection, credential: component.credential()? };
        let grant = store.load(&key).await?;
        let origin = grant.map_or_else(|| found.login_host.clone(), |grant| grant.state.origin().clone());
        let registration = match component.manifest.credentials.get(&key.credential) {
            Some(CredentialSpec::ApiKey(_)) => None,
            _ => {
                let client = store.client(&key).await?.ok_or_else(missing)?;
                Some(registration(client, &component.manifest, &key.credential, [&found.login_host, &origin]))
            }
        };
        Ok(Self { store, key, data: databases.data.clone(), origin: Some(origin), registration })
    }

    /// Finds a team's connection to remove it. What cannot be opened counts as missing.
    pub(crate) async fn find_to_remove(
        ui: &Ui,
        component: &ComponentFile,
        databases: &cli::Databases,
        team: &str,
    ) -> Result<Self, CliError> {
        let missing = || no_connection(databases, team);
        let store = Self::existing(ui, databases, missing).await?;
        let plugin = component.manifest.plugin.id.clone();
        let connection = store.connection_to_remove(team, plugin.as_str()).await?.ok_or_else(missing)?;
        let found = readable(store.connection(team, plugin.as_str()).await)?;
        let key = GrantKey { plugin, connection, credential: component.credential()? };
        let client = readable(store.client(&key).await)?;
        let origin = readable(store.load(&key).await)?.map(|grant| grant.state.origin().clone());
        let login_host = found.map(|found| found.login_host);
        let hosts = login_host.iter().chain(&origin);
        let registration = client.map(|client| registration(client, &component.manifest, &key.credential, hosts));
        Ok(Self { store, key, data: databases.data.clone(), origin: origin.or(login_host), registration })
    }

    /// Opening a store creates it; looking for a connection must not.
    async fn existing(
        ui: &Ui,
        databases: &cli::Databases,
        missing: impl Fn() -> CliError,
    ) -> Result<Arc<dyn Store>, CliError> {
        let exists = databases.postgres.is_some() || databases.data.exists();
        if exists { Databases::store(ui, databases).await } else { Err(missing()) }
    }

    /// Loads the plugin with this connection.
    pub(crate) async fn load(
        &self,
        brokers: &Brokers,
        component: &ComponentFile,
        policy: Policy,
    ) -> Result<Plugin, CliError> {
        let policy = match &self.origin {
            Some(origin) => with_test_override(policy, &component.manifest, origin)?,
            None => policy,
        };
        let mut host = host_for(component, policy, Some(&self.data)).secrets(self.store.clone());
        if let Some(registration) = &self.registration {
            host = host.registration(self.key.plugin.clone(), self.key.credential.clone(), registration.clone());
        }
        let plugin = host.build()?.load(&component.content).await?;
        brokers.add(plugin.broker());
        Ok(plugin)
    }

    /// Forgets the connection. The broker must have removed its grant before. Returns the credentials of grants of other builds
    /// that may still be valid.
    pub(crate) async fn forget(&self, team: &str) -> Result<Vec<String>, CliError> {
        Ok(self.store.remove_connection(team, self.key.plugin.as_str()).await?.unwrap_or_default())
    }
}

fn no_connection(databases: &cli::Databases, team: &str) -> CliError {
    CliError::NoConnection { team: team.to_owned(), data: databases.data.clone() }
}

/// A row, unless it is missing or cannot be opened.
fn readable<T>(row: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match row {
        Err(StoreError::Unreadable(_)) => Ok(None),
        row => row,
    }
}

/// A loaded plugin and a connection.
pub(crate) struct Connected {
    pub(crate) plugin: Plugin,
    pub(crate) connection: ConnectionId,
    credential: Identifier,
    /// What the connection leads to, for people.
    origin: String,
    org: Org,
}

/// Where a connection leads to.
enum Org {
    /// A connection in a data folder.
    Stored(Arc<dyn Store>),
    /// An org that runs for the command.
    Local(Local),
}

/// An org that runs for the command.
struct Local {
    org: RunningOrg,
    /// The access token, kept by the host to show later that it no longer works.
    token: Option<Secret>,
}

impl Connected {
    /// Opens the named stored connection, or starts an org on this machine and connects to it.
    pub(crate) async fn open(ui: &mut Ui, brokers: &Brokers, arguments: &ConnectionArgs) -> Result<Self, CliError> {
        let component = ComponentFile::find(ui, arguments.component.as_deref())?;
        let policy = policy_file::read(arguments.policy.as_deref())?;
        let connected = match &arguments.team {
            Some(team) => {
                let stored = Stored::find(ui, &component, &arguments.databases, team).await?;
                let plugin = stored.load(brokers, &component, policy).await?;
                let GrantKey { connection, credential, .. } = stored.key;
                let origin = stored.origin.as_ref().map_or_else(|| ui.say.the_server(), ToString::to_string);
                Self { plugin, connection, credential, origin, org: Org::Stored(stored.store) }
            }
            None => {
                // A command against an org on this machine leaves no data folder behind.
                let data = arguments.databases.data.exists().then_some(arguments.databases.data.as_path());
                Self::local(brokers, &component, policy, orgs::find(arguments.org.as_deref())?, data).await?
            }
        };
        // An org that the command itself runs is nobody's real one.
        if matches!(connected.org, Org::Stored(_)) || arguments.policy.is_some() {
            announce_test_overrides(ui, connected.plugin.permissions());
        }
        Ok(connected)
    }

    /// Starts an org and connects to it through its pages, as a person would.
    pub(crate) async fn local(
        brokers: &Brokers,
        component: &ComponentFile,
        policy: Policy,
        file: OrgFile,
        data: Option<&Path>,
    ) -> Result<Self, CliError> {
        let credential = component.credential()?;
        let org = salesforce_local_org::serve(file, Options::default()).await?;
        let app = org.app();
        let client =
            ClientRegistration { client_id: app.client_id, client_secret: Some(Secret::new(app.client_secret)) };
        let base = org.base_url().parse()?;
        let registration = registration(client, &component.manifest, &credential, [&base]);
        let host = host_for(component, with_test_override(policy, &component.manifest, &base)?, data)
            .secrets(Arc::new(MemoryStore::new()))
            .registration(component.manifest.plugin.id.clone(), credential.clone(), registration)
            .build()?;
        let plugin = host.load(&component.content).await?;
        brokers.add(plugin.broker());
        let connection = ConnectionId::new("local");

        let callback = app.redirect_uris.first().ok_or(CliError::IncompleteOrg("a callback URL of its app"))?;
        // This process is both host and browser.
        let browser = Secret::new("this process");
        let pending = plugin.broker().begin(ConnectRequest {
            connection: &connection,
            credential: credential.as_str(),
            login_host: org.base_url(),
            redirect_uri: callback,
            asker: &Asker::operator(),
            browser: &browser,
        })?;
        let user = org.org().file().users.into_iter().next().ok_or(CliError::IncompleteOrg("a user"))?;
        let back = visitor::allow(pending.authorize_url().as_str(), &user.username, &user.password).await?;
        let query = back.split_once('?').map_or("", |(_, query)| query);
        plugin.broker().finish(pending, query, &browser).await?;

        let token = match plugin.broker().state(&connection, credential.as_str()).await?.map(|stored| stored.state) {
            Some(GrantState::Live(grant)) => grant.secrets().next().cloned(),
            _ => None,
        };
        let origin = org.base_url().to_owned();
        Ok(Self { plugin, connection, credential, origin, org: Org::Local(Local { org, token }) })
    }

    /// Waits for a call, and says so if it takes long.
    pub(crate) async fn patiently<T>(&self, ui: &Ui, call: impl Future<Output = T>) -> T {
        let mut call = std::pin::pin!(call);
        match tokio::time::timeout(UNANNOUNCED, &mut call).await {
            Ok(called) => called,
            Err(_) => {
                ui.note(ui.say.waiting_for_call(&self.origin, self.plugin.limits().wall_ms.div_ceil(1000)));
                call.await
            }
        }
    }

    fn plugin_id(&self) -> &str {
        self.plugin.permissions().manifest().plugin.id.as_str()
    }

    /// What the plugin noted about the fields of a target, as far as it was kept.
    pub(crate) async fn memos(&self, target: Option<&str>) -> Result<Memos, CliError> {
        match &self.org {
            Org::Stored(store) => Ok(store
                .memos(self.plugin_id(), &self.connection, target.unwrap_or_default())
                .await?
                .into_iter()
                .collect()),
            Org::Local(_) => Ok(Memos::default()),
        }
    }

    /// Keeps the memos of a target for later commands.
    pub(crate) async fn keep_memos(&self, target: Option<&str>, memos: &Memos) -> Result<(), CliError> {
        if let Org::Stored(store) = &self.org {
            store.put_memos(self.plugin_id(), &self.connection, target.unwrap_or_default(), memos.pairs()).await?;
        }
        Ok(())
    }

    /// Shows a Lead as the local org holds it. Only the plugin talks to a real org.
    pub(crate) fn show_lead(&self, ui: &Ui, id: &str) -> Option<Value> {
        let Org::Local(Local { org, .. }) = &self.org else { return None };
        let lead = org.org().leads().into_iter().find(|lead| lead.get("Id").and_then(Value::as_str) == Some(id))?;
        let fields = lead.as_object()?.iter().filter(|(name, value)| {
            !value.is_null() && *name != "attributes" && !(value.is_object() || matches!(value, Value::Bool(false)))
        });
        ui.table(
            &[&ui.say.column_field(), &ui.say.column_value()],
            fields.map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                vec![name.clone(), text]
            }),
        );
        Some(lead)
    }

    /// Revokes and forgets the grant.
    pub(crate) async fn disconnect(&self) -> Result<(), CliError> {
        let gone =
            self.plugin.broker().disconnect(&self.connection, self.credential.as_str(), &Asker::operator()).await?;
        if gone.revoked.is_certain() { Ok(()) } else { Err(CliError::NotRevoked) }
    }

    /// The local org's status for a request with the token that the connection had; `None` for another org.
    pub(crate) async fn status_with_old_token(&self, path: &str) -> Result<Option<u16>, CliError> {
        let Org::Local(Local { org, token: Some(token) }) = &self.org else { return Ok(None) };
        let request = http::Request::get(format!("{}{path}", org.base_url()))
            .header("authorization", format!("Bearer {}", token.expose()))
            .body(Vec::new())?;
        let bounds = Bounds { max_response_bytes: 1 << 20, timeout: Duration::from_secs(10) };
        let transport = ReqwestTransport::new(self.plugin.permissions());
        Ok(Some(transport.send(&self.connection, request, bounds).await?.status().as_u16()))
    }

    /// Stops the org that was started for the command.
    pub(crate) async fn close(self, ui: &Ui) {
        // A plugin gets a code of a refusal; the words are the operator's.
        if let Ok(Some(refusal)) = self.plugin.broker().refusal(&self.connection, self.credential.as_str()).await {
            ui.note(ui.say.login_server_said(one_line(&refusal.to_string())));
        }
        if let Org::Local(local) = self.org {
            local.org.stop().await;
        }
    }
}
