//! What workers do: claim, finish, rescue.

use std::collections::HashMap;

use crm_contract::{Effect, Instant, RecordRef};
use crm_delivery::{
    Claim, Claimed, Ended, EntryId, LedgerError, MappingKey, Progress, Settings, StoredMapping, Tried,
    columns::Outcome, fairness,
};
use crm_seal::LedgerKeys;
use tokio_postgres::Row;

use crate::{
    mappings,
    rows::{CHAINS_OF, Slot, Unit, ids_value, integration, queue_columns},
    session::{Result, Session, Step, damaged, from_json, get, get_number, number, storable, unsigned, values},
};

/// Claims that are taken back in one transaction.
const MOST_RESCUED: i64 = 256;

/// The time of a claim.
macro_rules! at_one_time {
    () => {
        "WITH time AS MATERIALIZED (SELECT coalesce($1::bigint, crm_ledger.milliseconds()) AS now) "
    };
}

/// Whether a queue has something due and a free slot.
macro_rules! may_be_next {
    () => {
        "next_due IS NOT NULL AND hold IS NULL AND next_due <= (SELECT now FROM time) AND opens_at <= (SELECT now FROM time)
         AND in_flight < $2::integer
         AND (due_fresh <= (SELECT now FROM time) OR (due_resent <= (SELECT now FROM time) AND resent_in_flight < $3::integer))"
    };
}

/// Queues in the order of their turns. Those that another transaction has locked are left to it.
pub(crate) const TURNS: &str = concat!(
    at_one_time!(),
    "SELECT ",
    queue_columns!(),
    ", (SELECT now FROM time) FROM crm_ledger.queue WHERE ",
    may_be_next!(),
    " ORDER BY virtual_time, id LIMIT $4::bigint FOR UPDATE OF queue SKIP LOCKED"
);

/// The same if all were locked, as they are while bookings of all teams are accepted without a break: waits for their locks.
pub(crate) const LOCKED_TURNS: &str = concat!(
    at_one_time!(),
    ", next AS MATERIALIZED (SELECT id FROM crm_ledger.queue WHERE ",
    may_be_next!(),
    " ORDER BY virtual_time, id LIMIT $4::bigint) SELECT ",
    queue_columns!(),
    ", (SELECT now FROM time) FROM crm_ledger.queue WHERE id IN (SELECT id FROM next) AND ",
    may_be_next!(),
    " ORDER BY id FOR UPDATE OF queue"
);

/// What is due in queues, the next one first.
pub(crate) const DUE: &str = "
    SELECT own.id, due.entry, due.turn
    FROM unnest($1::bigint[], $2::bigint[]) AS own (id, slots)
    CROSS JOIN LATERAL (
        (SELECT entry, turn, due FROM crm_ledger.ready
         WHERE queue = own.id AND turn = 0 AND head AND until IS NULL AND due <= $3::bigint ORDER BY due, entry LIMIT own.slots)
        UNION ALL
        (SELECT entry, turn, due FROM crm_ledger.ready
         WHERE queue = own.id AND turn = 1 AND head AND until IS NULL AND due <= $3::bigint ORDER BY due, entry
         LIMIT greatest(0, least(own.slots,
                     $4::bigint - (SELECT count(*) FROM crm_ledger.ready WHERE queue = own.id AND turn = 1 AND until IS NOT NULL))))
    ) AS due
    ORDER BY own.id, due.turn, due.due, due.entry";

pub(crate) const CONTENT: &str = "
    SELECT entry.id, entry.team, entry.calendar, entry.integration, entry.booking, entry.change, entry.accepted, content.payload
    FROM crm_ledger.entry LEFT JOIN crm_ledger.content ON content.entry = entry.id WHERE entry.id = ANY ($1::bigint[])";

/// What other integrations made of the same bookings.
pub(crate) const RELATED: &str = "
    SELECT claimed.id, other.progress FROM crm_ledger.entry AS claimed
    JOIN crm_ledger.entry AS own
      ON own.queue = claimed.queue AND own.integration = claimed.integration AND own.chain = claimed.chain
    JOIN crm_ledger.entry AS other
      ON other.team = own.team AND other.booking = own.booking AND other.integration <> own.integration
    WHERE claimed.id = ANY ($1::bigint[]) ORDER BY other.id";

