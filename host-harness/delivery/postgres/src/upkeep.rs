//! Tasks of the fleet, retention, erasure, recovery, totals.

use crm_contract::{Instant, UnknownTries};
use crm_delivery::{EntryId, State, Summary, Totals};

use crate::{
    by_hand,
    rows::{NOW, Unit, ids_value, read_now},
    session::{Result, Session, Step, damaged, get, get_number, number, storable, unsigned, values},
    work::read_ids,
};

/// Entries that a recovery looks at in one transaction.
const MOST_DOUBTED: usize = 500;

/// Takes a task unless it is taken or was done lately.
pub(crate) async fn take_task(
    session: Session<'_>,
    time: Option<i64>,
    task: &str,
    holder: &str,
    every: u64,
) -> Result<bool> {
    let insert = "
        WITH time AS MATERIALIZED (SELECT coalesce($1::bigint, crm_ledger.milliseconds()) AS now)
        INSERT INTO crm_ledger.task (name, holder, next) SELECT $2, $3, now + $4::bigint FROM time
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, next = excluded.next
        WHERE task.next <= excluded.next - $4::bigint OR task.next > excluded.next";
    let taken = session.execute(insert, &[&time, &storable(task), &storable(holder), &number(every)]).await?;
    Ok(taken == 1)
}

/// Notes hold names that callers chose.
pub(crate) async fn note(session: Session<'_>, name: &str) -> Result<Option<String>> {
    let found = session.query("SELECT content FROM crm_ledger.note WHERE name = $1", &[&storable(name)]).await?;
    Ok(found.first().map(|row| row.try_get(0)).transpose()?)
}

pub(crate) async fn put_note(session: Session<'_>, name: &str, content: &str) -> Result<()> {
    let insert = "INSERT INTO crm_ledger.note (name, content) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET content = excluded.content";
    session.execute(insert, &[&storable(name), &storable(content)]).await?;
    Ok(())
}

const REMOVE_CONTENT: &str = "DELETE FROM crm_ledger.content WHERE entry = ANY ($1::bigint[])";

/// What is personal of an entry goes. Its id, state and records stay.
const REMOVE_GUESTS: &str = "UPDATE crm_ledger.entry SET guest = NULL, final_at = NULL WHERE id = ANY ($1::bigint[])";

pub(crate) async fn forget(session: Session<'_>, before: Instant, most: u32) -> Result<u64> {
    // What is final stays so, unless a recovery takes it back, which changes `final_at`. Another process may be at others.
    let select = "
        SELECT id FROM crm_ledger.entry WHERE final_at IS NOT NULL AND final_at < $1 ORDER BY final_at LIMIT $2
        FOR UPDATE SKIP LOCKED";
    let ids = ids_value(&read_ids(&session.query(select, &[&number(before), &i64::from(most)]).await?)?);
    let found = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    if found > 0 {
        session.run(&[Step(REMOVE_CONTENT, values![ids.clone()]), Step(REMOVE_GUESTS, values![ids])]).await?;
    }
    Ok(found)
}

pub(crate) async fn erase(session: Session<'_>, time: Option<i64>, guest: &[u8]) -> Result<Vec<Summary>> {
    let select = "SELECT id FROM crm_ledger.entry WHERE guest = $1 ORDER BY id";
    let found = read_ids(&session.query(select, &[&guest]).await?)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut unit = Unit::of_entries(session, time, &found).await?;
    let now = unit.now;
    let mut erased = Vec::new();
    for id in found {
        if unit.progress(id).is_some_and(|progress| progress.state != State::Delivering) {
            unit.change(id, |chain, _| chain.give_up(id, now));
            erased.push(id);
        }
    }
    let mut steps = unit.save()?;
    steps.push(Step(REMOVE_CONTENT, values![ids_value(&erased)]));
    steps.push(Step(REMOVE_GUESTS, values![ids_value(&erased)]));
    session.run(&steps).await?;
    by_hand::by_ids(session, &erased).await
}

/// Notes the time that the ledger does not know of, and returns it.
pub(crate) async fn note_restore(session: Session<'_>, time: Option<i64>, from: Instant) -> Result<UnknownTries> {
    let now = read_now(&session.query(NOW, &[&time]).await?)?;
    let update = "UPDATE crm_ledger.ledger SET restored_from = $1, restored_until = $2";
    session.execute(update, &[&number(from), &number(now)]).await?;
    Ok(UnknownTries { oldest: from, newest: now })
}

/// Makes some entries look before they create. Returns how many, and after which one to go on; `None` if that was all.
pub(crate) async fn doubt(
    session: Session<'_>,
    time: Option<i64>,
    tries: UnknownTries,
    after: EntryId,
) -> Result<(u64, Option<EntryId>)> {
    let select = "
        SELECT id FROM crm_ledger.entry
        WHERE id > $1 AND (state IN ('waiting', 'delivering', 'parked', 'needs-attention')
           OR (state IN ('delivered', 'partly-delivered') AND final_at >= $2)) ORDER BY id LIMIT 500";
    let found = read_ids(&session.query(select, &[&number(after.0), &number(tries.oldest)]).await?)?;
    if found.is_empty() {
        return Ok((0, None));
    }
    let mut unit = Unit::of_entries(session, time, &found).await?;
    let mut doubted = 0;
    for id in &found {
        doubted += u64::from(unit.change(*id, |chain, _| chain.doubt(*id, tries)) == Some(true));
    }
    session.run(&unit.save()?).await?;
    Ok((doubted, found.last().copied().filter(|_| found.len() == MOST_DOUBTED)))
}

pub(crate) async fn totals(session: Session<'_>) -> Result<Totals> {
    let mut totals = Totals::default();
    let select = "SELECT state, sum(count)::bigint FROM crm_ledger.cause_count GROUP BY state";
    for row in session.query(select, &[]).await? {
        let name: &str = get(&row, 0)?;
        let state = State::named(name).ok_or_else(|| damaged(format_args!("an entry in state `{name}`")))?;
        totals.states.insert(state, get_number(&row, 1)?);
    }
    let select = "SELECT min(due) FROM crm_ledger.ready WHERE head AND until IS NULL";
    let found = session.query(select, &[]).await?;
    let oldest: Option<i64> = get(found.first().ok_or_else(|| damaged("no time"))?, 0)?;
    totals.oldest_due = oldest.map(unsigned);
    Ok(totals)
}
