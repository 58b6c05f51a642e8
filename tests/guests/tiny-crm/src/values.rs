//! From rows to the values of the two records.

use serde_json::{Map, Value as Json};

use crate::{
    bindings::scheduling::crm::types::{Consequence, Finding, Mapping, Problem, Reaction, Row, SourceKind, Value},
    crm::problem,
    fields::{Field, Fields, Kind},
};

/// What is written to the person and the lead.
pub(crate) struct Plan {
    /// Whether the CRM's fields were not asked for.
    pub(crate) by_memos: bool,
    pub(crate) values: Vec<Planned>,
    pub(crate) findings: Vec<Finding>,
}

/// A value that fits its field.
pub(crate) struct Planned {
    pub(crate) field: Field,
    pub(crate) json: Json,
    pub(crate) row: u32,
    pub(crate) from_fallback: bool,
}

/// Which rows of a mapping are written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Rows {
    /// All of them, to new records. Required fields need a value.
    All,
    /// Those for a change, to records that exist.
    OnChange,
}

impl Plan {
    /// Plans the values by the memos of their rows; `None` unless these settle all of them. A memo can be stale, so it refuses
    /// nothing.
    pub(crate) fn by_memos(mapping: &Mapping, rows: Rows) -> Option<Self> {
        let mut plan = Self { by_memos: true, values: Vec::new(), findings: Vec::new() };
        for (position, row) in (0..).zip(&mapping.rows).filter(|(_, row)| rows == Rows::All || row.on_change) {
            let field = Field::of_memo(&row.field, &row.memo)?;
            let from_fallback = row.value.is_none();
            match row.value.as_ref().or(row.fallback.as_ref()) {
                Some(value) => {
                    let json = written(value, &field.kind)?;
                    plan.values.push(Planned { field, json, row: position, from_fallback });
                }
                None if field.required => return None,
                None => {}
            }
        }
        Some(plan)
    }

    /// Plans the values by the CRM's fields. A problem is a required value that is missing.
    pub(crate) fn by_fields(mapping: &Mapping, rows: Rows, fields: &Fields) -> Result<Self, Problem> {
        let mut plan = Self { by_memos: false, values: Vec::new(), findings: Vec::new() };
        for (position, row) in (0..).zip(&mapping.rows).filter(|(_, row)| rows == Rows::All || row.on_change) {
            let Some(field) = fields.find(&row.field).cloned() else {
                plan.findings.push(left_out("field-unknown", row, position, "the CRM has no such writable field"));
                continue;
            };
            let fallback = || row.fallback.as_ref().and_then(|value| written(value, &field.kind));
            let value = row.value.as_ref().map(|value| written(value, &field.kind));
            let (json, from_fallback) = match value {
                Some(Some(json)) => (json, false),
                Some(None) if field.required => match fallback() {
                    Some(json) => (json, true),
                    None => return Err(unwritable(row, position)),
                },
                Some(None) => {
                    let message = "the field does not take this value";
                    plan.findings.push(left_out("value-unwritable", row, position, message));
                    continue;
                }
                None => match fallback() {
                    Some(json) => (json, true),
                    None if field.required && rows == Rows::All => return Err(blank(&field.name, vec![position])),
                    None => continue,
                },
            };
            plan.values.push(Planned { field, json, row: position, from_fallback });
        }
        let is_missing = |field: &&Field| !plan.values.iter().any(|one| one.field.name == field.name);
        match fields.required().find(is_missing) {
            Some(field) if rows == Rows::All => Err(blank(&field.name, Vec::new())),
            _ => Ok(plan),
        }
    }

    /// Leaves a value out that only the CRM knew it would refuse. Returns whether that is possible.
    pub(crate) fn leave_out(&mut self, refusal: &Problem) -> bool {
        let refused = |one: &Planned| refusal.fields.contains(&one.field.name);
        let Some(at) = self.values.iter().position(|one| refused(one) && !one.field.required) else { return false };
        let left = self.values.remove(at);
        let here = Some((left.field.name.as_str(), left.row));
        self.findings.push(finding(&refusal.code, Consequence::LeftOut, here, &refusal.message));
        true
    }

    /// The values of one object, as they are sent.
    pub(crate) fn of(&self, object: &str) -> Json {
        let of_object = self.values.iter().filter(|one| one.field.of == object);
        Json::Object(of_object.map(|one| (one.field.name.clone(), one.json.clone())).collect::<Map<_, _>>())
    }

    /// The text that is written to a field.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|one| one.field.name == name)?.json.as_str()
    }
}

/// A value as the CRM takes it; `None` if the field does not take it.
pub(crate) fn written(value: &Value, kind: &Kind) -> Option<Json> {
    match kind {
        Kind::Text(max) => {
            let text = plain(value);
            (text.chars().count() <= *max).then(|| text.into())
        }
        Kind::Mail => Some(plain(value)).filter(|text| text.contains('@')).map(Json::from),
        Kind::Choice(choices) => {
            let text = plain(value);
            let taken = choices.iter().find(|(code, label)| *label == text || *code == text);
            taken.map(|(code, _)| code.as_str().into())
        }
        Kind::Flag => match value {
            Value::Boolean(yes) => Some((*yes).into()),
            Value::Agreed(_) => Some(true.into()),
            _ => None,
        },
        // Both as they are written, never by way of UTC.
        Kind::Date => match value {
            Value::Date(date) => Some(date.as_str().into()),
            Value::Moment(moment) => moment.get(..10).map(Json::from),
            _ => None,
        },
        Kind::Moment => match value {
            Value::Moment(moment) => Some(moment.as_str().into()),
            _ => None,
        },
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Number(text) | Value::Date(text) | Value::Time(text) | Value::Moment(text) => {
            text.clone()
        }
        Value::Boolean(yes) => if *yes { "はい" } else { "いいえ" }.to_owned(),
        Value::Choices(choices) | Value::Agreed(choices) => choices.join("、"),
        Value::Other(other) => other.value.clone(),
    }
}

fn blank(field: &str, rows: Vec<u32>) -> Problem {
    // Without a row, no booking can be written.
    let reaction = if rows.is_empty() { Reaction::FixMapping } else { Reaction::FixBooking };
    let message = format!("the CRM requires `{field}`");
    Problem { fields: vec![field.to_owned()], rows, ..problem("required-blank", message, reaction) }
}

fn unwritable(row: &Row, position: u32) -> Problem {
    let reaction = match row.source {
        SourceKind::Mapping => Reaction::FixMapping,
        SourceKind::Guest | SourceKind::Meeting | SourceKind::Other(_) => Reaction::FixBooking,
    };
    let message = format!("`{}` does not take this value", row.field);
    let problem = problem("value-unwritable", message, reaction);
    Problem { fields: vec![row.field.clone()], rows: vec![position], ..problem }
}

fn left_out(code: &str, row: &Row, position: u32, message: &str) -> Finding {
    finding(code, Consequence::LeftOut, Some((&row.field, position)), message)
}

pub(crate) fn finding(code: &str, consequence: Consequence, row: Option<(&str, u32)>, message: &str) -> Finding {
    Finding {
        code: code.to_owned(),
        consequence,
        fields: row.iter().map(|(field, _)| (*field).to_owned()).collect(),
        rows: row.iter().map(|(_, position)| *position).collect(),
        message: message.to_owned(),
        particulars: Vec::new(),
        more: Vec::new(),
    }
}
