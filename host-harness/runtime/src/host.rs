//! The host: state that all plugins share, and loading a plugin from a file.

use std::{
    collections::BTreeMap,
    io,
    path::{self, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use wasmtime::component::{Component, Linker};

use crate::{
    cache::{Cache, CacheError},
    caps,
    clock::{Clock, SystemClock},
    compile::{Compiler, on_a_thread},
    credentials::{Broker, Builds, MemoryStore, Registration, SecretStore},
    engine::Engine,
    exports::Functions,
    imports,
    inspect::{InspectError, Inspection},
    manifest::Identifier,
    observe::{Observed, Observer},
    plugin::{self, Plugin},
    policy::{Permissions, Policy, PolicyError},
    quarantine::Quarantine,
    session::CallState,
    transport::{ReqwestTransport, Transport},
    turns::Shares,
};

/// The engine, the operator's policy, and the store, transport and clock that all plugins share. Make one per process.
pub struct Host {
    engine: Arc<Engine>,
    linker: Linker<CallState>,
    compiler: Compiler,
    cache: Option<Arc<Cache>>,
    plugins: BTreeMap<Identifier, Builds>,
    policies: BTreeMap<Identifier, Policy>,
    registrations: Registrations,
    /// A plugin that is loaded again stays in quarantine.
    quarantines: Mutex<BTreeMap<Identifier, Arc<Quarantine>>>,
    secrets: Arc<dyn SecretStore>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    observer: Option<Observer>,
}

/// By plugin and credential.
type Registrations = BTreeMap<Identifier, BTreeMap<Identifier, Registration>>;

/// Settings of a [`Host`].
///
/// # Loading is work under limits
///
/// A component's author decides how long it takes to compile. [`Host::load`] refuses a component with more functions, branches,
/// locals or instances than a plugin needs (`component-too-complex`), before anything is compiled. With a [`Self::compiler`], a
/// process compiles the rest under limits of its own. Start code has a second (`component-start`). With a
/// [`Self::compiled_cache`], each component is compiled once.
#[must_use]
pub struct HostBuilder {
    compiler: Compiler,
    compiled_cache: Option<PathBuf>,
    plugins: BTreeMap<Identifier, Builds>,
    policies: BTreeMap<Identifier, Policy>,
    registrations: Registrations,
    secrets: Arc<dyn SecretStore>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    shares: Shares,
    observer: Option<Observer>,
    counts_fuel: bool,
    #[cfg(feature = "inspect-memory")]
    inspect: Option<crate::inspected::Inspect>,
}

/// Why a host could not be built.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The machine cannot run WebAssembly.
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
    /// A policy or registration is for a plugin that the host does not load, so it would protect nothing.
    #[error("a policy or registration is for the plugin `{0}`, which `HostBuilder::plugin` does not name")]
    UnknownPlugin(Identifier),
    /// The folder for compiled components is not private.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl HostError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Engine(_) => "engine",
            Self::NoLoginHosts { .. } => "registration-no-login-hosts",
            Self::UnknownPlugin(_) => "plugin-not-named",
            Self::Cache(error) => error.code(),
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
    /// Compiling the component takes more time or memory than a plugin may.
    #[error("compiling the component takes too much: {0}")]
    TooCostly(String),
    /// The program that compiles cannot be run.
    #[error("the compiler `{}` cannot be run", program.display())]
    Compiler {
        /// The program, as given to [`HostBuilder::compiler`].
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
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
            Self::TooCostly(_) => "component-too-costly",
            Self::Compiler { .. } => "compiler",
            Self::Shape(_) => "component-shape",
            Self::Start(_) => "component-start",
        }
    }
}

impl Host {
    /// Settings for a host with an empty policy, secrets in memory and the real network.
    pub fn builder() -> HostBuilder {
        HostBuilder {
            compiler: Compiler::Thread,
            compiled_cache: None,
            plugins: BTreeMap::new(),
            policies: BTreeMap::new(),
            registrations: BTreeMap::new(),
            secrets: Arc::new(MemoryStore::default()),
            transport: None,
            clock: Arc::new(SystemClock),
            shares: Shares::default(),
            observer: None,
            counts_fuel: false,
            #[cfg(feature = "inspect-memory")]
            inspect: None,
        }
    }

