//! Mappings of calendars.

use axum::{Json, extract::State};
use crm_booking::Mapping;
use crm_delivery::{Integration, LedgerError, MappingKey, StoredMapping};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ApiError, Service,
    authentication::{Caller, Role},
    extract::{Body, Path, Query, check_id},
};

/// A mapping with its version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Versioned {
    /// Counts from 1.
    version: u64,
    /// When it was saved, in milliseconds since 1970.
    saved_at: u64,
    /// Who saved it.
    saved_by: String,
    mapping: Mapping,
}

/// Which version to read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionQuery {
    /// The latest if absent.
    version: Option<u64>,
}

/// A mapping to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Save {
    /// The version that it replaces; 0 for the first. Without it, whatever is there is replaced.
    expected: Option<u64>,
    mapping: Mapping,
}

/// The version that was saved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Saved {
    /// Counts from 1.
    version: u64,
}

type Address = Path<(String, String, String)>;

fn key((team, calendar, integration): (String, String, String)) -> Result<MappingKey, ApiError> {
    let integration: Integration =
        integration.parse().map_err(|error| ApiError::invalid("integration", format!("{error}")))?;
    for (path, id) in [("team", &team), ("calendar", &calendar)] {
        check_id(path, id)?;
    }
    Ok(MappingKey { team, calendar, integration })
}

/// Shows a version of a calendar's mapping
#[utoipa::path(get, path = "/v1/teams/{team}/calendars/{calendar}/integrations/{integration}/mapping", tag = "mappings", operation_id = "showMapping",
    params(VersionQuery), responses(
    (status = 200, description = "The version.", body = Versioned),
    (status = 400, description = "body-invalid"),
    (status = 404, description = "no-such-mapping"),
))]
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
    let mapping = serde_json::from_str(&content).map_err(|error| LedgerError::Damaged(error.to_string()))?;
    Ok(Json(Versioned { version, saved_at, saved_by, mapping }))
}

/// Saves a new version of a calendar's mapping
///
/// Bookings that wait for a mapping are tried.
#[utoipa::path(put, path = "/v1/teams/{team}/calendars/{calendar}/integrations/{integration}/mapping", tag = "mappings", operation_id = "saveMapping",
    request_body = Save, responses(
    (status = 200, description = "The version that was saved.", body = Saved),
    (status = 404, description = "no-such-team"),
    (status = 409, description = "mapping-changed"),
))]
pub(crate) async fn put(
    State(service): State<Service>,
    caller: Caller,
    Path(address): Address,
    body: Body,
) -> Result<Json<Saved>, ApiError> {
    let key = key(address)?;
    caller.may(Role::Admin, &key.team)?;
    let Save { expected, mapping } = body.json()?;
    service.must_know(&key.team).await?;
    if let Some(target) = key.integration.target()
        && mapping.target() != Some(target)
    {
        let detail = format!("expected `{target}`, the integration's target");
        return Err(ApiError::invalid("mapping.target", detail));
    }
    let content = serde_json::to_string(&mapping).map_err(|error| ApiError::invalid("mapping", error.to_string()))?;
    let version = service.inner.ledger.put_mapping(&key, expected, &content, &[], &caller.name).await?;
    service.wake();
    Ok(Json(Saved { version }))
}
