//! What people ask and do: lists, causes, resends, holds.

use crm_contract::{Instant, RecordRef};
use crm_delivery::{
    Attempt, Batch, CauseCount, Detail, EntryId, Filter, Hold, LedgerError, QueueSummary, State, Summary, TeamRow,
};
use crm_seal::LedgerKeys;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params, params_from_iter, types::Value};

use crate::rows::{self, Loaded, damaged, failed, from_json, kind_named, number, unsigned};

type Result<T> = std::result::Result<T, LedgerError>;

/// Conditions of a query with their values.
struct Conditions {
    text: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    fn of(filter: &Filter) -> Self {
        let mut conditions = Self { text: Vec::new(), values: Vec::new() };
        let Filter { team, calendar, state, cause, booking, from, until } = filter;
        conditions.add("entry.team = ?", team.clone());
        conditions.add("entry.calendar = ?", calendar.clone());
        conditions.add("entry.state = ?", state.map(|state| state.name().to_owned()));
        conditions.add("entry.code = ?", cause.clone());
        conditions.add("entry.booking = ?", booking.clone());
        conditions.add("entry.accepted >= ?", from.map(number));
        conditions.add("entry.accepted < ?", until.map(number));
        conditions
    }

    fn add(&mut self, text: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.text.push(text);
            self.values.push(value.into());
        }
    }

    /// What a person can send again: it is neither final nor under way.
    fn resendable(mut self) -> Self {
        self.text.push("entry.state IN ('waiting', 'parked', 'needs-attention')");
        self
    }

    fn clause(&self) -> String {
        if self.text.is_empty() { "TRUE".to_owned() } else { self.text.join(" AND ") }
    }
}

const SUMMARY: &str =
    "SELECT entry.id, entry.team, entry.calendar, entry.integration, entry.booking, entry.change, entry.kind,
        entry.meeting_start, entry.progress, queue.hold
     FROM entry JOIN queue ON queue.id = entry.queue";

fn summary(row: &Row<'_>) -> Result<Summary> {
    let text = |index: usize| row.get::<_, String>(index).map_err(failed);
    let hold: Option<String> = row.get(9).map_err(failed)?;
    Ok(Summary {
        id: EntryId(unsigned(row.get(0).map_err(failed)?)),
        team: text(1)?,
        calendar: text(2)?,
        integration: text(3)?.parse().map_err(damaged)?,
        booking: text(4)?,
        change: text(5)?,
        kind: kind_named(&text(6)?)?,
        meeting_start: unsigned(row.get(7).map_err(failed)?),
        progress: from_json(&text(8)?)?,
        hold: hold.as_deref().and_then(Hold::named),
    })
}

fn summaries(database: &Connection, text: &str, values: &[&dyn ToSql]) -> Result<Vec<Summary>> {
    let mut select = database.prepare_cached(text).map_err(failed)?;
    let mut rows = select.query(values).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(summary(row)?);
    }
    Ok(found)
}

pub(crate) fn list(database: &Connection, filter: &Filter, before: Option<EntryId>, most: u32) -> Result<Vec<Summary>> {
    let mut conditions = Conditions::of(filter);
    conditions.add("entry.id < ?", before.map(|before| number(before.0)));
    let text = format!("{SUMMARY} WHERE {} ORDER BY entry.id DESC LIMIT {most}", conditions.clause());
    let values: Vec<&dyn ToSql> = conditions.values.iter().map(|value| value as &dyn ToSql).collect();
    summaries(database, &text, &values)
}

/// An entry of a team, or of any team.
fn find(database: &Connection, team: Option<&str>, id: EntryId) -> Result<Summary> {
    let text = format!("{SUMMARY} WHERE entry.id = ?1 AND (?2 IS NULL OR entry.team = ?2)");
    summaries(database, &text, &[&number(id.0), &team])?.pop().ok_or(LedgerError::NoEntry(id))
}

