//! Accepting changes of bookings.

use crm_contract::{Instant, UnknownTries};
use crm_delivery::{
    Acceptance, Arrival, Entry, EntryId, Integration, LedgerError, Placed, Progress, State, columns, fairness,
};
use crm_seal::{LedgerKeys, Tag};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::rows::{self, ChainKey, Loaded, damaged, failed, number, unsigned};

type Result<T> = std::result::Result<T, LedgerError>;

/// An arrival with what must be computed before the writer's turn.
pub(crate) struct Prepared {
    arrival: Arrival,
    sealed: Vec<u8>,
    /// Tag of the guest's address.
    guest: Option<Tag>,
}

impl Prepared {
    pub(crate) fn new(arrival: Arrival, keys: &LedgerKeys) -> Result<Self> {
        let of = [arrival.team.as_str(), &arrival.booking, &arrival.change];
        let sealed = keys.seal_payload(of, &arrival.payload).map_err(damaged)?;
        let guest = arrival.guest.as_deref().filter(|guest| !guest.trim().is_empty());
        let guest = guest.map(|guest| keys.guest_tag(guest));
        Ok(Self { sealed, guest, arrival })
    }

    /// Takes the arrival, for each integration of its calendar.
    pub(crate) fn accept(&self, database: &Connection, keys: &LedgerKeys, now: Instant) -> Result<Acceptance> {
        let arrival = &self.arrival;
        let mapped = mapped_integrations(database, &arrival.team, &arrival.calendar)?;
        let has_mapping = !mapped.is_empty();
        let integrations = if has_mapping { mapped } else { vec![arrival.default_integration.clone()] };
        let mut places = Vec::new();
        for integration in integrations {
            let known = self.known(database, &integration)?;
            if let Some(known) = known.as_ref().filter(|known| known.digest != arrival.digest) {
                return Ok(Acceptance::Differs(self.payload_of(database, keys, known.placed.id)?));
            }
            places.push((integration, known));
        }
        let is_new = places.iter().any(|(_, known)| known.is_none());
        let mut placed = Vec::new();
        for (integration, known) in places {
            placed.push(match known {
                Some(known) => known.placed,
                None => self.insert(database, keys, integration, has_mapping, now)?,
            });
        }
        Ok(if is_new { Acceptance::Accepted(placed) } else { Acceptance::Known(placed) })
    }

