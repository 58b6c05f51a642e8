//! What workers do: claim, finish, rescue.

use crm_contract::{Effect, Instant, RecordRef};
use crm_delivery::{
    Claimed, Ended, EntryId, Integration, LedgerError, MappingKey, Progress, Settings, Tried, columns::Outcome,
};
use crm_seal::LedgerKeys;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    mappings,
    rows::{self, Loaded, damaged, failed, from_json, number, unsigned},
};

type Result<T> = std::result::Result<T, LedgerError>;

/// Queues that are looked at in one claim.
const MOST_QUEUES: u32 = 64;
/// Claims that are taken back in one transaction.
const MOST_RESCUED: u32 = 256;

/// A queue whose turn it may be.
struct Candidate {
    queue: i64,
    virtual_time: u64,
    /// Entries that are due, the next one last.
    due: Vec<EntryId>,
}

/// Gives up to `most` bookings away, by turns.
pub(crate) fn claim(
    database: &Connection,
    keys: &LedgerKeys,
    settings: &Settings,
    most: u32,
    now: Instant,
) -> Result<Vec<Claimed>> {
    let mut candidates = candidates(database, settings, now)?;
    let mut claimed = Vec::new();
    let mut served = None;
    while claimed.len() < usize::try_from(most).unwrap_or(usize::MAX) {
        let next = candidates.iter_mut().filter(|candidate| !candidate.due.is_empty());
        let Some(next) = next.min_by_key(|candidate| candidate.virtual_time) else { break };
        let Some(id) = next.due.pop() else { break };
        let Some(mut loaded) = Loaded::of(database, id)? else { continue };
        let queue_time = loaded.queue.virtual_time;
        let Some(claim) = loaded.chain.claim(id, &mut loaded.queue, now, settings) else {
            loaded.save(database, now)?;
            continue;
        };
        served = served.max(Some(queue_time));
        next.virtual_time = loaded.queue.virtual_time;
        let fence = claim.fence;
        match begin(database, keys, settings, id, &loaded, claim, now) {
            Ok(begun) => claimed.push(begun),
            // The others go on. A person sees which one it is.
            Err(error @ LedgerError::Damaged(_)) => {
                tracing::error!(delivery = id.0, %error, "a booking cannot be read");
                let ended = Ended::Stopped { code: error.code().to_owned(), effect: Effect::None };
                let at = (now, 1.0);
                loaded
                    .chain
                    .finish(id, (fence, 0), ended, &mut loaded.queue, at, settings)
                    .map_err(|_| LedgerError::Stale)?;
            }
            Err(error) => return Err(error),
        }
        loaded.save(database, now)?;
    }
    for candidate in &candidates {
        note_next_due(database, candidate.queue)?;
    }
    if let Some(served) = served {
        let mut update = database.prepare_cached("UPDATE ledger SET served = max(served, ?1)").map_err(failed)?;
        update.execute([number(served)]).map_err(failed)?;
    }
    Ok(claimed)
}

/// Queues that have something due and a free slot, in the order of their turns.
fn candidates(database: &Connection, settings: &Settings, now: Instant) -> Result<Vec<Candidate>> {
    let mut select = database
        .prepare_cached(
            "SELECT id FROM queue
             WHERE next_due IS NOT NULL AND hold IS NULL AND next_due <= ?1 AND opens_at <= ?1
             ORDER BY virtual_time LIMIT ?2",
        )
        .map_err(failed)?;
    let ids = select.query_map(params![number(now), MOST_QUEUES], |row| row.get(0)).map_err(failed)?;
    let ids = ids.collect::<rusqlite::Result<Vec<i64>>>().map_err(failed)?;
    let mut found = Vec::new();
    for id in ids {
        let queue = rows::queue(database, id)?;
        let slots = queue.free_slots(now, settings);
        if slots == 0 {
            continue;
        }
        let resent_in_flight = resent_in_flight(database, id)?;
        let slots_for_resent = settings.in_flight_resent.saturating_sub(resent_in_flight).min(slots);
        let mut due = due(database, id, 0, now, slots)?;
        due.extend(due_resent(database, id, now, slots_for_resent)?);
        due.reverse();
        found.push(Candidate { queue: id, virtual_time: queue.virtual_time, due });
    }
    Ok(found)
}

fn due_resent(database: &Connection, queue: i64, now: Instant, most: u32) -> Result<Vec<EntryId>> {
    due(database, queue, 1, now, most)
}

