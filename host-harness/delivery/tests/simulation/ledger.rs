//! A ledger in memory, which uses chains and queues as the real ones do.

use std::collections::BTreeSet;

use crm_booking::Kind;
use crm_contract::{History, Instant, RecordRef};
use crm_delivery::{
    Chain, Ended, Entry, EntryId, Hold, Progress, Queue, Settings, Stale, State, codes, fairness, fairness::Turn,
};

/// A team's queue, with the sets that a database would have indexes for.
#[derive(Default)]
pub struct Team {
    pub queue: Queue,
    /// The latest version of its mapping; 0 if it has none.
    pub mapping: u64,
    /// What waits or is under way, by guest.
    lanes: Vec<BTreeSet<EntryId>>,
    pub parked: BTreeSet<EntryId>,
    pub attention: BTreeSet<EntryId>,
    open: usize,
}

struct Place {
    team: usize,
    chain: usize,
    lane: usize,
    /// The version of the mapping that its last try used.
    mapping: u64,
}

pub struct Claimed {
    pub id: EntryId,
    pub fence: u64,
    pub mapping: u64,
    pub history: History,
    pub until: Instant,
}

#[derive(Default)]
pub struct Ledger {
    pub settings: Settings,
    pub teams: Vec<Team>,
    pub chains: Vec<Chain>,
    places: Vec<Place>,
    served: u64,
}

impl Ledger {
    pub fn new(teams: usize, lanes: usize) -> Self {
        let team = || Team { lanes: vec![BTreeSet::new(); lanes], ..Team::default() };
        Self { teams: (0..teams).map(|_| team()).collect(), ..Self::default() }
    }

    fn place(&self, id: EntryId) -> &Place {
        &self.places[usize::try_from(id.0).unwrap() - 1]
    }

    pub fn team_of(&self, id: EntryId) -> usize {
        self.place(id).team
    }

    pub fn chain_of(&self, id: EntryId) -> usize {
        self.place(id).chain
    }

    pub fn progress(&self, id: EntryId) -> &Progress {
        self.chains[self.chain_of(id)].get(id).expect("an entry of the chain")
    }

    pub fn open(&self) -> usize {
        self.teams.iter().map(|team| team.open + team.parked.len() + team.attention.len()).sum()
    }

    /// Lets one transition happen, and keeps the sets of states up to date.
    fn change<T>(
        &mut self,
        chain: usize,
        team: usize,
        change: impl FnOnce(&mut Chain, &mut Queue, &Settings) -> T,
    ) -> T {
        let team = &mut self.teams[team];
        let chain = &mut self.chains[chain];
        let before: Vec<State> = chain.entries().iter().map(|entry| entry.progress.state).collect();
        let result = change(chain, &mut team.queue, &self.settings);
        for (index, entry) in chain.entries().iter().enumerate() {
            let (id, state, before) = (entry.id, entry.progress.state, before.get(index));
            if before == Some(&state) {
                continue;
            }
            let lane = &mut team.lanes[self.places[usize::try_from(id.0).unwrap() - 1].lane];
            let is_open = state.holds_its_lane();
            let has_changed = if is_open { lane.insert(id) } else { lane.remove(&id) };
            match (has_changed, is_open) {
                (true, true) => team.open += 1,
                (true, false) => team.open -= 1,
                (false, _) => {}
            }
            for (set, own) in [(&mut team.parked, State::Parked), (&mut team.attention, State::NeedsAttention)] {
                if state == own {
                    set.insert(id)
                } else {
                    set.remove(&id)
                };
            }
        }
        result
    }

    fn change_of<T>(&mut self, id: EntryId, change: impl FnOnce(&mut Chain, &mut Queue, &Settings) -> T) -> T {
        let (chain, team) = (self.chain_of(id), self.team_of(id));
        self.change(chain, team, change)
    }

    pub fn accept(
        &mut self,
        (team, chain, lane): (usize, usize, usize),
        (kind, changed_at, meeting_end): (Kind, Option<Instant>, Instant),
        now: Instant,
    ) -> EntryId {
        if chain == self.chains.len() {
            self.chains.push(Chain::default());
        }
        self.places.push(Place { team, chain, lane, mapping: 0 });
        let id = EntryId(u64::try_from(self.places.len()).unwrap());
        if self.teams[team].open == 0 {
            let queue = &mut self.teams[team].queue;
            queue.virtual_time = fairness::on_arrival(queue.virtual_time, self.served);
        }
        let has_mapping = self.teams[team].mapping > 0;
        let changed_at = self.chains[chain].moment(changed_at, now);
        let entry = Entry { id, kind, changed_at, progress: Progress::accepted(now, meeting_end) };
        self.change(chain, team, |chain, _, _| chain.accept(entry, has_mapping, None, now));
        id
    }

    /// The first of each lane that is due, if no worker has another one of the lane.
    fn due(&self, team: &Team, turn: Turn, now: Instant, most: u32) -> Vec<EntryId> {
        let heads = team.lanes.iter().filter_map(|lane| {
            let is_free = lane.iter().all(|id| self.progress(*id).state == State::Waiting);
            lane.first().copied().filter(|_| is_free)
        });
        let is_due = |id: &EntryId| self.progress(*id).due <= now && self.progress(*id).turn() == turn;
        let mut due: Vec<_> = heads.filter(is_due).collect();
        due.sort_by_key(|id| (self.progress(*id).due, *id));
        due.truncate(usize::try_from(most).unwrap());
        due
    }

