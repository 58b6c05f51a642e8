use crate::{
    bindings::types::{FieldType, LeadFields, WithheldReason},
    fields,
};
use serde_json::{Value, json};

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
    let reasons: Vec<(&str, WithheldReason)> =
        listed.withheld.iter().map(|field| (&*field.name, field.reason)).collect();
    assert_eq!(
        reasons,
        [
            ("Address", WithheldReason::Compound),
            ("Closed__c", WithheldReason::NotWritable),
            ("CreateOnly__c", WithheldReason::NotWritable),
            ("CreatedDate", WithheldReason::System),
            ("Hidden__c", WithheldReason::System),
            ("Id", WithheldReason::System),
            ("IsConverted", WithheldReason::System),
            ("Name", WithheldReason::Compound),
            ("Number__c", WithheldReason::Calculated),
            ("Score__c", WithheldReason::Calculated),
            ("UpdateOnly__c", WithheldReason::NotWritable),
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
    assert_eq!((&c.field_type, &*c.reference_to), (&FieldType::Reference, &["Group".to_owned(), "User".into()][..]));
    assert_eq!(d.field_type, FieldType::Other("futuretype".into()));
    assert_eq!((e.length, e.unique, e.external_id, e.help.as_deref()), (Some(80), true, true, Some("help")));
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
    let allowing: Vec<Option<&[String]>> = state.values.iter().map(|value| value.valid_for.as_deref()).collect();
    assert_eq!(allowing, [Some(&["IT".to_owned()][..]), Some(&["US".to_owned()][..]), None]);
    let why = listed.fields.iter().find(|field| field.name == "Why__c").unwrap();
    assert_eq!(why.values[0].valid_for.as_deref(), Some(&["true".to_owned()][..]));
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
    let names: Vec<(&str, bool)> =
        listed.record_types.iter().map(|record_type| (&*record_type.name, record_type.is_default)).collect();
    assert_eq!(names, [("Partner", true)]);
}

/// Describe results of real orgs, where a folder of them is at hand.
#[test]
fn every_describe_of_a_real_org_lists() {
    let Some(folder) = std::env::var_os("ORG_FIXTURES") else { return };
    for folder in ["describe", "describe-minimal"].map(|name| std::path::Path::new(&folder).join(name)) {
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
