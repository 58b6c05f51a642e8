//! A booking that has everything, and rows and fields to map it to, for tests.

use crate::bindings::types::{
    Answer, AnswerValue, Booking, BookingKind, Calendar, ChosenOption, FieldType, Guest_ as Guest, History, LeadField,
    Mapping, MappingRow, Parameter, Payment, Person, PicklistValue, Place, PlaceKind, QuestionKind, Source, Team,
    UnknownTries,
};

pub fn guest() -> Guest {
    Guest {
        name: "山田　太郎".into(),
        family_name: None,
        given_name: None,
        family_name_kana: Some("ヤマダ".into()),
        given_name_kana: Some("タロウ".into()),
        email: Some("Taro.Yamada@example.com".into()),
        phone: Some("03-1234-5678".into()),
        company: Some("株式会社サンプル＆パートナーズ".into()),
        locale: Some("ja".into()),
    }
}

pub fn booking() -> Booking {
    let person = |id: Option<&str>, name: Option<&str>, email: Option<&str>| Person {
        id: id.map(Into::into),
        name: name.map(Into::into),
        email: email.map(Into::into),
    };
    let parameter = |name: &str, value: &str| Parameter { name: name.into(), value: value.into() };
    let answer = |id: &str, kind, value| Answer {
        question_id: id.into(),
        label: id.to_uppercase(),
        kind,
        required: false,
        value,
    };
    let text = |text: &str| Some(AnswerValue::Text(text.into()));
    let choices =
        |choices: &[&str]| Some(AnswerValue::Choices(choices.iter().map(|choice| (*choice).into()).collect()));
    Booking {
        kind: BookingKind::New,
        id: "b-1".into(),
        team: Team { id: "team-1".into(), name: Some("営業".into()) },
        calendar: Calendar {
            id: "calendar-1".into(),
            name: "製品デモ（30分）".into(),
            url: Some("https://bookings.example/demo".into()),
        },
        title: "製品デモ".into(),
        start: "2026-12-02T08:30:00+09:00".into(),
        end: "2026-12-02T09:00:00+09:00".into(),
        confirmed_at: "2026-11-22T12:04:05+09:00".into(),
        time_zone: "Asia/Tokyo".into(),
        guest: guest(),
        companions: vec![
            person(None, Some("鈴木 一郎"), Some("ichiro@example.com")),
            person(None, None, Some("jiro@example.com")),
        ],
        hosts: vec![
            person(Some("u-1"), Some("佐藤 花子"), Some("hanako@example.co.jp")),
            person(Some("u-2"), Some("Ken Ito"), Some("ken@example.co.jp")),
        ],
        place: Some(Place {
            kind: PlaceKind::Online,
            provider: Some("zoom".into()),
            join_url: Some("https://zoom.example/j/1".into()),
            address: Some("オンライン".into()),
        }),
        answers: vec![
            answer("q-company", QuestionKind::Company, text("株式会社サンプル＆パートナーズ")),
            answer("q-employees", QuestionKind::Radio, choices(&["51-300"])),
            answer("q-interests", QuestionKind::Checkboxes, choices(&["予約", "請求"])),
            answer(
                "q-topic",
                QuestionKind::Paragraph,
                text("現在の手入力を減らしたい。\n「O'Brien & 田中」様の紹介です。👩‍💻"),
            ),
            answer("q-consent", QuestionKind::Consent, choices(&["同意します"])),
            answer("q-budget", QuestionKind::Number, Some(AnswerValue::Number("-12.50".into()))),
            answer("q-visited", QuestionKind::Radio, Some(AnswerValue::Boolean(false))),
            answer("q-empty", QuestionKind::Text, text("")),
            answer("q-not-shown", QuestionKind::Text, None),
            answer("q-none-taken", QuestionKind::Checkboxes, choices(&[])),
        ],
        tracking: vec![parameter("utm_source", "newsletter"), parameter("ref", "a"), parameter("ref", "b")],
        comment: Some("よろしくお願いします。".into()),
        payment: Some(Payment { provider: "stripe".into(), amount: "5500".into(), currency: "JPY".into() }),
        extra: vec![parameter("plan", "first"), parameter("plan", "second")],
    }
}

pub fn field(name: &str, field_type: FieldType) -> LeadField {
    LeadField {
        name: name.into(),
        label: name.to_uppercase(),
        field_type,
        length: None,
        precision: 0,
        scale: 0,
        required: false,
        restricted: false,
        external_id: false,
        unique: false,
        values: Vec::new(),
        controlling_field: None,
        reference_to: Vec::new(),
        help: None,
        suggested_source: None,
    }
}

pub fn text_field(name: &str, length: u32) -> LeadField {
    LeadField { length: Some(length), ..field(name, FieldType::Text) }
}

pub fn required(field: LeadField) -> LeadField {
    LeadField { required: true, ..field }
}

pub fn value(value: &str) -> PicklistValue {
    PicklistValue { value: value.into(), label: value.into(), active: true, is_default: false, valid_for: None }
}

pub fn row(field: LeadField, source: Source) -> MappingRow {
    MappingRow { field, source, fallback: None }
}

/// The mapping that most calendars have.
pub fn mapping() -> Mapping {
    let attribute = |name: &str| Source::Booking(name.into());
    Mapping {
        rows: vec![
            row(required(text_field("LastName", 80)), attribute("guest.family-name")),
            row(text_field("FirstName", 40), attribute("guest.given-name")),
            row(required(text_field("Company", 255)), Source::Answer("q-company".into())),
            row(LeadField { length: Some(80), ..field("Email", FieldType::Email) }, attribute("guest.email")),
            row(
                LeadField { length: Some(32_000), ..field("Description", FieldType::TextArea) },
                Source::Answer("q-topic".into()),
            ),
            row(field("MeetingDate__c", FieldType::Date), attribute("start")),
        ],
        options: Vec::new(),
    }
}

pub fn first_try() -> History {
    History { now: "2026-11-22T03:05:00Z".into(), lead_id: None, first_try: None, unknown_tries: None }
}

/// The mapping with some of the plugin's own choices.
pub fn with_options(options: &[(&str, &str)]) -> Mapping {
    let options = options.iter().map(|(id, value)| ChosenOption { id: (*id).into(), value: (*value).into() });
    Mapping { options: options.collect(), ..mapping() }
}

/// A try after one of unknown outcome that began this many minutes ago.
pub fn after_unknown(minutes: i64) -> History {
    let now = crate::value::timestamp::Moment::parse("2026-11-22T03:20:00Z").unwrap();
    let mut began = String::new();
    now.earlier(minutes * 60).push_to(&mut began);
    History {
        now: "2026-11-22T03:20:00Z".into(),
        lead_id: None,
        first_try: Some(began.clone()),
        unknown_tries: Some(UnknownTries { oldest: began.clone(), newest: began }),
    }
}
