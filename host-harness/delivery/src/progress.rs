//! What a ledger keeps about one change of a booking, and what happens to it.

use crm_contract::{
    Consequence, Delivery, Effect, History, Instant, Outcome, Problem, Reaction, RecordRef, UnknownTries,
};
use serde::{Deserialize, Serialize};

use crate::Settings;

/// Where a change of a booking is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A worker takes it when it is due.
    Waiting,
    /// A worker has it.
    Delivering,
    /// The CRM has it. Final.
    Delivered,
    /// The CRM has it without some of its values. Final.
    PartlyDelivered,
    /// It waits for the team to connect.
    Parked,
    /// A person must do something. It no longer holds up other bookings of the guest.
    NeedsAttention,
    /// A person decided not to deliver it. Final.
    GivenUp,
    /// The booking was cancelled before it was delivered, and nothing was sent. Final.
    Cancelled,
    /// It arrived after a later change of the booking. Final.
    Superseded,
}

impl State {
    /// All states, as they are named in JSON and in databases.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Delivering,
        Self::Delivered,
        Self::PartlyDelivered,
        Self::Parked,
        Self::NeedsAttention,
        Self::GivenUp,
        Self::Cancelled,
        Self::Superseded,
    ];

    /// The name in JSON, in commands and in databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivering => "delivering",
            Self::Delivered => "delivered",
            Self::PartlyDelivered => "partly-delivered",
            Self::Parked => "parked",
            Self::NeedsAttention => "needs-attention",
            Self::GivenUp => "given-up",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }

    /// The state of a [`Self::name`].
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing further happens to it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::PartlyDelivered | Self::GivenUp | Self::Cancelled | Self::Superseded)
    }

    /// Whether later changes for the same guest wait for it.
    pub fn holds_its_lane(self) -> bool {
        matches!(self, Self::Waiting | Self::Delivering)
    }
}

/// Why a booking is not delivered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Stable code: a plugin's, a host's or one of [`codes`].
    pub code: String,
    /// Since when every try has ended with it.
    pub since: Instant,
    /// No further try begins unless a person asks for one: the time for tries is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tries_ended: bool,
}

/// Codes of causes that the ledger itself knows.
pub mod codes {
    /// The calendar has no mapping for the integration.
    pub const MAPPING_MISSING: &str = "mapping-missing";
    /// An earlier change of the booking needs a person first.
    pub const EARLIER_CHANGE: &str = "earlier-change";
    /// A worker was lost during the try.
    pub const TRY_LOST: &str = "try-lost";
    /// The time for tries ended before one began, for example because the team was not connected.
    pub const TOO_LATE: &str = "too-late";
    /// The ledger was restored from a backup, and the booking may have been delivered since.
    pub const RESTORED: &str = "restored";
    /// All of them.
    pub const ALL: &[&str] = &[MAPPING_MISSING, EARLIER_CHANGE, TRY_LOST, TOO_LATE, RESTORED];
}

/// What is known about carrying one change of a booking to a CRM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Where it is on its way.
    pub state: State,
    /// When it was accepted.
    pub accepted: Instant,
    /// When the meeting ends.
    pub meeting_end: Instant,
    /// When the next try may begin, if it waits.
    pub due: Instant,
    /// Counts the claims. A worker that lost its claim has an older one, and can change nothing.
    pub fence: u64,
    /// When the try that is under way began, and when its claim ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<(Instant, Instant)>,
    /// When the first try began, once it has ended. A claim without a call is not a try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_try: Option<Instant>,
    /// Tries that may have written something that nobody knows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<UnknownTries>,
    /// The version of the mapping that those tries used. Further tries use it too: what was written is recognized by it [H33].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_mapping: Option<u64>,
    /// The records of this change, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordRef>,
    /// Tries in a row that passed without success.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub passing: u32,
    /// How many of them, the last ones, were stopped by a trap or a limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stopped: u32,
    /// When a person last asked for another try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<Instant>,
    /// Why it is not delivered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A worker's claim on a booking.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Proves the claim: every later change names it.
    pub fence: u64,
    /// What the plugin is called with.
    pub history: History,
    /// The version of the mapping to use; the latest if `None`.
    pub pinned_mapping: Option<u64>,
    /// When the claim ends: no request may begin later than its own timeout before this.
    pub until: Instant,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// The plugin needs no further try.
    Delivered(Delivery),
    /// The plugin could not deliver.
    Refused(Problem),
    /// The call gave no result: a trap or a limit.
    Stopped {
        /// The host's code.
        code: String,
        /// Whether it may have written something.
        effect: Effect,
    },
    /// The plugin was not called, because the host was busy or stopping.
    NotCalled,
}

/// The claim was lost to another worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another worker has taken the booking since")]
pub struct Stale;

