//! The webhook body of Cal.com, version 2021-10-20. Answers have the form's own ids.
//!
//! Source: cal.com/docs, "Webhooks", and the example payloads there.

use crm_booking::{
    Answer, AnswerValue, Booking, Calendar, Guest, Kind, Payment, Person, Place, PlaceKind, QuestionKind, Team,
};
use crm_contract::Parameter;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    CalendarRef, Fault, Hook, HookRequest, HookSecret, Intake, NotAuthentic, Reason, Received,
    authentication::is_signed,
    json,
    lenient::{Losses, Node},
    webhook::{booked_zone, ignored, local, received, referable},
};

/// The scheduling service Cal.com.
#[derive(Debug)]
pub struct Calcom;

const SIGNATURE: &str = "x-cal-signature-256";

/// Sent in place of a signature if the webhook has no secret. It is a header like any other, so it must not pass for one.
const NO_SECRET: &[u8] = b"no-secret-provided";

impl Hook for Calcom {
    /// The signature over the body alone. It never expires: a request that is sent again is only known by its `change_id`.
    fn authenticate(
        &self,
        request: &HookRequest<'_>,
        secrets: &[HookSecret],
        _now: Timestamp,
    ) -> Result<(), NotAuthentic> {
        let signature = request.header(SIGNATURE)?;
        if signature.eq_ignore_ascii_case(NO_SECRET) {
            return Err(NotAuthentic::Unsigned);
        }
        is_signed(&[request.body], (SIGNATURE, signature), secrets)
    }
}

impl Intake for Calcom {
    fn name(&self) -> &'static str {
        "calcom"
    }

    fn read(&self, body: &str, calendar: Option<CalendarRef<'_>>) -> Result<Received, Fault> {
        let body: Value = json::parse(body)?;
        let body = Node::root(&body);
        let mut losses = Losses::default();
        let event = body.get("triggerEvent").required_text()?;
        let change = match &*event {
            "BOOKING_CREATED" => Change::Created,
            "BOOKING_RESCHEDULED" => Change::Moved,
            "BOOKING_LOCATION_UPDATED" | "BOOKING_REASSIGNED" => Change::OfPlaceOrHost,
            "BOOKING_CANCELLED" => Change::Cancelled,
            _ => return Ok(ignored(event, Reason::NotAChange)),
        };
        let booking = booking((&event, change), &body, calendar, &mut losses)?;
        received(booking, losses, PATHS)
    }
}

/// What happened to a booking.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Created,
    /// A new booking replaces the old one.
    Moved,
    /// The booking keeps its id.
    OfPlaceOrHost,
    Cancelled,
}

/// Where the body has what the booking has at a path.
const PATHS: &[(&str, &str)] = &[
    ("start", "payload.startTime"),
    ("end", "payload.endTime"),
    ("confirmed_at", "createdAt"),
    ("time_zone", "payload.attendees[0].timeZone"),
    ("id", "payload.uid"),
    ("change_id", "payload.uid"),
    ("previous_id", "payload.rescheduleUid"),
    ("team.id", "payload.organizer.id"),
    ("calendar.id", "payload.eventTypeId"),
];