const BEGIN_ATTEMPTS: &str = "
    INSERT INTO crm_ledger.attempt (entry, fence, began) SELECT id, fence, $3 FROM unnest($1::bigint[], $2::bigint[]) AS v (id, fence)";

/// Gives up to `most` bookings away, by turns.
pub(crate) async fn claim(
    session: Session<'_>,
    keys: &LedgerKeys,
    settings: &Settings,
    time: Option<i64>,
    most: u32,
) -> Result<Vec<Claimed>> {
    let slots_of = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let (in_flight, resent) = (slots_of(settings.in_flight), slots_of(settings.in_flight_resent));
    let turns = |text| Step(text, values![time, in_flight, resent, i64::from(most)]);
    let mut found = session.run_first(vec![turns(TURNS)]).await?.pop().unwrap_or_default();
    if found.is_empty() {
        found = session.run(&[turns(LOCKED_TURNS)]).await?.pop().unwrap_or_default();
    }
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let now = get_number(first, 6)?;
    let slots = found.iter().map(Slot::read).collect::<Result<Vec<_>>>()?;
    let mut unit = Unit::new(now, slots);

    let chosen = choose(session, settings, &unit, most).await?;
    let ids = ids_value(&chosen);
    let found = session
        .run(&[Step(CHAINS_OF, values![ids.clone()]), Step(CONTENT, values![ids.clone()]), Step(RELATED, values![ids])])
        .await?;
    let [chains, content, related] = found.as_slice() else { return Err(damaged("three results")) };
    unit.load(chains)?;
    let mut content = Content::read(keys, content)?;
    let mut related = read_related(related)?;

    let mut begun: Vec<(EntryId, Content, Claim)> = Vec::new();
    for id in chosen {
        let claim = unit.change(id, |chain, slot| {
            let turn = slot.queue.virtual_time;
            let claim = chain.claim(id, &mut slot.queue, now, settings);
            if claim.is_some() {
                slot.served = slot.served.max(turn);
            }
            claim
        });
        let Some(Some(claim)) = claim else { continue };
        match content.remove(&id).unwrap_or_else(|| Err(damaged("it has no row"))) {
            Ok(content) => begun.push((id, content, claim)),
            Err(why) => stop(&mut unit, settings, id, &claim, &why.into()),
        }
    }
    let mappings = mappings_of(session, &begun).await?;
    let mut claimed = Vec::with_capacity(begun.len());
    let (mut ids, mut fences) = (Vec::new(), Vec::new());
    for ((id, content, claim), mapping) in begun.into_iter().zip(mappings) {
        let Some(mapping) = mapping else {
            stop(&mut unit, settings, id, &claim, &damaged("it has no mapping").into());
            continue;
        };
        unit.set_mapping(id, mapping.version);
        ids.push(number(id.0));
        fences.push(number(claim.fence));
        let mut history = claim.history;
        history.related = related.remove(&id).unwrap_or_default();
        let time = settings.call.min(claim.until.saturating_sub(now));
        let (fence, Content { mapping_key, booking, accepted, payload }) = (claim.fence, content);
        claimed.push(Claimed { id, fence, mapping_key, booking, accepted, payload, mapping, history, time });
    }
    let mut steps = unit.save()?;
    if !ids.is_empty() {
        steps.push(Step(BEGIN_ATTEMPTS, values![ids, fences, number(now)]));
    }
    session.run(&steps).await?;
    Ok(claimed)
}

/// Ends a try that cannot begin because what is stored of it cannot be read. It counts as one that the host stopped: so it comes back
/// later and then needs a person, and meanwhile others have their turn.
fn stop(unit: &mut Unit<'_>, settings: &Settings, id: EntryId, claim: &Claim, why: &LedgerError) {
    tracing::error!(code = why.code(), delivery = %id, "a booking cannot be tried: {why}");
    let ended = Ended::Stopped { code: why.code().to_owned(), effect: Effect::None };
    let at = (unit.now, 1.0);
    // The claim was made just now, so that it is current.
    let _ = unit.change(id, |chain, slot| chain.finish(id, (claim.fence, 0), ended, &mut slot.queue, at, settings));
}

/// A queue whose turn it may be.
struct Candidate {
    id: i64,
    virtual_time: u64,
    /// The next one last.
    due: Vec<(EntryId, fairness::Turn)>,
}

