//! The native JSON format: [`Booking`](crm_booking::Booking) as it is.

use crate::{Fault, Intake, Received, check, json};

/// The native JSON format, described in `docs/mapping.md`.
#[derive(Debug)]
pub struct Native;

impl Intake for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn read(&self, body: &str) -> Result<Received, Fault> {
        let booking = json::parse(body)?;
        check(&booking)?;
        Ok(Received { booking, findings: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const BOOKING: &str = include_str!("../../../examples/booking.json");

    #[test]
    fn the_example_is_a_booking_and_survives_json() {
        let received = Native.read(BOOKING).unwrap();
        assert_eq!(Native.read(&serde_json::to_string(&received.booking).unwrap()).unwrap(), received);
        assert_eq!(Native.read(&format!("\u{feff}{BOOKING}")).unwrap(), received);
    }

    #[test]
    fn null_stands_for_an_absent_list() {
        let mut booking: Value = serde_json::from_str(BOOKING).unwrap();
        let lists = ["companions", "hosts", "answers", "tracking", "extra"];
        lists.iter().for_each(|list| booking[*list] = Value::Null);
        let read = Native.read(&booking.to_string()).unwrap().booking;
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
            (with("/id", json!("")), "id: expected 1 to 200 bytes, found 0"),
            (with("/kind", json!("new")), "kind: unknown variant `new`, expected one of `confirmed`"),
            (BOOKING.replace("\"email\":", "\"e_mail\":"), "guest.e_mail: unknown field `e_mail`"),
            ("{".to_owned(), "EOF while parsing"),
            ("[]".to_owned(), "invalid length 0"),
            (format!("{BOOKING} x"), "trailing characters"),
        ] {
            let fault = Native.read(&text).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}\nexpected {expected}");
        }
    }
}