fn booking(
    (event, change): (&str, Change),
    body: &Node<'_>,
    calendar: Option<CalendarRef<'_>>,
    losses: &mut Losses,
) -> Result<Booking, Fault> {
    let payload = body.get("payload").required_object()?;
    let mut attendees = people(&payload.get("attendees"), losses).into_iter();
    let attendee = attendees.next().unwrap_or_else(|| payload.get("attendees[0]"));
    let responses = payload.get("responses");
    let guest = guest(&attendee, &responses, losses);
    let uid = payload.get("uid").required_text()?;
    // Guests of an event with seats share its uid, but each has a booking.
    let has_seats = payload.get("seatsPerTimeSlot").is_given();
    let seat = if has_seats { seat(&attendee) } else { String::new() };
    let id = format!("{uid}{seat}");
    let previous_id = match change {
        Change::Created | Change::Moved => payload.get("rescheduleUid").filled(losses).filter(|old| *old != uid),
        Change::OfPlaceOrHost | Change::Cancelled => None,
    };
    let previous_id = previous_id.map(|uid| format!("{uid}{seat}"));
    let changed_at = body.get("createdAt").time(losses);
    let start = payload.get("startTime");
    let (starts, ends) = (start.required_time()?, payload.get("endTime").required_time()?);
    let kind = match change {
        Change::Created if previous_id.is_none() => Kind::Confirmed,
        Change::Created | Change::Moved | Change::OfPlaceOrHost => Kind::Rescheduled,
        Change::Cancelled => Kind::Cancelled,
    };
    // `createdAt` is the time of sending, which differs between two webhooks for the same change. It is needed only where a change
    // can happen to a booking more than once: a seat can be cancelled and booked again, place and host can change often.
    let change_id = if has_seats || (kind == Kind::Rescheduled && previous_id.is_none()) {
        format!("{event}:{id}:{}", changed_at.unwrap_or(starts))
    } else {
        format!("{event}:{id}")
    };
    let zone = attendee.get("timeZone");
    let zone = if zone.is_given() { zone } else { payload.get("organizer").get("timeZone") };
    let zone = booked_zone(&zone, &start, losses);
    let (team_id, calendar_id) = match calendar {
        Some(CalendarRef { team, calendar }) => (team.to_owned(), calendar.to_owned()),
        None => own_ids(&payload, losses)?,
    };
    let event_type = payload.get("eventTitle").filled(losses).or_else(|| payload.get("type").filled(losses));
    let calendar_name = event_type.unwrap_or_else(|| calendar_id.clone());
    let (tracking, extra) = parameters(&payload, losses);
    let comment = payload.get("additionalNotes").filled(losses);
    Ok(Booking {
        kind,
        id,
        previous_id,
        change_id: Some(change_id),
        changed_at: changed_at.map(|time| time.to_string()),
        team: Team { id: team_id, name: payload.get("team").get("name").filled(losses) },
        title: payload.get("title").filled(losses).unwrap_or_else(|| calendar_name.clone()),
        calendar: Calendar { id: calendar_id, name: calendar_name, url: None, locale: None },
        start: local(starts, &zone),
        end: local(ends, &zone),
        confirmed_at: changed_at.filter(|_| change == Change::Created).map(|time| local(time, &zone)),
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        companions: attendees.map(|companion| person(&companion, losses)).collect(),
        hosts: hosts(&payload, losses),
        place: place(&payload, losses),
        answers: answers(&payload, losses),
        // Not every event lists all questions.
        form: None,
        tracking,
        comment: comment.or_else(|| response(&responses, "notes").filled(losses)),
        payment: payment(&payload, losses),
        extra,
        guest,
    })
}

fn own_ids(payload: &Node<'_>, losses: &mut Losses) -> Result<(String, String), Fault> {
    let team = payload.get("team").get("id").text(losses);
    let event_type = payload.get("eventTypeId");
    Ok((team.map_or_else(|| payload.get("organizer").get("id").required_text(), Ok)?, event_type.required_text()?))
}

/// A suffix that distinguishes the guests of an event with seats: a hash, since ids get into logs.
fn seat(attendee: &Node<'_>) -> String {
    let email = attendee.get("email").required_text().unwrap_or_default().to_ascii_lowercase();
    let digest = Sha256::digest(email.as_bytes());
    format!(":{}", HEXLOWER.encode(digest.get(..8).unwrap_or_default()))
}

/// The end of an email address that is made up for a guest who only gave a telephone number.
const MADE_UP: &str = "@sms.cal.com";

fn is_made_up(value: &AnswerValue) -> bool {
    matches!(value, AnswerValue::Text(text) if text.ends_with(MADE_UP))
}

/// The value of a response. Older payloads have it without a label.
fn response<'b>(responses: &Node<'b>, id: &str) -> Node<'b> {
    let response = responses.get(id);
    if response.is_object() { response.get("value") } else { response }
}