    fn known(&self, database: &Connection, integration: &Integration) -> Result<Option<Known>> {
        let mut select = database
            .prepare_cached(
                "SELECT id, digest, state FROM entry
                 WHERE team = ?1 AND integration = ?2 AND booking = ?3 AND change = ?4",
            )
            .map_err(failed)?;
        let Arrival { team, booking, change, .. } = &self.arrival;
        let found = select
            .query_row(params![team, integration.as_str(), booking, change], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, String>(2)?))
            })
            .optional()
            .map_err(failed)?;
        let Some((id, digest, state)) = found else { return Ok(None) };
        let state = State::named(&state).ok_or_else(|| damaged(format_args!("an entry in state `{state}`")))?;
        let placed = Placed { id: EntryId(unsigned(id)), integration: integration.clone(), state };
        Ok(Some(Known { placed, digest }))
    }

    fn payload_of(&self, database: &Connection, keys: &LedgerKeys, id: EntryId) -> Result<Option<Vec<u8>>> {
        let Arrival { team, booking, change, .. } = &self.arrival;
        let sealed: Option<Vec<u8>> = database
            .query_row("SELECT payload FROM content WHERE entry = ?1", [number(id.0)], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let opened = sealed.map(|sealed| keys.open_payload([team, booking, change], &sealed));
        opened.transpose().map_err(damaged)
    }

    fn insert(
        &self,
        database: &Connection,
        keys: &LedgerKeys,
        integration: Integration,
        has_mapping: bool,
        now: Instant,
    ) -> Result<Placed> {
        let arrival = &self.arrival;
        let queue = rows::queue_id(database, &arrival.team, integration.plugin())?;
        let chain = self.chain(database, queue, &integration)?;
        let key = ChainKey { queue, team: arrival.team.clone(), integration: integration.clone(), chain };
        let mut loaded = Loaded::read(database, key)?;
        let lane = self.lane(database, keys, &loaded)?;
        share_lane(database, &loaded, &lane)?;
        let changed_at = loaded.chain.moment(arrival.changed_at, now);
        let progress = Progress::accepted(now, arrival.meeting.1);
        let mut insert = database
            .prepare_cached(
                "INSERT INTO entry (queue, team, calendar, integration, booking, change, chain, kind, changed_at, digest,
                                    accepted, meeting_start, lane, guest, state, progress)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, '', '')",
            )
            .map_err(failed)?;
        insert
            .execute(params![
                queue,
                arrival.team,
                arrival.calendar,
                integration.as_str(),
                arrival.booking,
                arrival.change,
                loaded.key.chain,
                columns::kind_name(arrival.kind),
                number(changed_at),
                arrival.digest,
                number(now),
                number(arrival.meeting.0),
                lane,
                self.guest,
            ])
            .map_err(failed)?;
        let id = database.last_insert_rowid();
        let mut content =
            database.prepare_cached("INSERT INTO content (entry, payload) VALUES (?1, ?2)").map_err(failed)?;
        content.execute(params![id, self.sealed]).map_err(failed)?;

        let id = EntryId(unsigned(id));
        self.join_turns(database, &mut loaded)?;
        let restored = loaded.chain.restored(lost(database)?, arrival.kind, arrival.changed_at, now);
        loaded.chain.accept(Entry { id, kind: arrival.kind, changed_at, progress }, has_mapping, restored, now);
        let state = loaded.chain.get(id).map_or(State::Waiting, |progress| progress.state);
        loaded.save(database, now)?;
        Ok(Placed { id, integration, state })
    }

    /// The chain that the booking belongs to. A booking that moved joins that of the one that it replaces, and brings along those that
    /// arrived before it and replace it.
    fn chain(&self, database: &Connection, queue: i64, integration: &Integration) -> Result<String> {
        let Arrival { booking, previous, .. } = &self.arrival;
        let of = |booking: &str| -> Result<Option<String>> {
            let mut select = database
                .prepare_cached("SELECT chain FROM entry WHERE team = ?1 AND integration = ?2 AND booking = ?3 LIMIT 1")
                .map_err(failed)?;
            let key = params![self.arrival.team, integration.as_str(), booking];
            select.query_row(key, |row| row.get(0)).optional().map_err(failed)
        };
        if let Some(chain) = of(booking)? {
            return Ok(chain);
        }
        let Some(previous) = previous.as_ref().filter(|previous| *previous != booking) else {
            return Ok(booking.clone());
        };
        let chain = of(previous)?.unwrap_or_else(|| previous.clone());
        if chain != *booking {
            let mut rename = database
                .prepare_cached("UPDATE entry SET chain = ?1 WHERE queue = ?2 AND integration = ?3 AND chain = ?4")
                .map_err(failed)?;
            rename.execute(params![chain, queue, integration.as_str(), booking]).map_err(failed)?;
        }
        Ok(chain)
    }

    /// Bookings of one guest keep their order, and so do the changes of one booking, even if its guest changes.
    fn lane(&self, database: &Connection, keys: &LedgerKeys, loaded: &Loaded) -> Result<Vec<u8>> {
        if let Some(first) = loaded.chain.entries().first() {
            let mut select = database.prepare_cached("SELECT lane FROM entry WHERE id = ?1").map_err(failed)?;
            return select.query_row([number(first.id.0)], |row| row.get(0)).map_err(failed);
        }
        let of_chain = || keys.chain_tag(&self.arrival.team, &loaded.key.chain);
        Ok(self.guest.unwrap_or_else(of_chain).to_vec())
    }

    /// A queue that was idle begins at the others' time.
    fn join_turns(&self, database: &Connection, loaded: &mut Loaded) -> Result<()> {
        let mut select = database
            .prepare_cached("SELECT queue.open, ledger.served FROM queue, ledger WHERE queue.id = ?1")
            .map_err(failed)?;
        let (open, served): (i64, i64) =
            select.query_row([loaded.key.queue], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        if open == 0 {
            loaded.queue.virtual_time = fairness::on_arrival(loaded.queue.virtual_time, unsigned(served));
        }
        Ok(())
    }
}

/// Puts all changes of a booking into one lane: they may have met only now.
fn share_lane(database: &Connection, loaded: &Loaded, lane: &[u8]) -> Result<()> {
    for entry in loaded.chain.entries().iter().skip(1) {
        let id = number(entry.id.0);
        let own: Vec<u8> = database
            .prepare_cached("SELECT lane FROM entry WHERE id = ?1")
            .and_then(|mut select| select.query_row([id], |row| row.get(0)))
            .map_err(failed)?;
        if own != lane {
            database.execute("UPDATE entry SET lane = ?2 WHERE id = ?1", params![id, lane]).map_err(failed)?;
            database
                .execute("UPDATE ready SET lane = ?2, head = 0 WHERE entry = ?1", params![id, lane])
                .map_err(failed)?;
            rows::settle_lane(database, loaded.key.queue, &own)?;
            rows::settle_lane(database, loaded.key.queue, lane)?;
        }
    }
    Ok(())
}

struct Known {
    placed: Placed,
    digest: Vec<u8>,
}

fn mapped_integrations(database: &Connection, team: &str, calendar: &str) -> Result<Vec<Integration>> {
    let mut select = database
        .prepare_cached("SELECT DISTINCT integration FROM mapping WHERE team = ?1 AND calendar = ?2")
        .map_err(failed)?;
    let mut rows = select.query([team, calendar]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let integration: String = row.get(0).map_err(failed)?;
        found.push(integration.parse().map_err(damaged)?);
    }
    Ok(found)
}

/// The time of which the ledger knows nothing, because it was restored from a backup.
fn lost(database: &Connection) -> Result<Option<UnknownTries>> {
    let mut select = database.prepare_cached("SELECT restored_from, restored_until FROM ledger").map_err(failed)?;
    let found: (Option<i64>, Option<i64>) =
        select.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    let (Some(from), Some(until)) = found else { return Ok(None) };
    Ok(Some(UnknownTries { oldest: unsigned(from), newest: unsigned(until) }))
}
