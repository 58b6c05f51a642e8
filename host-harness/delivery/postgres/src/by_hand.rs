//! What people ask and do: lists, causes, resends, holds.

use crm_contract::{Instant, RecordRef};
use crm_delivery::{
    Attempt, Batch, CauseCount, Chain, Detail, EntryId, Filter, Hold, LedgerError, Queue, QueueSummary, State, Summary,
    TeamRow,
};
use crm_seal::LedgerKeys;
use tokio_postgres::Row;

use crate::{
    mappings::MOST_RELEASED,
    rows::{CHAINS_OF, NOW, Slot, Unit, ids_value, integration, kind, queue_columns, read_now},
    session::{
        Failure, Result, Session, Step, Value, damaged, from_json, get, get_number, number, storable, to_json,
        unsigned, values,
    },
    work::read_ids,
};

/// Conditions of a query with their values.
pub(crate) struct Conditions {
    text: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    pub(crate) fn of(filter: &Filter) -> Self {
        let mut conditions = Self { text: Vec::new(), values: Vec::new() };
        let Filter { team, calendar, state, cause, booking, from, until } = filter;
        conditions.add("entry.team =", team.clone());
        conditions.add("entry.calendar =", calendar.clone());
        conditions.add("entry.state =", state.map(State::name));
        conditions.add("entry.code =", cause.as_deref().map(storable));
        conditions.add("entry.booking =", booking.clone());
        conditions.add("entry.accepted >=", from.map(number));
        conditions.add("entry.accepted <", until.map(number));
        conditions
    }

    fn add(&mut self, text: &str, value: Option<impl tokio_postgres::types::ToSql + Sync + Send + 'static>) {
        if let Some(value) = value {
            self.values.push(Box::new(value));
            self.text.push(format!("{text} ${}", self.values.len()));
        }
    }

    /// What a person can send again: it is neither final nor under way.
    fn resendable(mut self) -> Self {
        self.text.push("entry.state IN ('waiting', 'parked', 'needs-attention')".to_owned());
        self
    }

    fn clause(&self) -> String {
        if self.text.is_empty() { "true".to_owned() } else { self.text.join(" AND ") }
    }

