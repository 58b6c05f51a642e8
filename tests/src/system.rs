//! The real plugin in the real host, connected over real sockets to a local org.

use crate::{guests, samples};
use anyhow::{Context as _, Result};
use crm_host::credentials::{Broker, ClientRegistration, Connected, ConnectionId, MemoryStore, SecretStore};
use crm_host::origin::Origin;
use crm_host::policy::{Policy, TestOverride};
use crm_host::secret::Secret;
use crm_host::types::{Booking, Delivery, History, LeadFields, Mapping, Problem};
use crm_host::{Called, Host, Plugin};
use jiff::{SignedDuration, Timestamp};
use salesforce_local_org::{LogEntry, Options, Org, OrgFile, RunningOrg, visitor};
use std::sync::{Arc, OnceLock};

/// The name of the Salesforce credential in the plugin's manifest.
pub const CREDENTIAL: &str = "salesforce";
/// Time for tests where it does not matter.
pub const NOW: &str = "2026-11-24T09:05:10Z";

/// The plugin's component, built once per process.
pub fn component() -> Result<&'static [u8]> {
    static COMPONENT: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    COMPONENT
        .get_or_init(|| {
            let read = || -> Result<Vec<u8>> { Ok(std::fs::read(guests::build("salesforce-leads")?.path)?) };
            read().map_err(|error| format!("{error:#}"))
        })
        .as_deref()
        .map_err(|error| anyhow::anyhow!("{error}"))
}

/// An org, a host with the plugin, and a connection between them.
pub struct System {
    /// The running org; it stops when dropped.
    pub running: RunningOrg,
    /// The plugin.
    pub plugin: Plugin,
    /// The connection.
    pub connection: ConnectionId,
    /// The store with the grant.
    pub secrets: Arc<MemoryStore>,
    /// The host, for further plugins or connections.
    pub host: Host,
}

impl System {
    /// Connects to the default org.
    pub async fn start() -> Result<Self> {
        Self::with_org(OrgFile::enterprise()?).await
    }

    /// Connects to a built-in org.
    pub async fn named(org: &str) -> Result<Self> {
        Self::with_org(OrgFile::named(org).with_context(|| format!("no org `{org}`"))??).await
    }

    /// Connects to an org through its pages, as a person does.
    pub async fn with_org(file: OrgFile) -> Result<Self> {
        let system = Self::disconnected(file).await?;
        system.connect().await?;
        system.running.org().clear_requests();
        Ok(system)
    }

    /// Starts an org without connecting to it.
    pub async fn disconnected(file: OrgFile) -> Result<Self> {
        Self::of(component()?, file, Options::default()).await
    }

    /// Starts an org with these options and loads this component, without connecting.
    pub async fn of(component: &[u8], file: OrgFile, options: Options) -> Result<Self> {
        let running = salesforce_local_org::serve(file, options).await?;
        let policy = policy(running.org())?;
        let app = running.org().app();
        let secrets = Arc::new(MemoryStore::new());
        let store: Arc<dyn SecretStore> = secrets.clone();
        let host = Host::builder()
            .policy(policy)
            .secrets(store)
            .registration(
                CREDENTIAL.parse()?,
                ClientRegistration { client_id: app.client_id, client_secret: Some(Secret::new(app.client_secret)) },
            )
            .concurrent_calls(8)
            .count_fuel()
            .build()?;
        let plugin = host.load(component).await?;
        Ok(Self { running, plugin, connection: ConnectionId::new("team-1"), secrets, host })
    }

    /// The policy, in which the org stands in for all of Salesforce.
    pub fn policy(&self) -> Result<Policy> {
        policy(self.org())
    }

    /// Connects through the org's pages, as a person does.
    pub async fn connect(&self) -> Result<Connected> {
        connect(self.plugin.broker(), &self.connection, self.org()).await
    }

    /// The org.
    pub fn org(&self) -> &Org {
        self.running.org()
    }

    /// API requests since the log was cleared.
    pub fn api_calls(&self) -> Vec<LogEntry> {
        self.org().requests().into_iter().filter(|entry| entry.path.starts_with("/services/data/v")).collect()
    }

    /// The fields that the plugin lists. Clears the request log afterwards.
    pub async fn fields(&self) -> Result<LeadFields> {
        let fields = self.plugin.list_lead_fields(&self.connection).await?.answer.map_err(unexpected)?;
        self.org().clear_requests();
        Ok(fields)
    }

    /// The mapping of the webhook example.
    pub async fn example_mapping(&self) -> Result<Mapping> {
        samples::mapping("timerex-mapping.json", &self.fields().await?.fields)
    }

    /// Delivers a booking.
    pub async fn deliver(
        &self,
        booking: &Booking,
        mapping: &Mapping,
        history: &History,
    ) -> Result<Called<Result<Delivery, Problem>>> {
        Ok(self.plugin.on_booking_completed(&self.connection, booking, mapping, history).await?)
    }

    /// The org's time plus `seconds`, in the format of a history.
    pub fn time(&self, seconds: i64) -> String {
        let now = self.org().now().saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// Connects to an org through its pages, as a person does.
pub async fn connect(broker: &Broker, connection: &ConnectionId, org: &Org) -> Result<Connected> {
    let callback = org.app().redirect_uris.first().cloned().context("a callback")?;
    let pending = broker.begin(connection, CREDENTIAL, org.base_url(), &callback)?;
    let user = org.file().users.into_iter().next().context("a user")?;
    let back = visitor::allow(pending.authorize_url().as_str(), &user.username, &user.password).await?;
    let (_, query) = back.split_once('?').context("a callback with a query")?;
    Ok(broker.finish(pending, query).await?)
}

/// A policy in which the org stands in for all of Salesforce.
pub fn policy(org: &Org) -> Result<Policy> {
    let origin: Origin = org.base_url().parse()?;
    let test_overrides = vec![TestOverride::new("https://*.my.salesforce.com".parse()?, origin)?];
    Ok(Policy { test_overrides, ..Policy::default() })
}

/// Converts an unexpected problem to an error.
pub fn unexpected(problem: Problem) -> anyhow::Error {
    anyhow::anyhow!("{} ({:?}): {}", problem.code, problem.reaction, problem.message)
}
