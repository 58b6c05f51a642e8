//! Every call ends with an answer, whatever the booking, the mapping and the org contain.

use super::deliver;
use crate::{
    bindings::{
        http::{Failure, Method, Request, Response},
        secrets::SecretError,
        types::{
            AnswerValue, Booking, BookingKind, ChosenOption, FieldType, History, LeadField, Mapping, MappingRow,
            PicklistValue, QuestionKind, Source, UnknownTries,
        },
    },
    deliver::preview,
    fixture,
    salesforce::org::{Connect, Org},
    script::{answer, attribute},
    settings::check,
};
use proptest::prelude::*;

/// An org that answers the same to every request of a kind.
#[derive(Clone, Debug)]
struct Stubborn {
    describe: String,
    query: (u16, String),
    write: (u16, String),
}

impl Org for Stubborn {
    fn attribute(&self, name: &str) -> Option<String> {
        attribute(name)
    }

    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        match request.method {
            Method::Get if request.url.ends_with("/describe") => answer(200, &self.describe),
            Method::Get => answer(self.query.0, &self.query.1),
            _ => answer(self.write.0, &self.write.1),
        }
    }
}

impl Connect for Stubborn {
    type Org = Self;

    fn connect(&mut self) -> Result<Self, SecretError> {
        Ok(self.clone())
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => any::<String>(),
        8 => "[ 　\u{0}-\u{20}{}'\"\\\\%+;,.０-９ｱ-ﾟ👩\u{200d}💻\u{3099}-]{0,20}",
        2 => Just("2026-12-02T08:30:00+09:00".to_owned()),
        2 => Just("12,345.678".to_owned()),
        1 => Just("長い👩\u{200d}💻".repeat(1_000)),
    ]
}

fn field_type() -> impl Strategy<Value = FieldType> {
    prop::sample::select(vec![
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
        FieldType::Picklist,
        FieldType::MultiSelectPicklist,
        FieldType::Combobox,
        FieldType::Reference,
        FieldType::Other("new".into()),
    ])
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        prop::sample::select(vec!["q-topic", "q-interests", "q-budget", "q-visited", "any"])
            .prop_map(|id| Source::Answer(id.into())),
        prop::sample::select(crate::attributes::names().collect::<Vec<_>>())
            .prop_map(|name| Source::Booking(name.into())),
        text().prop_map(Source::Tracking),
        text().prop_map(Source::Fixed),
        text().prop_map(Source::Template),
        "(\\{guest.name\\}|\\{answers.any\\}|[ /()（）、]|\\{none\\}){0,6}".prop_map(Source::Template),
    ]
}

prop_compose! {
    fn mapping_row()(
        name in prop::sample::select(vec!["LastName", "Email", "Title", "Company", "x'; --", ""]),
        field_type in field_type(), source in source(), fallback in prop::option::of(text()),
        length in prop::option::of(0_u32..50), precision in any::<u32>(), scale in prop_oneof![0_u32..4, any::<u32>()],
        (required, restricted) in any::<(bool, bool)>(), value in text(), controlled in any::<bool>(),
    ) -> MappingRow {
        let values = vec![PicklistValue { valid_for: controlled.then(|| vec![value.clone()]), ..fixture::value(&value) }];
        MappingRow {
            field: LeadField {
                length, precision, scale, required, restricted, values,
                // Fields that control each other in a circle.
                controlling_field: controlled.then(|| "Title".to_owned()),
                ..fixture::field(name, field_type)
            },
            source,
            fallback,
        }
    }
}

prop_compose! {
    fn mapping()(
        rows in prop::collection::vec(mapping_row(), 0..6),
        options in prop::collection::vec((
            prop::sample::select(vec!["existing", "duplicates", "booking-id-field", "assignment-rules", "owner"]),
            prop::sample::select(vec!["overwrite", "fill-empty", "use-match", "BookingId__c", "run", "0055e00000AbCdE"]),
        ), 0..3),
    ) -> Mapping {
        let options = options.into_iter().map(|(id, value)| ChosenOption { id: id.into(), value: value.into() });
        Mapping { rows, options: options.collect() }
    }
}

prop_compose! {
    fn booking()(
        (name, email, start, end) in (text(), prop::option::of(text()), text(), text()),
        (id, team, previous) in (text(), text(), prop::option::of(text())),
        value in prop::option::of(prop_oneof![
            text().prop_map(AnswerValue::Text),
            text().prop_map(AnswerValue::Number),
            prop::collection::vec(text(), 0..3).prop_map(AnswerValue::Choices),
            any::<bool>().prop_map(AnswerValue::Boolean),
        ]),
        kind in prop::sample::select(vec![QuestionKind::Text, QuestionKind::Consent]),
    ) -> Booking {
        let mut booking = fixture::booking();
        booking.guest.name = name;
        booking.guest.email = email;
        (booking.start, booking.end, booking.id, booking.team.id) = (start, end, id, team);
        booking.kind = previous.map_or(BookingKind::New, BookingKind::Rescheduled);
        let mut answer = booking.answers[0].clone();
        (answer.question_id, answer.value, answer.kind) = ("any".into(), value, kind);
        booking.answers.push(answer);
        booking
    }
}

prop_compose! {
    fn history()(
        now in text(), lead_id in prop::option::of(text()), first_try in prop::option::of(text()),
        unknown_tries in prop::option::of((text(), text())),
    ) -> History {
        let unknown_tries = unknown_tries.map(|(oldest, newest)| UnknownTries { oldest, newest });
        History { now, lead_id, first_try, unknown_tries }
    }
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just(r#"{"records":[]}"#.to_owned()),
        Just(r#"{"records":[{"Id":"00Q","Email":"x","BookingId__c":null}]}"#.to_owned()),
        Just(r#"{"id":"00Q5e00000NewAAEAZ","success":true}"#.to_owned()),
        Just(r#"[{"errorCode":"STRING_TOO_LONG","message":"x","fields":["Title","Email"]}]"#.to_owned()),
        Just(r#"[{"errorCode":"DUPLICATES_DETECTED","message":"x","duplicateResult":{"matchResults":[]}}]"#.to_owned()),
        Just(r#"[{"errorCode":"DUPLICATE_VALUE","message":"x"}]"#.to_owned()),
        Just(r#"{"fields":[{"name":"Title","type":"double","createable":true,"updateable":true,"precision":4294967295,"scale":4294967295}]}"#.to_owned()),
    ]
}

prop_compose! {
    fn org()(
        describe in body(), query in (prop::sample::select(vec![200, 400, 500]), body()),
        write in (prop::sample::select(vec![201, 204, 300, 400, 404, 500]), body()),
    ) -> Stubborn {
        Stubborn { describe, query, write }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_with_an_answer(
        booking in booking(), mapping in mapping(), history in history(), org in org(),
    ) {
        let delivered = deliver(&mut org.clone(), &booking, &mapping, &history);
        if let Ok(delivery) = delivered {
            prop_assert!(!delivery.lead_id.is_empty() || history.lead_id.is_some());
        }
        let _ = preview::preview(&mut org.clone(), &booking, &mapping);
        let _ = check::check(&mut org.clone(), &mapping, &[]);
    }
}
