//! What holds for all services, and what their tests share.

use crm_booking::Kind;
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::*;

/// Bodies of each service.
const BODIES: &[(&dyn Hook, &[&str])] = &[
    (
        &Timerex,
        &[
            include_str!("../../../examples/timerex-webhook.json"),
            include_str!("../fixtures/timerex/rescheduled.json"),
            include_str!("../fixtures/timerex/cancelled.json"),
        ],
    ),
    (
        &Calendly,
        &[
            include_str!("../fixtures/calendly/confirmed.json"),
            include_str!("../fixtures/calendly/moved.json"),
            include_str!("../fixtures/calendly/cancelled.json"),
        ],
    ),
    (
        &Calcom,
        &[
            include_str!("../fixtures/calcom/confirmed.json"),
            include_str!("../fixtures/calcom/moved.json"),
            include_str!("../fixtures/calcom/cancelled.json"),
        ],
    ),
];

/// A body with one value changed.
pub(crate) fn changed(body: &str, pointer: &str, value: Value) -> String {
    let mut body: Value = serde_json::from_str(body).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        other => panic!("{pointer}: {other}"),
    }
    body.to_string()
}

/// The booking of a body.
pub(crate) fn reading(intake: &dyn Intake, body: &str) -> Reading {
    intake.read(body, None).unwrap().booking().unwrap()
}

/// That a body is read as a booking, and nothing of it is lost.
pub(crate) fn reads_as(intake: &dyn Intake, body: &str, booking: &str) {
    assert_eq!(reading(intake, body), reading(&Native, booking));
    assert_eq!(reading(intake, &format!("\u{feff}{body}")), reading(&Native, booking), "with a byte order mark");
}

/// That each change of a body makes a fault that begins so.
pub(crate) fn faults(intake: &dyn Intake, body: &str, changes: &[(&str, Value, &str)]) {
    for (pointer, value, expected) in changes {
        let fault = intake.read(&changed(body, pointer, value.clone()), None).unwrap_err().to_string();
        assert!(fault.starts_with(expected), "{fault}\nexpected {expected}");
    }
}

/// That each change of a body makes one finding.
pub(crate) fn losses(intake: &dyn Intake, body: &str, changes: &[(&str, Value, &str)]) {
    for (pointer, value, expected) in changes {
        let reading = reading(intake, &changed(body, pointer, value.clone()));
        let told: Vec<_> = reading.findings.iter().map(|found| found.finding.message.as_str()).collect();
        assert_eq!(told, [*expected]);
    }
}

#[test]
fn every_event_of_a_service_is_read_or_ignored() {
    const READ: &[(&str, &str, &[&str])] = &[
        ("timerex", "/webhook_type", &["event_confirmed", "event_cancelled"]),
        ("calendly", "/event", &["invitee.created", "invitee.canceled"]),
        (
            "calcom",
            "/triggerEvent",
            &[
                "BOOKING_CREATED",
                "BOOKING_RESCHEDULED",
                "BOOKING_CANCELLED",
                "BOOKING_LOCATION_UPDATED",
                "BOOKING_REASSIGNED",
            ],
        ),
    ];
    const IGNORED: &[&str] = &[
        "",
        "event_reminded",
        "EVENT_CONFIRMED",
        "invitee_no_show.created",
        "invitee_no_show.deleted",
        "routing_form_submission.created",
        "event_type.created",
        "BOOKING_REQUESTED",
        "BOOKING_REJECTED",
        "BOOKING_PAYMENT_INITIATED",
        "BOOKING_PAID",
        "BOOKING_NO_SHOW_UPDATED",
        "MEETING_STARTED",
        "MEETING_ENDED",
        "RECORDING_READY",
        "FORM_SUBMITTED",
        "OOO_CREATED",
        "INSTANT_MEETING",
        "PING",
    ];
    for ((hook, bodies), (name, pointer, events)) in BODIES.iter().zip(READ) {
        assert_eq!(hook.name(), *name);
        for event in *events {
            assert!(
                hook.read(&changed(bodies[0], pointer, json!(event)), None).unwrap().booking().is_some(),
                "{event}"
            );
        }
        for event in IGNORED {
            let ignored = Received::Ignored { event: (*event).to_owned(), reason: Reason::NotAChange };
            assert_eq!(hook.read(&changed(bodies[0], pointer, json!(event)), None).unwrap(), ignored);
            let name = pointer.trim_start_matches('/');
            // What an ignored event has besides its name does not matter: `MEETING_ENDED` has no payload.
            assert_eq!(hook.read(&json!({ name: event }).to_string(), None).unwrap(), ignored);
        }
    }
    assert_eq!([Reason::NotAChange, Reason::HalfOfAMove].map(Reason::code), ["not-a-change", "half-of-a-move"]);
}

