//! sObject collections and trees: several records in one call.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::super::{
    Call,
    body::{self, Member, parser_error},
    record, saved, write,
};
use crate::{
    message::{Answer, ApiError, Refusal},
    state::State,
};

/// Maximum records per call.
const MOST_RECORDS: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Collection<'a> {
    #[serde(default)]
    all_or_none: bool,
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

#[derive(Clone, Copy)]
pub(crate) enum Writing<'a> {
    Create,
    Update,
    Upsert(&'a str),
}

/// `POST` and `PATCH` of `composite/sobjects`, and the upsert of `composite/sobjects/Lead/{field}`.
///
/// The call itself succeeds. Every record has its own result, whose errors have `statusCode` instead of `errorCode`.
pub(crate) fn write_collection(call: &Call<'_>, writing: Writing<'_>) -> Result<Answer, Refusal> {
    let collection: Collection<'_> =
        serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?;
    check_size(collection.records.len())?;
    let each = |state: &mut State, raw: &&RawValue| one_record(call, state, writing, raw);
    Ok(results(call, collection.all_or_none, &collection.records, each))
}

/// `DELETE composite/sobjects?ids=`.
pub(crate) fn delete_collection(call: &Call<'_>) -> Result<Answer, Refusal> {
    let ids = call.request.query("ids").unwrap_or_default();
    let ids: Vec<&str> = ids.split(',').filter(|id| !id.is_empty()).collect();
    check_size(ids.len())?;
    let all_or_none = call.request.query("allOrNone").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    let each = |state: &mut State, id: &&str| {
        let id = record::resolve(id)?;
        write::remove(call, state, &id).map(|()| saved(&id, None))
    };
    Ok(results(call, all_or_none, &ids, each))
}

/// Runs `each` on several items and returns their results. With `all_or_none`, one failure rolls back all.
fn results<T>(
    call: &Call<'_>,
    all_or_none: bool,
    things: &[T],
    mut each: impl FnMut(&mut State, &T) -> Result<Value, Refusal>,
) -> Answer {
    // One lock over all items: nobody sees part of a collection that is rolled back.
    let mut state = call.org.state();
    let before = state.kept.leads.clone();
    let results: Vec<_> = things.iter().map(|thing| each(&mut state, thing)).collect();
    let rolled_back = all_or_none && results.iter().any(Result::is_err);
    if rolled_back {
        state.kept.change().leads = before;
    }
    let shown = results.into_iter().map(|result| match result {
        Ok(_) if rolled_back => failed(&Refusal::bad_request(ApiError::on::<String>(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
            &[],
        ))),
        Ok(saved) => saved,
        Err(refusal) => failed(&refusal),
    });
    Answer::json(StatusCode::OK, &shown.collect())
}

#[derive(Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    fields: Vec<String>,
}

/// `GET composite/sobjects/Lead?ids=&fields=`, or `POST` with the same in the body: null for missing records.
pub(crate) fn read_collection(call: &Call<'_>) -> Result<Answer, Refusal> {
    let list = |name: &str| {
        let list = call.request.query(name).unwrap_or_default();
        list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect()
    };
    let wanted: Wanted = match call.method {
        Method::POST => serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?,
        _ => Wanted { ids: list("ids"), fields: list("fields") },
    };
    check_size(wanted.ids.len())?;
    let state = call.org.state();
    let read = |id: &String| {
        let id = crate::id::to_18(id)?;
        let lead = state.kept.leads.iter().find(|lead| lead.id == id && !lead.deleted)?;
        Some(record::fields(call, lead, wanted.fields.iter().map(String::as_str)))
    };
    let records: Result<Vec<_>, _> = wanted.ids.iter().map(|id| read(id).transpose()).collect();
    Ok(Answer::json(StatusCode::OK, &json!(records?)))
}

fn check_size(records: usize) -> Result<(), Refusal> {
    let refuse = |code: &str, message: String| Err(Refusal::bad_request(ApiError::on::<String>(code, message, &[])));
    match records {
        0 => refuse("REQUIRED_FIELD_MISSING", "At least 1 record is required".to_owned()),
        1..=MOST_RECORDS => Ok(()),
        _ => refuse(
            "LIMIT_EXCEEDED",
            format!("record limit reached. cannot submit more than {MOST_RECORDS} records into this call"),
        ),
    }
}