fn guest(attendee: &Node<'_>, responses: &Node<'_>, losses: &mut Losses) -> Guest {
    let [name, email, phone] = ["name", "email", "attendeePhoneNumber"].map(|id| response(responses, id));
    // A form that asks for two names has them in both places.
    let part = |id: &str, losses: &mut Losses| attendee.get(id).filled(losses).or_else(|| name.get(id).filled(losses));
    let (given_name, family_name) = (part("firstName", losses), part("lastName", losses));
    let whole = attendee.get("name").filled(losses);
    let email = attendee.get("email").filled(losses).or_else(|| email.filled(losses));
    let phone_number = attendee.get("phoneNumber").filled(losses);
    let locale = attendee.get("language").get("locale").filled(losses);
    Guest {
        name: whole.or_else(|| value(&name, losses).and_then(text)).unwrap_or_default(),
        family_name,
        given_name,
        family_name_kana: None,
        given_name_kana: None,
        email: email.filter(|email| !email.ends_with(MADE_UP)),
        phone: phone_number.or_else(|| phone.filled(losses)),
        company: None,
        locale: locale.or_else(|| attendee.get("locale").filled(losses)),
    }
}

fn people<'b>(list: &Node<'b>, losses: &mut Losses) -> Vec<Node<'b>> {
    list.items(losses).iter().filter_map(|person| person.object(losses)).collect()
}

fn person(node: &Node<'_>, losses: &mut Losses) -> Person {
    let [id, name, email] = ["id", "name", "email"].map(|name| node.get(name).filled(losses));
    Person { id, name, email }
}

/// The organizer, then the members of the team who join.
fn hosts(payload: &Node<'_>, losses: &mut Losses) -> Vec<Person> {
    let organizer = payload.get("organizer").object(losses);
    let members = people(&payload.get("team").get("members"), losses);
    let mut hosts: Vec<Person> = Vec::new();
    for node in organizer.iter().chain(&members) {
        let host = person(node, losses);
        if hosts.iter().all(|known| known.email != host.email) {
            hosts.push(host);
        }
    }
    hosts
}

fn place(payload: &Node<'_>, losses: &mut Losses) -> Option<Place> {
    let location = payload.get("location").filled(losses);
    let video = payload.get("metadata").get("videoCallUrl").filled(losses);
    let video = video.or_else(|| payload.get("videoCallData").get("url").filled(losses));
    let is_url = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    let is_phone = |text: &str| {
        text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c))
    };
    let of_kind = |kind| Place { kind, provider: None, join_url: None, address: None };
    let Some(text) = location else {
        return video.map(|video| Place { join_url: Some(video), ..of_kind(PlaceKind::Online) });
    };
    Some(if let Some(app) = text.strip_prefix("integrations:") {
        Place { provider: Some(app.to_owned()), join_url: video, ..of_kind(PlaceKind::Online) }
    } else if is_url(&text) {
        Place { join_url: Some(text), ..of_kind(PlaceKind::Online) }
    } else if is_phone(&text) {
        Place { address: Some(text), ..of_kind(PlaceKind::Phone) }
    } else {
        let chosen = response(&payload.get("responses"), "location").get("value").filled(losses);
        let is_in_person = matches!(chosen.as_deref(), Some("inPerson" | "attendeeInPerson"));
        let kind = if is_in_person { PlaceKind::InPerson } else { PlaceKind::Other };
        Place { address: Some(text), join_url: video, ..of_kind(kind) }
    })
}

/// All responses but the place and the companions.
fn answers(payload: &Node<'_>, losses: &mut Losses) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    // The second has the calendar's own questions, which the first usually has too.
    for list in ["responses", "userFieldsResponses"] {
        let responses = payload.get(list);
        for (id, node) in responses.members(losses) {
            let question_id = referable(id);
            if ["location", "guests"].contains(&id) || answers.iter().any(|known| known.question_id == question_id) {
                continue;
            }
            let label = if node.is_object() { node.get("label").filled(losses) } else { None };
            let value = value(&response(&responses, id), losses).filter(|value| !is_made_up(value));
            let kind = kind(id, value.as_ref());
            answers.push(Answer {
                question_id,
                label: label.unwrap_or_else(|| id.to_owned()),
                kind,
                required: false,
                value,
            });
        }
    }
    answers
}

