//! Storing, finding and rendering records.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Call, objects, write::choices};
use crate::{
    clock::rest_datetime,
    file::{Field, FieldType},
    formula, id,
    message::{Answer, ApiError, Refusal},
    org::Settings,
    state::{Lead, State},
};

/// Values of a new record for fields that the caller does not set.
pub(super) fn defaults(settings: &Settings, user: &str) -> Map<String, Value> {
    let fields = settings.schema.fields.iter();
    let mut values: Map<_, _> = fields.filter_map(|field| Some((field.name.clone(), field.default.clone()?))).collect();
    // Leads created through the API have not been read by their owner.
    if let Some(unread) = values.get_mut("IsUnreadByOwner") {
        *unread = Value::Bool(true);
    }
    values.insert("OwnerId".to_owned(), Value::from(user));
    if let Some((record_type, _)) = settings.schema.rules.record_types.iter().find(|(_, kind)| kind.default) {
        values.insert("RecordTypeId".to_owned(), Value::from(record_type.as_str()));
    }
    values
}

/// Stores a record and returns its id. Fields that the caller does not set get defaults.
pub(crate) fn insert(
    settings: &Settings,
    state: &mut State,
    now: Timestamp,
    mut values: Map<String, Value>,
    user: &str,
) -> String {
    let id = id::mint(id::LEAD, state.next());
    for (name, value) in defaults(settings, user) {
        values.entry(name).or_insert(value);
    }
    let mut fill = |name: &str, value: Value| {
        let slot = values.entry(name.to_owned()).or_insert(Value::Null);
        if slot.is_null() {
            *slot = value;
        }
    };
    for name in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
        fill(name, Value::from(rest_datetime(now)));
    }
    for name in ["OwnerId", "CreatedById", "LastModifiedById"] {
        fill(name, Value::from(user));
    }
    values.retain(|_, value| !value.is_null());
    state.kept.change().leads.push(Lead { id: id.clone(), deleted: false, values });
    id
}

/// The record as rules see it before it is saved: with computed fields, and without an id if it is new.
pub(super) fn draft(settings: &Settings, id: Option<&str>, values: &Map<String, Value>) -> Map<String, Value> {
    let lead = Lead { id: id.unwrap_or_default().to_owned(), deleted: false, values: values.clone() };
    let mut row = row(settings, &lead);
    row.insert("Id".to_owned(), id.map_or(Value::Null, Value::from));
    row
}

/// All fields of a record, computed ones included; null where there is no value.
pub(crate) fn row(settings: &Settings, lead: &Lead) -> Map<String, Value> {
    let mut row =
        settings.schema.fields.iter().map(|field| (field.name.clone(), value(settings, lead, field))).collect();
    compute(settings, &mut row);
    row
}

/// The needed fields of a record, plus `Id` and `IsDeleted`, which every query needs.
pub(super) fn partial_row(settings: &Settings, lead: &Lead, needed: &[&Field]) -> Map<String, Value> {
    if needed.iter().any(|field| field.calculated()) {
        return row(settings, lead);
    }
    let mut row: Map<_, _> = needed.iter().map(|field| (field.name.clone(), value(settings, lead, field))).collect();
    row.insert("Id".to_owned(), Value::from(lead.id.as_str()));
    row.insert("IsDeleted".to_owned(), Value::Bool(lead.deleted));
    row
}

/// The value of a field that is not a formula.
fn value(settings: &Settings, lead: &Lead, field: &Field) -> Value {
    match field.name.as_str() {
        "Id" => Value::from(lead.id.as_str()),
        "IsDeleted" => Value::Bool(lead.deleted),
        "PhotoUrl" => Value::from(format!("/services/images/photo/{}", lead.id)),
        "Name" => full_name(settings, &lead.values),
        "Address" => address(settings, &lead.values),
        // A checkbox is off in records older than the field.
        name => lead.values.get(name).cloned().unwrap_or(match field.kind {
            FieldType::Boolean => Value::Bool(false),
            _ => Value::Null,
        }),
    }
}

