//! Checks values against their fields, which Salesforce does before it runs any admin's rule.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::address;
use crate::{
    file::{Field, FieldType},
    html, id,
    message::ApiError,
    org::Settings,
    schema::MASTER_RECORD_TYPE,
};

/// Errors of the values that a write sets, in the order sent; `whole` is the record with the write applied.
pub(super) fn check(
    settings: &Settings,
    set: &mut [(&Field, Value)],
    whole: &Map<String, Value>,
    creating: bool,
) -> Vec<ApiError> {
    let mut errors = Vec::new();
    errors.extend(missing(settings, set, creating));
    for (field, value) in set.iter_mut() {
        if !value.is_null()
            && let Err(error) = check_value(settings, field, value)
        {
            errors.push(error);
        }
    }
    // Dependencies refer to the org's own spelling of picklist values.
    let mut whole = whole.clone();
    whole.extend(set.iter().map(|(field, value)| (field.name.clone(), value.clone())));
    errors.extend(check_dependencies(settings, set, &whole));
    if settings.file.state_country_picklists {
        errors.extend(address::check(settings, set, &whole, creating));
    }
    errors
}

/// One error for all required fields without a value.
fn missing(settings: &Settings, set: &[(&Field, Value)], creating: bool) -> Option<ApiError> {
    let sent: BTreeMap<&str, &Value> = set.iter().map(|(field, value)| (field.name.as_str(), value)).collect();
    let lacking = |field: &&Field| match sent.get(field.name.as_str()) {
        Some(value) => value.is_null() && !field.nillable && field.kind != FieldType::Boolean,
        None => creating && field.required(),
    };
    let names: Vec<&str> = settings.schema.fields.iter().filter(lacking).map(|field| field.name.as_str()).collect();
    let message = format!("Required fields are missing: [{}]", names.join(", "));
    (!names.is_empty()).then(|| ApiError::on("REQUIRED_FIELD_MISSING", message, &names))
}

fn check_value(settings: &Settings, field: &Field, value: &mut Value) -> Result<(), ApiError> {
    match value {
        Value::String(text) => {
            if let Some(canonical) = check_text(settings, field, text)? {
                *value = Value::from(canonical);
            }
        }
        Value::Number(number) => {
            if let Some(rounded) = check_number(field, number)? {
                *value = Value::Number(rounded);
            }
        }
        _ => {}
    }
    Ok(())
}

fn check_text(settings: &Settings, field: &Field, text: &str) -> Result<Option<String>, ApiError> {
    let on = |code: &str, message: String| Err(ApiError::on(code, message, &[&field.name]));
    let label = &field.label;
    let canonical = match field.kind {
        FieldType::Email if !is_email(text) => {
            return on("INVALID_EMAIL_ADDRESS", format!("{label}: invalid email address: {text}"));
        }
        FieldType::Picklist => Some(picklist(field, text)?),
        FieldType::MultiPicklist => {
            let values: Result<Vec<_>, _> =
                text.split(';').map(str::trim).filter(|one| !one.is_empty()).map(|one| picklist(field, one)).collect();
            Some(values?.join(";"))
        }
        FieldType::Reference => return reference(settings, field, text).map(Some),
        FieldType::TextArea if field.html() => Some(html::stored(text)),
        _ => None,
    };
    let kept = canonical.as_deref().unwrap_or(text);
    // Salesforce does not document the unit of field lengths. UTF-16 code units (as in Java, where an emoji counts as
    // two) are the strictest plausible choice, so a client that counts more generously fails here.
    if field.length > 0 && kept.encode_utf16().count() > field.length as usize {
        let message = format!("{label}: data value too large: {kept} (max length={})", field.length);
        return on("STRING_TOO_LONG", message);
    }
    if kept.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        let message = format!("{label}: invalid character in the value");
        return on("TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", message);
    }
    Ok(canonical)
}

/// Whether the text is one email address: a local part, one `@`, and a domain with a dot.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_ok =
        !local.is_empty() && local.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    let label_ok = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    local_ok && domain.contains('.') && domain.split('.').all(label_ok)
}

/// The canonical spelling of a value. Unrestricted picklists accept any other text too.
fn picklist(field: &Field, text: &str) -> Result<String, ApiError> {
    match field.value(text) {
        // Only conversion sets it (Lead, "Status", in the object reference). The message is ours: no recording has one.
        Some(known) if known.converted => {
            let message = format!("{}: invalid status: {text}", field.label);
            Err(ApiError::on("INVALID_STATUS", message, &[&field.name]))
        }
        Some(known) if known.active || !field.restricted => Ok(known.value.clone()),
        None if !field.restricted => Ok(text.to_owned()),
        _ => Err(bad_value(field, text)),
    }
}

