//! What the bodies of all services need.

use crm_booking::Booking;
use crm_contract::Consequence;
use jiff::{
    Timestamp,
    fmt::temporal::Pieces,
    tz::{Offset, TimeZone},
};

use crate::{
    Fault, Reading, Reason, Received, check,
    lenient::{Losses, Node},
};

/// Checks a booking. `paths` has where in the body is what the booking has at a path.
pub(crate) fn received(booking: Booking, losses: Losses, paths: &[(&str, &str)]) -> Result<Received, Fault> {
    check(&booking).map_err(|fault| {
        let in_body = paths.iter().find(|(path, _)| *path == fault.path);
        Fault { path: in_body.map_or(fault.path, |(_, in_body)| (*in_body).to_owned()), ..fault }
    })?;
    Ok(Received::Booking(Box::new(Reading { booking, findings: losses.into_findings() })))
}

pub(crate) fn ignored(event: String, reason: Reason) -> Received {
    Received::Ignored { event, reason }
}

/// A time as it is in a zone.
pub(crate) fn local(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The booked zone. If it is not named, one that has the offset of the start, so that date and time are those that the guest saw.
pub(crate) fn booked_zone(zone: &Node<'_>, start: &Node<'_>, losses: &mut Losses) -> TimeZone {
    let named = zone.text(losses);
    if let Some(zone) = named.as_ref().and_then(|name| TimeZone::get(name).ok()) {
        return zone;
    }
    let start = start.required_text().unwrap_or_default();
    let offset = Pieces::parse(&start).ok().and_then(|start| start.to_numeric_offset());
    let seconds = offset.map(Offset::seconds).unwrap_or_default();
    // The names of `Etc` count the other way (IANA, file `etcetera`). Offsets with a fraction of an hour have no name.
    let hours = -seconds / 3600;
    let name = if seconds % 3600 == 0 && hours != 0 { format!("Etc/GMT{hours:+}") } else { "UTC".to_owned() };
    let reason = format!("expected an IANA name such as Asia/Tokyo; read as {name}");
    losses.note(zone.path(), Consequence::Changed, &reason);
    TimeZone::get(&name).unwrap_or(TimeZone::UTC)
}

/// The stable id of a question that has none: its position, counted from 0, and its label.
pub(crate) fn question_id(position: usize, label: &str) -> String {
    format!("q{}-{}", position.saturating_add(1), referable(label))
}

/// A text that a template can refer to: a brace would end the reference, and white space around it is ignored.
pub(crate) fn referable(text: &str) -> String {
    text.replace('{', "(").replace('}', ")").trim().to_owned()
}