/// Which entries are next, by the turns of their queues.
async fn choose(session: Session<'_>, settings: &Settings, unit: &Unit<'_>, most: u32) -> Result<Vec<EntryId>> {
    let free = |slot: &Slot| slot.queue.free_slots(unit.now, settings);
    let (queues, slots): (Vec<i64>, Vec<i64>) =
        unit.slots.values().map(|slot| (slot.id, i64::from(free(slot)))).unzip();
    let most_resent = i64::from(settings.in_flight_resent);
    let mut due: HashMap<i64, Vec<(EntryId, fairness::Turn)>> = HashMap::new();
    for row in session.query(DUE, &[&queues, &slots, &number(unit.now), &most_resent]).await? {
        let turn = if get::<i16>(&row, 2)? == 1 { fairness::Turn::Resend } else { fairness::Turn::Fresh };
        due.entry(get(&row, 0)?).or_default().push((EntryId(get_number(&row, 1)?), turn));
    }
    let candidate = |slot: &Slot| {
        let mut due = due.remove(&slot.id).unwrap_or_default();
        due.truncate(usize::try_from(free(slot)).unwrap_or(usize::MAX));
        due.reverse();
        Candidate { id: slot.id, virtual_time: slot.queue.virtual_time, due }
    };
    let mut candidates: Vec<Candidate> = unit.slots.values().map(candidate).collect();
    let mut chosen = Vec::new();
    while chosen.len() < usize::try_from(most).unwrap_or(usize::MAX) {
        let waiting = candidates.iter_mut().filter(|candidate| !candidate.due.is_empty());
        let Some(next) = waiting.min_by_key(|candidate| (candidate.virtual_time, candidate.id)) else { break };
        let Some((id, turn)) = next.due.pop() else { break };
        next.virtual_time = fairness::after_try(next.virtual_time, turn);
        chosen.push(id);
    }
    Ok(chosen)
}

/// What a worker gets of an entry beside its history.
struct Content {
    mapping_key: MappingKey,
    booking: String,
    accepted: Instant,
    payload: Vec<u8>,
}

impl Content {
    /// By entry. One that cannot be read keeps no other from being tried.
    fn read(keys: &LedgerKeys, rows: &[Row]) -> Result<HashMap<EntryId, Result<Self>>> {
        rows.iter().map(|row| Ok((EntryId(get_number(row, 0)?), Self::of(keys, row)))).collect()
    }

    fn of(keys: &LedgerKeys, row: &Row) -> Result<Self> {
        let (team, booking, change): (String, String, &str) = (get(row, 1)?, get(row, 4)?, get(row, 5)?);
        let sealed: Option<&[u8]> = get(row, 7)?;
        let sealed = sealed.ok_or_else(|| damaged("it has no content"))?;
        let payload = keys.open_payload([&team, &booking, change], sealed).map_err(damaged)?;
        let mapping_key = MappingKey { team, calendar: get(row, 2)?, integration: integration(get(row, 3)?)? };
        Ok(Self { mapping_key, booking, accepted: get_number(row, 6)?, payload })
    }
}

fn read_related(rows: &[Row]) -> Result<HashMap<EntryId, Vec<RecordRef>>> {
    let mut related: HashMap<EntryId, Vec<RecordRef>> = HashMap::new();
    for row in rows {
        let found = related.entry(EntryId(get_number(row, 0)?)).or_default();
        for record in from_json::<Progress>(get(row, 1)?)?.records {
            if !found.contains(&record) {
                found.push(record);
            }
        }
    }
    Ok(related)
}

/// The mapping of each claim: the one that its unknown tries used, or the latest.
async fn mappings_of(session: Session<'_>, begun: &[(EntryId, Content, Claim)]) -> Result<Vec<Option<StoredMapping>>> {
    let wanted: Vec<_> = begun.iter().map(|(_, content, claim)| (&content.mapping_key, claim.pinned_mapping)).collect();
    mappings::read(session, &wanted).await
}

const END_ATTEMPT: &str = "
    UPDATE crm_ledger.attempt SET ended = $3, code = $4, reaction = $5, effect = $6, requests = $7 WHERE entry = $1 AND fence = $2";

const PUT_DETAIL: &str = "UPDATE crm_ledger.content SET detail = $2 WHERE entry = $1";

