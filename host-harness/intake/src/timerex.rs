//! The webhook body of TimeRex. Its answers have no ids, so they get stable ones from position and label.

use crm_booking::{
    Answer, AnswerValue, Booking, Calendar, Guest, Kind, Person, Place, PlaceKind, Question, QuestionKind, Team,
};
use crm_contract::{Consequence, Parameter};
use jiff::{
    Timestamp,
    fmt::temporal::Pieces,
    tz::{Offset, TimeZone},
};
use serde_json::Value;

use crate::{
    Fault, Intake, Received, check, json,
    lenient::{Losses, Node},
};

/// The webhook body of the scheduling service TimeRex.
#[derive(Debug)]
pub struct Timerex;

impl Intake for Timerex {
    fn name(&self) -> &'static str {
        "timerex"
    }

    fn read(&self, body: &str) -> Result<Received, Fault> {
        let body: Value = json::parse(body)?;
        let mut losses = Losses::default();
        let booking = booking(&Node::root(&body), &mut losses)?;
        check(&booking).map_err(|fault| Fault { path: in_body(fault.path), ..fault })?;
        Ok(Received { booking, findings: losses.into_findings() })
    }
}

/// Where the body has what the booking has at a path.
fn in_body(path: String) -> String {
    let in_body = match path.as_str() {
        "start" => "event.local_start_datetime",
        "end" => "event.local_end_datetime",
        "confirmed_at" => "event.created_at",
        "time_zone" => "event.timezone",
        "id" => "event.id",
        "previous_id" => "event.old_event_id",
        "team.id" => "team_url_path",
        "calendar.id" => "calendar_url_path",
        _ => return path,
    };
    in_body.to_owned()
}

/// Reads a body. The service adds keys over time, and not every body has all of them.
fn booking(body: &Node<'_>, losses: &mut Losses) -> Result<Booking, Fault> {
    let webhook_type = body.get("webhook_type").required_text()?;
    if webhook_type != "event_confirmed" {
        let reason = format!("expected `event_confirmed`, found `{webhook_type}`: only confirmed bookings are read");
        return Err(Fault::new("webhook_type", reason));
    }
    let event = body.get("event");
    let event = event.object(losses).ok_or_else(|| event.fault("an object"))?;
    let (start, end) = (time(&event.get("local_start_datetime"))?, time(&event.get("local_end_datetime"))?);
    let zone = booked_zone(&event, losses);
    let local = |time: Timestamp| time.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    let created_at = event.get("created_at");
    let confirmed_at = created_at.text(losses).and_then(|text| match text.parse() {
        Ok(time) => Some(local(time)),
        Err(_) => {
            losses.note(created_at.path(), Consequence::LeftOut, "expected a time with an offset");
            None
        }
    });
    let form: Vec<FormField> = event
        .get("form")
        .items(losses)
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| Some(FormField::read(index, &entry.object(losses)?, losses)))
        .collect();
    let first_text = |kind: &str| {
        form.iter().find(|field| field.field_type == kind).and_then(|field| match &field.answer.value {
            Some(AnswerValue::Text(text)) => Some(text.clone()),
            _ => None,
        })
    };
    let hosts = event.get("hosts").items(losses);
    let hosts = hosts.iter().filter_map(|host| host.object(losses)).collect::<Vec<_>>();
    let calendar_id = body.get("calendar_url_path").required_text()?;
    let calendar_name = body.get("calendar_name").text(losses).unwrap_or_else(|| calendar_id.clone());
    let previous_id = event.get("old_event_id").text(losses).filter(|id| !id.is_empty());
    Ok(Booking {
        kind: if previous_id.is_some() { Kind::Rescheduled } else { Kind::Confirmed },
        id: event.get("id").required_text()?,
        previous_id,
        team: Team { id: body.get("team_url_path").required_text()?, name: None },
        title: calendar_name.clone(),
        calendar: Calendar {
            id: calendar_id,
            name: calendar_name,
            url: body.get("calendar_url").text(losses),
            locale: None,
        },
        start: local(start),
        end: local(end),
        confirmed_at,
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        guest: Guest {
            name: first_text("guest_name").unwrap_or_default(),
            family_name: None,
            given_name: None,
            family_name_kana: None,
            given_name_kana: None,
            email: first_text("guest_email"),
            phone: first_text("phone_number"),
            company: first_text("company_name"),
            locale: event.get("guest_locale").text(losses),
        },
        comment: first_text("guest_comment"),
        place: place(&event, losses),
        companions: Vec::new(),
        hosts: hosts
            .iter()
            .map(|host| Person { id: None, name: host.get("name").text(losses), email: host.get("email").text(losses) })
            .collect(),
        tracking: tracking(&event.get("url_params"), losses),
        payment: None,
        extra: Vec::new(),
        form: Some(form.iter().map(|field| field.question.clone()).collect()),
        answers: form.into_iter().map(|field| field.answer).collect(),
    })
}

