//! The errors in a body, in whatever shape Salesforce or a server on the way wrote them.

use crate::salesforce::{soql::is_field_name, tree::Tree};
use std::borrow::Cow;

/// One error as written in a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiError {
    /// Salesforce's code; `None` if there is only text.
    pub code: Option<String>,
    pub message: String,
    /// The fields that it names, in its list or in its message.
    pub fields: Vec<String>,
}

/// Longest text that is kept of something other than a Salesforce error, such as a page.
const PAGE_EXCERPT: usize = 300;
/// Longest message that is kept. Salesforce repeats the refused value in it, which may be a long text.
const MESSAGE_LIMIT: usize = 8_192;
/// Longest code that is kept; Salesforce's longest has 80 letters.
const CODE_LIMIT: usize = 200;
/// Longest body that is examined: a thousand times an error, and far too small to exhaust the memory.
const BODY_LIMIT: usize = 262_144;
/// More errors than this help nobody.
const ERROR_LIMIT: usize = 50;

/// The body as text, without a byte order mark, with replacement characters for invalid UTF-8.
fn text(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    String::from_utf8_lossy(body.get(..BODY_LIMIT).unwrap_or(body))
}

/// The body as JSON, if it is valid and as small as errors and short lists are.
pub fn json(body: &[u8]) -> Option<Tree> {
    Tree::parse(&text(body))
}

/// All errors in a body. `json` is the same body as JSON, if it is JSON.
pub fn errors(body: &[u8], json: Option<&Tree>) -> Vec<ApiError> {
    let mut errors = Vec::new();
    match json {
        Some(value) => from_json(value, &mut errors),
        None => from_text(text(body).trim(), &mut errors),
    }
    errors
}

/// Arrays of errors, a bare error, saves that failed (`success: false`), and the wrappings of the composite resources.
fn from_json(value: &Tree, errors: &mut Vec<ApiError>) {
    if errors.len() >= ERROR_LIMIT {
        return;
    }
    if let Some(error) = error(value) {
        errors.push(error);
        return;
    }
    for item in value.items() {
        from_json(item, errors);
    }
    for wrapping in ["errors", "results", "result", "compositeResponse", "body"] {
        if let Some(inner) = value.get(wrapping) {
            from_json(inner, errors);
        }
    }
}

fn error(object: &Tree) -> Option<ApiError> {
    let text = |names: [&str; 3]| names.iter().find_map(|name| object.text(name));
    // Calls have `errorCode`, and records `statusCode`. What gateways write into `error` is not Salesforce's.
    let given = ["errorCode", "statusCode"].iter().find_map(|name| object.text(name)).map(str::trim);
    let code = given.filter(|code| is_code(code));
    let message = text(["message", "error_description", "errorMessage"]).or(given).or_else(|| object.text("error"));
    if code.is_none() && message.is_none() {
        return None;
    }
    let message = words(message.unwrap_or_default());
    let mut fields = Vec::new();
    push_name(&mut fields, object.get("fields"));
    for name in object.list("fields") {
        push_name(&mut fields, Some(name));
    }
    if fields.is_empty() {
        name_fields(&mut fields, code.unwrap_or_default(), &message);
    }
    Some(ApiError { code: code.map(|code| clip(code, CODE_LIMIT)), message, fields })
}

/// A message in words. Some are pages of the server that failed.
fn words(message: &str) -> String {
    let is_page = ["<html", "<!doctype"]
        .iter()
        .any(|tag| message.trim_start().get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)));
    if is_page { page_in_words(message.trim_start()) } else { clip(message, MESSAGE_LIMIT) }
}

/// Whether a text can be a code, which is one word.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// XML, if Salesforce did not read the request as JSON; otherwise a page or plain text from an edge server.
fn from_text(text: &str, errors: &mut Vec<ApiError>) {
    let mut rest = text;
    while let Some((one, after)) = element(rest, "Error").filter(|_| errors.len() < ERROR_LIMIT) {
        let part = |name| element(one, name).map(|(part, _)| unescape(part)).unwrap_or_default();
        let (code, message) = (part("errorCode"), part("message"));
        if is_code(&code) {
            let mut fields = Vec::new();
            name_fields(&mut fields, &code, &message);
            let (code, message) = (Some(clip(&code, CODE_LIMIT)), clip(&message, MESSAGE_LIMIT));
            errors.push(ApiError { code, message, fields });
        }
        rest = after;
    }
    if errors.is_empty() && !text.is_empty() {
        let message = if text.starts_with('<') { page_in_words(text) } else { excerpt(text) };
        errors.push(ApiError { message, ..ApiError::default() });
    }
}

/// A web page in words: its title.
fn page_in_words(text: &str) -> String {
    match title(text).map(excerpt).filter(|title| !title.is_empty()) {
        Some(title) => format!("Salesforce answered with a web page: {title}"),
        None => "Salesforce answered with a web page.".to_owned(),
    }
}

fn title(text: &str) -> Option<&str> {
    // Its length stays the same, so that places in it are places in the text.
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let begin = start + lower.get(start..)?.find('>')? + 1;
    let end = begin + lower.get(begin..)?.find("</title")?;
    text.get(begin..end)
}

/// The beginning of a text in one line, without markup.
fn excerpt(text: &str) -> String {
    let plain = unescape(&clip(text, PAGE_EXCERPT)).replace(['<', '>'], " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The content of the first element of that name, and the rest of the text.
fn element<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = text.split_once(&*format!("<{name}>"))?;
    rest.split_once(&*format!("</{name}>"))
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.trim();
    while let Some((before, entity)) = rest.split_once('&') {
        plain.push_str(before);
        let known = [("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("apos;", '\''), ("#39;", '\''), ("amp;", '&')];
        let found = known.iter().find_map(|(name, c)| Some((*c, entity.strip_prefix(name)?)));
        let (character, after) = found.unwrap_or(('&', entity));
        plain.push(character);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// Adds the fields that a message names. Several codes come without `fields`, or with an empty list, but have the API name in
/// their message. The words around it are in the language of the user.
fn name_fields(fields: &mut Vec<String>, code: &str, message: &str) {
    let after_colon = || message.split_once(": ").map(|(_, rest)| rest);
    let list = match code {
        // Required fields are missing: [LastName, Company]
        "REQUIRED_FIELD_MISSING" => between(message, '[', ']'),
        // No such column 'Subject' on sobject of type Lead. The message of a query begins with the query, which may quote anything.
        "INVALID_FIELD" => between(message.rsplit_once('\n').map_or(message, |(_, words)| words), '\'', '\''),
        // Unable to create/update fields: MasterRecordId, Name. Please check ...
        "INVALID_FIELD_FOR_INSERT_UPDATE" => {
            after_colon().map(|rest| rest.split_once(". ").map_or(rest, |(list, _)| list))
        }
        // duplicate value found: BookingId__c duplicates value on record with id: 00Q...
        "DUPLICATE_VALUE" => after_colon().and_then(|rest| rest.split(' ').next()),
        // Provided external ID field does not exist or is not accessible: BookingId__c
        "NOT_FOUND" => after_colon(),
        _ => None,
    };
    for name in list.unwrap_or_default().split(',').map(str::trim).filter(|name| is_field_name(name)) {
        fields.push(name.to_owned());
    }
}

fn push_name(fields: &mut Vec<String>, name: Option<&Tree>) {
    if let Some(Tree::Text(name)) = name
        && is_field_name(name)
    {
        fields.push(name.clone());
    }
}

fn between(text: &str, open: char, close: char) -> Option<&str> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inner, _)| inner)
}

fn clip(text: &str, limit: usize) -> String {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text).to_owned()
}
