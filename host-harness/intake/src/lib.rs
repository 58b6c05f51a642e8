//! Reads bookings: the webhook bodies of scheduling services, and the native JSON format.
//!
//! Each service is an [`Intake`]. What it reads is checked before it is handed on, and a fault names its path in the body.

pub mod json;
mod native;
mod timerex;

pub use native::Native;
pub use timerex::Timerex;

use std::fmt;

use crm_booking::Booking;

/// A format in which bookings arrive.
pub trait Intake: fmt::Debug + Send + Sync {
    /// The format's name, for example in `--format`.
    fn name(&self) -> &'static str;

    /// Reads one body.
    ///
    /// # Errors
    /// If the body is not JSON of this format, or the booking in it is invalid.
    fn read(&self, body: &str) -> Result<Booking, Fault>;
}

/// All formats; the first is the default.
pub const FORMATS: &[&dyn Intake] = &[&Native, &Timerex];

/// The format of a name.
pub fn format(name: &str) -> Option<&'static dyn Intake> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// What is wrong with a body. Nothing was kept of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Fault {
    /// Where in the body, for example `event.form[3].value`; empty if it is about the whole.
    pub path: String,
    /// What is wrong there, and what was expected.
    pub reason: String,
}

impl Fault {
    fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

/// Checks what the types of a booking do not: times, the zone, ids.
fn check(booking: &Booking) -> Result<(), Fault> {
    let time = |path: &'static str, text: &str| {
        text.parse::<jiff::Timestamp>().map_err(|_| {
            Fault::new(
                path,
                format!("expected RFC 3339 with an offset, as in 2026-12-02T08:30:00+09:00, found `{text}`"),
            )
        })
    };
    let (start, end) = (time("start", &booking.start)?, time("end", &booking.end)?);
    time("confirmed_at", &booking.confirmed_at)?;
    if end < start {
        return Err(Fault::new("end", format!("{} is before the start, {}", booking.end, booking.start)));
    }
    zone("time_zone", &booking.time_zone)?;
    let ids = [("id", &booking.id), ("team.id", &booking.team.id), ("calendar.id", &booking.calendar.id)];
    for (path, id) in ids.into_iter().chain(booking.previous_id.as_ref().map(|id| ("previous_id", id))) {
        if id.is_empty() || id.len() > 200 {
            return Err(Fault::new(path, format!("expected 1 to 200 bytes, found {}", id.len())));
        }
    }
    Ok(())
}

fn zone(path: &str, name: &str) -> Result<jiff::tz::TimeZone, Fault> {
    jiff::tz::TimeZone::get(name)
        .map_err(|_| Fault::new(path, format!("expected an IANA name such as Asia/Tokyo, found `{name}`")))
}
