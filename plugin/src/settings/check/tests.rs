use super::check;
use crate::{
    bindings::{
        settings::{Checked, Expectation},
        types::{BookingKind, Consequence, FieldType, Finding, Parameter, Value},
    },
    codes,
    field::{LeadField, memo},
    fixture::{self, expectation, text},
    script::{Script, described},
};
use serde_json::{Value as Json, json};

/// What most calendars map, as the form gives it.
fn rows() -> Vec<Expectation> {
    let [last_name, first_name, company, email, description, date] = fixture::fields();
    let known = |content: &str, row| Expectation { content: Some(content.into()), ..row };
    vec![
        known("name", expectation(&last_name, &["text"])),
        known("name", Expectation { may_be_blank: true, ..expectation(&first_name, &["text"]) }),
        known("company", expectation(&company, &["text"])),
        known("email", Expectation { may_be_blank: true, ..expectation(&email, &["text"]) }),
        Expectation { may_be_blank: true, ..expectation(&description, &["text"]) },
        expectation(&date, &["moment"]),
    ]
}

/// A row that gives one of these choices.
fn choosing(field: &LeadField<'_>, texts: &[&str]) -> Expectation {
    Expectation {
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        may_be_blank: true,
        ..expectation(field, &["choices"])
    }
}

/// A row that gives this text.
fn fixed(field: &LeadField<'_>, text: &str) -> Expectation {
    Expectation { texts: vec![text.to_owned()], ..expectation(field, &["text"]) }
}

fn with(row: Expectation) -> Vec<Expectation> {
    [rows(), vec![row]].concat()
}

fn chosen(options: &[(&str, &str)]) -> Vec<Parameter> {
    options.iter().map(|(id, value)| Parameter::new(*id, *value)).collect()
}

fn all(rows: &[Expectation], options: &[(&str, &str)], changes: &[(&str, &str, Json)]) -> Checked {
    let script = Script::new([described(changes)]);
    let checked = check(&mut script.clone(), &BookingKind::Confirmed, None, rows, &chosen(options)).unwrap();
    assert_eq!(script.asked(), ["GET /sobjects/Lead/describe"]);
    checked
}

fn checked(rows: &[Expectation], changes: &[(&str, &str, Json)]) -> Vec<Finding> {
    all(rows, &[], changes).findings
}

fn found(rows: &[Expectation], changes: &[(&str, &str, Json)]) -> Vec<(String, Consequence)> {
    checked(rows, changes).into_iter().map(|finding| (finding.code, finding.consequence)).collect()
}

fn codes_of(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.code).collect()
}

#[test]
fn a_mapping_that_holds_has_no_findings() {
    assert_eq!(checked(&rows(), &[]), []);
}

#[test]
fn a_memo_that_is_stale_is_replaced_and_another_one_is_not() {
    let mut rows = rows();
    for (position, row) in rows.iter_mut().enumerate() {
        let label = format!("{} label", row.field).into();
        row.memo = memo::of(&LeadField { label, ..fixture::fields()[position].clone() });
    }
    assert_eq!(all(&rows, &[], &[]).memos, []);

    let new = all(&rows, &[], &[("Email", "length", json!(60)), ("FirstName", "name", json!(null))]).memos;
    let [(3, memo)] = &*new else { panic!("{new:?}") };
    assert_eq!(memo::read("Email", memo).unwrap().length, Some(60));

    // Without a memo there is nothing to compare with, and one to keep.
    rows[3].memo = String::new();
    let checked = all(&rows, &[], &[("Email", "length", json!(60))]);
    assert_eq!((checked.findings, checked.memos), (vec![], new));
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
        assert_eq!(found(&rows(), &changes), expected, "{changes:?}");
    }
}

