//! Converts JSON values to field types.

use jiff::{Timestamp, civil};
use serde_json::{Number, Value};

use crate::{
    clock::rest_datetime,
    file::{Field, FieldType},
};

/// A value as its field stores it; `None` on a type mismatch. Blank text becomes null, as in Salesforce. In a text
/// field, a number becomes `written`, its original spelling.
pub(crate) fn typed(field: &Field, value: &Value, written: &str) -> Option<Value> {
    match value {
        Value::Null => Some(Value::Null),
        Value::String(text) => from_text(field, text),
        Value::Number(number) => from_number(field, number, written),
        Value::Bool(_) => (field.kind == FieldType::Boolean).then(|| value.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn from_text(field: &Field, text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() && field.kind != FieldType::Boolean {
        return Some(Value::Null);
    }
    Some(match field.kind {
        // Salesforce also accepts numbers sent as strings.
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

/// Exactly `YYYY-MM-DD`.
fn date(text: &str) -> Option<civil::Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// A date-time with an offset. Salesforce stores whole seconds.
fn date_time(text: &str) -> Option<Timestamp> {
    let shaped = text.get(10..11).is_some_and(|separator| separator == "T") && !text.contains('[');
    shaped.then(|| text.parse().ok()).flatten()
}

fn time(text: &str) -> Option<String> {
    let clock: civil::Time = text.trim_end_matches('Z').parse().ok()?;
    Some(clock.strftime("%H:%M:%S%.3fZ").to_string())
}

fn from_number(field: &Field, number: &Number, written: &str) -> Option<Value> {
    Some(match field.kind {
        FieldType::Int | FieldType::Long => Value::from(number.as_i64()?),
        FieldType::Double | FieldType::Currency | FieldType::Percent => {
            Value::Number(Number::from_f64(number.as_f64()?)?)
        }
        // A number becomes the text as sent.
        kind if kind.textual() => Value::from(written),
        _ => return None,
    })
}
