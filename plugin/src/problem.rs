//! Problems that the plugin itself raises.

use crate::bindings::types::{Problem, Reaction};

/// A problem of a try that wrote nothing, as the error of a call, boxed: a problem is large, and most calls succeed.
pub fn refusal(code: &str, reaction: Reaction, message: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::new(code, reaction, message))
}
