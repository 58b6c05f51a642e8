//! A world in which everything goes wrong, played by a seed: no booking is lost, none becomes two records, and every call is one that
//! the contract allows.
//!
//! `SIMULATION_STEPS` and `SIMULATION_SEED` make longer and other runs. A run that fails prints its seed and its step.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test that does not hold panics")]

mod crm;
mod ledger;
mod model;

use std::{cell::Cell, env, str::FromStr};

use crm::{Call, Crm, Dice, Next, SETTLED};
use crm_booking::Kind;
use crm_contract::{Instant, RecordRef};
use crm_delivery::{Ended, EntryId, Hold, State, codes};
use ledger::{Claimed, Ledger};
use model::{Expected, Model, TeamModel};
use rand::{SeedableRng as _, rngs::Xoshiro256PlusPlus};

const SEED: u64 = 20_261_130;
const STEPS: u64 = 1_000_000;
const TEAMS: usize = 5;
const GUESTS: usize = 8;
/// No more bookings arrive than people and workers can keep up with.
const MOST_OPEN: usize = 150;
const MOST_CALLS: usize = 24;
const DAY: u64 = 86_400_000;

/// A booking of the platform.
struct Booking {
    team: usize,
    guest: usize,
    /// What was sent so far: the change's kind, when it happened, and its entry.
    sent: Vec<(Kind, Instant, EntryId)>,
    /// Changes that have happened and were not sent yet.
    unsent: Vec<(Kind, Instant)>,
    last_change: Instant,
    /// Somebody decided about it by hand, so that the CRM may have another state than the ledger.
    is_decided: bool,
}

struct World {
    dice: Dice,
    now: Instant,
    ledger: Ledger,
    model: Model,
    crm: Crm,
    bookings: Vec<Booking>,
    calls: Vec<Call>,
    /// Nothing goes wrong any more.
    is_calm: bool,
    /// Accounts that there were so far.
    accounts: usize,
    stale: u64,
    rescued: u64,
    by_hand: u64,
}

/// Prints where a run is when a check fails.
struct Place {
    seed: u64,
    step: Cell<u64>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the simulation failed: SIMULATION_SEED={} step {}", self.seed, self.step.get());
        }
    }
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().map_or(default, |text| text.parse().ok().expect("a number"))
}

#[test]
fn no_booking_is_lost_none_is_doubled_and_every_call_is_allowed() {
    let (steps, seed) = (setting("SIMULATION_STEPS", STEPS), setting("SIMULATION_SEED", SEED));
    let place = Place { seed, step: Cell::new(0) };
    let mut world = World::new(seed);
    for step in 0..steps {
        place.step.set(step);
        world.step();
        assert_eq!(world.crm.doubled, 0, "a booking has two records");
    }
    let (parked, attention) = world.waiting_for_people();
    world.settle();
    let accepted = world.bookings.iter().map(|booking| booking.sent.len()).sum::<usize>();
    let delivered = world.count(|state| matches!(state, State::Delivered | State::PartlyDelivered));
    let lost = world.lost();
    println!(
        "steps {steps}, seed {seed}: accepted {accepted} changes of {} bookings, delivered {delivered}, cancelled {}, superseded {}, \
         given up {}, parked {parked}, needs-attention {attention}, stale ends {}, rescued {}, by hand {}, lost {}, doubled {}, days {}",
        world.bookings.len(),
        world.count(|state| state == State::Cancelled),
        world.count(|state| state == State::Superseded),
        world.count(|state| state == State::GivenUp),
        world.stale,
        world.rescued,
        world.by_hand,
        lost.len(),
        world.crm.doubled,
        (world.now - World::START) / DAY,
    );
    assert!(lost.is_empty(), "{lost:#?}");
    assert_eq!(world.crm.doubled, 0);
    let least = usize::try_from(steps / 50).unwrap();
    assert!(steps < 10_000 || delivered > least && world.stale > 0 && world.rescued > 0, "hardly anything happened");
}

impl World {
    const START: Instant = 1_800_000_000_000;

