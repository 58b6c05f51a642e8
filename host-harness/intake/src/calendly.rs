//! The webhook body of Calendly (API v2): `invitee.created` and `invitee.canceled`. A booking is an invitee, since several can be
//! invited to one event. Questions have no ids, and nothing is known of their kinds.
//!
//! Source: developer.calendly.com, "Webhook Payload", "Webhook Signatures" and "Webhook Payloads for Rescheduled Events".

use crm_booking::{
    Answer, Booking, Calendar, Guest, Kind, Payment, Person, Place, PlaceKind, QuestionKind, Team, is_blank,
};
use crm_contract::{Consequence, Parameter};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    CalendarRef, Fault, Hook, HookRequest, HookSecret, Intake, NotAuthentic, Reason, Received,
    authentication::is_signed,
    json,
    lenient::{Losses, Node},
    webhook::{booked_zone, ignored, local, question_id, received},
};

/// The scheduling service Calendly.
#[derive(Debug)]
pub struct Calendly;

const SIGNATURE: &str = "calendly-webhook-signature";

/// Calendly's own example takes signatures of three minutes. In the other direction a clock may be as wrong, but no more: a
/// request signed for next year could be sent again until then.
const TOLERANCE_SECONDS: u64 = 180;

impl Hook for Calendly {
    /// `t=1700000000,v1=5257a8...`: the time in seconds, and the signature over time, full stop and body.
    fn authenticate(
        &self,
        request: &HookRequest<'_>,
        secrets: &[HookSecret],
        now: Timestamp,
    ) -> Result<(), NotAuthentic> {
        let malformed = NotAuthentic::Malformed { header: SIGNATURE, expected: "`t=SECONDS,v1=SIGNATURE`" };
        let (mut times, mut signatures) = (Vec::new(), Vec::new());
        for part in request.header(SIGNATURE)?.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if let Some(time) = part.strip_prefix(b"t=") {
                times.push(time);
            } else if let Some(signature) = part.strip_prefix(b"v1=") {
                signatures.push(signature);
            }
            // Another version of the scheme would come beside `v1`.
        }
        let ([time], [signature]) = (times.as_slice(), signatures.as_slice()) else { return Err(malformed) };
        let digits = std::str::from_utf8(time).ok().filter(|time| time.bytes().all(|byte| byte.is_ascii_digit()));
        let seconds: i64 = digits.and_then(|digits| digits.parse().ok()).ok_or(malformed)?;
        // First, so that nobody without a secret learns about this host's clock.
        is_signed(&[time, b".", request.body], (SIGNATURE, signature), secrets)?;
        match now.as_second().abs_diff(seconds) {
            0..=TOLERANCE_SECONDS => Ok(()),
            age if seconds < now.as_second() => Err(NotAuthentic::Expired { seconds: age }),
            ahead => Err(NotAuthentic::FromTheFuture { seconds: ahead }),
        }
    }
}

impl Intake for Calendly {
    fn name(&self) -> &'static str {
        "calendly"
    }

    fn read(&self, body: &str, calendar: Option<CalendarRef<'_>>) -> Result<Received, Fault> {
        let body: Value = json::parse(body)?;
        let body = Node::root(&body);
        let mut losses = Losses::default();
        let event = body.get("event").required_text()?;
        let is_canceled = match &*event {
            "invitee.created" => false,
            "invitee.canceled" => true,
            _ => return Ok(ignored(event, Reason::NotAChange)),
        };
        let invitee = body.get("payload").required_object()?;
        if is_canceled && invitee.get("rescheduled").is_true(&mut losses) {
            return Ok(ignored(event, Reason::HalfOfAMove));
        }
        let booking = booking(&event, &body, calendar, &mut losses)?;
        received(booking, losses, PATHS)
    }
}

/// Where the body has what the booking has at a path.
const PATHS: &[(&str, &str)] = &[
    ("start", "payload.scheduled_event.start_time"),
    ("end", "payload.scheduled_event.end_time"),
    ("confirmed_at", "payload.created_at"),
    ("time_zone", "payload.timezone"),
    ("id", "payload.uri"),
    ("change_id", "payload.uri"),
    ("previous_id", "payload.old_invitee"),
    ("team.id", "created_by"),
    ("calendar.id", "payload.scheduled_event.event_type"),
];

