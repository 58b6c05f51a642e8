//! Picklists: matches what people chose or typed to a value, first exactly, then by label, then ignoring what people type
//! differently. Two values that only differ in that are not told apart by a guess.

use super::{Fit, Fitted, Json, Note, as_text, checkbox::word, removal, text::too_long, unfit};
use crate::{
    bindings::types::Value,
    codes,
    field::{LeadField, PicklistValue},
};
use crm_characters::{is_alike, is_blank, trimmed, visible};
use salesforce_text::charset::is_refused;
use std::borrow::Cow;

/// How many different choices are examined. More are a letter with commas in it, which must not use up the time of a call.
const MOST_CHOICES: usize = 500;
/// How many choices that were left out are named.
const MOST_NAMED: usize = 3;

/// The result of looking for a text among the values of a picklist.
#[derive(Clone, Copy)]
enum Found<'v> {
    Usable(&'v PicklistValue<'v>),
    Inactive(&'v PicklistValue<'v>),
    /// The controlling field's value does not allow it.
    NotAllowed(&'v PicklistValue<'v>),
    /// Several values that can be used are alike.
    Ambiguous,
    Unknown,
}

/// How a text is compared with a value or label.
#[derive(Clone, Copy)]
enum Match {
    Exact,
    Alike,
    /// Both mean yes, or both no.
    Word,
}

/// The values that a field has for a booking.
#[derive(Clone, Copy)]
struct Values<'v> {
    field: &'v LeadField<'v>,
    controlling: Option<&'v str>,
    /// Whether only the field's values are allowed.
    restricted: bool,
    /// The given value, if it is a boolean.
    truth: Option<bool>,
}

/// One of the field's values.
pub fn single<'a>(given: &'a Value, field: &LeadField<'_>, controlling: Option<&str>, restricted: bool) -> Fit<'a> {
    if let Value::Choices(choices) | Value::Agreed(choices) = given
        && choices.len() > 1
    {
        return unfit(codes::PICKLIST_VALUE_UNKNOWN, "several choices; the field takes one");
    }
    let text = trimmed(as_text(given));
    let (value, removed) = Values::of(given, field, controlling, restricted).writable(&text)?;
    let value = if value == text { text } else { Cow::Owned(value.into_owned()) };
    Ok(Fitted::from(Json::Text(value)).noting(removal(&removed)))
}

/// Any number of the field's values, joined by `;`.
pub fn multi<'a>(given: &'a Value, field: &LeadField<'_>, controlling: Option<&str>, restricted: bool) -> Fit<'a> {
    let values = Values::of(given, field, controlling, restricted);
    let text = trimmed(match given {
        Value::Choices(_) | Value::Agreed(_) => "".into(),
        _ => as_text(given),
    });
    let mut joined = Joined {
        values,
        seen: Vec::new(),
        written: Vec::new(),
        removed: Vec::new(),
        left_out: 0,
        unknown: Vec::new(),
        reason: None,
    };
    // Only the first kind of separator in a text divides it: values may contain a comma. A whole value is not divided.
    let separator =
        [';', '；', '\n', '、', '，', ','].into_iter().find(|separator| text.chars().any(|c| c == *separator));
    match (given, separator) {
        (Value::Choices(choices) | Value::Agreed(choices), _) => choices.iter().for_each(|choice| joined.add(choice)),
        (_, Some(separator)) if !matches!(values.find(&text), Found::Usable(_)) => {
            text.split(separator).for_each(|part| joined.add(part));
        }
        _ => joined.add(&text),
    }
    let json = joined.written.join(";");
    if json.is_empty() {
        let nothing = || Note::new(codes::PICKLIST_VALUE_UNKNOWN, "no choice");
        return Err(joined.reason.unwrap_or_else(nothing));
    }
    if let Some(note) = too_long(&json, field, false) {
        return Err(note);
    }
    let left_out = (joined.left_out > 0).then(|| {
        let note = Note::new(codes::CHOICES_LEFT_OUT, format!("{} choices left out", joined.left_out));
        // Their names, as far as they were looked at.
        if joined.unknown.is_empty() { note } else { note.with("value", joined.unknown.join(", ")) }
    });
    Ok(Fitted::from(Json::Text(json.into())).noting(left_out).noting(removal(&joined.removed)))
}

/// Choices to be joined into one text.
struct Joined<'v> {
    values: Values<'v>,
    seen: Vec<&'v str>,
    written: Vec<Cow<'v, str>>,
    /// Invisible characters of the choices.
    removed: Vec<char>,
    left_out: usize,
    /// The first ones that were left out.
    unknown: Vec<&'v str>,
    /// Why the first one was left out.
    reason: Option<Note>,
}

