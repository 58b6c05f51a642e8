//! What a duplicate rule found.

use super::body;
use crate::bindings::http::Response;
use serde_json::Value;

/// Why a duplicate rule refused a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicates {
    /// Whether the rule only alerts: the same request with `Sforce-Duplicate-Rule-Header: allowSave=true` is then taken.
    /// A rule that blocks refuses it all the same.
    pub allow_save: bool,
    /// Names of the duplicate rules, where they are told.
    pub rules: Vec<String>,
    /// What matched, the best match of each rule first. Empty where the user may not see the records.
    ///
    /// Rules compare loosely: a match need not be the same person, nor a Lead.
    pub matches: Vec<Match>,
}

/// A record that a duplicate rule matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// API name of its object, for example `Lead` or `Contact`.
    pub entity: String,
    /// Its id.
    pub id: String,
}

/// What a duplicate rule found, where one refused the request.
pub fn duplicates(response: &Response) -> Option<Duplicates> {
    duplicates_in(&body::json(&response.body)?)
}

/// The same for a body that is parsed already.
pub fn duplicates_in(body: &Value) -> Option<Duplicates> {
    let mut found = None;
    collect(body, &mut found);
    found
}

fn collect(value: &Value, found: &mut Option<Duplicates>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(object) => {
            // API versions before 58 or so really spell it without the `l`.
            if let Some(result) = object.get("duplicateResult").or_else(|| object.get("duplicateResut")) {
                add(result, found);
            }
            if let Some(errors) = object.get("errors") {
                collect(errors, found);
            }
        }
        _ => {}
    }
}

fn add(result: &Value, found: &mut Option<Duplicates>) {
    let allow_save = result.get("allowSave").and_then(Value::as_bool).unwrap_or(false);
    let duplicates =
        found.get_or_insert_with(|| Duplicates { allow_save: true, rules: Vec::new(), matches: Vec::new() });
    // One rule that blocks is enough.
    duplicates.allow_save &= allow_save;
    duplicates.rules.extend(string(result, "duplicateRule").map(str::to_owned));
    for matched in items(result, "matchResults") {
        for record in items(matched, "matchRecords").filter_map(|record| record.get("record")) {
            let entity = record.get("attributes").and_then(|attributes| string(attributes, "type"));
            let entity = entity.or_else(|| string(matched, "entityType")).unwrap_or_default();
            let Some(id) = string(record, "Id") else { continue };
            let new = Match { entity: entity.to_owned(), id: id.to_owned() };
            // Several rules may match one record.
            if !duplicates.matches.contains(&new) {
                duplicates.matches.push(new);
            }
        }
    }
}

fn string<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}
