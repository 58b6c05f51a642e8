//! Formulas of calculated fields: string literals and fields joined by `&`.

use serde_json::{Map, Value};
use winnow::{
    ModalResult, Parser,
    ascii::multispace0,
    combinator::{alt, delimited, separated},
    token::{take_till, take_while},
};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Text(String),
    Field(String),
}

pub(crate) fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut formula = separated(1.., delimited(multispace0, part, multispace0), '&');
    let complaint = "expected texts in double quotes and field names, joined by &";
    formula.parse(text).map_err(|error| format!("{complaint}, found something else at position {}", error.offset() + 1))
}

fn part(input: &mut &str) -> ModalResult<Part> {
    let text = delimited('"', take_till(0.., '"'), '"').map(|text: &str| Part::Text(text.to_owned()));
    let name = take_while(1.., |c: char| c.is_ascii_alphanumeric() || c == '_');
    alt((text, name.map(|name: &str| Part::Field(name.to_owned())))).parse_next(input)
}

/// Evaluates a formula; `None` if all its fields are blank.
pub(crate) fn evaluate(parts: &[Part], record: &Map<String, Value>) -> Option<String> {
    let mut filled = false;
    let text = parts.iter().fold(String::new(), |text, part| match part {
        Part::Text(more) => text + more,
        Part::Field(name) => match record.get(name) {
            Some(Value::String(value)) => {
                filled = true;
                text + value
            }
            Some(value) if !value.is_null() => {
                filled = true;
                text + &value.to_string()
            }
            _ => text,
        },
    });
    filled.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_joins_literals_and_fields() {
        let parts = parse(r#" Company & " / " & LastName "#).unwrap();
        let record = serde_json::json!({"Company": "さくら", "LastName": "山田"});
        assert_eq!(evaluate(&parts, record.as_object().unwrap()).as_deref(), Some("さくら / 山田"));
        assert_eq!(evaluate(&parts, &Map::new()), None);
        assert!(parse("Company + LastName").is_err());
    }
}
