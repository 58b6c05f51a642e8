//! HTTP as a trait: one request, one response, and whether it may have had an effect.

mod address;
mod reqwest_transport;
mod resolver;

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use http::{Request, Response};

pub use address::Reachable;
pub use reqwest_transport::ReqwestTransport;

use crate::credentials::ConnectionId;

/// Sends requests.
#[async_trait]
pub trait Transport: Debug + Send + Sync {
    /// Sends a request to an absolute URL and waits for the whole response of any status.
    ///
    /// Redirects are not followed, nothing is sent twice, and connection ids do not share network connections. The response
    /// body is decoded from its content coding.
    async fn send(
        &self,
        connection: &ConnectionId,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError>;
}

/// Limits of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the decoded response body.
    pub max_response_bytes: usize,
    /// Time until the response is complete.
    pub timeout: Duration,
}

/// A request without a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct TransportError {
    /// Why.
    pub kind: TransportErrorKind,
    /// Whether the request may have had an effect.
    pub effect: Effect,
    /// Details for an operator. Never contains a URL, a header or a body.
    pub detail: String,
}

/// Whether a request may have had an effect at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Certainly none: no byte of the request was sent.
    None,
    /// Possibly one.
    Unknown,
}

/// Why a request has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The address is not allowed.
    #[error("the address is not allowed")]
    Denied,
    /// The request is not valid.
    #[error("the request is not valid")]
    Invalid,
    /// The name does not resolve, or nothing listens.
    #[error("no connection")]
    Connect,
    /// No secure connection.
    #[error("no secure connection")]
    Tls,
    /// Time ran out.
    #[error("time ran out")]
    Timeout,
    /// The connection ended before the response was complete, or the response was not HTTP.
    #[error("the connection ended before the response was complete")]
    Closed,
    /// The response is larger than allowed.
    #[error("the response is too large")]
    TooLarge,
}

impl TransportErrorKind {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Denied => "transport-denied",
            Self::Invalid => "transport-invalid-request",
            Self::Connect => "transport-connect",
            Self::Tls => "transport-tls",
            Self::Timeout => "transport-timeout",
            Self::Closed => "transport-closed",
            Self::TooLarge => "transport-response-too-large",
        }
    }
}

impl TransportError {
    /// A failure before any byte of the request was sent.
    pub fn before_sending(kind: TransportErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, effect: Effect::None, detail: detail.into() }
    }

    /// A failure after which the request may have had an effect.
    pub fn maybe_sent(kind: TransportErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, effect: Effect::Unknown, detail: detail.into() }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

/// Refuses every request, for hosts and tests that must not reach the network.
#[derive(Clone, Copy, Debug, Default)]
pub struct DenyTransport;

#[async_trait]
impl Transport for DenyTransport {
    async fn send(
        &self,
        _connection: &ConnectionId,
        _request: Request<Vec<u8>>,
        _bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        Err(TransportError::before_sending(TransportErrorKind::Denied, "this host sends no requests"))
    }
}

#[cfg(test)]
mod tests;