    fn new(seed: u64) -> Self {
        let mut ledger = Ledger::new(TEAMS, GUESTS);
        let mut teams = Vec::new();
        for team in 0..TEAMS {
            let account = team;
            ledger.connected(team, &account.to_string(), false, Self::START);
            teams.push(TeamModel { account, connected: Some(account), ..TeamModel::default() });
        }
        Self {
            dice: Dice(Xoshiro256PlusPlus::seed_from_u64(seed)),
            now: Self::START,
            model: Model::new(ledger.settings, teams),
            ledger,
            crm: Crm::default(),
            bookings: Vec::new(),
            calls: Vec::new(),
            is_calm: false,
            accounts: TEAMS,
            stale: 0,
            rescued: 0,
            by_hand: 0,
        }
    }

    fn step(&mut self) {
        match self.dice.below(100) {
            0..20 => self.arrive(),
            20..40 => self.claim(),
            40..75 => self.work(),
            75..90 => self.advance(),
            90..94 => self.rescue(),
            94..98 => self.operate(),
            98 => self.connections(),
            _ if self.dice.one_in(4) => self.save_mapping(),
            _ => self.advance(),
        }
    }

    fn advance(&mut self) {
        let longest = match self.dice.below(1_000) {
            0..700 => 100,
            700..950 => 5_000,
            950..996 => 120_000,
            996..999 => 3_600_000,
            _ => DAY,
        };
        self.now += self.dice.below(longest) + 1;
        self.crm.advance(self.now);
    }

    // ---------------------------------------------------------------- the platform

    /// A booking is made, changes, or a change is sent, perhaps again, and perhaps out of order.
    fn arrive(&mut self) {
        if self.ledger.open() > MOST_OPEN {
            return self.advance();
        }
        let last = self.bookings.len();
        let recent = last.saturating_sub(1 + self.dice.index(40));
        match self.dice.below(10) {
            0..3 => {
                let (team, guest) = (self.dice.index(TEAMS), self.dice.index(GUESTS));
                let unsent = vec![(Kind::Confirmed, self.now)];
                let booking =
                    Booking { team, guest, sent: Vec::new(), unsent, last_change: self.now, is_decided: false };
                self.bookings.push(booking);
                self.send(last);
            }
            3..7 if last > 0 && self.bookings[recent].sent.len() < 6 => {
                let kind = [Kind::Rescheduled, Kind::Rescheduled, Kind::Cancelled, Kind::Confirmed][self.dice.index(4)];
                let booking = &mut self.bookings[recent];
                booking.last_change = self.now.max(booking.last_change + 1);
                booking.unsent.push((kind, booking.last_change));
                if self.dice.one_in(2) {
                    self.send(recent);
                }
            }
            _ if last > 0 => self.send(recent),
            _ => {}
        }
    }

    fn send(&mut self, index: usize) {
        let booking = &mut self.bookings[index];
        if booking.unsent.is_empty() {
            // A repeat is known, whatever became of it: the ledger looks its id up, and the core is not asked.
            return;
        }
        // The schedulers' deliveries overtake each other.
        let next = if self.dice.one_in(3) { self.dice.index(booking.unsent.len()) } else { 0 };
        let (kind, changed_at) = booking.unsent.remove(next);
        let (place, meeting_end) = ((booking.team, index, booking.guest), self.now + 1 + self.dice.below(5 * DAY));
        let id = self.ledger.accept(place, (kind, Some(changed_at), meeting_end), self.now);
        self.bookings[index].sent.push((kind, changed_at, id));
        let expected = self.model.accepted(index, id, kind, changed_at);
        let state = self.ledger.progress(id).state;
        assert!(expected.is_none_or(|expected| expected == state), "{id} is {state:?}, not {expected:?}");
        self.check_order(index);
    }

    // ---------------------------------------------------------------- workers

