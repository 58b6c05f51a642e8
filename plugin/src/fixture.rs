//! A booking that has everything, and rows and fields to map it to, for tests.

use crate::bindings::types::{
    ChosenOption, FieldType, History, LeadField, Mapping, MappingRow, PicklistValue, Source, UnknownTries,
};
pub use crm_booking::fixture::{booking, field};

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