#[test]
fn a_cancellation_needs_no_value_in_a_required_field_and_another_kind_is_not_written() {
    let status = fixed(&fixture::text_field("Title", 128), "Cancelled");
    let closed = fixture::required(fixture::field("Company", FieldType::Number));
    let check_of = |kind: &BookingKind, rows: &[Expectation], changes: &[(&str, &str, Json)]| {
        let script = Script::new([described(changes)]);
        (check(&mut script.clone(), kind, Some("Lead"), rows, &[]).unwrap().findings, script.asked().len())
    };
    assert_eq!(check_of(&BookingKind::Cancelled, std::slice::from_ref(&status), &[]), (vec![], 1));
    let (findings, _) = check_of(&BookingKind::Rescheduled, std::slice::from_ref(&status), &[]);
    assert_eq!(codes_of(&findings), [codes::REQUIRED_FIELD_UNMAPPED, codes::REQUIRED_FIELD_UNMAPPED]);
    // A blank keeps what the Lead has, and a value that does not fit costs itself only.
    let blank = Expectation { may_be_blank: true, ..expectation(&closed, &["text"]) };
    assert_eq!(check_of(&BookingKind::Cancelled, &[blank], &[]).0.len(), 1);
    let changes = [("Company", "type", json!("double"))];
    let (findings, _) = check_of(&BookingKind::Cancelled, &[fixed(&closed, "x")], &changes);
    let [finding] = &*findings else { panic!("{findings:?}") };
    assert_eq!((&*finding.code, finding.consequence), (codes::NUMBER_INVALID, Consequence::LeftOut));
    assert_eq!(check_of(&BookingKind::Other("no-show".into()), &rows(), &[]), (vec![], 0));
    // The Lead has a value in the controlling field.
    let picklist = [
        ("Title", "type", json!("picklist")),
        ("Title", "restrictedPicklist", json!(true)),
        ("Title", "controllerName", json!("BookingId__c")),
        ("Title", "picklistValues", json!([{"value": "Cancelled", "active": true, "validFor": "gAAA"}])),
    ];
    let status = Expectation { memo: String::new(), ..status };
    assert_eq!(check_of(&BookingKind::Cancelled, &[status], &picklist), (vec![], 1));
}

#[test]
fn a_target_that_the_plugin_does_not_have_is_a_problem() {
    let problem = check(&mut Script::default(), &BookingKind::Confirmed, Some("Contact"), &rows(), &[]).unwrap_err();
    assert_eq!(problem.code, codes::TARGET_UNKNOWN);
}

#[test]
fn a_required_field_needs_something_that_is_never_blank() {
    for (may_be_blank, fallback, is_found) in
        [(false, None, false), (true, None, true), (true, Some("個人"), false), (true, Some(" "), true)]
    {
        let mut rows = rows();
        rows[2].may_be_blank = may_be_blank;
        rows[2].fallback = fallback.map(text);
        let expected = if is_found { vec![codes::REQUIRED_FIELD_MAY_BE_BLANK] } else { vec![] };
        assert_eq!(codes_of(&checked(&rows, &[])), expected, "{may_be_blank} {fallback:?}");
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
    let title = fixture::field("Title", FieldType::Choice);
    let title = LeadField { length: Some(128), ..title };
    let findings = checked(&with(choosing(&title, &["1-50", "51-300", "301以上"])), &changes);
    let messages: Vec<(&str, &str)> = findings.iter().map(|finding| (&*finding.code, &*finding.message)).collect();
    assert_eq!(
        messages,
        [(codes::PICKLIST_VALUE_INACTIVE, "choices: 51-300"), (codes::PICKLIST_VALUE_UNKNOWN, "choices: 301以上")]
    );
    assert_eq!(findings[0].rows, [6]);
    assert_eq!(findings[0].particulars, [Parameter::new("value", "51-300"), Parameter::new("field", "Title label")]);

    let found = |row| found(&with(row), &changes);
    assert_eq!(found(fixed(&title, "301以上")), [(codes::PICKLIST_VALUE_UNKNOWN.to_owned(), Consequence::LeftOut)]);
    let with_fallback = Expectation { fallback: Some(text("51-300")), ..expectation(&title, &["text"]) };
    assert_eq!(found(with_fallback), [(codes::PICKLIST_VALUE_INACTIVE.to_owned(), Consequence::LeftOut)]);
}

#[test]
fn values_that_never_fit_a_type_are_findings_and_moments_fit_dates() {
    for (kind, case, content, expected) in [
        (FieldType::DateTime, "date", None, vec![codes::TYPE_MISMATCH]),
        (FieldType::Date, "date", None, vec![]),
        (FieldType::Date, "moment", None, vec![]),
        (FieldType::DateTime, "moment", None, vec![]),
        (FieldType::Integer, "number", None, vec![]),
        (FieldType::Integer, "text", Some("name"), vec![codes::TYPE_MISMATCH]),
        (FieldType::Integer, "text", None, vec![]),
    ] {
        let name = match kind {
            FieldType::Date => "date",
            FieldType::DateTime => "datetime",
            _ => "int",
        };
        let content = content.map(str::to_owned);
        let row = Expectation { content, ..expectation(&fixture::field("Title", kind), &[case]) };
        let findings = checked(&with(row), &[("Title", "type", json!(name)), ("Title", "length", json!(0))]);
        assert_eq!(codes_of(&findings), expected, "{name} {case}");
    }
}

#[test]
fn what_nobody_knows_before_there_is_a_booking_is_not_judged() {
    let changes = [("Title", "type", json!("picklist")), ("Title", "restrictedPicklist", json!(true))];
    let title = LeadField { length: Some(128), ..fixture::field("Title", FieldType::Choice) };
    assert_eq!(checked(&with(expectation(&title, &["text"])), &changes), []);
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
        assert_eq!(codes_of(&all(&rows(), &options, &[]).findings), expected, "{options:?}");
    }
    let title = fixture::text_field("Title", 128);
    let mut rows = rows();
    rows.push(expectation(&fixture::text_field("BookingId__c", 255), &["text"]));
    rows.push(fixed(&LeadField { name: "title".into(), ..title.clone() }, "a"));
    rows.push(fixed(&title, "b"));
    let findings = all(&rows, &[("booking-id-field", "BookingId__c")], &[]).findings;
    assert_eq!(codes_of(&findings), [codes::FIELD_SET_BY_OPTION, codes::FIELD_MAPPED_TWICE]);
}

