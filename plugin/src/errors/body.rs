//! The errors in a body, whatever shape Salesforce or something on the way gave it.

use serde_json::{Map, Value};
use std::borrow::Cow;

/// One error as it was written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    /// Salesforce's code; `None` where there is only text.
    pub code: Option<String>,
    /// Salesforce's words.
    pub message: String,
    /// The fields it names, in its list or in its words.
    pub fields: Vec<String>,
}

/// Longest text that is kept of what is not an error of Salesforce's own, such as a page.
const PAGE_EXCERPT: usize = 300;
/// Longest message that is kept. Salesforce repeats the refused value in it, which may be a whole long text.
const MESSAGE_LIMIT: usize = 8_192;
/// Longest code that is kept; Salesforce's longest has 80 letters.
const CODE_LIMIT: usize = 200;
/// More errors than this tell nobody anything.
const ERROR_LIMIT: usize = 50;

/// The body as text: without a byte order mark, and with a mark in place of what is not UTF-8.
pub fn text(body: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}').trim()),
        Cow::Owned(text) => Cow::Owned(text.trim_start_matches('\u{feff}').trim().to_owned()),
    }
}

/// The body as JSON, if it is that.
pub fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_str(&text(body)).ok()
}

/// All the errors in a body; empty where there are none to be seen.
pub fn errors(body: &[u8]) -> Vec<ApiError> {
    let mut errors = Vec::new();
    match json(body) {
        Some(value) => from_json(&value, &mut errors),
        None => from_text(&text(body), &mut errors),
    }
    errors.truncate(ERROR_LIMIT);
    errors
}

/// Arrays of errors, a bare error, saves that failed (`success: false`), and the wrappings of the composite resources.
fn from_json(value: &Value, errors: &mut Vec<ApiError>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| from_json(item, errors)),
        Value::Object(object) => match error(object) {
            Some(error) => errors.push(error),
            None => {
                for wrapping in ["errors", "results", "result", "compositeResponse", "body"] {
                    if let Some(inner @ (Value::Array(_) | Value::Object(_))) = object.get(wrapping) {
                        from_json(inner, errors);
                    }
                }
            }
        },
        _ => {}
    }
}

fn error(object: &Map<String, Value>) -> Option<ApiError> {
    let text = |names: [&str; 3]| names.iter().find_map(|name| object.get(*name)?.as_str());
    // Calls say `errorCode`, records `statusCode`, the authorisation server and the gateways before it `error`.
    let code = text(["errorCode", "statusCode", "error"]).map(str::trim).filter(|code| !code.is_empty());
    let message = text(["message", "error_description", "errorMessage"]);
    if code.is_none() && message.is_none() {
        return None;
    }
    let message = clip(message.unwrap_or_default(), MESSAGE_LIMIT);
    let mut fields: Vec<String> = match object.get("fields") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(name)) => vec![name.clone()],
        _ => Vec::new(),
    };
    fields.retain(|name| is_api_name(name));
    if fields.is_empty() {
        fields = code.map(|code| named_fields(code, &message)).unwrap_or_default();
    }
    Some(ApiError { code: code.map(|code| clip(code, CODE_LIMIT)), message, fields })
}

/// XML, when the request was not taken for JSON; a page or plain text from an edge server otherwise.
fn from_text(text: &str, errors: &mut Vec<ApiError>) {
    let mut rest = text;
    while let Some((before, code, after)) = element(rest, "errorCode") {
        let message = element(after, "message").or_else(|| element(before, "message"));
        let message = message.map(|(_, message, _)| unescape(message)).unwrap_or_default();
        errors.push(ApiError {
            fields: named_fields(code, &message),
            code: Some(code.trim()).filter(|code| !code.is_empty()).map(|code| clip(code, CODE_LIMIT)),
            message: clip(&message, MESSAGE_LIMIT),
        });
        rest = after;
    }
    if errors.is_empty() && !text.is_empty() {
        let title = element(text, "title").map(|(_, title, _)| unescape(title));
        let message = title.as_deref().unwrap_or(text).split_whitespace().collect::<Vec<_>>().join(" ");
        errors.push(ApiError { message: clip(&message, PAGE_EXCERPT), ..ApiError::default() });
    }
}

/// The first element of that name: what is before it, in it and after it.
fn element<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, after) = rest.split_once(&format!("</{name}>"))?;
    Some((before, content, after))
}

fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.trim().to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// The fields that a message names. Several codes come without `fields`, or with an empty list, though their words have
/// the API name; the words around it are in the language of the user.
fn named_fields(code: &str, message: &str) -> Vec<String> {
    let names: Vec<&str> = match code {
        // Required fields are missing: [LastName, Company]
        "REQUIRED_FIELD_MISSING" => between(message, '[', ']').into_iter().flat_map(|list| list.split(',')).collect(),
        // No such column 'Subject' on sobject of type Lead. A query comes first where one was sent, and may quote anything.
        "INVALID_FIELD" => {
            let words = message.rsplit_once('\n').map_or(message, |(_, words)| words);
            between(words, '\'', '\'').into_iter().collect()
        }
        // Unable to create/update fields: MasterRecordId, Name. Please check ...
        "INVALID_FIELD_FOR_INSERT_UPDATE" => match message.split_once(": ") {
            Some((_, rest)) => rest.split(". ").take(1).flat_map(|list| list.split(',')).collect(),
            None => Vec::new(),
        },
        // duplicate value found: BookingId__c duplicates value on record with id: 00Q...
        "DUPLICATE_VALUE" => {
            message.split_once(": ").and_then(|(_, rest)| rest.split_whitespace().next()).into_iter().collect()
        }
        // Provided external ID field does not exist or is not accessible: BookingId__c
        "NOT_FOUND" => message.rsplit_once(": ").map(|(_, name)| name).into_iter().collect(),
        _ => Vec::new(),
    };
    names.into_iter().map(str::trim).filter(|name| is_api_name(name)).map(str::to_owned).collect()
}

fn between(text: &str, open: char, close: char) -> Option<&str> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inner, _)| inner)
}

/// Whether a text may be the API name of a field.
pub fn is_api_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

fn clip(text: &str, limit: usize) -> String {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text).to_owned()
}
