//! Reads and writes the rows that transitions change.

use crm_booking::Kind;
use crm_contract::Instant;
use crm_delivery::{
    Chain, Entry, EntryId, Integration, LedgerError, Progress, Queue, State,
    columns::{self, code},
    fairness,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

type Result<T> = std::result::Result<T, LedgerError>;

/// An error of SQLite. Its text contains no values.
pub(crate) fn failed(error: rusqlite::Error) -> LedgerError {
    LedgerError::Database(Box::new(error))
}

pub(crate) fn damaged(what: impl std::fmt::Display) -> LedgerError {
    LedgerError::Damaged(what.to_string())
}

/// SQLite has signed integers.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number that was not negative when it was written.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn kind_named(name: &str) -> Result<Kind> {
    columns::kind_named(name).ok_or_else(|| damaged(format_args!("an entry of kind `{name}`")))
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(damaged)
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(damaged)
}

/// Where a chain is.
#[derive(Clone, Debug)]
pub(crate) struct ChainKey {
    pub(crate) queue: i64,
    pub(crate) team: String,
    pub(crate) integration: Integration,
    pub(crate) chain: String,
}

impl ChainKey {
    /// That of an entry.
    pub(crate) fn of(database: &Connection, id: EntryId) -> Result<Option<Self>> {
        let mut select = database
            .prepare_cached("SELECT queue, team, integration, chain FROM entry WHERE id = ?1")
            .map_err(failed)?;
        let found = select
            .query_row([number(id.0)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
            })
            .optional()
            .map_err(failed)?;
        let Some((queue, team, integration, chain)) = found else { return Ok(None) };
        Ok(Some(Self { queue, team, integration: integration.parse().map_err(damaged)?, chain }))
    }
}

/// A chain as it was loaded, to be changed and saved.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) key: ChainKey,
    before: Chain,
    pub(crate) chain: Chain,
    queue_before: Queue,
    pub(crate) queue: Queue,
}

impl Loaded {
    /// All changes of a booking, and their queue.
    pub(crate) fn read(database: &Connection, key: ChainKey) -> Result<Self> {
        let mut select = database
            .prepare_cached(
                "SELECT id, kind, changed_at, progress FROM entry WHERE queue = ?1 AND integration = ?2 AND chain = ?3",
            )
            .map_err(failed)?;
        let mut rows = select.query(params![key.queue, key.integration.as_str(), key.chain]).map_err(failed)?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            entries.push(entry(row)?);
        }
        let chain = Chain::new(entries);
        let queue = queue(database, key.queue)?;
        Ok(Self { key, before: chain.clone(), chain, queue_before: queue.clone(), queue })
    }

    /// The chain that an entry belongs to; `None` if there is no such entry.
    pub(crate) fn of(database: &Connection, id: EntryId) -> Result<Option<Self>> {
        ChainKey::of(database, id)?.map(|key| Self::read(database, key)).transpose()
    }

    /// Writes what has changed. The rows of new entries must exist.
    pub(crate) fn save(self, database: &Connection, now: Instant) -> Result<()> {
        for entry in self.chain.entries() {
            let before = self.before.get(entry.id);
            if before != Some(&entry.progress) {
                self.save_entry(database, entry, before, now)?;
            }
        }
        if self.queue != self.queue_before {
            save_queue(database, self.key.queue, &self.queue, now)?;
        }
        Ok(())
    }

    fn save_entry(&self, database: &Connection, entry: &Entry, before: Option<&Progress>, now: Instant) -> Result<()> {
        let Entry { id, progress, .. } = entry;
        let id = number(id.0);
        let final_at = progress.state.is_final().then(|| number(now));
        let mut update = database
            .prepare_cached("UPDATE entry SET state = ?2, code = ?3, final_at = ?4, progress = ?5 WHERE id = ?1")
            .map_err(failed)?;
        update
            .execute(params![id, progress.state.name(), code(progress), final_at, to_json(progress)?])
            .map_err(failed)?;
        if before.is_none_or(|before| (before.state, code(before)) != (progress.state, code(progress))) {
            if let Some(before) = before {
                count(database, &self.key, before, -1)?;
            }
            count(database, &self.key, progress, 1)?;
        }
        self.save_ready(database, id, progress, before)
    }

    /// Keeps the small table that claiming searches.
    fn save_ready(&self, database: &Connection, id: i64, progress: &Progress, before: Option<&Progress>) -> Result<()> {
        let was_open = before.is_some_and(|before| before.state.holds_its_lane());
        let is_open = progress.state.holds_its_lane();
        if !was_open && !is_open {
            return Ok(());
        }
        let lane = lane(database, id)?;
        if is_open {
            let until =
                progress.claimed.filter(|_| progress.state == State::Delivering).map(|(_, until)| number(until));
            let turn = i64::from(progress.turn() == fairness::Turn::Resend);
            let mut upsert = database
                .prepare_cached(
                    "INSERT INTO ready (entry, queue, lane, turn, due, until, head) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)
                     ON CONFLICT (entry) DO UPDATE
                     SET turn = excluded.turn, due = excluded.due, until = excluded.until, lane = excluded.lane",
                )
                .map_err(failed)?;
            upsert.execute(params![id, self.key.queue, lane, turn, number(progress.due), until]).map_err(failed)?;
        } else {
            let mut delete = database.prepare_cached("DELETE FROM ready WHERE entry = ?1").map_err(failed)?;
            delete.execute([id]).map_err(failed)?;
        }
        if was_open != is_open {
            let mut update =
                database.prepare_cached("UPDATE queue SET open = open + ?2 WHERE id = ?1").map_err(failed)?;
            update.execute(params![self.key.queue, if is_open { 1 } else { -1 }]).map_err(failed)?;
        }
        settle_lane(database, self.key.queue, &lane)
    }
}

