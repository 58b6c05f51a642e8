//! The webhook body of TimeRex as a booking. Its answers have no ids, so they get stable ones from position and label.

use jiff::{Timestamp, tz::TimeZone};
use runtime::types::{
    Answer, AnswerValue, Booking, BookingKind, Calendar, Guest, Parameter, Person, Place, PlaceKind, QuestionKind, Team,
};
use serde::{Deserialize, Deserializer};

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) reason: String,
}

// A webhook body is the service's, not the operator's: it grows keys over time, so unknown ones are no error.

#[derive(Deserialize)]
pub(super) struct Webhook {
    webhook_type: String,
    calendar_url: Option<String>,
    calendar_url_path: String,
    calendar_name: String,
    team_url_path: String,
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    local_start_datetime: String,
    local_end_datetime: String,
    timezone: String,
    guest_locale: Option<String>,
    created_at: Timestamp,
    old_event_id: Option<String>,
    online_meeting_provider: Option<String>,
    zoom_meeting: Option<Meeting>,
    google_meet_meeting: Option<Meeting>,
    microsoft_teams_meeting: Option<Meeting>,
    #[serde(default)]
    hosts: Vec<Host>,
    #[serde(default)]
    form: Vec<FormField>,
    #[serde(default, deserialize_with = "url_params")]
    url_params: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Meeting {
    join_url: Option<String>,
}

#[derive(Deserialize)]
struct Host {
    name: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct FormField {
    field_type: String,
    #[serde(default)]
    required: bool,
    label: String,
    #[serde(default)]
    value: Option<FormValue>,
}

struct FormValue(AnswerValue);

impl<'de> Deserialize<'de> for FormValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AnswerValue::deserialize(deserializer).map(Self)
    }
}

/// A list of objects with one key each, or one object with all of them: both are sent.
fn url_params<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Parameter>, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<Parameter>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of parameters")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut parameters = Vec::new();
            while let Some(Pairs(pairs)) = list.next_element()? {
                parameters.extend(pairs);
            }
            Ok(parameters)
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut parameters = Vec::new();
            while let Some((name, value)) = map.next_entry()? {
                parameters.push(Parameter { name, value });
            }
            Ok(parameters)
        }
    }

    struct Pairs(Vec<Parameter>);
    impl<'de> Deserialize<'de> for Pairs {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Visitor).map(Self)
        }
    }

    deserializer.deserialize_any(Visitor)
}

pub(super) fn booking(webhook: &Webhook) -> Result<Booking, Fault> {
    if webhook.webhook_type != "event_confirmed" {
        return Err(Fault {
            path: "webhook_type".into(),
            reason: format!(
                "expected `event_confirmed`, found `{}`; only confirmed bookings become Leads",
                webhook.webhook_type
            ),
        });
    }
    let event = &webhook.event;
    let zone = TimeZone::get(&event.timezone).map_err(|_| Fault {
        path: "event.timezone".into(),
        reason: format!("expected an IANA name such as Asia/Tokyo, found `{}`", event.timezone),
    })?;
    let first_text = |kind: &str| {
        event.form.iter().find(|field| field.field_type == kind).and_then(|field| match &field.value {
            Some(FormValue(AnswerValue::Text(text))) => Some(text.clone()),
            _ => None,
        })
    };
    Ok(Booking {
        kind: event.old_event_id.clone().map_or(BookingKind::New, BookingKind::Rescheduled),
        id: event.id.clone(),
        team: Team { id: webhook.team_url_path.clone(), name: None },
        calendar: Calendar {
            id: webhook.calendar_url_path.clone(),
            name: webhook.calendar_name.clone(),
            url: webhook.calendar_url.clone(),
        },
        title: webhook.calendar_name.clone(),
        start: event.local_start_datetime.clone(),
        end: event.local_end_datetime.clone(),
        confirmed_at: event.created_at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        time_zone: event.timezone.clone(),
        guest: Guest {
            name: first_text("guest_name").unwrap_or_default(),
            family_name: None,
            given_name: None,
            family_name_kana: None,
            given_name_kana: None,
            email: first_text("guest_email"),
            phone: first_text("phone_number"),
            company: first_text("company_name"),
            locale: event.guest_locale.clone(),
        },
        companions: Vec::new(),
        hosts: event
            .hosts
            .iter()
            .map(|host| Person { id: None, name: host.name.clone(), email: host.email.clone() })
            .collect(),
        place: place(event),
        answers: event.form.iter().enumerate().map(|(index, field)| answer(index, field)).collect(),
        tracking: event.url_params.clone(),
        comment: first_text("guest_comment"),
        payment: None,
        extra: Vec::new(),
    })
}

