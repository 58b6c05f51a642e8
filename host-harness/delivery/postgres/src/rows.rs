//! Chains and queues as they are loaded, changed and written back.
//!
//! A [`Unit`] has all that a transaction changes. It is loaded with few statements, its chains and queues change in memory, and
//! [`Unit::save`] writes what differs: each statement writes the rows of all chains.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crm_booking::Kind;
use crm_contract::Instant;
use crm_delivery::{
    Chain, Entry, EntryId, Hold, Integration, Progress, Queue,
    columns::{self, code},
    fairness,
};
use tokio_postgres::Row;

use crate::session::{
    Result, Session, Step, damaged, from_json, get, get_number, number, storable, to_json, unsigned, values,
};

/// The time, in milliseconds: that of a test if it gives one, else the database's.
pub(crate) const NOW: &str = "SELECT coalesce($1::bigint, crm_ledger.milliseconds())";

pub(crate) fn integration(name: &str) -> Result<Integration> {
    name.parse().map_err(damaged)
}

pub(crate) fn kind(name: &str) -> Result<Kind> {
    columns::kind_named(name).ok_or_else(|| damaged(format_args!("an entry of kind `{name}`")))
}

/// The columns of a queue that [`Slot::read`] reads.
macro_rules! queue_columns {
    () => {
        "queue.id, queue.team, queue.plugin, queue.state, queue.served, queue.open"
    };
}
pub(crate) use queue_columns;

/// A queue that this transaction has locked.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) id: i64,
    pub(crate) team: String,
    pub(crate) plugin: String,
    before: Queue,
    pub(crate) queue: Queue,
    served_before: u64,
    pub(crate) served: u64,
    /// Bookings that wait or are being delivered, before this transaction.
    pub(crate) open: i64,
}

impl Slot {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        let queue: Queue = from_json(get(row, 3)?)?;
        let served = get_number(row, 4)?;
        Ok(Self {
            id: get(row, 0)?,
            team: get(row, 1)?,
            plugin: get(row, 2)?,
            before: queue.clone(),
            queue,
            served_before: served,
            served,
            open: get(row, 5)?,
        })
    }

    fn has_changed(&self) -> bool {
        self.queue != self.before || self.served != self.served_before
    }
}

/// Where a chain is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ChainKey {
    pub(crate) queue: i64,
    pub(crate) integration: Integration,
    pub(crate) chain: String,
}

/// What a new entry has beside its place in a chain.
#[derive(Debug)]
pub(crate) struct New<'a> {
    pub(crate) calendar: &'a str,
    pub(crate) booking: &'a str,
    pub(crate) change: &'a str,
    pub(crate) digest: &'a [u8],
    pub(crate) meeting_start: Instant,
    pub(crate) guest: Option<&'a [u8]>,
    pub(crate) sealed: &'a [u8],
}

/// The columns of an entry that transitions need.
#[derive(Debug)]
struct Known<'a> {
    /// `None` for a new one.
    before: Option<Before>,
    new: Option<New<'a>>,
    lane: Vec<u8>,
    mapping: i64,
}

#[derive(Debug)]
struct Before {
    progress: Progress,
    lane: Vec<u8>,
    chain: String,
    mapping: i64,
}

/// What a transaction changes.
#[derive(Debug)]
pub(crate) struct Unit<'a> {
    pub(crate) now: Instant,
    pub(crate) slots: BTreeMap<i64, Slot>,
    chains: BTreeMap<ChainKey, Chain>,
    entries: HashMap<EntryId, Known<'a>>,
    of: HashMap<EntryId, ChainKey>,
}

macro_rules! entry_columns {
    () => {
        "entry.id, entry.queue, entry.integration, entry.chain, entry.kind, entry.changed_at, entry.progress, entry.lane, entry.mapping"
    };
}

