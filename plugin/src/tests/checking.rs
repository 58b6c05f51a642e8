use crate::{
    bindings::types::{Consequence, FieldType, Finding, Mapping, Question, QuestionKind, Source},
    check, codes, fixture,
    fixture::{row, with_options},
    script::{Script, described},
};
use serde_json::{Value, json};

fn question(id: &str, kind: QuestionKind, required: bool, choices: &[&str]) -> Question {
    Question {
        id: id.into(),
        label: id.into(),
        kind,
        required,
        choices: choices.iter().map(|choice| (*choice).into()).collect(),
    }
}

fn form() -> Vec<Question> {
    vec![
        question("q-company", QuestionKind::Company, true, &[]),
        question("q-topic", QuestionKind::Paragraph, false, &[]),
        question("q-date", QuestionKind::Date, false, &[]),
        question("q-size", QuestionKind::Radio, false, &["1-50", "51-300", "301以上"]),
    ]
}

fn checked(mapping: &Mapping, changes: &[(&str, &str, Value)]) -> Vec<Finding> {
    let script = Script::new([described(changes)]);
    let findings = check::check(&mut script.clone(), mapping, &form()).unwrap();
    assert_eq!(script.asked(), ["GET /sobjects/Lead/describe"]);
    findings
}

fn found(mapping: &Mapping, changes: &[(&str, &str, Value)]) -> Vec<(String, Consequence)> {
    checked(mapping, changes).into_iter().map(|finding| (finding.code, finding.consequence)).collect()
}

#[test]
fn a_mapping_that_holds_has_no_findings() {
    assert_eq!(checked(&fixture::mapping(), &[]), []);
}

#[test]
fn what_changed_in_the_org_is_found() {
    for (changes, expected) in [
        (vec![("FirstName", "name", json!(null))], vec![(codes::FIELD_GONE, Consequence::LeftOut)]),
        (vec![("FirstName", "updateable", json!(false))], vec![(codes::FIELD_NOT_WRITABLE, Consequence::LeftOut)]),
        (vec![("FirstName", "length", json!(10))], vec![(codes::FIELD_SHRUNK, Consequence::Changed)]),
        (
            vec![("Description", "nillable", json!(false))],
            vec![
                (codes::REQUIRED_FIELD_MAY_BE_BLANK, Consequence::Refused),
                (codes::FIELD_NEWLY_REQUIRED, Consequence::Refused),
            ],
        ),
        (vec![("Title", "nillable", json!(false))], vec![(codes::REQUIRED_FIELD_UNMAPPED, Consequence::Refused)]),
        (
            vec![("FirstName", "type", json!("double"))],
            vec![(codes::FIELD_TYPE_CHANGED, Consequence::Changed), (codes::TYPE_MISMATCH, Consequence::LeftOut)],
        ),
    ] {
        let expected: Vec<(String, Consequence)> =
            expected.into_iter().map(|(code, consequence)| (code.to_owned(), consequence)).collect();
        assert_eq!(found(&fixture::mapping(), &changes), expected, "{changes:?}");
    }
}

#[test]
fn what_a_row_refers_to_must_be_there() {
    for (source, expected) in [
        (Source::Answer("gone".into()), codes::QUESTION_UNKNOWN),
        (Source::Booking("guest.nickname".into()), codes::ATTRIBUTE_UNKNOWN),
        (Source::Template("{answers.gone}".into()), codes::QUESTION_UNKNOWN),
        (Source::Template("{guest.nickname}".into()), codes::ATTRIBUTE_UNKNOWN),
        (Source::Template("{guest.name".into()), codes::TEMPLATE_INVALID),
    ] {
        let mut mapping = fixture::mapping();
        mapping.rows.push(row(fixture::text_field("Title", 128), source));
        let findings = checked(&mapping, &[]);
        assert_eq!(findings.iter().map(|finding| &*finding.code).collect::<Vec<_>>(), [expected]);
        assert_eq!(findings[0].rows, [6]);
    }
}

#[test]
fn a_required_field_needs_something_that_is_never_blank() {
    for (source, fallback, is_found) in [
        (Source::Answer("q-company".into()), None, false),
        (Source::Answer("q-topic".into()), None, true),
        (Source::Answer("q-topic".into()), Some("個人"), false),
        (Source::Booking("guest.company".into()), None, false),
        (Source::Booking("guest.phone".into()), None, true),
        (Source::Booking("guest.name".into()), None, false),
        (Source::Tracking("utm_source".into()), None, true),
        (Source::Fixed("個人".into()), None, false),
        (Source::Fixed(" ".into()), None, true),
        (Source::Template("{answers.q-topic} {guest.name}".into()), None, false),
        (Source::Template("{answers.q-topic}".into()), None, true),
    ] {
        let mut mapping = fixture::mapping();
        mapping.rows[2].source = source;
        mapping.rows[2].fallback = fallback.map(Into::into);
        let expected = if is_found { vec![codes::REQUIRED_FIELD_MAY_BE_BLANK] } else { vec![] };
        let findings = checked(&mapping, &[]);
        let codes: Vec<&str> = findings.iter().map(|finding| &*finding.code).collect();
        assert_eq!(codes, expected, "{:?}", mapping.rows[2].source);
    }
}

