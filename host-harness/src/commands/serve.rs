//! `serve` and `worker`: accept bookings and deliver them, until stopped.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use crm_delivery::{
    Integration, Settings,
    upkeep::{Alarm, Log, Upkeep},
    worker::{Installed, Plugins, Worker},
};
use crm_host::{
    Plugin,
    credentials::{ClientRegistration, GrantKey, Registration, StoreError},
    manifest::{CredentialSpec, Identifier},
    origin::Origin,
    policy::Policy,
    secret::Secret,
};
use crm_server::{AlertWebhook, Metrics, Service, host_observer};
use crm_store::Store;
use serde::Deserialize;
use tokio::{net::TcpListener, sync::watch};

use super::{Ending, interrupt, sample};
use crate::{
    brokers::Brokers,
    cli::{Delivering, Serve, WorkerArgs},
    component_file::ComponentFile,
    connection::{host_for, registration},
    databases::{As, Databases},
    environment::environment,
    error::CliError,
    files,
    policy_file::{self, announce_test_overrides, with_test_override},
    ui::Ui,
};

/// How long open connections may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// What an operator sets for `serve` and `worker`: times, limits, alerts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ServeSettings {
    /// Times and numbers of delivery.
    delivery: Settings,
    /// Bookings that this process has under way at most.
    slots: u32,
    /// Bookings of a team that are accepted in a second.
    bookings_per_second: NonZeroU32,
    /// Days that the content of a booking is kept once it is final.
    retention_days: u32,
    /// Where alerts are sent, besides the log.
    alerts: Option<AlertSettings>,
}

/// A webhook that gets alerts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertSettings {
    /// An `https` URL.
    webhook: String,
    /// File with the secret that alerts are signed with, as Standard Webhooks writes it: `whsec_` and base64.
    secret_file: PathBuf,
}

impl AlertSettings {
    fn open(&self) -> Result<AlertWebhook, CliError> {
        let secret = Secret::new(files::read_secret(&self.secret_file)?.trim().to_owned());
        Ok(AlertWebhook::new(&self.webhook, &secret)?)
    }
}

impl Default for ServeSettings {
    fn default() -> Self {
        let pace = NonZeroU32::new(500).unwrap_or(NonZeroU32::MIN);
        Self { delivery: Settings::default(), slots: 32, bookings_per_second: pace, retention_days: 30, alerts: None }
    }
}

impl ServeSettings {
    fn read(file: Option<&Path>) -> Result<Self, CliError> {
        let Some(file) = file else { return Ok(Self::default()) };
        let text = files::read_text(file)?;
        let settings: Self =
            toml::from_str(&text).map_err(|source| CliError::Settings { file: file.to_owned(), source })?;
        // A call that outlives its claim would meet the next worker.
        let Settings { call, lease, in_flight, .. } = settings.delivery;
        if call >= lease || in_flight == 0 {
            return Err(CliError::SettingsUnfit { file: file.to_owned() });
        }
        Ok(settings)
    }
}