fn due(database: &Connection, queue: i64, turn: i64, now: Instant, most: u32) -> Result<Vec<EntryId>> {
    let mut select = database
        .prepare_cached(
            "SELECT entry FROM ready
             WHERE queue = ?1 AND turn = ?2 AND due <= ?3 AND head = 1 AND until IS NULL ORDER BY due, entry LIMIT ?4",
        )
        .map_err(failed)?;
    let ids = select.query_map(params![queue, turn, number(now), most], |row| row.get::<_, i64>(0)).map_err(failed)?;
    ids.map(|id| id.map(|id| EntryId(unsigned(id))).map_err(failed)).collect()
}

fn resent_in_flight(database: &Connection, queue: i64) -> Result<u32> {
    let mut select = database
        .prepare_cached("SELECT count(*) FROM ready WHERE queue = ?1 AND turn = 1 AND head = 1 AND until IS NOT NULL")
        .map_err(failed)?;
    select.query_row([queue], |row| row.get(0)).map_err(failed)
}

fn note_next_due(database: &Connection, queue: i64) -> Result<()> {
    let mut update = database
        .prepare_cached(
            "UPDATE queue SET next_due = (
                SELECT min(due) FROM (
                    SELECT min(due) AS due FROM ready WHERE queue = ?1 AND turn = 0 AND head = 1 AND until IS NULL
                    UNION ALL
                    SELECT min(due) FROM ready WHERE queue = ?1 AND turn = 1 AND head = 1 AND until IS NULL
                )
             ) WHERE id = ?1",
        )
        .map_err(failed)?;
    update.execute([queue]).map_err(failed)?;
    Ok(())
}

/// Notes that a try begins, and gathers what it needs.
fn begin(
    database: &Connection,
    keys: &LedgerKeys,
    settings: &Settings,
    id: EntryId,
    loaded: &Loaded,
    claim: crm_delivery::Claim,
    now: Instant,
) -> Result<Claimed> {
    let mut select = database
        .prepare_cached(
            "SELECT entry.team, entry.calendar, entry.integration, entry.booking, entry.change, entry.accepted,
                    content.payload
             FROM entry LEFT JOIN content ON content.entry = entry.id WHERE entry.id = ?1",
        )
        .map_err(failed)?;
    type Found = (String, String, String, String, String, i64, Option<Vec<u8>>);
    let (team, calendar, integration, booking, change, accepted, sealed): Found = select
        .query_row([number(id.0)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })
        .map_err(failed)?;
    let sealed = sealed.ok_or_else(|| damaged(format_args!("delivery {id} has no content")))?;
    let payload = keys.open_payload([&team, &booking, &change], &sealed).map_err(damaged)?;
    let integration: Integration = integration.parse().map_err(damaged)?;
    let mapping_key = MappingKey { team, calendar, integration };
    let mapping = mappings::read(database, &mapping_key, claim.pinned_mapping)?
        .ok_or_else(|| damaged(format_args!("delivery {id} has no mapping")))?;
    let mut history = claim.history;
    history.related = related(database, loaded)?;
    let mut attempt =
        database.prepare_cached("INSERT INTO attempt (entry, fence, began) VALUES (?1, ?2, ?3)").map_err(failed)?;
    attempt.execute(params![number(id.0), number(claim.fence), number(now)]).map_err(failed)?;
    let mut update = database.prepare_cached("UPDATE entry SET mapping = ?2 WHERE id = ?1").map_err(failed)?;
    update.execute(params![number(id.0), number(mapping.version)]).map_err(failed)?;
    Ok(Claimed {
        id,
        fence: claim.fence,
        mapping_key,
        booking,
        accepted: unsigned(accepted),
        payload,
        mapping,
        history,
        time: settings.call.min(claim.until.saturating_sub(now)),
    })
}

/// Records that other integrations made of the same booking.
fn related(database: &Connection, loaded: &Loaded) -> Result<Vec<RecordRef>> {
    let mut select = database
        .prepare_cached(
            "SELECT other.progress FROM entry AS own
             JOIN entry AS other ON other.team = own.team AND other.booking = own.booking AND other.integration <> own.integration
             WHERE own.queue = ?1 AND own.integration = ?2 AND own.chain = ?3",
        )
        .map_err(failed)?;
    let mut found = Vec::new();
    let mut others =
        select.query(params![loaded.key.queue, loaded.key.integration.as_str(), loaded.key.chain]).map_err(failed)?;
    while let Some(row) = others.next().map_err(failed)? {
        let progress: String = row.get(0).map_err(failed)?;
        for record in from_json::<Progress>(&progress)?.records {
            if !found.contains(&record) {
                found.push(record);
            }
        }
    }
    Ok(found)
}