#[test]
fn existing_leads_are_found_only_by_an_address_that_a_row_writes() {
    for (policy, has_address, is_found) in
        [("keep", true, false), ("keep", false, true), ("overwrite", false, true), ("create-another", false, false)]
    {
        let mut rows = rows();
        rows.retain(|row| has_address || row.field != "Email");
        let findings = all(&rows, &[("existing", policy)], &[]).findings;
        let expected = if is_found { vec![codes::EMAIL_UNMAPPED] } else { vec![] };
        assert_eq!(codes_of(&findings), expected, "{policy}");
    }
}

/// The findings in an org with the usual fields and some more.
fn checked_with(rows: &[Expectation], options: &[(&str, &str)], further: &[Json]) -> Vec<Finding> {
    let mut described = described(&[]).unwrap();
    let mut body: Json = serde_json::from_slice(&described.body).unwrap();
    body["fields"].as_array_mut().unwrap().extend(further.iter().cloned());
    described.body = body.to_string().into();
    let mut org = Script::new([Ok(described)]);
    check(&mut org, &BookingKind::Confirmed, None, rows, &chosen(options)).unwrap().findings
}

fn field(name: &str, kind: &str, more: Json) -> Json {
    let mut field =
        json!({"name": name, "label": name, "type": kind, "createable": true, "updateable": true, "nillable": true});
    field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    field
}

/// Field, code and message of each finding.
fn summary(findings: &[Finding]) -> Vec<(&str, &str, &str)> {
    findings.iter().map(|finding| (&*finding.fields[0], &*finding.code, &*finding.message)).collect()
}

#[test]
fn a_row_that_sets_the_owner_is_a_finding_if_a_rule_may_set_another() {
    let owner = fixed(&fixture::field("OwnerId", FieldType::Reference), "0055e00000AbCdE");
    let live = [field("OwnerId", "reference", json!({"referenceTo": ["Group", "User"]}))];
    for (options, expected) in [
        (vec![("assignment-rules", "run")], vec![codes::OWNER_AND_ASSIGNMENT_RULE]),
        (vec![("assignment-rules", "01Q5e00000AbCdE")], vec![codes::OWNER_AND_ASSIGNMENT_RULE]),
        (vec![("assignment-rules", "skip")], vec![]),
        // The option goes before the row.
        (vec![("assignment-rules", "skip"), ("owner", "0055e00000AbCdE")], vec![codes::FIELD_SET_BY_OPTION]),
    ] {
        let findings = checked_with(&with(owner.clone()), &options, &live);
        assert_eq!(codes_of(&findings), expected, "{options:?}");
        assert!(findings.iter().all(|finding| finding.rows == [6] && finding.consequence == Consequence::Changed));
    }
}

