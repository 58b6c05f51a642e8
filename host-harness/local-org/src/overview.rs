//! `GET /`: a page with the org's Leads and requests.

use askama::Template;
use http::StatusCode;
use serde_json::Value;

use crate::{log::LogEntry, message::Answer, org::Org};

/// Requests that the page shows.
const SHOWN: usize = 200;
/// Columns that are always shown; others follow if any Lead fills them.
const FIRST_COLUMNS: [&str; 5] = ["Id", "Name", "Company", "Email", "CreatedDate"];
/// Fields that would only clutter the table.
const LEFT_OUT: [&str; 16] = [
    "Address",
    "CreatedById",
    "FirstName",
    "IsConverted",
    "IsDeleted",
    "IsUnreadByOwner",
    "LastModifiedById",
    "LastModifiedDate",
    "LastName",
    "OwnerId",
    "PhotoUrl",
    "Status",
    "SystemModstamp",
    "attributes",
    "IsPriorityRecord",
    "Salutation",
];

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    org: String,
    edition: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    requests: Vec<LogEntry>,
    calls: u64,
    limit: u64,
}

pub(crate) fn page(org: &Org) -> Answer {
    let settings = org.settings();
    let leads = org.leads();
    let filled = |name: &&String| leads.iter().any(|lead| lead.get(*name).is_some_and(|value| !value.is_null()));
    let names = settings.schema.fields.iter().map(|field| &field.name);
    let further = names
        .filter(|name| !FIRST_COLUMNS.contains(&name.as_str()) && !LEFT_OUT.contains(&name.as_str()))
        .filter(filled)
        .cloned();
    let columns: Vec<String> = FIRST_COLUMNS.map(str::to_owned).into_iter().chain(further).collect();
    let rows = leads.iter().rev().map(|lead| columns.iter().map(|name| cell(lead.get(name))).collect()).collect();
    let state = org.state();
    let page = Overview {
        org: settings.file.name.clone(),
        edition: settings.file.edition.clone(),
        columns,
        rows,
        requests: state.log.iter().rev().take(SHOWN).cloned().collect(),
        calls: state.calls(org.now()),
        limit: settings.file.api.daily_limit,
    };
    drop(state);
    match page.render() {
        Ok(text) => Answer::html(StatusCode::OK, text),
        Err(error) => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain;charset=UTF-8", error.to_string()),
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