    /// Whether plugin memory is pooled. Otherwise it is allocated on demand, which is slower.
    pub fn is_pooled(&self) -> bool {
        self.engine.pooled
    }

    /// Loads a plugin: checks the file, its imports, its manifest and its complexity, and only then compiles it. Dropping the
    /// future ends the compiler's process, if there is one.
    ///
    /// # Errors
    /// When the file is not a plugin of the contract, or the policy does not admit it.
    pub async fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        let bytes: Arc<[u8]> = bytes.into();
        let inspection = on_a_thread({
            let bytes = bytes.clone();
            move || Ok(Inspection::read(&bytes)?)
        })
        .await?;
        inspection.check_contract()?;
        let manifest = inspection.manifest()?;
        let id = &manifest.plugin.id;
        let builds = self.plugins.get(id).ok_or_else(|| LoadError::UnknownPlugin(id.clone()))?;
        if !builds.allow(&inspection.sha256) {
            return Err(LoadError::UnknownBuild { plugin: id.clone(), sha256: inspection.sha256 });
        }
        let policy = self.policies.get(id).cloned().unwrap_or_default();
        let permissions = Arc::new(Permissions::new(&manifest, &policy)?);
        let transport = match &self.transport {
            Some(transport) => transport.clone(),
            None => Arc::new(ReqwestTransport::new(&permissions)),
        };
        let broker = Broker::observed(
            permissions.clone(),
            transport.clone(),
            self.secrets.clone(),
            self.clock.clone(),
            self.registrations.get(id).cloned().unwrap_or_default(),
            self.observer.clone(),
        );
        let component = self.component(bytes, inspection.sha256.clone()).await?;
        let pre = self.linker.instantiate_pre(&component).map_err(|error| LoadError::Shape(format!("{error:#}")))?;
        let quarantine = {
            let mut quarantines = self.quarantines.lock().unwrap_or_else(PoisonError::into_inner);
            quarantines.entry(id.clone()).or_default().clone()
        };
        Plugin::new(plugin::Inner {
            engine: self.engine.clone(),
            functions: Functions::find(pre.component()).map_err(LoadError::Shape)?,
            pre,
            inspection,
            limits: permissions.limits(),
            permissions,
            broker,
            transport,
            quarantine,
            observer: self.observer.clone(),
        })
        .await
    }

    /// Native code from the cache or from the compiler.
    async fn component(&self, bytes: Arc<[u8]>, sha256: String) -> Result<Component, LoadError> {
        let (engine, cache) = (self.engine.wasm.clone(), self.cache.clone());
        let cached = on_a_thread({
            let (bytes, engine, cache, sha256) = (bytes.clone(), engine.clone(), cache.clone(), sha256.clone());
            move || {
                let compiled = cache.and_then(|cache| cache.read(&sha256));
                let component = compiled.and_then(|compiled| compiled.load(&engine).ok());
                // What is in the cache was validated before it was compiled.
                if component.is_none() {
                    caps::validate(&bytes)?;
                }
                Ok(component)
            }
        })
        .await?;
        if let Some(component) = cached {
            return Ok(component);
        }
        let compiled = self.compiler.compile(&self.engine, bytes).await?;
        on_a_thread(move || {
            let component = compiled.load(&engine).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
            if let Some(cache) = cache {
                cache.write(&sha256, &compiled);
            }
            Ok(component)
        })
        .await
    }
}

impl HostBuilder {
    /// The program that compiles components, in a process of its own that is limited in time and memory. Usually it is the
    /// program that calls this (`std::env::current_exe`), and calls [`run_as_compiler`](crate::run_as_compiler) first in `main`:
    /// then there is no second file to ship, and both always have the same version of the compiler. The program `crm-compile` of
    /// this crate does the same. The process gets no environment and no files.
    ///
    /// Without it, components are compiled on a thread. Nobody can stop that thread: a component within the limits on complexity
    /// that compiles slowly takes as much time and memory of this process as it wants, even when [`Host::load`] was given up, and
    /// a fault of the compiler is one of this process.
    pub fn compiler(mut self, program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        // The process starts in another folder.
        self.compiler = Compiler::Process(path::absolute(&program).unwrap_or(program));
        self
    }