/// Country and state as an org has them that offers them as picklists.
fn places() -> [Json; 2] {
    let value = |value: &str, label: &str, valid_for: Json| json!({"value": value, "label": label, "active": true, "validFor": valid_for});
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
    let not_allowed = "the controlling field's value does not allow it";
    let picklist = |name| fixture::field(name, FieldType::Choice);
    let country = |text| Some(fixed(&picklist("CountryCode"), text));
    let state = |text| fixed(&picklist("StateCode"), text);
    let any_state = || choosing(&picklist("StateCode"), &["CA", "13"]);
    for (country, state, expected) in [
        (country("JP"), state("13"), None),
        (country("Japan"), state("Tokyo"), None),
        (country("JP"), state("CA"), Some(not_allowed)),
        (country("JP"), any_state(), Some("choices: CA")),
        // The guest's answer is unknown.
        (Some(choosing(&picklist("CountryCode"), &["US", "JP"])), state("CA"), None),
        (None, state("CA"), Some("no row writes the controlling field `CountryCode`")),
        (None, any_state(), Some("no row writes the controlling field `CountryCode`")),
    ] {
        let rows = [rows(), vec![state], country.into_iter().collect()].concat();
        let findings = checked_with(&rows, &[], &places());
        let expected: Vec<_> =
            expected.into_iter().map(|message| ("StateCode", codes::PICKLIST_VALUE_NOT_ALLOWED, message)).collect();
        assert_eq!(summary(&findings), expected, "{:?}", rows[6]);
    }
}

#[test]
fn a_controlling_field_that_has_a_value_by_itself_needs_no_row() {
    let [mut country, state] = places();
    country["picklistValues"][1]["defaultValue"] = true.into();
    let checkbox = field("Flag__c", "boolean", json!({}));
    let why = json!({"restrictedPicklist": true, "controllerName": "Flag__c",
        "picklistValues": [{"value": "because", "active": true, "validFor": "gAAA"}]});
    let why_row = fixed(&fixture::field("Why__c", FieldType::Choice), "because");
    let both = [with(fixed(&fixture::field("StateCode", FieldType::Choice), "13")), vec![why_row.clone()]].concat();
    let live = [country, state, checkbox, field("Why__c", "picklist", why.clone())];
    assert_eq!(checked_with(&both, &[], &live), []);
    // A checkbox that has a row is judged like any other.
    let rows = [with(why_row), vec![fixed(&fixture::field("Flag__c", FieldType::Checkbox), "はい")]].concat();
    let findings =
        checked_with(&rows, &[], &[field("Flag__c", "boolean", json!({})), field("Why__c", "picklist", why)]);
    assert_eq!(codes_of(&findings), [codes::PICKLIST_VALUE_NOT_ALLOWED]);
}

#[test]
fn several_choices_for_a_field_that_takes_one_are_a_finding() {
    let values = json!([{"value": "1", "active": true}, {"value": "2", "active": true}]);
    for (kind, api_name, takes_several) in [
        (FieldType::Text, "string", true),
        (FieldType::TextArea, "textarea", true),
        (FieldType::Choices, "multipicklist", true),
        (FieldType::Choice, "picklist", false),
        (FieldType::Integer, "int", false),
        (FieldType::Number, "double", false),
        (FieldType::Checkbox, "boolean", false),
    ] {
        for (several, texts) in [(true, &["1", "2"][..]), (false, &["1", "2"]), (false, &["1"])] {
            let live = field("Field__c", api_name, json!({"picklistValues": values}));
            let row = Expectation { several, ..choosing(&fixture::field("Field__c", kind.clone()), texts) };
            let findings = checked_with(&with(row), &[], &[live]);
            let is_told = findings.iter().any(|finding| {
                finding.code == codes::TYPE_MISMATCH
                    && finding.message == "several choices may come at a time; the field takes one"
            });
            assert_eq!(is_told, several && !takes_several, "{kind:?} {several} {texts:?}");
        }
    }
}

