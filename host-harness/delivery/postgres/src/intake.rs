//! Accepting changes of bookings, many at once.
//!
//! A batch takes as many round trips as one arrival. All of its queues are locked in one order, all of its chains are loaded together,
//! and each arrival sees what those before it did.

use std::collections::{BTreeSet, HashMap};

use crm_contract::{Instant, UnknownTries};
use crm_delivery::{Acceptance, Arrival, Entry, EntryId, Integration, LedgerError, Placed, Progress, State, fairness};
use crm_seal::{LedgerKeys, Tag};
use tokio_postgres::Row;

use crate::{
    rows::{CHAINS, ChainKey, New, Slot, Unit, integration, queue_columns},
    session::{Failure, Result, Session, Step, damaged, get, get_number, number, to_json, unsigned, values},
};

/// How often a batch looks again because mappings or queues were made meanwhile.
const MOST_LOOKS: u32 = 8;

/// An arrival with what is computed before it waits for its turn.
#[derive(Debug)]
pub(crate) struct Prepared {
    arrival: Arrival,
    sealed: Vec<u8>,
    guest: Option<Tag>,
}

impl Prepared {
    pub(crate) fn new(arrival: Arrival, keys: &LedgerKeys) -> Result<Self, LedgerError> {
        let of = [arrival.team.as_str(), &arrival.booking, &arrival.change];
        let sealed = keys.seal_payload(of, &arrival.payload).map_err(damaged)?;
        let guest = arrival.guest.as_deref().filter(|guest| !guest.trim().is_empty());
        let guest = guest.map(|guest| keys.guest_tag(guest));
        Ok(Self { sealed, guest, arrival })
    }

    pub(crate) fn team(&self) -> &str {
        &self.arrival.team
    }
}

/// A booking for an integration, within a team.
type BookingKey = (String, Integration, String);

/// A change that the ledger has, or this batch has added.
struct Known {
    id: EntryId,
    digest: Vec<u8>,
    state: State,
}

/// What a batch finds of its bookings.
#[derive(Default)]
struct Found {
    changes: HashMap<(BookingKey, String), Known>,
    chains: HashMap<BookingKey, String>,
}

impl Found {
    fn read(rows: &[Row]) -> Result<Self> {
        let mut found = Self::default();
        for row in rows {
            let booking = (get(row, 0)?, integration(get(row, 1)?)?, get(row, 2)?);
            let state: &str = get(row, 6)?;
            let state = State::named(state).ok_or_else(|| damaged(format_args!("an entry in state `{state}`")))?;
            let known = Known { id: EntryId(get_number(row, 4)?), digest: get(row, 5)?, state };
            found.chains.insert(booking.clone(), get(row, 7)?);
            found.changes.insert((booking, get(row, 3)?), known);
        }
        Ok(found)
    }
}

/// Where the arrivals of a batch go, by team and calendar.
type Mapped = HashMap<(String, String), BTreeSet<Integration>>;

const MAPPED: &str = "
    SELECT DISTINCT mapping.team, mapping.calendar, mapping.integration
    FROM unnest($1::text[], $2::text[]) AS own (team, calendar) JOIN crm_ledger.mapping USING (team, calendar)";

const LOCK_QUEUES: &str = concat!(
    "SELECT ",
    queue_columns!(),
    " FROM crm_ledger.queue JOIN unnest($1::text[], $2::text[]) AS own (team, plugin) USING (team, plugin) ORDER BY id
      FOR UPDATE OF queue"
);

const MAKE_QUEUES: &str = "
    INSERT INTO crm_ledger.queue (team, plugin, state) SELECT team, plugin, $3 FROM unnest($1::text[], $2::text[]) AS v (team, plugin)
    ORDER BY team, plugin ON CONFLICT DO NOTHING";

const FACTS: &str = "
    SELECT coalesce($1::bigint, crm_ledger.milliseconds()), restored_from, restored_until,
           coalesce((SELECT max(served) FROM crm_ledger.queue), 0), current_setting('transaction_isolation')
    FROM crm_ledger.ledger WHERE one";

const NEW_IDS: &str = "SELECT nextval('crm_ledger.entry_id') FROM generate_series(1, $1::bigint)";

pub(crate) const CHANGES: &str = "
    SELECT entry.team, entry.integration, entry.booking, entry.change, entry.id, entry.digest, entry.state, entry.chain
    FROM unnest($1::text[], $2::text[], $3::text[]) AS own (team, integration, booking)
    JOIN crm_ledger.entry USING (team, integration, booking)";

const PAYLOAD: &str = "SELECT payload FROM crm_ledger.content WHERE entry = $1";

