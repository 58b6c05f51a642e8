//! Converts JSON to field types. A failure rejects the whole body with `JSON_PARSER_ERROR`.

use serde_json::Value;

use super::body::{Member, parser_error};
use crate::{file::Field, message::Refusal, value};

/// Converts a member's value to its field's type. Blank text becomes null, as in Salesforce.
pub(super) fn convert(field: &Field, member: &Member<'_>) -> Result<Value, Refusal> {
    let mismatch = |token: &str, shown: Option<&str>| {
        let kind = field.kind.name();
        let place = format!("[line:{}, column:{}]", member.line, member.column);
        parser_error(&match shown {
            Some(shown) => format!(
                "Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a required field at {place}"
            ),
            None => format!("Cannot deserialize instance of {kind} from {token} value {place}"),
        })
    };
    let raw = member.raw.get();
    let Ok(value) = serde_json::from_str::<Value>(raw) else { return Err(mismatch("NOT_AVAILABLE", Some(raw))) };
    value::typed(field, &value, raw).ok_or_else(|| match &value {
        Value::Array(_) => mismatch("START_ARRAY", None),
        Value::Object(_) => mismatch("START_OBJECT", None),
        Value::String(text) => mismatch("VALUE_STRING", Some(text)),
        Value::Bool(true) => mismatch("VALUE_TRUE", Some("true")),
        Value::Bool(false) => mismatch("VALUE_FALSE", Some("false")),
        _ if raw.contains(['.', 'e', 'E']) => mismatch("VALUE_NUMBER_FLOAT", Some(raw)),
        _ => mismatch("VALUE_NUMBER_INT", Some(raw)),
    })
}