fn place(event: &Event) -> Option<Place> {
    let meeting = [&event.zoom_meeting, &event.google_meet_meeting, &event.microsoft_teams_meeting];
    let join_url = meeting.into_iter().flatten().find_map(|meeting| meeting.join_url.clone());
    if event.online_meeting_provider.is_none() && join_url.is_none() {
        return None;
    }
    Some(Place { kind: PlaceKind::Online, provider: event.online_meeting_provider.clone(), join_url, address: None })
}

fn answer(index: usize, field: &FormField) -> Answer {
    // Braces would end a template's reference.
    let label = field.label.replace('{', "(").replace('}', ")");
    Answer {
        question_id: format!("q{}-{label}", index + 1),
        label: field.label.clone(),
        kind: match field.field_type.as_str() {
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
        },
        required: field.required,
        value: field.value.as_ref().map(|FormValue(value)| value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_json;
    use super::*;

    const WEBHOOK: &str = include_str!("../../../examples/timerex-webhook.json");

    #[test]
    fn a_webhook_body_keeps_everything_that_the_guest_typed() {
        let booking = booking(&parse_json(WEBHOOK).unwrap()).unwrap();
        assert_eq!(booking.kind, BookingKind::New);
        assert_eq!(booking.start, "2026-12-02T08:30:00+09:00");
        assert_eq!(booking.confirmed_at, "2026-11-24T18:05:09+09:00");
        assert_eq!(booking.guest.name, "高橋　美咲");
        assert_eq!(booking.guest.company.as_deref(), Some("株式会社みなとソフト"));
        assert_eq!(booking.place.unwrap().join_url.as_deref(), Some("https://meet.example/abc-defg-hij"));
        let ids: Vec<_> = booking.answers.iter().map(|answer| answer.question_id.as_str()).collect();
        assert_eq!(ids[3], "q4-面談の種類");
        assert_eq!(booking.answers[4].value, Some(AnswerValue::Choices(vec!["採用".into(), "営業".into()])));
        let tracking: Vec<_> = booking.tracking.iter().map(|p| format!("{}={}", p.name, p.value)).collect();
        assert_eq!(tracking, ["utm_source=newsletter", "utm_campaign=2026-冬", "ref=a", "ref=b"]);
    }

    #[test]
    fn a_reschedule_names_the_booking_it_replaces() {
        let mut json: serde_json::Value = serde_json::from_str(WEBHOOK).unwrap();
        json["event"]["old_event_id"] = "0123456789abcdef0123".into();
        json["event"]["url_params"] = serde_json::json!({ "utm_source": "web" });
        let booking = booking(&parse_json(&json.to_string()).unwrap()).unwrap();
        assert_eq!(booking.kind, BookingKind::Rescheduled("0123456789abcdef0123".into()));
        assert_eq!(booking.tracking.len(), 1);
    }

    #[test]
    fn a_fault_in_a_webhook_body_is_named_with_its_path() {
        let json: serde_json::Value = serde_json::from_str(WEBHOOK).unwrap();
        let fault = |pointer: &str, value: serde_json::Value| {
            let mut changed = json.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            match parse_json::<Webhook>(&changed.to_string()) {
                Err((path, reason)) => format!("{path}: {reason}"),
                Ok(webhook) => booking(&webhook).map_or_else(|f| format!("{}: {}", f.path, f.reason), |_| "ok".into()),
            }
        };
        for (pointer, value, expected) in [
            ("/event/form/3/value", serde_json::json!({}), "event.form[3].value: expected text or list"),
            ("/event/created_at", serde_json::json!("yesterday"), "event.created_at: "),
            ("/event/timezone", serde_json::json!("Tokyo"), "event.timezone: expected an IANA name"),
            ("/webhook_type", serde_json::json!("event_cancelled"), "webhook_type: expected `event_confirmed`"),
            ("/event/url_params", serde_json::json!("a=b"), "event.url_params: expected a list of parameters"),
        ] {
            let found = fault(pointer, value);
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
