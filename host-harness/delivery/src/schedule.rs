//! When the next try begins, and how long there are tries.

use crm_contract::Instant;
use serde::{Deserialize, Serialize};

/// Times in milliseconds, and numbers of tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The longest wait before the second try; it doubles with each further one.
    pub shortest_wait: u64,
    /// The longest wait between two tries, unless the CRM asks for more.
    pub longest_wait: u64,
    /// How long there are tries after the booking was accepted.
    pub tries_last: u64,
    /// How long there are tries after the meeting, if that is later.
    pub tries_last_after_meeting: u64,
    /// How long the same refusal may pass before a person is told. The tries go on.
    pub told_after: u64,
    /// How long a worker may hold a booking. Longer than any call may last.
    pub lease: u64,
    /// How long a call may last. No request begins with less time left than its own timeout.
    pub call: u64,
    /// How often in a row a plugin may be stopped by the same booking, by a trap or a limit, before a person must look.
    pub stopped_tries: u32,
    /// How long a team is paused after ten passing failures in a row; it doubles with each further one.
    pub shortest_pause: u64,
    /// How long a team is paused at most. After it, its bookings are tried.
    pub longest_pause: u64,
    /// How many bookings of a team may be tried at the same time.
    pub in_flight: u32,
    /// How many of them may be ones that a person sends again.
    pub in_flight_resent: u32,
}

impl Default for Settings {
    fn default() -> Self {
        const SECOND: u64 = 1_000;
        const HOUR: u64 = 3_600 * SECOND;
        const DAY: u64 = 24 * HOUR;
        Self {
            shortest_wait: 5 * SECOND,
            longest_wait: HOUR,
            tries_last: 3 * DAY,
            tries_last_after_meeting: DAY,
            told_after: DAY,
            lease: 90 * SECOND,
            call: 60 * SECOND,
            stopped_tries: 5,
            shortest_pause: 300 * SECOND,
            longest_pause: HOUR,
            in_flight: 5,
            in_flight_resent: 2,
        }
    }
}

impl Settings {
    /// The wait after this many tries in a row that passed without success. `random` is from 0 to 1: with full jitter, those who failed
    /// at the same moment do not come back at the same moment. `retry_after` is the CRM's own wish in seconds.
    pub(crate) fn wait(&self, tries: u32, retry_after: Option<u32>, random: f64) -> u64 {
        let doubled = 1_u64.checked_shl(tries.saturating_sub(1)).unwrap_or(u64::MAX);
        let most = self.shortest_wait.saturating_mul(doubled).min(self.longest_wait);
        // Far below 2^53, where every whole number is exact.
        let jitter = (most as f64 * random.clamp(0.0, 1.0)) as u64;
        let asked = u64::from(retry_after.unwrap_or_default()).saturating_mul(1_000);
        asked.saturating_add(jitter)
    }

    /// When the tries end.
    pub(crate) fn last_try(&self, accepted: Instant, meeting_end: Instant) -> Instant {
        let after_accepted = accepted.saturating_add(self.tries_last);
        after_accepted.max(meeting_end.saturating_add(self.tries_last_after_meeting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_waits_double_up_to_an_hour() {
        let settings = Settings::default();
        let waits: Vec<_> = (1..=13).map(|tries| settings.wait(tries, None, 1.0) / 1_000).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600]);
        assert_eq!(settings.wait(3, None, 0.0), 0);
        assert_eq!(settings.wait(1, Some(900), 1.0), 905_000);
        assert_eq!(settings.wait(u32::MAX, None, 1.0), 3_600_000);
    }

    proptest! {
        #[test]
        fn a_wait_is_at_least_what_the_crm_asks_for(tries: u32, asked: Option<u32>, random in -1.0..2.0) {
            let settings = Settings::default();
            let wait = settings.wait(tries, asked, random);
            let asked = u64::from(asked.unwrap_or_default()) * 1_000;
            prop_assert!((asked..=asked + settings.longest_wait).contains(&wait));
        }

        #[test]
        fn tries_last_until_the_later_of_both_ends(accepted in 0..1_u64 << 50, end in 0..1_u64 << 50) {
            let settings = Settings::default();
            let last = settings.last_try(accepted, end);
            prop_assert!(last >= accepted + settings.tries_last && last >= end + settings.tries_last_after_meeting);
        }
    }
}
