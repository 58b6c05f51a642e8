//! Picklists: what people chose or typed, matched to a value by itself, by its label, and with widths and case folded.

use super::{
    Fit, Json, Note,
    checkbox::{NO, YES, truth},
    text::{too_long, trimmed},
};
use crate::{
    bindings::types::{LeadField, PicklistValue},
    codes,
    source::Given,
    width::fold_case,
};
use alloc::{
    borrow::{Cow, ToOwned},
    string::{String, ToString},
    vec,
    vec::Vec,
};

/// How a text was found among a picklist's values.
enum Found<'v> {
    /// It may be chosen.
    Usable(&'v PicklistValue),
    /// It was deactivated.
    Inactive,
    /// The controlling field's value does not allow it.
    NotAllowed,
    /// It is not there.
    Unknown,
}

/// One of the field's values.
pub fn single<'a>(given: Given<'a>, field: &LeadField, controlling: Option<&str>) -> Fit<'a> {
    let text = match &given {
        Given::Choices([_, _, ..]) | Given::Agreed([_, _, ..]) => {
            return Fit::unfit(codes::PICKLIST_VALUE_UNKNOWN, "several choices, the field takes one");
        }
        _ => trimmed(given.text()),
    };
    match find(field, &text, controlling, given_truth(&given)) {
        Found::Usable(value) if value.value == *text => Fit::Whole(Json::Text(text)),
        Found::Usable(value) => Fit::Whole(Json::Text(Cow::Owned(value.value.clone()))),
        // An unrestricted picklist takes any text.
        _ if !field.restricted => too_long(&text, field).unwrap_or(Fit::Whole(Json::Text(text))),
        found => Fit::Unfit(refused(&found)),
    }
}

/// Any number of the field's values, joined by `;`.
pub fn multi<'a>(given: Given<'a>, field: &LeadField, controlling: Option<&str>) -> Fit<'a> {
    let choices: Vec<Cow<'_, str>> = match &given {
        Given::Choices(choices) | Given::Agreed(choices) => {
            choices.iter().map(|choice| Cow::Borrowed(choice.trim())).collect()
        }
        _ => typed_choices(&given, field, controlling),
    };
    let truth = given_truth(&given);
    let mut joined = String::new();
    let mut left_out = 0_usize;
    let mut reason = None;
    for choice in choices.iter().filter(|choice| !choice.is_empty()) {
        let value = match find(field, choice, controlling, truth) {
            Found::Usable(value) => &value.value,
            // A semicolon inside a value would make two of it.
            _ if !field.restricted && !choice.contains(';') => &**choice,
            found => {
                left_out += 1;
                reason.get_or_insert(refused(&found));
                continue;
            }
        };
        if !joined.split(';').any(|known| known == value) {
            if !joined.is_empty() {
                joined.push(';');
            }
            joined.push_str(value);
        }
    }
    let (written, json) = (!joined.is_empty(), Json::Text(Cow::Owned(joined)));
    match reason {
        None if written => Fit::Whole(json),
        Some(_) if written => {
            let detail = [&left_out.to_string(), " of ", &choices.len().to_string(), " choices left out"].concat();
            Fit::Changed(json, Note { code: codes::CHOICES_LEFT_OUT, detail })
        }
        Some(reason) => Fit::Unfit(reason),
        None => Fit::unfit(codes::PICKLIST_VALUE_UNKNOWN, "no choice"),
    }
}

/// Choices out of one text: the whole where it is a value, else its parts.
fn typed_choices<'g>(given: &Given<'g>, field: &LeadField, controlling: Option<&str>) -> Vec<Cow<'g, str>> {
    let text = trimmed(given.text());
    if matches!(find(field, &text, controlling, None), Found::Usable(_)) {
        return vec![text];
    }
    // The first separator that divides the text divides it alone: values may well contain a comma.
    for separator in [';', '\n', '、', ','] {
        if text.contains(separator) {
            return text.split(separator).map(|part| Cow::Owned(part.trim().to_owned())).collect();
        }
    }
    vec![text]
}

