//! What a ledger keeps about one change of a booking, and what happens to it.

use crm_contract::{Delivery, Effect, History, Instant, Outcome, Problem, Reaction, RecordRef, UnknownTries};
use serde::{Deserialize, Serialize};

use crate::Settings;

/// Where a change of a booking is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// A person must do something. It no longer holds up what comes after it.
    NeedsAttention,
    /// A person decided not to deliver it. Final.
    GivenUp,
    /// The booking was cancelled before it was delivered, and nothing was sent. Final.
    Cancelled,
    /// A later change of the booking made it pointless. Final.
    Superseded,
}

impl State {
    /// Whether nothing further happens by itself or by a person's wish.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::PartlyDelivered | Self::GivenUp | Self::Cancelled | Self::Superseded)
    }

    /// Whether later changes for the same guest wait for it.
    pub fn holds_its_lane(self) -> bool {
        matches!(self, Self::Waiting | Self::Delivering)
    }
}

/// Why a booking waits or needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Stable code: a plugin's, or one of this crate's.
    pub code: String,
    /// Since when every try has ended with it.
    pub since: Instant,
}

/// No try may begin any more, and the last one did not settle the booking.
const TIME_OVER: &str = "delivery-time-over";
/// A worker was lost, or its call was stopped.
const TRY_LOST: &str = "delivery-try-lost";

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
    pub claimed: Option<(Instant, Instant)>,
    /// When the first try began.
    pub first_try: Option<Instant>,
    /// Tries that may have written something that nobody knows of.
    pub unknown: Option<UnknownTries>,
    /// The records of the booking, each once.
    pub records: Vec<RecordRef>,
    /// How many tries in a row ended without success and without anybody's help.
    pub passing: u32,
    /// Why it is not delivered yet.
    pub cause: Option<Cause>,
}

/// A worker's claim on a booking.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Proves the claim: every later change names it.
    pub fence: u64,
    /// What the plugin is called with.
    pub history: History,
    /// When the claim ends: no request may begin later than its own timeout before this.
    pub until: Instant,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The plugin needs no further try.
    Delivered(Delivery),
    /// The plugin could not deliver.
    Refused(Problem),
    /// The call gave no result: a trap or a limit.
    Stopped(Effect),
}

/// The claim was lost to another worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

impl Progress {
    /// A change that was accepted now. `records` are those of the bookings that it replaces.
    pub fn accepted(now: Instant, meeting_end: Instant, records: Vec<RecordRef>) -> Self {
        Self {
            state: State::Waiting,
            accepted: now,
            meeting_end,
            due: now,
            fence: 0,
            claimed: None,
            first_try: None,
            unknown: None,
            records,
            passing: 0,
            cause: None,
        }
    }

