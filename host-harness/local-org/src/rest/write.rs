//! Create, update, upsert and delete.

use http::{StatusCode, header::LOCATION};
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    Call, address,
    body::{self, Member},
    convert::convert,
    duplicates, record, saved, validate,
};
use crate::{
    clock::rest_datetime,
    file::{Field, FieldType, Trigger, User, ValidationRule},
    id,
    message::{Answer, ApiError, Refusal},
    soql::{self, Condition},
    state::State,
};

/// `POST sobjects/Lead`.
pub(super) fn create(call: &Call<'_>) -> Result<Answer, Refusal> {
    check_media_type(call)?;
    let members = body::members(&call.request.body)?;
    let id = insert(call, &mut call.org.state(), &members)?;
    Ok(created(call, &id, None))
}

/// `PATCH sobjects/Lead/{id}`.
pub(super) fn update(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    check_media_type(call)?;
    let members = body::members(&call.request.body)?;
    let id = record::resolve(id)?;
    modify(call, &mut call.org.state(), &id, &members)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `PATCH sobjects/Lead/{field}/{value}`.
pub(super) fn upsert(call: &Call<'_>, field: &str, value: &str) -> Result<Answer, Refusal> {
    check_media_type(call)?;
    let key = record::key_field(call, field)?;
    let members = body::members(&call.request.body)?;
    if members.iter().any(|member| member.name.eq_ignore_ascii_case(&key.name)) {
        let message = format!("The {} field should not be specified in the sobject data.", key.name);
        return Err(Refusal::bad_request(ApiError::new("INVALID_FIELD", message)));
    }
    // One lock over lookup and write: of two concurrent upserts of a new key, the second finds the first one's record.
    match upsert_one(call, &mut call.org.state(), key, value, members)? {
        Upserted::Created(id) => Ok(created(call, &id, Some(true))),
        // Versions before 46 respond to an update without a body.
        Upserted::Updated(_) if call.version < 46 => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        Upserted::Updated(id) => Ok(Answer::json(StatusCode::OK, &saved(&id, Some(false)))),
        Upserted::Ambiguous(ids) => Ok(choices(call, &ids)),
    }
}

pub(super) enum Upserted {
    Created(String),
    Updated(String),
    /// Nothing was written: several records have the key.
    Ambiguous(Vec<String>),
}

/// Updates the record with a key, or creates one.
pub(super) fn upsert_one(
    call: &Call<'_>,
    state: &mut State,
    key: &Field,
    value: &str,
    members: Vec<Member<'_>>,
) -> Result<Upserted, Refusal> {
    let found = record::find_by_key(state, key, value);
    match found.as_slice() {
        [] if call.request.query("updateOnly").as_deref() == Some("true") => Err(Refusal::not_found()),
        // An upsert by Id never creates: only the org assigns ids.
        [] if key.kind == FieldType::Id => Err(Refusal::not_found()),
        [] => {
            let keyed = json!(value).to_string();
            let raw: &RawValue = serde_json::from_str(&keyed).map_err(|_| body::parser_error("Invalid key"))?;
            let key = Member { name: key.name.clone(), raw, line: 1, column: 1 };
            let members: Vec<Member<'_>> = members.into_iter().chain([key]).collect();
            Ok(Upserted::Created(insert(call, state, &members)?))
        }
        [id] => {
            modify(call, state, id, &members)?;
            Ok(Upserted::Updated(id.clone()))
        }
        _ => Ok(Upserted::Ambiguous(found)),
    }
}

/// The 300 for a key that several records have, with their URLs.
pub(super) fn choices(call: &Call<'_>, ids: &[String]) -> Answer {
    let urls: Vec<_> = ids.iter().map(|id| call.path(&format!("sobjects/Lead/{id}"))).collect();
    Answer::json(StatusCode::MULTIPLE_CHOICES, &json!(urls))
}

/// `DELETE sobjects/Lead/{id}`.
pub(super) fn delete(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = record::resolve(id)?;
    remove(call, &mut call.org.state(), &id)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// Deletes a record, if it exists and the user may.
pub(super) fn remove(call: &Call<'_>, state: &mut State, id: &str) -> Result<(), Refusal> {
    let lead = record::find_mut(state, id)?;
    may(call, |user| user.delete_leads)?;
    lead.deleted = true;
    Ok(())
}

/// Checks the user's right on existing records.
fn may(call: &Call<'_>, right: fn(&User) -> bool) -> Result<(), Refusal> {
    if call.user().is_some_and(right) {
        return Ok(());
    }
    let error =
        ApiError::on::<String>("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", &[]);
    Err(Refusal::new(StatusCode::FORBIDDEN, error))
}

/// `DELETE sobjects/Lead/{field}/{value}`.
pub(super) fn delete_by_key(call: &Call<'_>, field: &str, value: &str) -> Result<Answer, Refusal> {
    let key = record::key_field(call, field)?;
    let found = record::find_by_key(&call.org.state(), key, value);
    match found.as_slice() {
        [id] => delete(call, id),
        [] => Err(Refusal::not_found()),
        several => Ok(choices(call, several)),
    }
}

fn created(call: &Call<'_>, id: &str, created: Option<bool>) -> Answer {
    let location = call.path(&format!("sobjects/Lead/{id}"));
    Answer::json(StatusCode::CREATED, &saved(id, created)).with(LOCATION, &location)
}

fn check_media_type(call: &Call<'_>) -> Result<(), Refusal> {
    match call.request.media_type() {
        Some(kind) if kind != "application/json" => {
            let message = format!("MediaType of '{kind}' is not supported by this resource");
            Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ApiError::new("UNSUPPORTED_MEDIA_TYPE", message)))
        }
        _ => Ok(()),
    }
}

