//! What must be true of every call, written from the contract (`history`, `problem`, `reaction`) and from what delivery promises to
//! people. It knows nothing of how the core does it.

use std::collections::BTreeMap;

use crm_booking::Kind;
use crm_contract::{Effect, Instant, Problem, Reaction, RecordRef, UnknownTries};
use crm_delivery::{Ended, EntryId, Settings, State};

use crate::ledger::Claimed;

const HOUR: u64 = 3_600_000;

/// What one change of a booking has been through.
struct Change {
    kind: Kind,
    changed_at: Instant,
    /// It arrived after a later one.
    is_late: bool,
    /// A call that has begun and not ended: its claim, when it began and the mapping.
    active: Option<(u64, Instant, u64)>,
    first_try: Option<Instant>,
    /// When tries began that may have written something, and the mapping that they used.
    unknown: Vec<(Instant, u64)>,
    /// No call before.
    not_before: Instant,
    /// Tries in a row that passed without success.
    passing: u32,
    stopped: u32,
    is_resent: bool,
    is_given_up: bool,
}

#[derive(Default)]
struct Booking {
    changes: BTreeMap<EntryId, Change>,
    records: Vec<RecordRef>,
    /// The latest change that was called for.
    called: Instant,
}

#[derive(Clone, Default)]
pub struct TeamModel {
    pub is_held: bool,
    /// The account that its bookings are for, and the one that it is connected to.
    pub account: usize,
    pub connected: Option<usize>,
    /// Whether a call has shown that the connection ended.
    pub is_known_lost: bool,
    pub mapping: u64,
    pub paused_until: Instant,
    pub failures: u32,
}

pub struct Model {
    settings: Settings,
    bookings: Vec<Booking>,
    pub teams: Vec<TeamModel>,
    /// Calls by team, of which so many are ones that a person asked for.
    in_flight: Vec<(u32, u32)>,
    active: BTreeMap<EntryId, usize>,
}

/// As the contract reads a reaction [H16, H18].
fn reaction(problem: &Problem) -> Reaction {
    match problem.reaction {
        Reaction::Other(_) => Reaction::Other(String::new()),
        _ if problem.effect == Effect::Unknown => Reaction::CheckFirst,
        ref reaction => reaction.clone(),
    }
}

impl Model {
    pub fn new(settings: Settings, teams: Vec<TeamModel>) -> Self {
        let in_flight = vec![(0, 0); teams.len()];
        Self { settings, bookings: Vec::new(), teams, in_flight, active: BTreeMap::new() }
    }

    /// A change was accepted. Returns the state that it must have, if that is certain.
    pub fn accepted(&mut self, booking: usize, id: EntryId, kind: Kind, changed_at: Instant) -> Option<State> {
        if booking == self.bookings.len() {
            self.bookings.push(Booking::default());
        }
        let changes = &mut self.bookings[booking].changes;
        let is_late = changes.values().any(|other| other.changed_at > changed_at);
        let change = Change {
            kind,
            changed_at,
            is_late,
            active: None,
            first_try: None,
            unknown: Vec::new(),
            not_before: 0,
            passing: 0,
            stopped: 0,
            is_resent: false,
            is_given_up: false,
        };
        changes.insert(id, change);
        is_late.then_some(State::Superseded)
    }