/// What to do after a problem: `check-first` of any that may have written something [H16]. A reaction that a later version added
/// stays, since it calls for a person in any case [H18].
pub(crate) fn reaction(problem: &Problem) -> &Reaction {
    match &problem.reaction {
        other @ Reaction::Other(_) => other,
        _ if problem.effect == Effect::Unknown => &Reaction::CheckFirst,
        reaction => reaction,
    }
}

impl Progress {
    /// A change that was accepted now.
    pub fn accepted(now: Instant, meeting_end: Instant) -> Self {
        Self {
            state: State::Waiting,
            accepted: now,
            meeting_end,
            due: now,
            fence: 0,
            claimed: None,
            first_try: None,
            unknown: None,
            pinned_mapping: None,
            records: Vec::new(),
            passing: 0,
            stopped: 0,
            resent: None,
            cause: None,
        }
    }

    /// When the tries end.
    fn last_try(&self, settings: &Settings) -> Instant {
        let asked = self.resent.map_or(0, |resent| resent.saturating_add(settings.tries_last));
        settings.last_try(self.accepted, self.meeting_end).max(asked)
    }

    /// Takes a booking that is due. The ledger keeps this durably before the plugin is called [H11]. The caller adds what other
    /// changes of the booking have left to the history.
    pub fn claim(&mut self, now: Instant, settings: &Settings) -> Option<Claim> {
        if self.state != State::Waiting || self.due > now {
            return None;
        }
        // A try that may have written is followed up, however late.
        if now > self.last_try(settings) && self.unknown.is_none() {
            let code = self.cause.take().map_or_else(|| codes::TOO_LATE.to_owned(), |cause| cause.code);
            self.stop(State::NeedsAttention, &code, now);
            self.tries_end();
            return None;
        }
        let until = now.saturating_add(settings.lease);
        let history = History {
            now,
            records: self.records.clone(),
            related: Vec::new(),
            first_try: self.first_try,
            unknown_tries: self.unknown,
            more: Vec::new(),
        };
        self.state = State::Delivering;
        self.fence = self.fence.saturating_add(1);
        self.claimed = Some((now, until));
        Some(Claim { fence: self.fence, history, pinned_mapping: self.pinned_mapping, until })
    }

    /// Notes how a try ended that used a version of the mapping. `paused_until` is when the team's circuit closes again, if this try
    /// opened it: such a try does not count.
    ///
    /// # Errors
    /// If another worker has taken the booking since.
    pub fn finish(
        &mut self,
        fence: u64,
        mapping: u64,
        ended: Ended,
        paused_until: Option<Instant>,
        (now, random): (Instant, f64),
        settings: &Settings,
    ) -> Result<(), Stale> {
        let began = match self.claimed {
            Some((began, _)) if self.state == State::Delivering && self.fence == fence => began,
            _ => return Err(Stale),
        };
        self.claimed = None;
        if !matches!(ended, Ended::NotCalled) {
            self.first_try.get_or_insert(began);
        }
        match ended {
            Ended::Delivered(delivery) => self.deliver(delivery),
            Ended::Refused(problem) => {
                if problem.effect == Effect::Unknown {
                    self.pinned_mapping.get_or_insert(mapping);
                }
                self.stopped = 0;
                self.refuse(problem, began, paused_until, (now, random), settings);
            }
            Ended::Stopped { code, effect } => {
                if effect == Effect::Unknown {
                    self.doubt(began);
                    self.pinned_mapping.get_or_insert(mapping);
                }
                self.wait(&code, None, (now, random), settings);
                self.stopped = self.stopped.saturating_add(1);
                if self.stopped >= settings.stopped_tries {
                    self.stop(State::NeedsAttention, &code, now);
                }
            }
            Ended::NotCalled => {
                self.state = State::Waiting;
                self.due = now.saturating_add(settings.wait(1, None, random));
            }
        }
        if self.unknown.is_none() {
            self.pinned_mapping = None;
        }
        Ok(())
    }

    /// Takes a booking back from a worker whose claim has ended. Nobody knows what its try did. `mapping` is the version that it used.
    pub fn rescue(&mut self, mapping: u64, (now, random): (Instant, f64), settings: &Settings) -> bool {
        let Some((began, _)) = self.claimed.filter(|(_, until)| self.state == State::Delivering && *until <= now)
        else {
            return false;
        };
        self.claimed = None;
        self.first_try.get_or_insert(began);
        self.doubt(began);
        self.pinned_mapping.get_or_insert(mapping);
        self.wait(codes::TRY_LOST, None, (now, random), settings);
        true
    }

    fn deliver(&mut self, delivery: Delivery) {
        let is_partial = delivery.findings.iter().any(|finding| finding.consequence == Consequence::LeftOut);
        let is_nothing = delivery.outcome == Outcome::Ignored;
        self.keep(delivery.records);
        self.unknown = None;
        self.cause = None;
        self.passing = 0;
        self.stopped = 0;
        self.state = if is_partial && !is_nothing { State::PartlyDelivered } else { State::Delivered };
    }

