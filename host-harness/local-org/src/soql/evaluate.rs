//! Checks queries and evaluates them against records.

use std::cmp::Ordering;

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde_json::{Map, Value};

use super::{Condition, LikePart, Literal, Operator, Order, Path, SoqlError};
use crate::file::{Field, FieldType};

/// A record: values by canonical field name.
pub(crate) type Record = Map<String, Value>;

/// The context of a condition: name lookup, current time, and calendar.
pub(crate) struct Scope<'a> {
    /// The object's API name, for error messages.
    pub entity: &'a str,
    /// Finds a field by a name of any case.
    pub field: &'a dyn Fn(&str) -> Option<&'a Field>,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
    pub week_begins: Weekday,
}

/// Checks of names and types, which Salesforce runs before it reads any record.
pub(crate) struct Check<'a> {
    pub query: &'a str,
    pub scope: &'a Scope<'a>,
    /// Whether the condition is one of the org's own rules, which may use fields that queries cannot filter by.
    pub rule: bool,
}

impl<'a> Check<'a> {
    /// Looks up the field of a path.
    pub fn field(&self, path: &Path) -> Result<&'a Field, SoqlError> {
        (self.scope.field)(&path.text).ok_or_else(|| SoqlError::no_such_column(self.query, path, self.scope.entity))
    }

    /// Checks that every name is a field and every constant has its type.
    pub fn condition(&self, condition: &Condition) -> Result<(), SoqlError> {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().try_for_each(|part| self.condition(part)),
            Condition::Not(inner) => self.condition(inner),
            Condition::Compare { field, operator, value } => {
                self.literal(field, value)?;
                self.operator(field, *operator, value)
            }
            Condition::In { field, values, .. } => values.iter().try_for_each(|value| self.literal(field, value)),
            Condition::Like { field, .. } => {
                let found = self.filterable(field)?;
                if found.kind.textual()
                    && found.kind != FieldType::MultiPicklist
                    && (found.encrypted.is_none() || self.rule)
                {
                    return Ok(());
                }
                Err(self.invalid_operator(field, found))
            }
        }
    }

    fn invalid_operator(&self, path: &Path, field: &Field) -> SoqlError {
        let complaint = format!("invalid operator on {} field", field.kind.name());
        SoqlError::at("INVALID_FIELD", self.query, path.at, &complaint)
    }

    /// Checks that an operator applies to a field and a constant: booleans and null have no order.
    fn operator(&self, path: &Path, operator: Operator, value: &Literal) -> Result<(), SoqlError> {
        let field = self.field(path)?;
        let ordered = field.kind != FieldType::Boolean && *value != Literal::Null;
        if ordered || matches!(operator, Operator::Equal | Operator::NotEqual) {
            return Ok(());
        }
        Err(self.invalid_operator(path, field))
    }

    /// Checks that records can be sorted by the field.
    pub fn order(&self, path: &Path) -> Result<(), SoqlError> {
        if self.field(path)?.sortable() {
            return Ok(());
        }
        let complaint = format!("field '{}' can not be sorted in a query call", path.text);
        Err(SoqlError::at("MALFORMED_QUERY", self.query, path.at, &complaint))
    }

    fn filterable(&self, path: &Path) -> Result<&'a Field, SoqlError> {
        let field = self.field(path)?;
        if field.can_filter() || self.rule {
            return Ok(field);
        }
        let complaint = format!("field '{}' can not be filtered in a query call", path.text);
        Err(SoqlError::at("INVALID_FIELD", self.query, path.at, &complaint))
    }

    fn literal(&self, path: &Path, value: &Literal) -> Result<(), SoqlError> {
        let field = self.filterable(path)?;
        let fits = match value {
            Literal::Null => true,
            Literal::Boolean(_) => field.kind == FieldType::Boolean,
            Literal::Number(_) => field.kind.numeric(),
            Literal::Text(_) => field.kind.textual() || matches!(field.kind, FieldType::Id | FieldType::Reference),
            Literal::Date(_) => field.kind == FieldType::Date,
            Literal::DateTime(_) => field.kind == FieldType::DateTime,
            Literal::Days(..) => matches!(field.kind, FieldType::Date | FieldType::DateTime),
        };
        if fits {
            return self.id(path, field, value);
        }
        let (kind, quotes) = match field.kind {
            FieldType::DateTime => ("dateTime", "should not be enclosed in quotes"),
            FieldType::Id | FieldType::Reference => ("id", "should be enclosed in quotes"),
            kind if kind.textual() => ("string", "should be enclosed in quotes"),
            kind => (kind.name(), "should not be enclosed in quotes"),
        };
        let complaint =
            format!("value of filter criterion for field '{}' must be of type {kind} and {quotes}", path.text);
        Err(SoqlError::at("INVALID_FIELD", self.query, path.at, &complaint))
    }

    fn id(&self, path: &Path, field: &Field, value: &Literal) -> Result<(), SoqlError> {
        match (field.kind, value) {
            (FieldType::Id | FieldType::Reference, Literal::Text(text))
                if !text.is_empty() && crate::id::to_18(text).is_none() =>
            {
                let complaint = format!("invalid ID field: {text}");
                Err(SoqlError::at("INVALID_QUERY_FILTER_OPERATOR", self.query, path.at, &complaint))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a record meets a condition.
pub(crate) fn matches(condition: &Condition, record: &Record, scope: &Scope<'_>) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| matches(part, record, scope)),
        Condition::Any(parts) => parts.iter().any(|part| matches(part, record, scope)),
        Condition::Not(inner) => !matches(inner, record, scope),
        Condition::Compare { field, operator, value } => compare(field, *operator, value, record, scope),
        Condition::In { field, negated, values } => {
            let found = values.iter().any(|value| compare(field, Operator::Equal, value, record, scope));
            found != *negated
        }
        Condition::Like { field, pattern } => {
            let text = (scope.field)(&field.text).and_then(|field| record.get(&field.name)).and_then(Value::as_str);
            text.is_some_and(|text| like(pattern, &text.to_lowercase().chars().collect::<Vec<_>>()))
        }
    }
}

fn compare(path: &Path, operator: Operator, literal: &Literal, record: &Record, scope: &Scope<'_>) -> bool {
    let Some(field) = (scope.field)(&path.text) else { return false };
    let value = record.get(&field.name).unwrap_or(&Value::Null);
    // An empty string literal means null, as blank text is stored.
    let null = *literal == Literal::Null || *literal == Literal::Text(String::new());
    if null || value.is_null() {
        return match operator {
            Operator::Equal => null && value.is_null(),
            Operator::NotEqual => null != value.is_null(),
            _ => false,
        };
    }
    let Some((low, high)) = bounds(field, value, literal, scope) else { return operator == Operator::NotEqual };
    match operator {
        Operator::Equal => low.is_ge() && high.is_le(),
        Operator::NotEqual => low.is_lt() || high.is_gt(),
        Operator::Less => low.is_lt(),
        Operator::LessOrEqual => high.is_le(),
        Operator::Greater => high.is_gt(),
        Operator::GreaterOrEqual => low.is_ge(),
    }
}

/// Compares a value with the first and the last value of a literal's range.
fn bounds(field: &Field, value: &Value, literal: &Literal, scope: &Scope<'_>) -> Option<(Ordering, Ordering)> {
    let exact = |ordering| Some((ordering, ordering));
    match literal {
        Literal::Null => None,
        Literal::Boolean(flag) => exact(value.as_bool()?.cmp(flag)),
        Literal::Number(number) => exact(value.as_f64()?.partial_cmp(number)?),
        Literal::Text(text) => {
            let value = value.as_str()?;
            exact(match field.kind {
                FieldType::Id | FieldType::Reference => {
                    value.cmp(crate::id::to_18(text).as_deref().unwrap_or(text.as_str()))
                }
                _ if field.case_sensitive => value.cmp(text),
                _ => value.to_lowercase().cmp(&text.to_lowercase()),
            })
        }
        Literal::Date(date) => exact(value.as_str()?.parse::<Date>().ok()?.cmp(date)),
        Literal::DateTime(time) => exact(value.as_str()?.parse::<Timestamp>().ok()?.as_second().cmp(&time.as_second())),
        Literal::Days(days) => {
            let today = scope.now.to_zoned(scope.zone.clone()).date();
            let day = match field.kind {
                FieldType::DateTime => value.as_str()?.parse::<Timestamp>().ok()?.to_zoned(scope.zone.clone()).date(),
                _ => value.as_str()?.parse().ok()?,
            };
            let (first, last) = days.bounds(today, scope.week_begins);
            Some((day.cmp(&first), day.cmp(&last)))
        }
    }
}

/// Whether lowercase text matches a LIKE pattern. Backtracks only to the last `%`, so quadratic at worst and linear in
/// practice.
fn like(pattern: &[LikePart], text: &[char]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut resume = None;
    while let Some(character) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some(LikePart::AnyText) => {
                resume = Some((at_pattern, at_text));
                at_pattern += 1;
                continue;
            }
            Some(LikePart::AnyCharacter) => {}
            Some(LikePart::Character(wanted)) if wanted.to_lowercase().eq(std::iter::once(*character)) => {}
            _ => match resume {
                Some((any, from)) => {
                    resume = Some((any, from + 1));
                    (at_pattern, at_text) = (any + 1, from + 1);
                    continue;
                }
                None => return false,
            },
        }
        at_pattern += 1;
        at_text += 1;
    }
    pattern.iter().skip(at_pattern).all(|part| *part == LikePart::AnyText)
}

