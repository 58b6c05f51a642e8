//! What becomes of each answer and failure that the reference lists.

mod bodies;
mod catalogue;
mod failures;
mod recorded;

use super::{Call, problem_from_response};
use crate::bindings::{
    http::{Header, Response},
    types::Problem,
};

fn response(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response { status, headers: Vec::new(), body: body.into(), more: Vec::new() }
}

fn with_header(mut response: Response, name: &str, value: &str) -> Response {
    response.headers.push(Header { name: name.into(), value: value.into() });
    response
}

fn read(status: u16, body: &str) -> Problem {
    problem_from_response(&response(status, body), Call::Read)
}

fn write(status: u16, body: &str) -> Problem {
    problem_from_response(&response(status, body), Call::Write)
}

/// Ids of the records that a problem names.
fn concerned(problem: &Problem) -> Vec<&str> {
    problem.concerned.iter().map(|record| &*record.id).collect()
}

/// The usual shape: an array with one error.
fn usual(code: &str, message: &str) -> String {
    serde_json::json!([{ "message": message, "errorCode": code }]).to_string()
}
