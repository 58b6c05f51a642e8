//! Problems that the plugin itself raises.

use crate::bindings::types::{Problem, Reaction};

pub fn problem(code: &str, reaction: Reaction, message: impl Into<String>) -> Problem {
    Problem {
        code: code.to_owned(),
        message: message.into(),
        reaction,
        http_status: None,
        fields: Vec::new(),
        rows: Vec::new(),
        question_ids: Vec::new(),
        retry_after: None,
        record_ids: Vec::new(),
        also: Vec::new(),
    }
}

/// The same as the error of a call, boxed: a problem is large, and most calls succeed.
pub fn refusal(code: &str, reaction: Reaction, message: impl Into<String>) -> Box<Problem> {
    Box::new(problem(code, reaction, message))
}