/// Compares two records under ORDER BY.
pub(crate) fn order(keys: &[Order], left: &Record, right: &Record, scope: &Scope<'_>) -> Ordering {
    keys.iter()
        .map(|key| {
            let Some(field) = (scope.field)(&key.field.text) else { return Ordering::Equal };
            let value = |record: &Record| record.get(&field.name).filter(|value| !value.is_null()).cloned();
            match (value(left), value(right)) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) if key.nulls_last => Ordering::Greater,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) if key.nulls_last => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(left), Some(right)) => {
                    let ordering = compare_values(&left, &right);
                    if key.descending { ordering.reverse() } else { ordering }
                }
            }
        })
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn compare_values(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A direct translation of LIKE's definition, exponential at worst.
    fn like_by_definition(pattern: &[LikePart], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([LikePart::AnyText, rest @ ..], _) => (0..=text.len()).any(|skip| like_by_definition(rest, &text[skip..])),
            ([LikePart::AnyCharacter, rest @ ..], [_, text @ ..]) => like_by_definition(rest, text),
            ([LikePart::Character(wanted), rest @ ..], [found, text @ ..]) => {
                wanted == found && like_by_definition(rest, text)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn like_agrees_with_its_definition(pattern in "[ab%_]{0,8}", text in "[ab]{0,8}") {
            let pattern: Vec<_> = pattern.chars().map(|character| match character {
                '%' => LikePart::AnyText,
                '_' => LikePart::AnyCharacter,
                other => LikePart::Character(other),
            }).collect();
            let text: Vec<_> = text.chars().collect();
            prop_assert_eq!(like(&pattern, &text), like_by_definition(&pattern, &text));
        }
    }
}
