//! A moment after which nothing may be sent.

use std::time::{Duration, Instant, SystemTime};

/// A moment after which nothing may be sent.
///
/// It has passed as soon as either clock says so: the monotonic one does not count the time that a machine slept, and the other one can
/// be set.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    from: (Instant, SystemTime),
    time: Duration,
}

impl Deadline {
    /// `time` after `asked`, the moment at which the claim was asked for: it cannot have begun earlier.
    pub fn after(asked: Asked, time: Duration) -> Self {
        Self { from: asked.0, time }
    }

    /// How long until then; zero if it has passed.
    pub fn left(&self) -> Duration {
        let by_the_clock = self.from.1.elapsed().unwrap_or_default();
        self.time.saturating_sub(self.from.0.elapsed().max(by_the_clock))
    }
}

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Asked((Instant, SystemTime));

impl Asked {
    /// This moment.
    pub fn now() -> Self {
        Self((Instant::now(), SystemTime::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_by_either_clock() {
        let time = Duration::from_secs(60);
        assert!(Deadline::after(Asked::now(), time).left() > Duration::from_secs(50));
        let (now, wall) = (Instant::now(), SystemTime::now());
        let by_wall = Asked((now, wall - Duration::from_secs(61)));
        assert_eq!(Deadline::after(by_wall, time).left(), Duration::ZERO);
        if let Some(earlier) = now.checked_sub(Duration::from_secs(61)) {
            assert_eq!(Deadline::after(Asked((earlier, wall)), time).left(), Duration::ZERO);
        }
        let set_back = Asked((now, wall + Duration::from_secs(86_400)));
        assert!(Deadline::after(set_back, time).left() > Duration::from_secs(50), "a clock that was set back");
    }
}