/// What holds for all of a batch.
struct Facts {
    now: Instant,
    /// The time of which the ledger knows nothing, because it was restored from a backup.
    lost: Option<UnknownTries>,
    served: u64,
}

impl Facts {
    fn read(row: &Row) -> Result<Self> {
        let isolation: &str = get(row, 4)?;
        if isolation != "read committed" {
            // In others, a transaction that waited for a queue does not see what was committed meanwhile.
            let why = format!("bookings are accepted at the isolation level READ COMMITTED, and not at `{isolation}`");
            return Err(Failure::Ledger(LedgerError::Database(why.into())));
        }
        let (from, until): (Option<i64>, Option<i64>) = (get(row, 1)?, get(row, 2)?);
        let lost =
            from.zip(until).map(|(from, until)| UnknownTries { oldest: unsigned(from), newest: unsigned(until) });
        Ok(Self { now: get_number(row, 0)?, lost, served: get_number(row, 3)? })
    }
}

/// Takes arrivals, each for all integrations of its calendar, in the order in which they are given.
pub(crate) async fn accept(
    session: Session<'_>,
    keys: &LedgerKeys,
    time: Option<i64>,
    arrivals: &[Prepared],
) -> Result<Vec<Acceptance>> {
    let found = session.run_first(vec![mapped_step(arrivals)]).await?;
    let mut mapped = read_mapped(found.first().map_or(&[], Vec::as_slice))?;
    for _ in 0..MOST_LOOKS {
        let places = places(arrivals, &mapped);
        let found = session.run(&look(&places, arrivals, time)).await?;
        let [queues, facts, again, ids, changes] = found.as_slice() else { return Err(damaged("five results")) };
        let again = read_mapped(again)?;
        let slots = queues.iter().map(Slot::read).collect::<Result<Vec<_>>>()?;
        let wanted = queue_names(&places);
        if slots.len() < wanted.len() {
            let (teams, plugins): (Vec<String>, Vec<String>) = wanted.into_iter().unzip();
            let state = to_json(&crm_delivery::Queue::default())?;
            session.run(&[Step(MAKE_QUEUES, values![teams, plugins, state])]).await?;
        } else if again == mapped {
            let facts = Facts::read(facts.first().ok_or_else(|| damaged("no row about the ledger"))?)?;
            let ids = ids.iter().map(|row| Ok(EntryId(get_number(row, 0)?))).collect::<Result<Vec<_>>>()?;
            let batch = Accepting::new(keys, facts, slots, Found::read(changes)?, ids);
            return batch.take(session, &places).await;
        }
        // A mapping was saved after it was read and before the queue was locked.
        mapped = again;
    }
    Err(Failure::Ledger(LedgerError::Busy))
}

/// An arrival with its integrations, and whether these come from mappings.
struct Place<'a> {
    prepared: &'a Prepared,
    integrations: Vec<Integration>,
    has_mapping: bool,
}

fn places<'a>(arrivals: &'a [Prepared], mapped: &Mapped) -> Vec<Place<'a>> {
    let place = |prepared: &'a Prepared| {
        let Arrival { team, calendar, default_integration, .. } = &prepared.arrival;
        match mapped.get(&(team.clone(), calendar.clone())) {
            Some(integrations) => {
                Place { prepared, integrations: integrations.iter().cloned().collect(), has_mapping: true }
            }
            None => Place { prepared, integrations: vec![default_integration.clone()], has_mapping: false },
        }
    };
    arrivals.iter().map(place).collect()
}

fn mapped_step(arrivals: &[Prepared]) -> Step {
    let calendars: BTreeSet<(String, String)> =
        arrivals.iter().map(|prepared| (prepared.arrival.team.clone(), prepared.arrival.calendar.clone())).collect();
    let (teams, calendars): (Vec<String>, Vec<String>) = calendars.into_iter().unzip();
    Step(MAPPED, values![teams, calendars])
}

fn read_mapped(found: &[Row]) -> Result<Mapped> {
    let mut mapped = Mapped::new();
    for row in found {
        mapped.entry((get(row, 0)?, get(row, 1)?)).or_default().insert(integration(get(row, 2)?)?);
    }
    Ok(mapped)
}

