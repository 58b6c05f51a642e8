//! Mappings and their versions.

use crm_contract::Instant;
use crm_delivery::{EntryId, Integration, LedgerError, MappingKey, StoredMapping, codes};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::rows::{Loaded, damaged, failed, from_json, number, to_json, unsigned};

type Result<T> = std::result::Result<T, LedgerError>;

/// Entries that are released in one transaction, so that others get their turn between.
pub(crate) const MOST_RELEASED: u32 = 500;

/// A version of a mapping; the latest if `None`.
pub(crate) fn read(database: &Connection, key: &MappingKey, version: Option<u64>) -> Result<Option<StoredMapping>> {
    let mut select = database
        .prepare_cached(
            "SELECT version, content, memos, saved_at, saved_by FROM mapping
             WHERE team = ?1 AND calendar = ?2 AND integration = ?3 AND (?4 IS NULL OR version = ?4)
             ORDER BY version DESC LIMIT 1",
        )
        .map_err(failed)?;
    let MappingKey { team, calendar, integration } = key;
    let found = select
        .query_row(params![team, calendar, integration.as_str(), version.map(number)], columns)
        .optional()
        .map_err(failed)?;
    found.map(stored).transpose()
}

type Columns = (i64, String, String, i64, String);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn stored((version, content, memos, saved_at, saved_by): Columns) -> Result<StoredMapping> {
    Ok(StoredMapping {
        version: unsigned(version),
        content,
        memos: from_json(&memos)?,
        saved_at: unsigned(saved_at),
        saved_by,
    })
}

/// Saves a new version.
pub(crate) fn put(
    database: &Connection,
    key: &MappingKey,
    expected: Option<u64>,
    content: &str,
    memos: &[(String, String)],
    (by, now): (&str, Instant),
) -> Result<u64> {
    let current = read(database, key, None)?.map_or(0, |mapping| mapping.version);
    if expected.is_some_and(|expected| expected != current) {
        return Err(LedgerError::MappingChanged { current });
    }
    let version = current.saturating_add(1);
    let MappingKey { team, calendar, integration } = key;
    database
        .execute(
            "INSERT INTO mapping (team, calendar, integration, version, content, memos, saved_at, saved_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![team, calendar, integration.as_str(), number(version), content, to_json(&memos)?, number(now), by],
        )
        .map_err(failed)?;
    Ok(version)
}

/// Replaces the memos of a version.
pub(crate) fn put_memos(
    database: &Connection,
    key: &MappingKey,
    version: u64,
    memos: &[(String, String)],
) -> Result<()> {
    let MappingKey { team, calendar, integration } = key;
    database
        .execute(
            "UPDATE mapping SET memos = ?5 WHERE team = ?1 AND calendar = ?2 AND integration = ?3 AND version = ?4",
            params![team, calendar, integration.as_str(), number(version), to_json(&memos)?],
        )
        .map_err(failed)?;
    Ok(())
}

/// The latest version of each mapping of a team, or of all.
pub(crate) fn all(database: &Connection, team: Option<&str>) -> Result<Vec<(MappingKey, StoredMapping)>> {
    let mut select = database
        .prepare_cached(
            "SELECT version, content, memos, saved_at, saved_by, team, calendar, integration FROM mapping AS latest
             WHERE (?1 IS NULL OR team = ?1) AND version = (
                 SELECT max(version) FROM mapping
                 WHERE team = latest.team AND calendar = latest.calendar AND integration = latest.integration
             )
             ORDER BY team, calendar, integration",
        )
        .map_err(failed)?;
    let mut rows = select.query([team]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let (team, calendar) = (row.get(5).map_err(failed)?, row.get(6).map_err(failed)?);
        let integration: String = row.get(7).map_err(failed)?;
        let integration: Integration = integration.parse().map_err(damaged)?;
        found.push((MappingKey { team, calendar, integration }, stored(columns(row).map_err(failed)?)?));
    }
    Ok(found)
}

/// Tries entries that waited for a mapping which is there now. Returns how many; fewer than [`MOST_RELEASED`] if that was all.
pub(crate) fn release(database: &Connection, key: &MappingKey, now: Instant) -> Result<u32> {
    let mut select = database
        .prepare_cached(
            "SELECT id FROM entry
             WHERE code = ?1 AND state = 'needs-attention' AND team = ?2 AND integration = ?3 AND calendar = ?4 LIMIT ?5",
        )
        .map_err(failed)?;
    let MappingKey { team, calendar, integration } = key;
    let ids = select
        .query_map(params![codes::MAPPING_MISSING, team, integration.as_str(), calendar, MOST_RELEASED], |row| {
            row.get::<_, i64>(0)
        })
        .map_err(failed)?;
    let ids = ids.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?;
    let found = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    for id in ids {
        let id = EntryId(unsigned(id));
        if let Some(mut loaded) = Loaded::of(database, id)? {
            loaded.chain.release(id, now);
            loaded.save(database, now)?;
        }
    }
    Ok(found)
}