    fn claim(&mut self) {
        let free = MOST_CALLS.saturating_sub(self.calls.len());
        let most = if self.is_calm { MOST_CALLS } else { free.min(1 + self.dice.index(4)) };
        for claimed in self.ledger.claim(most, self.now) {
            let (team, booking) = (self.ledger.team_of(claimed.id), self.ledger.chain_of(claimed.id));
            self.model.claimed(team, booking, &claimed, self.now);
            let Claimed { id, fence, mapping, history, .. } = claimed;
            let (kind, changed_at, _) = *self.bookings[booking].sent.iter().find(|(.., sent)| *sent == id).unwrap();
            let deadline = self.now + self.ledger.settings.call;
            let account = self.model.teams[team].account;
            let call = Call {
                id,
                fence,
                team,
                account,
                booking,
                mapping,
                history,
                kind,
                changed_at,
                deadline,
                next: 0,
                has_looked: false,
            };
            self.calls.push(call);
        }
    }

    /// A worker takes its next step, or is stopped for a while.
    fn work(&mut self) {
        if self.calls.is_empty() {
            return self.claim();
        }
        let index = self.dice.index(self.calls.len());
        let call = &mut self.calls[index];
        if self.now < call.next {
            return;
        }
        if !self.is_calm && self.dice.one_in(60) {
            call.next = self.now + self.dice.below(300_000);
            return;
        }
        // The grant of an account that the team has left is refused.
        let account = self.model.teams[call.team].connected.filter(|account| *account == call.account);
        match call.step(&mut self.crm, account, &mut self.dice, self.is_calm, self.now) {
            Next::GoesOn => {}
            Next::Dies => drop(self.calls.swap_remove(index)),
            Next::Ends(ended) => {
                let call = self.calls.swap_remove(index);
                self.finish(&call, &ended);
            }
        }
    }

    fn finish(&mut self, call: &Call, ended: &Ended) {
        let Call { id, fence, team, booking, mapping, .. } = *call;
        let is_stale = self.model.is_stale(booking, id, fence);
        let before = is_stale.then(|| self.ledger.chains[booking].clone());
        let finished = self.ledger.finish((id, fence, mapping), ended.clone(), (self.now, self.dice.share()));
        assert_eq!(finished.is_err(), is_stale, "the fence of {id}");
        if let Some(before) = before {
            self.stale += 1;
            assert!(before == self.ledger.chains[booking], "a worker without a claim changed {id}");
            return;
        }
        let expected = self.model.ended((team, booking, id), ended, self.now);
        let progress = self.ledger.progress(id);
        let has_cause = progress.cause.is_some();
        let is_dropped = progress.state == State::Cancelled && self.model.is_cancelled(booking, id);
        let tries_end = self.tries_end(id);
        match expected {
            _ if is_dropped => assert!(progress.unknown.is_none(), "{id} was dropped, and may have been written"),
            Expected::Final => {
                assert!(matches!(progress.state, State::Delivered | State::PartlyDelivered), "{progress:?}")
            }
            Expected::Parked => assert!(progress.state == State::Parked && has_cause, "{progress:?}"),
            Expected::Attention => assert!(progress.state == State::NeedsAttention && has_cause, "{progress:?}"),
            Expected::Waiting { least, most, is_try } if progress.state == State::Waiting => {
                assert!((least..=most).contains(&progress.due), "{id} waits until {}: {expected:?}", progress.due);
                assert!(!is_try || progress.due <= tries_end, "{id} is tried too late: {progress:?}");
                assert_eq!(progress.passing, self.model.passing(booking, id), "tries of {id}");
            }
            Expected::Waiting { most, is_try, .. } => {
                let is_over = progress.cause.as_ref().is_some_and(|cause| cause.tries_ended);
                assert!(
                    progress.state == State::NeedsAttention && is_over && is_try && most > tries_end,
                    "{progress:?}"
                );
            }
        }
        self.check_order(booking);
    }

    /// There are tries for three days, until a day after the meeting, or for three days after a person asked for one.
    fn tries_end(&self, id: EntryId) -> Instant {
        let progress = self.ledger.progress(id);
        let asked = progress.resent.unwrap_or_default();
        (progress.accepted.max(asked) + 3 * DAY).max(progress.meeting_end + DAY)
    }