/// Notes how a try ended.
pub(crate) fn finish(
    database: &Connection,
    keys: &LedgerKeys,
    settings: &Settings,
    tried: Tried,
    now: Instant,
) -> Result<()> {
    let Tried { id, fence, mapping, ended, requests, detail, random } = tried;
    let mut loaded = Loaded::of(database, id)?.ok_or(LedgerError::NoEntry(id))?;
    let outcome = Outcome::of(&ended);
    loaded
        .chain
        .finish(id, (fence, mapping), ended, &mut loaded.queue, (now, random), settings)
        .map_err(|_| LedgerError::Stale)?;
    loaded.queue.spend(requests, now);
    let mut attempt = database
        .prepare_cached(
            "UPDATE attempt SET ended = ?3, code = ?4, reaction = ?5, effect = ?6, requests = ?7
             WHERE entry = ?1 AND fence = ?2",
        )
        .map_err(failed)?;
    let Outcome { code, reaction, effect } = outcome;
    attempt
        .execute(params![number(id.0), number(fence), number(now), code, reaction, effect, requests])
        .map_err(failed)?;
    let sealed = keys.seal_detail(id.0, &detail).map_err(damaged)?;
    let mut update = database.prepare_cached("UPDATE content SET detail = ?2 WHERE entry = ?1").map_err(failed)?;
    update.execute(params![number(id.0), sealed]).map_err(failed)?;
    loaded.save(database, now)
}

/// Takes back claims that ended before `now`, or all of them if `all` is set: no other process works then.
pub(crate) fn rescue(database: &Connection, settings: &Settings, random: f64, now: Instant, all: bool) -> Result<u64> {
    let mut select = database
        .prepare_cached("SELECT entry, until FROM ready WHERE until IS NOT NULL AND (until <= ?1 OR ?2) LIMIT ?3")
        .map_err(failed)?;
    let claims = select
        .query_map(params![number(now), all, MOST_RESCUED], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .map_err(failed)?;
    let claims = claims.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?;
    let mut rescued = 0;
    for (id, until) in claims {
        let id = EntryId(unsigned(id));
        let Some(mut loaded) = Loaded::of(database, id)? else { continue };
        let mapping: Option<i64> = database
            .query_row("SELECT mapping FROM entry WHERE id = ?1", [number(id.0)], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let mapping = unsigned(mapping.unwrap_or_default());
        let at = (now.max(unsigned(until)), random);
        if loaded.chain.rescue(id, mapping, &mut loaded.queue, at, settings) {
            loaded.save(database, now)?;
            rescued += 1;
        }
    }
    Ok(rescued)
}

/// Brings moments back that a clock which was wrong for a while put into the far future.
pub(crate) fn mend_clock(database: &Connection, settings: &Settings, now: Instant) -> Result<u64> {
    // The longest wait that a CRM may ask for is a day.
    let latest = now.saturating_add(settings.longest_wait).saturating_add(86_400_000);
    let mut select = database.prepare_cached("SELECT entry FROM ready WHERE due > ?1 LIMIT 1000").map_err(failed)?;
    let ids = select.query_map([number(latest)], |row| row.get::<_, i64>(0)).map_err(failed)?;
    let ids = ids.collect::<rusqlite::Result<Vec<_>>>().map_err(failed)?;
    let mended = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    for id in ids {
        let id = EntryId(unsigned(id));
        if let Some(mut loaded) = Loaded::of(database, id)? {
            loaded.chain.release(id, now);
            loaded.save(database, now)?;
        }
    }
    Ok(mended)
}

/// When the first booking of any queue is due.
pub(crate) fn next_due(database: &Connection) -> Result<Option<Instant>> {
    let mut select = database
        .prepare_cached("SELECT min(max(next_due, opens_at)) FROM queue WHERE next_due IS NOT NULL AND hold IS NULL")
        .map_err(failed)?;
    let due: Option<i64> = select.query_row([], |row| row.get(0)).map_err(failed)?;
    Ok(due.map(unsigned))
}
