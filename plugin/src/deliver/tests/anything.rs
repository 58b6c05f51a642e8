//! Every call ends with an answer, whatever the booking, the mapping and the org contain.

use super::deliver;
use crate::{
    bindings::{
        http::{Failure, Method, Request, Response},
        secrets::SecretError,
        settings::Expectation,
        types::{
            Booking, BookingKind, Effect, History, Mapping, Outcome, Parameter, Reaction, Row, SourceKind,
            UnknownTries, Value,
        },
    },
    deliver::preview,
    field::{LeadField, PicklistValue, memo},
    fixture,
    salesforce::org::{Connect, Org},
    script::{ORIGIN, answer, attribute, dated},
    settings::check,
};
use proptest::prelude::*;

/// An org that answers the same to every request of a kind.
#[derive(Clone, Debug)]
struct Stubborn {
    describe: String,
    query: (u16, String),
    write: (u16, String),
    date: String,
}

impl Org for Stubborn {
    fn origin(&self) -> String {
        ORIGIN.into()
    }

    fn attribute(&self, name: &str) -> Option<String> {
        attribute(name)
    }

    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        match request.method {
            Method::Get if request.url.ends_with("/describe") => answer(200, &self.describe),
            Method::Get => dated(answer(self.query.0, &self.query.1), &self.date),
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

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => any::<String>(),
        8 => "[ 　\u{0}-\u{20}{}'\"\\\\%+;,.０-９ｱ-ﾟ👩\u{200d}💻\u{3099}-]{0,20}",
        2 => Just("2026-12-02T08:30:00+09:00".to_owned()),
        2 => Just("12,345.678".to_owned()),
        1 => Just("長い👩\u{200d}💻".repeat(1_000)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_text().prop_map(Value::Text),
        any_text().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
        any_text().prop_map(Value::Date),
        any_text().prop_map(Value::Time),
        any_text().prop_map(Value::Moment),
        prop::collection::vec(any_text(), 0..3).prop_map(Value::Choices),
        prop::collection::vec(any_text(), 0..3).prop_map(Value::Agreed),
        any_text().prop_map(|text| Value::Other(Parameter::new("rating", text))),
    ]
}

fn source() -> impl Strategy<Value = SourceKind> {
    prop::sample::select(vec![
        SourceKind::Guest,
        SourceKind::Meeting,
        SourceKind::Mapping,
        SourceKind::Other("new".into()),
    ])
}

prop_compose! {
    fn lead_field()(
        name in prop::sample::select(vec!["LastName", "Email", "Title", "Company", "x'; --", ""]),
        field_type in prop::sample::select(fixture::types()),
        length in prop::option::of(0_u32..50), precision in any::<u32>(), scale in prop_oneof![0_u32..4, any::<u32>()],
        (required, restricted) in any::<(bool, bool)>(), value in any_text(), controlled in any::<bool>(),
    ) -> LeadField<'static> {
        let values = vec![PicklistValue { valid_for: controlled.then(|| vec![value.clone().into()]), ..fixture::value(&value) }];
        LeadField {
            length, precision, scale, required, restricted, values,
            // Fields that control each other in a circle.
            controlling_field: controlled.then(|| "Title".into()),
            ..fixture::field(name, field_type)
        }
    }
}

prop_compose! {
    fn row()(
        field in lead_field(), noise in prop::option::of(any_text()),
        value in prop::option::of(value()), fallback in prop::option::of(value()),
        source in source(), on_change in any::<bool>(),
    ) -> Row {
        let memo = noise.unwrap_or_else(|| memo::of(&field));
        Row { field: field.name.into_owned(), memo, value, fallback, source, on_change }
    }
}

prop_compose! {
    fn mapping()(
        rows in prop::collection::vec(row(), 0..6),
        options in prop::collection::vec((
            prop::sample::select(vec!["existing", "duplicates", "booking-id-field", "assignment-rules", "owner"]),
            prop::sample::select(vec!["overwrite", "fill-empty", "use-match", "BookingId__c", "run", "0055e00000AbCdE"]),
        ), 0..3),
        target in prop::option::weighted(0.1, any_text()),
    ) -> Mapping {
        let options = options.into_iter().map(|(id, value)| Parameter::new(id, value)).collect();
        Mapping { target, rows, options, more: Vec::new() }
    }
}

fn kind() -> impl Strategy<Value = BookingKind> {
    prop::sample::select(vec![
        BookingKind::Confirmed,
        BookingKind::Rescheduled,
        BookingKind::Cancelled,
        BookingKind::Other("no-show".into()),
    ])
}

prop_compose! {
    fn booking()(
        kind in kind(), id in any_text(), team_id in any_text(), previous_id in prop::option::of(any_text()),
        locale in prop::option::of(any_text()),
    ) -> Booking {
        Booking { kind, id, previous_id, team_id, locale, more: Vec::new() }
    }
}

prop_compose! {
    fn expectation()(
        field in lead_field(), case in prop::sample::select(vec!["text", "choices", "agreed", "number", "new", ""]),
        texts in prop::collection::vec(any_text(), 0..3), fallback in prop::option::of(value()),
        (may_be_blank, several) in any::<(bool, bool)>(),
    ) -> Expectation {
        Expectation { texts, fallback, may_be_blank, several, ..fixture::expectation(&field, &[case]) }
    }
}

fn instant() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 1_795_000_000_000_u64..1_796_000_000_000]
}

prop_compose! {
    fn history()(
        now in instant(), known in prop::option::of(any_text()), first_try in prop::option::of(instant()),
        unknown_tries in prop::option::of((instant(), instant())),
    ) -> History {
        let unknown_tries = unknown_tries.map(|(oldest, newest)| UnknownTries { oldest, newest });
        let records = known.iter().map(|id| fixture::lead(id)).collect();
        History { now, records, first_try, unknown_tries, ..History::default() }
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
        date in prop_oneof!["[ -~]{0,30}", Just("Sun, 22 Nov 2026 03:20:00 GMT".to_owned())],
    ) -> Stubborn {
        Stubborn { describe, query, write, date }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_call_ends_with_an_answer(
        booking in booking(), mapping in mapping(), history in history(), org in org(),
        expected in prop::collection::vec(expectation(), 0..4),
    ) {
        match deliver(&mut org.clone(), &booking, &mapping, &history) {
            Ok(delivery) => prop_assert!(!delivery.records.is_empty() || delivery.outcome == Outcome::Ignored),
            Err(problem) => {
                // [P6]
                prop_assert!(problem.effect == Effect::None || problem.reaction == Reaction::CheckFirst);
                // [P8]: while the look-up fails, nothing is known of earlier tries.
                let is_open = history.unknown_tries.is_some() && history.records.is_empty() && org.query.0 != 200;
                let keeps_doubt = matches!(problem.reaction, Reaction::CheckFirst | Reaction::Reconnect);
                prop_assert!(!is_open || keeps_doubt, "{:?}", problem);
                // [P2]
                prop_assert!(!matches!(booking.kind, BookingKind::Other(_)));
            }
        }
        let _ = preview::preview(&mut org.clone(), &booking, &mapping, &history.records);
        let target = mapping.target.as_deref();
        let _ = check::check(&mut org.clone(), &booking.kind, target, &expected, &mapping.options);
    }
}