pub(super) async fn serve(ui: &mut Ui, brokers: &Brokers, arguments: Serve) -> Result<Ending, CliError> {
    let settings = ServeSettings::read(arguments.delivering.settings.as_deref())?;
    log_as_json();
    let metrics = Metrics::install().map_err(|error| CliError::Metrics(error.to_string()))?;
    // Before anything else: another server on the same port or folder is the most frequent mistake.
    let listen = |source| CliError::Listen { address: arguments.listen.to_string(), source };
    let listener = TcpListener::bind(arguments.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let databases = Databases::open(ui, &arguments.databases, As::Server, settings.delivery).await?;
    let component = ComponentFile::find(ui, arguments.delivering.component.as_deref())?;
    let local_org = match arguments.local_org {
        true => Some(sample::Sample::start(ui, brokers, &component, &databases, &arguments.databases.data).await?),
        false => None,
    };
    let fleet =
        Fleet::load(ui, brokers, &component, &databases, &arguments.delivering, &arguments.databases.data).await?;
    let integration = fleet.integration()?;
    let (worker, upkeep) = workers(&databases, fleet, &settings)?;
    let service = Service::new(databases.ledger.clone(), databases.store.clone(), integration)
        .waking(worker.waker())
        .metrics(metrics)
        .pace(settings.bookings_per_second);

    let (stop, stopped) = watch::channel(false);
    let mut closing = stopped.clone();
    let server = axum::serve(listener, crm_server::router(service)).with_graceful_shutdown(async move {
        let _ = closing.wait_for(|stop| *stop).await;
    });
    let serving = tokio::spawn(server.into_future());
    let address = format!("http://{address}");
    ui.note(ui.say.serving(&address));
    if let Some(sample) = &local_org {
        sample.explain(ui, &address).await?;
    }
    deliver_until_interrupted(ui, worker, upkeep, &stop, stopped).await;
    if tokio::time::timeout(GRACE, serving).await.is_err() {
        tracing::warn!("connections were cut that did not end in time");
    }
    if let Some(sample) = local_org {
        sample.stop().await;
    }
    ui.note(ui.say.stopped_serving());
    Ok(Ending::Done)
}

pub(super) async fn worker(ui: &mut Ui, brokers: &Brokers, arguments: WorkerArgs) -> Result<Ending, CliError> {
    let settings = ServeSettings::read(arguments.delivering.settings.as_deref())?;
    if arguments.databases.postgres.is_none() {
        return Err(CliError::WorkerNeedsPostgres);
    }
    log_as_json();
    let databases = Databases::open(ui, &arguments.databases, As::Server, settings.delivery).await?;
    let component = ComponentFile::find(ui, arguments.delivering.component.as_deref())?;
    let fleet =
        Fleet::load(ui, brokers, &component, &databases, &arguments.delivering, &arguments.databases.data).await?;
    let (worker, upkeep) = workers(&databases, fleet, &settings)?;
    let (stop, stopped) = watch::channel(false);
    ui.note(ui.say.working());
    deliver_until_interrupted(ui, worker, upkeep, &stop, stopped).await;
    ui.note(ui.say.stopped_serving());
    Ok(Ending::Done)
}

fn workers(databases: &Databases, fleet: Fleet, settings: &ServeSettings) -> Result<(Worker, Upkeep), CliError> {
    let plugins: Arc<dyn Plugins> = Arc::new(fleet);
    let worker = Worker::new(databases.ledger.clone(), plugins.clone(), settings.slots).observe(Arc::new(Metrics));
    let mut alarms: Vec<Arc<dyn Alarm>> = vec![Arc::new(Log)];
    if let Some(alerts) = &settings.alerts {
        alarms.push(Arc::new(alerts.open()?));
    }
    let holder = format!("{}-{:x}", std::process::id(), rand::random::<u64>());
    let upkeep = Upkeep::new(databases.ledger.clone(), plugins, alarms, holder, worker.waker())
        .retention_days(settings.retention_days);
    Ok((worker, upkeep))
}

/// Works until an interrupt, then finishes what is under way. A second interrupt ends that.
async fn deliver_until_interrupted(
    ui: &Ui,
    worker: Worker,
    upkeep: Upkeep,
    stop: &watch::Sender<bool>,
    stopped: watch::Receiver<bool>,
) {
    let upkeep = tokio::spawn(upkeep.run(stopped.clone()));
    let mut working = tokio::spawn(worker.run(stopped));
    tokio::select! {
        _ = &mut working => {}
        () = interrupt() => {
            let _ = stop.send(true);
            ui.note(ui.say.finishing());
            tokio::select! {
                _ = &mut working => {}
                () = interrupt() => ui.note(ui.say.ended_at_once()),
            }
        }
    }
    upkeep.abort();
}

/// One JSON object a line on standard error. `RUST_LOG` narrows it.
fn log_as_json() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A test may have set a subscriber already.
    let _ = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// The plugin of this process, and the connections of all teams.
#[derive(Debug)]
struct Fleet {
    plugin: PluginOf,
    store: Arc<dyn Store>,
}

/// A plugin does not describe itself.
struct PluginOf {
    plugin: Plugin,
    id: Identifier,
    credential: Identifier,
}

impl std::fmt::Debug for PluginOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginOf").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Fleet {
    async fn load(
        ui: &Ui,
        brokers: &Brokers,
        component: &ComponentFile,
        databases: &Databases,
        delivering: &Delivering,
        data: &Path,
    ) -> Result<Self, CliError> {
        let (id, credential) = (component.manifest.plugin.id.clone(), component.credential()?);
        let policy = policy_file::read(delivering.policy.as_deref())?;
        let connected = Connections::read(&*databases.store, component, &credential).await?;
        let policy = connected.test_override(component, policy)?;
        let mut host =
            host_for(component, policy, Some(data)).secrets(as_secrets(&databases.store)).observe(host_observer);
        if let Some(registration) = connected.registration(component, &credential)? {
            host = host.registration(id.clone(), credential.clone(), registration);
        }
        let plugin = host.build()?.load(&component.content).await?;
        brokers.add(plugin.broker());
        announce_test_overrides(ui, plugin.permissions());
        Ok(Self { plugin: PluginOf { plugin, id, credential }, store: databases.store.clone() })
    }

    fn integration(&self) -> Result<Integration, CliError> {
        Ok(self.plugin.id.as_str().parse()?)
    }
}

