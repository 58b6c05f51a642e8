//! A loaded plugin, ready to be called.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use wasmtime::{
    Store, UpdateDeadline,
    component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower},
};

use crate::{
    call::{CallError, CallErrorKind, Called, CpuLimit, Usage},
    credentials::{Broker, ConnectionId},
    engine::{Engine, HOST_CALL_BYTES, TICK},
    exports::{ConnectionFunctions, Functions, GuidanceFunctions, OptionalExports, SettingsFunctions},
    host::LoadError,
    inspect::Inspection,
    manifest::Limits,
    policy::Permissions,
    session::{CallState, Session},
    transport::Transport,
    types::{
        Account, AdviceText, Booking, Delivery, Finding, History, LeadFields, Mapping, OauthError, OptionGroup,
        PreviewResult, Problem, Question,
    },
};

/// Bytes of arguments that the contract allows, measured as JSON.
const MAX_ARGUMENT_BYTES: usize = 1 << 20;

/// A loaded plugin. Cheap to clone; all clones share the compiled code.
#[derive(Clone)]
pub struct Plugin {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<Engine>,
    pre: InstancePre<CallState>,
    functions: Functions,
    inspection: Inspection,
    permissions: Arc<Permissions>,
    broker: Broker,
    transport: Arc<dyn Transport>,
    limits: Limits,
}

type ProblemResult<T> = Result<T, Problem>;

impl Plugin {
    pub(crate) async fn new(
        engine: Arc<Engine>,
        pre: InstancePre<CallState>,
        inspection: Inspection,
        permissions: Arc<Permissions>,
        broker: Broker,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, LoadError> {
        let functions = Functions::find(pre.component()).map_err(LoadError::Shape)?;
        let limits = permissions.limits();
        let plugin = Self {
            inner: Arc::new(Inner { engine, pre, functions, inspection, permissions, broker, transport, limits }),
        };
        plugin.check_shapes().await?;
        Ok(plugin)
    }

    /// Instantiates the plugin once and checks the types of all functions, so that a difference is found now and not at the
    /// first booking.
    async fn check_shapes(&self) -> Result<(), LoadError> {
        let shape = |error: wasmtime::Error| LoadError::Shape(format!("{error:#}"));
        let closed = |_| LoadError::Shape("the host is shutting down".into());
        let _permit = self.inner.engine.permits.acquire().await.map_err(closed)?;
        let mut store = self.store(None);
        let instance = self.inner.pre.instantiate_async(&mut store).await.map_err(shape)?;
        let f = &self.inner.functions;
        instance
            .get_typed_func::<(&Booking, &Mapping, &History), (ProblemResult<Delivery>,)>(
                &mut store,
                f.on_booking_completed,
            )
            .map_err(shape)?;
        instance.get_typed_func::<(), (ProblemResult<LeadFields>,)>(&mut store, f.list_lead_fields).map_err(shape)?;
        if let Some(f) = &f.settings {
            instance
                .get_typed_func::<(&Booking, &Mapping), (ProblemResult<PreviewResult>,)>(&mut store, f.preview)
                .map_err(shape)?;
            instance
                .get_typed_func::<(&Mapping, &[Question]), (ProblemResult<Vec<Finding>>,)>(&mut store, f.check_mapping)
                .map_err(shape)?;
            instance.get_typed_func::<(), (Vec<OptionGroup>,)>(&mut store, f.options).map_err(shape)?;
        }
        if let Some(f) = &f.connection {
            instance.get_typed_func::<(), (Result<Account, Vec<Problem>>,)>(&mut store, f.check).map_err(shape)?;
            instance.get_typed_func::<(&OauthError,), (Problem,)>(&mut store, f.explain).map_err(shape)?;
        }
        if let Some(f) = &f.guidance {
            instance.get_typed_func::<(&str, &str), (Option<AdviceText>,)>(&mut store, f.advice).map_err(shape)?;
            instance.get_typed_func::<(), (Vec<String>,)>(&mut store, f.codes).map_err(shape)?;
        }
        Ok(())
    }

    /// The imports, exports and manifest of the component.
    pub fn inspection(&self) -> &Inspection {
        &self.inner.inspection
    }

    /// The plugin's permissions: its manifest, narrowed by the operator's policy.
    pub fn permissions(&self) -> &Permissions {
        &self.inner.permissions
    }

    /// Limits of one call.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// The optional interfaces that the plugin exports.
    pub fn exports(&self) -> OptionalExports {
        self.inner.functions.optional()
    }

    /// Connects, refreshes and disconnects this plugin's credentials.
    pub fn broker(&self) -> &Broker {
        &self.inner.broker
    }

    /// `leads.on-booking-completed`: makes sure that a booking has a Lead.
    ///
    /// # Errors
    /// When the call failed. [`CallError::may_have_written`] tells whether a Lead may exist all the same.
    pub async fn on_booking_completed(
        &self,
        connection: &ConnectionId,
        booking: &Booking,
        mapping: &Mapping,
        history: &History,
    ) -> Result<Called<Result<Delivery, Problem>>, CallError> {
        fits(&(booking, mapping, history))?;
        self.call(Some(connection), self.inner.functions.on_booking_completed, (booking, mapping, history)).await
    }

    /// `leads.list-lead-fields`: the fields that the connected user can write.
    ///
    /// # Errors
    /// When the call failed.
    pub async fn list_lead_fields(
        &self,
        connection: &ConnectionId,
    ) -> Result<Called<Result<LeadFields, Problem>>, CallError> {
        self.call(Some(connection), self.inner.functions.list_lead_fields, ()).await
    }

    /// `settings.preview`: what would be written.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn preview(
        &self,
        connection: &ConnectionId,
        booking: &Booking,
        mapping: &Mapping,
    ) -> Result<Called<Result<PreviewResult, Problem>>, CallError> {
        fits(&(booking, mapping))?;
        let f = self.settings()?;
        self.call(Some(connection), f.preview, (booking, mapping)).await
    }

