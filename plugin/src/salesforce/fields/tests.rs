use crate::{
    bindings::types::FieldType,
    codes,
    field::{LeadField, memo},
    salesforce::fields::{self, LeadFields},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;

fn listed(fields: Value) -> LeadFields {
    let body = json!({"name": "Lead", "fields": fields}).to_string();
    fields::read(body.as_bytes()).unwrap()
}

fn field(name: &str, kind: &str) -> Value {
    json!({"name": name, "label": name, "type": kind, "createable": true, "updateable": true, "nillable": true})
}

fn with(mut field: Value, changes: Value) -> Value {
    field.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    field
}

#[test]
fn required_fields_come_first_and_then_all_by_label() {
    let required = json!({"nillable": false});
    let listed = listed(json!([
        with(field("Z__c", "string"), json!({"label": "あ"})),
        with(field("LastName", "string"), required.clone()),
        field("A__c", "string"),
        with(field("Company", "string"), required.clone()),
        with(field("Status", "picklist"), json!({"nillable": false, "defaultedOnCreate": true})),
        with(field("Flag__c", "boolean"), required),
    ]));
    let names: Vec<(&str, bool)> = listed.fields.iter().map(|field| (&*field.name, field.required)).collect();
    assert_eq!(
        names,
        [
            ("Company", true),
            ("LastName", true),
            ("A__c", false),
            ("Flag__c", false),
            ("Status", false),
            ("Z__c", false)
        ]
    );
}

#[test]
fn every_field_that_is_not_offered_has_a_reason() {
    let closed = json!({"createable": false, "updateable": false});
    let listed = listed(json!([
        with(field("Address", "address"), closed.clone()),
        with(field("Name", "string"), closed.clone()),
        with(field("LastName", "string"), json!({"compoundFieldName": "Name", "nillable": false})),
        with(field("Score__c", "double"), with(closed.clone(), json!({"calculated": true}))),
        with(field("Number__c", "string"), with(closed.clone(), json!({"autoNumber": true}))),
        with(field("Id", "id"), closed.clone()),
        with(field("CreatedDate", "datetime"), json!({})),
        field("IsConverted", "boolean"),
        with(field("Closed__c", "string"), closed),
        with(field("CreateOnly__c", "string"), json!({"updateable": false})),
        with(field("UpdateOnly__c", "string"), json!({"createable": false})),
        with(field("Hidden__c", "string"), json!({"deprecatedAndHidden": true})),
    ]));
    assert_eq!(listed.fields.len(), 1);
    let reasons: Vec<(&str, &str)> = listed.withheld.iter().map(|field| (&*field.name, &*field.reason)).collect();
    assert_eq!(
        reasons,
        [
            ("Address", codes::COMPOUND),
            ("Closed__c", codes::NOT_WRITABLE),
            ("CreatedDate", codes::SYSTEM),
            ("CreateOnly__c", codes::NOT_WRITABLE),
            ("Hidden__c", codes::SYSTEM),
            ("Id", codes::SYSTEM),
            ("IsConverted", codes::SYSTEM),
            ("Name", codes::COMPOUND),
            ("Number__c", codes::CALCULATED),
            ("Score__c", codes::CALCULATED),
            ("UpdateOnly__c", codes::NOT_WRITABLE),
        ]
    );
}

#[test]
fn every_type_keeps_what_a_page_needs() {
    let listed = listed(json!([
        with(field("A", "int"), json!({"digits": 8, "length": 0})),
        with(field("B", "currency"), json!({"precision": 18, "scale": 2})),
        with(field("C", "reference"), json!({"referenceTo": ["Group", "User"], "length": 18})),
        with(field("D", "futuretype"), json!({"length": 5})),
        with(field("E", "string"), json!({"length": 80, "unique": true, "externalId": true, "inlineHelpText": "help"})),
    ]));
    let [a, b, c, d, e] = &*listed.fields else { panic!() };
    assert_eq!((&a.field_type, a.precision, a.length), (&FieldType::Integer, 8, None));
    assert_eq!((&b.field_type, b.precision, b.scale), (&FieldType::Currency, 18, 2));
    assert_eq!((&c.field_type, &*c.reference_to), (&FieldType::Reference, &["Group".into(), "User".into()][..]));
    assert_eq!(d.field_type, FieldType::Other("futuretype".into()));
    assert_eq!((e.length, e.unique, e.external_id, e.help.as_deref()), (Some(80), true, true, Some("help")));
}

#[test]
fn a_listed_field_has_all_that_a_page_and_a_later_booking_need() {
    let values = json!([{"value": "1-50", "label": "50名まで", "active": true}, {"value": "old", "active": false}]);
    let fields = listed(json!([
        with(
            field("LastName", "string"),
            json!({"nillable": false, "length": 80, "label": "姓", "inlineHelpText": "help"})
        ),
        with(field("Size__c", "multipicklist"), json!({"picklistValues": values})),
        field("Id", "id"),
    ]));
    let list = fields.clone().into_list();
    let [last_name, size] = &*list.fields else { panic!() };
    assert_eq!((&*last_name.label, last_name.required, last_name.help.as_deref()), ("姓", true, Some("help")));
    assert_eq!(last_name.suggested_source.as_deref(), Some("guest.family-name"));
    assert_eq!((&size.field_type, size.suggested_source.as_deref()), (&FieldType::Choices, None));
    let choices: Vec<_> = size.choices.iter().map(|choice| (&*choice.value, &*choice.label, choice.active)).collect();
    assert_eq!(choices, [("1-50", "50名まで", true), ("old", "old", false)]);
    for (listed, known) in list.fields.iter().zip(fields.fields) {
        assert_eq!(memo::read(&listed.name, &listed.memo), Some(LeadField { help: None, ..known }));
    }
    assert_eq!(list.withheld.len(), 1);
}

#[test]
fn dependent_values_name_what_allows_them() {
    let value =
        |value: &str, valid_for: Value| json!({"value": value, "label": value, "active": true, "validFor": valid_for});
    let listed = listed(json!([
        with(
            field("CountryCode", "picklist"),
            json!({"picklistValues": [value("IT", json!(null)), value("US", json!(null))]})
        ),
        with(
            field("StateCode", "picklist"),
            json!({"controllerName": "CountryCode", "picklistValues": [
                value("CA", json!("gAAA")), value("CA", json!("QAAA")), value("XX", json!(null))]}),
        ),
        with(field("Flag__c", "boolean"), json!({})),
        with(
            field("Why__c", "picklist"),
            json!({"controllerName": "Flag__c", "picklistValues": [value("because", json!("QAAA"))]}),
        ),
    ]));
    let state = listed.fields.iter().find(|field| field.name == "StateCode").unwrap();
    let allowing: Vec<Option<&[Cow<'_, str>]>> = state.values.iter().map(|value| value.valid_for.as_deref()).collect();
    assert_eq!(allowing, [Some(&["IT".into()][..]), Some(&["US".into()][..]), None]);
    let why = listed.fields.iter().find(|field| field.name == "Why__c").unwrap();
    assert_eq!(why.values[0].valid_for.as_deref(), Some(&["true".into()][..]));
}

#[test]
fn record_types_are_those_the_user_may_use_but_the_master() {
    let body = json!({"fields": [], "recordTypeInfos": [
        {"recordTypeId": "012000000000000AAA", "name": "Master", "active": true, "available": true, "master": true},
        {"recordTypeId": "0125e00000AbCdEAAV", "name": "Partner", "active": true, "available": true, "defaultRecordTypeMapping": true},
        {"recordTypeId": "0125e00000AbCdFAAV", "name": "Old", "active": false, "available": true},
        {"recordTypeId": "0125e00000AbCdGAAV", "name": "Others'", "active": true, "available": false},
    ]})
    .to_string();
    let listed = fields::read(body.as_bytes()).unwrap();
    let names: Vec<&str> = listed.record_types.iter().map(|record_type| &*record_type.name).collect();
    assert_eq!(names, ["Partner"]);
}

/// Describe results of real orgs, where a folder of them is at hand.
#[test]
fn every_describe_of_a_real_org_lists() {
    let Some(fixtures) = std::env::var_os("ORG_FIXTURES") else {
        println!("not run: ORG_FIXTURES is not set");
        return;
    };
    // A relative path is one from the workspace's root, from where tests are started.
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(fixtures);
    for folder in ["describe", "describe-minimal"].map(|name| fixtures.join(name)) {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let body = std::fs::read(&path).unwrap();
            let listed = fields::read(&body).unwrap();
            assert!(listed.fields.len() + listed.withheld.len() > 0, "{}", path.display());
            if path.file_name().unwrap().to_string_lossy().starts_with("Lead.cumulusci") {
                let required: Vec<&str> =
                    listed.fields.iter().filter(|field| field.required).map(|field| &*field.name).collect();
                assert_eq!(required, ["Company", "LastName"], "{}", path.display());
            }
        }
    }
}

/// A describe result with a field of each kind that is not offered, and some that are.
fn fields_of_all_kinds() -> Vec<Value> {
    let values = json!([{"value": "a", "label": "A", "active": true, "validFor": "gAAA"}, {"value": "b"}]);
    vec![
        field("Name", "string"),
        with(field("LastName", "string"), json!({"compoundFieldName": "Name", "nillable": false, "length": 80})),
        field("Address", "address"),
        with(field("Street", "textarea"), json!({"compoundFieldName": "Address"})),
        field("Id", "id"),
        field("CreatedDate", "datetime"),
        with(field("Score__c", "double"), json!({"calculated": true})),
        with(field("Number__c", "string"), json!({"autoNumber": true})),
        with(field("Hidden__c", "string"), json!({"deprecatedAndHidden": true})),
        with(field("CreateOnly__c", "string"), json!({"updateable": false})),
        with(field("UpdateOnly__c", "string"), json!({"createable": false})),
        with(field("Controlling__c", "picklist"), json!({"picklistValues": values})),
        with(field("Dependent__c", "picklist"), json!({"picklistValues": values, "controllerName": "Controlling__c"})),
        with(field("Ref__c", "reference"), json!({"referenceTo": ["User", null, 3]})),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,6}".prop_map(Value::from),
        prop::sample::select(vec![
            "true",
            "id",
            "address",
            "boolean",
            "picklist",
            "Name",
            "Id",
            "Street",
            "Controlling__c"
        ])
        .prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[{"value": {}, "active": [true]}]])),
        Just(json!([{"value": 1, "label": false, "active": "yes", "validFor": "//8/\u{20AC}"}, null, "a", 5])),
    ]
}

