//! The real plugin in the real host, connected over real sockets to a local org.

use crate::{
    guests, memory,
    samples::{self, Mapped},
};
use anyhow::{Context as _, Result};
use crm_booking::{Booking, Event, Expected, Explained, Question, expectations};
use crm_host::credentials::{
    Asker, Broker, Builds, ClientRegistration, ConnectRequest, Connected, ConnectionId, MemoryStore, Registration,
    SecretStore,
};
use crm_host::manifest::GrantType;
use crm_host::origin::Origin;
use crm_host::policy::{Policy, TestOverride};
use crm_host::secret::Secret;
use crm_host::types::{Delivery, FieldList, History, PreviewResult, Problem};
use crm_host::{Called, Host, HostBuilder, Plugin};
use jiff::{SignedDuration, Timestamp};
use salesforce_local_org::{AppCredentials, LogEntry, Options, Org, OrgFile, RunningOrg, visitor};
use std::sync::{Arc, OnceLock};

/// The name of the Salesforce credential in the plugin's manifest.
pub const CREDENTIAL: &str = "salesforce";
/// The plugin's id.
pub const PLUGIN: &str = "salesforce-leads";
/// Time for tests where it does not matter.
pub const NOW: u64 = 1_795_511_110_000; // 2026-11-24T09:05:10Z

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

    /// Connects to the default org, with pooled memory as for people: in memory that is searched, an instance begins by copying
    /// the component's data, which counts as instructions.
    pub async fn pooled() -> Result<Self> {
        let (file, options) = (OrgFile::enterprise()?, Options::default());
        let system = Self::with(component()?, file, options, HostBuilder::pool_memory).await?;
        system.connect().await?;
        system.running.org().clear_requests();
        Ok(system)
    }

    /// Starts an org with these options and loads this component, without connecting.
    pub async fn of(component: &[u8], file: OrgFile, options: Options) -> Result<Self> {
        Self::with(component, file, options, |host| host).await
    }

    async fn with(
        component: &[u8],
        file: OrgFile,
        options: Options,
        settings: impl FnOnce(HostBuilder) -> HostBuilder,
    ) -> Result<Self> {
        let running = salesforce_local_org::serve(file, options).await?;
        let secrets = Arc::new(MemoryStore::new());
        let (host, plugin) = machine(component, running.org(), secrets.clone(), settings).await?;
        Ok(Self { running, plugin, connection: ConnectionId::new("team-1"), secrets, host })
    }

    /// Another machine with the plugin and a store of its own. The connection is in the store, if it is anywhere.
    pub async fn machine(&self, secrets: Arc<dyn SecretStore>) -> Result<(Host, Plugin)> {
        machine(component()?, self.org(), secrets, |host| host).await
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
    pub async fn fields(&self) -> Result<FieldList> {
        let fields = self.plugin.list_lead_fields(&self.connection, None, "en").await?.answer.map_err(unexpected)?;
        self.org().clear_requests();
        Ok(fields)
    }

    /// The mapping of the webhook example.
    pub async fn example_mapping(&self) -> Result<Mapped> {
        samples::mapping("timerex-mapping.json", &self.fields().await?)
    }

    /// Delivers a booking.
    pub async fn deliver(
        &self,
        booking: &Booking,
        mapped: &Mapped,
        history: &History,
    ) -> Result<Called<Result<Delivery, Problem>>> {
        deliver(&self.plugin, &self.connection, booking, mapped, history).await
    }

    /// Previews a booking that has no record.
    pub async fn preview(&self, booking: &Booking, mapped: &Mapped) -> Result<Result<PreviewResult, Problem>> {
        preview(&self.plugin, &self.connection, booking, mapped).await
    }

    /// Checks a mapping for new bookings: what host and plugin find.
    pub async fn check(&self, mapped: &Mapped, questions: &[Question]) -> Result<Result<Vec<Explained>, Problem>> {
        check(&self.plugin, &self.connection, mapped, questions).await
    }

    /// The org's time plus `seconds`, as in a history.
    pub fn time(&self, seconds: i64) -> u64 {
        let now = self.org().now().saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        u64::try_from(now.as_millisecond()).unwrap_or_default()
    }
}

/// Resolves and delivers a booking.
pub async fn deliver(
    plugin: &Plugin,
    connection: &ConnectionId,
    booking: &Booking,
    mapped: &Mapped,
    history: &History,
) -> Result<Called<Result<Delivery, Problem>>> {
    let resolved = mapped.resolve(booking);
    Ok(plugin.on_booking_completed(connection, &resolved.booking, &resolved.mapping, history).await?)
}

/// Resolves and previews a booking that has no record.
pub async fn preview(
    plugin: &Plugin,
    connection: &ConnectionId,
    booking: &Booking,
    mapped: &Mapped,
) -> Result<Result<PreviewResult, Problem>> {
    let resolved = mapped.resolve(booking);
    Ok(plugin.preview(connection, &resolved.booking, &resolved.mapping, &[]).await?.answer)
}

/// Checks a mapping for new bookings: what host and plugin find.
pub async fn check(
    plugin: &Plugin,
    connection: &ConnectionId,
    Mapped { mapping, memos }: &Mapped,
    questions: &[Question],
) -> Result<Result<Vec<Explained>, Problem>> {
    let Expected { rows, options, mut findings, origins } =
        expectations(questions, mapping, Event::Confirmed, memos, None);
    let kind = Event::Confirmed.to_contract();
    let checked = plugin.check_mapping(connection, &kind, mapping.target(), &rows, &options).await?.answer;
    Ok(checked.map(|checked| {
        findings.extend(checked.findings.into_iter().map(|finding| origins.explain(finding)));
        findings
    }))
}

/// What an operator registers for the app of a local org, which stands in for all of Salesforce.
pub fn registration(app: &AppCredentials) -> Result<Registration> {
    Ok(Registration {
        client: ClientRegistration {
            client_id: app.client_id.clone(),
            client_secret: Some(Secret::new(app.client_secret.clone())),
        },
        login_hosts: vec!["https://*.my.salesforce.com".parse()?],
        grant_types: [GrantType::AuthorizationCode, GrantType::ClientCredentials].into(),
    })
}

/// Connects to an org through its pages, as a person does.
pub async fn connect(broker: &Broker, connection: &ConnectionId, org: &Org) -> Result<Connected> {
    let callback = org.app().redirect_uris.first().cloned().context("a callback")?;
    let browser = Secret::new("cookie");
    let pending = broker.begin(ConnectRequest {
        connection,
        credential: CREDENTIAL,
        login_host: org.base_url(),
        redirect_uri: &callback,
        asker: &Asker::operator(),
        browser: &browser,
    })?;
    let user = org.file().users.into_iter().next().context("a user")?;
    let back = visitor::allow(pending.authorize_url().as_str(), &user.username, &user.password).await?;
    let (_, query) = back.split_once('?').context("a callback with a query")?;
    Ok(broker.finish(pending, query, &browser).await?)
}

async fn machine(
    component: &[u8],
    org: &Org,
    secrets: Arc<dyn SecretStore>,
    settings: impl FnOnce(HostBuilder) -> HostBuilder,
) -> Result<(Host, Plugin)> {
    let host = settings(memory::host())
        .policy(PLUGIN.parse()?, policy(org)?)
        .secrets(secrets)
        .plugin(PLUGIN.parse()?, Builds::Any)
        .registration(PLUGIN.parse()?, CREDENTIAL.parse()?, registration(&org.app())?)
        .concurrent_calls(8)
        .count_fuel()
        .build()?;
    let plugin = host.load(component).await?;
    Ok((host, plugin))
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