/// Creates a record, or returns why not. The checks run in Salesforce's order of execution, and in a fixed order of ours
/// where that leaves it open.
pub(super) fn insert(call: &Call<'_>, state: &mut State, members: &[Member<'_>]) -> Result<String, Refusal> {
    if !call.user().is_some_and(|user| user.create_leads) {
        let error =
            ApiError::on::<String>("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: Lead", &[]);
        return Err(Refusal::bad_request(error));
    }
    let mut set = typed(call, members, |field| field.createable)?;
    let mut values = record::defaults(&call.settings, &call.user_id());
    values.extend(named(&set));
    refuse(validate::check(&call.settings, &mut set, &values, true))?;
    values.extend(named(&set));
    address::complete(&call.settings, &mut values);
    let draft = record::draft(&call.settings, None, &values);
    refuse(validation_rules(call, &draft))?;
    refuse(duplicates::check(call, None, &draft, &state.kept.leads).into_iter().collect())?;
    // Unique fields are database indexes, so they are checked last.
    refuse(taken(state, &set, None))?;
    refuse(triggers(call, &draft, "AfterInsert"))?;
    assign(call, &mut values)?;
    Ok(record::insert(&call.settings, state, call.org.now(), values, &call.user_id()))
}

/// Updates a record, or returns why not, in the same order.
pub(super) fn modify(call: &Call<'_>, state: &mut State, id: &str, members: &[Member<'_>]) -> Result<(), Refusal> {
    if members.iter().any(|member| member.name.eq_ignore_ascii_case("Id")) {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(Refusal::bad_request(ApiError::new("INVALID_FIELD", message)));
    }
    let mut set = typed(call, members, |field| field.updateable)?;
    let lead = record::find_mut(state, id)?;
    may(call, |user| user.edit_leads)?;
    if lead.values.get("IsConverted") == Some(&Value::Bool(true)) {
        let error = ApiError::on::<String>("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[]);
        return Err(Refusal::bad_request(error));
    }
    let mut values = lead.values.clone();
    address::forget(&call.settings, &mut values, &set);
    values.extend(named(&set));
    refuse(validate::check(&call.settings, &mut set, &values, false))?;
    values.extend(named(&set));
    address::complete(&call.settings, &mut values);
    let draft = record::draft(&call.settings, Some(id), &values);
    refuse(validation_rules(call, &draft))?;
    refuse(duplicates::check(call, Some(id), &draft, &state.kept.leads).into_iter().collect())?;
    refuse(taken(state, &set, Some(id)))?;
    refuse(triggers(call, &draft, "AfterUpdate"))?;
    assign(call, &mut values)?;
    let now = Value::from(rest_datetime(call.org.now()));
    values.insert("LastModifiedDate".to_owned(), now.clone());
    values.insert("SystemModstamp".to_owned(), now);
    values.insert("LastModifiedById".to_owned(), Value::from(call.user_id()));
    values.retain(|_, value| !value.is_null());
    record::find_mut(state, id)?.values = values;
    Ok(())
}

/// Resolves members to fields and values. Checks types first, then names, then permissions.
fn typed<'a>(
    call: &'a Call<'_>,
    members: &[Member<'_>],
    writable: impl Fn(&Field) -> bool,
) -> Result<Vec<(&'a Field, Value)>, Refusal> {
    let members: Vec<_> = members.iter().filter(|member| member.name != "attributes").collect();
    let schema = &call.settings.schema;
    let mut set: Vec<(&Field, Value)> = Vec::with_capacity(members.len());
    for member in &members {
        let Some(field) = schema.field(&member.name) else { continue };
        // A field that cannot be written is reported as such, whatever its value.
        let value = if writable(field) { convert(field, member)? } else { Value::Null };
        set.retain(|(known, _)| known.name != field.name);
        set.push((field, value));
    }
    if let Some(unknown) = members.iter().find(|member| schema.field(&member.name).is_none()) {
        let message = format!("No such column '{}' on sobject of type Lead", unknown.name);
        return Err(Refusal::bad_request(ApiError::new("INVALID_FIELD", message)));
    }
    let read_only: Vec<&str> =
        set.iter().filter(|(field, _)| !writable(field)).map(|(field, _)| field.name.as_str()).collect();
    if !read_only.is_empty() {
        let message = format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
            read_only.join(", ")
        );
        return Err(Refusal::bad_request(ApiError::on("INVALID_FIELD_FOR_INSERT_UPDATE", message, &read_only)));
    }
    // A checkbox is never blank.
    if let Some((field, _)) = set.iter().find(|(field, value)| field.kind == FieldType::Boolean && value.is_null()) {
        let message = format!("{}: value not of required type: null", field.label);
        return Err(Refusal::bad_request(ApiError::on("INVALID_TYPE_ON_FIELD_IN_RECORD", message, &[&field.name])));
    }
    Ok(set)
}

