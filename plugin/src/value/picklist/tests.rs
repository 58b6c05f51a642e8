use super::*;
use crate::{
    bindings::types::FieldType,
    fixture,
    value::{Context, fit},
};
use proptest::prelude::*;
use std::borrow::Cow;

fn picklist(restricted: bool) -> LeadField<'static> {
    let labelled = |name, label: &'static str| PicklistValue { label: label.into(), ..fixture::value(name) };
    let allowed = |name, country: &'static str| PicklistValue {
        valid_for: Some(vec![country.into()]),
        ..labelled(name, country)
    };
    LeadField {
        restricted,
        length: Some(40),
        values: vec![
            labelled("Pending", "Not Compared"),
            labelled("51-300", "51-300名"),
            labelled("ﾘﾓｰﾄ", "リモート勤務"),
            labelled("Web", "ウェブ"),
            labelled("はい", "はい"),
            PicklistValue { active: false, ..labelled("Old", "旧") },
            allowed("CA", "US"),
            allowed("CA", "IT"),
            allowed("13", "JP"),
        ],
        ..fixture::field("Field__c", FieldType::Choice)
    }
}

fn written(given: Value, field: &LeadField<'_>, controlling: Option<&str>) -> Result<String, &'static str> {
    match fit(&given, field, Context { controlling, locale: None }) {
        Ok(Fitted { value: Json::Text(text), notes }) => match &*notes {
            [] => Ok(text.into_owned()),
            [note, ..] => Ok(format!("{text} ({})", note.code)),
        },
        Err(note) => Err(note.code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_choice_is_found_by_value_by_label_and_with_widths_folded() {
    for (given, expected) in [
        ("Pending", Ok("Pending")),
        ("Not Compared", Ok("Pending")),
        ("５１－３００", Ok("51-300")),
        ("リモート", Ok("ﾘﾓｰﾄ")),
        ("ﾘﾓｰﾄ勤務", Ok("ﾘﾓｰﾄ")),
        ("ｗｅｂ", Ok("Web")),
        (" Web ", Ok("Web")),
        ("Old", Err(codes::PICKLIST_VALUE_INACTIVE)),
        ("旧", Err(codes::PICKLIST_VALUE_INACTIVE)),
        ("Fax", Err(codes::PICKLIST_VALUE_UNKNOWN)),
    ] {
        let given = Value::Text(given.to_owned());
        assert_eq!(written(given.clone(), &picklist(true), None), expected.map(str::to_owned), "{given:?}");
    }
    assert_eq!(written(Value::Boolean(true), &picklist(true), None).as_deref(), Ok("はい"));
    assert_eq!(written(Value::Boolean(false), &picklist(true), None), Err(codes::PICKLIST_VALUE_UNKNOWN));
}

#[test]
fn an_unrestricted_picklist_takes_any_text_that_is_not_too_long() {
    assert_eq!(written(Value::Text("Fax".into()), &picklist(false), None).as_deref(), Ok("Fax"));
    assert_eq!(written(Value::Text("Old".into()), &picklist(false), None).as_deref(), Ok("Old"));
    // A value that is found is written by its name, deactivated or not.
    assert_eq!(written(Value::Text("旧".into()), &picklist(false), None).as_deref(), Ok("Old"));
    assert_eq!(written(Value::Text("JP".into()), &picklist(false), Some("US")).as_deref(), Ok("13"));
    let long = "x".repeat(41);
    assert_eq!(written(Value::Text(long), &picklist(false), None), Err(codes::VALUE_TOO_LONG));
    assert_eq!(written(Value::Text("a\0b".into()), &picklist(false), None), Err(codes::PICKLIST_VALUE_UNKNOWN));
}

#[test]
fn a_dependent_value_needs_a_controlling_value_that_allows_it() {
    for (given, controlling, expected) in [
        ("CA", Some("US"), Ok("CA")),
        ("CA", Some("IT"), Ok("CA")),
        ("CA", Some("JP"), Err(codes::PICKLIST_VALUE_NOT_ALLOWED)),
        ("13", Some("JP"), Ok("13")),
        ("13", None, Ok("13")),
        ("Web", Some("JP"), Ok("Web")),
    ] {
        let found = written(Value::Text(given.into()), &picklist(true), controlling);
        assert_eq!(found, expected.map(str::to_owned), "{given} {controlling:?}");
    }
}

fn multi(restricted: bool) -> LeadField<'static> {
    LeadField { field_type: FieldType::Choices, length: Some(4_099), ..picklist(restricted) }
}

#[test]
fn a_letter_on_a_multi_select_is_read_no_longer_than_people_can_choose() {
    let field = LeadField { values: (0..1_000).map(|n| fixture::value(&format!("v{n}"))).collect(), ..multi(true) };
    let letter = (0..20_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(written(Value::Text(letter.clone()), &field, None), Err(codes::PICKLIST_VALUE_UNKNOWN));
    let unrestricted = LeadField { restricted: false, length: None, ..field.clone() };
    let found = written(Value::Text(letter), &unrestricted, None).unwrap();
    assert_eq!(found.split(';').count(), MOST_CHOICES);
    assert!(found.ends_with(";499 (choices-left-out)"), "{found}");
    // Repeated choices count once.
    let repeats = "v7, V7,".repeat(20_000);
    assert_eq!(written(Value::Text(repeats), &field, None).as_deref(), Ok("v7"));
    let letter = ",".repeat(128 * 1024);
    assert_eq!(written(Value::Text(letter), &field, None), Err(codes::PICKLIST_VALUE_UNKNOWN));
}

#[test]
fn choices_that_are_too_long_together_are_a_finding() {
    let field = LeadField { length: Some(8), ..multi(false) };
    let choices = vec!["abcd".to_owned(), "efgh".to_owned()];
    assert_eq!(written(Value::Choices(choices.clone()), &field, None), Err(codes::VALUE_TOO_LONG));
    assert_eq!(written(Value::Choices(choices[..1].into()), &field, None).as_deref(), Ok("abcd"));
}

#[test]
fn several_choices_are_joined_with_a_finding_about_unknown_ones() {
    let choices = |choices: &[&str]| choices.iter().map(|choice| (*choice).to_owned()).collect::<Vec<_>>();
    for (given, restricted, expected) in [
        (choices(&["Web", "Not Compared"]), true, Ok("Web;Pending")),
        (choices(&["Web", "ｗｅｂ"]), true, Ok("Web")),
        (choices(&["Web", "Fax"]), true, Ok("Web (choices-left-out)")),
        (choices(&["Fax"]), true, Err(codes::PICKLIST_VALUE_UNKNOWN)),
        (choices(&["Web", "Fax"]), false, Ok("Web;Fax")),
        (choices(&["Web", "a;b"]), false, Ok("Web (choices-left-out)")),
    ] {
        let found = written(Value::Choices(given.clone()), &multi(restricted), None);
        assert_eq!(found, expected.map(str::to_owned), "{given:?}");
    }
    for (given, expected) in [
        ("Web;Pending", "Web;Pending"),
        ("Web, Pending", "Web;Pending"),
        ("Web、ウェブ", "Web"),
        ("ｗｅｂ；Ｐｅｎｄｉｎｇ", "Web;Pending"),
        ("Web，Pending", "Web;Pending"),
    ] {
        assert_eq!(written(Value::Text(given.into()), &multi(true), None).as_deref(), Ok(expected), "{given}");
    }
    let two = choices(&["Web", "Pending"]);
    assert_eq!(written(Value::Choices(two.clone()), &picklist(true), None), Err(codes::PICKLIST_VALUE_UNKNOWN));
}

/// A text like the values, and every other.
fn any_choice() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["Pending", "not compared", "ｗｅｂ", "リモート", "Old", "旧", "CA", "13", "JP", ""])
            .prop_map(str::to_owned),
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn a_restricted_picklist_is_given_only_what_may_be_chosen(
        choice in any_choice(), controlling in prop::option::of(prop::sample::select(vec!["US", "JP", "x"])),
    ) {
        if let Ok(value) = written(Value::Text(choice), &picklist(true), controlling) {
            let field = picklist(true);
            prop_assert!(field.values.iter().any(|known| {
                let allows = |allowing: &Vec<Cow<'_, str>>| controlling.is_none_or(|it| allowing.iter().any(|one| one == it));
                known.value == value && known.active && known.valid_for.as_ref().is_none_or(allows)
            }), "{}", value);
        }
    }

    #[test]
    fn every_value_and_label_finds_its_value(place in 0_usize..9, by_label: bool, upper: bool) {
        let field = picklist(false);
        let value = &field.values[place];
        let text = if by_label { &value.label } else { &value.value };
        let text = if upper { text.to_ascii_uppercase() } else { text.to_string() };
        // The first value of that name, where there are several.
        let found = written(Value::Text(text), &field, None).unwrap();
        prop_assert_eq!(&found, &value.value);
    }

    #[test]
    fn several_choices_are_values_none_of_them_twice(choices in prop::collection::vec(any_choice(), 0..6), restricted: bool) {
        let field = multi(restricted);
        let joined = choices.join(",");
        for given in [Value::Choices(choices.clone()), Value::Agreed(choices.clone()), Value::Text(joined)] {
            let text = match fit(&given, &field, Context::default()) {
                Ok(Fitted { value: Json::Text(text), .. }) => text.into_owned(),
                Err(_) => continue,
                other => panic!("{other:?}"),
            };
            let parts: Vec<&str> = text.split(';').collect();
            for (place, part) in parts.iter().enumerate() {
                prop_assert!(!part.is_empty() && !parts[..place].contains(part), "{}", text);
                let is_active = field.values.iter().any(|value| value.active && value.value == *part);
                prop_assert!(is_active || !restricted, "{}", text);
            }
        }
    }
}
