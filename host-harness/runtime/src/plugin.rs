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
    credentials::{Broker, ConnectionId, OAuthError},
    deadline::Deadline,
    engine::{Engine, HOST_CALL_BYTES, TICK},
    exports::{ConnectionFunctions, Functions, GuidanceFunctions, OptionalExports, SettingsFunctions},
    host::LoadError,
    inspect::Inspection,
    manifest::Limits,
    observe::{Event, Observed, Observer},
    policy::Permissions,
    quarantine::Quarantine,
    session::{CallState, Session},
    transport::Transport,
    turns::{Busy, Holder},
    types::{
        ARGUMENTS, Account, AdviceText, Booking, BookingKind, Checked, Delivery, Effect, Expectation, FieldList,
        History, Mapping, OauthError, OptionChoice, OptionGroup, Parameter, PreviewResult, Problem, RESULT, Reaction,
        RecordRef, TooLarge,
    },
};

/// Computing time for what a component does before its first call.
const START: Duration = Duration::from_secs(1);

/// A loaded plugin. Cheap to clone; all clones share the compiled code.
#[derive(Clone)]
pub struct Plugin {
    inner: Arc<Inner>,
    deadline: Option<Deadline>,
}

pub(crate) struct Inner {
    pub(crate) engine: Arc<Engine>,
    pub(crate) pre: InstancePre<CallState>,
    pub(crate) functions: Functions,
    pub(crate) inspection: Inspection,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) broker: Broker,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) limits: Limits,
    pub(crate) quarantine: Arc<Quarantine>,
    pub(crate) observer: Option<Observer>,
}

type ProblemResult<T> = Result<T, Problem>;

impl Plugin {
    /// Makes a plugin of what a host found, and checks its types.
    pub(crate) async fn new(inner: Inner) -> Result<Self, LoadError> {
        let plugin = Self { inner: Arc::new(inner), deadline: None };
        plugin.check_shapes().await?;
        Ok(plugin)
    }

    /// Instantiates the plugin once and checks the types of all functions, so that a difference is found now and not at the
    /// first booking.
    async fn check_shapes(&self) -> Result<(), LoadError> {
        let shape = |error: wasmtime::Error| match error.downcast_ref::<CpuLimit>() {
            Some(_) => LoadError::Start(START),
            None => LoadError::Shape(format!("{error:#}")),
        };
        let busy = |_| LoadError::Shape("no turn to try it came in time".into());
        let _turn = self.inner.engine.turns.take(self.holder(None)).await.map_err(busy)?;
        // Start code runs now, under the host's limit and not under the manifest's.
        let mut store = self.store(None, START);
        let instance = self.inner.pre.instantiate_async(&mut store).await.map_err(shape)?;
        let f = &self.inner.functions;
        macro_rules! check {
            ($function:expr, $arguments:ty => $result:ty) => {
                instance.get_typed_func::<$arguments, ($result,)>(&mut store, $function).map_err(shape)?;
            };
        }
        check!(f.on_booking_completed, (&Booking, &Mapping, &History) => ProblemResult<Delivery>);
        check!(f.list_lead_fields, (Option<&str>, &str) => ProblemResult<FieldList>);
        if let Some(f) = &f.settings {
            check!(f.list_targets, (&str,) => ProblemResult<Vec<OptionChoice>>);
            check!(f.options, (Option<&str>, &str) => ProblemResult<Vec<OptionGroup>>);
            check!(f.list_choices, (Option<&str>, &str, &[Parameter], &str) => ProblemResult<Vec<OptionChoice>>);
            check!(f.preview, (&Booking, &Mapping, &[RecordRef]) => ProblemResult<PreviewResult>);
            check!(f.check_mapping, (&BookingKind, Option<&str>, &[Expectation], &[Parameter]) => ProblemResult<Checked>);
        }
        if let Some(f) = &f.connection {
            check!(f.check, (&str,) => Result<Account, Vec<Problem>>);
            check!(f.explain, (&OauthError,) => Problem);
        }
        if let Some(f) = &f.guidance {
            check!(f.advice, (&str, &[Parameter], &str) => Option<AdviceText>);
            check!(f.codes, () => Vec<String>);
        }
        Ok(())
    }

    /// Whose share of the turns a call counts to.
    fn holder(&self, connection: Option<&ConnectionId>) -> Holder {
        match connection {
            Some(connection) => Holder::Connection(connection.clone()),
            None => Holder::Plugin(self.inner.permissions.manifest().plugin.id.clone()),
        }
    }