/// Locks the queues of entries, always in the same order, so that transactions do not wait for each other in a circle.
pub(crate) const LOCK_QUEUES_OF: &str = concat!(
    "SELECT ",
    queue_columns!(),
    " FROM crm_ledger.queue WHERE id = ANY (ARRAY (SELECT queue FROM crm_ledger.entry WHERE id = ANY ($1::bigint[])))
      ORDER BY id FOR UPDATE"
);

/// All changes of the bookings that entries are changes of.
pub(crate) const CHAINS_OF: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM (SELECT DISTINCT queue, integration, chain FROM crm_ledger.entry WHERE id = ANY ($1::bigint[])) AS own
      JOIN crm_ledger.entry USING (queue, integration, chain)"
);

/// All changes of bookings, by where their chains are.
pub(crate) const CHAINS: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM unnest($1::bigint[], $2::text[], $3::text[]) AS own (queue, integration, chain)
      JOIN crm_ledger.entry USING (queue, integration, chain)"
);

pub(crate) fn ids_value(ids: &[EntryId]) -> Vec<i64> {
    ids.iter().map(|id| number(id.0)).collect()
}

impl<'a> Unit<'a> {
    pub(crate) fn new(now: Instant, slots: impl IntoIterator<Item = Slot>) -> Self {
        let slots = slots.into_iter().map(|slot| (slot.id, slot)).collect();
        Self { now, slots, chains: BTreeMap::new(), entries: HashMap::new(), of: HashMap::new() }
    }

    /// Locks the queues of entries and loads their chains. Entries that do not exist are left out.
    pub(crate) async fn of_entries(session: Session<'_>, time: Option<i64>, ids: &[EntryId]) -> Result<Self> {
        let steps = vec![
            Step(LOCK_QUEUES_OF, values![ids_value(ids)]),
            // After the lock: the clock of who waited for it has moved on.
            Step(NOW, values![time]),
            Step(CHAINS_OF, values![ids_value(ids)]),
        ];
        let found = session.run_first(steps).await?;
        let [queues, now, rows] = found.as_slice() else { return Err(damaged("three results")) };
        let slots = queues.iter().map(Slot::read).collect::<Result<Vec<_>>>()?;
        let mut unit = Self::new(read_now(now)?, slots);
        unit.load(rows)?;
        Ok(unit)
    }

    /// Takes in rows of [`CHAINS_OF`] or [`CHAINS`].
    pub(crate) fn load(&mut self, rows: &[Row]) -> Result<()> {
        let mut loaded: BTreeMap<ChainKey, Vec<Entry>> = BTreeMap::new();
        for row in rows {
            let id = EntryId(get_number(row, 0)?);
            let chain: String = get(row, 3)?;
            let key = ChainKey { queue: get(row, 1)?, integration: integration(get(row, 2)?)?, chain: chain.clone() };
            let progress: Progress = from_json(get(row, 6)?)?;
            let (lane, mapping): (Vec<u8>, i64) = (get(row, 7)?, get(row, 8)?);
            let entry =
                Entry { id, kind: kind(get(row, 4)?)?, changed_at: get_number(row, 5)?, progress: progress.clone() };
            let before = Some(Before { progress, lane: lane.clone(), chain, mapping });
            self.entries.insert(id, Known { before, new: None, lane, mapping });
            self.of.insert(id, key.clone());
            loaded.entry(key).or_default().push(entry);
        }
        self.chains.extend(loaded.into_iter().map(|(key, entries)| (key, Chain::new(entries))));
        Ok(())
    }

    pub(crate) fn progress(&self, id: EntryId) -> Option<&Progress> {
        self.chains.get(self.of.get(&id)?)?.get(id)
    }

    pub(crate) fn mapping(&self, id: EntryId) -> u64 {
        self.entries.get(&id).map_or(0, |entry| unsigned(entry.mapping))
    }

