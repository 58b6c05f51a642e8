//! Reduces requests and responses to names and shapes, error codes, and the settings of the Lead's fields.

use serde_json::{Map, Value, json};

use crate::ReportedError;

/// Replaces ids and values in a path.
pub(crate) fn path(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').collect();
    let redacted = segments.iter().enumerate().map(|(position, segment)| {
        let after = |back: usize| position.checked_sub(back).and_then(|before| segments.get(before)).copied();
        if is_record_id(segment) {
            "{id}"
        } else if after(3) == Some("sobjects") || !segment.bytes().all(is_plain) {
            // `sobjects/Lead/BookingId__c/VALUE`
            "{value}"
        } else {
            *segment
        }
    });
    redacted.collect::<Vec<_>>().join("/")
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Salesforce's ids have 15 or 18 letters and digits and start with a key prefix, in standard objects with a zero. A query
/// locator is an id with a position after a hyphen.
fn is_record_id(text: &str) -> bool {
    let text = text.split('-').next().unwrap_or_default();
    matches!(text.len(), 15 | 18)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Replaces texts and numbers by the names of their types. Error codes stay.
pub(crate) fn shape(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(items) => {
            let mut shapes: Vec<Value> = Vec::new();
            for item in items.iter().map(shape) {
                if !shapes.contains(&item) {
                    shapes.push(item);
                }
            }
            Value::Array(shapes)
        }
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| match code(name, value) {
                    Some(code) => (name.clone(), Value::from(code)),
                    None => (name.clone(), shape(value)),
                })
                .collect(),
        ),
    }
}

/// The error code in a member of an error.
fn code<'a>(name: &str, value: &'a Value) -> Option<&'a str> {
    let is_code = |text: &&str| {
        text.len() <= 80 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
    };
    matches!(name, "errorCode" | "statusCode" | "error").then(|| value.as_str()).flatten().filter(is_code)
}

/// The errors of a body: an array from the REST API, an object from the token endpoint.
pub(crate) fn errors(body: &Value) -> Vec<ReportedError> {
    let one = |error: &Value| {
        let members = error.as_object()?;
        let code = members.iter().find_map(|(name, value)| code(name, value))?;
        let fields = members.get("fields").and_then(Value::as_array).into_iter().flatten();
        let fields = fields.filter_map(Value::as_str).filter(|name| name.bytes().all(is_plain));
        Some(ReportedError { code: code.to_owned(), fields: fields.map(str::to_owned).collect() })
    };
    match body {
        Value::Array(items) => items.iter().filter_map(one).collect(),
        object => one(object).into_iter().collect(),
    }
}

/// The kept keys of a field. Texts written by people (help, formulas, defaults, filters) are left out.
const FIELD_KEYS: [&str; 35] = [
    "autoNumber",
    "byteLength",
    "calculated",
    "caseSensitive",
    "compoundFieldName",
    "controllerName",
    "createable",
    "custom",
    "defaultedOnCreate",
    "dependentPicklist",
    "deprecatedAndHidden",
    "digits",
    "encrypted",
    "externalId",
    "extraTypeInfo",
    "filterable",
    "groupable",
    "htmlFormatted",
    "idLookup",
    "label",
    "length",
    "name",
    "nameField",
    "nillable",
    "permissionable",
    "picklistValues",
    "precision",
    "referenceTo",
    "relationshipName",
    "restrictedPicklist",
    "scale",
    "soapType",
    "type",
    "unique",
    "updateable",
];
const OBJECT_KEYS: [&str; 6] = ["createable", "deletable", "name", "queryable", "retrieveable", "updateable"];
const RECORD_TYPE_KEYS: [&str; 6] =
    ["active", "available", "defaultRecordTypeMapping", "developerName", "master", "name"];

/// Reduces a describe result to the settings of the Lead.
pub(crate) fn describe(result: &Value) -> Value {
    let mut reduced = members(result, &OBJECT_KEYS);
    for (list, keys) in [("fields", &FIELD_KEYS[..]), ("recordTypeInfos", &RECORD_TYPE_KEYS[..])] {
        let entries = result.get(list).and_then(Value::as_array).into_iter().flatten();
        reduced.insert(list.to_owned(), entries.map(|entry| Value::Object(members(entry, keys))).collect());
    }
    Value::Object(reduced)
}

