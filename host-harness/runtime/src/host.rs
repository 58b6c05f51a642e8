//! The host: state that all plugins share, and loading a plugin from a file.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use wasmtime::component::{Component, Linker};

use crate::{
    clock::{Clock, SystemClock},
    credentials::{Broker, Builds, MemoryStore, Registration, SecretStore},
    engine::Engine,
    imports,
    inspect::{InspectError, Inspection},
    manifest::Identifier,
    observe::{Observed, Observer},
    plugin::Plugin,
    policy::{Permissions, Policy, PolicyError},
    session::CallState,
    transport::{ReqwestTransport, Transport},
    turns::Shares,
};

/// The engine, the operator's policy, and the store, transport and clock that all plugins share. Make one per process.
pub struct Host {
    engine: Arc<Engine>,
    linker: Linker<CallState>,
    policy: Policy,
    plugins: BTreeMap<Identifier, Builds>,
    registrations: Registrations,
    secrets: Arc<dyn SecretStore>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    observer: Option<Observer>,
}

/// By plugin and credential.
type Registrations = BTreeMap<Identifier, BTreeMap<Identifier, Registration>>;

/// Settings of a [`Host`].
#[must_use]
pub struct HostBuilder {
    policy: Policy,
    plugins: BTreeMap<Identifier, Builds>,
    registrations: Registrations,
    secrets: Arc<dyn SecretStore>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    shares: Shares,
    observer: Option<Observer>,
    counts_fuel: bool,
}

/// Why a host could not be built.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// WebAssembly does not run here.
    #[error("the WebAssembly engine cannot be set up on this machine: {0}")]
    Engine(String),
    /// A registration does not say where its secret may be sent.
    #[error(
        "the registration for the credential `{credential}` of `{plugin}` names no login host; name those that its secret may be sent to"
    )]
    NoLoginHosts {
        /// The plugin.
        plugin: Identifier,
        /// The credential.
        credential: Identifier,
    },
}

impl HostError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Engine(_) => "engine",
            Self::NoLoginHosts { .. } => "registration-no-login-hosts",
        }
    }
}

/// Why a file is not a plugin that this host may run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not a component of the contract, or its manifest is invalid.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The operator's policy allows nothing that the manifest asks for, or does not fit it.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The operator did not name the plugin.
    #[error("the operator does not allow the plugin `{0}`; name it at `HostBuilder::plugin`")]
    UnknownPlugin(Identifier),
    /// The operator did not name this build of the plugin.
    #[error("the operator does not allow this build of `{plugin}`; if you trust it, add its digest {sha256}")]
    UnknownBuild {
        /// The plugin.
        plugin: Identifier,
        /// The file's digest.
        sha256: String,
    },
    /// The component does not compile.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// A function or type does not match the contract.
    #[error("the component does not match the contract: {0}; rebuild it against the contract's WIT")]
    Shape(String),
    /// The component computes for too long before its first call, in its start code.
    #[error("the component's start code did not end within {} ms", .0.as_millis())]
    Start(Duration),
}

impl LoadError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Inspect(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::UnknownPlugin(_) => "plugin-not-allowed",
            Self::UnknownBuild { .. } => "build-not-allowed",
            Self::Compile(_) => "component-invalid",
            Self::Shape(_) => "component-shape",
            Self::Start(_) => "component-start",
        }
    }
}

impl Host {
    /// Settings for a host with an empty policy, secrets in memory and the real network.
    pub fn builder() -> HostBuilder {
        HostBuilder {
            policy: Policy::default(),
            plugins: BTreeMap::new(),
            registrations: BTreeMap::new(),
            secrets: Arc::new(MemoryStore::default()),
            transport: None,
            clock: Arc::new(SystemClock),
            shares: Shares::default(),
            observer: None,
            counts_fuel: false,
        }
    }

    /// Whether plugin memory is pooled. Otherwise it is allocated on demand, which is slower.
    pub fn is_pooled(&self) -> bool {
        self.engine.pooled
    }