fn time(node: &Node<'_>) -> Result<Timestamp, Fault> {
    let text = node.required_text()?;
    text.parse().map_err(|_| Fault::new(node.path(), format!("expected a time with an offset, found `{text}`")))
}

/// The booked zone. If it is not named, one that has the offset of the start, so that date and time are those that the guest saw.
fn booked_zone(event: &Node<'_>, losses: &mut Losses) -> TimeZone {
    let node = event.get("timezone");
    let named = node.text(losses);
    if let Some(zone) = named.as_ref().and_then(|name| TimeZone::get(name).ok()) {
        return zone;
    }
    let start = event.get("local_start_datetime").required_text().unwrap_or_default();
    let offset = Pieces::parse(&start).ok().and_then(|start| start.to_numeric_offset());
    let seconds = offset.map(Offset::seconds).unwrap_or_default();
    // The names of `Etc` count the other way (IANA, file `etcetera`). There are none for parts of an hour.
    let hours = -seconds / 3600;
    let name = if seconds % 3600 == 0 && hours != 0 { format!("Etc/GMT{hours:+}") } else { "UTC".to_owned() };
    losses.note(
        node.path(),
        Consequence::Changed,
        &format!("expected an IANA name such as Asia/Tokyo; read as {name}"),
    );
    TimeZone::get(&name).unwrap_or(TimeZone::UTC)
}

fn place(event: &Node<'_>, losses: &mut Losses) -> Option<Place> {
    let provider = event.get("online_meeting_provider").text(losses);
    let meetings = ["zoom_meeting", "google_meet_meeting", "microsoft_teams_meeting"];
    let join_url = meetings.into_iter().find_map(|name| event.get(name).object(losses)?.get("join_url").text(losses));
    if provider.is_none() && join_url.is_none() {
        return None;
    }
    Some(Place { kind: PlaceKind::Online, provider, join_url, address: None })
}

/// A list of objects with one key each, or one object with all of them: both are sent.
fn tracking(node: &Node<'_>, losses: &mut Losses) -> Vec<Parameter> {
    let members = if node.is_object() {
        node.members(losses)
    } else {
        node.items(losses).iter().flat_map(|item| item.members(losses)).collect()
    };
    members.into_iter().filter_map(|(name, value)| Some(Parameter::new(name, value.text(losses)?))).collect()
}

/// An entry of the form: a question with its answer.
struct FormField {
    field_type: String,
    question: Question,
    answer: Answer,
}

impl FormField {
    fn read(index: usize, entry: &Node<'_>, losses: &mut Losses) -> Self {
        let field_type = entry.get("field_type").text(losses).unwrap_or_default();
        let label = entry.get("label");
        let label = label.text(losses).unwrap_or_else(|| {
            if !label.is_given() {
                losses.note(label.path(), Consequence::Changed, "the question has no label; its type stands for it");
            }
            field_type.clone()
        });
        // A brace would end a template's reference, and white space around one is ignored.
        let id = format!("q{}-{}", index + 1, label.replace('{', "(").replace('}', ")").trim());
        let kind = kind(&field_type);
        let required = entry.get("required").is_true(losses);
        let choices = entry.get("options").items(losses).iter().filter_map(|option| option.text(losses)).collect();
        let value = entry.get("value").answer(losses);
        Self {
            field_type,
            question: Question { id: id.clone(), label: label.clone(), kind, required, choices },
            answer: Answer { question_id: id, label, kind, required, value },
        }
    }
}

