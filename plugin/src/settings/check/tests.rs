use crate::{
    bindings::types::{Consequence, FieldType, Finding, Mapping, Question, QuestionKind, Source},
    codes,
    fixture::{self, row, with_options},
    script::{Script, described},
    settings::check,
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
fn answers_that_never_fit_a_type_are_findings_and_moments_fit_dates() {
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
        (vec![("owner", "00G5e00000AbCdE")], vec![]),
        (vec![("owner", "00Q5e00000AbCdE")], vec![codes::OPTION_INVALID]),
        (vec![("assignment-rules", "01Q5e00000AbCdE")], vec![]),
        (vec![("assignment-rules", "0055e00000AbCdE")], vec![codes::OPTION_INVALID]),
        (
            vec![("owner", "01Q5e00000AbCdE"), ("assignment-rules", "0055e00000AbCdE")],
            vec![codes::OPTION_INVALID, codes::OPTION_INVALID, codes::OWNER_AND_ASSIGNMENT_RULE],
        ),
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

/// A describe result of the usual fields and some more.
fn checked_with(mapping: &Mapping, further: &[Value], questions: &[Question]) -> Vec<Finding> {
    let mut described = described(&[]).unwrap();
    let mut body: Value = serde_json::from_slice(&described.body).unwrap();
    body["fields"].as_array_mut().unwrap().extend(further.iter().cloned());
    described.body = body.to_string().into();
    check::check(&mut Script::new([Ok(described)]), mapping, questions).unwrap()
}

fn field(name: &str, kind: &str, more: Value) -> Value {
    let mut field =
        json!({"name": name, "label": name, "type": kind, "createable": true, "updateable": true, "nillable": true});
    field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    field
}

/// Field, code and detail of each finding.
fn summary(findings: &[Finding]) -> Vec<(&str, &str, &str)> {
    findings.iter().map(|finding| (&*finding.fields[0], &*finding.code, &*finding.detail)).collect()
}

#[test]
fn a_row_that_sets_the_owner_is_a_finding_if_a_rule_may_set_another() {
    let owner = || row(fixture::field("OwnerId", FieldType::Reference), Source::Fixed("0055e00000AbCdE".into()));
    let live = [field("OwnerId", "reference", json!({"referenceTo": ["Group", "User"]}))];
    for (options, expected) in [
        (vec![("assignment-rules", "run")], vec![codes::OWNER_AND_ASSIGNMENT_RULE]),
        (vec![("assignment-rules", "01Q5e00000AbCdE")], vec![codes::OWNER_AND_ASSIGNMENT_RULE]),
        (vec![("assignment-rules", "skip")], vec![]),
        // The option goes before the row.
        (vec![("assignment-rules", "skip"), ("owner", "0055e00000AbCdE")], vec![codes::FIELD_SET_BY_OPTION]),
    ] {
        let mut mapping = with_options(&options);
        mapping.rows.push(owner());
        let findings = checked_with(&mapping, &live, &form());
        let codes: Vec<&str> = findings.iter().map(|finding| &*finding.code).collect();
        assert_eq!(codes, expected, "{options:?}");
        assert!(findings.iter().all(|finding| finding.rows == [6] && finding.consequence == Consequence::Changed));
    }
}

/// Country and state as an org has them that offers them as picklists.
fn places() -> [Value; 2] {
    let value = |value: &str, label: &str, valid_for: Value| json!({"value": value, "label": label, "active": true, "validFor": valid_for});
    let countries = json!([value("US", "United States", json!(null)), value("JP", "Japan", json!(null))]);
    let states = json!([value("CA", "California", json!("gAAA")), value("13", "Tokyo", json!("QAAA"))]);
    [
        field("CountryCode", "picklist", json!({"restrictedPicklist": true, "picklistValues": countries})),
        field(
            "StateCode",
            "picklist",
            json!({"restrictedPicklist": true, "controllerName": "CountryCode", "picklistValues": states}),
        ),
    ]
}

#[test]
fn a_dependent_value_is_held_against_what_its_controlling_field_is_given() {
    let fixed = |text: &str| Source::Fixed(text.into());
    let not_allowed = "the controlling field's value does not allow it";
    for (country, state, expected) in [
        (Some(fixed("JP")), fixed("13"), None),
        (Some(fixed("Japan")), fixed("Tokyo"), None),
        (Some(Source::Template("JP".into())), fixed("13"), None),
        (Some(fixed("JP")), fixed("CA"), Some(not_allowed)),
        (Some(Source::Template("JP".into())), Source::Template("CA".into()), Some(not_allowed)),
        (Some(fixed("JP")), Source::Answer("q-state".into()), Some("choices: CA")),
        // The guest's answer is unknown.
        (Some(Source::Answer("q-country".into())), fixed("CA"), None),
        (None, fixed("CA"), Some("no row writes the controlling field `CountryCode`")),
        (None, Source::Answer("q-state".into()), Some("no row writes the controlling field `CountryCode`")),
    ] {
        let questions = [
            question("q-country", QuestionKind::Dropdown, true, &["US", "JP"]),
            question("q-state", QuestionKind::Dropdown, true, &["CA", "13"]),
        ];
        let mut mapping = fixture::mapping();
        mapping.rows[2].source = fixed("個人");
        mapping.rows[4].source = Source::Booking("comment".into());
        let picklist = |name| fixture::field(name, FieldType::Picklist);
        mapping.rows.push(row(picklist("StateCode"), state.clone()));
        mapping.rows.extend(country.clone().map(|country| row(picklist("CountryCode"), country)));
        let findings = checked_with(&mapping, &places(), &questions);
        let expected: Vec<_> =
            expected.into_iter().map(|detail| ("StateCode", codes::PICKLIST_VALUE_NOT_ALLOWED, detail)).collect();
        assert_eq!(summary(&findings), expected, "{country:?} {state:?}");
    }
}

#[test]
fn a_controlling_field_that_has_a_value_by_itself_needs_no_row() {
    let [mut country, state] = places();
    country["picklistValues"][1]["defaultValue"] = true.into();
    let checkbox = field("Flag__c", "boolean", json!({}));
    let why = json!({"restrictedPicklist": true, "controllerName": "Flag__c",
        "picklistValues": [{"value": "because", "active": true, "validFor": "gAAA"}]});
    let mut mapping = fixture::mapping();
    mapping.rows.push(row(fixture::field("StateCode", FieldType::Picklist), Source::Fixed("13".into())));
    mapping.rows.push(row(fixture::field("Why__c", FieldType::Picklist), Source::Fixed("because".into())));
    assert_eq!(
        checked_with(&mapping, &[country, state, checkbox, field("Why__c", "picklist", why.clone())], &form()),
        []
    );
    // A checkbox that has a row is judged like any other.
    mapping.rows.remove(6);
    mapping.rows.push(row(fixture::field("Flag__c", FieldType::Checkbox), Source::Fixed("はい".into())));
    let findings =
        checked_with(&mapping, &[field("Flag__c", "boolean", json!({})), field("Why__c", "picklist", why)], &form());
    assert_eq!(summary(&findings).iter().map(|told| told.1).collect::<Vec<_>>(), [codes::PICKLIST_VALUE_NOT_ALLOWED]);
}

#[test]
fn several_answers_for_a_field_that_takes_one_are_a_finding() {
    let values = json!([{"value": "1", "active": true}, {"value": "2", "active": true}]);
    for (kind, api_name, takes_several) in [
        (FieldType::Text, "string", true),
        (FieldType::TextArea, "textarea", true),
        (FieldType::MultiSelectPicklist, "multipicklist", true),
        (FieldType::Picklist, "picklist", false),
        (FieldType::Integer, "int", false),
        (FieldType::Number, "double", false),
        (FieldType::Checkbox, "boolean", false),
    ] {
        for (question_kind, choices, may_be_several) in [
            (QuestionKind::Checkboxes, &["1", "2"][..], true),
            (QuestionKind::Checkboxes, &["1"], false),
            (QuestionKind::Radio, &["1"], false),
        ] {
            let live = field("Field__c", api_name, json!({"picklistValues": values}));
            let mut mapping = fixture::mapping();
            mapping.rows.push(row(fixture::field("Field__c", kind.clone()), Source::Answer("q".into())));
            let questions = [form(), vec![question("q", question_kind, false, choices)]].concat();
            let findings = checked_with(&mapping, &[live], &questions);
            let is_told = findings.iter().any(|finding| {
                finding.code == codes::TYPE_MISMATCH
                    && finding.detail == "the question may have several answers, the field takes one"
            });
            assert_eq!(is_told, may_be_several && !takes_several, "{kind:?} {question_kind:?} {choices:?}");
        }
    }
}

#[test]
fn a_consent_fits_a_checkbox_whatever_its_words_and_another_choice_only_if_it_means_yes_or_no() {
    let live = field("OptIn__c", "boolean", json!({"nillable": false}));
    let mut mapping = fixture::mapping();
    mapping.rows.push(row(fixture::field("OptIn__c", FieldType::Checkbox), Source::Answer("q".into())));
    for (kind, choices, expected) in [
        (QuestionKind::Consent, &["同意します", "同意しません"][..], None),
        (QuestionKind::Consent, &["I agree", "No objection", "Maybe not"], None),
        (QuestionKind::Consent, &["案内を受け取る"], None),
        (QuestionKind::Radio, &["はい", "いいえ"], None),
        (QuestionKind::Radio, &["yes", "No objection", "Maybe not"], Some("choices: No objection, Maybe not")),
    ] {
        let questions = [form(), vec![question("q", kind, false, choices)]].concat();
        let findings = checked_with(&mapping, std::slice::from_ref(&live), &questions);
        let expected: Vec<_> =
            expected.into_iter().map(|detail| ("OptIn__c", codes::CHECKBOX_INVALID, detail)).collect();
        assert_eq!(summary(&findings), expected, "{choices:?}");
    }
}

#[test]
fn a_value_that_an_unrestricted_picklist_does_not_list_is_written_with_a_finding() {
    let values = json!([{"value": "Web", "active": true}, {"value": "Old", "label": "旧", "active": false}]);
    let live = |kind| field("Field__c", kind, json!({"picklistValues": values}));
    for (source, expected) in [
        (Source::Fixed("Web".into()), None),
        (Source::Fixed("ｗｅｂ".into()), None),
        (Source::Fixed("Wbe".into()), Some(codes::PICKLIST_VALUE_UNKNOWN)),
        (Source::Fixed("旧".into()), Some(codes::PICKLIST_VALUE_INACTIVE)),
    ] {
        for (kind, api_name) in [(FieldType::Picklist, "picklist"), (FieldType::MultiSelectPicklist, "multipicklist")] {
            let mut mapping = fixture::mapping();
            mapping.rows.push(row(fixture::field("Field__c", kind), source.clone()));
            let findings = checked_with(&mapping, &[live(api_name)], &form());
            assert_eq!(findings.first().map(|finding| &*finding.code), expected, "{source:?}");
            assert!(findings.iter().all(|finding| finding.consequence == Consequence::Changed));
        }
    }
}

#[test]
fn a_template_that_refers_to_nothing_is_judged_as_the_text_it_is() {
    for (name, kind, template, expected) in [
        ("date", FieldType::Date, "tomorrow", Some(codes::DATE_INVALID)),
        ("date", FieldType::Date, "2026-12-02", None),
        ("date", FieldType::Date, "{start-date}", None),
        ("double", FieldType::Number, "{{1}}", Some(codes::NUMBER_INVALID)),
        ("reference", FieldType::Reference, "0015e00000AbCdE", Some(codes::REFERENCE_INVALID)),
        ("reference", FieldType::Reference, "7015e00000AbCdE", None),
    ] {
        let live = field("Field__c", name, json!({"referenceTo": ["Campaign"]}));
        let mut mapping = fixture::mapping();
        mapping.rows.push(row(fixture::field("Field__c", kind), Source::Template(template.into())));
        let findings = checked_with(&mapping, &[live], &form());
        assert_eq!(findings.first().map(|finding| &*finding.code), expected, "{template}");
    }
}