pub(crate) fn show(database: &Connection, keys: &LedgerKeys, team: Option<&str>, id: EntryId) -> Result<Detail> {
    let summary = find(database, team, id)?;
    let mut select = database
        .prepare_cached(
            "SELECT began, ended, code, reaction, effect, requests FROM attempt WHERE entry = ?1 ORDER BY fence",
        )
        .map_err(failed)?;
    let attempts = select
        .query_map([number(id.0)], |row| {
            Ok(Attempt {
                began: unsigned(row.get(0)?),
                ended: row.get::<_, Option<i64>>(1)?.map(unsigned),
                code: row.get(2)?,
                reaction: row.get(3)?,
                effect: row.get(4)?,
                requests: row.get(5)?,
            })
        })
        .map_err(failed)?;
    let attempts = attempts.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?;
    let content: Option<(Vec<u8>, Option<Vec<u8>>)> = database
        .query_row("SELECT payload, detail FROM content WHERE entry = ?1", [number(id.0)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(failed)?;
    let (payload, detail) = content.map_or((None, None), |(payload, detail)| (Some(payload), detail));
    let of = [summary.team.as_str(), &summary.booking, &summary.change];
    let payload = payload.map(|sealed| keys.open_payload(of, &sealed)).transpose().map_err(damaged)?;
    let detail = detail.map(|sealed| keys.open_detail(id.0, &sealed)).transpose().map_err(damaged)?;
    Ok(Detail { summary, attempts, payload, detail })
}

pub(crate) fn causes(database: &Connection, team: Option<&str>) -> Result<Vec<CauseCount>> {
    let mut select = database
        .prepare_cached(
            "SELECT team, integration, state, code, count,
                (SELECT min(meeting_start) FROM entry
                 WHERE entry.code = cause_count.code AND entry.state = cause_count.state AND entry.team = cause_count.team
                   AND entry.integration = cause_count.integration) AS earliest
             FROM cause_count
             WHERE code <> '' AND count > 0 AND (?1 IS NULL OR team = ?1) ORDER BY earliest",
        )
        .map_err(failed)?;
    let mut rows = select.query([team]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let text = |index: usize| row.get::<_, String>(index).map_err(failed);
        let state = text(2)?;
        found.push(CauseCount {
            team: text(0)?,
            integration: text(1)?.parse().map_err(damaged)?,
            state: State::named(&state).ok_or_else(|| damaged(format_args!("an entry in state `{state}`")))?,
            code: text(3)?,
            count: unsigned(row.get(4).map_err(failed)?),
            earliest_meeting: unsigned(row.get::<_, Option<i64>>(5).map_err(failed)?.unwrap_or_default()),
        });
    }
    Ok(found)
}

pub(crate) fn count_to_resend(database: &Connection, filter: &Filter) -> Result<u64> {
    let conditions = Conditions::of(filter).resendable();
    let text = format!("SELECT count(*) FROM entry WHERE {}", conditions.clause());
    let count: i64 =
        database.query_row(&text, params_from_iter(conditions.values), |row| row.get(0)).map_err(failed)?;
    Ok(unsigned(count))
}

pub(crate) fn resend(
    database: &Connection,
    filter: &Filter,
    after: Option<EntryId>,
    most: u32,
    now: Instant,
) -> Result<Batch> {
    let mut conditions = Conditions::of(filter).resendable();
    conditions.add("entry.id > ?", after.map(|after| number(after.0)));
    let text = format!("SELECT id FROM entry WHERE {} ORDER BY id LIMIT {most}", conditions.clause());
    let mut select = database.prepare_cached(&text).map_err(failed)?;
    let ids = select.query_map(params_from_iter(conditions.values), |row| row.get::<_, i64>(0)).map_err(failed)?;
    let ids = ids.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?;
    let mut batch = Batch::default();
    for id in ids {
        let id = EntryId(unsigned(id));
        batch.last = Some(id);
        let Some(mut loaded) = Loaded::of(database, id)? else { continue };
        if loaded.chain.resend(id, None, now) {
            loaded.save(database, now)?;
            batch.changed += 1;
        }
    }
    Ok(batch)
}

pub(crate) fn resend_one(
    database: &Connection,
    team: Option<&str>,
    id: EntryId,
    looked: Option<Option<RecordRef>>,
    now: Instant,
) -> Result<bool> {
    find(database, team, id)?;
    let Some(mut loaded) = Loaded::of(database, id)? else { return Err(LedgerError::NoEntry(id)) };
    let is_resent = loaded.chain.resend(id, looked, now);
    loaded.save(database, now)?;
    Ok(is_resent)
}

pub(crate) fn give_up(database: &Connection, team: Option<&str>, id: EntryId, now: Instant) -> Result<bool> {
    find(database, team, id)?;
    let Some(mut loaded) = Loaded::of(database, id)? else { return Err(LedgerError::NoEntry(id)) };
    let is_given_up = loaded.chain.give_up(id, now);
    loaded.save(database, now)?;
    Ok(is_given_up)
}

/// Changes a queue, and tries what is parked in it if that opens it.
fn change_queue(
    database: &Connection,
    (team, plugin): (&str, &str),
    now: Instant,
    change: impl FnOnce(&mut crm_delivery::Queue),
) -> Result<crm_delivery::Queue> {
    let id = rows::queue_id(database, team, plugin)?;
    let mut queue = rows::queue(database, id)?;
    change(&mut queue);
    rows::save_queue(database, id, &queue, now)?;
    if queue.hold.is_none() {
        let mut select =
            database.prepare_cached("SELECT id FROM entry WHERE queue = ?1 AND state = 'parked'").map_err(failed)?;
        let ids = select.query_map([id], |row| row.get::<_, i64>(0)).map_err(failed)?;
        for parked in ids.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)? {
            let parked = EntryId(unsigned(parked));
            if let Some(mut loaded) = Loaded::of(database, parked)? {
                loaded.chain.release(parked, now);
                loaded.save(database, now)?;
            }
        }
    }
    Ok(queue)
}

pub(crate) fn hold(
    database: &Connection,
    (team, plugin): (&str, &str),
    hold: Option<Hold>,
    now: Instant,
) -> Result<()> {
    change_queue(database, (team, plugin), now, |queue| queue.hold_by_hand(hold)).map(drop)
}

pub(crate) fn connected(
    database: &Connection,
    (team, plugin): (&str, &str),
    account: &str,
    accept_other: bool,
    now: Instant,
) -> Result<bool> {
    let queue = change_queue(database, (team, plugin), now, |queue| {
        if accept_other {
            queue.account = None;
        }
        queue.connected(account);
    })?;
    Ok(queue.hold.is_none())
}

pub(crate) fn limit_calls(
    database: &Connection,
    (team, plugin): (&str, &str),
    most: Option<u32>,
    now: Instant,
) -> Result<()> {
    change_queue(database, (team, plugin), now, |queue| queue.most_calls = most).map(drop)
}

pub(crate) fn queues(database: &Connection) -> Result<Vec<QueueSummary>> {
    let mut select =
        database.prepare_cached("SELECT team, plugin, state, open FROM queue ORDER BY team, plugin").map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let state: String = row.get(2).map_err(failed)?;
        found.push(QueueSummary {
            team: row.get(0).map_err(failed)?,
            plugin: row.get(1).map_err(failed)?,
            queue: from_json(&state)?,
            open: unsigned(row.get(3).map_err(failed)?),
        });
    }
    Ok(found)
}

pub(crate) fn put_team(database: &Connection, team: &TeamRow) -> Result<bool> {
    let is_known: bool = database
        .query_row("SELECT EXISTS (SELECT 1 FROM team WHERE id = ?1)", [&team.id], |row| row.get(0))
        .map_err(failed)?;
    database
        .execute(
            "INSERT INTO team (id, name) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET name = excluded.name",
            params![team.id, team.name],
        )
        .map_err(failed)?;
    Ok(!is_known)
}

pub(crate) fn team(database: &Connection, id: &str) -> Result<Option<TeamRow>> {
    let mut select = database.prepare_cached("SELECT id, name FROM team WHERE id = ?1").map_err(failed)?;
    select.query_row([id], |row| Ok(TeamRow { id: row.get(0)?, name: row.get(1)? })).optional().map_err(failed)
}

pub(crate) fn teams(database: &Connection) -> Result<Vec<TeamRow>> {
    let mut select = database.prepare_cached("SELECT id, name FROM team ORDER BY id").map_err(failed)?;
    let rows = select.query_map([], |row| Ok(TeamRow { id: row.get(0)?, name: row.get(1)? })).map_err(failed)?;
    rows.map(|row| row.map_err(failed)).collect()
}