    /// What waits behind a change that needs a person needs one too.
    fn check_order(&self, booking: usize) {
        let mut is_blocked = false;
        for entry in self.ledger.chains[booking].entries() {
            let state = entry.progress.state;
            assert!(!is_blocked || state != State::Waiting, "{} waits, and nobody hears why", entry.id);
            is_blocked |= state == State::NeedsAttention;
        }
    }

    fn rescue(&mut self) {
        let rescued = self.ledger.rescue((self.now, self.dice.share()));
        self.rescued += u64::try_from(rescued.len()).unwrap();
        let ledger = &self.ledger;
        self.model.rescued(|id| ledger.team_of(id), &rescued, self.now);
    }

    // ---------------------------------------------------------------- people

    fn released(&mut self, released: Vec<EntryId>) {
        for id in released {
            self.model.released(self.ledger.chain_of(id), id);
        }
    }

    /// An operator holds a team, or looks after a booking that needs a person.
    fn operate(&mut self) {
        let team = self.dice.index(TEAMS);
        if self.dice.one_in(40) {
            let is_held = !self.model.teams[team].is_held && !self.is_calm;
            self.model.teams[team].is_held = is_held;
            let released = self.ledger.hold(team, is_held.then_some(Hold::Operator), self.now);
            return self.released(released);
        }
        let attention = &self.ledger.teams[team].attention;
        if attention.is_empty() {
            return;
        }
        let Some(id) = attention.iter().nth(self.dice.index(attention.len())).copied() else { return };
        self.look_after(id);
    }

    fn look_after(&mut self, id: EntryId) {
        let booking = self.ledger.chain_of(id);
        let progress = self.ledger.progress(id);
        let cause = progress.cause.as_ref();
        assert!(cause.is_some(), "{id} needs a person, and does not say why: {progress:?}");
        // The earlier change releases it. Some ask all the same.
        let is_blocked = cause.is_some_and(|cause| cause.code == codes::EARLIER_CHANGE);
        if is_blocked && (self.is_calm || !self.dice.one_in(8)) {
            return;
        }
        let account = self.model.teams[self.ledger.team_of(id)].account;
        // A careful person looks once nothing can be written any more.
        let can_look = progress.unknown.is_none_or(|tries| self.now >= tries.newest + SETTLED);
        let is_unsure = progress.unknown.is_some();
        let found = self.crm.find(account, booking);
        self.by_hand += 1;
        let gives_up = !self.is_calm && can_look && (!is_unsure || found.is_none()) && self.dice.one_in(8);
        if gives_up {
            assert!(self.ledger.give_up(id, self.now));
            self.bookings[booking].is_decided = true;
            return self.model.given_up(booking, id);
        }
        let looked: Option<Option<RecordRef>> = (is_unsure && can_look && self.dice.one_in(2)).then_some(found);
        let is_resent = self.ledger.resend(id, looked.clone(), self.now);
        assert!(is_resent, "{id} needs a person and cannot be sent again");
        self.model.resent(booking, id, looked.as_ref());
        self.check_order(booking);
    }

    /// A team's connection ends, or it connects to its account or to another one.
    fn connections(&mut self) {
        let team = self.dice.index(TEAMS);
        let model = &mut self.model.teams[team];
        if model.connected == Some(model.account) && !model.is_known_lost {
            if self.dice.one_in(4) {
                model.connected = None;
            }
            return;
        }
        if self.dice.one_in(2) {
            return;
        }
        let (account, accepts) = match self.dice.below(40) {
            0 => (self.accounts, true),
            1..4 => (self.accounts, false),
            _ => (model.account, false),
        };
        // Nobody comes back to an account that the bookings have left: what it has of them is forgotten.
        self.accounts += usize::from(account == self.accounts);
        self.connect(team, account, accepts);
    }

    fn connect(&mut self, team: usize, account: usize, accepts_other: bool) {
        let model = &mut self.model.teams[team];
        (model.connected, model.is_known_lost) = (Some(account), false);
        if accepts_other && account != model.account {
            model.account = account;
            // What was written to the old account stays there.
            self.bookings
                .iter_mut()
                .filter(|booking| booking.team == team)
                .for_each(|booking| booking.is_decided = true);
        }
        let released = self.ledger.connected(team, &account.to_string(), accepts_other, self.now);
        self.released(released);
    }