    pub fn claimed(&mut self, team: usize, booking: usize, claimed: &Claimed, now: Instant) {
        let Claimed { id, fence, mapping, history, until } = claimed;
        let the_team = &self.teams[team];
        assert!(!the_team.is_held, "{id} of a held team is called for");
        assert!(!the_team.is_known_lost, "{id} is called for without a connection");
        let is_own = the_team.connected.is_none_or(|connected| connected == the_team.account);
        assert!(is_own, "{id} would go to another account");
        assert!(now >= the_team.paused_until, "{id} is called for during a pause");
        let Booking { changes, records, called } = &mut self.bookings[booking];

        let own = &changes[id];
        assert!(!own.is_late, "{id} arrived after a later change");
        assert!(own.changed_at >= *called, "{id} is called for after a later change [H12]");
        assert!(changes.values().all(|change| change.active.is_none()), "{id} is called for beside another call");
        let is_unknown = |(other, change): (&EntryId, &Change)| other != id && !change.unknown.is_empty();
        assert!(!changes.iter().any(is_unknown), "{id} is called for while an earlier change is unknown [H12]");
        // The last cancellation counts. A person may have given it up.
        let is_cancellation = |change: &&Change| change.kind == Kind::Cancelled && !change.is_late;
        let last = changes.range(id..).skip(1).map(|(_, change)| change).filter(is_cancellation).last();
        let is_cancelled = last.is_some_and(|last| !last.is_given_up);
        assert!(!is_cancelled || !own.unknown.is_empty(), "{id} was cancelled before it was sent");
        assert!(now >= own.not_before, "{id} is called for {} ms too early", own.not_before - now);

        let unknown = own.unknown.iter().map(|(began, _)| *began);
        let unknown = unknown.clone().min().zip(unknown.max()).map(|(oldest, newest)| UnknownTries { oldest, newest });
        assert_eq!(history.unknown_tries, unknown, "unknown tries of {id} [H14, H15]");
        let first_try = changes.values().filter_map(|change| change.first_try).min();
        assert_eq!(history.first_try, first_try, "the first try of {id}");
        let is_same =
            history.records.len() == records.len() && history.records.iter().all(|record| records.contains(record));
        assert!(is_same, "records of {id} [H13]: {:?}, not {records:?}", history.records);
        let pinned = own.unknown.first().map_or(self.teams[team].mapping, |(_, mapping)| *mapping);
        assert_eq!(*mapping, pinned, "the mapping of {id} [H33]");
        assert_eq!((history.now, *until), (now, now + self.settings.lease), "the times of {id}");

        *called = own.changed_at;
        let is_resent = own.is_resent;
        changes.get_mut(id).unwrap().active = Some((*fence, now, *mapping));
        self.active.insert(*id, booking);
        let in_flight = &mut self.in_flight[team];
        in_flight.0 += 1;
        in_flight.1 += u32::from(is_resent);
        assert!(
            in_flight.0 <= self.settings.in_flight && in_flight.1 <= self.settings.in_flight_resent,
            "{in_flight:?}"
        );
    }

    fn leave(&mut self, team: usize, id: EntryId) {
        let booking = self.active.remove(&id).expect("under way");
        let is_resent = self.bookings[booking].changes[&id].is_resent;
        let in_flight = &mut self.in_flight[team];
        in_flight.0 -= 1;
        in_flight.1 -= u32::from(is_resent);
    }

    /// A worker says how its call ended. Returns whether it must be refused as stale.
    pub fn is_stale(&self, booking: usize, id: EntryId, fence: u64) -> bool {
        self.bookings[booking].changes[&id].active.is_none_or(|(active, ..)| active != fence)
    }

