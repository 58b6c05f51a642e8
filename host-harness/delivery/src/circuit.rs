//! A team's circuit: while its CRM asks for a pause, no booking of the team is tried, and none uses up a try.

use crm_contract::{Instant, Problem, Reaction};
use serde::{Deserialize, Serialize};

/// From this many seconds on, a CRM that asks to wait means the account and not the one booking, such as an exhausted quota.
const OF_THE_ACCOUNT: u32 = 300;
/// The longest pause. After it, one booking is tried.
const LONGEST: u64 = 3_600_000;
/// So many tries in a row that passed without any success open the circuit, too.
const FAILURES: u32 = 10;
/// The pause after failures, which doubles.
const SHORTEST: u64 = 300_000;

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
    pub fn refused(&mut self, problem: &Problem, now: Instant) -> bool {
        if problem.reaction != Reaction::Retry {
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        let pause = match problem.retry_after {
            Some(seconds) if seconds >= OF_THE_ACCOUNT => u64::from(seconds).saturating_mul(1_000),
            _ if self.failures >= FAILURES => {
                SHORTEST.saturating_mul(1_u64.checked_shl(self.failures - FAILURES).unwrap_or(u64::MAX))
            }
            _ => return false,
        };
        self.open_until = Some(now.saturating_add(pause.min(LONGEST)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(retry_after: Option<u32>) -> Problem {
        Problem { retry_after, ..Problem::new("busy", Reaction::Retry, "") }
    }

    #[test]
    fn an_exhausted_quota_pauses_the_team() {
        let mut circuit = Circuit::default();
        assert!(circuit.refused(&busy(Some(900)), 0));
        assert!(!circuit.is_closed(899_999) && circuit.is_closed(900_000));
        assert!(circuit.refused(&busy(Some(86_400)), 0));
        assert_eq!(circuit.open_until, Some(LONGEST));
        circuit.succeeded();
        assert!(circuit.is_closed(0));
    }

    #[test]
    fn failures_in_a_row_pause_the_team_for_ever_longer() {
        let mut circuit = Circuit::default();
        let opened: Vec<_> = (0..16).map(|_| circuit.refused(&busy(None), 0).then_some(circuit.open_until)).collect();
        assert!(opened.iter().take(9).all(Option::is_none));
        let pauses: Vec<_> = opened.iter().skip(9).map(|until| until.flatten().unwrap_or_default() / 60_000).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60]);
        let lasting = Problem::new("no", Reaction::AskAdmin, "");
        assert!(!circuit.refused(&lasting, 0), "another try would not help");
    }
}
