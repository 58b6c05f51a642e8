//! Errors of the API, as problem details (RFC 9457).

use axum::{
    Json,
    extract::rejection::BytesRejection,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use crm_delivery::LedgerError;
use crm_host::{credentials::StoreError, full_message};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A problem (RFC 9457) without a `type`: `code` tells problems apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ApiError {
    /// The HTTP status.
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// Stable code.
    #[schema(value_type = String)]
    code: &'static str,
    /// What went wrong, and what to do.
    detail: String,
    /// Where in the body, for example `guest.email`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    paths: Vec<String>,
    /// Seconds after which the same request may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    /// The version that something has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<u64>,
}

/// A result of a handler.
pub type Fault<T> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), paths: Vec::new(), retry_after: None, current: None }
    }

    pub(crate) fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub(crate) fn invalid(path: impl Into<String>, detail: impl Into<String>) -> Self {
        let path = path.into();
        let paths = if path.is_empty() { Vec::new() } else { vec![path] };
        Self { paths, ..Self::new(StatusCode::BAD_REQUEST, "body-invalid", detail) }
    }

    pub(crate) fn no_team(team: &str) -> Self {
        Self::not_found("no-such-team", format!("there is no team `{team}`; create it first"))
    }

    pub(crate) fn at(self, paths: Vec<String>) -> Self {
        Self { paths, ..self }
    }

    /// The same problem in other words.
    pub(crate) fn saying(self, detail: &str) -> Self {
        Self { detail: detail.to_owned(), ..self }
    }

    pub(crate) fn later(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let mut response = (status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        let code = error.code();
        match error {
            LedgerError::NoEntry(_) => Self::not_found(code, error.to_string()),
            LedgerError::MappingChanged { current } => {
                Self { current: Some(current), ..Self::new(StatusCode::CONFLICT, code, error.to_string()) }
            }
            LedgerError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string()).later(1),
            // The cause is the operator's; it names files and hosts.
            other => {
                tracing::error!(code, error = full_message(&other), "the ledger failed");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "the ledger cannot be used just now; try again")
                    .later(5)
            }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(code = error.code(), error = full_message(&error), "the store of connections failed");
        let detail = "the store of connections cannot be used just now; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), detail).later(5)
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = format!("the body is larger than {} bytes", crate::MOST_BODY_BYTES);
            return Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail);
        }
        Self::new(StatusCode::BAD_REQUEST, "body-unreadable", "the body did not arrive as a whole; send it again")
    }
}

impl From<crm_intake::Fault> for ApiError {
    fn from(fault: crm_intake::Fault) -> Self {
        Self::invalid(fault.path, fault.reason)
    }
}

pub(crate) async fn no_route() -> ApiError {
    ApiError::not_found("no-such-route", "there is no such route; /v1/openapi.json lists them")
}

pub(crate) async fn no_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "the route does not take this method")
}