fn kind(field_type: &str) -> QuestionKind {
    match field_type {
        "company_name" => QuestionKind::Company,
        "guest_name" => QuestionKind::Name,
        "guest_email" => QuestionKind::Email,
        "guest_comment" => QuestionKind::Comment,
        "phone_number" => QuestionKind::Phone,
        "radio" => QuestionKind::Radio,
        "dropdown" => QuestionKind::Dropdown,
        "checkboxes" => QuestionKind::Checkboxes,
        "paragraph" => QuestionKind::Paragraph,
        "text" => QuestionKind::Text,
        _ => QuestionKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Native;

    /// Webhook bodies, and the bookings that they are read as.
    const FIXTURES: &[(&str, &str, &str)] = &[
        (
            "confirmed, online",
            include_str!("../../../examples/timerex-webhook.json"),
            include_str!("../fixtures/timerex/confirmed.booking.json"),
        ),
        (
            "rescheduled, in one's own room, parameters as one object",
            include_str!("../fixtures/timerex/rescheduled.json"),
            include_str!("../fixtures/timerex/rescheduled.booking.json"),
        ),
        (
            "as little as there can be",
            include_str!("../fixtures/timerex/minimal.json"),
            include_str!("../fixtures/timerex/minimal.booking.json"),
        ),
    ];

    #[test]
    fn every_webhook_body_is_read_as_its_booking() {
        for (name, body, booking) in FIXTURES {
            let read = Timerex.read(body).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            assert_eq!(read, Native.read(booking).unwrap(), "{name}");
        }
    }

    #[test]
    fn what_a_booking_needs_is_named_with_its_path() {
        let example: Value = serde_json::from_str(FIXTURES[0].1).unwrap();
        for (pointer, value, expected) in [
            ("/event/local_end_datetime", json!("2026-12-01T00:00:00+09:00"), "event.local_end_datetime: 2026-12-01"),
            ("/event/local_start_datetime", json!("8:30"), "event.local_start_datetime: expected a time"),
            ("/event/id", json!(""), "event.id: expected 1 to 200 bytes"),
            ("/event/id", json!([]), "event.id: expected text, found a list"),
            ("/event", json!(null), "event: expected an object, found nothing"),
            ("/webhook_type", json!("event_cancelled"), "webhook_type: expected `event_confirmed`"),
        ] {
            let mut changed = example.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            let fault = Timerex.read(&changed.to_string()).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}\nexpected {expected}");
        }
    }

    #[test]
    fn the_rest_is_read_as_far_as_it_goes_and_each_loss_is_told() {
        let example: Value = serde_json::from_str(FIXTURES[0].1).unwrap();
        for (pointer, value, expected) in [
            ("/event/form/3/value", json!({}), "event.form[3].value: expected text or a list, found an object"),
            ("/event/created_at", json!("yesterday"), "event.created_at: expected a time with an offset"),
            (
                "/event/timezone",
                json!("Tokyo"),
                "event.timezone: expected an IANA name such as Asia/Tokyo; read as Etc/GMT-9",
            ),
            ("/event/url_params", json!("a=b"), "event.url_params: expected a list, found text"),
        ] {
            let mut changed = example.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            let received = Timerex.read(&changed.to_string()).unwrap();
            let told: Vec<_> = received.findings.iter().map(|found| found.finding.message.as_str()).collect();
            assert_eq!(told, [expected]);
        }
        let mut nameless = example.clone();
        nameless["event"]["timezone"] = json!(null);
        nameless["event"]["local_start_datetime"] = json!("2026-12-02T05:00:00+05:30");
        nameless["event"]["local_end_datetime"] = json!("2026-12-02T05:30:00+05:30");
        let booking = Timerex.read(&nameless.to_string()).unwrap().booking;
        assert_eq!((&*booking.time_zone, &*booking.start), ("UTC", "2026-12-01T23:30:00+00:00"));
    }
}
