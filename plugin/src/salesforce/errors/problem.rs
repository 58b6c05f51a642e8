//! A response as a problem.

use super::{
    Call,
    body::{self, ApiError},
    catalogue::{self, Class, DUPLICATE_VALUE, Uncoded},
    duplicates::duplicates_in,
};
use crate::{
    bindings::{
        http::Response,
        types::{FurtherError, Problem, RecordRef},
    },
    codes,
    salesforce::{api::LEAD, tree::Tree},
};

/// The problem that a failed response means.
///
/// Keeps Salesforce's code and message. Of several errors, the one to be overcome first comes first (among equals, the
/// first one), and the others are in `also`. The caller, who knows the mapping, adds `rows`, and who
/// knows the org, the addresses of records.
///
/// A 2xx response may be a failure too: a save may say `success: false`, and a body may be cut short.
pub fn problem_from_response(response: &Response, call: Call) -> Problem {
    let json = body::json(&response.body);
    let mut errors = Vec::new();
    for error in body::errors(&response.body, json.as_ref()) {
        errors.push(Judged::new(error, response.status, json.is_some()));
    }
    let is_json = json.is_some();
    let concerned = json.map(|json| concerned(response.status, &json, &errors)).unwrap_or_default();

    let mut main = match first_to_overcome(&errors) {
        Some(position) => errors.remove(position),
        None => Judged::new(ApiError::default(), response.status, is_json),
    };
    if main.error.message.is_empty() {
        main.error.message = format!("Salesforce answered status {} without a reason.", response.status);
    }
    let (reaction, minimum) = main.class.reaction(call);
    if main.own_code && main.class == Class::Unclear && call == Call::Write {
        main.code = codes::OUTCOME_UNKNOWN.into();
    }
    Problem {
        http_status: Some(response.status),
        fields: main.error.fields,
        retry_after: minimum.map(|minimum| retry_after(response).unwrap_or(minimum)),
        concerned,
        also: errors.into_iter().map(Judged::into_further).collect(),
        ..Problem::new(main.code, reaction, main.error.message)
    }
}

/// An error with its code and class.
struct Judged {
    error: ApiError,
    code: String,
    /// Whether the code is the plugin's, because Salesforce gave none.
    own_code: bool,
    class: Class,
}

impl Judged {
    fn new(error: ApiError, status: u16, is_json: bool) -> Self {
        let Some(given) = error.code.as_deref() else {
            let uncoded = Uncoded { status, is_json };
            return Self { error, code: uncoded.code().to_owned(), own_code: true, class: uncoded.class() };
        };
        if is_not_for_api(given, &error.message) {
            return Self { error, code: codes::SESSION_NOT_FOR_API.into(), own_code: true, class: Class::Admin };
        }
        // A failed save may come with a status of success.
        let status = if status < 300 { 400 } else { status };
        let (code, class) = catalogue::judge(given, &error.message, status, !error.fields.is_empty());
        let code = code.to_owned();
        Self { error, code, own_code: false, class }
    }

    fn into_further(self) -> FurtherError {
        FurtherError { code: self.code, message: self.error.message, fields: self.error.fields, rows: Vec::new() }
    }
}

/// Refusals of a session that a refresh cannot cure: the same login returns the same session. Clients that mistook them for
/// an expired session refreshed for ever.
fn is_not_for_api(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    code == "INVALID_SESSION_ID"
        && ["not valid for use with the rest api", "not attached to agent"].iter().any(|text| message.contains(text))
}

fn first_to_overcome(errors: &[Judged]) -> Option<usize> {
    let mut first: Option<(usize, u8)> = None;
    for (position, error) in errors.iter().enumerate() {
        let rank = match error.code.as_str() {
            // The key proves that an earlier try succeeded.
            DUPLICATE_VALUE => u8::MAX,
            _ => error.class.rank(),
        };
        if first.is_none_or(|(_, highest)| rank > highest) {
            first = Some((position, rank));
        }
    }
    first.map(|(position, _)| position)
}

/// The records that matched: by a duplicate rule, by a unique value, or by an external ID that several have.
fn concerned(status: u16, json: &Tree, errors: &[Judged]) -> Vec<RecordRef> {
    let record = |object: &str, id: &str| RecordRef { object: object.to_owned(), id: id.to_owned(), url: None };
    let mut records = Vec::new();
    if let Some(found) = duplicates_in(json) {
        records.extend(found.matches.iter().map(|matched| record(&matched.entity, &matched.id)));
    }
    for judged in errors {
        if judged.code == DUPLICATE_VALUE
            && let Some(id) = judged.error.message.rsplit(' ').find(|word| is_record_id(word))
        {
            // Values are unique among the records of one object.
            records.push(record(LEAD, id));
        }
    }
    if status == 300 {
        for url in json.items() {
            if let Tree::Text(url) = url
                && let Some((path, id)) = url.rsplit_once('/')
                && is_record_id(id)
            {
                records.push(record(path.rsplit('/').next().unwrap_or(LEAD), id));
            }
        }
    }
    records
}

/// Whether a message has the id of a record in it.
pub fn names_a_record(message: &str) -> bool {
    message.split(|c: char| !c.is_ascii_alphanumeric()).any(is_record_id)
}

/// Whether a text has the form of a record id: 15 letters and digits, or 18 with the checksum.
fn is_record_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// `Retry-After` in seconds. The form with a date needs a clock, and a plugin has none.
fn retry_after(response: &Response) -> Option<u32> {
    let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("retry-after"))?;
    header.value.trim().parse().ok()
}
