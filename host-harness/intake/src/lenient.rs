//! Reads JSON that others write. What can be read is read, and each loss is noted with its path.

use crm_booking::{AnswerValue, Explained, codes, is_blank};
use crm_contract::{Consequence, Finding, Parameter};
use jiff::Timestamp;
use serde::Deserialize as _;
use serde_json::Value;

use crate::Fault;

/// What is found while a body is read.
#[derive(Debug, Default)]
pub(crate) struct Losses(Vec<Explained>);

impl Losses {
    /// Notes that what is at a path was not read as it is. Personal data must not be in the reason.
    pub(crate) fn note(&mut self, path: &str, consequence: Consequence, reason: &str) {
        self.0.push(Explained::from(Finding {
            code: codes::BODY_VALUE_UNREADABLE.to_owned(),
            consequence,
            fields: Vec::new(),
            rows: Vec::new(),
            message: format!("{path}: {reason}"),
            particulars: vec![Parameter::new("path", path)],
            more: Vec::new(),
        }));
    }

    pub(crate) fn into_findings(self) -> Vec<Explained> {
        self.0
    }
}

/// A value of a body and its path.
#[derive(Clone, Debug)]
pub(crate) struct Node<'b> {
    path: String,
    /// `None` if it is absent or `null`, which mean the same.
    value: Option<&'b Value>,
}

impl<'b> Node<'b> {
    pub(crate) fn root(body: &'b Value) -> Self {
        Self { path: String::new(), value: Some(body) }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn is_given(&self) -> bool {
        self.value.is_some()
    }

    /// A member; absent if this is not an object.
    pub(crate) fn get(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, value: self.value.and_then(|value| value.get(name)).filter(|value| !value.is_null()) }
    }

    fn at(&self, position: usize, value: &'b Value) -> Self {
        Self { path: format!("{}[{position}]", self.path), value: Some(value).filter(|value| !value.is_null()) }
    }

    /// What was found in place of something else, without its content.
    fn found(&self) -> &'static str {
        match self.value {
            None => "nothing",
            Some(Value::Null) => "null",
            Some(Value::Bool(_)) => "true or false",
            Some(Value::Number(_)) => "a number",
            Some(Value::String(_)) => "text",
            Some(Value::Array(_)) => "a list",
            Some(Value::Object(_)) => "an object",
        }
    }

    /// Notes that something else was found than expected.
    pub(crate) fn lose(&self, losses: &mut Losses, expected: &str) {
        losses.note(&self.path, Consequence::LeftOut, &format!("expected {expected}, found {}", self.found()));
    }

    /// The items of a list; none if it is absent.
    pub(crate) fn items(&self, losses: &mut Losses) -> Vec<Self> {
        match self.value {
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(position, item)| self.at(position, item)).collect()
            }
            None => Vec::new(),
            Some(_) => {
                self.lose(losses, "a list");
                Vec::new()
            }
        }
    }

    /// The members of an object; none if it is absent.
    pub(crate) fn members(&self, losses: &mut Losses) -> Vec<(&'b str, Self)> {
        match self.value {
            Some(Value::Object(members)) => members.keys().map(|name| (name.as_str(), self.get(name))).collect(),
            None => Vec::new(),
            Some(_) => {
                self.lose(losses, "an object");
                Vec::new()
            }
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        self.value.is_some_and(Value::is_object)
    }

    /// This, if it is an object.
    pub(crate) fn object(&self, losses: &mut Losses) -> Option<Self> {
        match self.value {
            Some(Value::Object(_)) => Some(self.clone()),
            None => None,
            Some(_) => {
                self.lose(losses, "an object");
                None
            }
        }
    }

    /// A text. Numbers, yes and no are texts, too.
    pub(crate) fn text(&self, losses: &mut Losses) -> Option<String> {
        let text = scalar(self.value?);
        if text.is_none() {
            self.lose(losses, "text");
        }
        text
    }

    /// A text, unless it is blank.
    pub(crate) fn filled(&self, losses: &mut Losses) -> Option<String> {
        self.text(losses).filter(|text| !is_blank(text))
    }

    /// A time with an offset, not before 1970.
    pub(crate) fn time(&self, losses: &mut Losses) -> Option<Timestamp> {
        let text = self.text(losses)?;
        // RFC 3339 cannot write every year that jiff reads.
        let time = text.parse().ok().filter(|time| *time >= Timestamp::UNIX_EPOCH);
        if time.is_none() {
            losses.note(&self.path, Consequence::LeftOut, "expected a time with an offset");
        }
        time
    }

    /// A yes or no; no if it is absent.
    pub(crate) fn is_true(&self, losses: &mut Losses) -> bool {
        match self.value {
            None => false,
            Some(Value::Bool(value)) => *value,
            Some(value) => match scalar(value).as_deref() {
                Some("true" | "1") => true,
                Some("false" | "0") => false,
                _ => {
                    self.lose(losses, "true or false");
                    false
                }
            },
        }
    }

    /// The value of an answer: text, choices, a number, or yes or no.
    pub(crate) fn answer(&self, losses: &mut Losses) -> Option<AnswerValue> {
        match self.value? {
            Value::Array(_) => {
                Some(AnswerValue::Choices(self.items(losses).iter().filter_map(|item| item.text(losses)).collect()))
            }
            value => {
                let answer = AnswerValue::deserialize(value).ok();
                if answer.is_none() {
                    self.lose(losses, "text or a list");
                }
                answer
            }
        }
    }

    /// A text that a booking cannot do without.
    pub(crate) fn required_text(&self) -> Result<String, Fault> {
        self.value.and_then(scalar).ok_or_else(|| self.fault("text"))
    }

    /// A time with an offset that a booking cannot do without.
    pub(crate) fn required_time(&self) -> Result<Timestamp, Fault> {
        let text = self.required_text()?;
        let fault = |_| Fault::new(self.path.clone(), format!("expected a time with an offset, found `{text}`"));
        text.parse().map_err(fault)
    }

    /// An object that a booking cannot do without.
    pub(crate) fn required_object(&self) -> Result<Self, Fault> {
        if self.is_object() { Ok(self.clone()) } else { Err(self.fault("an object")) }
    }

    /// That something else was found where a booking cannot do without.
    fn fault(&self, expected: &str) -> Fault {
        Fault::new(self.path.clone(), format!("expected {expected}, found {}", self.found()))
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