    async fn query(&self, session: Session<'_>, text: &str) -> Result<Vec<Row>> {
        let values: Vec<_> =
            self.values.iter().map(|value| value.as_ref() as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
        session.query_once(text, &values).await
    }
}

const SUMMARY: &str =
    "SELECT entry.id, entry.team, entry.calendar, entry.integration, entry.booking, entry.change, entry.kind,
        entry.meeting_start, entry.progress, queue.hold
     FROM crm_ledger.entry JOIN crm_ledger.queue ON queue.id = entry.queue";

fn summary(row: &Row) -> Result<Summary> {
    let hold: Option<&str> = get(row, 9)?;
    Ok(Summary {
        id: EntryId(get_number(row, 0)?),
        team: get(row, 1)?,
        calendar: get(row, 2)?,
        integration: integration(get(row, 3)?)?,
        booking: get(row, 4)?,
        change: get(row, 5)?,
        kind: kind(get(row, 6)?)?,
        meeting_start: get_number(row, 7)?,
        progress: from_json(get(row, 8)?)?,
        hold: hold.and_then(Hold::named),
    })
}

/// The text of a list and what it selects by.
pub(crate) fn list_query(filter: &Filter, before: Option<EntryId>, most: u32) -> (String, Conditions) {
    let mut conditions = Conditions::of(filter);
    conditions.add("entry.id <", before.map(|before| number(before.0)));
    // The limit comes first: joining the queue must not become a reason to read more entries.
    let text = format!(
        "{SUMMARY} WHERE {} ORDER BY entry.id DESC LIMIT ${}",
        conditions.clause(),
        conditions.values.len().saturating_add(1)
    );
    conditions.values.push(Box::new(i64::from(most)));
    (text, conditions)
}

pub(crate) async fn list(
    session: Session<'_>,
    filter: &Filter,
    before: Option<EntryId>,
    most: u32,
) -> Result<Vec<Summary>> {
    let (text, conditions) = list_query(filter, before, most);
    conditions.query(session, &text).await?.iter().map(summary).collect()
}

/// Entries by their ids, the oldest first.
pub(crate) async fn by_ids(session: Session<'_>, ids: &[EntryId]) -> Result<Vec<Summary>> {
    let text = format!("{SUMMARY} WHERE entry.id = ANY ($1::bigint[]) ORDER BY entry.id");
    session.query(&text, &[&ids_value(ids)]).await?.iter().map(summary).collect()
}

/// An entry of a team, or of any team.
async fn find(session: Session<'_>, team: Option<&str>, id: EntryId) -> Result<Summary> {
    let found = by_ids(session, &[id]).await?.pop();
    let own = found.filter(|summary| team.is_none_or(|team| summary.team == team));
    own.ok_or(Failure::Ledger(LedgerError::NoEntry(id)))
}

const ATTEMPTS: &str =
    "SELECT began, ended, code, reaction, effect, requests FROM crm_ledger.attempt WHERE entry = $1 ORDER BY fence";

const CONTENT: &str = "SELECT payload, detail FROM crm_ledger.content WHERE entry = $1";

pub(crate) async fn show(session: Session<'_>, keys: &LedgerKeys, team: Option<&str>, id: EntryId) -> Result<Detail> {
    let summary = find(session, team, id).await?;
    let found = session.run(&[Step(ATTEMPTS, values![number(id.0)]), Step(CONTENT, values![number(id.0)])]).await?;
    let [attempts, content] = found.as_slice() else { return Err(damaged("two results")) };
    let attempt = |row: &Row| {
        Ok(Attempt {
            began: get_number(row, 0)?,
            ended: get::<Option<i64>>(row, 1)?.map(unsigned),
            code: get(row, 2)?,
            reaction: get(row, 3)?,
            effect: get(row, 4)?,
            requests: u32::try_from(get::<i64>(row, 5)?).unwrap_or(u32::MAX),
        })
    };
    let attempts = attempts.iter().map(attempt).collect::<Result<_>>()?;
    let (mut payload, mut detail) = (None, None);
    if let Some(row) = content.first() {
        let of = [summary.team.as_str(), &summary.booking, &summary.change];
        payload = Some(keys.open_payload(of, get(row, 0)?).map_err(damaged)?);
        let sealed: Option<&[u8]> = get(row, 1)?;
        detail = sealed.map(|sealed| keys.open_detail(id.0, sealed)).transpose().map_err(damaged)?;
    }
    Ok(Detail { summary, attempts, payload, detail })
}

const CAUSES: &str = "
    SELECT team, integration, state, code, count,
        (SELECT min(meeting_start) FROM crm_ledger.entry
         WHERE entry.code = cause_count.code AND entry.state = cause_count.state AND entry.team = cause_count.team
           AND entry.integration = cause_count.integration) AS earliest
    FROM crm_ledger.cause_count
    WHERE code <> '' AND count > 0 AND ($1::text IS NULL OR team = $1) ORDER BY earliest, team, integration, state, code";

pub(crate) async fn causes(session: Session<'_>, team: Option<&str>) -> Result<Vec<CauseCount>> {
    let read = |row: &Row| {
        let state: &str = get(row, 2)?;
        Ok(CauseCount {
            team: get(row, 0)?,
            integration: integration(get(row, 1)?)?,
            state: State::named(state).ok_or_else(|| damaged(format_args!("an entry in state `{state}`")))?,
            code: get(row, 3)?,
            count: get_number(row, 4)?,
            earliest_meeting: get::<Option<i64>>(row, 5)?.map_or(0, unsigned),
        })
    };
    session.query(CAUSES, &[&team]).await?.iter().map(read).collect()
}

pub(crate) async fn count_to_resend(session: Session<'_>, filter: &Filter) -> Result<u64> {
    let conditions = Conditions::of(filter).resendable();
    let text = format!("SELECT count(*) FROM crm_ledger.entry WHERE {}", conditions.clause());
    let found = conditions.query(session, &text).await?;
    get_number(found.first().ok_or_else(|| damaged("no count"))?, 0)
}

pub(crate) async fn resend(
    session: Session<'_>,
    time: Option<i64>,
    filter: &Filter,
    after: Option<EntryId>,
    most: u32,
) -> Result<Batch> {
    let mut conditions = Conditions::of(filter).resendable();
    conditions.add("entry.id >", after.map(|after| number(after.0)));
    let place = conditions.values.len().saturating_add(1);
    let text = format!("SELECT id FROM crm_ledger.entry WHERE {} ORDER BY id LIMIT ${place}", conditions.clause());
    conditions.values.push(Box::new(i64::from(most)));
    let ids = read_ids(&conditions.query(session, &text).await?)?;
    let mut batch = Batch { changed: 0, last: ids.last().copied() };
    if ids.is_empty() {
        return Ok(batch);
    }
    let mut unit = Unit::of_entries(session, time, &ids).await?;
    let now = unit.now;
    for id in ids {
        batch.changed += u64::from(unit.change(id, |chain, _| chain.resend(id, None, now)) == Some(true));
    }
    session.run(&unit.save()?).await?;
    Ok(batch)
}

/// Lets a person change an entry of a team, or of any team.
async fn change_one(
    session: Session<'_>,
    time: Option<i64>,
    (team, id): (Option<&str>, EntryId),
    change: impl FnOnce(&mut Chain, Instant) -> bool + Send,
) -> Result<bool> {
    find(session, team, id).await?;
    let mut unit = Unit::of_entries(session, time, &[id]).await?;
    let now = unit.now;
    let is_changed = unit.change(id, |chain, _| change(chain, now)).ok_or(LedgerError::NoEntry(id))?;
    session.run(&unit.save()?).await?;
    Ok(is_changed)
}

pub(crate) async fn resend_one(
    session: Session<'_>,
    time: Option<i64>,
    team: Option<&str>,
    id: EntryId,
    looked: Option<Option<RecordRef>>,
) -> Result<bool> {
    change_one(session, time, (team, id), |chain, now| chain.resend(id, looked, now)).await
}

pub(crate) async fn give_up(session: Session<'_>, time: Option<i64>, team: Option<&str>, id: EntryId) -> Result<bool> {
    change_one(session, time, (team, id), |chain, now| chain.give_up(id, now)).await
}

const MAKE_QUEUE: &str =
    "INSERT INTO crm_ledger.queue (team, plugin, state) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const LOCK_QUEUE: &str =
    concat!("SELECT ", queue_columns!(), " FROM crm_ledger.queue WHERE team = $1 AND plugin = $2 FOR UPDATE");

const PARKED: &str = "
    SELECT id FROM crm_ledger.entry
    WHERE state = 'parked' AND queue = (SELECT id FROM crm_ledger.queue WHERE team = $1 AND plugin = $2) ORDER BY id LIMIT 500";

/// How far a change of a queue came.
pub(crate) enum Changed {
    /// It is done, and whether the queue is open.
    Done { is_open: bool },
    /// Some of what is parked waits now, and the queue is as it was: this must be called again. So whatever ends this process, nothing
    /// stays parked in an open queue.
    More,
}

/// Changes a queue, and lets what is parked in it wait for its turn if that opens it.
pub(crate) async fn change_queue(
    session: Session<'_>,
    time: Option<i64>,
    (team, plugin): (&str, &str),
    change: &(dyn Fn(&mut Queue) + Send + Sync),
) -> Result<Changed> {
    let (team, plugin) = (team.to_owned(), plugin.to_owned());
    let state = to_json(&Queue::default())?;
    let steps = vec![
        Step(MAKE_QUEUE, values![team.clone(), plugin.clone(), state]),
        Step(LOCK_QUEUE, values![team.clone(), plugin.clone()]),
        Step(NOW, values![time]),
        Step(PARKED, values![team, plugin]),
    ];
    let found = session.run_first(steps).await?;
    let [_, queue, now, parked] = found.as_slice() else { return Err(damaged("four results")) };
    let slot = Slot::read(queue.first().ok_or_else(|| damaged("a team without a queue"))?)?;
    let id = slot.id;
    let mut queue = slot.queue.clone();
    change(&mut queue);
    let is_open = queue.hold.is_none();
    let parked = if is_open { read_ids(parked)? } else { Vec::new() };
    let is_last = parked.len() < MOST_RELEASED;
    let mut unit = Unit::new(read_now(now)?, [slot]);
    if !parked.is_empty() {
        for rows in session.run(&[Step(CHAINS_OF, values![ids_value(&parked)])]).await? {
            unit.load(&rows)?;
        }
    }
    let now = unit.now;
    for id in parked {
        unit.change(id, |chain, _| chain.release(id, now));
    }
    if let Some(slot) = unit.slots.get_mut(&id).filter(|_| is_last) {
        slot.queue = queue;
    }
    session.run(&unit.save()?).await?;
    Ok(if is_last { Changed::Done { is_open } } else { Changed::More })
}

pub(crate) async fn queues(session: Session<'_>) -> Result<Vec<QueueSummary>> {
    let select = "SELECT team, plugin, state, open FROM crm_ledger.queue ORDER BY team, plugin";
    let read = |row: &Row| {
        let queue: Queue = from_json(get(row, 2)?)?;
        Ok(QueueSummary { team: get(row, 0)?, plugin: get(row, 1)?, queue, open: get_number(row, 3)? })
    };
    session.query(select, &[]).await?.iter().map(read).collect()
}

pub(crate) async fn put_team(session: Session<'_>, team: &TeamRow) -> Result<bool> {
    // A row that was there has been locked or written by this transaction.
    let upsert = "INSERT INTO crm_ledger.team (id, name) VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING xmax = 0";
    let found = session.query(upsert, &[&team.id, &storable(&team.name)]).await?;
    get(found.first().ok_or_else(|| damaged("no team"))?, 0)
}

fn team_row(row: &Row) -> Result<TeamRow> {
    Ok(TeamRow { id: get(row, 0)?, name: get(row, 1)? })
}

pub(crate) async fn team(session: Session<'_>, id: &str) -> Result<Option<TeamRow>> {
    let found = session.query("SELECT id, name FROM crm_ledger.team WHERE id = $1", &[&id]).await?;
    found.first().map(team_row).transpose()
}

pub(crate) async fn teams(session: Session<'_>) -> Result<Vec<TeamRow>> {
    session.query("SELECT id, name FROM crm_ledger.team ORDER BY id", &[]).await?.iter().map(team_row).collect()
}