    /// A call ended. Returns the state that its booking must have, unless a cancellation dropped it, and its bounds for `due`.
    pub fn ended(&mut self, (team, booking, id): (usize, usize, EntryId), ended: &Ended, now: Instant) -> Expected {
        self.leave(team, id);
        let settings = self.settings;
        let the_team = &mut self.teams[team];
        let Booking { changes, records, .. } = &mut self.bookings[booking];
        let change = changes.get_mut(&id).unwrap();
        let (_, began, mapping) = change.active.take().unwrap();
        let mut keep = |record: &RecordRef| {
            if !records.iter().any(|known| (&known.object, &known.id) == (&record.object, &record.id)) {
                records.push(record.clone());
            }
        };
        if *ended != Ended::NotCalled {
            change.first_try.get_or_insert(began);
        }
        match ended {
            Ended::Delivered(delivery) => {
                delivery.records.iter().for_each(&mut keep);
                change.unknown.clear();
                (change.passing, change.stopped) = (0, 0);
                (the_team.paused_until, the_team.failures) = (0, 0);
                Expected::Final
            }
            Ended::NotCalled => {
                change.not_before = now;
                Expected::Waiting { least: now, most: now + settings.shortest_wait, is_try: false }
            }
            Ended::Stopped { effect, .. } => {
                if *effect == Effect::Unknown {
                    change.unknown.push((began, mapping));
                }
                change.passing += 1;
                change.stopped += 1;
                change.not_before = now;
                if change.stopped >= settings.stopped_tries {
                    return Expected::Attention;
                }
                Expected::Waiting { least: now, most: now + HOUR, is_try: true }
            }
            Ended::Refused(problem) => {
                problem.made.iter().for_each(&mut keep);
                change.stopped = 0;
                let reaction = reaction(problem);
                if problem.effect == Effect::Unknown {
                    change.unknown.push((began, mapping));
                } else if !matches!(reaction, Reaction::CheckFirst | Reaction::Reconnect | Reaction::Other(_)) {
                    change.unknown.clear();
                }
                let asked = u64::from(problem.retry_after.unwrap_or_default()) * 1_000;
                match reaction {
                    Reaction::Reconnect => {
                        the_team.is_known_lost = true;
                        Expected::Parked
                    }
                    Reaction::Retry => {
                        let is_paused = now < the_team.paused_until;
                        the_team.failures += u32::from(!is_paused);
                        let is_long = asked >= 300_000;
                        if is_long {
                            the_team.paused_until = the_team.paused_until.max(now + asked.min(HOUR));
                        } else if !is_paused && the_team.failures >= 10 {
                            the_team.paused_until = now + 300_000;
                        }
                        if now < the_team.paused_until {
                            // The pause uses up no try.
                            change.not_before = the_team.paused_until;
                            return Expected::Waiting { least: the_team.paused_until, most: now + HOUR, is_try: false };
                        }
                        change.passing += 1;
                        change.not_before = now + asked;
                        Expected::Waiting { least: now + asked, most: now + asked + HOUR, is_try: true }
                    }
                    Reaction::CheckFirst if problem.retry_after.is_some() => {
                        change.passing += 1;
                        change.not_before = now + asked;
                        Expected::Waiting { least: now + asked, most: now + asked + HOUR, is_try: true }
                    }
                    _ => Expected::Attention,
                }
            }
        }
    }

    pub fn passing(&self, booking: usize, id: EntryId) -> u32 {
        self.bookings[booking].changes[&id].passing
    }

    pub fn is_cancelled(&self, booking: usize, id: EntryId) -> bool {
        let changes = self.bookings[booking].changes.range(id..).skip(1);
        changes.into_iter().any(|(_, change)| change.kind == Kind::Cancelled && !change.is_late)
    }

    /// Claims were taken back. These must be all whose lease is over.
    pub fn rescued(&mut self, teams: impl Fn(EntryId) -> usize, rescued: &[EntryId], now: Instant) {
        for id in rescued {
            let booking = self.active[id];
            self.leave(teams(*id), *id);
            let change = self.bookings[booking].changes.get_mut(id).unwrap();
            let (_, began, mapping) = change.active.take().unwrap();
            assert!(began + self.settings.lease <= now, "{id} was taken from its worker too early");
            change.first_try.get_or_insert(began);
            change.unknown.push((began, mapping));
            change.passing += 1;
            change.not_before = now;
        }
        for (id, booking) in &self.active {
            let (_, began, _) = self.bookings[*booking].changes[id].active.unwrap();
            assert!(began + self.settings.lease > now, "{id} was not taken from its lost worker");
        }
    }

    /// Something opened the way: it may be called for at once.
    pub fn released(&mut self, booking: usize, id: EntryId) {
        let change = self.bookings[booking].changes.get_mut(&id).unwrap();
        (change.not_before, change.passing, change.stopped) = (0, 0, 0);
    }

    /// A person asks for another try. `looked` says that they looked for what unknown tries wrote, and what they found.
    pub fn resent(&mut self, booking: usize, id: EntryId, looked: Option<&Option<RecordRef>>) {
        self.released(booking, id);
        let Booking { changes, records, .. } = &mut self.bookings[booking];
        let change = changes.get_mut(&id).unwrap();
        change.is_resent = true;
        if let Some(found) = looked {
            change.unknown.clear();
            for record in found.iter().filter(|found| !records.contains(found)).cloned().collect::<Vec<_>>() {
                records.push(record);
            }
        }
    }

    pub fn given_up(&mut self, booking: usize, id: EntryId) {
        let change = self.bookings[booking].changes.get_mut(&id).unwrap();
        change.unknown.clear();
        change.is_given_up = true;
    }
}

/// Where a booking must be after a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Expected {
    Final,
    /// Due between both. What is no try, such as a pause, waits for however long there are tries.
    Waiting {
        least: Instant,
        most: Instant,
        is_try: bool,
    },
    Parked,
    Attention,
}
