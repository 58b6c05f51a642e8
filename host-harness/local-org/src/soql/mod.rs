//! The subset of SOQL that Lead clients use: SELECT with fields or `count()`, WHERE, ORDER BY, LIMIT and OFFSET.

mod dates;
mod evaluate;
mod parse;

use jiff::{Timestamp, civil::Date};
use thiserror::Error;

pub(crate) use dates::Days;
pub(crate) use evaluate::{Check, Scope, matches, order};
pub(crate) use parse::{condition, query};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub select: Select,
    pub from: Path,
    pub filter: Option<Condition>,
    pub order: Vec<Order>,
    pub limit: Option<usize>,
    pub offset: Option<usize>,
}

impl Query {
    /// All field paths in the query.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        if let Select::Fields(fields) = &self.select {
            paths.extend(fields);
        }
        if let Some(filter) = &self.filter {
            filter.collect_paths(&mut paths);
        }
        paths.extend(self.order.iter().map(|key| &key.field));
        paths
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Select {
    Count,
    Fields(Vec<Path>),
}

/// A name, possibly through a relationship (`Owner.Name`), and its byte offset in the query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub text: String,
    pub at: usize,
}

/// A sort key of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub field: Path,
    pub descending: bool,
    pub nulls_last: bool,
}

/// A WHERE condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare { field: Path, operator: Operator, value: Literal },
    Like { field: Path, pattern: Vec<LikePart> },
    In { field: Path, negated: bool, values: Vec<Literal> },
}

impl Condition {
    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect_paths(paths)),
            Self::Not(inner) => inner.collect_paths(paths),
            Self::Compare { field, .. } | Self::Like { field, .. } | Self::In { field, .. } => paths.push(field),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A constant in a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    Date(Date),
    DateTime(Timestamp),
    Days(Days),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LikePart {
    AnyText,
    AnyCharacter,
    Character(char),
}

/// Why a query is rejected, in Salesforce's words.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{code}: {message}")]
pub(crate) struct SoqlError {
    pub code: &'static str,
    pub message: String,
}

impl SoqlError {
    fn malformed(message: String) -> Self {
        Self { code: "MALFORMED_QUERY", message }
    }

    /// An error at a position in the query, in Salesforce's layout: an extract, a caret, row and column.
    pub fn at(code: &'static str, query: &str, at: usize, complaint: &str) -> Self {
        let before = query.get(..at).unwrap_or(query);
        let row = before.matches('\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let line = query.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        // Long lines are shown only around the position.
        let skip = column.saturating_sub(40);
        let extract: String = line.chars().skip(skip).take(80).collect();
        let caret = " ".repeat(column - 1 - skip.min(column - 1));
        Self { code, message: format!("\n{extract}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{complaint}") }
    }

    pub fn no_such_column(query: &str, field: &Path, entity: &str) -> Self {
        let complaint = format!(
            "No such column '{}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
            field.text
        );
        Self::at("INVALID_FIELD", query, field.at, &complaint)
    }

    pub fn no_such_relationship(query: &str, path: &Path, relationship: &str) -> Self {
        let complaint = format!(
            "Didn't understand relationship '{relationship}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."
        );
        Self::at("INVALID_FIELD", query, path.at, &complaint)
    }

    pub fn no_such_object(query: &str, object: &Path) -> Self {
        let complaint = format!(
            "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
            object.text
        );
        Self::at("INVALID_TYPE", query, object.at, &complaint)
    }
}
