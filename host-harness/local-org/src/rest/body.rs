//! The JSON body of a write, with the position of every value for Salesforce's error messages.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::message::{ApiError, Refusal};

#[derive(Debug)]
pub(super) struct Member<'a> {
    pub name: String,
    pub raw: &'a RawValue,
    /// Line and column of the value, from 1.
    pub line: usize,
    pub column: usize,
}

/// Splits the body into its members, in order.
pub(super) fn members(body: &[u8]) -> Result<Vec<Member<'_>>, Refusal> {
    let text = str::from_utf8(body).map_err(|_| parser_error("Invalid UTF-8 in the request body"))?;
    if text.trim().is_empty() {
        return Err(parser_error("The HTTP entity body is required, but this request has no entity body."));
    }
    if text.trim_start().starts_with('[') {
        return Err(parser_error("Cannot deserialize instance of sobject from START_ARRAY value [line:1, column:1]"));
    }
    let pairs: Pairs<'_> = serde_json::from_str(text).map_err(|error| syntax_error(text, &error))?;
    Ok(pairs.0.into_iter().map(|(name, raw)| locate(text, name, raw)).collect())
}

fn locate<'a>(text: &'a str, name: String, raw: &'a RawValue) -> Member<'a> {
    // `raw` borrows from `text`, so the difference of their addresses is its offset.
    let at = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Member { name, raw, line, column }
}

fn syntax_error(text: &str, error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    let place = format!("at [line:{line}, column:{column}]");
    let found = text.lines().nth(line.saturating_sub(1)).and_then(|line| line.chars().nth(column.saturating_sub(1)));
    parser_error(&match found {
        Some(character) if !error.is_eof() => {
            format!("Unexpected character ('{character}' (code {})) {place}", u32::from(character))
        }
        _ => format!("Unexpected end-of-input {place}"),
    })
}

/// The 400 for a body that cannot be parsed.
pub(super) fn parser_error(message: &str) -> Refusal {
    Refusal::bad_request(ApiError::new("JSON_PARSER_ERROR", message))
}

struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_position() {
        let members = members("{\"山\": 1,\n \"b\": [2]}".as_bytes()).unwrap();
        let seen: Vec<_> = members.iter().map(|m| (m.name.as_str(), m.raw.get(), m.line, m.column)).collect();
        assert_eq!(seen, [("山", "1", 1, 7), ("b", "[2]", 2, 7)]);
    }

    #[test]
    fn json_errors_name_their_position() {
        for (body, complaint) in [
            ("", "The HTTP entity body is required, but this request has no entity body."),
            ("{\"a\":}", "Unexpected character ('}' (code 125)) at [line:1, column:6]"),
            ("{\"a\":1", "Unexpected end-of-input at [line:1, column:6]"),
        ] {
            assert_eq!(members(body.as_bytes()).unwrap_err().errors[0].message, complaint);
        }
    }
}