    pub(crate) fn set_mapping(&mut self, id: EntryId, version: u64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.mapping = number(version);
        }
    }

    /// Lets a transition of an entry happen. `None` if there is no such entry.
    pub(crate) fn change<T>(&mut self, id: EntryId, transition: impl FnOnce(&mut Chain, &mut Slot) -> T) -> Option<T> {
        let key = self.of.get(&id)?;
        Some(transition(self.chains.get_mut(key)?, self.slots.get_mut(&key.queue)?))
    }

    /// Gives the changes of one chain to another one.
    pub(crate) fn rename(&mut self, from: &ChainKey, to: &ChainKey) {
        let Some(moved) = self.chains.remove(from) else { return };
        let kept = self.chains.remove(to).unwrap_or_default();
        let all: Vec<Entry> = kept.entries().iter().chain(moved.entries()).cloned().collect();
        for entry in &all {
            self.of.insert(entry.id, to.clone());
        }
        self.chains.insert(to.clone(), Chain::new(all));
    }

    /// The lane of a chain, if it has entries. All of them are put into it: they may have met only now.
    pub(crate) fn share_lane(&mut self, key: &ChainKey) -> Option<Vec<u8>> {
        let chain = self.chains.get(key)?;
        let lane = self.entries.get(&chain.entries().first()?.id)?.lane.clone();
        for entry in chain.entries() {
            if let Some(known) = self.entries.get_mut(&entry.id) {
                known.lane.clone_from(&lane);
            }
        }
        Some(lane)
    }

    pub(crate) fn chain(&mut self, key: &ChainKey) -> &mut Chain {
        self.chains.entry(key.clone()).or_default()
    }

    /// Notes a new entry that was added to a chain.
    pub(crate) fn add(&mut self, id: EntryId, key: &ChainKey, lane: Vec<u8>, new: New<'a>) {
        self.entries.insert(id, Known { before: None, new: Some(new), lane, mapping: 0 });
        self.of.insert(id, key.clone());
    }

    /// The statements that write what has changed.
    pub(crate) fn save(&self) -> Result<Vec<Step>> {
        let mut changes = Changes::default();
        for (key, chain) in &self.chains {
            let Some(slot) = self.slots.get(&key.queue) else { return Err(damaged("an entry without a queue")) };
            for entry in chain.entries() {
                let Some(known) = self.entries.get(&entry.id) else { return Err(damaged("an entry without a row")) };
                changes.note(slot, key, entry, known, self.now)?;
            }
        }
        for slot in self.slots.values().filter(|slot| slot.has_changed()) {
            changes.queues.entry(slot.id).or_default();
        }
        changes.steps(&self.slots, self.now)
    }
}

pub(crate) fn read_now(rows: &[Row]) -> Result<Instant> {
    get_number(rows.first().ok_or_else(|| damaged("no time"))?, 0)
}

/// The time, by itself.
pub(crate) async fn now(session: Session<'_>, time: Option<i64>) -> Result<Instant> {
    read_now(&session.query(NOW, &[&time]).await?)
}