/// The members of a record, which must be a Lead, and its `attributes`.
fn members_of_lead(raw: &RawValue) -> Result<(Vec<Member<'_>>, Value), Refusal> {
    let members = body::members(raw.get().as_bytes())?;
    let attributes = members.iter().find(|member| member.name == "attributes");
    let attributes: Option<Value> = attributes.and_then(|member| serde_json::from_str(member.raw.get()).ok());
    let attributes = attributes.unwrap_or(Value::Null);
    match attributes.get("type").and_then(Value::as_str) {
        Some(object) if object.eq_ignore_ascii_case("Lead") => Ok((members, attributes)),
        _ => {
            let error = ApiError::on("INVALID_TYPE", "sObject type is not supported", &["attributes"]);
            Err(Refusal::bad_request(error))
        }
    }
}

fn one_record(call: &Call<'_>, state: &mut State, writing: Writing<'_>, raw: &RawValue) -> Result<Value, Refusal> {
    let (mut members, _) = members_of_lead(raw)?;
    let mut take = |name: &str| {
        let at = members.iter().position(|member| member.name.eq_ignore_ascii_case(name))?;
        let value: Value = serde_json::from_str(members.remove(at).raw.get()).ok()?;
        value.as_str().map(ToOwned::to_owned)
    };
    match writing {
        Writing::Create => Ok(saved(&write::insert(call, state, &members)?, None)),
        Writing::Update => {
            let missing = || {
                Refusal::bad_request(ApiError::on("MISSING_ARGUMENT", "Id not specified in an update call", &["Id"]))
            };
            let id = record::resolve(&take("Id").ok_or_else(missing)?)?;
            write::modify(call, state, &id, &members)?;
            Ok(saved(&id, None))
        }
        Writing::Upsert(field) => {
            let key = record::key_field(call, field)?;
            let missing = || {
                let message = format!("{} not specified", key.name);
                Refusal::bad_request(ApiError::on("MISSING_ARGUMENT", message, &[&key.name]))
            };
            let value = take(&key.name).ok_or_else(missing)?;
            match write::upsert_one(call, state, key, &value, members)? {
                write::Upserted::Created(id) => Ok(saved(&id, Some(true))),
                write::Upserted::Updated(id) => Ok(saved(&id, Some(false))),
                write::Upserted::Ambiguous(_) => {
                    let message = format!("{}: more than one record found for external id field", key.name);
                    Err(Refusal::bad_request(ApiError::on::<String>("DUPLICATE_EXTERNAL_ID", message, &[])))
                }
            }
        }
    }
}

fn failed(refusal: &Refusal) -> Value {
    json!({"success": false, "errors": errors(refusal)})
}

/// Errors in the form used in results of records.
fn errors(refusal: &Refusal) -> Value {
    let error = |error: &ApiError| json!({"statusCode": error.code, "message": error.message, "fields": error.fields.clone().unwrap_or_default()});
    refusal.errors.iter().map(error).collect()
}

#[derive(Deserialize)]
struct Tree<'a> {
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

/// `POST composite/tree/Lead`: creates all Leads or none. Child records are not supported.
pub(crate) fn tree(call: &Call<'_>) -> Result<Answer, Refusal> {
    let tree: Tree<'_> =
        serde_json::from_slice(&call.request.body).map_err(|error| parser_error(&error.to_string()))?;
    check_size(tree.records.len())?;
    let mut state = call.org.state();
    let before = state.kept.leads.clone();
    let mut references = BTreeSet::new();
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    for raw in tree.records {
        let (reference, result) = one_of_tree(call, &mut state, &mut references, raw);
        match result {
            Ok(id) => made.push(json!({"referenceId": reference, "id": id})),
            Err(refusal) => refused.push(json!({"referenceId": reference, "errors": errors(&refusal)})),
        }
    }
    if refused.is_empty() {
        return Ok(Answer::json(StatusCode::CREATED, &json!({"hasErrors": false, "results": made})));
    }
    state.kept.change().leads = before;
    Ok(Answer::json(StatusCode::BAD_REQUEST, &json!({"hasErrors": true, "results": refused})))
}

/// Creates one record of a tree; returns its reference and its id.
fn one_of_tree(
    call: &Call<'_>,
    state: &mut State,
    references: &mut BTreeSet<String>,
    raw: &RawValue,
) -> (String, Result<String, Refusal>) {
    let (members, attributes) = match members_of_lead(raw) {
        Ok(record) => record,
        Err(refusal) => return (String::new(), Err(refusal)),
    };
    let reference = attributes.get("referenceId").and_then(Value::as_str).unwrap_or_default().to_owned();
    if reference.is_empty() || !references.insert(reference.clone()) {
        // The messages are ours: no recording has one.
        let message = if reference.is_empty() { "a record has no referenceId" } else { "a referenceId is used twice" };
        let error = ApiError::on::<String>("INVALID_INPUT", message, &[]);
        return (reference, Err(Refusal::bad_request(error)));
    }
    let made = write::insert(call, state, &members);
    (reference, made)
}
