//! The native JSON format: [`Booking`](crm_booking::Booking) as it is.

use crm_booking::Booking;

use crate::{CalendarRef, Fault, Intake, Reading, Received, check, json};

/// The native JSON format, described in `docs/mapping.md`.
#[derive(Debug)]
pub struct Native;

impl Intake for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn read(&self, body: &str, calendar: Option<CalendarRef<'_>>) -> Result<Received, Fault> {
        let booking: Booking = json::parse(body)?;
        check(&booking)?;
        if let Some(CalendarRef { team, calendar }) = calendar {
            for (path, found, expected) in
                [("team.id", &booking.team.id, team), ("calendar.id", &booking.calendar.id, calendar)]
            {
                if found != expected {
                    let reason = format!("expected `{expected}`, which the booking was sent for, found `{found}`");
                    return Err(Fault::new(path, reason));
                }
            }
        }
        Ok(Received::Booking(Box::new(Reading { booking, findings: Vec::new() })))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const BOOKING: &str = include_str!("../../../examples/booking.json");

    #[test]
    fn the_example_is_a_booking_and_survives_json() {
        let reading = Native.read(BOOKING, None).unwrap().booking().unwrap();
        for body in [serde_json::to_string(&reading.booking).unwrap(), format!("\u{feff}{BOOKING}")] {
            assert_eq!(Native.read(&body, None).unwrap().booking().as_ref(), Some(&reading));
        }
    }

    #[test]
    fn a_booking_sent_for_another_calendar_is_refused() {
        let read = |team, calendar| Native.read(BOOKING, Some(CalendarRef::new(team, calendar).unwrap()));
        assert!(read("minato-team", "intro-call").is_ok());
        for (team, calendar, expected) in [
            ("other", "intro-call", "team.id: expected `other`, which the booking was sent for, found `minato-team`"),
            (
                "minato-team",
                "other",
                "calendar.id: expected `other`, which the booking was sent for, found `intro-call`",
            ),
            ("minato-team", "Intro-Call", "calendar.id: expected `Intro-Call`"),
        ] {
            let fault = read(team, calendar).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}\nexpected {expected}");
        }
        let paths =
            [("", "c"), ("t", ""), (&*"t".repeat(201), "c")].map(|(t, c)| CalendarRef::new(t, c).unwrap_err().path);
        assert_eq!(paths, ["team.id", "calendar.id", "team.id"]);
    }

    #[test]
    fn null_stands_for_an_absent_list() {
        let mut booking: Value = serde_json::from_str(BOOKING).unwrap();
        let lists = ["companions", "hosts", "answers", "tracking", "extra"];
        lists.iter().for_each(|list| booking[*list] = Value::Null);
        let read = Native.read(&booking.to_string(), None).unwrap().booking().unwrap().booking;
        assert!(read.companions.is_empty() && read.hosts.is_empty() && read.answers.is_empty());
        assert!(read.tracking.is_empty() && read.extra.is_empty());
    }

    #[test]
    fn a_fault_is_named_with_its_path_and_what_was_expected() {
        let example: Value = serde_json::from_str(BOOKING).unwrap();
        let with = |pointer: &str, value: Value| {
            let mut changed = example.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            changed.to_string()
        };
        for (text, expected) in [
            (with("/answers/3/value", json!({})), "answers[3].value: expected text or list"),
            (with("/answers/3/required", json!("yes")), "answers[3].required: expected a boolean, found string"),
            (with("/guest/email", json!(7)), "guest.email: expected a string, found integer `7`"),
            (with("/start", json!("2026-12-02 08:30")), "start: expected RFC 3339 with an offset"),
            (with("/end", json!("2026-12-01T08:30:00+09:00")), "end: 2026-12-01T08:30:00+09:00 is before the start"),
            (with("/start", json!("20261202T083000+0900")), "start: expected RFC 3339 with an offset"),
            (with("/start", json!("+002026-12-02T08:30:00+09:00")), "start: expected RFC 3339 with an offset"),
            (with("/start", json!("2026-12-02T08:30:00+09:00[Asia/Tokyo]")), "start: expected RFC 3339 with an offset"),
            (
                with("/start", json!("2026-12-02T08:30:00Z")),
                "start: expected the offset of Asia/Tokyo, +09: 2026-12-02T17:30, found",
            ),
            (
                with("/kind", json!("confirmed")).replacen("{", r#"{"previous_id":"b-0","#, 1),
                "previous_id: a confirmed booking",
            ),
            (with("/time_zone", json!("JST+9")), "time_zone: expected an IANA name"),
            (with("/change_id", json!("")), "change_id: expected 1 to 200 bytes, found 0"),
            (with("/change_id", json!("変".repeat(67))), "change_id: expected 1 to 200 bytes, found 201"),
            (with("/change_id", json!(7)), "change_id: expected a string"),
            (with("/changed_at", json!("2026-11-24T09:05:09")), "changed_at: expected RFC 3339 with an offset"),
            (with("/changed_at", json!("2026-11-24 09:05:09Z")), "changed_at: expected RFC 3339 with an offset"),
            (with("/id", json!("")), "id: expected 1 to 200 bytes, found 0"),
            (with("/kind", json!("new")), "kind: unknown variant `new`, expected one of `confirmed`"),
            (BOOKING.replace("\"email\":", "\"e_mail\":"), "guest.e_mail: unknown field `e_mail`"),
            ("{".to_owned(), "EOF while parsing"),
            ("[]".to_owned(), "invalid length 0"),
            (format!("{BOOKING} x"), "trailing characters"),
        ] {
            let fault = Native.read(&text, None).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}\nexpected {expected}");
        }
    }
}