    /// The same plugin, for calls that send no request after a deadline. A ledger's worker must not send anything once its claim on a
    /// booking has ended, even if its process was stopped in between.
    pub fn until(&self, deadline: Deadline) -> Self {
        Self { inner: self.inner.clone(), deadline: Some(deadline) }
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

    /// Whether a connection gets no further calls of this plugin: responses to it contained the credential three times, or those to
    /// three connections did.
    pub fn is_quarantined(&self, connection: &ConnectionId) -> bool {
        self.inner.quarantine.holds(connection)
    }

    /// Allows calls again, once an operator knows why responses contained the credential. A plugin that the host loads again stays in
    /// quarantine. One of a new host does not: a platform that restarts remembers [`Event::Quarantined`](crate::Event::Quarantined).
    pub fn lift_quarantine(&self) {
        self.inner.quarantine.lift();
    }

    /// Connects, refreshes and disconnects this plugin's credentials.
    pub fn broker(&self) -> &Broker {
        &self.inner.broker
    }

    /// `leads.on-booking-completed`: makes sure that a booking has its record.
    ///
    /// # Errors
    /// When the call failed. [`CallError::effect`] tells whether a record may exist all the same.
    pub async fn on_booking_completed(
        &self,
        connection: &ConnectionId,
        booking: &Booking,
        mapping: &Mapping,
        history: &History,
    ) -> Result<Called<Result<Delivery, Problem>>, CallError> {
        let called: Called<Result<Delivery, Problem>> =
            self.call(Some(connection), self.inner.functions.on_booking_completed, (booking, mapping, history)).await?;
        Ok(Called { answer: called.answer.map_err(consistent), ..called })
    }

    /// `leads.list-lead-fields`: the fields that the connected user can write. `target` is one of [`Self::list_targets`].
    ///
    /// # Errors
    /// When the call failed.
    pub async fn list_lead_fields(
        &self,
        connection: &ConnectionId,
        target: Option<&str>,
        locale: &str,
    ) -> Result<Called<Result<FieldList, Problem>>, CallError> {
        let called: Called<Result<FieldList, Problem>> =
            self.call(Some(connection), self.inner.functions.list_lead_fields, (target, locale)).await?;
        let memos = called.answer.iter().flat_map(|listed| &listed.fields).map(|field| &field.memo);
        short_memos(memos, &called.usage)?;
        Ok(called)
    }

    /// `settings.list-targets`: the objects that a mapping can write.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn list_targets(
        &self,
        connection: &ConnectionId,
        locale: &str,
    ) -> Result<Called<Result<Vec<OptionChoice>, Problem>>, CallError> {
        let f = self.settings()?;
        self.call(Some(connection), f.list_targets, (locale,)).await
    }