fn members(value: &Value, keys: &[&str]) -> Map<String, Value> {
    let members = value.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| keys.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Replaces texts that identify an org or a person everywhere.
pub(crate) fn conceal(value: &mut Value, identities: &[String]) {
    match value {
        Value::String(text) => {
            for identity in identities {
                if text.contains(identity.as_str()) {
                    *text = text.replace(identity.as_str(), "{concealed}");
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| conceal(item, identities)),
        Value::Object(members) => members.values_mut().for_each(|value| conceal(value, identities)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redacted_path_has_no_id_and_no_value() {
        for (given, expected) in [
            ("/services/data/v64.0/sobjects/Lead", "/services/data/v64.0/sobjects/Lead"),
            ("/services/data/v64.0/sobjects/Lead/00Q5i00000AbCdEFGH", "/services/data/v64.0/sobjects/Lead/{id}"),
            ("/services/data/v64.0/sobjects/Lead/00Q5i00000AbCdE", "/services/data/v64.0/sobjects/Lead/{id}"),
            (
                "/services/data/v64.0/sobjects/Lead/BookingId__c/minato-42",
                "/services/data/v64.0/sobjects/Lead/BookingId__c/{value}",
            ),
            ("/services/data/v64.0/sobjects/Lead/describe", "/services/data/v64.0/sobjects/Lead/describe"),
            ("/id/00D5i00000LoCaLEAF/0055i00000000001AA", "/id/{id}/{id}"),
            ("/services/data/v64.0/query/01g5i00000AbCdE-2000", "/services/data/v64.0/query/{id}"),
            ("/a%20b/c", "/{value}/c"),
        ] {
            assert_eq!(path(given), expected);
        }
    }

    #[test]
    fn a_shape_has_names_types_and_codes_only() {
        let body = json!([{
            "message": "Email: invalid email address: taro@",
            "errorCode": "INVALID_EMAIL_ADDRESS",
            "fields": ["Email"],
            "n": 7, "ok": true, "none": null,
        }]);
        let expected = json!([{
            "message": "text", "errorCode": "INVALID_EMAIL_ADDRESS", "fields": ["text"],
            "n": "number", "ok": true, "none": null,
        }]);
        assert_eq!(shape(&body), expected);
        assert_eq!(shape(&json!({"error": "a token: 00D!x"})), json!({"error": "text"}));
        assert_eq!(shape(&json!([{"a": 1}, {"a": 2}, {"b": ""}])), json!([{"a": "number"}, {"b": "text"}]));
        let expected = ReportedError { code: "INVALID_EMAIL_ADDRESS".into(), fields: vec!["Email".into()] };
        assert_eq!(errors(&body), [expected]);
        let oauth = json!({"error": "invalid_grant", "error_description": "expired access/refresh token"});
        assert_eq!(errors(&oauth), [ReportedError { code: "invalid_grant".into(), fields: vec![] }]);
        assert_eq!(errors(&json!("nonsense")), []);
    }

    #[test]
    fn a_describe_result_keeps_only_the_leads_settings() {
        let result = json!({
            "name": "Lead", "createable": true, "urls": {"uiEditTemplate": "https://acme.my.salesforce.com/{ID}/e"},
            "childRelationships": [{}],
            "recordTypeInfos": [{"name": "Web", "recordTypeId": "0125i000000AbCdEFG", "active": true}],
            "fields": [{"name": "Plan__c", "label": "プラン", "type": "string", "length": 20, "inlineHelpText": "ask Hanako",
                "calculatedFormula": "x", "defaultValue": "secret", "defaultValueFormula": "\"y\""}],
        });
        let expected = json!({
            "name": "Lead", "createable": true,
            "recordTypeInfos": [{"name": "Web", "active": true}],
            "fields": [{"name": "Plan__c", "label": "プラン", "type": "string", "length": 20}],
        });
        assert_eq!(describe(&result), expected);
    }

    #[test]
    fn identifying_texts_are_replaced_everywhere() {
        let mut value = json!({"label": "For Acme K.K. only", "list": ["Acme K.K.", 7]});
        conceal(&mut value, &["Acme K.K.".to_owned()]);
        assert_eq!(value, json!({"label": "For {concealed} only", "list": ["{concealed}", 7]}));
    }
}