fn compute(settings: &Settings, row: &mut Map<String, Value>) {
    for (name, parts) in &settings.schema.rules.formulas {
        let value = formula::evaluate(parts, row).map_or(Value::Null, Value::from);
        row.insert(name.clone(), value);
    }
}

/// The full name in the order of the org's locale.
fn full_name(settings: &Settings, values: &Map<String, Value>) -> Value {
    let part = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default();
    let language = settings.file.locale.split('_').next().unwrap_or_default();
    let order = match language {
        "ja" | "ko" | "zh" => ["Salutation", "LastName", "FirstName"],
        _ => ["Salutation", "FirstName", "LastName"],
    };
    let name = order.map(part).join(" ");
    Value::from(name.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn address(settings: &Settings, values: &Map<String, Value>) -> Value {
    let mut parts = vec![
        ("city", "City"),
        ("country", "Country"),
        ("geocodeAccuracy", "GeocodeAccuracy"),
        ("latitude", "Latitude"),
        ("longitude", "Longitude"),
        ("postalCode", "PostalCode"),
        ("state", "State"),
        ("street", "Street"),
    ];
    if settings.file.state_country_picklists {
        parts.extend([("countryCode", "CountryCode"), ("stateCode", "StateCode")]);
    }
    if !parts.iter().any(|(_, field)| values.contains_key(*field)) {
        return Value::Null;
    }
    parts
        .iter()
        .map(|(key, field)| ((*key).to_owned(), values.get(*field).cloned().unwrap_or(Value::Null)))
        .collect::<Map<_, _>>()
        .into()
}

/// A record as returned by a read of all visible fields.
pub(crate) fn whole(settings: &Settings, lead: &Lead, version: u32) -> Value {
    let mut row = row(settings, lead);
    row.retain(|name, _| settings.schema.field(name).is_some());
    row.insert("attributes".to_owned(), attributes("Lead", &lead.id, version));
    Value::Object(row)
}

/// The `attributes` of a record.
pub(super) fn attributes(object: &str, id: &str, version: u32) -> Value {
    json!({"type": object, "url": format!("/services/data/v{version}.0/sobjects/{object}/{id}")})
}

/// `GET sobjects/Lead/{id}`.
pub(super) fn read(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = resolve(id)?;
    // Writes report that the record was deleted; reads report 404 (jsforce's tests on real orgs).
    let lead = call.org.state().kept.leads.iter().find(|lead| lead.id == id && !lead.deleted).cloned();
    show(call, &lead.ok_or_else(Refusal::not_found)?)
}

/// `GET sobjects/Lead/{field}/{value}`.
pub(super) fn read_by_key(call: &Call<'_>, field: &str, value: &str) -> Result<Answer, Refusal> {
    let key = key_field(call, field)?;
    let found = find_by_key(&call.org.state(), key, value);
    match found.as_slice() {
        [id] => read(call, id),
        [] => Err(Refusal::not_found()),
        several => Ok(choices(call, several)),
    }
}

/// `GET` of a record of an object other than Lead.
pub(super) fn read_other(call: &Call<'_>, object: &str, id: &str) -> Result<Answer, Refusal> {
    let table = objects::find(call, object, None).ok_or_else(Refusal::not_found)?;
    let id = resolve(id)?;
    let found = table.rows.into_iter().find(|row| row.get("Id").and_then(Value::as_str) == Some(id.as_str()));
    let mut row = found.ok_or_else(Refusal::not_found)?;
    row.insert("attributes".to_owned(), attributes(table.name, &id, call.version));
    Ok(Answer::json(StatusCode::OK, &Value::Object(row)))
}

fn show(call: &Call<'_>, lead: &Lead) -> Result<Answer, Refusal> {
    let Some(names) = call.request.query("fields") else {
        return Ok(Answer::json(StatusCode::OK, &whole(&call.settings, lead, call.version)));
    };
    Ok(Answer::json(StatusCode::OK, &fields(call, lead, names.split(',').map(str::trim))?))
}

/// Some fields of a record, and its id.
pub(super) fn fields<'a>(call: &Call<'_>, lead: &Lead, names: impl Iterator<Item = &'a str>) -> Result<Value, Refusal> {
    let row = row(&call.settings, lead);
    let mut shown = Map::new();
    for name in names {
        let Some(field) = call.settings.schema.field(name) else {
            let message = format!("No such column '{name}' on sobject of type Lead");
            return Err(Refusal::bad_request(ApiError::new("INVALID_FIELD", message)));
        };
        shown.insert(field.name.clone(), row.get(&field.name).cloned().unwrap_or(Value::Null));
    }
    shown.insert("Id".to_owned(), Value::from(lead.id.as_str()));
    shown.insert("attributes".to_owned(), attributes("Lead", &lead.id, call.version));
    Ok(Value::Object(shown))
}

/// Resolves an id of either length from a path.
pub(super) fn resolve(id: &str) -> Result<String, Refusal> {
    id::to_18(id).ok_or_else(|| match id.len() {
        15 | 18 => Refusal::bad_request(ApiError::new("MALFORMED_ID", format!("malformed id {id}"))),
        _ => Refusal::new(
            StatusCode::NOT_FOUND,
            ApiError::new(
                "NOT_FOUND",
                "Provided external ID field does not exist or is not accessible: ".to_owned() + id,
            ),
        ),
    })
}

/// A record to change; an error if it is missing or deleted.
pub(super) fn find_mut<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Lead, Refusal> {
    match state.kept.change().leads.iter_mut().find(|lead| lead.id == id) {
        Some(lead) if lead.deleted => {
            let error = ApiError::on::<String>("ENTITY_IS_DELETED", "entity is deleted", &[]);
            Err(Refusal::new(StatusCode::NOT_FOUND, error))
        }
        Some(lead) => Ok(lead),
        None => Err(Refusal::not_found()),
    }
}

/// The external-ID or lookup field with this name.
pub(super) fn key_field<'a>(call: &'a Call<'_>, name: &str) -> Result<&'a Field, Refusal> {
    let field = call.settings.schema.field(name).filter(|field| field.external_id || field.id_lookup);
    field.ok_or_else(|| {
        let message = format!("Provided external ID field does not exist or is not accessible: {name}");
        Refusal::new(StatusCode::NOT_FOUND, ApiError::new("NOT_FOUND", message))
    })
}

/// Ids of the records with a key value.
pub(super) fn find_by_key(state: &State, key: &Field, value: &str) -> Vec<String> {
    let value = match key.kind {
        kind if kind.numeric() => value.parse::<f64>().map_or(Value::Null, Value::from),
        FieldType::Id => id::to_18(value).map_or(Value::Null, Value::from),
        _ => Value::from(value),
    };
    let held = |lead: &&Lead| match key.kind {
        FieldType::Id => value == lead.id.as_str(),
        _ => same_key(key, lead.values.get(&key.name), &value),
    };
    state.kept.leads.iter().filter(|lead| !lead.deleted).filter(held).map(|lead| lead.id.clone()).collect()
}

/// Whether two key values are equal. Text ignores case unless the field is case-sensitive.
pub(super) fn same_key(field: &Field, held: Option<&Value>, value: &Value) -> bool {
    match (held, value) {
        (Some(Value::String(held)), Value::String(value)) if !field.case_sensitive => {
            held.to_lowercase() == value.trim().to_lowercase()
        }
        (Some(Value::Number(held)), Value::Number(value)) => held.as_f64() == value.as_f64(),
        (Some(held), value) => held == value && !value.is_null(),
        (None, _) => false,
    }
}