fn queue_names(places: &[Place<'_>]) -> BTreeSet<(String, String)> {
    let names = places.iter().flat_map(|place| {
        let team = &place.prepared.arrival.team;
        place.integrations.iter().map(move |integration| (team.clone(), integration.plugin().to_owned()))
    });
    names.collect()
}

/// Locks the queues, and reads what must not change from then on.
fn look(places: &[Place<'_>], arrivals: &[Prepared], time: Option<i64>) -> Vec<Step> {
    let (queue_teams, plugins): (Vec<String>, Vec<String>) = queue_names(places).into_iter().unzip();
    let mut bookings: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut most = 0_usize;
    for Place { prepared, integrations, .. } in places {
        let Arrival { team, booking, previous, .. } = &prepared.arrival;
        for integration in integrations {
            most = most.saturating_add(1);
            bookings.insert((team, integration.as_str(), booking));
            bookings.extend(previous.as_deref().map(|previous| (team.as_str(), integration.as_str(), previous)));
        }
    }
    let (mut teams, mut integrations, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for (team, integration, booking) in bookings {
        teams.push(team.to_owned());
        integrations.push(integration.to_owned());
        ids.push(booking.to_owned());
    }
    vec![
        Step(LOCK_QUEUES, values![queue_teams, plugins]),
        Step(FACTS, values![time]),
        mapped_step(arrivals),
        Step(NEW_IDS, values![i64::try_from(most).unwrap_or(i64::MAX)]),
        Step(CHANGES, values![teams, integrations, ids]),
    ]
}

/// A batch whose queues are locked.
struct Accepting<'a> {
    keys: &'a LedgerKeys,
    facts: Facts,
    queues: HashMap<(String, String), i64>,
    unit: Unit<'a>,
    found: Found,
    ids: std::vec::IntoIter<EntryId>,
}

impl<'a> Accepting<'a> {
    fn new(keys: &'a LedgerKeys, facts: Facts, slots: Vec<Slot>, found: Found, ids: Vec<EntryId>) -> Self {
        let queues = slots.iter().map(|slot| ((slot.team.clone(), slot.plugin.clone()), slot.id)).collect();
        let unit = Unit::new(facts.now, slots);
        Self { keys, facts, queues, unit, found, ids: ids.into_iter() }
    }

    async fn take(mut self, session: Session<'_>, places: &[Place<'a>]) -> Result<Vec<Acceptance>> {
        self.load_chains(session, places).await?;
        let mut acceptances = Vec::with_capacity(places.len());
        let mut differing = Vec::new();
        for (index, place) in places.iter().enumerate() {
            acceptances.push(match self.differs(place) {
                Some(id) => {
                    differing.push((index, id));
                    Acceptance::Differs(None)
                }
                None => self.place(place)?,
            });
        }
        session.run(&self.unit.save()?).await?;
        for (index, id) in differing {
            let (Some(place), Some(acceptance)) = (places.get(index), acceptances.get_mut(index)) else { continue };
            *acceptance = Acceptance::Differs(self.payload(session, place, id).await?);
        }
        Ok(acceptances)
    }

    fn queue(&self, team: &str, integration: &Integration) -> Result<i64> {
        let found = self.queues.get(&(team.to_owned(), integration.plugin().to_owned()));
        found.copied().ok_or_else(|| damaged("a team without a queue"))
    }

    /// Loads the chains that new changes may belong to.
    async fn load_chains(&mut self, session: Session<'_>, places: &[Place<'a>]) -> Result<()> {
        let mut keys = BTreeSet::new();
        for Place { prepared, integrations, .. } in places {
            let Arrival { team, booking, change, previous, .. } = &prepared.arrival;
            for integration in integrations {
                let of = |booking: &String| (team.clone(), integration.clone(), booking.clone());
                if self.found.changes.contains_key(&(of(booking), change.clone())) {
                    continue;
                }
                let queue = self.queue(team, integration)?;
                for booking in [Some(booking), previous.as_ref()].into_iter().flatten() {
                    for chain in [self.found.chains.get(&of(booking)), Some(booking)].into_iter().flatten() {
                        keys.insert(ChainKey { queue, integration: integration.clone(), chain: chain.clone() });
                    }
                }
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        let (mut queues, mut integrations, mut chains) = (Vec::new(), Vec::new(), Vec::new());
        for ChainKey { queue, integration, chain } in keys {
            queues.push(queue);
            integrations.push(integration.to_string());
            chains.push(chain);
        }
        for rows in session.run(&[Step(CHAINS, values![queues, integrations, chains])]).await? {
            self.unit.load(&rows)?;
        }
        Ok(())
    }

    fn known(&self, arrival: &Arrival, integration: &Integration) -> Option<&Known> {
        let booking = (arrival.team.clone(), integration.clone(), arrival.booking.clone());
        self.found.changes.get(&(booking, arrival.change.clone()))
    }

    /// An entry of the same change with another content.
    fn differs(&self, place: &Place<'_>) -> Option<EntryId> {
        let arrival = &place.prepared.arrival;
        let known = place.integrations.iter().filter_map(|integration| self.known(arrival, integration));
        known.into_iter().find(|known| known.digest != arrival.digest).map(|known| known.id)
    }

    fn place(&mut self, place: &Place<'a>) -> Result<Acceptance> {
        let mut placed = Vec::new();
        let mut is_new = false;
        for integration in &place.integrations {
            placed.push(match self.known(&place.prepared.arrival, integration) {
                Some(known) => {
                    let state = self.unit.progress(known.id).map_or(known.state, |progress| progress.state);
                    Placed { id: known.id, integration: integration.clone(), state }
                }
                None => {
                    is_new = true;
                    self.insert(place.prepared, integration, place.has_mapping)?
                }
            });
        }
        Ok(if is_new { Acceptance::Accepted(placed) } else { Acceptance::Known(placed) })
    }

    fn insert(&mut self, prepared: &'a Prepared, integration: &Integration, has_mapping: bool) -> Result<Placed> {
        let arrival = &prepared.arrival;
        let queue = self.queue(&arrival.team, integration)?;
        let key = ChainKey { queue, integration: integration.clone(), chain: self.chain(arrival, queue, integration) };
        let id = self.ids.next().ok_or_else(|| damaged("too few ids"))?;
        // Bookings of one guest keep their order, and so do the changes of one booking, even if its guest changes.
        let lane = match self.unit.share_lane(&key) {
            Some(lane) => lane,
            None => match prepared.guest {
                Some(guest) => guest.to_vec(),
                None => self.keys.chain_tag(&arrival.team, &key.chain).to_vec(),
            },
        };
        let served = self.facts.served;
        if let Some(slot) = self.unit.slots.get_mut(&queue).filter(|slot| slot.open == 0) {
            slot.queue.virtual_time = fairness::on_arrival(slot.queue.virtual_time, served);
        }
        let now = self.facts.now;
        let lost = self.facts.lost;
        let chain = self.unit.chain(&key);
        let restored = chain.restored(lost, arrival.kind, arrival.changed_at, now);
        let changed_at = chain.moment(arrival.changed_at, now);
        let progress = Progress::accepted(now, arrival.meeting.1);
        chain.accept(Entry { id, kind: arrival.kind, changed_at, progress }, has_mapping, restored, now);
        let state = chain.get(id).map_or(State::Waiting, |progress| progress.state);
        let new = New {
            calendar: &arrival.calendar,
            booking: &arrival.booking,
            change: &arrival.change,
            digest: &arrival.digest,
            meeting_start: arrival.meeting.0,
            guest: prepared.guest.as_ref().map(<[u8; 16]>::as_slice),
            sealed: &prepared.sealed,
        };
        self.unit.add(id, &key, lane, new);
        let booking = (arrival.team.clone(), integration.clone(), arrival.booking.clone());
        self.found.chains.insert(booking.clone(), key.chain);
        self.found
            .changes
            .insert((booking, arrival.change.clone()), Known { id, digest: arrival.digest.to_vec(), state });
        Ok(Placed { id, integration: integration.clone(), state })
    }

    /// The chain that a booking belongs to. A booking that moved joins that of the one that it replaces, and brings along those that
    /// arrived before it and replace it.
    fn chain(&mut self, arrival: &Arrival, queue: i64, integration: &Integration) -> String {
        let Arrival { team, booking, previous, .. } = arrival;
        let of = |booking: &String| (team.clone(), integration.clone(), booking.clone());
        if let Some(chain) = self.found.chains.get(&of(booking)) {
            return chain.clone();
        }
        let Some(previous) = previous.as_ref().filter(|previous| *previous != booking) else { return booking.clone() };
        let chain = self.found.chains.get(&of(previous)).unwrap_or(previous).clone();
        if chain != *booking {
            let key = |chain: &String| ChainKey { queue, integration: integration.clone(), chain: chain.clone() };
            self.unit.rename(&key(booking), &key(&chain));
            for ((of_team, of_integration, _), found) in &mut self.found.chains {
                if of_team == team && of_integration == integration && found == booking {
                    found.clone_from(&chain);
                }
            }
        }
        chain
    }

    async fn payload(&self, session: Session<'_>, place: &Place<'_>, id: EntryId) -> Result<Option<Vec<u8>>> {
        let Arrival { team, booking, change, .. } = &place.prepared.arrival;
        let found = session.query(PAYLOAD, &[&number(id.0)]).await?;
        let Some(row) = found.first() else { return Ok(None) };
        let opened = self.keys.open_payload([team, booking, change], get(row, 0)?);
        opened.map(Some).map_err(damaged)
    }
}
