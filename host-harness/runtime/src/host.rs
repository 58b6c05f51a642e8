//! The host: what all plugins share, and the way from a file to a plugin.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::component::{Component, Linker};

use crate::{
    clock::{Clock, SystemClock},
    credentials::{Broker, ClientRegistration, MemoryStore, SecretStore},
    engine::{DEFAULT_CALLS, Engine},
    imports,
    inspect::{InspectError, Inspection},
    manifest::{Identifier, Manifest, ManifestError},
    plugin::Plugin,
    policy::{Effective, Policy, PolicyError},
    session::CallState,
    transport::{ReqwestTransport, Transport},
};

/// What all plugins share: the engine, the operator's policy, and the seams to the world. Make one per process.
pub struct Host {
    engine: Arc<Engine>,
    linker: Linker<CallState>,
    policy: Policy,
    registrations: BTreeMap<Identifier, ClientRegistration>,
    secrets: Arc<dyn SecretStore>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
}

/// Settings of a [`Host`].
#[must_use]
pub struct HostBuilder {
    policy: Policy,
    registrations: BTreeMap<Identifier, ClientRegistration>,
    secrets: Arc<dyn SecretStore>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    calls: u32,
    counts_fuel: bool,
}

/// Why a host could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot be set up on this machine: {0}")]
pub struct HostError(String);

impl HostError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        "engine"
    }
}

/// Why a file is not a plugin that this host may run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is no component of the contract.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The embedded manifest is faulty.
    #[error("the manifest in the component: {0}")]
    Manifest(#[from] ManifestError),
    /// The operator's policy leaves nothing of the manifest, or does not fit it.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The component does not compile.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// A function or type is not as the contract has it.
    #[error("the component is not as the contract has it: {0}; rebuild it against the contract's WIT")]
    Shape(String),
}

impl LoadError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Inspect(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::Compile(_) => "component-invalid",
            Self::Shape(_) => "component-shape",
        }
    }
}

impl Host {
    /// A host with an empty policy, secrets in memory and the real network. Set what differs.
    pub fn builder() -> HostBuilder {
        HostBuilder {
            policy: Policy::default(),
            registrations: BTreeMap::new(),
            secrets: Arc::new(MemoryStore::default()),
            transport: None,
            clock: Arc::new(SystemClock),
            calls: DEFAULT_CALLS,
            counts_fuel: false,
        }
    }

    /// Whether plugin memory is pooled; otherwise it is allocated on demand, which is slower.
    pub fn is_pooled(&self) -> bool {
        self.engine.pooled
    }

    /// Loads a plugin: looks at the file, its imports and its manifest, and only then compiles it.
    ///
    /// # Errors
    /// When the file is no plugin of the contract, or the policy does not admit it.
    pub async fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let inspection = Inspection::read(bytes)?;
        inspection.check(bytes)?;
        let manifest = Manifest::from_toml(inspection.manifest.as_deref().unwrap_or_default())?;
        let effective = Arc::new(Effective::new(&manifest, &self.policy)?);
        let transport = match &self.transport {
            Some(transport) => transport.clone(),
            None => Arc::new(ReqwestTransport::new(&effective)),
        };
        let broker = Broker::new(
            effective.clone(),
            transport.clone(),
            self.secrets.clone(),
            self.clock.clone(),
            self.registrations.clone(),
        );
        let compile = |error: wasmtime::Error| LoadError::Compile(format!("{error:#}"));
        let component = Component::from_binary(&self.engine.wasm, bytes).map_err(compile)?;
        let pre = self.linker.instantiate_pre(&component).map_err(|error| LoadError::Shape(format!("{error:#}")))?;
        Plugin::new(self.engine.clone(), pre, inspection, effective, broker, transport).await
    }
}

impl HostBuilder {
    /// What the operator allows, and the stand-ins for testing.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The operator's registration as an OAuth client, for the credential of this name in the manifest.
    pub fn registration(mut self, credential: Identifier, registration: ClientRegistration) -> Self {
        self.registrations.insert(credential, registration);
        self
    }

    /// Where grants are kept.
    pub fn secrets(mut self, store: Arc<dyn SecretStore>) -> Self {
        self.secrets = store;
        self
    }

    /// How requests travel. Without it: HTTPS by `reqwest`, as the policy allows.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// What the time is.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How many calls may run at the same time; more wait.
    pub fn concurrent_calls(mut self, calls: u32) -> Self {
        self.calls = calls.max(1);
        self
    }

    /// Counts instructions, for reports. It costs 14 to 30 % of the plugin's time.
    pub fn count_fuel(mut self) -> Self {
        self.counts_fuel = true;
        self
    }

    /// Makes the host.
    ///
    /// # Errors
    /// When the machine cannot run WebAssembly.
    pub fn build(self) -> Result<Host, HostError> {
        let failed = |error: wasmtime::Error| HostError(format!("{error:#}"));
        let engine = Engine::new(self.calls, self.counts_fuel).map_err(failed)?;
        let mut linker = Linker::new(&engine.wasm);
        imports::link(&mut linker).map_err(failed)?;
        Ok(Host {
            engine: Arc::new(engine),
            linker,
            policy: self.policy,
            registrations: self.registrations,
            secrets: self.secrets,
            transport: self.transport,
            clock: self.clock,
        })
    }
}