    fn resent_in_flight(&self, team: &Team) -> u32 {
        let under_way = team.lanes.iter().flatten().map(|id| self.progress(*id));
        let resent =
            under_way.filter(|progress| progress.state == State::Delivering && progress.turn() == Turn::Resend);
        u32::try_from(resent.count()).unwrap()
    }

    pub fn claim(&mut self, most: usize, now: Instant) -> Vec<Claimed> {
        let mut candidates = Vec::new();
        for (index, team) in self.teams.iter().enumerate().filter(|(_, team)| team.open > 0) {
            let slots = team.queue.free_slots(now, &self.settings);
            if slots == 0 {
                continue;
            }
            let for_resent = self.settings.in_flight_resent.saturating_sub(self.resent_in_flight(team)).min(slots);
            let mut due = self.due(team, Turn::Fresh, now, slots);
            due.extend(self.due(team, Turn::Resend, now, for_resent));
            due.reverse();
            candidates.push((index, due));
        }
        let mut claimed = Vec::new();
        let mut served = None;
        while claimed.len() < most {
            let next = candidates.iter_mut().filter(|(_, due)| !due.is_empty());
            let Some((team, due)) = next.min_by_key(|(team, _)| self.teams[*team].queue.virtual_time) else { break };
            let (team, Some(id)) = (*team, due.pop()) else { break };
            let virtual_time = self.teams[team].queue.virtual_time;
            let claim = self.change_of(id, |chain, queue, settings| chain.claim(id, queue, now, settings));
            let Some(claim) = claim else { continue };
            served = served.max(Some(virtual_time));
            let mapping = claim.pinned_mapping.unwrap_or(self.teams[team].mapping);
            self.places[usize::try_from(id.0).unwrap() - 1].mapping = mapping;
            claimed.push(Claimed { id, fence: claim.fence, mapping, history: claim.history, until: claim.until });
        }
        self.served = self.served.max(served.unwrap_or_default());
        claimed
    }

    pub fn finish(
        &mut self,
        (id, fence, mapping): (EntryId, u64, u64),
        ended: Ended,
        at: (Instant, f64),
    ) -> Result<(), Stale> {
        self.change_of(id, |chain, queue, settings| chain.finish(id, (fence, mapping), ended, queue, at, settings))
    }

    /// Takes back claims that have ended.
    pub fn rescue(&mut self, at: (Instant, f64)) -> Vec<EntryId> {
        let all = self.teams.iter().flat_map(|team| team.lanes.iter().flatten()).copied();
        let is_over = |id: &EntryId| {
            let progress = self.progress(*id);
            progress.state == State::Delivering && progress.claimed.is_some_and(|(_, until)| until <= at.0)
        };
        let mut over: Vec<_> = all.filter(is_over).collect();
        over.retain(|id| {
            let mapping = self.place(*id).mapping;
            self.change_of(*id, |chain, queue, settings| chain.rescue(*id, mapping, queue, at, settings))
        });
        over
    }

    pub fn resend(&mut self, id: EntryId, looked: Option<Option<RecordRef>>, now: Instant) -> bool {
        self.change_of(id, |chain, _, _| chain.resend(id, looked, now))
    }

    pub fn give_up(&mut self, id: EntryId, now: Instant) -> bool {
        self.change_of(id, |chain, _, _| chain.give_up(id, now))
    }

    /// Saves a mapping, and tries what waits for one. Returns that.
    pub fn put_mapping(&mut self, team: usize, now: Instant) -> Vec<EntryId> {
        self.teams[team].mapping += 1;
        let waits =
            |id: &EntryId| self.progress(*id).cause.as_ref().is_some_and(|cause| cause.code == codes::MAPPING_MISSING);
        let waiting: Vec<_> = self.teams[team].attention.iter().copied().filter(waits).collect();
        self.release(waiting, now)
    }

    fn release(&mut self, mut ids: Vec<EntryId>, now: Instant) -> Vec<EntryId> {
        ids.retain(|id| self.change_of(*id, |chain, _, _| chain.release(*id, now)));
        ids
    }

    /// Returns what was parked and is tried again.
    fn opened(&mut self, team: usize, now: Instant) -> Vec<EntryId> {
        let is_held = self.teams[team].queue.hold.is_some();
        let parked = if is_held { Vec::new() } else { self.teams[team].parked.iter().copied().collect() };
        self.release(parked, now)
    }

    pub fn hold(&mut self, team: usize, hold: Option<Hold>, now: Instant) -> Vec<EntryId> {
        self.teams[team].queue.hold_by_hand(hold);
        self.opened(team, now)
    }

    pub fn connected(&mut self, team: usize, account: &str, accept_other: bool, now: Instant) -> Vec<EntryId> {
        let queue = &mut self.teams[team].queue;
        if accept_other {
            queue.account = None;
        }
        queue.connected(account);
        self.opened(team, now)
    }
}