#[test]
fn the_cancellation_of_a_moved_event_of_timerex_is_half_of_the_move() {
    let body = changed(BODIES[0].1[2], "/event/new_event_id", json!("77aa01b2c3d4e5f60718"));
    let ignored = Received::Ignored { event: "event_cancelled".to_owned(), reason: Reason::HalfOfAMove };
    assert_eq!(Timerex.read(&body, None), Ok(ignored));
}

#[test]
fn the_calendar_that_a_body_is_sent_for_replaces_the_ids_of_the_service() {
    let calendar = CalendarRef::new("team-42", "demo").unwrap();
    let own: [&[&str]; 3] = [
        &["/team_url_path", "/calendar_url_path"],
        &["/created_by", "/payload/scheduled_event/event_type"],
        &["/payload/team", "/payload/organizer/id", "/payload/eventTypeId"],
    ];
    for ((hook, bodies), own) in BODIES.iter().zip(own) {
        for body in *bodies {
            let without = own.iter().fold((*body).to_owned(), |body, pointer| changed(&body, pointer, json!(null)));
            assert!(hook.read(&without, None).is_err(), "{}", hook.name());
            for body in [body, &*without] {
                let booking = hook.read(body, Some(calendar)).unwrap().booking().unwrap().booking;
                assert_eq!((&*booking.team.id, &*booking.calendar.id), ("team-42", "demo"), "{}", hook.name());
            }
        }
    }
}

#[test]
fn every_change_has_an_id_and_a_time() {
    for (hook, bodies) in BODIES {
        for (body, kind) in bodies.iter().zip([Kind::Confirmed, Kind::Rescheduled, Kind::Cancelled]) {
            let booking = reading(*hook, body).booking;
            assert_eq!(booking.kind, kind, "{}", hook.name());
            assert_eq!(booking.previous_id.is_some(), kind == Kind::Rescheduled, "{}", hook.name());
            assert!(booking.change_id.is_some() && booking.changed_at.is_some(), "{}", hook.name());
        }
    }
}

#[test]
fn formats_and_hooks_are_found_by_name() {
    assert_eq!(
        FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>(),
        ["native", "timerex", "calendly", "calcom"]
    );
    for found in HOOKS {
        assert_eq!(hook(found.name()).unwrap().name(), format(found.name()).unwrap().name());
    }
    assert!(hook("native").is_none() && format("zapier").is_none());
}

/// The pointers to all values.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| pointers(value, format!("{at}/{name}"), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| pointers(value, format!("{at}/{index}"), found))
        }
        _ => {}
    }
    if !at.is_empty() {
        found.push(at);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "-000001-12-31T23:59:60Z",
            "9999-12-31T23:59:59.999999999-23:59",
            "2026-12-02T08:30:00+09:00[Asia/Tokyo]",
            "2026-12-02T08:30:60Z",
            "Etc/GMT+12",
            "/",
            "?",
            "a/{b}/ ",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{0,6}|value|label|firstName", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        for format in FORMATS {
            let _ = format.read(&text, None);
        }
    }

    #[test]
    fn a_body_with_anything_anywhere_is_a_booking_that_survives_json_or_a_fault(
        service in 0..BODIES.len(), body in any::<Index>(), places in prop::collection::vec((any::<Index>(), any_value()), 1..4),
        is_for_calendar in any::<bool>(),
    ) {
        let (hook, bodies) = BODIES[service];
        let mut body: Value = serde_json::from_str(bodies[body.index(bodies.len())]).unwrap();
        for (place, value) in places {
            let mut found = Vec::new();
            pointers(&body, String::new(), &mut found);
            *body.pointer_mut(&found[place.index(found.len())]).unwrap() = value;
        }
        let calendar = is_for_calendar.then(|| CalendarRef::new("t", "c").unwrap());
        match hook.read(&body.to_string(), calendar) {
            Ok(Received::Booking(read)) => {
                let json = serde_json::to_string(&read.booking).unwrap();
                prop_assert_eq!(reading(&Native, &json).booking, read.booking);
            }
            Ok(Received::Ignored { .. }) => {}
            Err(fault) => prop_assert!(!fault.path.is_empty() && !fault.reason.is_empty(), "{fault}"),
        }
    }
}