fn booking(
    event: &str,
    body: &Node<'_>,
    calendar: Option<CalendarRef<'_>>,
    losses: &mut Losses,
) -> Result<Booking, Fault> {
    let invitee = body.get("payload");
    let scheduled = invitee.get("scheduled_event").required_object()?;
    let id = uuid(&invitee.get("uri"))?;
    let old_invitee = invitee.get("old_invitee");
    let previous_id = if old_invitee.is_given() { Some(uuid(&old_invitee)?) } else { None };
    let cancellation = invitee.get("cancellation");
    let created_at = invitee.get("created_at").time(losses);
    // An invitee is created once and canceled once, so a change needs no time in its id.
    let change_id = format!("{event}:{id}");
    let (kind, changed_at) = match (event, &previous_id) {
        ("invitee.canceled", _) => {
            let canceled_at = cancellation.get("created_at").time(losses);
            (Kind::Cancelled, canceled_at.or_else(|| invitee.get("updated_at").time(losses)))
        }
        (_, Some(_)) => (Kind::Rescheduled, created_at),
        (_, None) => (Kind::Confirmed, created_at),
    };
    let changed_at = changed_at.or_else(|| body.get("created_at").time(losses));
    let start = scheduled.get("start_time");
    let (starts, ends) = (start.required_time()?, scheduled.get("end_time").required_time()?);
    let zone = booked_zone(&invitee.get("timezone"), &start, losses);
    let (team_id, calendar_id) = match calendar {
        Some(CalendarRef { team, calendar }) => (team.to_owned(), calendar.to_owned()),
        None => (uuid(&body.get("created_by"))?, uuid(&scheduled.get("event_type"))?),
    };
    let name = scheduled.get("name").filled(losses).unwrap_or_else(|| calendar_id.clone());
    let reason = cancellation.get("reason").filled(losses);
    Ok(Booking {
        kind,
        id,
        previous_id,
        change_id: Some(change_id),
        changed_at: changed_at.map(|time| time.to_string()),
        team: Team { id: team_id, name: None },
        title: name.clone(),
        calendar: Calendar { id: calendar_id, name, url: None, locale: None },
        start: local(starts, &zone),
        end: local(ends, &zone),
        confirmed_at: created_at.map(|time| local(time, &zone)),
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        guest: guest(&invitee, &scheduled, losses),
        companions: people(&scheduled.get("event_guests"), ["uri", "name", "email"], losses),
        hosts: people(&scheduled.get("event_memberships"), ["user", "user_name", "user_email"], losses),
        place: place(&scheduled.get("location"), losses),
        answers: answers(&invitee.get("questions_and_answers"), losses),
        // Questions without an answer are not sent.
        form: None,
        tracking: invitee
            .get("tracking")
            .members(losses)
            .into_iter()
            .filter_map(|(name, value)| Some(Parameter::new(name, value.text(losses)?)))
            .collect(),
        comment: None,
        payment: payment(&invitee.get("payment"), losses),
        extra: reason.map(|reason| Parameter::new("cancellation-reason", reason)).into_iter().collect(),
    })
}

/// The last segment of a resource's URI, which Calendly calls its UUID.
fn uuid(uri: &Node<'_>) -> Result<String, Fault> {
    let text = uri.required_text()?;
    let path = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    match path.rsplit('/').next() {
        Some(uuid) if !is_blank(uuid) => Ok(uuid.to_owned()),
        _ => Err(Fault::new(uri.path(), format!("expected the URI of a resource, found `{text}`"))),
    }
}

fn guest(invitee: &Node<'_>, scheduled: &Node<'_>, losses: &mut Losses) -> Guest {
    let location = scheduled.get("location");
    // The host calls the number that the guest gave.
    let called = location.get("type").text(losses).is_some_and(|kind| kind == "outbound_call");
    let reminder_number = invitee.get("text_reminder_number").filled(losses);
    Guest {
        name: invitee.get("name").text(losses).unwrap_or_default(),
        // Given where the form asks for two names.
        family_name: invitee.get("last_name").filled(losses),
        given_name: invitee.get("first_name").filled(losses),
        family_name_kana: None,
        given_name_kana: None,
        email: invitee.get("email").filled(losses),
        phone: reminder_number.or_else(|| location.get("location").filled(losses).filter(|_| called)),
        company: None,
        locale: None,
    }
}