    /// `settings.options`: the plugin's options for a target.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn options(
        &self,
        connection: &ConnectionId,
        target: Option<&str>,
        locale: &str,
    ) -> Result<Called<Result<Vec<OptionGroup>, Problem>>, CallError> {
        let f = self.settings()?;
        self.call(Some(connection), f.options, (target, locale)).await
    }

    /// `settings.list-choices`: the further values of an option.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn list_choices(
        &self,
        connection: &ConnectionId,
        target: Option<&str>,
        group: &str,
        chosen: &[Parameter],
        locale: &str,
    ) -> Result<Called<Result<Vec<OptionChoice>, Problem>>, CallError> {
        let f = self.settings()?;
        self.call(Some(connection), f.list_choices, (target, group, chosen, locale)).await
    }

    /// `settings.preview`: what would be written. `records` are those that the booking has already.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn preview(
        &self,
        connection: &ConnectionId,
        booking: &Booking,
        mapping: &Mapping,
        records: &[RecordRef],
    ) -> Result<Called<Result<PreviewResult, Problem>>, CallError> {
        let f = self.settings()?;
        self.call(Some(connection), f.preview, (booking, mapping, records)).await
    }

    /// `settings.check-mapping`: checks the rows for one kind of booking against the CRM's fields and options.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn check_mapping(
        &self,
        connection: &ConnectionId,
        kind: &BookingKind,
        target: Option<&str>,
        rows: &[Expectation],
        options: &[Parameter],
    ) -> Result<Called<Result<Checked, Problem>>, CallError> {
        let f = self.settings()?;
        let called: Called<Result<Checked, Problem>> =
            self.call(Some(connection), f.check_mapping, (kind, target, rows, options)).await?;
        let memos = called.answer.iter().flat_map(|checked| &checked.memos).map(|(_, memo)| memo);
        short_memos(memos, &called.usage)?;
        Ok(called)
    }

    /// `connection.check`: the doctor.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn check_connection(
        &self,
        connection: &ConnectionId,
        locale: &str,
    ) -> Result<Called<Result<Account, Vec<Problem>>>, CallError> {
        let f = self.connection()?;
        // A person asks, perhaps after having removed the reason of a refusal.
        self.broker().ask_again(connection);
        self.call(Some(connection), f.check, (locale,)).await
    }

    /// `connection.explain`: what an authorization error means.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn explain(&self, error: &OauthError) -> Result<Called<Problem>, CallError> {
        let f = self.connection()?;
        self.call(None, f.explain, (error,)).await
    }

    /// The same for a refusal that a [`Broker`] met. The plugin gets its code only; the server's words end the problem's message.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn explain_refusal(&self, refused: OAuthError) -> Result<Called<Problem>, CallError> {
        let words = refused.to_string();
        let mut called = self.explain(&refused.into()).await?;
        called.answer.message = format!("{} The server said: {words}", called.answer.message);
        Ok(called)
    }

    /// `guidance.advice`: help for people. `particulars` are those of the problem or finding.
    ///
    /// # Errors
    /// When the plugin does not export it, or the call failed.
    pub async fn advice(
        &self,
        code: &str,
        particulars: &[Parameter],
        locale: &str,
    ) -> Result<Called<Option<AdviceText>>, CallError> {
        let f = self.guidance()?;
        self.call(None, f.advice, (code, particulars, locale)).await
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

    fn store(&self, connection: Option<&ConnectionId>, cpu: Duration) -> Store<CallState> {
        let inner = &self.inner;
        let limits = inner.limits;
        let session = Session {
            connection: connection.cloned(),
            permissions: inner.permissions.clone(),
            broker: inner.broker.clone(),
            transport: inner.transport.clone(),
            observer: inner.observer.clone(),
            limits,
            deadline: self.deadline,
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

    /// One call with a permit, a fresh store and a fresh instance. Arguments and result have the sizes that the contract allows.
    async fn call<P, R>(
        &self,
        connection: Option<&ConnectionId>,
        function: ComponentExportIndex,
        arguments: P,
    ) -> Result<Called<R>, CallError>
    where
        P: ComponentNamedList + Lower + Serialize + Send + Sync,
        (R,): ComponentNamedList + Lift + Send + Sync + 'static,
        R: Serialize + 'static,
    {
        let inner = &self.inner;
        let failed = |kind, usage| CallError { kind, usage };
        let too_large = |fault| failed(CallErrorKind::ArgumentsTooLarge(fault), Usage::default());
        ARGUMENTS.check(&arguments).map_err(too_large)?;
        if connection.is_some_and(|connection| inner.quarantine.holds(connection)) {
            return Err(failed(CallErrorKind::Quarantined, Usage::default()));
        }
        let asked = Instant::now();
        let turn = inner.engine.turns.take(self.holder(connection)).await;
        let waited = asked.elapsed();
        let _turn =
            turn.map_err(|Busy(wait)| failed(CallErrorKind::Busy(wait), Usage { waited, ..Usage::default() }))?;

        let mut store = self.store(connection, Duration::from_millis(inner.limits.cpu_ms));
        let started = Instant::now();
        let mut has_begun = false;
        let wall = Duration::from_millis(inner.limits.wall_ms);
        let wall = self.deadline.map_or(wall, |deadline| deadline.left().min(wall));
        let answered = tokio::time::timeout(wall, async {
            let instance = inner.pre.instantiate_async(&mut store).await?;
            let function = instance.get_typed_func::<P, (R,)>(&mut store, function)?;
            has_begun = true;
            let (answer,) = function.call_async(&mut store, arguments).await?;
            wasmtime::Result::Ok(answer)
        })
        .await;

        let fuel = inner.engine.counts_fuel.then(|| u64::MAX - store.get_fuel().unwrap_or(u64::MAX));
        let memory_refused = store.data().memory.refused;
        let usage = Usage { waited, ..store.into_data().usage(started.elapsed(), fuel) };
        match answered {
            Ok(Ok(answer)) => match RESULT.check(&answer) {
                Ok(_) => Ok(Called { answer, usage }),
                Err(fault) => Err(failed(CallErrorKind::ResultTooLarge(fault), usage)),
            },
            Ok(Err(error)) => {
                let kind = CallErrorKind::of(&error, &inner.limits, memory_refused, has_begun);
                if let (CallErrorKind::CredentialEcho, Some(connection)) = (&kind, connection)
                    && inner.quarantine.note(connection)
                {
                    let plugin = &inner.permissions.manifest().plugin.id;
                    tracing::error!(%plugin, %connection, "a quarantine begins");
                    if let Some(observer) = &inner.observer {
                        observer.notify(&Observed { plugin, connection, event: Event::Quarantined });
                    }
                }
                Err(failed(kind, usage))
            }
            Err(_elapsed) => Err(failed(CallErrorKind::Wall(wall), usage)),
        }
    }
}

fn not_exported(interface: &'static str) -> CallError {
    CallError { kind: CallErrorKind::NotExported(interface), usage: Usage::default() }
}

/// A problem as the contract reads it: one whose effect is unknown calls for a look first, whatever else it says (H16), and an
/// unknown reaction calls for a person (H18).
fn consistent(mut problem: Problem) -> Problem {
    if matches!(problem.reaction, Reaction::Other(_)) {
        problem.retry_after = None;
    } else if problem.effect == Effect::Unknown {
        problem.reaction = Reaction::CheckFirst;
    }
    problem
}

/// The longest memo that the contract allows.
const MAX_MEMO_BYTES: usize = 32 << 10;

fn short_memos<'m>(mut memos: impl Iterator<Item = &'m String>, usage: &Usage) -> Result<(), CallError> {
    match memos.find(|memo| memo.len() > MAX_MEMO_BYTES) {
        None => Ok(()),
        Some(memo) => {
            let fault = TooLarge::Text { bytes: memo.len(), limit: MAX_MEMO_BYTES };
            Err(CallError { kind: CallErrorKind::ResultTooLarge(fault), usage: usage.clone() })
        }
    }
}