/// Columns of rows to be written, and what follows from them.
#[derive(Default)]
struct Changes {
    new: NewRows,
    content: (Vec<i64>, Vec<Vec<u8>>),
    entries: EntryRows,
    counts: BTreeMap<(String, String, &'static str, String), i64>,
    closed: Vec<i64>,
    ready: ReadyRows,
    lanes: BTreeSet<(i64, Vec<u8>)>,
    /// Queues to write, with how many more bookings they have open.
    queues: BTreeMap<i64, i64>,
}

#[derive(Default)]
struct NewRows {
    ids: Vec<i64>,
    queues: Vec<i64>,
    teams: Vec<String>,
    calendars: Vec<String>,
    integrations: Vec<String>,
    bookings: Vec<String>,
    changes: Vec<String>,
    chains: Vec<String>,
    kinds: Vec<&'static str>,
    changed_at: Vec<i64>,
    digests: Vec<Vec<u8>>,
    accepted: Vec<i64>,
    meetings: Vec<i64>,
    lanes: Vec<Vec<u8>>,
    guests: Vec<Option<Vec<u8>>>,
    states: Vec<&'static str>,
    codes: Vec<Option<String>>,
    final_at: Vec<Option<i64>>,
    progress: Vec<String>,
}

#[derive(Default)]
struct EntryRows {
    ids: Vec<i64>,
    chains: Vec<String>,
    lanes: Vec<Vec<u8>>,
    mappings: Vec<i64>,
    states: Vec<&'static str>,
    codes: Vec<Option<String>>,
    final_at: Vec<Option<i64>>,
    progress: Vec<String>,
}

#[derive(Default)]
struct ReadyRows {
    ids: Vec<i64>,
    queues: Vec<i64>,
    lanes: Vec<Vec<u8>>,
    turns: Vec<i16>,
    due: Vec<i64>,
    until: Vec<Option<i64>>,
}

impl Changes {
    fn note(&mut self, slot: &Slot, key: &ChainKey, entry: &Entry, known: &Known<'_>, now: Instant) -> Result<()> {
        let Entry { id, kind, changed_at, progress } = entry;
        let id = number(id.0);
        let final_at = progress.state.is_final().then(|| number(now));
        let shown = |progress: &Progress| code(progress).map(storable);
        let before = known.before.as_ref();
        if let Some(new) = &known.new {
            let rows = &mut self.new;
            rows.ids.push(id);
            rows.queues.push(key.queue);
            rows.teams.push(slot.team.clone());
            rows.calendars.push(new.calendar.to_owned());
            rows.integrations.push(key.integration.to_string());
            rows.bookings.push(new.booking.to_owned());
            rows.changes.push(new.change.to_owned());
            rows.chains.push(key.chain.clone());
            rows.kinds.push(columns::kind_name(*kind));
            rows.changed_at.push(number(*changed_at));
            rows.digests.push(new.digest.to_vec());
            rows.accepted.push(number(progress.accepted));
            rows.meetings.push(number(new.meeting_start));
            rows.lanes.push(known.lane.clone());
            rows.guests.push(new.guest.map(<[u8]>::to_vec));
            rows.states.push(progress.state.name());
            rows.codes.push(shown(progress));
            rows.final_at.push(final_at);
            rows.progress.push(to_json(progress)?);
            self.content.0.push(id);
            self.content.1.push(new.sealed.to_vec());
        }
        let has_progressed = before.is_none_or(|before| before.progress != *progress);
        let has_moved = before.is_some_and(|before| before.lane != known.lane);
        if let Some(before) = before {
            if !(has_progressed || has_moved || before.chain != key.chain || before.mapping != known.mapping) {
                return Ok(());
            }
            let rows = &mut self.entries;
            rows.ids.push(id);
            rows.chains.push(key.chain.clone());
            rows.lanes.push(known.lane.clone());
            rows.mappings.push(known.mapping);
            rows.states.push(progress.state.name());
            rows.codes.push(shown(progress));
            rows.final_at.push(final_at);
            rows.progress.push(to_json(progress)?);
        }
        let counted = |progress: &Progress| (progress.state.name(), shown(progress).unwrap_or_default());
        let was = before.map(|before| counted(&before.progress));
        let is = counted(progress);
        if was.as_ref() != Some(&is) {
            let mut count = |(state, code), by| {
                let row = (slot.team.clone(), key.integration.to_string(), state, code);
                *self.counts.entry(row).or_default() += by;
            };
            was.into_iter().for_each(|was| count(was, -1));
            count(is, 1);
        }
        let was_open = before.is_some_and(|before| before.progress.state.holds_its_lane());
        let is_open = progress.state.holds_its_lane();
        if (was_open || is_open) && (has_progressed || has_moved) {
            *self.queues.entry(key.queue).or_default() += i64::from(is_open) - i64::from(was_open);
            self.lanes.insert((key.queue, known.lane.clone()));
            self.lanes.extend(before.filter(|_| has_moved).map(|before| (key.queue, before.lane.clone())));
            if is_open {
                let rows = &mut self.ready;
                rows.ids.push(id);
                rows.queues.push(key.queue);
                rows.lanes.push(known.lane.clone());
                rows.turns.push(i16::from(progress.turn() == fairness::Turn::Resend));
                rows.due.push(number(progress.due));
                let claimed = progress.claimed.filter(|_| progress.state == crm_delivery::State::Delivering);
                rows.until.push(claimed.map(|(_, until)| number(until)));
            } else {
                self.closed.push(id);
            }
        }
        Ok(())
    }