fn people(list: &Node<'_>, [id, name, email]: [&str; 3], losses: &mut Losses) -> Vec<Person> {
    let people: Vec<_> = list.items(losses).iter().filter_map(|person| person.object(losses)).collect();
    let person = |person: &Node<'_>| Person {
        id: uuid(&person.get(id)).ok(),
        name: person.get(name).filled(losses),
        email: person.get(email).filled(losses),
    };
    people.iter().map(person).collect()
}

fn place(location: &Node<'_>, losses: &mut Losses) -> Option<Place> {
    let location = location.object(losses)?;
    let provider = location.get("type").text(losses);
    let join_url = location.get("join_url").filled(losses);
    let (kind, is_room) = match provider.as_deref() {
        Some("physical") => (PlaceKind::InPerson, false),
        Some("inbound_call" | "outbound_call") => (PlaceKind::Phone, false),
        Some("custom" | "ask_invitee") | None if join_url.is_none() => (PlaceKind::Other, false),
        _ => (PlaceKind::Online, true),
    };
    let provider = provider.filter(|_| is_room);
    Some(Place { kind, provider, join_url, address: location.get("location").filled(losses).filter(|_| !is_room) })
}

fn answers(list: &Node<'_>, losses: &mut Losses) -> Vec<Answer> {
    let entries = list.items(losses);
    let answer = |(index, entry): (usize, &Node<'_>)| {
        let entry = entry.object(losses)?;
        let label = entry.get("question");
        if !label.is_given() {
            losses.note(label.path(), Consequence::Changed, "the question has no label; its position stands for it");
        }
        let label = label.text(losses).unwrap_or_default();
        // A question that the guest skipped is not listed, and those after it keep their position.
        let position = entry.get("position").text(losses).and_then(|position| position.parse().ok());
        Some(Answer {
            question_id: question_id(position.unwrap_or(index), &label),
            label,
            kind: QuestionKind::Other,
            required: false,
            value: entry.get("answer").answer(losses),
        })
    };
    entries.iter().enumerate().filter_map(answer).collect()
}

