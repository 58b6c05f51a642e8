//! The findings of duplicate rules.

use super::body;
use crate::{bindings::http::Response, salesforce::tree::Tree};

/// Why a duplicate rule refused a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicates {
    /// Whether the rule only alerts: it then accepts the same request with `Sforce-Duplicate-Rule-Header: allowSave=true`.
    /// A rule that blocks refuses that too.
    pub allow_save: bool,
    /// Names of the duplicate rules, if given.
    pub rules: Vec<String>,
    /// What matched, the best match of each rule first. Empty if the user is not allowed to see the records.
    ///
    /// Rules compare loosely: a match need not be the same person, nor a Lead.
    pub matches: Vec<Match>,
}

/// A record that a duplicate rule matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// API name of its object, for example `Lead` or `Contact`.
    pub entity: String,
    pub id: String,
}

/// What a duplicate rule found, if one refused the request.
pub fn duplicates(response: &Response) -> Option<Duplicates> {
    duplicates_in(&body::json(&response.body)?)
}

/// The same for a parsed body.
pub fn duplicates_in(body: &Tree) -> Option<Duplicates> {
    let mut found = None;
    collect(body, &mut found);
    found
}

fn collect(value: &Tree, found: &mut Option<Duplicates>) {
    for item in value.items() {
        collect(item, found);
    }
    // API versions before about 58 spell it without the `l`.
    if let Some(result) = value.get("duplicateResult").or_else(|| value.get("duplicateResut")) {
        add(result, found);
    }
    if let Some(errors) = value.get("errors") {
        collect(errors, found);
    }
}

fn add(result: &Tree, found: &mut Option<Duplicates>) {
    let duplicates =
        found.get_or_insert_with(|| Duplicates { allow_save: true, rules: Vec::new(), matches: Vec::new() });
    // One rule that blocks is enough.
    duplicates.allow_save &= result.is_true("allowSave");
    duplicates.rules.extend(result.text("duplicateRule").map(str::to_owned));
    for matched in result.list("matchResults") {
        for record in matched.list("matchRecords").iter().filter_map(|record| record.get("record")) {
            let entity = record.get("attributes").and_then(|attributes| attributes.text("type"));
            let entity = entity.or_else(|| matched.text("entityType")).unwrap_or_default();
            let Some(id) = record.text("Id").filter(|id| !id.is_empty()) else { continue };
            let new = Match { entity: entity.to_owned(), id: id.to_owned() };
            // Several rules may match one record.
            if !duplicates.matches.contains(&new) {
                duplicates.matches.push(new);
            }
        }
    }
}