    fn refuse(
        &mut self,
        problem: Problem,
        began: Instant,
        paused_until: Option<Instant>,
        at: (Instant, f64),
        settings: &Settings,
    ) {
        let reaction = reaction(&problem).clone();
        if problem.effect == Effect::Unknown {
            self.doubt(began);
        } else if problem.settles_earlier_tries() {
            self.unknown = None;
        }
        self.keep(problem.made);
        let Problem { code, retry_after, .. } = problem;
        match reaction {
            Reaction::Reconnect => self.stop(State::Parked, &code, at.0),
            Reaction::Retry => match paused_until {
                Some(until) => {
                    self.because(&code, at.0);
                    self.state = State::Waiting;
                    self.due = until;
                }
                None => self.wait(&code, retry_after, at, settings),
            },
            Reaction::CheckFirst if retry_after.is_some() => self.wait(&code, retry_after, at, settings),
            Reaction::FixBooking
            | Reaction::FixMapping
            | Reaction::AskAdmin
            | Reaction::CheckFirst
            | Reaction::Other(_) => self.stop(State::NeedsAttention, &code, at.0),
        }
    }

    /// Names a try whose effect nobody knows, in every later call until one settles it [H15].
    fn doubt(&mut self, began: Instant) {
        let unknown = self.unknown.get_or_insert(UnknownTries { oldest: began, newest: began });
        unknown.oldest = unknown.oldest.min(began);
        unknown.newest = unknown.newest.max(began);
    }

    /// Assumes that tries between two moments may have delivered the booking: the ledger does not know what happened then. A worker
    /// that has it loses it, since it was called without knowing that: its claim ends with the second moment, so that a rescue takes
    /// it back with its place in the queue.
    pub(crate) fn doubt_between(&mut self, from: Instant, until: Instant) {
        self.doubt(from);
        self.doubt(until);
        self.because(codes::RESTORED, until);
        match self.state {
            State::Waiting => {}
            State::Delivering => {
                self.fence = self.fence.saturating_add(1);
                self.claimed = self.claimed.map(|(began, end)| (began, end.min(until)));
            }
            _ => {
                self.state = State::Waiting;
                self.due = until;
            }
        }
    }

    pub(crate) fn keep(&mut self, records: Vec<RecordRef>) {
        for record in records {
            if !self.records.iter().any(|known| known.object == record.object && known.id == record.id) {
                self.records.push(record);
            }
        }
    }

    /// Waits for the next try, or for a person once there is none.
    fn wait(&mut self, code: &str, retry_after: Option<u32>, (now, random): (Instant, f64), settings: &Settings) {
        self.passing = self.passing.saturating_add(1);
        let due = now.saturating_add(settings.wait(self.passing, retry_after, random));
        self.because(code, now);
        if due > self.last_try(settings) {
            self.state = State::NeedsAttention;
            self.tries_end();
        } else {
            self.state = State::Waiting;
            self.due = due;
        }
    }

    pub(crate) fn stop(&mut self, state: State, code: &str, now: Instant) {
        self.because(code, now);
        self.state = state;
    }

    fn tries_end(&mut self) {
        if let Some(cause) = &mut self.cause {
            cause.tries_ended = true;
        }
    }

    fn because(&mut self, code: &str, now: Instant) {
        if self.cause.as_ref().is_none_or(|cause| cause.code != code) {
            self.cause = Some(Cause { code: code.to_owned(), since: now, tries_ended: false });
        }
    }

    pub(crate) fn has_cause(&self, code: &str) -> bool {
        self.cause.as_ref().is_some_and(|cause| cause.code == code)
    }

    /// Tries again now, because what was in the way is gone. What is final or under way stays as it is.
    pub(crate) fn release(&mut self, now: Instant) -> bool {
        if self.state.is_final() || self.state == State::Delivering {
            return false;
        }
        self.state = State::Waiting;
        self.due = now;
        self.passing = 0;
        self.stopped = 0;
        if let Some(cause) = &mut self.cause {
            cause.tries_ended = false;
        }
        true
    }

    /// Tries again because a person asked for it.
    pub(crate) fn resend(&mut self, now: Instant) -> bool {
        let is_released = self.release(now);
        if is_released {
            self.resent = Some(now);
        }
        is_released
    }

    /// A person has looked for what the unknown tries wrote, and found a record or none.
    pub(crate) fn settle(&mut self, found: Option<RecordRef>) {
        self.keep(found.into_iter().collect());
        self.unknown = None;
        self.pinned_mapping = None;
    }

    /// Whether it can be dropped without a trace in the CRM that nobody knows of.
    pub(crate) fn can_be_dropped(&self) -> bool {
        !self.state.is_final() && self.state != State::Delivering && self.unknown.is_none()
    }
}

#[cfg(test)]
mod tests;