    fn steps(self, slots: &BTreeMap<i64, Slot>, now: Instant) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        let NewRows { ids, queues, teams, calendars, integrations, bookings, changes, chains, .. } = self.new;
        if !ids.is_empty() {
            let NewRows { kinds, changed_at, digests, accepted, meetings, lanes, guests, .. } = self.new;
            let NewRows { states, codes, final_at, progress, .. } = self.new;
            steps.push(Step(
                INSERT_ENTRIES,
                values![
                    ids,
                    queues,
                    teams,
                    calendars,
                    integrations,
                    bookings,
                    changes,
                    chains,
                    kinds,
                    changed_at,
                    digests,
                    accepted,
                    meetings,
                    lanes,
                    guests,
                    states,
                    codes,
                    final_at,
                    progress
                ],
            ));
            steps.push(Step(INSERT_CONTENT, values![self.content.0, self.content.1]));
        }
        let EntryRows { ids, chains, lanes, mappings, states, codes, final_at, progress } = self.entries;
        if !ids.is_empty() {
            steps.push(Step(UPDATE_ENTRIES, values![ids, chains, lanes, mappings, states, codes, final_at, progress]));
        }
        let counts = self.counts.into_iter().filter(|(_, by)| *by != 0);
        let (rows, by): (Vec<_>, Vec<i64>) = counts.unzip();
        if !by.is_empty() {
            let (mut teams, mut integrations, mut states, mut codes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for (team, integration, state, code) in rows {
                teams.push(team);
                integrations.push(integration);
                states.push(state);
                codes.push(code);
            }
            steps.push(Step(COUNT, values![teams, integrations, states, codes, by]));
        }
        if !self.closed.is_empty() {
            steps.push(Step(CLOSE, values![self.closed]));
        }
        let ReadyRows { ids, queues, lanes, turns, due, until } = self.ready;
        if !ids.is_empty() {
            steps.push(Step(OPEN, values![ids, queues, lanes, turns, due, until]));
        }
        if !self.lanes.is_empty() {
            let (queues, lanes): (Vec<i64>, Vec<Vec<u8>>) = self.lanes.into_iter().unzip();
            steps.push(Step(SETTLE_LANES, values![queues, lanes]));
        }
        if !self.queues.is_empty() {
            steps.push(queues_step(self.queues, slots, now)?);
        }
        Ok(steps)
    }
}

fn queues_step(changed: BTreeMap<i64, i64>, slots: &BTreeMap<i64, Slot>, now: Instant) -> Result<Step> {
    let (mut ids, mut virtual_times, mut served) = (Vec::new(), Vec::new(), Vec::new());
    let (mut opens_at, mut holds, mut in_flight) = (Vec::new(), Vec::new(), Vec::new());
    let (mut states, mut opened) = (Vec::new(), Vec::new());
    for (id, by) in changed {
        let Some(slot) = slots.get(&id) else { continue };
        ids.push(id);
        virtual_times.push(number(slot.queue.virtual_time));
        served.push(number(slot.served));
        opens_at.push(number(slot.queue.opens_at(now)));
        holds.push(slot.queue.hold.map(Hold::name));
        in_flight.push(i32::try_from(slot.queue.in_flight).unwrap_or(i32::MAX));
        states.push(to_json(&slot.queue)?);
        opened.push(by);
    }
    Ok(Step(UPDATE_QUEUES, values![ids, virtual_times, served, opens_at, holds, in_flight, states, opened]))
}

const INSERT_ENTRIES: &str = "
    INSERT INTO crm_ledger.entry (id, queue, team, calendar, integration, booking, change, chain, kind, changed_at, digest, accepted,
                                  meeting_start, lane, guest, state, code, final_at, progress)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                         $9::text[], $10::bigint[], $11::bytea[], $12::bigint[], $13::bigint[], $14::bytea[], $15::bytea[],
                         $16::text[], $17::text[], $18::bigint[], $19::text[])";