/// Whether a value that is not a text is a yes or a no.
fn given_truth(given: &Given<'_>) -> Option<bool> {
    if matches!(given, Given::Boolean(_)) { truth(given) } else { None }
}

/// Finds a text among the values: exactly, by label, then with widths and case folded. A yes or no finds the value that
/// says so.
fn find<'v>(field: &'v LeadField, text: &str, controlling: Option<&str>, truth: Option<bool>) -> Found<'v> {
    let mut found = search(field, controlling, |candidate| candidate == text);
    if matches!(found, Found::Unknown) && !field.values.is_empty() {
        let folded = fold_case(text);
        found = search(field, controlling, |candidate| fold_case(candidate) == folded);
    }
    match (found, truth) {
        (Found::Unknown, Some(yes)) => {
            let words = if yes { YES } else { NO };
            search(field, controlling, |candidate| words.contains(&fold_case(candidate).as_str()))
        }
        (found, _) => found,
    }
}

/// The best of the values, or labels, that match. A value may occur several times, told apart by what allows it.
fn search<'v>(field: &'v LeadField, controlling: Option<&str>, matches: impl Fn(&str) -> bool) -> Found<'v> {
    let mut best = Found::Unknown;
    let by_value = |value: &'v PicklistValue| &*value.value;
    let by_label = |value: &'v PicklistValue| &*value.label;
    for text_of in [by_value as fn(&'v PicklistValue) -> &'v str, by_label] {
        for value in &field.values {
            if !matches(text_of(value)) {
                continue;
            }
            if !value.active {
                if matches!(best, Found::Unknown) {
                    best = Found::Inactive;
                }
            } else if is_allowed(value, controlling) {
                return Found::Usable(value);
            } else {
                best = Found::NotAllowed;
            }
        }
    }
    best
}

/// Whether the controlling field's value allows a value. Where that value is not known, Salesforce decides.
fn is_allowed(value: &PicklistValue, controlling: Option<&str>) -> bool {
    match (&value.valid_for, controlling) {
        (Some(allowing), Some(controlling)) => allowing.iter().any(|allowing| allowing == controlling),
        _ => true,
    }
}

