//! Leads as queries return them, and whether they have given values.

use crate::{
    bindings::{
        http::Response,
        types::{FieldType, Problem},
    },
    field::{LeadField, is_same_field},
    salesforce::{api::unreadable, tree::Tree},
    value::{Json, html::words, same_record, timestamp::Moment},
};

#[derive(Debug)]
pub struct Lead {
    pub id: String,
    values: Vec<(String, Tree)>,
}

/// The records of the answer to a query.
pub fn records(response: &Response) -> Result<Vec<Tree>, Box<Problem>> {
    let body = std::str::from_utf8(&response.body).ok().and_then(Tree::parse);
    let Some(Tree::Object(page)) = body else { return Err(Box::new(unreadable(response, "not an object"))) };
    let Some((_, Tree::List(records))) = page.into_iter().find(|(name, _)| name == "records") else {
        return Err(Box::new(unreadable(response, "it has no records")));
    };
    Ok(records)
}

/// The Leads of the answer to a query.
pub fn read(response: &Response) -> Result<Vec<Lead>, Box<Problem>> {
    let leads: Option<Vec<Lead>> = records(response)?.into_iter().map(Lead::from_record).collect();
    leads.ok_or_else(|| Box::new(unreadable(response, "a record without id")))
}

impl Lead {
    fn from_record(record: Tree) -> Option<Self> {
        let id = record.text("Id")?.to_owned();
        let Tree::Object(values) = record else { return None };
        Some(Self { id, values })
    }

    fn held(&self, field: &str) -> Option<&Tree> {
        self.values.iter().find(|(name, _)| is_same_field(name, field)).map(|(_, held)| held)
    }

    /// Whether the answer has a field, even without a value.
    pub fn has_field(&self, field: &str) -> bool {
        self.held(field).is_some()
    }

    /// The text in a field, if the query asked for the field and it has a text.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.held(field)? {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_true(&self, field: &str) -> bool {
        self.held(field) == Some(&Tree::Bool(true))
    }

    /// Whether the query asked for a field and it has no value. 0 and false are values.
    pub fn is_blank(&self, field: &str) -> bool {
        match self.held(field) {
            Some(Tree::Null) => true,
            Some(Tree::Text(text)) => text.is_empty(),
            _ => false,
        }
    }

    /// Whether a field has a value, in the form in which Salesforce stores it.
    pub fn has(&self, field: &LeadField<'_>, value: &Json<'_>) -> bool {
        self.held(&field.name).is_some_and(|held| is_same(held, value, field))
    }

    /// Whether a field has the beginning of a text, which was cut because the field is shorter than its snapshot says.
    pub fn has_cut(&self, field: &LeadField<'_>, value: &Json<'_>) -> bool {
        let is_free = matches!(field.field_type, FieldType::Text | FieldType::TextArea);
        let begins = |held: &str, given: &str| match field.html {
            true => words(given).starts_with(&words(held)),
            false => given.starts_with(held),
        };
        is_free
            && matches!((self.text(&field.name), value), (Some(held), Json::Text(given))
                if !held.is_empty() && begins(held, given))
    }

    /// Whether a field has what it has in a Lead created without it: nothing, or what the org fills in.
    pub fn is_left_out(&self, field: &LeadField<'_>) -> bool {
        self.is_blank(&field.name)
            || match self.held(&field.name) {
                Some(Tree::Bool(_)) => true,
                Some(Tree::Text(held)) => field.values.iter().any(|value| value.is_default && value.value == *held),
                _ => false,
            }
    }
}

/// Whether Salesforce stores a given value as the one that a field has.
fn is_same(held: &Tree, given: &Json<'_>, field: &LeadField<'_>) -> bool {
    match (held, given) {
        (Tree::Bool(held), Json::Boolean(given)) => held == given,
        // Salesforce stores binary numbers: it writes 33 as 33.0, and large numbers as 1.5E7.
        (Tree::Number(held), Json::Number(given)) => is_same_number(*held, given),
        (Tree::Text(held), Json::Text(given)) if field.html => words(held) == words(given),
        (Tree::Text(held), Json::Text(given)) => is_same_text(held, given, &field.field_type),
        (Tree::Null, Json::Text(given)) => given.trim().is_empty(),
        _ => false,
    }
}

