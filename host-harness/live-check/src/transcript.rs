//! The transcript: one JSON object per line, without tokens, ids, names and values.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    LiveCheckError, Outcome,
    steps::{DUPLICATE_STEP, DUPLICATES_DETECTED},
};

/// The exchanges with an org, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line {
    /// A request and its response.
    Exchange(Exchange),
    /// The Lead's describe result: fields and record types, without texts specific to the org except labels and picklist
    /// values.
    Describe {
        /// The describe result.
        result: Value,
    },
    /// A request that the org refused as expected. Its values come from the check.
    Case(Case),
    /// The result of a step.
    Step {
        /// Its id.
        id: String,
        /// The outcome.
        outcome: Outcome,
        /// What was found, in codes.
        found: String,
    },
}

/// A request and its response: names and shapes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The step.
    pub step: String,
    /// Method.
    pub method: String,
    /// Path, with ids and values replaced.
    pub path: String,
    /// Names of the query's parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<String>,
    /// Names of the request's headers.
    pub request_headers: Vec<String>,
    /// Shape of the request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Value>,
    /// Status; `None` without a response.
    pub status: Option<u16>,
    /// Why there was no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Names of the response's headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<String>,
    /// Shape of the response's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_body: Option<Value>,
    /// Error codes of the response.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ReportedError>,
}

/// An error that an org reported, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportedError {
    /// `errorCode`, `statusCode` or, of the token endpoint, `error`.
    pub code: String,
    /// The fields that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// A response in codes, such as `400 STRING_TOO_LONG on Company`.
pub(crate) fn in_codes(status: u16, errors: &[ReportedError]) -> String {
    let mut codes = status.to_string();
    for error in errors {
        codes.push(' ');
        codes.push_str(&error.code);
        if !error.fields.is_empty() {
            codes.push_str(" on ");
            codes.push_str(&error.fields.join(", "));
        }
    }
    codes
}

/// A refused request and its response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The step.
    pub id: String,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names and values of the headers that matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether the request carries a token that the org issued.
    pub authorized: bool,
    /// Status of the response.
    pub status: u16,
    /// Errors of the response.
    pub errors: Vec<ReportedError>,
}

impl Transcript {
    /// Parses the text of [`Self::to_json_lines`].
    ///
    /// # Errors
    /// When a line is invalid.
    pub fn parse(text: &str) -> Result<Self, LiveCheckError> {
        let lines = text.lines().zip(1..).filter(|(text, _)| !text.trim().is_empty());
        let lines = lines.map(|(text, line)| {
            serde_json::from_str(text).map_err(|source| LiveCheckError::Transcript { line, source })
        });
        Ok(Self { lines: lines.collect::<Result<_, _>>()? })
    }

    /// One JSON object per line.
    ///
    /// # Errors
    /// When a line has no JSON form.
    pub fn to_json_lines(&self) -> Result<String, serde_json::Error> {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(&serde_json::to_string(line)?);
            text.push('\n');
        }
        Ok(text)
    }

    /// The describe result, if one was read.
    pub fn describe(&self) -> Option<&Value> {
        self.lines.iter().find_map(|line| match line {
            Line::Describe { result } => Some(result),
            _ => None,
        })
    }

    /// Whether a second Lead of the same guest was refused.
    pub(crate) fn met_a_duplicate_rule(&self) -> bool {
        self.lines.iter().any(|line| match line {
            Line::Step { id, found, .. } => id == DUPLICATE_STEP && found.starts_with(DUPLICATES_DETECTED),
            _ => false,
        })
    }

    /// The requests that were refused as expected.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.lines.iter().filter_map(|line| match line {
            Line::Case(case) => Some(case),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_is_parsed_as_it_was_written() {
        let case = Case {
            id: "refusal-bad-email".into(),
            method: "POST".into(),
            path: "/services/data/v64.0/sobjects/Lead".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Some("{}".into()),
            authorized: true,
            status: 400,
            errors: vec![ReportedError { code: "INVALID_EMAIL_ADDRESS".into(), fields: vec!["Email".into()] }],
        };
        let step = Line::Step { id: "describe".into(), outcome: Outcome::Skipped, found: "-".into() };
        let describe = Line::Describe { result: serde_json::json!({"name": "Lead", "fields": []}) };
        let transcript = Transcript { lines: vec![Line::Case(case), describe, step] };
        let read = Transcript::parse(&transcript.to_json_lines().unwrap()).unwrap();
        assert_eq!(read, transcript);
        assert_eq!(read.cases().count(), 1);
        assert!(read.describe().is_some());
    }

    #[test]
    fn an_invalid_line_of_a_transcript_is_named() {
        let error = Transcript::parse("\n{\"kind\":\"guess\"}\n").unwrap_err();
        assert!(error.to_string().starts_with("line 2 is not a line of a transcript"), "{error}");
        assert_eq!(error.code(), "transcript-invalid");
    }
}
