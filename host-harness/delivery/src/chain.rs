//! All changes of one booking for one plugin, and what one means for the others.

use crm_booking::Kind;
use crm_contract::{Instant, RecordRef, UnknownTries};
use serde::{Deserialize, Serialize};

use crate::{Claim, Ended, Progress, Queue, Settings, Stale, State, fairness, progress::codes};

/// How long after a restore a change of unknown age is looked for before it is created.
const RESTORE_LASTS: u64 = 30 * 86_400_000;

/// Identifies a change of a booking for one plugin. A later one was accepted later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct EntryId(pub u64);

impl std::fmt::Display for EntryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

/// One change of a booking, as far as the rules need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place in the ledger.
    pub id: EntryId,
    /// What happened to the booking.
    pub kind: Kind,
    /// When it happened, by the scheduler's clock.
    pub changed_at: Instant,
    /// How far it is.
    pub progress: Progress,
}

/// All changes of one booking for one plugin, in the order in which they were accepted. A ledger loads them, lets one transition
/// happen, and writes back those that differ.
///
/// After each transition these rules hold:
///
/// - a change that arrived after a later one is superseded, and never sent, unless one of its tries may have written something;
/// - a change that waits behind one that needs a person needs a person too, and is released with it;
/// - what was not sent before a cancellation is never sent, and if nothing was sent, neither is the cancellation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain(Vec<Entry>);