fn refused(found: &Found<'_>) -> Note {
    let (code, detail) = match found {
        Found::Inactive => (codes::PICKLIST_VALUE_INACTIVE, "the value was deactivated"),
        Found::NotAllowed => (codes::PICKLIST_VALUE_NOT_ALLOWED, "the controlling field's value does not allow it"),
        Found::Usable(_) | Found::Unknown => (codes::PICKLIST_VALUE_UNKNOWN, "not among the field's values"),
    };
    Note { code, detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bindings::types::FieldType, fixture, value::fit};

    fn picklist(restricted: bool) -> LeadField {
        let labelled = |name: &str, label: &str| PicklistValue { label: label.into(), ..fixture::value(name) };
        let allowed = |name: &str, country: &str| PicklistValue {
            valid_for: Some(vec![country.into()]),
            ..labelled(name, country)
        };
        LeadField {
            restricted,
            length: Some(40),
            values: vec![
                labelled("Pending", "Not Compared"),
                labelled("51-300", "51-300名"),
                labelled("ﾘﾓｰﾄ", "リモート勤務"),
                labelled("Web", "ウェブ"),
                labelled("はい", "はい"),
                PicklistValue { active: false, ..labelled("Old", "旧") },
                allowed("CA", "US"),
                allowed("CA", "IT"),
                allowed("13", "JP"),
            ],
            ..fixture::field("Field__c", FieldType::Picklist)
        }
    }

    fn written(given: Given<'_>, field: &LeadField, controlling: Option<&str>) -> Result<String, &'static str> {
        match fit(given, field, controlling) {
            Fit::Whole(Json::Text(text)) => Ok(text.into_owned()),
            Fit::Changed(Json::Text(text), note) => Ok(format!("{text} ({})", note.code)),
            Fit::Unfit(note) => Err(note.code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_choice_is_found_by_value_by_label_and_with_widths_folded() {
        for (given, expected) in [
            ("Pending", Ok("Pending")),
            ("Not Compared", Ok("Pending")),
            ("５１－３００", Ok("51-300")),
            ("リモート", Ok("ﾘﾓｰﾄ")),
            ("ﾘﾓｰﾄ勤務", Ok("ﾘﾓｰﾄ")),
            ("ｗｅｂ", Ok("Web")),
            (" Web ", Ok("Web")),
            ("Old", Err(codes::PICKLIST_VALUE_INACTIVE)),
            ("旧", Err(codes::PICKLIST_VALUE_INACTIVE)),
            ("Fax", Err(codes::PICKLIST_VALUE_UNKNOWN)),
        ] {
            let given = Given::Text(given.to_owned().into());
            assert_eq!(written(given.clone(), &picklist(true), None), expected.map(str::to_owned), "{given:?}");
        }
        assert_eq!(written(Given::Boolean(true), &picklist(true), None).as_deref(), Ok("はい"));
        assert_eq!(written(Given::Boolean(false), &picklist(true), None), Err(codes::PICKLIST_VALUE_UNKNOWN));
    }

    #[test]
    fn an_unrestricted_picklist_takes_any_text_that_is_not_too_long() {
        assert_eq!(written(Given::Text("Fax".into()), &picklist(false), None).as_deref(), Ok("Fax"));
        assert_eq!(written(Given::Text("Old".into()), &picklist(false), None).as_deref(), Ok("Old"));
        let long = "x".repeat(41);
        assert_eq!(written(Given::Text(long.into()), &picklist(false), None), Err(codes::VALUE_TOO_LONG));
    }

    #[test]
    fn a_dependent_value_needs_a_controlling_value_that_allows_it() {
        for (given, controlling, expected) in [
            ("CA", Some("US"), Ok("CA")),
            ("CA", Some("IT"), Ok("CA")),
            ("CA", Some("JP"), Err(codes::PICKLIST_VALUE_NOT_ALLOWED)),
            ("13", Some("JP"), Ok("13")),
            ("13", None, Ok("13")),
            ("Web", Some("JP"), Ok("Web")),
        ] {
            let found = written(Given::Text(given.into()), &picklist(true), controlling);
            assert_eq!(found, expected.map(str::to_owned), "{given} {controlling:?}");
        }
    }

    #[test]
    fn several_choices_are_joined_and_the_unknown_ones_told() {
        let multi = |restricted| LeadField { field_type: FieldType::MultiSelectPicklist, ..picklist(restricted) };
        let choices = |choices: &[&str]| choices.iter().map(|choice| (*choice).to_owned()).collect::<Vec<_>>();
        for (given, restricted, expected) in [
            (choices(&["Web", "Not Compared"]), true, Ok("Web;Pending")),
            (choices(&["Web", "ｗｅｂ"]), true, Ok("Web")),
            (choices(&["Web", "Fax"]), true, Ok("Web (choices-left-out)")),
            (choices(&["Fax"]), true, Err(codes::PICKLIST_VALUE_UNKNOWN)),
            (choices(&["Web", "Fax"]), false, Ok("Web;Fax")),
            (choices(&["Web", "a;b"]), false, Ok("Web (choices-left-out)")),
        ] {
            let found = written(Given::Choices(&given), &multi(restricted), None);
            assert_eq!(found, expected.map(str::to_owned), "{given:?}");
        }
        for (given, expected) in
            [("Web;Pending", "Web;Pending"), ("Web, Pending", "Web;Pending"), ("Web、ウェブ", "Web")]
        {
            assert_eq!(written(Given::Text(given.into()), &multi(true), None).as_deref(), Ok(expected), "{given}");
        }
        let two = choices(&["Web", "Pending"]);
        assert_eq!(written(Given::Choices(&two), &picklist(true), None), Err(codes::PICKLIST_VALUE_UNKNOWN));
    }
}
