//! Reads bookings: the webhook bodies of scheduling services, and the native JSON format.
//!
//! Each format is an [`Intake`]. What it reads is checked before it is handed on, and a fault names its path in the body. A service
//! that sends webhooks is a [`Hook`] too: [`Hook::authenticate`] comes first, on the bytes as they arrived.
//!
//! ```
//! # use crm_intake::{Calendly, CalendarRef, Hook, HookRequest, HookSecret, Intake, Received};
//! # fn example(
//! #     headers: &http::HeaderMap, body: &[u8], secrets: &[HookSecret],
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! Calendly.authenticate(&HookRequest { headers, body }, secrets, jiff::Timestamp::now())?;
//! match Calendly.read(std::str::from_utf8(body)?, Some(CalendarRef::new("minato-team", "intro-call")?))? {
//!     Received::Booking(reading) => println!("{} {:?}", reading.booking.id, reading.booking.change_id),
//!     Received::Ignored { event, reason } => println!("{event}: {}", reason.code()),
//! }
//! # Ok(())
//! # }
//! ```

mod authentication;
mod calcom;
mod calendly;
pub mod json;
mod lenient;
mod native;
#[cfg(test)]
mod tests;
mod timerex;
mod webhook;

pub use authentication::{HookRequest, HookSecret, NotAuthentic, SHORTEST_SECRET, UnusableSecret};
pub use calcom::Calcom;
pub use calendly::Calendly;
pub use native::Native;
pub use timerex::Timerex;

use std::fmt;

use crm_booking::{Booking, Explained, Kind};
use jiff::{Timestamp, tz::TimeZone};

/// A format in which bookings arrive.
pub trait Intake: fmt::Debug + Send + Sync {
    /// The format's name, for example in `--format`.
    fn name(&self) -> &'static str;

    /// Reads one body. `calendar` is the calendar that the body was sent for. It replaces a service's own ids of team and calendar;
    /// a native booking must have the same ids.
    ///
    /// # Errors
    /// If the body is not JSON of this format, lacks what a booking needs, or is a native booking of another calendar.
    fn read(&self, body: &str, calendar: Option<CalendarRef<'_>>) -> Result<Received, Fault>;
}

/// A scheduling service that sends webhooks.
pub trait Hook: Intake {
    /// Checks that the service sent a request. Any of the secrets will do, so that one can be replaced without a gap.
    ///
    /// # Errors
    /// If the request does not prove that its sender has one of the secrets.
    fn authenticate(
        &self,
        request: &HookRequest<'_>,
        secrets: &[HookSecret],
        now: Timestamp,
    ) -> Result<(), NotAuthentic>;
}

/// All formats; the first is the default.
pub const FORMATS: &[&dyn Intake] = &[&Native, &Timerex, &Calendly, &Calcom];

/// All services that send webhooks.
pub const HOOKS: &[&dyn Hook] = &[&Timerex, &Calendly, &Calcom];

/// The format of a name.
pub fn format(name: &str) -> Option<&'static dyn Intake> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The service of a name.
pub fn hook(name: &str) -> Option<&'static dyn Hook> {
    HOOKS.iter().copied().find(|hook| hook.name() == name)
}

/// A calendar, and the team that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarRef<'a> {
    team: &'a str,
    calendar: &'a str,
}

impl<'a> CalendarRef<'a> {
    /// Names a calendar by two ids of 1 to 200 bytes.
    ///
    /// # Errors
    /// If an id is too short or too long. The fault's path is `team.id` or `calendar.id`.
    pub fn new(team: &'a str, calendar: &'a str) -> Result<Self, Fault> {
        check_id("team.id", team)?;
        check_id("calendar.id", calendar)?;
        Ok(Self { team, calendar })
    }
}

/// What a body says.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// A booking was confirmed, moved or cancelled.
    Booking(Box<Reading>),
    /// The body is well formed but has nothing to deliver. Reply with success, or the service sends it again.
    Ignored {
        /// The service's name of the event, for example `MEETING_ENDED`.
        event: String,
        /// Why it is ignored.
        reason: Reason,
    },
}

impl Received {
    /// The booking, if there is one.
    pub fn booking(self) -> Option<Reading> {
        match self {
            Self::Booking(reading) => Some(*reading),
            Self::Ignored { .. } => None,
        }
    }
}

/// A booking as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The booking.
    pub booking: Booking,
    /// What of the body was not read, or not as it is: `body-value-unreadable`.
    pub findings: Vec<Explained>,
}

/// Why an event is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The event neither confirms nor moves nor cancels a booking, or is unknown.
    NotAChange,
    /// A move is sent as two events, and this is the one that cancels the old booking. The other one has both bookings.
    HalfOfAMove,
}

impl Reason {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAChange => "not-a-change",
            Self::HalfOfAMove => "half-of-a-move",
        }
    }
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
/// If a time is not RFC 3339 with the offset of the zone (`changed_at`: any offset), the zone is unknown, the end is before the
/// start, or an id is too short or too long.
pub fn check(booking: &Booking) -> Result<(), Fault> {
    let zone = zone("time_zone", &booking.time_zone)?;
    let (start, end) = (local_time("start", &booking.start, &zone)?, local_time("end", &booking.end, &zone)?);
    if let Some(confirmed_at) = &booking.confirmed_at {
        local_time("confirmed_at", confirmed_at, &zone)?;
    }
    if let Some(changed_at) = &booking.changed_at {
        time("changed_at", changed_at)?;
    }
    if end < start {
        return Err(Fault::new("end", format!("{} is before the start, {}", booking.end, booking.start)));
    }
    if booking.previous_id.is_some() && booking.kind == Kind::Confirmed {
        return Err(Fault::new("previous_id", "a confirmed booking replaces none; expected kind `rescheduled`"));
    }
    let ids = [("id", &booking.id), ("team.id", &booking.team.id), ("calendar.id", &booking.calendar.id)];
    let optional = [("previous_id", &booking.previous_id), ("change_id", &booking.change_id)];
    let given = optional.into_iter().filter_map(|(path, id)| Some((path, id.as_ref()?)));
    ids.into_iter().chain(given).try_for_each(|(path, id)| check_id(path, id))
}

fn check_id(path: &str, id: &str) -> Result<(), Fault> {
    if id.is_empty() || id.len() > 200 {
        return Err(Fault::new(path, format!("expected 1 to 200 bytes, found {}", id.len())));
    }
    Ok(())
}

fn time(path: &str, text: &str) -> Result<Timestamp, Fault> {
    let fault = || {
        let expected = "expected RFC 3339 with an offset, as in 2026-12-02T08:30:00+09:00";
        Fault::new(path, format!("{expected}, found `{text}`"))
    };
    // jiff reads more than RFC 3339.
    if !has_form_of_rfc_3339(text) {
        return Err(fault());
    }
    text.parse().map_err(|_| fault())
}

/// Reads a time whose date and time of day are those of the booked zone: attributes are taken from the text by position.
fn local_time(path: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Fault> {
    let time = time(path, text)?;
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
