//! How a call ended: what it used, or why it did not come to an answer.

use std::time::Duration;

use serde::Serialize;

use crate::{egress::Denial, engine::HOST_CALL_BYTES, manifest::Limits};

/// A call that came to an answer: the plugin's own, a problem included.
#[derive(Clone, Debug)]
pub struct Called<T> {
    /// What the plugin answered.
    pub answer: T,
    /// What the call used.
    pub usage: Usage,
}

/// What a call used. Holds no personal data: no queries, headers or bodies.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Time the plugin computed.
    #[serde(serialize_with = "as_micros", rename = "cpu_us")]
    pub cpu: Duration,
    /// Time from start to end.
    #[serde(serialize_with = "as_micros", rename = "wall_us")]
    pub wall: Duration,
    /// High-water mark of linear memory, in bytes.
    pub memory_bytes: usize,
    /// Instructions, as wasmtime counts fuel; only where the host counts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Requests that were sent, in order.
    pub requests: Vec<RequestNote>,
    /// Requests that policy forbade, in order.
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
    /// Status of the response; `None` where there was none.
    pub status: Option<u16>,
    /// It certainly had no effect: it reads, or it did not reach the server.
    pub harmless: bool,
}

/// A call that did not come to an answer of the plugin.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct CallError {
    /// Why.
    pub kind: CallErrorKind,
    /// What the call used until then.
    pub usage: Usage,
}

impl CallError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self.kind {
            CallErrorKind::NotExported(_) => "not-exported",
            CallErrorKind::ArgumentsTooLarge { .. } => "arguments-too-large",
            CallErrorKind::Cpu(_) => "cpu-limit",
            CallErrorKind::Wall(_) => "wall-limit",
            CallErrorKind::Memory(_) => "memory-limit",
            CallErrorKind::HostCall(_) => "host-call-limit",
            CallErrorKind::Trap(_) => "trap",
            CallErrorKind::Engine(_) => "engine",
        }
    }

    /// Whether the call may have changed something in the CRM: a request that writes was under way or done. The booking is
    /// then to be treated as after the reaction `check-first`.
    pub fn may_have_written(&self) -> bool {
        self.usage.requests.iter().any(|request| !request.harmless)
    }
}

/// Why a call did not come to an answer.
#[derive(Debug, thiserror::Error)]
pub enum CallErrorKind {
    /// The plugin does not have the function; [`crate::Plugin::exports`] tells before.
    #[error("the plugin does not export `{0}`")]
    NotExported(&'static str),
    /// The arguments are larger than the contract allows.
    #[error(
        "the arguments of the call have {bytes} bytes, the contract allows {limit}; shorten the booking or the mapping"
    )]
    ArgumentsTooLarge {
        /// Size of the arguments.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The plugin computed for too long.
    #[error("the plugin computed for longer than {} ms and was stopped", .0.as_millis())]
    Cpu(Duration),
    /// The call took too long.
    #[error("the call took longer than {} ms and was stopped", .0.as_millis())]
    Wall(Duration),
    /// The plugin wanted too much memory.
    #[error("the plugin wanted more than {0} bytes of memory and was stopped")]
    Memory(u64),
    /// The plugin handed over too much at once.
    #[error("the plugin handed over more than {0} bytes at once and was stopped")]
    HostCall(usize),
    /// The plugin failed.
    #[error("the plugin trapped: {0}")]
    Trap(String),
    /// The engine failed, not the plugin.
    #[error("the WebAssembly engine failed: {0}")]
    Engine(String),
}

impl CallErrorKind {
    /// Finds out why a call failed: a trap because of a limit is that limit.
    pub(crate) fn of(error: &wasmtime::Error, limits: &Limits, memory_refused: bool) -> Self {
        if error.downcast_ref::<CpuLimit>().is_some() {
            return Self::Cpu(Duration::from_millis(limits.cpu_ms));
        }
        if memory_refused {
            return Self::Memory(limits.memory_bytes);
        }
        // wasmtime has no type for it (`Store::set_hostcall_fuel`), only this text; a test holds it.
        if format!("{error:#}").contains("fuel allocated for hostcalls") {
            return Self::HostCall(HOST_CALL_BYTES);
        }
        match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => Self::Trap(trap.to_string()),
            None => Self::Engine(format!("{error:#}")),
        }
    }
}

/// Raised by the epoch callback.
#[derive(Debug, thiserror::Error)]
#[error("cpu limit")]
pub(crate) struct CpuLimit;