fn named(set: &[(&Field, Value)]) -> Vec<(String, Value)> {
    set.iter().map(|(field, value)| (field.name.clone(), value.clone())).collect()
}

fn refuse(errors: Vec<ApiError>) -> Result<(), Refusal> {
    if errors.is_empty() { Ok(()) } else { Err(Refusal { status: StatusCode::BAD_REQUEST, errors }) }
}

fn validation_rules(call: &Call<'_>, draft: &Map<String, Value>) -> Vec<ApiError> {
    let rules = call.settings.file.validation_rules.iter().zip(&call.settings.schema.rules.validation);
    let broken = rules.filter(|(_, condition)| holds(call, condition, draft));
    let error = |(rule, _): (&ValidationRule, _)| {
        let fields: Vec<&String> = rule.field.iter().collect();
        ApiError::on("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message.clone(), &fields)
    };
    broken.map(error).collect()
}

/// The first failing trigger ends the transaction.
fn triggers(call: &Call<'_>, draft: &Map<String, Value>, event: &str) -> Vec<ApiError> {
    let triggers = call.settings.file.triggers.iter().zip(&call.settings.schema.rules.triggers);
    let failed = triggers.filter(|(_, condition)| holds(call, condition, draft)).take(1);
    let error = |(trigger, _): (&Trigger, _)| {
        let message = format!("{}: execution of {event}\n\ncaused by: {}", trigger.name, trigger.message);
        ApiError::on::<String>("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, &[])
    };
    failed.map(error).collect()
}

/// Whether a rule's or trigger's condition is true. Both run in system context, so they see hidden fields.
fn holds(call: &Call<'_>, condition: &Condition, draft: &Map<String, Value>) -> bool {
    let field = |name: &str| call.settings.schema.field_of_org(name);
    soql::matches(condition, draft, &call.settings.scope(&field, "Lead", call.org.now()))
}

/// The error for a unique value that another record has.
fn taken(state: &State, set: &[(&Field, Value)], own: Option<&str>) -> Vec<ApiError> {
    let holder = |field: &Field, value: &Value| {
        let others = state.kept.leads.iter().filter(|lead| !lead.deleted && Some(lead.id.as_str()) != own);
        others.into_iter().find(|lead| record::same_key(field, lead.values.get(&field.name), value))
    };
    let conflict = |(field, value): &(&Field, Value)| {
        let other = holder(field, value).filter(|_| field.unique && !value.is_null())?;
        let message = format!(
            "duplicate value found: {} duplicates value on record with id: {}",
            field.name,
            id::to_15(&other.id)
        );
        Some(ApiError::on::<String>("DUPLICATE_VALUE", message, &[]))
    };
    // Only one error: the database stops at the first violated index.
    set.iter().find_map(conflict).into_iter().collect()
}

/// Lets the assignment rule set the owner. Without the header the active rule runs on creates and updates, and overrides
/// the caller's owner ("Assignment Rule Header" in the REST API guide).
fn assign(call: &Call<'_>, values: &mut Map<String, Value>) -> Result<(), Refusal> {
    let rule = call.settings.file.assignment_rule.as_ref();
    let runs = match call.request.header("sforce-auto-assign").map(str::trim) {
        None => true,
        Some(wish) if wish.eq_ignore_ascii_case("true") => true,
        Some(wish) if wish.eq_ignore_ascii_case("false") => false,
        Some(wish) => {
            let asked = id::to_18(wish);
            if asked.is_none() || asked != rule.and_then(|rule| id::to_18(&rule.id)) {
                let error = ApiError::on::<String>("INVALID_ASSIGNMENT_RULE", "invalid assignment rule id", &[]);
                return Err(Refusal::bad_request(error));
            }
            true
        }
    };
    let settings = &call.settings;
    let owner = |owner: &str| settings.user_id(owner).or_else(|| settings.queue_id(owner));
    if let Some(owner) = rule.filter(|_| runs).and_then(|rule| owner(&rule.owner)) {
        values.insert("OwnerId".to_owned(), Value::from(owner));
    }
    Ok(())
}