impl<'v> Joined<'v> {
    fn add(&mut self, choice: &'v str) {
        let choice = choice.trim();
        if is_blank(choice) {
            return;
        }
        if self.seen.len() == MOST_CHOICES {
            self.left_out += 1;
            return;
        }
        if self.seen.contains(&choice) {
            return;
        }
        self.seen.push(choice);
        match self.values.writable(choice) {
            // A semicolon inside a value would divide it.
            Ok((value, _)) if value.contains(';') => self.leave_out(choice, not_among(choice)),
            Ok((value, _)) if self.written.contains(&value) => {}
            Ok((value, removed)) => {
                self.written.push(value);
                self.removed.extend(removed);
            }
            Err(note) => self.leave_out(choice, note),
        }
    }

    fn leave_out(&mut self, choice: &'v str, reason: Note) {
        self.left_out += 1;
        if self.unknown.len() < MOST_NAMED {
            self.unknown.push(choice);
        }
        self.reason.get_or_insert(reason);
    }
}

impl<'v> Values<'v> {
    fn of(given: &Value, field: &'v LeadField<'v>, controlling: Option<&'v str>, restricted: bool) -> Self {
        let truth = match given {
            Value::Boolean(value) => Some(*value),
            _ => None,
        };
        Self { field, controlling, restricted, truth }
    }

    /// The value to write for a text, and the invisible characters that kept it from being that value.
    fn writable(&self, text: &'v str) -> Result<(Cow<'v, str>, Vec<char>), Note> {
        let seen = visible(Cow::Borrowed(text));
        let known = |value: &'v PicklistValue<'v>| {
            let is_exact = value.value == text || value.label == text;
            Ok((Cow::Borrowed(&*value.value), if is_exact { Vec::new() } else { seen.removed.clone() }))
        };
        let (code, message) = match self.find(text) {
            Found::Usable(value) => return known(value),
            // An unrestricted picklist accepts any text, its own deactivated values included.
            Found::Inactive(value) | Found::NotAllowed(value) if !self.restricted => return known(value),
            Found::Unknown if !self.restricted && !text.contains(is_refused) => {
                return too_long(&seen.text, self.field, false).map_or(Ok((seen.text, seen.removed)), Err);
            }
            Found::Ambiguous => (codes::PICKLIST_VALUE_AMBIGUOUS, "several of the field's values are like it"),
            Found::Inactive(_) => (codes::PICKLIST_VALUE_INACTIVE, "the value was deactivated"),
            Found::NotAllowed(_) => {
                (codes::PICKLIST_VALUE_NOT_ALLOWED, "the controlling field's value does not allow it")
            }
            Found::Unknown => return Err(not_among(text)),
        };
        Err(Note::new(code, message).with("value", text))
    }

    /// Finds a text among the values: exactly, by label, then ignoring what people type differently. A boolean finds the value
    /// that means the same.
    fn find(&self, text: &str) -> Found<'v> {
        for how in [Match::Exact, Match::Alike, Match::Word] {
            let found = self.search(text, how);
            if !matches!(found, Found::Unknown) {
                return found;
            }
        }
        Found::Unknown
    }

    /// The best match among values and labels. A value may occur several times, for different controlling values.
    fn search(&self, text: &str, how: Match) -> Found<'v> {
        let mut best = Found::Unknown;
        for by_label in [false, true] {
            for value in &self.field.values {
                let candidate = if by_label { &value.label } else { &value.value };
                let matches = match how {
                    Match::Exact => candidate == text,
                    Match::Alike => is_alike(candidate, text),
                    Match::Word => self.truth.is_some() && self.truth == word(candidate),
                };
                if !matches {
                    continue;
                }
                best = match best {
                    Found::Usable(known) if value.active && self.allows(value) && known.value != value.value => {
                        return Found::Ambiguous;
                    }
                    Found::Usable(_) => best,
                    _ if value.active && self.allows(value) => match how {
                        Match::Alike => Found::Usable(value),
                        Match::Exact | Match::Word => return Found::Usable(value),
                    },
                    _ if value.active => Found::NotAllowed(value),
                    Found::Unknown => Found::Inactive(value),
                    best => best,
                };
            }
        }
        best
    }

    /// Whether the controlling value allows a value. If it is unknown, Salesforce decides.
    fn allows(&self, value: &PicklistValue<'_>) -> bool {
        match (&value.valid_for, self.controlling) {
            (Some(allowing), Some(controlling)) => allowing.iter().any(|allowing| allowing == controlling),
            _ => true,
        }
    }
}

fn not_among(text: &str) -> Note {
    Note::new(codes::PICKLIST_VALUE_UNKNOWN, "not among the field's values").with("value", text)
}

#[cfg(test)]
mod tests;
