//! `GET /`: a page with the org's Leads and requests, and `GET /00Q...`: one with a Lead.

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

#[derive(Template)]
#[template(path = "lead.html")]
struct LeadPage {
    org: String,
    title: String,
    /// Label, API name and value.
    rows: Vec<(String, String, String)>,
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
    rendered(page.render())
}

/// Whether a Lead has this id, in its form of 15 or 18 characters.
pub(crate) fn is_of(lead: &Value, id: &str) -> bool {
    let known = lead.get("Id").and_then(Value::as_str).unwrap_or_default();
    known == id || (id.len() == 15 && known.starts_with(id))
}

/// `GET /00Q...`: a page with one Lead.
pub(crate) fn lead_page(org: &Org, id: &str) -> Answer {
    let lead = org.leads().into_iter().find(|lead| is_of(lead, id)).unwrap_or_default();
    let settings = org.settings();
    let label = |name: &str| {
        let field = settings.schema.fields.iter().find(|field| field.name == name);
        field.map_or_else(|| name.to_owned(), |field| field.label.clone())
    };
    let filled = lead.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null() && !value.is_object());
    let page = LeadPage {
        org: settings.file.name.clone(),
        title: cell(lead.get("Name")),
        rows: filled.map(|(name, value)| (label(name), name.clone(), cell(Some(value)))).collect(),
    };
    rendered(page.render())
}

fn rendered(page: askama::Result<String>) -> Answer {
    match page {
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
