//! What requests consist of. A part that cannot be read is a problem like any other: axum's own refusals are plain text.

use std::{fmt, marker::PhantomData};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::ApiError;

/// The parameters of a path.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(ApiError::new(StatusCode::BAD_REQUEST, "path-invalid", rejection.body_text())),
        }
    }
}

/// The parameters of a query.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::new(StatusCode::BAD_REQUEST, "query-invalid", rejection.body_text())),
        }
    }
}

/// A body. It is judged only when a handler reads it, so that whoever may not ask learns nothing about it.
pub(crate) struct Body {
    bytes: Result<Bytes, ApiError>,
    is_json: bool,
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let is_json = is_json(request.headers());
        Ok(Self { bytes: Bytes::from_request(request, state).await.map_err(ApiError::from), is_json })
    }
}

impl Body {
    /// The bytes as they arrived.
    pub(crate) fn bytes(self) -> Result<Bytes, ApiError> {
        self.bytes
    }

    /// The text of a JSON body.
    pub(crate) fn text(self) -> Result<String, ApiError> {
        let (is_json, bytes) = (self.is_json, self.bytes?);
        if !is_json {
            let detail = "expected the header `content-type: application/json`";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", detail));
        }
        String::from_utf8(bytes.into()).map_err(|_| not_utf8())
    }

    /// A JSON body.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        Ok(crm_intake::json::parse::<Object<T>>(&self.text()?)?.0)
    }

    /// A JSON body that may be left out, or be `null`.
    pub(crate) fn optional_json<T: DeserializeOwned + Default>(self) -> Result<T, ApiError> {
        if self.bytes.as_ref().is_ok_and(Bytes::is_empty) {
            return Ok(T::default());
        }
        let body: Option<Object<T>> = crm_intake::json::parse(&self.text()?)?;
        Ok(body.map(|Object(body)| body).unwrap_or_default())
    }
}

/// What is read from a JSON object only: serde reads the members of a struct from a list, too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer).map(Self)
    }
}

/// Reads a member that is a JSON object.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Members<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members))
        }
    }
    deserializer.deserialize_map(Members(PhantomData))
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(bytes).map_err(|_| not_utf8())
}

fn not_utf8() -> ApiError {
    ApiError::invalid("", "expected JSON in UTF-8")
}

/// `application/json`, or a type with the suffix `+json` (RFC 6839).
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    kind == "application" && (subtype == "json" || subtype.ends_with("+json"))
}

/// An id of a team, a plugin or a calendar.
pub(crate) fn check_id(path: &str, id: &str) -> Result<(), ApiError> {
    if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
        return Err(ApiError::invalid(path, "expected 1 to 200 bytes without control characters"));
    }
    Ok(())
}
