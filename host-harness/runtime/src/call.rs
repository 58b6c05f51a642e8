//! The result of a call: what it used, or why it failed.

use std::time::Duration;

use crm_contract::{Effect, TooLarge};
use serde::Serialize;

use crate::{egress::Denial, engine::HOST_CALL_BYTES, manifest::Limits};

/// A call that returned. A problem that the plugin reports is a returned answer too.
#[derive(Clone, Debug)]
pub struct Called<T> {
    /// The plugin's answer.
    pub answer: T,
    /// What the call used.
    pub usage: Usage,
}

/// What a call used. It contains no personal data: no queries, headers or bodies.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Time the plugin spent computing.
    #[serde(serialize_with = "as_micros", rename = "cpu_us")]
    pub cpu: Duration,
    /// Time from start to end, host calls included.
    #[serde(serialize_with = "as_micros", rename = "wall_us")]
    pub wall: Duration,
    /// Time the call waited for its turn, before it started.
    #[serde(serialize_with = "as_micros", rename = "waited_us")]
    pub waited: Duration,
    /// High-water mark of linear memory, in bytes.
    pub memory_bytes: usize,
    /// Executed instructions as wasmtime fuel, if the host counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// The requests that were sent, in order.
    pub requests: Vec<RequestNote>,
    /// The requests that policy refused, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denials: Vec<Denial>,
}

fn as_micros<S: serde::Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(value.as_micros()).unwrap_or(u64::MAX))
}

/// A request that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestNote {
    /// Method.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// Status of the response, if one came.
    pub status: Option<u16>,
    /// It certainly changed nothing: it reads, or it did not reach the server.
    pub harmless: bool,
}

/// A call that failed before the plugin returned.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct CallError {
    /// Why.
    pub kind: CallErrorKind,
    /// What the call used before it failed.
    pub usage: Usage,
}

impl CallError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self.kind {
            CallErrorKind::NotExported(_) => "not-exported",
            CallErrorKind::ArgumentsTooLarge(_) => "arguments-too-large",
            CallErrorKind::ResultTooLarge(_) => "result-too-large",
            CallErrorKind::Busy(_) => "busy",
            CallErrorKind::Cpu(_) => "cpu-limit",
            CallErrorKind::Wall(_) => "wall-limit",
            CallErrorKind::Memory(_) => "memory-limit",
            CallErrorKind::HostCall(_) => "host-call-limit",
            CallErrorKind::CredentialEcho => "credential-echo",
            CallErrorKind::Quarantined => "quarantined",
            CallErrorKind::Trap(_) => "trap",
            CallErrorKind::InvalidData(_) => "invalid-data",
            CallErrorKind::Engine(_) => "engine",
        }
    }

    /// Whether the call may have changed something in the CRM: `Unknown` if a writing request was sent. Then name the try in
    /// `history.unknown_tries`, as after the reaction `check-first`.
    pub fn effect(&self) -> Effect {
        if self.usage.requests.iter().all(|request| request.harmless) { Effect::None } else { Effect::Unknown }
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallErrorKind {
    /// The plugin does not export the interface; see [`crate::Plugin::exports`].
    #[error("the plugin does not export `{0}`")]
    NotExported(&'static str),
    /// The arguments are larger than the contract allows.
    #[error("the call's arguments are too large: {0}; shorten the booking or the mapping")]
    ArgumentsTooLarge(TooLarge),
    /// The result is larger than the contract allows.
    #[error("the plugin's result is too large: {0}")]
    ResultTooLarge(TooLarge),
    /// Too many calls are running, of this connection or in all. Nothing was done; try again later.
    #[error("no turn came within {} ms, because too many calls are running; try again later", .0.as_millis())]
    Busy(Duration),
    /// The plugin computed for too long.
    #[error("the plugin computed for longer than {} ms and was stopped", .0.as_millis())]
    Cpu(Duration),
    /// The call took too long.
    #[error("the call took longer than {} ms and was stopped", .0.as_millis())]
    Wall(Duration),
    /// The plugin used too much memory.
    #[error("the plugin asked for more than {0} bytes of memory and was stopped")]
    Memory(u64),
    /// The plugin passed too much data in one host call.
    #[error("the plugin passed more than {0} bytes at once and was stopped")]
    HostCall(usize),
    /// A response contained the credential. The call was stopped before the plugin learned of it, so that it cannot find out piece
    /// by piece what a server repeats.
    #[error("a response contained the credential, and the call was stopped")]
    CredentialEcho,
    /// Responses contained the credential several times; see [`crate::Plugin::lift_quarantine`].
    #[error(
        "this connection of the plugin is in quarantine, because responses contained the credential; an operator must look into it"
    )]
    Quarantined,
    /// The plugin trapped.
    #[error("the plugin trapped: {0}")]
    Trap(TrapReason),
    /// The plugin returned or passed data that the component model does not allow, such as a text that is not UTF-8.
    #[error("the plugin gave data that is not valid: {0}")]
    InvalidData(String),
    /// The engine failed, not the plugin.
    #[error("the WebAssembly engine failed: {0}")]
    Engine(String),
}