#[test]
fn a_consent_fits_a_checkbox_whatever_its_words_and_another_choice_only_if_it_means_yes_or_no() {
    let live = field("OptIn__c", "boolean", json!({"nillable": false}));
    let opt_in = fixture::field("OptIn__c", FieldType::Checkbox);
    for (case, choices, expected) in [
        ("agreed", &["同意します", "同意しません"][..], None),
        ("agreed", &["I agree", "No objection", "Maybe not"], None),
        ("agreed", &["案内を受け取る"], None),
        ("choices", &["はい", "いいえ"], None),
        ("choices", &["yes", "No objection", "Maybe not"], Some("choices: No objection, Maybe not")),
        ("text", &["yes", "No objection", "Maybe not"], Some("choices: No objection, Maybe not")),
    ] {
        let row = Expectation { gives: vec![case.into()], ..choosing(&opt_in, choices) };
        let findings = checked_with(&with(row), &[], std::slice::from_ref(&live));
        let expected: Vec<_> =
            expected.into_iter().map(|message| ("OptIn__c", codes::CHECKBOX_INVALID, message)).collect();
        assert_eq!(summary(&findings), expected, "{choices:?}");
    }
}

#[test]
fn a_value_that_an_unrestricted_picklist_does_not_list_is_written_with_a_finding() {
    let values = json!([{"value": "Web", "active": true}, {"value": "Old", "label": "旧", "active": false}]);
    let live = |kind| field("Field__c", kind, json!({"picklistValues": values}));
    for (text, expected) in [
        ("Web", None),
        ("ｗｅｂ", None),
        ("Wbe", Some(codes::PICKLIST_VALUE_UNKNOWN)),
        ("旧", Some(codes::PICKLIST_VALUE_INACTIVE)),
    ] {
        for (kind, api_name) in [(FieldType::Choice, "picklist"), (FieldType::Choices, "multipicklist")] {
            let rows = with(fixed(&fixture::field("Field__c", kind), text));
            let findings = checked_with(&rows, &[], &[live(api_name)]);
            assert_eq!(findings.first().map(|finding| &*finding.code), expected, "{text}");
            assert!(findings.iter().all(|finding| finding.consequence == Consequence::Changed));
        }
    }
}

#[test]
fn a_fixed_text_is_judged_by_the_type_of_its_field() {
    for (name, kind, text, expected) in [
        ("date", FieldType::Date, Some("tomorrow"), Some(codes::DATE_INVALID)),
        ("date", FieldType::Date, Some("2026-12-02"), None),
        ("date", FieldType::Date, None, None),
        ("double", FieldType::Number, Some("{1}"), Some(codes::NUMBER_INVALID)),
        ("reference", FieldType::Reference, Some("0015e00000AbCdE"), Some(codes::REFERENCE_INVALID)),
        ("reference", FieldType::Reference, Some("7015e00000AbCdE"), None),
    ] {
        let live = field("Field__c", name, json!({"referenceTo": ["Campaign"]}));
        let field = fixture::field("Field__c", kind);
        let row = text.map_or_else(|| expectation(&field, &["text"]), |text| fixed(&field, text));
        let findings = checked_with(&with(row), &[], &[live]);
        assert_eq!(findings.first().map(|finding| &*finding.code), expected, "{text:?}");
    }
}

#[test]
fn a_fallback_is_judged_whatever_its_case() {
    let live = field("Field__c", "double", json!({}));
    for (fallback, expected) in [
        (Value::Number("15".into()), None),
        (Value::Boolean(true), Some(codes::NUMBER_INVALID)),
        (text("x"), Some(codes::NUMBER_INVALID)),
    ] {
        let row = expectation(&fixture::field("Field__c", FieldType::Number), &["number"]);
        let row = Expectation { fallback: Some(fallback), ..row };
        let findings = checked_with(&with(row), &[], std::slice::from_ref(&live));
        assert_eq!(findings.first().map(|finding| &*finding.code), expected);
    }
}
