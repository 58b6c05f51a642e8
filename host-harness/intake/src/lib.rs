//! Reads bookings: the webhook bodies of scheduling services, and the native JSON format.
//!
//! Each service is an [`Intake`]. What it reads is checked before it is handed on, and a fault names its path in the body.

pub mod json;
mod lenient;
mod native;
mod timerex;

pub use native::Native;
pub use timerex::Timerex;

use std::fmt;

use crm_booking::{Booking, Explained, Kind};
use jiff::{Timestamp, tz::TimeZone};

/// A format in which bookings arrive.
pub trait Intake: fmt::Debug + Send + Sync {
    /// The format's name, for example in `--format`.
    fn name(&self) -> &'static str;

    /// Reads one body.
    ///
    /// # Errors
    /// If the body is not JSON of this format, or lacks what a booking needs.
    fn read(&self, body: &str) -> Result<Received, Fault>;
}

/// A booking as it was received.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The booking.
    pub booking: Booking,
    /// What of the body was not read, or not as it is: `body-value-unreadable`.
    pub findings: Vec<Explained>,
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

/// Checks what the types of a booking do not: times, the zone, ids. Every [`Intake`] does so.
///
/// # Errors
/// If a time is not RFC 3339 with the offset of the zone, the zone is unknown, the end is before the start, or an id is too
/// short or too long.
pub fn check(booking: &Booking) -> Result<(), Fault> {
    let zone = zone("time_zone", &booking.time_zone)?;
    let (start, end) = (time("start", &booking.start, &zone)?, time("end", &booking.end, &zone)?);
    if let Some(confirmed_at) = &booking.confirmed_at {
        time("confirmed_at", confirmed_at, &zone)?;
    }
    if end < start {
        return Err(Fault::new("end", format!("{} is before the start, {}", booking.end, booking.start)));
    }
    if booking.previous_id.is_some() && booking.kind == Kind::Confirmed {
        return Err(Fault::new("previous_id", "a confirmed booking replaces none; expected kind `rescheduled`"));
    }
    let ids = [("id", &booking.id), ("team.id", &booking.team.id), ("calendar.id", &booking.calendar.id)];
    for (path, id) in ids.into_iter().chain(booking.previous_id.as_ref().map(|id| ("previous_id", id))) {
        if id.is_empty() || id.len() > 200 {
            return Err(Fault::new(path, format!("expected 1 to 200 bytes, found {}", id.len())));
        }
    }
    Ok(())
}

/// Reads a time whose date and time of day are those of the booked zone: attributes are taken from the text by position.
fn time(path: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Fault> {
    let fault = || {
        let expected = "expected RFC 3339 with an offset, as in 2026-12-02T08:30:00+09:00";
        Fault::new(path, format!("{expected}, found `{text}`"))
    };
    // jiff reads more than RFC 3339.
    if !has_form_of_rfc_3339(text) {
        return Err(fault());
    }
    let time: Timestamp = text.parse().map_err(|_| fault())?;
    let local = zone.to_datetime(time).strftime("%Y-%m-%dT%H:%M").to_string();
    if text.get(..16) != Some(&local) {
        let offset = zone.to_offset(time);
        let name = zone.iana_name().unwrap_or_default();
        return Err(Fault::new(path, format!("expected the offset of {name}, {offset}: {local}, found `{text}`")));
    }
    Ok(time)
}

/// `2026-12-02T08:30:00`, an optional fraction, then `Z` or `+09:00`.
fn has_form_of_rfc_3339(text: &str) -> bool {
    let is = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(found, form)| match form {
                b'0' => found.is_ascii_digit(),
                b'+' => matches!(found, b'+' | b'-'),
                _ => found == form,
            })
    };
    let Some((time, rest)) = text.split_at_checked(19) else { return false };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
            fraction.trim_start_matches(|c: char| c.is_ascii_digit())
        }
        Some(_) => return false,
        None => rest,
    };
    is(time, "0000-00-00T00:00:00") && (offset == "Z" || is(offset, "+00:00"))
}

fn zone(path: &str, name: &str) -> Result<TimeZone, Fault> {
    TimeZone::get(name)
        .map_err(|_| Fault::new(path, format!("expected an IANA name such as Asia/Tokyo, found `{name}`")))
}