impl Chain {
    /// The changes of a booking, in any order.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| entry.id);
        Self(entries)
    }

    /// The changes, in the order in which they were accepted.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// One of the changes.
    pub fn get(&self, id: EntryId) -> Option<&Progress> {
        self.0.iter().find(|entry| entry.id == id).map(|entry| &entry.progress)
    }

    fn get_mut(&mut self, id: EntryId) -> Option<&mut Progress> {
        self.0.iter_mut().find(|entry| entry.id == id).map(|entry| &mut entry.progress)
    }

    /// When a change happened. If the scheduler does not say, now or with the latest change.
    pub fn moment(&self, changed_at: Option<Instant>, now: Instant) -> Instant {
        changed_at.unwrap_or_else(|| self.0.iter().map(|entry| entry.changed_at).fold(now, Instant::max))
    }

    /// The time during which an arrival may have been delivered without the ledger knowing, because the ledger was restored from a backup:
    /// `lost`, from the backup to the restore. That is so for a change from before the restore, for one of unknown age, and for one that
    /// follows a change which was lost with the backup.
    pub fn restored(
        &self,
        lost: Option<UnknownTries>,
        kind: Kind,
        changed_at: Option<Instant>,
        now: Instant,
    ) -> Option<UnknownTries> {
        lost.filter(|lost| {
            let is_recent = now <= lost.newest.saturating_add(RESTORE_LASTS);
            let follows_a_lost_one = kind != Kind::Confirmed && self.0.is_empty();
            changed_at.is_some_and(|changed_at| changed_at <= lost.newest)
                || (is_recent && (changed_at.is_none() || follows_a_lost_one))
        })
    }

    /// Adds a change that was accepted now. `restored` is a time during which it may have been delivered although the ledger does not
    /// know of it.
    pub fn accept(&mut self, entry: Entry, has_mapping: bool, restored: Option<UnknownTries>, now: Instant) {
        let is_late = self.0.iter().any(|other| other.changed_at > entry.changed_at);
        if let Some(tries) = restored {
            // A late change is never sent, not even to look [H12]. Those after it look for what it may have left.
            let is_open = |other: &&mut Entry| !other.progress.state.is_final();
            for other in self.0.iter_mut().filter(is_open).filter(|_| is_late) {
                other.progress.doubt_between(tries.oldest, tries.newest);
            }
        }
        let id = entry.id;
        self.0.push(entry);
        if let Some(progress) = self.get_mut(id).filter(|_| !is_late) {
            if let Some(tries) = restored {
                progress.doubt_between(tries.oldest, tries.newest);
            }
            if !has_mapping {
                progress.stop(State::NeedsAttention, codes::MAPPING_MISSING, now);
            }
        }
        self.arrange(now);
    }

    /// Takes a change that is due, and its queue's turn. `None` if it cannot be tried now; it may have changed all the same.
    pub fn claim(&mut self, id: EntryId, queue: &mut Queue, now: Instant, settings: &Settings) -> Option<Claim> {
        // One at a time, and never after a later one [H12].
        let is_in_the_way = |other: &Entry| match other.progress.state {
            State::Delivering => true,
            state => other.id < id && !state.is_final(),
        };
        if queue.free_slots(now, settings) == 0 || self.0.iter().any(is_in_the_way) {
            self.arrange(now);
            return None;
        }
        let records: Vec<RecordRef> = self.0.iter().flat_map(|entry| entry.progress.records.clone()).collect();
        let first_try = self.0.iter().filter_map(|entry| entry.progress.first_try).min();
        let progress = self.get_mut(id)?;
        let kind = progress.turn();
        let claim = progress.claim(now, settings).map(|mut claim| {
            for record in records {
                let is_known = |known: &RecordRef| known.object == record.object && known.id == record.id;
                if !claim.history.records.iter().any(is_known) {
                    claim.history.records.push(record);
                }
            }
            claim.history.first_try = first_try;
            claim
        });
        if claim.is_some() {
            queue.in_flight = queue.in_flight.saturating_add(1);
            queue.virtual_time = fairness::after_try(queue.virtual_time, kind);
        }
        self.arrange(now);
        claim
    }

    /// Notes how a try ended.
    ///
    /// # Errors
    /// If another worker has taken the change since.
    pub fn finish(
        &mut self,
        id: EntryId,
        (fence, mapping): (u64, u64),
        ended: Ended,
        queue: &mut Queue,
        at: (Instant, f64),
        settings: &Settings,
    ) -> Result<(), Stale> {
        let progress = self.get_mut(id).ok_or(Stale)?;
        if progress.state != State::Delivering || progress.fence != fence {
            return Err(Stale);
        }
        let paused_until = queue.tried(&ended, at.0, settings);
        progress.finish(fence, mapping, ended, paused_until, at, settings)?;
        self.arrange(at.0);
        Ok(())
    }

    /// Takes a change back from a worker whose claim has ended.
    pub fn rescue(
        &mut self,
        id: EntryId,
        mapping: u64,
        queue: &mut Queue,
        at: (Instant, f64),
        settings: &Settings,
    ) -> bool {
        let is_rescued = self.get_mut(id).is_some_and(|progress| progress.rescue(mapping, at, settings));
        if is_rescued {
            queue.in_flight = queue.in_flight.saturating_sub(1);
            self.arrange(at.0);
        }
        is_rescued
    }

    /// Tries a change again, because what was in its way is gone: the team connected, or a mapping was saved.
    pub fn release(&mut self, id: EntryId, now: Instant) -> bool {
        let Some(progress) = self.get_mut(id) else { return false };
        let is_released = progress.release(now);
        if is_released {
            progress.cause = None;
        }
        self.arrange(now);
        is_released
    }

    /// Tries a change again, because a person asked for it. If tries may have written something, the person may say that they looked,
    /// and which record they found: `Some(None)` if none.
    pub fn resend(&mut self, id: EntryId, looked: Option<Option<RecordRef>>, now: Instant) -> bool {
        let Some(progress) = self.get_mut(id) else { return false };
        if progress.state.is_final() || progress.state == State::Delivering {
            return false;
        }
        if let Some(found) = looked {
            progress.settle(found);
        }
        let is_resent = progress.resend(now);
        self.arrange(now);
        is_resent
    }

    /// A person decides not to deliver a change. Nothing more is known of what its tries may have written.
    pub fn give_up(&mut self, id: EntryId, now: Instant) -> bool {
        let Some(progress) = self.get_mut(id) else { return false };
        if progress.state.is_final() || progress.state == State::Delivering {
            return false;
        }
        progress.settle(None);
        progress.state = State::GivenUp;
        self.arrange(now);
        true
    }

    /// Makes a change look before it creates, after the ledger was restored from a backup: see [`Progress::unknown`].
    pub fn doubt(&mut self, id: EntryId, tries: UnknownTries) -> bool {
        let Some(progress) = self.get_mut(id) else { return false };
        let is_open = !progress.state.is_final();
        let is_recent = matches!(progress.state, State::Delivered | State::PartlyDelivered);
        if is_open || is_recent {
            progress.doubt_between(tries.oldest, tries.newest);
        }
        self.arrange(tries.newest);
        is_open || is_recent
    }

    /// Restores the rules above.
    fn arrange(&mut self, now: Instant) {
        self.supersede_what_is_late();
        self.drop_what_cancellations_end();
        let mut needs_attention = false;
        for entry in &mut self.0 {
            let progress = &mut entry.progress;
            if needs_attention {
                if progress.state == State::Waiting {
                    progress.stop(State::NeedsAttention, codes::EARLIER_CHANGE, now);
                }
            } else if progress.state == State::NeedsAttention && progress.has_cause(codes::EARLIER_CHANGE) {
                progress.release(now);
                progress.cause = None;
            }
            needs_attention |= progress.state == State::NeedsAttention;
        }
    }

    /// An arrival can show that two chains are one, so that changes are late which were not when they arrived.
    fn supersede_what_is_late(&mut self) {
        let mut latest = 0;
        for entry in &mut self.0 {
            if entry.changed_at < latest && entry.progress.can_be_dropped() {
                entry.progress.state = State::Superseded;
            }
            latest = latest.max(entry.changed_at);
        }
    }

    fn drop_what_cancellations_end(&mut self) {
        // A cancellation that the CRM knows nothing of does no harm.
        let may_be_in_the_crm = |Entry { progress, .. }: &Entry| match progress.state {
            State::Superseded | State::Cancelled => !progress.records.is_empty(),
            State::GivenUp => !progress.records.is_empty() || progress.first_try.is_some(),
            _ => true,
        };
        for index in 0..self.0.len() {
            let (earlier, from_here) = self.0.split_at_mut(index);
            let Some(cancellation) = from_here.first_mut().filter(|entry| entry.kind == Kind::Cancelled) else {
                continue;
            };
            if cancellation.progress.state.is_final() {
                continue;
            }
            for entry in earlier.iter_mut().filter(|entry| entry.progress.can_be_dropped()) {
                entry.progress.state = State::Cancelled;
            }
            let was_dropped = earlier.iter().any(|entry| entry.progress.state == State::Cancelled);
            let nothing_was_sent = was_dropped && !earlier.iter().any(may_be_in_the_crm);
            if nothing_was_sent && cancellation.progress.records.is_empty() && cancellation.progress.can_be_dropped() {
                cancellation.progress.state = State::Cancelled;
            }
        }
    }
}

#[cfg(test)]
mod tests;