    /// Takes a booking that is due. The ledger keeps this durably before the plugin is called [H11].
    pub fn claim(&mut self, now: Instant, settings: &Settings) -> Option<Claim> {
        if self.state != State::Waiting || self.due > now {
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
        self.fence += 1;
        self.claimed = Some((now, until));
        self.first_try.get_or_insert(now);
        Some(Claim { fence: self.fence, history, until })
    }

    /// Notes how a try ended.
    ///
    /// # Errors
    /// If another worker has taken the booking since.
    pub fn finish(
        &mut self,
        fence: u64,
        ended: Ended,
        now: Instant,
        settings: &Settings,
        random: f64,
    ) -> Result<(), Stale> {
        let began = match self.claimed {
            Some((began, _)) if self.state == State::Delivering && self.fence == fence => began,
            _ => return Err(Stale),
        };
        self.claimed = None;
        match ended {
            Ended::Delivered(delivery) => self.deliver(delivery),
            Ended::Refused(problem) => self.refuse(problem, began, now, settings, random),
            Ended::Stopped(effect) => {
                if effect == Effect::Unknown {
                    self.doubt(began);
                }
                self.wait(TRY_LOST, None, now, settings, random);
            }
        }
        Ok(())
    }

    /// Takes a booking back from a worker whose claim has ended. Nobody knows what its try did.
    pub fn rescue(&mut self, now: Instant, settings: &Settings, random: f64) -> bool {
        let Some((began, _)) = self.claimed.filter(|(_, until)| self.state == State::Delivering && *until <= now)
        else {
            return false;
        };
        self.claimed = None;
        self.doubt(began);
        self.wait(TRY_LOST, None, now, settings, random);
        true
    }

    fn deliver(&mut self, delivery: Delivery) {
        let is_partial =
            delivery.findings.iter().any(|finding| finding.consequence == crm_contract::Consequence::LeftOut);
        let is_nothing = delivery.outcome == Outcome::Ignored;
        self.keep(delivery.records);
        self.unknown = None;
        self.cause = None;
        self.state = if is_partial && !is_nothing { State::PartlyDelivered } else { State::Delivered };
    }

    fn refuse(&mut self, problem: Problem, began: Instant, now: Instant, settings: &Settings, random: f64) {
        if problem.settles_earlier_tries() {
            self.unknown = None;
        }
        // Any reaction with an unknown effect is `check-first` [H16].
        let is_unknown = problem.effect == Effect::Unknown;
        if is_unknown {
            self.doubt(began);
        }
        self.keep(problem.made);
        let Problem { code, retry_after, .. } = problem;
        match problem.reaction {
            Reaction::Reconnect if !is_unknown => self.stop(State::Parked, &code, now),
            Reaction::Retry if !is_unknown => self.wait(&code, retry_after, now, settings, random),
            Reaction::CheckFirst if retry_after.is_some() => self.wait(&code, retry_after, now, settings, random),
            Reaction::FixBooking
            | Reaction::FixMapping
            | Reaction::AskAdmin
            | Reaction::Reconnect
            | Reaction::Retry
            | Reaction::CheckFirst
            | Reaction::Other(_) => self.stop(State::NeedsAttention, &code, now),
        }
    }

    /// Names a try whose effect nobody knows, in every later call until one settles it [H15].
    fn doubt(&mut self, began: Instant) {
        let unknown = self.unknown.get_or_insert(UnknownTries { oldest: began, newest: began });
        unknown.oldest = unknown.oldest.min(began);
        unknown.newest = unknown.newest.max(began);
    }

    fn keep(&mut self, records: Vec<RecordRef>) {
        for record in records {
            if !self.records.iter().any(|known| known.object == record.object && known.id == record.id) {
                self.records.push(record);
            }
        }
    }

    /// Waits for the next try, or for a person once there is none.
    fn wait(&mut self, code: &str, retry_after: Option<u32>, now: Instant, settings: &Settings, random: f64) {
        self.passing = self.passing.saturating_add(1);
        let due = now.saturating_add(settings.wait(self.passing, retry_after, random));
        if due > settings.last_try(self.accepted, self.meeting_end) {
            return self.stop(State::NeedsAttention, TIME_OVER, now);
        }
        self.because(code, now);
        self.state = State::Waiting;
        self.due = due;
    }

    fn stop(&mut self, state: State, code: &str, now: Instant) {
        self.because(code, now);
        self.state = state;
    }

    fn because(&mut self, code: &str, now: Instant) {
        if self.cause.as_ref().is_none_or(|cause| cause.code != code) {
            self.cause = Some(Cause { code: code.to_owned(), since: now });
        }
    }

    /// Whether a person should hear of a booking that is still tried: the same refusal has lasted.
    pub fn should_be_told(&self, now: Instant, settings: &Settings) -> bool {
        let lasts = |cause: &Cause| now.saturating_sub(cause.since) >= settings.told_after;
        self.state == State::Waiting && self.cause.as_ref().is_some_and(lasts)
    }

    /// Tries again now: a person asked for it, the team connected, or a mapping was saved. What is final or under way stays.
    pub fn try_again(&mut self, now: Instant) -> bool {
        if self.state.is_final() || self.state == State::Delivering {
            return false;
        }
        self.state = State::Waiting;
        self.due = now;
        self.passing = 0;
        true
    }

    /// Ends it without a try: only what no worker has, and what has certainly written nothing, can be dropped.
    pub fn drop_as(&mut self, state: State) -> bool {
        let can_be_dropped = !self.state.is_final() && self.state != State::Delivering && self.unknown.is_none();
        if can_be_dropped && state.is_final() {
            self.state = state;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests;
