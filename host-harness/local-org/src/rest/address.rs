//! Addresses in an org with state and country picklists.

use serde_json::{Map, Value};

use crate::{
    file::{Field, PicklistValue},
    message::ApiError,
    org::Settings,
};

/// Checks that the state and country are known, by name or code, and belong together.
pub(super) fn check(
    settings: &Settings,
    set: &[(&Field, Value)],
    whole: &Map<String, Value>,
    creating: bool,
) -> Option<ApiError> {
    let text = |name: &str| whole.get(name).and_then(Value::as_str);
    let countries = settings.schema.field_of_org("CountryCode")?;
    let states = settings.schema.field_of_org("StateCode")?;
    let code = match (text("CountryCode"), text("Country")) {
        (Some(code), _) => Some(code),
        (None, Some(name)) => match countries.values.iter().find(|country| country.label.eq_ignore_ascii_case(name)) {
            Some(country) => Some(country.value.as_str()),
            None => return Some(bad_address("country", "countries", "Country")),
        },
        (None, None) => None,
    };
    let belongs = |state: &&PicklistValue| {
        code.is_some_and(|code| state.valid_for.iter().flatten().any(|country| country == code))
    };
    let mut known = states.values.iter().filter(belongs);
    let fits = match (text("StateCode"), text("State")) {
        (Some(state), _) => known.any(|known| known.value == state),
        (None, Some(name)) => known.any(|known| known.label.eq_ignore_ascii_case(name)),
        (None, None) => true,
    };
    if fits {
        return None;
    }
    let name = if text("StateCode").is_some() { "StateCode" } else { "State" };
    let sets = |names: [&str; 2]| set.iter().any(|(field, _)| names.contains(&field.name.as_str()));
    if creating || sets(["State", "StateCode"]) && sets(["Country", "CountryCode"]) {
        return Some(bad_address("state", "states", name));
    }
    // The write sets one of the two; the other is already on the record.
    let label = settings.schema.field_of_org(name).map_or(name, |field| field.label.as_str());
    let message = format!("The existing country/territory doesn't recognize the state value for field: {label}");
    Some(ApiError::on("FIELD_INTEGRITY_EXCEPTION", message, &[name]))
}

fn bad_address(one: &str, many: &str, field: &str) -> ApiError {
    let message = format!(
        "There's a problem with this {one}, even though it may appear correct. Please select a {one} from the list of valid {many}."
    );
    ApiError::on("FIELD_INTEGRITY_EXCEPTION", message, &[field])
}

/// Removes the code of a name that a write changes, and vice versa.
pub(super) fn forget(settings: &Settings, values: &mut Map<String, Value>, set: &[(&Field, Value)]) {
    let sets = |name: &str| set.iter().any(|(field, _)| field.name == name);
    for (code, name) in [("CountryCode", "Country"), ("StateCode", "State")] {
        if settings.file.state_country_picklists && sets(code) != sets(name) {
            values.remove(if sets(code) { name } else { code });
        }
    }
}

/// Fills in names from codes and codes from names; Salesforce stores both.
pub(super) fn complete(settings: &Settings, values: &mut Map<String, Value>) {
    if !settings.file.state_country_picklists {
        return;
    }
    let country = pair(settings, values, "CountryCode", "Country", None);
    pair(settings, values, "StateCode", "State", country.as_deref());
}

/// Fills in one pair and returns its code. The code takes precedence over the name.
fn pair(
    settings: &Settings,
    values: &mut Map<String, Value>,
    code_field: &str,
    name_field: &str,
    country: Option<&str>,
) -> Option<String> {
    let field: &Field = settings.schema.field_of_org(code_field)?;
    let text = |name: &str| values.get(name).and_then(Value::as_str);
    let (code, name) = (text(code_field), text(name_field));
    let belongs = |value: &&PicklistValue| {
        value
            .valid_for
            .as_ref()
            .is_none_or(|allowed| country.is_some_and(|country| allowed.iter().any(|one| one == country)))
    };
    let found = field.values.iter().filter(belongs).find(|value| match code {
        Some(code) => value.value == code,
        None => name.is_some_and(|name| value.label.eq_ignore_ascii_case(name)),
    })?;
    values.insert(code_field.to_owned(), Value::from(found.value.as_str()));
    values.insert(name_field.to_owned(), Value::from(found.label.as_str()));
    Some(found.value.clone())
}