    /// A folder that keeps compiled components, each under the digests of its file, of the engine and of this library's version.
    /// It is created with mode 0700. [`Self::build`] fails if it is a link, belongs to another user, or others can write to it:
    /// what is in it runs as native code. Its files can be deleted at any time; nothing else deletes them. Unix only.
    pub fn compiled_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.compiled_cache = Some(folder.into());
        self
    }

    /// Lets the host load a plugin, and says which builds. Grants belong to the plugin's id, so any file that the host
    /// loads under that id can use them.
    pub fn plugin(mut self, id: Identifier, builds: Builds) -> Self {
        self.plugins.insert(id, builds);
        self
    }

    /// What the operator allows a plugin of what its manifest asks for, and the test overrides. Without one, the manifest applies up to
    /// [`Limits::CEILING`](crate::manifest::Limits::CEILING).
    pub fn policy(mut self, plugin: Identifier, policy: Policy) -> Self {
        self.policies.insert(plugin, policy);
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

    /// Reports each request of a plugin with its outcome, and each denial, for the operator's records. `observe` runs during the call,
    /// so it must be quick.
    pub fn observe(mut self, observe: impl Fn(&Observed<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer::new(observe));
        self
    }

    /// Counts instructions for reports. This costs 14 to 30 % of the plugin's time.
    pub fn count_fuel(mut self) -> Self {
        self.counts_fuel = true;
        self
    }

    /// Shows all bytes of each plugin memory to `inspect` when its call has ended, and remembers every [`Secret`] that is made from
    /// now on, for [`remembered`]. Plugin memory is not pooled then. For tests.
    ///
    /// [`Secret`]: crate::secret::Secret
    /// [`remembered`]: crate::secret::remembered
    #[cfg(feature = "inspect-memory")]
    pub fn inspect_memory(mut self, inspect: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        crate::secret::remember();
        self.inspect = Some(Arc::new(inspect));
        self
    }

    /// Takes [`Self::inspect_memory`] back, for a host with a [`Self::compiler`]: that compiles for pooled memory.
    #[cfg(feature = "inspect-memory")]
    pub fn pool_memory(mut self) -> Self {
        self.inspect = None;
        self
    }

    fn engine(&self) -> wasmtime::Result<Engine> {
        #[cfg(feature = "inspect-memory")]
        if let Some(inspect) = &self.inspect {
            return Engine::inspecting(self.shares, self.counts_fuel, inspect.clone());
        }
        Engine::new(self.shares, self.counts_fuel)
    }

    /// Builds the host.
    ///
    /// # Errors
    /// When the machine cannot run WebAssembly, a registration names no login hosts, a policy or registration is for a plugin that is
    /// not named, or the folder for compiled components is not private.
    pub fn build(self) -> Result<Host, HostError> {
        for (plugin, registrations) in &self.registrations {
            if let Some((credential, _)) =
                registrations.iter().find(|(_, registration)| registration.login_hosts.is_empty())
            {
                return Err(HostError::NoLoginHosts { plugin: plugin.clone(), credential: credential.clone() });
            }
        }
        let named = self.policies.keys().chain(self.registrations.keys());
        if let Some(unknown) = named.into_iter().find(|id| !self.plugins.contains_key(*id)) {
            return Err(HostError::UnknownPlugin(unknown.clone()));
        }
        let failed = |error: wasmtime::Error| HostError::Engine(format!("{error:#}"));
        let engine = self.engine().map_err(failed)?;
        let mut linker = Linker::new(&engine.wasm);
        imports::link(&mut linker).map_err(failed)?;
        let cache = self.compiled_cache.map(|folder| Cache::open(&folder, &engine.wasm)).transpose()?;
        Ok(Host {
            compiler: self.compiler,
            cache: cache.map(Arc::new),
            engine: Arc::new(engine),
            linker,
            plugins: self.plugins,
            policies: self.policies,
            quarantines: Mutex::default(),
            registrations: self.registrations,
            secrets: self.secrets,
            transport: self.transport,
            clock: self.clock,
            observer: self.observer,
        })
    }
}
