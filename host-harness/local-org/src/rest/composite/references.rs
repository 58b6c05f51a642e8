//! References to the results of earlier subrequests: `@{reference.path}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Resolves the references in all strings of a body.
pub(super) fn resolve(value: &Value, bodies: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => Value::from(resolve_text(text, bodies)),
        Value::Array(items) => items.iter().map(|item| resolve(item, bodies)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), resolve(value, bodies))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Resolves the references in a string. Unresolvable ones stay as they are.
pub(super) fn resolve_text(text: &str, bodies: &BTreeMap<String, Value>) -> String {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((reference, tail)) = after.split_once('}') else { break };
        resolved.push_str(before);
        match look_up(reference, bodies) {
            Some(Value::String(value)) => resolved.push_str(&value),
            Some(value) => resolved.push_str(&value.to_string()),
            None => {
                resolved.push_str("@{");
                resolved.push_str(reference);
                resolved.push('}');
            }
        }
        rest = tail;
    }
    resolved + rest
}

fn look_up(reference: &str, bodies: &BTreeMap<String, Value>) -> Option<Value> {
    let mut steps = reference.split('.');
    let mut value = bodies.get(steps.next()?)?;
    for step in steps {
        // `records[0]` is a member followed by an index.
        let (name, index) = match step.split_once('[') {
            Some((name, index)) => (name, Some(index.trim_end_matches(']').parse::<usize>().ok()?)),
            None => (step, None),
        };
        value = value.get(name)?;
        if let Some(index) = index {
            value = value.get(index)?;
        }
    }
    Some(value.clone())
}