    /// `settings.check-mapping`: checks a mapping against the live fields and the form.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn check_mapping(
        &self,
        connection: &ConnectionId,
        mapping: &Mapping,
        questions: &[Question],
    ) -> Result<Called<Result<Vec<Finding>, Problem>>, CallError> {
        fits(&(mapping, questions))?;
        let f = self.settings()?;
        self.call(Some(connection), f.check_mapping, (mapping, questions)).await
    }

    /// `settings.options`: the plugin's own choices.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn options(&self) -> Result<Called<Vec<OptionGroup>>, CallError> {
        let f = self.settings()?;
        self.call(None, f.options, ()).await
    }

    /// `connection.check`: the doctor.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn check_connection(
        &self,
        connection: &ConnectionId,
    ) -> Result<Called<Result<Account, Vec<Problem>>>, CallError> {
        let f = self.connection()?;
        self.call(Some(connection), f.check, ()).await
    }

    /// `connection.explain`: what an authorisation error means.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn explain(&self, error: &OauthError) -> Result<Called<Problem>, CallError> {
        let f = self.connection()?;
        self.call(None, f.explain, (error,)).await
    }

    /// `guidance.advice`: help for people.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn advice(&self, code: &str, locale: &str) -> Result<Called<Option<AdviceText>>, CallError> {
        let f = self.guidance()?;
        self.call(None, f.advice, (code, locale)).await
    }

    /// `guidance.codes`: all codes that have advice.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn codes(&self) -> Result<Called<Vec<String>>, CallError> {
        let f = self.guidance()?;
        self.call(None, f.codes, ()).await
    }

    fn settings(&self) -> Result<&SettingsFunctions, CallError> {
        self.inner.functions.settings.as_ref().ok_or_else(|| not_exported("settings"))
    }

    fn connection(&self) -> Result<&ConnectionFunctions, CallError> {
        self.inner.functions.connection.as_ref().ok_or_else(|| not_exported("connection"))
    }

    fn guidance(&self) -> Result<&GuidanceFunctions, CallError> {
        self.inner.functions.guidance.as_ref().ok_or_else(|| not_exported("guidance"))
    }

    fn store(&self, connection: Option<&ConnectionId>) -> Store<CallState> {
        let inner = &self.inner;
        let limits = inner.limits;
        let cpu = Duration::from_millis(limits.cpu_ms);
        let session = Session {
            connection: connection.cloned(),
            permissions: inner.permissions.clone(),
            broker: inner.broker.clone(),
            transport: inner.transport.clone(),
            limits,
        };
        let mut store = Store::new(&inner.engine.wasm, CallState::new(session));
        if inner.engine.counts_fuel {
            // Fuel is enabled in this engine, so this cannot fail. The maximum, because fuel is only counted.
            let _ = store.set_fuel(u64::MAX);
        }
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(HOST_CALL_BYTES);
        // Check the computing time at every tick. Blocked host calls do not count, so it is measured here.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |store| {
            if store.data().computed() > cpu + TICK {
                return Err(CpuLimit.into());
            }
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }

    /// One call with a permit, a fresh store and a fresh instance.
    async fn call<P, R>(
        &self,
        connection: Option<&ConnectionId>,
        function: ComponentExportIndex,
        arguments: P,
    ) -> Result<Called<R>, CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        (R,): ComponentNamedList + Lift + Send + Sync + 'static,
        R: 'static,
    {
        let inner = &self.inner;
        let failed = |kind, usage| CallError { kind, usage };
        let closed = |_| failed(CallErrorKind::Engine("the host is shutting down".into()), Usage::default());
        let _permit = inner.engine.permits.acquire().await.map_err(closed)?;

        let mut store = self.store(connection);
        let started = Instant::now();
        let answered = tokio::time::timeout(Duration::from_millis(inner.limits.wall_ms), async {
            let instance = inner.pre.instantiate_async(&mut store).await?;
            let function = instance.get_typed_func::<P, (R,)>(&mut store, function)?;
            let (answer,) = function.call_async(&mut store, arguments).await?;
            wasmtime::Result::Ok(answer)
        })
        .await;

        let fuel = inner.engine.counts_fuel.then(|| u64::MAX - store.get_fuel().unwrap_or(u64::MAX));
        let memory_refused = store.data().memory.refused;
        let usage = store.into_data().usage(started.elapsed(), fuel);
        match answered {
            Ok(Ok(answer)) => Ok(Called { answer, usage }),
            Ok(Err(error)) => Err(failed(CallErrorKind::of(&error, &inner.limits, memory_refused), usage)),
            Err(_elapsed) => Err(failed(CallErrorKind::Wall(Duration::from_millis(inner.limits.wall_ms)), usage)),
        }
    }
}

fn not_exported(interface: &'static str) -> CallError {
    CallError { kind: CallErrorKind::NotExported(interface), usage: Usage::default() }
}

fn fits(arguments: &impl Serialize) -> Result<(), CallError> {
    let mut counter = ByteCounter(0);
    let counted = serde_json::to_writer(&mut counter, arguments);
    let kind = match counted {
        Ok(()) if counter.0 <= MAX_ARGUMENT_BYTES => return Ok(()),
        Ok(()) => CallErrorKind::ArgumentsTooLarge { bytes: counter.0, limit: MAX_ARGUMENT_BYTES },
        Err(error) => CallErrorKind::Engine(error.to_string()),
    };
    Err(CallError { kind, usage: Usage::default() })
}

struct ByteCounter(usize);

impl std::io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
