//! The org's time: the machine's clock, or a fixed clock that moves only when advanced.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, fmt::strtime};

/// A clock shared by every part of the org. Advancing it lets tests skip weeks at once.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Base time of a fixed clock; `None` follows the machine's clock.
    fixed: Option<Timestamp>,
    advanced: Arc<Mutex<SignedDuration>>,
}

impl Clock {
    /// Follows the machine's clock.
    pub fn system() -> Self {
        Self { fixed: None, advanced: Arc::default() }
    }

    /// Stays at `start` until advanced.
    pub fn fixed(start: Timestamp) -> Self {
        Self { fixed: Some(start), advanced: Arc::default() }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        let advanced = *self.advanced.lock().unwrap_or_else(PoisonError::into_inner);
        self.fixed.unwrap_or_else(Timestamp::now).saturating_add(advanced).unwrap_or(Timestamp::MAX)
    }

    /// Advances this clock and all its clones.
    pub fn advance(&self, by: SignedDuration) {
        let mut advanced = self.advanced.lock().unwrap_or_else(PoisonError::into_inner);
        *advanced = advanced.saturating_add(by);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// A date-time in the REST API's format: UTC, milliseconds, an offset without a colon (`2022-03-17T16:21:26.000+0000`).
pub fn rest_datetime(time: Timestamp) -> String {
    let whole = time.as_second();
    let time = Timestamp::from_second(whole).unwrap_or(time);
    strtime::format("%Y-%m-%dT%H:%M:%S.000+0000", time).unwrap_or_default()
}

/// A date-time in the HTTP header format (RFC 9110, section 5.6.7).
pub fn http_date(time: Timestamp) -> String {
    strtime::format("%a, %d %b %Y %H:%M:%S GMT", time).unwrap_or_default()
}

/// Parses the date of an HTTP header.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_use_the_rest_and_http_formats() {
        let time: Timestamp = "2022-03-17T16:21:26.789Z".parse().unwrap();
        assert_eq!(rest_datetime(time), "2022-03-17T16:21:26.000+0000");
        assert_eq!(http_date(time), "Thu, 17 Mar 2022 16:21:26 GMT");
        assert_eq!(parse_http_date("Thu, 17 Mar 2022 16:21:26 GMT"), Some("2022-03-17T16:21:26Z".parse().unwrap()));
        assert_eq!(parse_http_date("yesterday"), None);
    }

    #[test]
    fn a_fixed_clock_moves_only_when_advanced() {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().unwrap());
        let shared = clock.clone();
        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(shared.now(), "2026-01-01T01:00:00Z".parse::<Timestamp>().unwrap());
    }
}
