//! How a try ends with a problem, and what that says about a Lead that may exist.
//!
//! A problem's `effect` tells the host whether this try may have written; only such tries are named to a later one. Its
//! reaction, unless it is `check-first` or `reconnect`, lets the host forget earlier tries of unknown effect. A second Lead
//! would follow from saying either too early. Therefore a [`Problem`] cannot leave `deliver` by itself: only [`Tries`], which
//! knows what earlier tries may have written, turns it into a [`Stopped`], and only [`Stopped::into_problem`] turns that
//! into the contract's problem.

use crate::{
    bindings::types::{Effect, History, Problem, Reaction},
    deliver::known_lead,
};

/// How long to wait before a repeat, in seconds, if the problem does not say.
const RETRY_AFTER: u32 = 60;

/// What is known about the earlier tries of a booking.
#[derive(Clone, Copy)]
pub struct Tries {
    /// Whether it is known what they wrote, or the org keeps a second Lead out whatever they wrote.
    settled: bool,
}

impl Tries {
    /// What the host knows. Nothing is open if it knows the Lead.
    pub fn of(history: &History) -> Self {
        Self { settled: history.unknown_tries.is_none() || known_lead(history).is_some() }
    }

    pub fn settle(&mut self) {
        self.settled = true;
    }

    /// Stops a try that wrote nothing.
    pub fn stop(self, problem: Box<Problem>) -> Stopped {
        Stopped { problem, effect: Effect::None, settled: self.settled }
    }

    /// Stops a try after a write that failed.
    pub fn stop_write(self, problem: Box<Problem>, effect: Effect) -> Stopped {
        Stopped { problem, effect, settled: self.settled }
    }
}

/// The end of a try.
#[must_use]
pub struct Stopped {
    problem: Box<Problem>,
    /// What this try may have written.
    effect: Effect,
    /// Whether earlier tries are settled.
    settled: bool,
}

impl Stopped {
    /// The contract's problem. While anything may have been written, its reaction is `check-first` [P6, P8]. A new connection
    /// settles nothing: the host names earlier tries again.
    pub fn into_problem(self) -> Box<Problem> {
        let Self { mut problem, effect, settled } = self;
        let is_open = effect == Effect::Unknown || (!settled && problem.reaction != Reaction::Reconnect);
        if is_open {
            if problem.reaction == Reaction::Retry {
                problem.retry_after.get_or_insert(RETRY_AFTER);
            }
            problem.reaction = Reaction::CheckFirst;
        }
        problem.effect = effect;
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::{self, after_unknown, first_try},
        problem::refusal,
    };

    const REACTIONS: [Reaction; 6] = [
        Reaction::FixBooking,
        Reaction::FixMapping,
        Reaction::AskAdmin,
        Reaction::Reconnect,
        Reaction::Retry,
        Reaction::CheckFirst,
    ];

    fn left(tries: Tries, reaction: Reaction, effect: Effect) -> (Reaction, Option<u32>) {
        let problem = tries.stop_write(refusal("code", reaction, ""), effect).into_problem();
        (problem.reaction, problem.retry_after)
    }

    #[test]
    fn while_an_earlier_try_is_open_only_reconnect_leaves_as_it_is() {
        for reaction in REACTIONS {
            let retry_after = (reaction == Reaction::Retry).then_some(RETRY_AFTER);
            let expected = if reaction == Reaction::Reconnect { reaction.clone() } else { Reaction::CheckFirst };
            assert_eq!(left(Tries::of(&after_unknown(60)), reaction, Effect::None), (expected, retry_after));
            // The try itself wrote nothing, so that the host does not name it.
            let problem = Tries::of(&after_unknown(60)).stop(refusal("code", Reaction::Retry, "")).into_problem();
            assert_eq!(problem.effect, Effect::None);
        }
    }

    #[test]
    fn after_a_write_of_unknown_effect_every_problem_leaves_as_check_first() {
        for history in [first_try(), after_unknown(60)] {
            for reaction in REACTIONS {
                let problem = Tries::of(&history).stop_write(refusal("code", reaction, ""), Effect::Unknown);
                let problem = problem.into_problem();
                assert_eq!((problem.reaction, problem.effect), (Reaction::CheckFirst, Effect::Unknown));
            }
        }
    }

    #[test]
    fn a_problem_leaves_unchanged_when_nothing_was_written_and_nothing_is_open() {
        let mut settled = Tries::of(&after_unknown(60));
        settled.settle();
        let known = fixture::known("00Q5e00000LstAAEAZ", after_unknown(60));
        for tries in [Tries::of(&first_try()), Tries::of(&known), settled] {
            for reaction in REACTIONS {
                assert_eq!(left(tries, reaction.clone(), Effect::None), (reaction, None));
            }
        }
    }

    #[test]
    fn a_wait_that_the_problem_names_is_kept() {
        let mut problem = refusal("code", Reaction::Retry, "");
        problem.retry_after = Some(900);
        let problem = Tries::of(&after_unknown(60)).stop(problem).into_problem();
        assert_eq!((problem.reaction, problem.retry_after), (Reaction::CheckFirst, Some(900)));
    }
}