fn kind(id: &str, value: Option<&AnswerValue>) -> QuestionKind {
    match (id, value) {
        ("name", _) => QuestionKind::Name,
        ("email", _) => QuestionKind::Email,
        ("attendeePhoneNumber" | "smsReminderNumber", _) => QuestionKind::Phone,
        ("notes", _) => QuestionKind::Comment,
        (_, Some(AnswerValue::Choices(_))) => QuestionKind::Checkboxes,
        (_, Some(AnswerValue::Boolean(_))) => QuestionKind::Consent,
        (_, Some(AnswerValue::Number(_))) => QuestionKind::Number,
        (_, Some(AnswerValue::Text(_)) | None) => QuestionKind::Other,
    }
}

/// The value of an answer. Objects are a name in two parts, and a choice with a text of the guest's.
fn value(given: &Node<'_>, losses: &mut Losses) -> Option<AnswerValue> {
    if !given.is_object() {
        return given.answer(losses);
    }
    let [first, last, typed, chosen] =
        ["firstName", "lastName", "optionValue", "value"].map(|part| given.get(part).filled(losses));
    let name = [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let text = Some(name).filter(|name| !name.is_empty()).or(typed).or(chosen);
    if text.is_none() {
        given.lose(losses, "text or a list");
    }
    text.map(AnswerValue::Text)
}

fn text(value: AnswerValue) -> Option<String> {
    match value {
        AnswerValue::Text(text) => Some(text),
        _ => None,
    }
}

/// Parameters of the booking link: those of a campaign, and all others. Why a booking was cancelled comes with the latter.
fn parameters(payload: &Node<'_>, losses: &mut Losses) -> (Vec<Parameter>, Vec<Parameter>) {
    let metadata = payload.get("metadata").members(losses).into_iter().filter(|(name, _)| *name != "videoCallUrl");
    let metadata = metadata.filter_map(|(name, value)| Some(Parameter::new(name, value.text(losses)?)));
    let (tracking, mut extra): (Vec<_>, Vec<_>) = metadata.partition(|parameter| parameter.name.starts_with("utm_"));
    let reason = payload.get("cancellationReason").filled(losses);
    extra.extend(reason.map(|reason| Parameter::new("cancellation-reason", reason)));
    (tracking, extra)
}

/// Cal.com has amounts in hundredths, except in these currencies (its `currencyConversions.ts`).
const WITHOUT_HUNDREDTHS: [&str; 16] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];