fn count(database: &Connection, key: &ChainKey, progress: &Progress, by: i64) -> Result<()> {
    let mut upsert = database
        .prepare_cached(
            "INSERT INTO cause_count (team, integration, state, code, count) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
        )
        .map_err(failed)?;
    upsert
        .execute(params![
            key.team,
            key.integration.as_str(),
            progress.state.name(),
            code(progress).unwrap_or_default(),
            by
        ])
        .map_err(failed)?;
    Ok(())
}

fn lane(database: &Connection, id: i64) -> Result<Vec<u8>> {
    let mut select = database.prepare_cached("SELECT lane FROM entry WHERE id = ?1").map_err(failed)?;
    select.query_row([id], |row| row.get(0)).map_err(failed)
}

/// Marks the first entry of a lane: the one that a worker has, or else the oldest. Only that one can be claimed.
pub(crate) fn settle_lane(database: &Connection, queue: i64, lane: &[u8]) -> Result<()> {
    let first = |text: &str| -> Result<Option<(i64, bool, i64)>> {
        let mut select = database.prepare_cached(text).map_err(failed)?;
        let found = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        select.query_row(params![queue, lane], found).optional().map_err(failed)
    };
    let head = first("SELECT entry, until IS NOT NULL, due FROM ready WHERE queue = ?1 AND lane = ?2 AND head = 1")?;
    let next = match head {
        // What a worker has stays first, whatever else is put back before it.
        Some((entry, true, due)) => Some((entry, true, due)),
        _ => first(
            "SELECT entry, until IS NOT NULL, due FROM ready WHERE queue = ?1 AND lane = ?2 ORDER BY entry LIMIT 1",
        )?,
    };
    let Some((next, is_claimed, due)) = next else { return Ok(()) };
    if head.map(|(entry, ..)| entry) != Some(next) {
        let mut clear = database
            .prepare_cached("UPDATE ready SET head = 0 WHERE queue = ?1 AND lane = ?2 AND head = 1")
            .map_err(failed)?;
        clear.execute(params![queue, lane]).map_err(failed)?;
        let mut mark = database.prepare_cached("UPDATE ready SET head = 1 WHERE entry = ?1").map_err(failed)?;
        mark.execute([next]).map_err(failed)?;
    }
    if !is_claimed {
        let mut update = database
            .prepare_cached("UPDATE queue SET next_due = ?2 WHERE id = ?1 AND (next_due IS NULL OR next_due > ?2)")
            .map_err(failed)?;
        update.execute(params![queue, due]).map_err(failed)?;
    }
    Ok(())
}

/// Columns `id, kind, changed_at, progress`.
fn entry(row: &Row<'_>) -> Result<Entry> {
    let (id, kind, changed_at): (i64, String, i64) =
        (row.get(0).map_err(failed)?, row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
    let progress: String = row.get(3).map_err(failed)?;
    Ok(Entry {
        id: EntryId(unsigned(id)),
        kind: kind_named(&kind)?,
        changed_at: unsigned(changed_at),
        progress: from_json(&progress)?,
    })
}

/// The id of a team's queue for a plugin. It is made if it is missing.
pub(crate) fn queue_id(database: &Connection, team: &str, plugin: &str) -> Result<i64> {
    if let Some(id) = existing_queue(database, team, plugin)? {
        return Ok(id);
    }
    database
        .execute(
            "INSERT INTO queue (team, plugin, state) VALUES (?1, ?2, ?3)",
            params![team, plugin, to_json(&Queue::default())?],
        )
        .map_err(failed)?;
    Ok(database.last_insert_rowid())
}

pub(crate) fn existing_queue(database: &Connection, team: &str, plugin: &str) -> Result<Option<i64>> {
    let mut select = database.prepare_cached("SELECT id FROM queue WHERE team = ?1 AND plugin = ?2").map_err(failed)?;
    select.query_row([team, plugin], |row| row.get(0)).optional().map_err(failed)
}

pub(crate) fn queue(database: &Connection, id: i64) -> Result<Queue> {
    let mut select = database.prepare_cached("SELECT state FROM queue WHERE id = ?1").map_err(failed)?;
    let state: String = select.query_row([id], |row| row.get(0)).map_err(failed)?;
    from_json(&state)
}

pub(crate) fn save_queue(database: &Connection, id: i64, queue: &Queue, now: Instant) -> Result<()> {
    let mut update = database
        .prepare_cached("UPDATE queue SET virtual_time = ?2, opens_at = ?3, hold = ?4, state = ?5 WHERE id = ?1")
        .map_err(failed)?;
    let hold = queue.hold.map(crm_delivery::Hold::name);
    update
        .execute(params![id, number(queue.virtual_time), number(queue.opens_at(now)), hold, to_json(queue)?])
        .map_err(failed)?;
    Ok(())
}
