//! A team's circuit: while its CRM asks for a pause, no booking of the team is tried, and none uses up a try.

use crm_contract::{Instant, Problem, Reaction};
use serde::{Deserialize, Serialize};

use crate::{Settings, progress::reaction};

/// From this many seconds on, a CRM that asks to wait means the account and not the one booking, such as an exhausted quota.
const OF_THE_ACCOUNT: u32 = 300;
/// This many passing failures in a row, without a success between them, open the circuit, too.
const FAILURES: u32 = 10;

/// Whether a team's bookings are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// No try begins before.
    pub open_until: Option<Instant>,
    /// Passing failures in a row, whichever bookings.
    failures: u32,
}

impl Circuit {
    /// Whether a try may begin.
    pub fn is_closed(&self, now: Instant) -> bool {
        self.open_until.is_none_or(|until| until <= now)
    }

    /// A booking of the team was delivered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A try ended with a problem. Returns whether the circuit opened, so that the booking's own schedule does not count the try.
    pub fn refused(&mut self, problem: &Problem, now: Instant, settings: &Settings) -> bool {
        if *reaction(problem) != Reaction::Retry {
            return false;
        }
        // Tries that were under way when the circuit opened say nothing new: they neither double the pause nor shorten it.
        let is_closed = self.is_closed(now);
        if is_closed {
            self.failures = self.failures.saturating_add(1);
        }
        let pause = match problem.retry_after {
            Some(seconds) if seconds >= OF_THE_ACCOUNT => u64::from(seconds).saturating_mul(1_000),
            _ if !is_closed => 0,
            _ if self.failures >= FAILURES => {
                let doubled = 1_u64.checked_shl(self.failures - FAILURES).unwrap_or(u64::MAX);
                settings.shortest_pause.saturating_mul(doubled)
            }
            _ => return false,
        };
        let until = now.saturating_add(pause.min(settings.longest_pause));
        self.open_until = if is_closed { Some(until) } else { self.open_until.max(Some(until)) };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crm_contract::Effect;

    fn busy(retry_after: Option<u32>) -> Problem {
        Problem { retry_after, ..Problem::new("busy", Reaction::Retry, "") }
    }

    #[test]
    fn an_exhausted_quota_pauses_the_team() {
        let mut circuit = Circuit::default();
        assert!(circuit.refused(&busy(Some(900)), 0, &Settings::default()));
        assert!(!circuit.is_closed(899_999) && circuit.is_closed(900_000));
        assert!(circuit.refused(&busy(Some(86_400)), 0, &Settings::default()));
        assert_eq!(circuit.open_until, Some(Settings::default().longest_pause));
        circuit.succeeded();
        assert!(circuit.is_closed(0));
    }

    #[test]
    fn failures_in_a_row_pause_the_team_for_ever_longer() {
        let mut circuit = Circuit::default();
        assert!((0..9).all(|_| !circuit.refused(&busy(None), 0, &Settings::default())));
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert!(circuit.refused(&busy(Some(299)), now, &Settings::default()));
            let until = circuit.open_until.unwrap();
            pauses.push((until - now) / 60_000);
            now = until;
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60]);
        circuit.succeeded();
        assert!(
            (0..9).all(|_| !circuit.refused(&busy(None), now, &Settings::default())),
            "a success starts the count again"
        );
    }

    #[test]
    fn what_a_pause_would_not_help_opens_no_circuit() {
        let mut circuit = Circuit::default();
        for reaction in [
            Reaction::FixBooking,
            Reaction::FixMapping,
            Reaction::AskAdmin,
            Reaction::Reconnect,
            Reaction::CheckFirst,
            Reaction::Other("later".into()),
        ] {
            for _ in 0..FAILURES {
                let problem = Problem { retry_after: Some(900), ..Problem::new("no", reaction.clone(), "") };
                assert!(!circuit.refused(&problem, 0, &Settings::default()), "{reaction:?}");
            }
        }
        let unknown = Problem { effect: Effect::Unknown, ..busy(Some(900)) };
        assert!(!circuit.refused(&unknown, 0, &Settings::default()), "it is looked for, as `check-first` says [H16]");
        assert_eq!(circuit, Circuit::default());
    }

    #[test]
    fn tries_that_were_under_way_when_the_circuit_opened_neither_double_the_pause_nor_shorten_it() {
        let mut circuit = Circuit::default();
        for _ in 0..FAILURES {
            circuit.refused(&busy(None), 0, &Settings::default());
        }
        for now in 1..5 {
            assert!(
                circuit.refused(&busy(None), now, &Settings::default()),
                "they do not count for their bookings either"
            );
        }
        assert_eq!(circuit.open_until, Some(Settings::default().shortest_pause));
        assert!(circuit.refused(&busy(Some(3_000)), 5, &Settings::default()));
        assert_eq!(circuit.open_until, Some(3_000_005), "the CRM asks for more");
        assert!(circuit.refused(&busy(Some(300)), 6, &Settings::default()));
        assert_eq!(circuit.open_until, Some(3_000_005));
        assert!(circuit.refused(&busy(None), 3_000_005, &Settings::default()));
        assert_eq!(circuit.open_until, Some(3_000_005 + 2 * Settings::default().shortest_pause));
    }
}