    fn save_mapping(&mut self) {
        let team = self.dice.index(TEAMS);
        self.model.teams[team].mapping += 1;
        let released = self.ledger.put_mapping(team, self.now);
        self.released(released);
    }

    // ---------------------------------------------------------------- the end

    fn states(&self) -> impl Iterator<Item = State> {
        self.ledger.chains.iter().flat_map(|chain| chain.entries()).map(|entry| entry.progress.state)
    }

    fn count(&self, is: impl Fn(State) -> bool) -> usize {
        self.states().filter(|state| is(*state)).count()
    }

    /// What is parked or needs a person, each with a cause.
    fn waiting_for_people(&self) -> (usize, usize) {
        for entry in self.ledger.chains.iter().flat_map(|chain| chain.entries()) {
            let needs = matches!(entry.progress.state, State::Parked | State::NeedsAttention);
            assert!(!needs || entry.progress.cause.is_some(), "{entry:?} does not say why it waits");
        }
        (self.count(|state| state == State::Parked), self.count(|state| state == State::NeedsAttention))
    }

    /// Nothing goes wrong any more, people do what they must, and everything ends.
    fn settle(&mut self) {
        self.is_calm = true;
        for team in 0..TEAMS {
            if self.model.teams[team].mapping == 0 {
                self.save_mapping();
            }
            self.model.teams[team].is_held = false;
            let released = self.ledger.hold(team, None, self.now);
            self.released(released);
        }
        let mut unsent: Vec<_> =
            (0..self.bookings.len()).filter(|index| !self.bookings[*index].unsent.is_empty()).collect();
        let most_rounds = 2_000 + unsent.len();
        for _ in 0..most_rounds {
            while let Some(index) = unsent.last().filter(|_| self.ledger.open() < MOST_OPEN) {
                let index = *index;
                self.send(index);
                if self.bookings[index].unsent.is_empty() {
                    unsent.pop();
                }
            }
            for team in 0..TEAMS {
                self.connect(team, self.model.teams[team].account, false);
            }
            let attention: Vec<_> = self.ledger.teams.iter().flat_map(|team| team.attention.iter()).copied().collect();
            for id in attention {
                if self.ledger.progress(id).state == State::NeedsAttention {
                    self.look_after(id);
                }
            }
            self.claim();
            while !self.calls.is_empty() {
                self.now += 1;
                self.work();
            }
            self.rescue();
            if self.ledger.open() == 0 && unsent.is_empty() {
                return;
            }
            self.now += 60_000;
            self.crm.advance(self.now);
        }
        let open =
            self.ledger.chains.iter().flat_map(|chain| chain.entries()).find(|entry| !entry.progress.state.is_final());
        panic!("it does not settle: {open:#?}");
    }

    /// Bookings that the ledger takes for delivered or for nothing, and the CRM has otherwise.
    fn lost(&self) -> Vec<String> {
        let mut lost = Vec::new();
        for (index, booking) in self.bookings.iter().enumerate().filter(|(_, booking)| !booking.is_decided) {
            let stored = self.crm.stored.get(&(self.model.teams[booking.team].account, index));
            let latest = booking.sent.iter().max_by_key(|(_, changed_at, _)| *changed_at);
            let Some((kind, changed_at, id)) = latest else { continue };
            let state = self.ledger.progress(*id).state;
            let is_right = match (state, kind, stored) {
                (State::Delivered | State::PartlyDelivered, Kind::Cancelled, None) => true,
                // A confirmation finds its record and leaves it as it is.
                (State::Delivered | State::PartlyDelivered, Kind::Confirmed, stored) => stored.is_some(),
                (State::Delivered | State::PartlyDelivered, _, Some(stored)) => stored.written == *changed_at,
                (State::Cancelled, Kind::Cancelled, stored) => stored.is_none(),
                _ => false,
            };
            if !is_right {
                lost.push(format!(
                    "booking {index}: {kind:?} is {state:?}, in the CRM: {:?}",
                    stored.map(|stored| stored.written)
                ));
            }
        }
        lost
    }
}
