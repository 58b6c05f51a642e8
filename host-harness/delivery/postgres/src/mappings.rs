//! Mappings and their versions.

use crm_delivery::{Integration, LedgerError, MappingKey, StoredMapping, codes};
use tokio_postgres::Row;

use crate::{
    rows::{NOW, integration, read_now},
    session::{
        Failure, Result, Session, Step, damaged, from_json, get, get_number, number, storable, to_json, unsigned,
        values,
    },
    work,
};

/// Entries that are released in one transaction, so that others get their turn between.
pub(crate) const MOST_RELEASED: usize = 500;

/// Versions of mappings; the latest where none is given.
const MAPPINGS: &str = "
    SELECT found.version, found.content, found.memos, found.saved_at, found.saved_by
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS own (team, calendar, integration, version, place)
    LEFT JOIN LATERAL (
        SELECT * FROM crm_ledger.mapping
        WHERE team = own.team AND calendar = own.calendar AND integration = own.integration
          AND version = coalesce(own.version, version) ORDER BY version DESC LIMIT 1
    ) AS found ON true
    ORDER BY own.place";

pub(crate) async fn read(
    session: Session<'_>,
    wanted: &[(&MappingKey, Option<u64>)],
) -> Result<Vec<Option<StoredMapping>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let teams: Vec<&str> = wanted.iter().map(|(key, _)| key.team.as_str()).collect();
    let calendars: Vec<&str> = wanted.iter().map(|(key, _)| key.calendar.as_str()).collect();
    let integrations: Vec<&str> = wanted.iter().map(|(key, _)| key.integration.as_str()).collect();
    let versions: Vec<Option<i64>> = wanted.iter().map(|(_, version)| version.map(number)).collect();
    let rows = session.query(MAPPINGS, &[&teams, &calendars, &integrations, &versions]).await?;
    rows.iter().map(|row| get::<Option<i64>>(row, 0)?.map(|_| stored(row)).transpose()).collect()
}

/// Columns `version, content, memos, saved_at, saved_by`.
fn stored(row: &Row) -> Result<StoredMapping> {
    Ok(StoredMapping {
        version: get_number(row, 0)?,
        content: get(row, 1)?,
        memos: from_json(get(row, 2)?)?,
        saved_at: get_number(row, 3)?,
        saved_by: get(row, 4)?,
    })
}

const MAKE_QUEUE: &str =
    "INSERT INTO crm_ledger.queue (team, plugin, state) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// Who accepts reads mappings under this lock, so that no booking waits for a mapping that is there.
const LOCK_QUEUE: &str = "SELECT id FROM crm_ledger.queue WHERE team = $1 AND plugin = $2 FOR UPDATE";

const PUT: &str = "
    INSERT INTO crm_ledger.mapping (team, calendar, integration, version, content, memos, saved_at, saved_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Saves a new version.
pub(crate) async fn put(
    session: Session<'_>,
    time: Option<i64>,
    key: &MappingKey,
    expected: Option<u64>,
    (content, memos): (&str, &[(String, String)]),
    by: &str,
) -> Result<u64> {
    let MappingKey { team, calendar, integration } = key;
    let (plugin, name) = (integration.plugin().to_owned(), integration.as_str());
    let state = to_json(&crm_delivery::Queue::default())?;
    let steps = vec![
        Step(MAKE_QUEUE, values![team.clone(), plugin.clone(), state]),
        Step(LOCK_QUEUE, values![team.clone(), plugin]),
        Step(NOW, values![time]),
        Step(LATEST, values![team.clone(), calendar.clone(), integration.to_string()]),
    ];
    let found = session.run_first(steps).await?;
    let [_, _, now, latest] = found.as_slice() else { return Err(damaged("four results")) };
    let now = number(read_now(now)?);
    let current = latest.first().map_or(Ok(None), |row| get::<Option<i64>>(row, 0))?.map_or(0, unsigned);
    if expected.is_some_and(|expected| expected != current) {
        return Err(Failure::Ledger(LedgerError::MappingChanged { current }));
    }
    let version = current.saturating_add(1);
    let (memos, by) = (to_json(memos)?, storable(by));
    session.execute(PUT, &[team, calendar, &name, &number(version), &content, &memos, &now, &by]).await?;
    Ok(version)
}

const LATEST: &str =
    "SELECT max(version) FROM crm_ledger.mapping WHERE team = $1 AND calendar = $2 AND integration = $3";

/// Replaces the memos of a version.
pub(crate) async fn put_memos(
    session: Session<'_>,
    key: &MappingKey,
    version: u64,
    memos: &[(String, String)],
) -> Result<()> {
    let MappingKey { team, calendar, integration } = key;
    let update = "UPDATE crm_ledger.mapping SET memos = $5 WHERE team = $1 AND calendar = $2 AND integration = $3 AND version = $4";
    let memos = to_json(memos)?;
    session.execute(update, &[team, calendar, &integration.as_str(), &number(version), &memos]).await.map(drop)
}

const ALL: &str = "
    SELECT DISTINCT ON (team, calendar, integration) version, content, memos, saved_at, saved_by, team, calendar, integration
    FROM crm_ledger.mapping WHERE $1::text IS NULL OR team = $1 ORDER BY team, calendar, integration, version DESC";

/// The latest version of each mapping of a team, or of all.
pub(crate) async fn all(session: Session<'_>, team: Option<&str>) -> Result<Vec<(MappingKey, StoredMapping)>> {
    let rows = session.query(ALL, &[&team]).await?;
    let read = |row: &Row| {
        let integration: Integration = integration(get(row, 7)?)?;
        Ok((MappingKey { team: get(row, 5)?, calendar: get(row, 6)?, integration }, stored(row)?))
    };
    rows.iter().map(read).collect()
}

const WAITING: &str = "
    SELECT id FROM crm_ledger.entry
    WHERE code = $1 AND state = 'needs-attention' AND team = $2 AND integration = $3 AND calendar = $4 ORDER BY id LIMIT 500";

/// Tries entries that waited for a mapping which is there now. Returns how many; fewer than [`MOST_RELEASED`] if that was all.
pub(crate) async fn release(session: Session<'_>, time: Option<i64>, key: &MappingKey) -> Result<usize> {
    let MappingKey { team, calendar, integration } = key;
    let rows = session.query(WAITING, &[&codes::MAPPING_MISSING, team, &integration.as_str(), calendar]).await?;
    let ids = work::read_ids(&rows)?;
    work::release(session, time, &ids).await?;
    Ok(ids.len())
}

const LEFT_BEHIND: &str = "
    SELECT entry.id FROM crm_ledger.entry
    WHERE code = $1 AND state = 'needs-attention'
      AND EXISTS (SELECT FROM crm_ledger.mapping
                  WHERE mapping.team = entry.team AND mapping.calendar = entry.calendar AND mapping.integration = entry.integration)
    ORDER BY entry.id LIMIT 500";

/// The same for what a process left behind that ended between saving a mapping and the last release.
pub(crate) async fn release_left_behind(session: Session<'_>, time: Option<i64>) -> Result<usize> {
    let ids = work::read_ids(&session.query(LEFT_BEHIND, &[&codes::MAPPING_MISSING]).await?)?;
    work::release(session, time, &ids).await?;
    Ok(ids.len())
}
