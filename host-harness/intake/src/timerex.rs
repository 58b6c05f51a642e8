//! The webhook body of TimeRex. Its answers have no ids, so they get stable ones from position and label.

use crm_booking::{
    Answer, AnswerValue, Booking, Calendar, Guest, Kind, Person, Place, PlaceKind, Question, QuestionKind, Team,
};
use crm_contract::Parameter;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::{Fault, Intake, check, json, zone};

/// The webhook body of the scheduling service TimeRex.
#[derive(Debug)]
pub struct Timerex;

impl Intake for Timerex {
    fn name(&self) -> &'static str {
        "timerex"
    }

    fn read(&self, body: &str) -> Result<Booking, Fault> {
        let booking = json::parse::<Webhook>(body)?.booking()?;
        check(&booking).map_err(|fault| Fault { path: in_body(fault.path), ..fault })?;
        Ok(booking)
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

// The service adds keys over time, so unknown ones are ignored.

#[derive(Deserialize)]
struct Webhook {
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
    local_start_datetime: Timestamp,
    local_end_datetime: Timestamp,
    timezone: String,
    guest_locale: Option<String>,
    created_at: Timestamp,
    old_event_id: Option<String>,
    online_meeting_provider: Option<String>,
    zoom_meeting: Option<Meeting>,
    google_meet_meeting: Option<Meeting>,
    microsoft_teams_meeting: Option<Meeting>,
    #[serde(default, deserialize_with = "or_default")]
    hosts: Vec<Host>,
    #[serde(default, deserialize_with = "or_default")]
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
    #[serde(default, deserialize_with = "or_default")]
    required: bool,
    label: String,
    #[serde(default, deserialize_with = "or_default")]
    options: Vec<String>,
    value: Option<AnswerValue>,
}

/// `null` stands for an absent member.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
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

impl Webhook {
    fn booking(self) -> Result<Booking, Fault> {
        if self.webhook_type != "event_confirmed" {
            let reason =
                format!("expected `event_confirmed`, found `{}`: only confirmed bookings are read", self.webhook_type);
            return Err(Fault::new("webhook_type", reason));
        }
        let event = self.event;
        let zone = zone("event.timezone", &event.timezone)?;
        let local = |time: Timestamp| time.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let first_text = |kind: &str| {
            event.form.iter().find(|field| field.field_type == kind).and_then(|field| match &field.value {
                Some(AnswerValue::Text(text)) => Some(text.clone()),
                _ => None,
            })
        };
        Ok(Booking {
            kind: if event.old_event_id.is_some() { Kind::Rescheduled } else { Kind::Confirmed },
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
            comment: first_text("guest_comment"),
            place: place(&event),
            answers: event.form.iter().enumerate().map(|(index, field)| field.answer(index)).collect(),
            form: Some(event.form.iter().enumerate().map(|(index, field)| field.question(index)).collect()),
            id: event.id,
            previous_id: event.old_event_id,
            team: Team { id: self.team_url_path, name: None },
            title: self.calendar_name.clone(),
            calendar: Calendar {
                id: self.calendar_url_path,
                name: self.calendar_name,
                url: self.calendar_url,
                locale: None,
            },
            start: local(event.local_start_datetime),
            end: local(event.local_end_datetime),
            confirmed_at: local(event.created_at),
            time_zone: event.timezone,
            companions: Vec::new(),
            hosts: event.hosts.into_iter().map(|Host { name, email }| Person { id: None, name, email }).collect(),
            tracking: event.url_params,
            payment: None,
            extra: Vec::new(),
        })
    }
}

fn place(event: &Event) -> Option<Place> {
    let meeting = [&event.zoom_meeting, &event.google_meet_meeting, &event.microsoft_teams_meeting];
    let join_url = meeting.into_iter().flatten().find_map(|meeting| meeting.join_url.clone());
    if event.online_meeting_provider.is_none() && join_url.is_none() {
        return None;
    }
    Some(Place { kind: PlaceKind::Online, provider: event.online_meeting_provider.clone(), join_url, address: None })
}

impl FormField {
    fn id(&self, index: usize) -> String {
        // A brace would end a template's reference, and white space around one is ignored.
        let label = self.label.replace('{', "(").replace('}', ")");
        format!("q{}-{}", index + 1, label.trim())
    }

    fn kind(&self) -> QuestionKind {
        match self.field_type.as_str() {
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

    fn answer(&self, index: usize) -> Answer {
        Answer {
            question_id: self.id(index),
            label: self.label.clone(),
            kind: self.kind(),
            required: self.required,
            value: self.value.clone(),
        }
    }

    fn question(&self, index: usize) -> Question {
        Question {
            id: self.id(index),
            label: self.label.clone(),
            kind: self.kind(),
            required: self.required,
            choices: self.options.clone(),
        }
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
    fn a_fault_in_a_webhook_body_is_named_with_its_path() {
        let example: Value = serde_json::from_str(FIXTURES[0].1).unwrap();
        for (pointer, value, expected) in [
            ("/event/form/3/value", json!({}), "event.form[3].value: expected text or list"),
            ("/event/created_at", json!("yesterday"), "event.created_at: "),
            ("/event/timezone", json!("Tokyo"), "event.timezone: expected an IANA name"),
            ("/event/local_end_datetime", json!("2026-12-01T00:00:00+09:00"), "event.local_end_datetime: 2026-12-01"),
            ("/event/local_start_datetime", json!("8:30"), "event.local_start_datetime: "),
            ("/event/id", json!(""), "event.id: expected 1 to 200 bytes"),
            ("/webhook_type", json!("event_cancelled"), "webhook_type: expected `event_confirmed`"),
            ("/event/url_params", json!("a=b"), "event.url_params: expected a list of parameters"),
        ] {
            let mut changed = example.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            let fault = Timerex.read(&changed.to_string()).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}\nexpected {expected}");
        }
    }
}
