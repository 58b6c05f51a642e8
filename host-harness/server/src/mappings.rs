//! Mappings of calendars.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
};
use crm_booking::Mapping;
use crm_delivery::{Integration, MappingKey, StoredMapping};
use serde::{Deserialize, Serialize};

use crate::{
    ApiError, Service,
    authentication::{Caller, Role},
};

/// A mapping with its version.
#[derive(Debug, Serialize)]
pub(crate) struct Versioned {
    version: u64,
    saved_at: u64,
    saved_by: String,
    mapping: Mapping,
}

/// Which version to read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionQuery {
    version: Option<u64>,
}

/// A mapping to save.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Save {
    /// The version that it replaces; 0 for the first. Without it, whatever is there is replaced.
    expected: Option<u64>,
    mapping: Mapping,
}

/// The version that was saved.
#[derive(Debug, Serialize)]
pub(crate) struct Saved {
    version: u64,
}

type Address = Path<(String, String, String)>;

fn key((team, calendar, integration): (String, String, String)) -> Result<MappingKey, ApiError> {
    let integration: Integration =
        integration.parse().map_err(|error| ApiError::invalid("integration", format!("{error}")))?;
    for (path, id) in [("team", &team), ("calendar", &calendar)] {
        if id.is_empty() || id.len() > 200 {
            return Err(ApiError::invalid(path, "expected 1 to 200 bytes"));
        }
    }
    Ok(MappingKey { team, calendar, integration })
}

/// `GET .../mapping`: the latest version, or `?version=N`.
pub(crate) async fn show(
    State(service): State<Service>,
    caller: Caller,
    Path(address): Address,
    Query(VersionQuery { version }): Query<VersionQuery>,
) -> Result<Json<Versioned>, ApiError> {
    let key = key(address)?;
    caller.may(Role::Admin, &key.team)?;
    let none = || ApiError::not_found("no-such-mapping", "the calendar has no such mapping for this integration");
    let StoredMapping { version, content, saved_at, saved_by, .. } =
        service.inner.ledger.mapping(&key, version).await?.ok_or_else(none)?;
    let mapping = serde_json::from_str(&content)
        .map_err(|error| ApiError::invalid("mapping", format!("the stored mapping cannot be read: {error}")))?;
    Ok(Json(Versioned { version, saved_at, saved_by, mapping }))
}

/// `PUT .../mapping`: saves a new version. Bookings that wait for a mapping are tried.
pub(crate) async fn put(
    State(service): State<Service>,
    caller: Caller,
    Path(address): Address,
    body: Result<Json<Save>, JsonRejection>,
) -> Result<Json<Saved>, ApiError> {
    let key = key(address)?;
    caller.may(Role::Admin, &key.team)?;
    let Json(Save { expected, mapping }) = body?;
    let inner = &service.inner;
    if !inner.known.team(&*inner.ledger, &key.team).await? {
        return Err(ApiError::not_found("no-such-team", format!("there is no team `{}`; create it first", key.team)));
    }
    if let Some(target) = key.integration.target()
        && mapping.target() != Some(target)
    {
        let detail = format!("expected `{target}`, the integration's target");
        return Err(ApiError::invalid("mapping.target", detail));
    }
    let content = serde_json::to_string(&mapping).map_err(|error| ApiError::invalid("mapping", error.to_string()))?;
    let version = inner.ledger.put_mapping(&key, expected, &content, &[], &caller.name).await?;
    if let Some(wake) = &inner.wake {
        wake.notify_one();
    }
    Ok(Json(Saved { version }))
}
