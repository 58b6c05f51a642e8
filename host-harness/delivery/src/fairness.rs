//! Whose turn it is: virtual time per queue, as in start-time fair queueing (Goyal, Vin and Cheng, 1996).
//!
//! Each try moves its queue's virtual time on. The queue with the earliest one is next, so that a team with 100,000 waiting bookings
//! gets as many turns as one with ten. A queue that was idle begins at the others' time: what it did not use is not saved up.

use serde::{Deserialize, Serialize};

use crate::Progress;

/// Why a booking is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// It was accepted, and is on its way.
    Fresh,
    /// A person sends it again, perhaps with many others. These have a share of their own, so that fresh ones stay fast.
    Resend,
}

impl Turn {
    /// The cost of a try in virtual time. A resend costs more, so that a team that sends all again leaves turns to the others.
    fn cost(self) -> u64 {
        match self {
            Self::Fresh => 1,
            Self::Resend => 4,
        }
    }
}

impl Progress {
    /// Which turn its next try takes.
    pub fn turn(&self) -> Turn {
        if self.resent.is_some() { Turn::Resend } else { Turn::Fresh }
    }
}

/// A queue's virtual time when its first booking arrives after it had none. `served` is the virtual time of the queue that had the
/// last turn: it stands still while nobody waits, and is never behind a queue that was idle.
pub fn on_arrival(own: u64, served: u64) -> u64 {
    own.max(served)
}

/// A queue's virtual time after a try.
pub fn after_try(own: u64, turn: Turn) -> u64 {
    own.saturating_add(turn.cost())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives turns to teams with their virtual times, what they have waiting and the tries they had. Returns the virtual time of the
    /// last turn.
    fn run(waiting: &mut [(u64, usize, usize)], turns: usize) -> u64 {
        let mut served = 0;
        for _ in 0..turns {
            let busy = waiting.iter_mut().filter(|(_, left, _)| *left > 0);
            let Some(next) = busy.min_by_key(|(time, ..)| *time) else { return served };
            served = next.0;
            next.0 = after_try(next.0, Turn::Fresh);
            next.1 -= 1;
            next.2 += 1;
        }
        served
    }

    #[test]
    fn a_team_with_many_bookings_does_not_hold_up_the_others() {
        let mut teams = [(0, 100_000, 0), (0, 10, 0), (0, 10, 0)];
        run(&mut teams, 30);
        assert_eq!(teams.map(|(_, _, tries)| tries), [10, 10, 10]);
    }

    #[test]
    fn a_team_that_was_idle_has_not_saved_up_turns() {
        let mut teams = [(0, 1_000, 0), (0, 0, 0)];
        let served = run(&mut teams, 500);
        teams[1] = (on_arrival(teams[1].0, served), 500, 0);
        run(&mut teams, 100);
        assert!((49..=51).contains(&teams[1].2), "{teams:?}");
    }

    proptest! {
        #[test]
        fn no_team_gets_more_than_one_turn_ahead(waiting in prop::collection::vec(50_usize..200, 2..8), turns in 1_usize..300) {
            let mut teams: Vec<_> = waiting.iter().map(|left| (0, *left, 0)).collect();
            let most = teams.len() * 50;
            run(&mut teams, turns.min(most));
            let tries = teams.iter().map(|(_, _, tries)| *tries);
            let (least, most) = (tries.clone().min().unwrap_or(0), tries.max().unwrap_or(0));
            prop_assert!(most - least <= 1, "{teams:?}");
        }
    }
}