#[test]
fn choices_that_the_picklist_does_not_take_are_named() {
    let values = json!([
        {"value": "1-50", "label": "1-50", "active": true},
        {"value": "51-300", "label": "51-300", "active": false},
    ]);
    let changes = [
        ("Title", "type", json!("picklist")),
        ("Title", "restrictedPicklist", json!(true)),
        ("Title", "picklistValues", values),
    ];
    let mut mapping = fixture::mapping();
    mapping.rows.push(row(fixture::field("Title", FieldType::Picklist), Source::Answer("q-size".into())));
    let findings = checked(&mapping, &changes);
    let details: Vec<(&str, &str)> = findings.iter().map(|finding| (&*finding.code, &*finding.detail)).collect();
    assert_eq!(
        details,
        [(codes::PICKLIST_VALUE_INACTIVE, "choices: 51-300"), (codes::PICKLIST_VALUE_UNKNOWN, "choices: 301以上")]
    );
    assert_eq!(findings[0].question_ids, ["q-size"]);

    mapping.rows[6].source = Source::Fixed("301以上".into());
    assert_eq!(found(&mapping, &changes), [(codes::PICKLIST_VALUE_UNKNOWN.to_owned(), Consequence::LeftOut)]);
    mapping.rows[6].source = Source::Answer("q-topic".into());
    mapping.rows[6].fallback = Some("51-300".into());
    assert_eq!(found(&mapping, &changes), [(codes::PICKLIST_VALUE_INACTIVE.to_owned(), Consequence::LeftOut)]);
}

#[test]
fn answers_that_never_fit_a_type_are_told_and_moments_fit_dates() {
    for (kind, source, expected) in [
        (FieldType::DateTime, Source::Answer("q-date".into()), vec![codes::TYPE_MISMATCH]),
        (FieldType::Date, Source::Answer("q-date".into()), vec![]),
        (FieldType::Date, Source::Booking("start".into()), vec![]),
        (FieldType::DateTime, Source::Booking("start-date".into()), vec![codes::TYPE_MISMATCH]),
        (FieldType::Integer, Source::Booking("duration-minutes".into()), vec![]),
        (FieldType::Integer, Source::Booking("guest.name".into()), vec![codes::TYPE_MISMATCH]),
    ] {
        let name = match kind {
            FieldType::Date => "date",
            FieldType::DateTime => "datetime",
            _ => "int",
        };
        let mut mapping = fixture::mapping();
        mapping.rows.push(row(fixture::field("Title", kind), source));
        let findings = checked(&mapping, &[("Title", "type", json!(name)), ("Title", "length", json!(0))]);
        let codes: Vec<&str> = findings.iter().map(|finding| &*finding.code).collect();
        assert_eq!(codes, expected, "{:?}", mapping.rows[6].source);
    }
}

#[test]
fn what_a_template_gives_is_not_judged_before_there_is_a_booking() {
    let changes = [("Title", "type", json!("picklist")), ("Title", "restrictedPicklist", json!(true))];
    let mut mapping = fixture::mapping();
    mapping.rows.push(row(fixture::field("Title", FieldType::Picklist), Source::Template("{answers.q-size}".into())));
    assert_eq!(checked(&mapping, &changes), []);
}

#[test]
fn choices_of_the_mapping_must_hold() {
    for (options, expected) in [
        (vec![("booking-id-field", "BookingId__c")], vec![]),
        (vec![("booking-id-field", "Title")], vec![codes::BOOKING_ID_FIELD_UNFIT]),
        (vec![("booking-id-field", "Gone__c")], vec![codes::BOOKING_ID_FIELD_UNFIT]),
        (vec![("record-type", "0125e00000AbCdE")], vec![codes::RECORD_TYPE_UNAVAILABLE]),
        (vec![("existing", "?")], vec![codes::OPTION_INVALID]),
        (vec![("of-a-later-version", "x")], vec![codes::OPTION_INVALID]),
        (vec![("owner", "0055e00000AbCdE")], vec![]),
        (vec![("owner", "0055e00000AbCdE"), ("assignment-rules", "run")], vec![codes::OWNER_AND_ASSIGNMENT_RULE]),
    ] {
        let findings = checked(&with_options(&options), &[]);
        let codes: Vec<&str> = findings.iter().map(|finding| &*finding.code).collect();
        assert_eq!(codes, expected, "{options:?}");
    }
    let mut mapping = with_options(&[("booking-id-field", "BookingId__c")]);
    mapping.rows.push(row(fixture::text_field("BookingId__c", 255), Source::Booking("id".into())));
    mapping.rows.push(row(fixture::text_field("title", 128), Source::Fixed("a".into())));
    mapping.rows.push(row(fixture::text_field("Title", 128), Source::Fixed("b".into())));
    let codes: Vec<String> = found(&mapping, &[]).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [codes::FIELD_SET_BY_OPTION, codes::FIELD_MAPPED_TWICE]);
}

#[test]
fn every_code_is_listed_once() {
    let mut codes = crate::codes::ALL.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), crate::codes::ALL.len());
    let source = include_str!("../codes.rs");
    assert_eq!(source.matches("pub const ").count(), crate::codes::ALL.len() + 1);
}