fn reference(settings: &Settings, field: &Field, text: &str) -> Result<String, ApiError> {
    let label = &field.label;
    let Some(id) = id::to_18(text) else {
        let message = format!("{label}: id value of incorrect type: {text}");
        return Err(ApiError::on("MALFORMED_ID", message, &[&field.name]));
    };
    if field.reference_to.iter().any(|object| object == "RecordType") {
        let kinds = &settings.schema.rules.record_types;
        let usable = kinds.iter().any(|(known, kind)| *known == id && kind.active && kind.available);
        if usable || id == MASTER_RECORD_TYPE {
            return Ok(id);
        }
        let message = format!("{label}: this ID value isn't valid for the user: {text}");
        return Err(ApiError::on("INVALID_CROSS_REFERENCE_KEY", message, &[&field.name]));
    }
    if field.reference_to.iter().any(|object| object == "User") && id.starts_with(id::USER) {
        return match settings.users().find(|(known, _)| *known == id) {
            Some((_, user)) if user.active => Ok(id),
            Some(_) => {
                let message = format!("operation performed with inactive user [{id}] as owner of lead");
                Err(ApiError::on("INACTIVE_OWNER_OR_USER", message, &[&field.name]))
            }
            None => Err(ApiError::on::<String>("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[])),
        };
    }
    if field.reference_to.iter().any(|object| object == "Group") && settings.queues().any(|(known, _)| known == id) {
        return Ok(id);
    }
    // Records of other objects do not exist here.
    Err(ApiError::on::<String>("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]))
}

/// Rejects too many digits before the decimal point, and rounds extra digits after it.
fn check_number(field: &Field, number: &Number) -> Result<Option<Number>, ApiError> {
    let digits = if field.kind == FieldType::Int {
        field.digits.max(1)
    } else {
        field.precision - field.scale.min(field.precision)
    };
    let value = number.as_f64().unwrap_or(f64::INFINITY);
    let limit = 10f64.powi(i32::try_from(digits).unwrap_or(i32::MAX));
    if (digits > 0 || field.scale > 0) && value.abs() >= limit {
        let message = format!("{}: value outside of valid range on numeric field: {number}", field.label);
        return Err(ApiError::on("NUMBER_OUTSIDE_VALID_RANGE", message, &[&field.name]));
    }
    if field.kind == FieldType::Int || field.precision == 0 {
        return Ok(None);
    }
    // Rounds the shortest decimal form, not the binary value: 2.675 becomes 2.68.
    Ok(Number::from_f64(round_half_up(&format!("{value}"), field.scale as usize).unwrap_or(value)))
}

fn round_half_up(decimal: &str, scale: usize) -> Option<f64> {
    let Some((whole, fraction)) = decimal.split_once('.') else { return decimal.parse().ok() };
    if fraction.len() <= scale {
        return decimal.parse().ok();
    }
    let kept: f64 = format!("{whole}.{}", fraction.get(..scale)?).trim_end_matches('.').parse().ok()?;
    let up = fraction.as_bytes().get(scale).is_some_and(|digit| *digit >= b'5');
    let step = if up { 10f64.powi(-i32::try_from(scale).ok()?) } else { 0.0 };
    let rounded = kept.abs() + step;
    let sign = if decimal.starts_with('-') { -1.0 } else { 1.0 };
    // Formatting with the scale removes the binary noise of the sum.
    format!("{:.scale$}", sign * rounded).parse().ok()
}

/// Errors for dependent picklist values that the controlling value does not allow.
fn check_dependencies(settings: &Settings, set: &[(&Field, Value)], whole: &Map<String, Value>) -> Vec<ApiError> {
    let wrong = |(field, value): &(&Field, Value)| {
        let controller = settings.schema.field_of_org(field.controller.as_ref()?)?;
        let text = value.as_str().filter(|_| field.restricted && !is_state(field))?;
        let control = match whole.get(&controller.name) {
            Some(Value::String(control)) => control.clone(),
            Some(Value::Bool(control)) => control.to_string(),
            _ => String::new(),
        };
        let allowed = |one: &&str| {
            field.values.iter().any(|known| {
                known.value == *one && known.valid_for.as_ref().is_none_or(|allowed| allowed.contains(&control))
            })
        };
        let mut values = match field.kind {
            FieldType::MultiPicklist => text.split(';').collect(),
            _ => vec![text],
        };
        // Unknown values have already been reported.
        values.retain(|one| field.value(one).is_some());
        values.into_iter().find(|one| !allowed(one)).map(|one| bad_value(field, one))
    };
    set.iter().filter_map(wrong).collect()
}

fn bad_value(field: &Field, value: &str) -> ApiError {
    let message = format!("{}: bad value for restricted picklist field: {value}", field.label);
    ApiError::on("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &[&field.name])
}

fn is_state(field: &Field) -> bool {
    field.name == "StateCode"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_email_address_is_accepted() {
        for good in ["taro@example.co.jp", "o'neil+tag@x.org", "a..b.@docomo.ne.jp"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "taro",
            "taro@",
            "@x.org",
            "a@b",
            "a@b@c.org",
            "a b@x.org",
            "a@x.org, b@x.org",
            "山田@x.org",
            "a@x..org",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn numbers_round_half_up_at_their_scale() {
        for (text, scale, rounded) in
            [("2.675", 2, 2.68), ("2.674", 2, 2.67), ("-2.5", 0, -3.0), ("7", 2, 7.0), ("0.999", 2, 1.0)]
        {
            assert_eq!(round_half_up(text, scale), Some(rounded), "{text}");
        }
    }
}
