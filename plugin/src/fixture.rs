//! A booking, and the rows and fields that most calendars have, for tests.

use crate::{
    bindings::{
        settings::Expectation,
        types::{
            Booking, BookingKind, FieldType, History, Instant, Mapping, Parameter, RecordRef, Row, SourceKind,
            UnknownTries, Value,
        },
    },
    field::{LeadField, PicklistValue, memo},
    value::timestamp::Moment,
};

pub fn booking() -> Booking {
    Booking {
        kind: BookingKind::Confirmed,
        id: "b-1".into(),
        previous_id: None,
        team_id: "team-1".into(),
        locale: Some("ja".into()),
        more: Vec::new(),
    }
}

/// The booking after it was moved, and got a new id or kept its own.
pub fn moved_from(previous: &str) -> Booking {
    Booking { kind: BookingKind::Rescheduled, previous_id: Some(previous.into()), ..booking() }
}

/// An optional field without limits.
pub fn field(name: &str, field_type: FieldType) -> LeadField<'static> {
    LeadField {
        name: name.to_owned().into(),
        label: name.to_uppercase().into(),
        field_type,
        length: None,
        precision: 0,
        scale: 0,
        required: false,
        restricted: false,
        external_id: false,
        unique: false,
        html: false,
        filterable: true,
        values: Vec::new(),
        controlling_field: None,
        reference_to: Vec::new(),
        help: None,
    }
}

pub fn text_field(name: &str, length: u32) -> LeadField<'static> {
    LeadField { length: Some(length), ..field(name, FieldType::Text) }
}

pub fn required(field: LeadField<'_>) -> LeadField<'_> {
    LeadField { required: true, ..field }
}

/// A type of each kind.
pub fn types() -> Vec<FieldType> {
    vec![
        FieldType::Text,
        FieldType::TextArea,
        FieldType::Email,
        FieldType::Phone,
        FieldType::Url,
        FieldType::Integer,
        FieldType::Number,
        FieldType::Currency,
        FieldType::Percent,
        FieldType::Checkbox,
        FieldType::Date,
        FieldType::DateTime,
        FieldType::Time,
        FieldType::Choice,
        FieldType::Choices,
        FieldType::TextOrChoice,
        FieldType::Reference,
        FieldType::Other("encryptedstring".into()),
    ]
}

pub fn value(value: &str) -> PicklistValue<'static> {
    PicklistValue {
        value: value.to_owned().into(),
        label: value.to_owned().into(),
        active: true,
        is_default: false,
        valid_for: None,
    }
}

pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub fn choices(choices: &[&str]) -> Value {
    Value::Choices(choices.iter().map(|choice| (*choice).to_owned()).collect())
}

/// A row with a value of the guest's, or without one.
pub fn row(field: LeadField<'_>, value: impl Into<Option<Value>>) -> Row {
    Row {
        memo: memo::of(&field),
        field: field.name.into_owned(),
        value: value.into(),
        fallback: None,
        source: SourceKind::Guest,
        on_change: false,
    }
}

/// A row whose value has another source. Those of the meeting are written when it changes.
pub fn given_by(source: SourceKind, row: Row) -> Row {
    Row { on_change: source == SourceKind::Meeting, source, ..row }
}

/// A row that every booking fills in.
pub fn expectation(field: &LeadField<'_>, gives: &[&str]) -> Expectation {
    Expectation {
        field: field.name.to_string(),
        memo: memo::of(field),
        gives: gives.iter().map(|case| (*case).to_owned()).collect(),
        content: None,
        several: false,
        may_be_blank: false,
        texts: Vec::new(),
        fallback: None,
        locale: Some("ja".into()),
        more: Vec::new(),
    }
}

/// The fields of [`mapping`], in its order.
pub fn fields() -> [LeadField<'static>; 6] {
    [
        required(text_field("LastName", 80)),
        text_field("FirstName", 40),
        required(text_field("Company", 255)),
        LeadField { length: Some(80), ..field("Email", FieldType::Email) },
        LeadField { length: Some(32_000), ..field("Description", FieldType::TextArea) },
        field("MeetingDate__c", FieldType::Date),
    ]
}

/// The mapping that most calendars have, with the values of [`booking`].
pub fn mapping() -> Mapping {
    let [last_name, first_name, company, email, description, date] = fields();
    Mapping {
        target: None,
        rows: vec![
            row(last_name, text("山田")),
            row(first_name, text("太郎")),
            row(company, text("株式会社サンプル＆パートナーズ")),
            row(email, text("Taro.Yamada@example.com")),
            row(description, text("現在の手入力を減らしたい。\n「O'Brien & 田中」様の紹介です。👩‍💻")),
            given_by(SourceKind::Meeting, row(date, Value::Moment("2026-12-02T08:30:00+09:00".into()))),
        ],
        options: Vec::new(),
        more: Vec::new(),
    }
}

/// The mapping with some of the plugin's own choices.
pub fn with_options(options: &[(&str, &str)]) -> Mapping {
    let options = options.iter().map(|(id, value)| Parameter::new(*id, *value));
    Mapping { options: options.collect(), ..mapping() }
}

pub fn instant(text: &str) -> Instant {
    u64::try_from(Moment::parse(text).unwrap().unix()).unwrap() * 1_000
}

pub fn first_try() -> History {
    History { now: instant("2026-11-22T03:05:00Z"), ..History::default() }
}

/// A try after one of unknown outcome that began this many minutes ago.
pub fn after_unknown(minutes: u64) -> History {
    let now = instant("2026-11-22T03:20:00Z");
    let began = now - minutes * 60_000;
    let unknown_tries = Some(UnknownTries { oldest: began, newest: began });
    History { now, first_try: Some(began), unknown_tries, ..History::default() }
}

pub fn lead(id: &str) -> RecordRef {
    RecordRef { object: "Lead".into(), id: id.into(), url: Some(format!("https://example.my.salesforce.com/{id}")) }
}

/// A history that knows the booking's Lead.
pub fn known(id: &str, history: History) -> History {
    History { records: vec![lead(id)], ..history }
}
