//! Tasks of the fleet, retention, erasure, recovery, totals.

use crm_contract::{Instant, UnknownTries};
use crm_delivery::{EntryId, Filter, LedgerError, State, Summary, Totals};
use crm_seal::Tag;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    by_hand,
    rows::{Loaded, damaged, failed, number, unsigned},
};

type Result<T> = std::result::Result<T, LedgerError>;

/// Takes a task unless it is taken or was done lately.
pub(crate) fn take_task(database: &Connection, task: &str, holder: &str, every: u64, now: Instant) -> Result<bool> {
    let next = number(now.saturating_add(every));
    let taken = database
        .execute(
            "INSERT INTO task (name, holder, next) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET holder = excluded.holder, next = excluded.next
             WHERE next <= ?4 OR next > ?3",
            params![task, holder, next, number(now)],
        )
        .map_err(failed)?;
    Ok(taken == 1)
}

pub(crate) fn note(database: &Connection, name: &str) -> Result<Option<String>> {
    database.query_row("SELECT content FROM note WHERE name = ?1", [name], |row| row.get(0)).optional().map_err(failed)
}

pub(crate) fn put_note(database: &Connection, name: &str, content: &str) -> Result<()> {
    database
        .execute("INSERT OR REPLACE INTO note (name, content) VALUES (?1, ?2)", params![name, content])
        .map_err(failed)?;
    Ok(())
}

fn ids(database: &Connection, text: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<EntryId>> {
    let mut select = database.prepare_cached(text).map_err(failed)?;
    let rows = select.query_map(values, |row| row.get::<_, i64>(0)).map_err(failed)?;
    rows.map(|id| id.map(|id| EntryId(unsigned(id))).map_err(failed)).collect()
}

/// Removes what is personal of an entry. Its id, state and records stay.
fn remove_content(database: &Connection, id: EntryId) -> Result<()> {
    let id = number(id.0);
    database.execute("DELETE FROM content WHERE entry = ?1", [id]).map_err(failed)?;
    database.execute("UPDATE entry SET guest = NULL, final_at = NULL WHERE id = ?1", [id]).map_err(failed)?;
    Ok(())
}

pub(crate) fn forget(database: &Connection, before: Instant, most: u32) -> Result<u64> {
    let found = ids(
        database,
        "SELECT id FROM entry WHERE final_at IS NOT NULL AND final_at < ?1 ORDER BY final_at LIMIT ?2",
        &[&number(before), &most],
    )?;
    for id in &found {
        remove_content(database, *id)?;
    }
    Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
}

pub(crate) fn erase(database: &Connection, guest: &Tag, now: Instant) -> Result<Vec<Summary>> {
    let found = ids(
        database,
        "SELECT id FROM entry WHERE guest = ?1 AND state <> 'delivering' ORDER BY id",
        &[&guest.as_slice()],
    )?;
    let mut erased = Vec::new();
    for id in found {
        if let Some(mut loaded) = Loaded::of(database, id)? {
            loaded.chain.give_up(id, now);
            loaded.save(database, now)?;
        }
        remove_content(database, id)?;
        erased.extend(by_hand::list(database, &Filter::default(), Some(EntryId(id.0.saturating_add(1))), 1)?);
    }
    Ok(erased)
}

pub(crate) fn recover(database: &Connection, from: Instant, now: Instant) -> Result<u64> {
    let found = ids(
        database,
        "SELECT id FROM entry
         WHERE state IN ('waiting', 'delivering', 'parked', 'needs-attention')
            OR (state IN ('delivered', 'partly-delivered') AND final_at >= ?1)",
        &[&number(from)],
    )?;
    database
        .execute("UPDATE ledger SET restored_from = ?1, restored_until = ?2", params![number(from), number(now)])
        .map_err(failed)?;
    let mut doubted = 0;
    for id in found {
        let Some(mut loaded) = Loaded::of(database, id)? else { continue };
        if loaded.chain.doubt(id, UnknownTries { oldest: from, newest: now }) {
            loaded.save(database, now)?;
            doubted += 1;
        }
    }
    Ok(doubted)
}

pub(crate) fn totals(database: &Connection) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut select =
        database.prepare_cached("SELECT state, sum(count) FROM cause_count GROUP BY state").map_err(failed)?;
    let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).map_err(failed)?;
    for row in rows {
        let (name, count) = row.map_err(failed)?;
        let state = State::named(&name).ok_or_else(|| damaged(format_args!("an entry in state `{name}`")))?;
        totals.states.insert(state, unsigned(count));
    }
    let oldest: Option<i64> = database
        .query_row("SELECT min(due) FROM ready WHERE head = 1 AND until IS NULL", [], |row| row.get(0))
        .map_err(failed)?;
    totals.oldest_due = oldest.map(unsigned);
    Ok(totals)
}