fn payment(payment: &Node<'_>, losses: &mut Losses) -> Option<Payment> {
    let payment = payment.object(losses)?;
    let [provider, amount, currency] = ["provider", "amount", "currency"].map(|name| {
        let node = payment.get(name);
        if !node.is_given() {
            node.lose(losses, "text");
        }
        node.filled(losses)
    });
    Some(Payment { provider: provider?, amount: amount?, currency: currency? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tests::{changed, faults, losses, reading, reads_as};

    const CONFIRMED: &str = include_str!("../fixtures/calendly/confirmed.json");
    const CANCELLED: &str = include_str!("../fixtures/calendly/cancelled.json");

    #[test]
    fn every_webhook_body_is_read_as_its_booking() {
        for (body, booking) in [
            (CONFIRMED, include_str!("../fixtures/calendly/confirmed.booking.json")),
            (include_str!("../fixtures/calendly/moved.json"), include_str!("../fixtures/calendly/moved.booking.json")),
            (CANCELLED, include_str!("../fixtures/calendly/cancelled.booking.json")),
            (
                include_str!("../fixtures/calendly/minimal.json"),
                include_str!("../fixtures/calendly/minimal.booking.json"),
            ),
        ] {
            reads_as(&Calendly, body, booking);
        }
    }

    #[test]
    fn what_a_booking_needs_is_named_with_its_path() {
        faults(
            &Calendly,
            CONFIRMED,
            &[
                ("/event", json!(null), "event: expected text, found nothing"),
                ("/payload", json!([]), "payload: expected an object, found a list"),
                ("/payload/uri", json!(null), "payload.uri: expected text, found nothing"),
                ("/payload/uri", json!("///"), "payload.uri: expected the URI of a resource, found `///`"),
                ("/payload/uri", json!("x".repeat(201)), "payload.uri: expected 1 to 200 bytes, found 201"),
                ("/payload/old_invitee", json!({}), "payload.old_invitee: expected text, found an object"),
                ("/payload/scheduled_event", json!("x"), "payload.scheduled_event: expected an object, found text"),
                (
                    "/payload/scheduled_event/start_time",
                    json!("8:30"),
                    "payload.scheduled_event.start_time: expected a time with an offset, found `8:30`",
                ),
                (
                    "/payload/scheduled_event/end_time",
                    json!("2026-12-01T00:00:00Z"),
                    "payload.scheduled_event.end_time: 2026-12-01T01:00:00+01:00 is before the start",
                ),
                ("/created_by", json!(null), "created_by: expected text, found nothing"),
                (
                    "/payload/scheduled_event/event_type",
                    json!(null),
                    "payload.scheduled_event.event_type: expected text, found nothing",
                ),
            ],
        );
    }

    #[test]
    fn optional_parts_are_read_as_far_as_possible_and_each_loss_is_reported() {
        losses(
            &Calendly,
            CONFIRMED,
            &[
                (
                    "/payload/timezone",
                    json!(null),
                    "payload.timezone: expected an IANA name such as Asia/Tokyo; read as UTC",
                ),
                ("/payload/created_at", json!("yesterday"), "payload.created_at: expected a time with an offset"),
                ("/payload/payment/currency", json!(null), "payload.payment.currency: expected text, found nothing"),
                ("/payload/tracking", json!([]), "payload.tracking: expected an object, found a list"),
                (
                    "/payload/tracking/utm_source",
                    json!(["a"]),
                    "payload.tracking.utm_source: expected text, found a list",
                ),
                (
                    "/payload/questions_and_answers/1",
                    json!("x"),
                    "payload.questions_and_answers[1]: expected an object, found text",
                ),
                (
                    "/payload/questions_and_answers/1/question",
                    json!(null),
                    "payload.questions_and_answers[1].question: the question has no label; its position stands for it",
                ),
                (
                    "/payload/scheduled_event/location",
                    json!("Büro"),
                    "payload.scheduled_event.location: expected an object, found text",
                ),
                (
                    "/payload/scheduled_event/event_guests",
                    json!({}),
                    "payload.scheduled_event.event_guests: expected a list, found an object",
                ),
            ],
        );
        let reading = reading(&Calendly, &changed(CONFIRMED, "/payload/created_at", json!("yesterday")));
        assert_eq!(reading.booking.changed_at.as_deref(), Some("2026-11-24T09:05:10Z"), "the time of the event itself");
    }

    #[test]
    fn a_place_has_the_kind_of_its_type() {
        for (location, expected) in [
            (json!({ "type": "physical", "location": "Büro" }), (PlaceKind::InPerson, None, None, Some("Büro"))),
            (json!({ "type": "inbound_call", "location": "+49 1" }), (PlaceKind::Phone, None, None, Some("+49 1"))),
            (
                json!({ "type": "google_conference", "join_url": "https://m.example" }),
                (PlaceKind::Online, Some("google_conference"), Some("https://m.example"), None),
            ),
            (json!({ "type": "webex_conference" }), (PlaceKind::Online, Some("webex_conference"), None, None)),
            (json!({ "type": "ask_invitee", "location": "Café" }), (PlaceKind::Other, None, None, Some("Café"))),
            (json!({ "type": "custom", "location": "Hof 2" }), (PlaceKind::Other, None, None, Some("Hof 2"))),
            (json!({ "location": "?" }), (PlaceKind::Other, None, None, Some("?"))),
        ] {
            let body = changed(CONFIRMED, "/payload/scheduled_event/location", location.clone());
            let place = reading(&Calendly, &body).booking.place.unwrap();
            let (provider, join_url) = (place.provider.as_deref(), place.join_url.as_deref());
            assert_eq!((place.kind, provider, join_url, place.address.as_deref()), expected, "{location}");
        }
    }

    #[test]
    fn the_cancellation_of_a_moved_booking_is_half_of_the_move() {
        let body = changed(CANCELLED, "/payload/rescheduled", json!(true));
        let ignored = Received::Ignored { event: "invitee.canceled".to_owned(), reason: Reason::HalfOfAMove };
        assert_eq!(Calendly.read(&body, None), Ok(ignored));
    }
}