impl CallErrorKind {
    /// Classifies a failed call. A trap caused by a limit counts as that limit. `has_begun` tells whether the plugin's code ran: what
    /// fails then, other than a trap, is the plugin's data.
    pub(crate) fn of(error: &wasmtime::Error, limits: &Limits, memory_refused: bool, has_begun: bool) -> Self {
        if error.downcast_ref::<CpuLimit>().is_some() {
            return Self::Cpu(Duration::from_millis(limits.cpu_ms));
        }
        if error.downcast_ref::<CredentialEcho>().is_some() {
            return Self::CredentialEcho;
        }
        if memory_refused {
            return Self::Memory(limits.memory_bytes);
        }
        // wasmtime's type for this (`Store::set_hostcall_fuel`) is private, so only its text identifies it; an acceptance
        // test would notice a change.
        if format!("{error:#}").contains("fuel allocated for hostcalls") {
            return Self::HostCall(HOST_CALL_BYTES);
        }
        match error.downcast_ref::<wasmtime::Trap>() {
            Some(&trap) => Self::Trap(trap.into()),
            None if has_begun => Self::InvalidData(format!("{error:#}")),
            None => Self::Engine(format!("{error:#}")),
        }
    }
}

/// Why a plugin trapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrapReason {
    /// The plugin gave up: a panic, an `unreachable`, or memory that could not be allocated.
    #[error("it reached code that it declares unreachable, as after a panic")]
    Unreachable,
    /// The call stack is used up.
    #[error("its call stack is used up")]
    StackOverflow,
    /// An access outside of a memory or table.
    #[error("it accessed memory or a table out of bounds")]
    OutOfBounds,
    /// A division by zero, or a number that does not fit.
    #[error("it divided by zero or converted a number that does not fit")]
    Arithmetic,
    /// Any other reason, in the engine's words.
    #[error("{0}")]
    Other(String),
}

impl TrapReason {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "trap-unreachable",
            Self::StackOverflow => "trap-stack-overflow",
            Self::OutOfBounds => "trap-out-of-bounds",
            Self::Arithmetic => "trap-arithmetic",
            Self::Other(_) => "trap-other",
        }
    }
}

impl From<wasmtime::Trap> for TrapReason {
    fn from(trap: wasmtime::Trap) -> Self {
        use wasmtime::Trap;
        match trap {
            Trap::UnreachableCodeReached => Self::Unreachable,
            Trap::StackOverflow => Self::StackOverflow,
            Trap::MemoryOutOfBounds | Trap::HeapMisaligned | Trap::TableOutOfBounds => Self::OutOfBounds,
            Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => Self::Arithmetic,
            other => Self::Other(other.to_string()),
        }
    }
}

/// Raised when a response contains the credential.
#[derive(Debug, thiserror::Error)]
#[error("credential echo")]
pub(crate) struct CredentialEcho;

/// Raised by the epoch callback.
#[derive(Debug, thiserror::Error)]
#[error("cpu limit")]
pub(crate) struct CpuLimit;
