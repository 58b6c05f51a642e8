//! JSON to the type of a field. What fails here fails the whole body, with `JSON_PARSER_ERROR`.

use jiff::{Timestamp, civil};
use serde_json::{Number, Value};

use super::body::{Member, parser_error};
use crate::{
    clock::rest_datetime,
    file::{Field, FieldType},
    message::Refusal,
};

/// A member's value in the type of its field. Blank texts are null, as Salesforce stores them.
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
    let Ok(value) = serde_json::from_str::<Value>(member.raw.get()) else {
        return Err(mismatch("NOT_AVAILABLE", Some(member.raw.get())));
    };
    let converted = match &value {
        Value::Null => Some(Value::Null),
        Value::String(text) => from_text(field, text),
        Value::Number(number) => from_number(field, number, member.raw.get()),
        Value::Bool(_) => (field.kind == FieldType::Boolean).then(|| value.clone()),
        Value::Array(_) => return Err(mismatch("START_ARRAY", None)),
        Value::Object(_) => return Err(mismatch("START_OBJECT", None)),
    };
    converted.ok_or_else(|| match &value {
        Value::String(text) => mismatch("VALUE_STRING", Some(text)),
        Value::Bool(true) => mismatch("VALUE_TRUE", Some("true")),
        Value::Bool(false) => mismatch("VALUE_FALSE", Some("false")),
        _ if member.raw.get().contains(['.', 'e', 'E']) => mismatch("VALUE_NUMBER_FLOAT", Some(member.raw.get())),
        _ => mismatch("VALUE_NUMBER_INT", Some(member.raw.get())),
    })
}

fn from_text(field: &Field, text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() && field.kind != FieldType::Boolean {
        return Some(Value::Null);
    }
    Some(match field.kind {
        // The parser also takes numbers that are written as texts.
        FieldType::Int | FieldType::Long => Value::from(text.parse::<i64>().ok()?),
        FieldType::Double | FieldType::Currency | FieldType::Percent => {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
            Value::Number(Number::from_f64(number)?)
        }
        FieldType::Boolean => return None,
        FieldType::Date => Value::from(date(text)?.to_string()),
        FieldType::DateTime => Value::from(rest_datetime(date_time(text)?)),
        FieldType::Time => Value::from(time(text)?),
        FieldType::Address | FieldType::Location => return None,
        _ => Value::from(text),
    })
}

/// `YYYY-MM-DD`, and nothing after it.
fn date(text: &str) -> Option<civil::Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// A date-time with its zone. Salesforce keeps whole seconds.
fn date_time(text: &str) -> Option<Timestamp> {
    let shaped = text.get(10..11).is_some_and(|separator| separator == "T") && !text.contains('[');
    shaped.then(|| text.parse().ok()).flatten()
}

fn time(text: &str) -> Option<String> {
    let clock: civil::Time = text.trim_end_matches('Z').parse().ok()?;
    Some(clock.strftime("%H:%M:%S%.3fZ").to_string())
}

fn from_number(field: &Field, number: &Number, raw: &str) -> Option<Value> {
    Some(match field.kind {
        FieldType::Int | FieldType::Long => Value::from(number.as_i64()?),
        FieldType::Double | FieldType::Currency | FieldType::Percent => {
            Value::Number(Number::from_f64(number.as_f64()?)?)
        }
        // A number becomes the text that was sent.
        kind if kind.textual() => Value::from(raw),
        _ => return None,
    })
}