/// The store as a host uses it.
pub(super) fn as_secrets(store: &Arc<dyn Store>) -> Arc<dyn crm_host::credentials::SecretStore> {
    store.clone()
}

#[async_trait]
impl Plugins for Fleet {
    async fn find(&self, team: &str, plugin: &str) -> Result<Option<Installed>, StoreError> {
        let PluginOf { plugin: loaded, id, credential } = &self.plugin;
        if id.as_str() != plugin {
            return Ok(None);
        }
        let connection = self.store.connection(team, plugin).await?.map(|connected| connected.connection);
        Ok(Some(Installed { plugin: loaded.clone(), connection, credential: credential.clone() }))
    }
}

/// What the stored connections of a plugin need.
struct Connections {
    /// Where people logged in, and where their accounts are.
    hosts: Vec<Origin>,
    clients: Vec<ClientRegistration>,
}

impl Connections {
    async fn read(store: &dyn Store, component: &ComponentFile, credential: &Identifier) -> Result<Self, CliError> {
        let plugin = &component.manifest.plugin.id;
        let (mut hosts, mut clients) = (Vec::new(), Vec::<ClientRegistration>::new());
        for connected in store.connections().await? {
            // One that cannot be opened is its team's: the doctor says so.
            let Ok(connected) = connected else { continue };
            if connected.plugin != plugin.as_str() {
                continue;
            }
            let key =
                GrantKey { plugin: plugin.clone(), connection: connected.connection, credential: credential.clone() };
            if let Ok(Some(stored)) = store.load(&key).await {
                hosts.push(stored.state.origin().clone());
            }
            hosts.push(connected.login_host);
            if let Ok(Some(client)) = store.client(&key).await
                && !clients.iter().any(|known| known.client_id == client.client_id)
            {
                clients.push(client);
            }
        }
        Ok(Self { hosts, clients })
    }

    /// Connections to an org on this machine work through a test override. There can be only one such org.
    fn test_override(&self, component: &ComponentFile, policy: Policy) -> Result<Policy, CliError> {
        let mut local: Vec<&Origin> = self.hosts.iter().filter(|host| host.is_loopback()).collect();
        local.sort_unstable_by_key(|host| host.to_string());
        local.dedup();
        let is_remote = self.hosts.iter().any(|host| !host.is_loopback());
        match local.as_slice() {
            [] => Ok(policy),
            [local, ..] if !is_remote => with_test_override(policy, &component.manifest, local),
            _ => Err(CliError::MixedConnections),
        }
    }

    /// The operator's client: that of the environment, or else the one that all connections were made with.
    fn registration(
        &self,
        component: &ComponentFile,
        credential: &Identifier,
    ) -> Result<Option<Registration>, CliError> {
        let Some(CredentialSpec::OAuth2(spec)) = component.manifest.credentials.get(credential) else {
            return Ok(None);
        };
        let environment = environment();
        let of_environment = environment
            .client_id
            .clone()
            .map(|client_id| ClientRegistration { client_id, client_secret: environment.client_secret.clone() });
        let client = match (of_environment, self.clients.as_slice()) {
            (Some(client), _) => client,
            (None, [client]) => client.clone(),
            (None, []) => return Ok(None),
            (None, clients) => return Err(CliError::SeveralClients(clients.len())),
        };
        let mut registration = registration(client, &component.manifest, credential, &self.hosts);
        // Teams that connect later log in at any host that the manifest has and the policy leaves.
        registration.login_hosts.extend(spec.login_hosts.iter().cloned());
        Ok(Some(registration))
    }
}