fn payment(payload: &Node<'_>, losses: &mut Losses) -> Option<Payment> {
    let price = payload.get("price");
    let price_text = price.text(losses)?;
    let Ok(amount) = price_text.parse::<u64>() else {
        price.lose(losses, "a whole number");
        return None;
    };
    let currency = payload.get("currency").filled(losses)?.to_ascii_uppercase();
    let amount = match amount {
        0 => return None,
        amount if WITHOUT_HUNDREDTHS.contains(&&*currency) => amount.to_string(),
        amount => format!("{}.{:02}", amount / 100, amount % 100),
    };
    // Which payment app took the money is not said.
    Some(Payment { provider: "cal.com".to_owned(), amount, currency })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tests::{changed, faults, losses, reading, reads_as};

    const CONFIRMED: &str = include_str!("../fixtures/calcom/confirmed.json");
    const MOVED: &str = include_str!("../fixtures/calcom/moved.json");
    const CANCELLED: &str = include_str!("../fixtures/calcom/cancelled.json");

    #[test]
    fn every_webhook_body_is_read_as_its_booking() {
        for (body, booking) in [
            (CONFIRMED, include_str!("../fixtures/calcom/confirmed.booking.json")),
            (MOVED, include_str!("../fixtures/calcom/moved.booking.json")),
            (CANCELLED, include_str!("../fixtures/calcom/cancelled.booking.json")),
            (include_str!("../fixtures/calcom/minimal.json"), include_str!("../fixtures/calcom/minimal.booking.json")),
        ] {
            reads_as(&Calcom, body, booking);
        }
    }

    #[test]
    fn what_a_booking_needs_is_named_with_its_path() {
        faults(
            &Calcom,
            CONFIRMED,
            &[
                ("/triggerEvent", json!(null), "triggerEvent: expected text, found nothing"),
                ("/payload", json!(null), "payload: expected an object, found nothing"),
                ("/payload/uid", json!(null), "payload.uid: expected text, found nothing"),
                ("/payload/uid", json!(""), "payload.uid: expected 1 to 200 bytes, found 0"),
                ("/payload/startTime", json!(1795511109), "payload.startTime: expected a time with an offset"),
                (
                    "/payload/endTime",
                    json!("2026-12-01T00:00:00Z"),
                    "payload.endTime: 2026-12-01T09:00:00+09:00 is before",
                ),
                ("/payload/eventTypeId", json!(null), "payload.eventTypeId: expected text, found nothing"),
            ],
        );
    }

    #[test]
    fn optional_parts_are_read_as_far_as_possible_and_each_loss_is_reported() {
        losses(
            &Calcom,
            CONFIRMED,
            &[
                ("/createdAt", json!("yesterday"), "createdAt: expected a time with an offset"),
                (
                    "/payload/attendees/0/timeZone",
                    json!("Tokyo"),
                    "payload.attendees[0].timeZone: expected an IANA name such as Asia/Tokyo; read as UTC",
                ),
                (
                    "/payload/responses/fields/value",
                    json!({}),
                    "payload.responses.fields.value: expected text or a list, found an object",
                ),
                ("/payload/price", json!(49.5), "payload.price: expected a whole number, found a number"),
                ("/payload/metadata/plan", json!([1]), "payload.metadata.plan: expected text, found a list"),
                ("/payload/attendees/1", json!("x"), "payload.attendees[1]: expected an object, found text"),
                ("/payload/team/members", json!("x"), "payload.team.members: expected a list, found text"),
                ("/payload/additionalNotes", json!({}), "payload.additionalNotes: expected text, found an object"),
            ],
        );
    }

    #[test]
    fn an_older_payload_without_labels_is_read_too() {
        let responses = json!({ "name": "Max Mustermann", "email": "max@example.com", "branche": "Handel" });
        let body = changed(&changed(CONFIRMED, "/payload/responses", responses), "/payload/attendees", json!([]));
        let booking = reading(&Calcom, &body).booking;
        assert_eq!((&*booking.guest.name, booking.guest.email.as_deref()), ("Max Mustermann", Some("max@example.com")));
        let answers: Vec<_> = booking.answers.iter().map(|answer| (&*answer.question_id, &*answer.label)).collect();
        assert_eq!(answers, [("branche", "branche"), ("email", "email"), ("name", "name"), ("company", "会社名")]);
        assert_eq!(booking.time_zone, "Asia/Tokyo", "the organizer's, if there is no guest's");
    }

    #[test]
    fn a_new_place_or_host_is_a_change_of_the_same_booking_each_time() {
        let id = |event: &str, created_at: &str| {
            let body = changed(CONFIRMED, "/triggerEvent", json!(event));
            let booking = reading(&Calcom, &changed(&body, "/createdAt", json!(created_at))).booking;
            assert_eq!(
                (booking.kind, &*booking.id, booking.previous_id),
                (Kind::Rescheduled, "kG3xT9", None),
                "{event}"
            );
            booking.change_id.unwrap()
        };
        for event in ["BOOKING_LOCATION_UPDATED", "BOOKING_REASSIGNED"] {
            let first = id(event, "2026-11-25T00:00:00.001Z");
            assert_eq!(first, format!("{event}:kG3xT9:2026-11-25T00:00:00.001Z"));
            assert_eq!(first, id(event, "2026-11-25T00:00:00.001Z"));
            assert_ne!(first, id(event, "2026-11-25T00:00:00.002Z"));
        }
    }

    #[test]
    fn two_webhooks_for_one_change_have_one_change_id() {
        for body in [CONFIRMED, MOVED, CANCELLED] {
            let again = changed(body, "/createdAt", json!("2026-11-30T00:00:00Z"));
            let [first, second] = [body, &again].map(|body| reading(&Calcom, body).booking.change_id);
            assert_eq!(first, second);
        }
    }

    #[test]
    fn a_confirmed_request_to_move_is_a_move() {
        let booking = reading(&Calcom, &changed(MOVED, "/triggerEvent", json!("BOOKING_CREATED"))).booking;
        assert_eq!((booking.kind, booking.previous_id.as_deref()), (Kind::Rescheduled, Some("mV7pQ1")));
    }

    #[test]
    fn guests_of_one_event_with_seats_have_bookings_of_their_own() {
        let with_seats = changed(CONFIRMED, "/payload/seatsPerTimeSlot", json!(10));
        let of_guest =
            |email: &str| reading(&Calcom, &changed(&with_seats, "/payload/attendees/0/email", json!(email))).booking;
        let [first, same, other] = ["a@example.com", "A@example.com", "b@example.com"].map(of_guest);
        assert_eq!(first.id, same.id);
        assert_ne!(first.id, other.id);
        assert_ne!(first.change_id, other.change_id);
        let again = changed(&with_seats, "/createdAt", json!("2026-11-30T00:00:00Z"));
        let [booked, booked_again] = [&with_seats, &again].map(|body| reading(&Calcom, body).booking);
        assert_eq!(booked.id, booked_again.id);
        assert_ne!(booked.change_id, booked_again.change_id, "a seat can be cancelled and booked again");
        assert!(first.id.starts_with("kG3xT9:") && !first.id.contains("example"), "{}", first.id);
    }

    #[test]
    fn the_kind_of_place_follows_from_the_text_of_the_location() {
        for (location, video, expected) in [
            (
                json!("integrations:daily"),
                json!("https://v.example"),
                (PlaceKind::Online, Some("daily"), Some("https://v.example"), None),
            ),
            (
                json!("https://own.example/room"),
                json!(null),
                (PlaceKind::Online, None, Some("https://own.example/room"), None),
            ),
            (json!(null), json!("https://v.example"), (PlaceKind::Online, None, Some("https://v.example"), None)),
            (json!("+49 (40) 123-4567"), json!(null), (PlaceKind::Phone, None, None, Some("+49 (40) 123-4567"))),
            (json!("Speicherstadt 1"), json!(null), (PlaceKind::Other, None, None, Some("Speicherstadt 1"))),
        ] {
            let body = changed(CONFIRMED, "/payload/location", location.clone());
            let body = changed(&body, "/payload/videoCallData", json!(null));
            let place =
                reading(&Calcom, &changed(&body, "/payload/metadata/videoCallUrl", video)).booking.place.unwrap();
            let (provider, join_url) = (place.provider.as_deref(), place.join_url.as_deref());
            assert_eq!((place.kind, provider, join_url, place.address.as_deref()), expected, "{location}");
        }
    }

    #[test]
    fn amounts_are_in_units_of_their_currency() {
        for (price, currency, expected) in [
            (json!(4990), "eur", Some(("49.90", "EUR"))),
            (json!(5), "usd", Some(("0.05", "USD"))),
            (json!(5500), "jpy", Some(("5500", "JPY"))),
            (json!(0), "usd", None),
            (json!(null), "usd", None),
        ] {
            let body = changed(CONFIRMED, "/payload/price", price.clone());
            let payment = reading(&Calcom, &changed(&body, "/payload/currency", json!(currency))).booking.payment;
            let paid = payment.as_ref().map(|payment| (&*payment.amount, &*payment.currency));
            assert_eq!(paid, expected, "{price} {currency}");
        }
    }
}