    /// Loads a plugin: checks the file, its imports and its manifest, and only then compiles it.
    ///
    /// # Errors
    /// When the file is not a plugin of the contract, or the policy does not admit it.
    pub async fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let inspection = Inspection::read(bytes)?;
        inspection.check(bytes)?;
        let manifest = inspection.manifest()?;
        let id = &manifest.plugin.id;
        let builds = self.plugins.get(id).ok_or_else(|| LoadError::UnknownPlugin(id.clone()))?;
        if !builds.allow(&inspection.sha256) {
            return Err(LoadError::UnknownBuild { plugin: id.clone(), sha256: inspection.sha256 });
        }
        let permissions = Arc::new(Permissions::new(&manifest, &self.policy)?);
        let transport = match &self.transport {
            Some(transport) => transport.clone(),
            None => Arc::new(ReqwestTransport::new(&permissions)),
        };
        let broker = Broker::new(
            permissions.clone(),
            transport.clone(),
            self.secrets.clone(),
            self.clock.clone(),
            self.registrations.get(&permissions.manifest().plugin.id).cloned().unwrap_or_default(),
        );
        let compile = |error: wasmtime::Error| LoadError::Compile(format!("{error:#}"));
        let component = Component::from_binary(&self.engine.wasm, bytes).map_err(compile)?;
        let pre = self.linker.instantiate_pre(&component).map_err(|error| LoadError::Shape(format!("{error:#}")))?;
        let observer = self.observer.clone();
        Plugin::new(self.engine.clone(), pre, inspection, permissions, broker, transport, observer).await
    }
}

impl HostBuilder {
    /// What the operator allows, and the test overrides.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Lets the host load a plugin, and says which builds. Grants belong to the plugin's id, so that whoever can claim it in a file
    /// that the host loads can use them.
    pub fn plugin(mut self, id: Identifier, builds: Builds) -> Self {
        self.plugins.insert(id, builds);
        self
    }

    /// The operator's OAuth client for a credential of a plugin.
    pub fn registration(mut self, plugin: Identifier, credential: Identifier, registration: Registration) -> Self {
        self.registrations.entry(plugin).or_default().insert(credential, registration);
        self
    }

    /// Where grants are kept.
    pub fn secrets(mut self, store: Arc<dyn SecretStore>) -> Self {
        self.secrets = store;
        self
    }

    /// How requests are sent. The default is HTTPS by `reqwest`, as the policy allows.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The source of the current time.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How many calls may run at the same time, over all plugins and connections. Further calls wait. The default is 64.
    pub fn concurrent_calls(mut self, calls: u32) -> Self {
        self.shares.calls = calls.max(1);
        self
    }

    /// How many of them may be for one connection. The default is an eighth, and at least one, so that a team whose org does not
    /// answer cannot stop the others.
    pub fn concurrent_calls_of_a_connection(mut self, calls: u32) -> Self {
        self.shares.of_connection = Some(calls);
        self
    }

    /// How long a call waits for its turn before it fails with `busy`. The default is ten seconds.
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.shares.wait = wait;
        self
    }

    /// Has each request of a plugin with its outcome, and each denial, reported for the operator's records.
    pub fn observe(mut self, observe: impl Fn(&Observed<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer::new(observe));
        self
    }

    /// Counts instructions for reports. This costs 14 to 30 % of the plugin's time.
    pub fn count_fuel(mut self) -> Self {
        self.counts_fuel = true;
        self
    }

    /// Builds the host.
    ///
    /// # Errors
    /// When the machine cannot run WebAssembly, or a registration names no login hosts.
    pub fn build(self) -> Result<Host, HostError> {
        for (plugin, registrations) in &self.registrations {
            if let Some((credential, _)) =
                registrations.iter().find(|(_, registration)| registration.login_hosts.is_empty())
            {
                return Err(HostError::NoLoginHosts { plugin: plugin.clone(), credential: credential.clone() });
            }
        }
        let failed = |error: wasmtime::Error| HostError::Engine(format!("{error:#}"));
        let engine = Engine::new(self.shares, self.counts_fuel).map_err(failed)?;
        let mut linker = Linker::new(&engine.wasm);
        imports::link(&mut linker).map_err(failed)?;
        Ok(Host {
            engine: Arc::new(engine),
            linker,
            policy: self.policy,
            plugins: self.plugins,
            registrations: self.registrations,
            secrets: self.secrets,
            transport: self.transport,
            clock: self.clock,
            observer: self.observer,
        })
    }
}
