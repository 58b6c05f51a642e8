//! Value tables: what a row's table makes of a value.

use crm_contract::Value;

use crate::{Row, is_blank, source::text_of};

/// A row's value after its table, and the texts that the table does not list. Those pass unchanged.
pub(super) fn translated(row: &Row, value: Value) -> (Value, Vec<String>) {
    if row.values.is_empty() {
        return (value, Vec::new());
    }
    let mut unlisted = Vec::new();
    let mut choices = |taken: &[String]| {
        let written: Vec<&str> = taken
            .iter()
            .map(|choice| {
                row.values.translate(choice).unwrap_or_else(|| {
                    if !is_blank(choice) {
                        unlisted.push(choice.trim().to_owned());
                    }
                    choice
                })
            })
            .collect();
        distinct(written)
    };
    let value = match value {
        Value::Choices(taken) => Value::Choices(choices(&taken)),
        Value::Agreed(taken) => Value::Agreed(choices(&taken)),
        value => match row.values.translate(&text_of(&value)) {
            Some(written) => Value::Text(written.to_owned()),
            None => {
                unlisted.push(text_of(&value).trim().to_owned());
                value
            }
        },
    };
    (value, unlisted)
}

/// Texts of people for a finding's message, cut to what a line shows.
pub(super) fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    const LONGEST: usize = 80;
    let cut = |text: &str| match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    let mut quoted: Vec<String> = texts.take(11).map(cut).collect();
    if quoted.len() > 10 {
        quoted.truncate(10);
        quoted.push("…".to_owned());
    }
    quoted.join(", ")
}

/// Texts in their order, each once: a table may write the same for several values.
pub(super) fn distinct<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !distinct.iter().any(|known| known == text) {
            distinct.push(text.to_owned());
        }
    }
    distinct
}