/// Parses the given number like the one that Salesforce wrote, so that both round alike. They may differ in the last bit.
fn is_same_number(held: f64, given: &str) -> bool {
    matches!(Tree::parse(given), Some(Tree::Number(given)) if (held - given).abs() <= 2.0 * f64::EPSILON * held.abs())
}

/// Whether Salesforce treats two texts in a field of this type as the same.
fn is_same_text(held: &str, given: &str, field_type: &FieldType) -> bool {
    match field_type {
        FieldType::Email => held.eq_ignore_ascii_case(given),
        FieldType::Reference => same_record(held, given),
        FieldType::DateTime => match (Moment::parse(held), Moment::parse(given)) {
            (Some(held), Some(given)) => held.unix() == given.unix(),
            _ => false,
        },
        FieldType::Choices => {
            let within = |one: &str, other: &str| {
                one.split(';').all(|value| other.split(';').any(|other| other.eq_ignore_ascii_case(value)))
            };
            within(held, given) && within(given, held)
        }
        FieldType::Choice => held.eq_ignore_ascii_case(given),
        // Salesforce trims blanks at the ends, and rewrites line breaks.
        _ => held == given || held.split_whitespace().eq(given.split_whitespace()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::field;

    fn lead(body: &str) -> Lead {
        let body = format!(r#"{{"totalSize":1,"done":true,"records":[{body}]}}"#).into_bytes();
        read(&Response { status: 200, headers: Vec::new(), body, more: Vec::new() }).unwrap().remove(0)
    }

    #[test]
    fn values_are_compared_as_salesforce_keeps_them() {
        for (held, field_type, given, expected) in [
            (r#""Taro@Example.com""#, FieldType::Email, Json::Text("taro@example.com".into()), true),
            (r#""0017e00001W4GYRAA3""#, FieldType::Reference, Json::Text("0017e00001W4GYR".into()), true),
            (
                r#""2026-12-01T23:30:00.000+0000""#,
                FieldType::DateTime,
                Json::Text("2026-12-02T08:30:00+09:00".into()),
                true,
            ),
            (r#""b;a""#, FieldType::Choices, Json::Text("a;b".into()), true),
            (r#""a;b;c""#, FieldType::Choices, Json::Text("a;b".into()), false),
            (r#""a\r\nb""#, FieldType::TextArea, Json::Text("a\nb ".into()), true),
            (r#""a b""#, FieldType::Text, Json::Text("a c".into()), false),
            ("33.0", FieldType::Percent, Json::Number("33".into()), true),
            ("1.5E7", FieldType::Currency, Json::Number("15000000".into()), true),
            ("34", FieldType::Number, Json::Number("33".into()), false),
            ("true", FieldType::Checkbox, Json::Boolean(true), true),
            ("false", FieldType::Checkbox, Json::Boolean(true), false),
            ("null", FieldType::Text, Json::Text("a".into()), false),
            (r#"{"city":"Tokyo"}"#, FieldType::Text, Json::Text("Tokyo".into()), false),
        ] {
            let lead = lead(&format!(r#"{{"attributes":{{"type":"Lead"}},"Id":"00Q","Field__c":{held}}}"#));
            let field = field("field__C", field_type);
            assert_eq!(lead.has(&field, &given), expected, "{held}");
        }
    }

    #[test]
    fn zero_and_false_are_not_blank() {
        let lead = lead(r#"{"Id":"00Q","A":null,"B":"","C":0,"D":false,"E":"x"}"#);
        let blank: Vec<&str> =
            ["A", "B", "C", "D", "E", "not-asked-for"].into_iter().filter(|name| lead.is_blank(name)).collect();
        assert_eq!(blank, ["A", "B"]);
    }

    #[test]
    fn an_answer_that_is_not_a_query_result_is_a_problem() {
        for body in ["", "<html>", "[]", "{}", r#"{"records":[{"Email":"x"}]}"#, r#"{"records":[{"Id":"00Q""#] {
            let response = Response { status: 200, headers: Vec::new(), body: body.into(), more: Vec::new() };
            assert!(read(&response).is_err(), "{body}");
        }
    }
}