/// Whether a describe result says that both creating and updating are open to a field of this name, which is no other's parent,
/// computed or kept by Salesforce.
fn is_writable(name: &str, fields: &[Value]) -> bool {
    let is = |field: &Value, key: &str| field[key] == json!(true);
    let is_parent =
        fields.iter().any(|field| field["compoundFieldName"] == json!(name) && field["name"] != json!(name));
    !is_parent
        && !["", "Id", "CreatedDate", "IsConverted"].contains(&name)
        && fields.iter().any(|field| {
            field["name"] == json!(name)
                && is(field, "createable")
                && is(field, "updateable")
                && !is(field, "calculated")
                && !is(field, "autoNumber")
                && !is(field, "deprecatedAndHidden")
                && !["address", "location", "id"].iter().any(|kind| field["type"] == json!(kind))
        })
}

proptest! {
    #[test]
    fn whatever_a_describe_says_only_writable_fields_are_offered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![
            "name", "label", "type", "length", "precision", "digits", "scale", "createable", "updateable", "nillable",
            "defaultedOnCreate", "calculated", "autoNumber", "deprecatedAndHidden", "restrictedPicklist", "externalId", "unique",
            "compoundFieldName", "controllerName", "inlineHelpText", "picklistValues", "referenceTo", "newKey",
        ]), prop::option::of(any_json())), 0..12),
        entries in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 0..2),
    ) {
        let mut fields = fields_of_all_kinds();
        for (place, key, value) in changes {
            let field = place.get(&fields).clone();
            let changed = match value {
                Some(value) => with(field, json!({key: value})),
                None => Value::Object(field.as_object().unwrap().clone().into_iter().filter(|(name, _)| name != key).collect()),
            };
            let place = place.index(fields.len());
            fields[place] = changed;
        }
        for (place, entry) in entries {
            let place = place.index(fields.len());
            fields.insert(place, entry);
        }
        let body = json!({"name": "Lead", "fields": fields, "recordTypeInfos": [null, {"active": 1}, []]}).to_string();
        let listed = fields::read(body.as_bytes()).unwrap();
        for field in &listed.fields {
            prop_assert!(is_writable(&field.name, &fields), "{} in {}", field.name, body);
        }
        // What is not offered is withheld: nothing is lost but what has no name.
        let named = fields.iter().filter(|field| field["name"].as_str().is_some_and(|name| !name.is_empty())).count();
        prop_assert_eq!(listed.fields.len() + listed.withheld.len(), named);
    }

    #[test]
    fn a_describe_cut_or_garbled_anywhere_is_read_or_refused(
        place in any::<prop::sample::Index>(), byte in any::<u8>(), is_cut: bool,
    ) {
        let mut body = json!({"name": "Lead", "fields": fields_of_all_kinds()}).to_string().into_bytes();
        let place = place.index(body.len());
        if is_cut {
            body.truncate(place);
            prop_assert!(fields::read(&body).is_err());
        } else {
            body[place] = byte;
            let _ = fields::read(&body);
        }
    }
}

#[test]
fn labels_are_in_the_order_in_which_people_look_for_them() {
    let labels = ["電話", "Zip", "apple", "ﾘｰﾄﾞ", "さくら", "Budget", "サイズ", "Ａ社", "リード", "あ"];
    let fields: Vec<_> = labels.iter().map(|label| with(field("F__c", "string"), json!({"label": label}))).collect();
    let listed = listed(fields.into());
    let order: Vec<_> = listed.fields.iter().map(|field| field.label.as_ref()).collect();
    assert_eq!(order, ["apple", "Ａ社", "Budget", "Zip", "あ", "サイズ", "さくら", "ﾘｰﾄﾞ", "リード", "電話"]);
}
