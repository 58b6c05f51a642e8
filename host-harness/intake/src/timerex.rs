//! The webhook body of TimeRex. Its answers have no ids, so they get stable ones from position and label.

use crm_booking::{
    Answer, AnswerValue, Booking, Calendar, Guest, Kind, Person, Place, PlaceKind, Question, QuestionKind, Team,
};
use crm_contract::{Consequence, Parameter};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    CalendarRef, Fault, Hook, HookRequest, HookSecret, Intake, NotAuthentic, Reason, Received, json,
    lenient::{Losses, Node},
    webhook::{booked_zone, ignored, local, question_id, received},
};

/// The scheduling service TimeRex.
#[derive(Debug)]
pub struct Timerex;

impl Hook for Timerex {
    /// A fixed header, which says nothing about the body and never expires. A request that is sent again is only known by its
    /// `change_id`.
    fn authenticate(
        &self,
        request: &HookRequest<'_>,
        secrets: &[HookSecret],
        _now: Timestamp,
    ) -> Result<(), NotAuthentic> {
        request.has_secret("x-timerex-authorization", secrets)
    }
}

impl Intake for Timerex {
    fn name(&self) -> &'static str {
        "timerex"
    }

    fn read(&self, body: &str, calendar: Option<CalendarRef<'_>>) -> Result<Received, Fault> {
        let body: Value = json::parse(body)?;
        let body = Node::root(&body);
        let mut losses = Losses::default();
        let webhook_type = body.get("webhook_type").required_text()?;
        let event = body.get("event");
        let previous_id = event.get("old_event_id").filled(&mut losses);
        let kind = match &*webhook_type {
            "event_confirmed" if previous_id.is_some() => Kind::Rescheduled,
            "event_confirmed" => Kind::Confirmed,
            "event_cancelled" if event.get("new_event_id").filled(&mut losses).is_some() => {
                return Ok(ignored(webhook_type, Reason::HalfOfAMove));
            }
            "event_cancelled" => Kind::Cancelled,
            _ => return Ok(ignored(webhook_type, Reason::NotAChange)),
        };
        received(booking((kind, previous_id), &body, calendar, &mut losses)?, losses, PATHS)
    }
}

/// Where the body has what the booking has at a path.
const PATHS: &[(&str, &str)] = &[
    ("start", "event.local_start_datetime"),
    ("end", "event.local_end_datetime"),
    ("confirmed_at", "event.created_at"),
    ("time_zone", "event.timezone"),
    ("id", "event.id"),
    ("change_id", "event.id"),
    ("previous_id", "event.old_event_id"),
    ("team.id", "team_url_path"),
    ("calendar.id", "calendar_url_path"),
];

/// Reads a body. The service adds keys over time, and not every body has all of them.
fn booking(
    (kind, previous_id): (Kind, Option<String>),
    body: &Node<'_>,
    calendar: Option<CalendarRef<'_>>,
    losses: &mut Losses,
) -> Result<Booking, Fault> {
    let event = body.get("event").required_object()?;
    let id = event.get("id").required_text()?;
    let start = event.get("local_start_datetime");
    let (starts, ends) = (start.required_time()?, event.get("local_end_datetime").required_time()?);
    let zone = booked_zone(&event.get("timezone"), &start, losses);
    let created_at = event.get("created_at").time(losses);
    // A moved booking has a new id, so each event has at most one of each change.
    let (change_id, changed_at) = match kind {
        Kind::Cancelled => (format!("event_cancelled:{id}"), event.get("canceled_at").time(losses)),
        Kind::Confirmed | Kind::Rescheduled => (format!("event_confirmed:{id}"), created_at),
    };
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
    let (team_id, calendar_id) = match calendar {
        Some(CalendarRef { team, calendar }) => (team.to_owned(), calendar.to_owned()),
        None => (body.get("team_url_path").required_text()?, body.get("calendar_url_path").required_text()?),
    };
    let calendar_name = body.get("calendar_name").text(losses).unwrap_or_else(|| calendar_id.clone());
    Ok(Booking {
        kind,
        id,
        previous_id,
        change_id: Some(change_id),
        changed_at: changed_at.map(|time| time.to_string()),
        team: Team { id: team_id, name: None },
        title: calendar_name.clone(),
        calendar: Calendar {
            id: calendar_id,
            name: calendar_name,
            url: body.get("calendar_url").text(losses),
            locale: None,
        },
        start: local(starts, &zone),
        end: local(ends, &zone),
        confirmed_at: created_at.map(|time| local(time, &zone)),
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
        let id = question_id(index, &label);
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
            "cancelled",
            include_str!("../fixtures/timerex/cancelled.json"),
            include_str!("../fixtures/timerex/cancelled.booking.json"),
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
            let read = Timerex.read(body, None).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            assert_eq!(read, Native.read(booking, None).unwrap(), "{name}");
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
            ("/webhook_type", json!(null), "webhook_type: expected text, found nothing"),
        ] {
            let mut changed = example.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            let fault = Timerex.read(&changed.to_string(), None).unwrap_err().to_string();
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
            let reading = Timerex.read(&changed.to_string(), None).unwrap().booking().unwrap();
            let told: Vec<_> = reading.findings.iter().map(|found| found.finding.message.as_str()).collect();
            assert_eq!(told, [expected]);
        }
        let mut nameless = example.clone();
        nameless["event"]["timezone"] = json!(null);
        nameless["event"]["local_start_datetime"] = json!("2026-12-02T05:00:00+05:30");
        nameless["event"]["local_end_datetime"] = json!("2026-12-02T05:30:00+05:30");
        let booking = Timerex.read(&nameless.to_string(), None).unwrap().booking().unwrap().booking;
        assert_eq!((&*booking.time_zone, &*booking.start), ("UTC", "2026-12-01T23:30:00+00:00"));
    }
}