const INSERT_CONTENT: &str = "
    INSERT INTO crm_ledger.content (entry, payload) SELECT * FROM unnest($1::bigint[], $2::bytea[])";

pub(crate) const UPDATE_ENTRIES: &str = "
    UPDATE crm_ledger.entry
    SET chain = v.chain, lane = v.lane, mapping = v.mapping, state = v.state, code = v.code, progress = v.progress,
        -- Retention may have removed the content of a final one that only moves to another chain.
        final_at = CASE WHEN entry.progress = v.progress THEN entry.final_at ELSE v.final_at END
    FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[])
        AS v (id, chain, lane, mapping, state, code, final_at, progress)
    WHERE entry.id = v.id";

const COUNT: &str = "
    INSERT INTO crm_ledger.cause_count (team, integration, state, code, count)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    ON CONFLICT (team, integration, state, code) DO UPDATE SET count = cause_count.count + excluded.count";

pub(crate) const CLOSE: &str = "DELETE FROM crm_ledger.ready WHERE entry = ANY ($1::bigint[])";

const OPEN: &str = "
    INSERT INTO crm_ledger.ready (entry, queue, lane, turn, due, until, head)
    SELECT v.*, false FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::smallint[], $5::bigint[], $6::bigint[]) AS v
    ON CONFLICT (entry) DO UPDATE
    SET turn = excluded.turn, due = excluded.due, until = excluded.until, lane = excluded.lane,
        head = ready.head AND ready.lane = excluded.lane";

/// Marks the first entry of each lane.
pub(crate) const SETTLE_LANES: &str = "
    WITH first AS (
        SELECT v.queue, v.lane, coalesce(
            -- What a worker has stays first, whatever else is put back before it.
            (SELECT entry FROM crm_ledger.ready WHERE queue = v.queue AND lane = v.lane AND until IS NOT NULL ORDER BY entry LIMIT 1),
            (SELECT entry FROM crm_ledger.ready WHERE queue = v.queue AND lane = v.lane ORDER BY entry LIMIT 1)
        ) AS entry
        FROM unnest($1::bigint[], $2::bytea[]) AS v (queue, lane)
    ), changed AS (
        SELECT ready.entry, false AS head FROM first
        JOIN crm_ledger.ready ON ready.queue = first.queue AND ready.lane = first.lane AND ready.head
        WHERE ready.entry <> first.entry
        UNION ALL
        SELECT ready.entry, true FROM first JOIN crm_ledger.ready ON ready.entry = first.entry WHERE NOT ready.head
    )
    UPDATE crm_ledger.ready SET head = changed.head FROM changed WHERE ready.entry = changed.entry";

pub(crate) const UPDATE_QUEUES: &str = "
    UPDATE crm_ledger.queue
    SET virtual_time = v.virtual_time, served = v.served, opens_at = v.opens_at, hold = v.hold, in_flight = v.in_flight,
        state = v.state, open = queue.open + v.opened,
        due_fresh = (SELECT min(due) FROM crm_ledger.ready WHERE queue = v.id AND turn = 0 AND head AND until IS NULL),
        due_resent = (SELECT min(due) FROM crm_ledger.ready WHERE queue = v.id AND turn = 1 AND head AND until IS NULL),
        resent_in_flight = (SELECT count(*) FROM crm_ledger.ready WHERE queue = v.id AND turn = 1 AND until IS NOT NULL)
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::integer[], $7::text[], $8::bigint[])
        AS v (id, virtual_time, served, opens_at, hold, in_flight, state, opened)
    WHERE queue.id = v.id";