/// Notes how a try ended.
pub(crate) async fn finish(
    session: Session<'_>,
    keys: &LedgerKeys,
    settings: &Settings,
    time: Option<i64>,
    tried: &Tried,
) -> Result<()> {
    let Tried { id, fence, mapping, ended, requests, detail, random } = tried;
    let mut unit = Unit::of_entries(session, time, &[*id]).await?;
    let now = unit.now;
    let finished = unit.change(*id, |chain, slot| {
        let done = chain.finish(*id, (*fence, *mapping), ended.clone(), &mut slot.queue, (now, *random), settings);
        slot.queue.spend(*requests, now);
        done
    });
    finished.ok_or(LedgerError::NoEntry(*id))?.map_err(|_| LedgerError::Stale)?;
    let Outcome { code, reaction, effect } = Outcome::of(ended);
    let (code, reaction) = (storable(&code), reaction.as_deref().map(storable));
    let sealed = keys.seal_detail(id.0, detail).map_err(damaged)?;
    let (id, fence, ended_at, requests) = (number(id.0), number(*fence), number(now), i64::from(*requests));
    let mut steps = unit.save()?;
    steps.push(Step(END_ATTEMPT, values![id, fence, ended_at, code, reaction, effect, requests]));
    steps.push(Step(PUT_DETAIL, values![id, sealed]));
    session.run(&steps).await.map(drop)
}

pub(crate) const LOST: &str = "
    SELECT entry FROM crm_ledger.ready WHERE until <= (SELECT coalesce($1::bigint, crm_ledger.milliseconds())) ORDER BY until LIMIT $2";

/// Takes back claims that have ended.
pub(crate) async fn rescue(session: Session<'_>, settings: &Settings, time: Option<i64>, random: f64) -> Result<u64> {
    let lost = read_ids(&session.query(LOST, &[&time, &MOST_RESCUED]).await?)?;
    if lost.is_empty() {
        return Ok(0);
    }
    let mut unit = Unit::of_entries(session, time, &lost).await?;
    let mut rescued = 0;
    for id in lost {
        let (now, mapping) = (unit.now, unit.mapping(id));
        let is_rescued =
            unit.change(id, |chain, slot| chain.rescue(id, mapping, &mut slot.queue, (now, random), settings));
        rescued += u64::from(is_rescued == Some(true));
    }
    session.run(&unit.save()?).await?;
    Ok(rescued)
}

pub(crate) fn read_ids(rows: &[Row]) -> Result<Vec<EntryId>> {
    rows.iter().map(|row| Ok(EntryId(get_number(row, 0)?))).collect()
}

pub(crate) const TOO_FAR: &str = "
    SELECT entry FROM crm_ledger.ready
    WHERE head AND until IS NULL AND due > (SELECT coalesce($1::bigint, crm_ledger.milliseconds()) + $2::bigint)
    ORDER BY due LIMIT 500";

/// Brings moments back that a clock which was wrong for a while put into the far future.
pub(crate) async fn mend_clock(session: Session<'_>, settings: &Settings, time: Option<i64>) -> Result<()> {
    // The longest wait that a CRM may ask for is a day.
    let longest = number(settings.longest_wait.saturating_add(86_400_000));
    let found = read_ids(&session.query(TOO_FAR, &[&time, &longest]).await?)?;
    release(session, time, &found).await.map(drop)
}

/// Tries entries again because what was in their way is gone.
pub(crate) async fn release(session: Session<'_>, time: Option<i64>, ids: &[EntryId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut unit = Unit::of_entries(session, time, ids).await?;
    let now = unit.now;
    for id in ids {
        unit.change(*id, |chain, _| chain.release(*id, now));
    }
    session.run(&unit.save()?).await.map(drop)
}

/// When the first booking of any queue is due.
pub(crate) async fn next_due(session: Session<'_>) -> Result<Option<Instant>> {
    let select =
        "SELECT min(greatest(next_due, opens_at)) FROM crm_ledger.queue WHERE next_due IS NOT NULL AND hold IS NULL";
    let found = session.query(select, &[]).await?;
    let due: Option<i64> = get(found.first().ok_or_else(|| damaged("no time"))?, 0)?;
    Ok(due.map(unsigned))
}
