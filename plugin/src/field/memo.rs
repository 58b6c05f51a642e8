//! The memo of a field: what the plugin wants to remember of it, so that a booking needs no describe.
//!
//! ```text
//! 1c255,0,0rsd
//! Controlling__c
//! Label
//! value<tab>label<tab>di<tab>allowing value<tab>allowing value
//! ```
//!
//! The first line has the version, the type, length, precision, scale, and flags: `r` required, `s` restricted, `e` external
//! ID, `u` unique, `h` HTML, `n` not filterable, `d` dependent. Zeros are left out. The controlling field of a dependent one has a line, and so have the
//! objects that a reference points to, and the name of a type that has no letter. Then comes the label, and last the values
//! of a picklist: each with its label if that differs, and flags: `d` default, `i` inactive, `c` controlled, followed by the
//! controlling values that allow it. What a value does not need is left out at its end.
//!
//! Memos are read for every booking, so that this is read byte by byte: see "Hand-made pieces" in `plugin/README.md`.

use super::{LeadField, PicklistValue};
use crate::bindings::types::FieldType;
use salesforce_text::split;
use std::{borrow::Cow, fmt::Write as _};

/// What every memo of this form begins with.
const VERSION: u8 = b'1';

/// The most bytes of a memo that the contract allows.
const LONGEST: usize = 32_768;

/// The letters of types, frequent ones first.
const LETTERS: [u8; 17] = *b"tacbnmidDeuproCT%";

/// The type of a letter, except [`OTHER`].
fn type_of(letter: u8) -> Option<FieldType> {
    Some(match letter {
        b't' => FieldType::Text,
        b'a' => FieldType::TextArea,
        b'e' => FieldType::Email,
        b'p' => FieldType::Phone,
        b'u' => FieldType::Url,
        b'i' => FieldType::Integer,
        b'n' => FieldType::Number,
        b'm' => FieldType::Currency,
        b'%' => FieldType::Percent,
        b'b' => FieldType::Checkbox,
        b'd' => FieldType::Date,
        b'D' => FieldType::DateTime,
        b'T' => FieldType::Time,
        b'c' => FieldType::Choice,
        b'C' => FieldType::Choices,
        b'o' => FieldType::TextOrChoice,
        b'r' => FieldType::Reference,
        _ => return None,
    })
}

/// The letter of any other type.
const OTHER: u8 = b'?';

fn letter_of(field_type: &FieldType) -> u8 {
    LETTERS.into_iter().find(|letter| type_of(*letter).as_ref() == Some(field_type)).unwrap_or(OTHER)
}

/// The memo of a field.
///
/// A picklist whose values do not fit into a memo is remembered as one that takes no value: then any value makes the plugin
/// ask the org.
pub fn of(field: &LeadField<'_>) -> String {
    let mut memo = String::with_capacity(64);
    push_head(&mut memo, field, field.restricted);
    if memo.len() > LONGEST {
        // No real org has such labels or names. Nothing is remembered.
        return String::new();
    }
    // The values of other types decide about nothing.
    let is_picklist = matches!(field.field_type, FieldType::Choice | FieldType::Choices);
    for value in field.values.iter().filter(|_| is_picklist) {
        if !push_value(&mut memo, value) || memo.len() > LONGEST {
            memo.clear();
            push_head(&mut memo, field, true);
            break;
        }
    }
    memo
}

fn push_head(memo: &mut String, field: &LeadField<'_>, restricted: bool) {
    memo.extend([VERSION, letter_of(&field.field_type)].map(char::from));
    let numbers = [field.length.unwrap_or_default(), field.precision, field.scale];
    let given = 3 - numbers.iter().rev().take_while(|number| **number == 0).count();
    for (place, number) in numbers.iter().take(given).enumerate() {
        if place > 0 {
            memo.push(',');
        }
        if *number > 0 {
            // Writing to a string cannot fail.
            let _ = write!(memo, "{number}");
        }
    }
    let controlling = field.controlling_field.as_deref().map(plain).unwrap_or_default();
    let is_dependent = !controlling.is_empty();
    let flags = [
        (field.required, 'r'),
        (restricted, 's'),
        (field.external_id, 'e'),
        (field.unique, 'u'),
        (field.html, 'h'),
        (!field.filterable, 'n'),
        (is_dependent, 'd'),
    ];
    memo.extend(flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag));
    memo.push('\n');
    if is_dependent {
        memo.push_str(controlling);
        memo.push('\n');
    }
    match &field.field_type {
        FieldType::Reference => {
            for (place, object) in field.reference_to.iter().enumerate() {
                if place > 0 {
                    memo.push(',');
                }
                memo.push_str(plain(object));
            }
            memo.push('\n');
        }
        FieldType::Other(name) => {
            memo.push_str(plain(name));
            memo.push('\n');
        }
        _ => {}
    }
    memo.push_str(plain(&field.label));
}

/// Appends a value; returns whether it can be told from its neighbors.
fn push_value(memo: &mut String, value: &PicklistValue<'_>) -> bool {
    let PicklistValue { value, label, active, is_default, valid_for } = value;
    if !is_plain(value) || !is_plain(label) || !valid_for.iter().flatten().all(|allowing| is_plain(allowing)) {
        return false;
    }
    memo.push('\n');
    memo.push_str(value);
    memo.push('\t');
    if label != value {
        memo.push_str(label);
    }
    let flags = [(*is_default, 'd'), (!active, 'i'), (valid_for.is_some(), 'c')];
    if flags.iter().any(|(is_set, _)| *is_set) {
        memo.push('\t');
    }
    memo.extend(flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag));
    for allowing in valid_for.iter().flatten() {
        memo.push('\t');
        memo.push_str(allowing);
    }
    true
}

/// A text, or nothing if it would be taken for two.
fn plain(text: &str) -> &str {
    if is_plain(text) { text } else { "" }
}

/// Whether a text has no separator.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'\t' | b'\n'))
}

/// The field of this name, as its memo has it. `None` if nothing is known: the memo is blank, unreadable, or of another
/// version.
pub fn read<'a>(name: &'a str, memo: &'a str) -> Option<LeadField<'a>> {
    let mut rest = memo;
    let [version, letter, head @ ..] = cut(&mut rest, b'\n').as_bytes() else { return None };
    if *version != VERSION {
        return None;
    }
    let mut numbers = [0_u32; 3];
    let mut place = 0;
    let (mut required, mut restricted, mut external_id, mut unique) = (false, false, false, false);
    let (mut html, mut filterable, mut is_dependent) = (false, true, false);
    for byte in head {
        match byte {
            b'0'..=b'9' => {
                let number = numbers.get_mut(place)?;
                *number = number.checked_mul(10)?.checked_add(u32::from(byte - b'0'))?;
            }
            b',' => place += 1,
            b'r' => required = true,
            b's' => restricted = true,
            b'e' => external_id = true,
            b'u' => unique = true,
            b'h' => html = true,
            b'n' => filterable = false,
            b'd' => is_dependent = true,
            _ => return None,
        }
    }
    let controlling_field = is_dependent.then(|| Cow::Borrowed(cut(&mut rest, b'\n')));
    let field_type = match type_of(*letter) {
        Some(known) => known,
        None if *letter == OTHER => FieldType::Other(cut(&mut rest, b'\n').to_owned()),
        None => return None,
    };
    let mut reference_to = Vec::new();
    let mut values = Vec::new();
    match field_type {
        FieldType::Reference => {
            let objects = cut(&mut rest, b'\n');
            reference_to.extend(objects.split(',').filter(|name| !name.is_empty()).map(Cow::Borrowed));
        }
        FieldType::Choice | FieldType::Choices => {
            let mut lines = rest;
            rest = cut(&mut lines, b'\n');
            while !lines.is_empty() {
                values.push(read_value(&mut lines)?);
            }
        }
        _ => {}
    }
    let [length, precision, scale] = numbers;
    Some(LeadField {
        name: Cow::Borrowed(name),
        label: Cow::Borrowed(rest),
        field_type,
        length: if length == 0 { None } else { Some(length) },
        precision,
        scale,
        required,
        restricted,
        external_id,
        unique,
        html,
        filterable,
        values,
        controlling_field,
        reference_to,
        help: None,
    })
}

/// Cuts the first line off and reads the value that it has.
fn read_value<'m>(lines: &mut &'m str) -> Option<PicklistValue<'m>> {
    let (value, behind) = split(lines, b'\t')?;
    *lines = behind;
    let mut rest = cut(lines, b'\n');
    let label = cut(&mut rest, b'\t');
    let (mut active, mut is_default, mut is_controlled) = (true, false, false);
    for flag in cut(&mut rest, b'\t').bytes() {
        match flag {
            b'd' => is_default = true,
            b'i' => active = false,
            b'c' => is_controlled = true,
            _ => return None,
        }
    }
    let mut allowing = Vec::new();
    while !rest.is_empty() {
        allowing.push(Cow::Borrowed(cut(&mut rest, b'\t')));
    }
    Some(PicklistValue {
        value: Cow::Borrowed(value),
        label: Cow::Borrowed(if label.is_empty() { value } else { label }),
        active,
        is_default,
        valid_for: is_controlled.then_some(allowing),
    })
}

/// Cuts a text off at a separator, or takes all of it.
fn cut<'m>(rest: &mut &'m str, separator: u8) -> &'m str {
    let (text, behind) = split(rest, separator).unwrap_or((rest, ""));
    *rest = behind;
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn any_type() -> impl Strategy<Value = FieldType> {
        prop_oneof![prop::sample::select(fixture::types()), "[a-z]{0,8}".prop_map(FieldType::Other)]
    }

    prop_compose! {
        fn any_value()(
            value in "[^\t\n]{0,6}", label in "[^\t\n]{1,6}", active: bool, is_default: bool,
            valid_for in prop::option::of(prop::collection::vec("[^\t\n]{1,4}", 0..3)),
        ) -> PicklistValue<'static> {
            let valid_for = valid_for.map(|all: Vec<String>| all.into_iter().map(Cow::Owned).collect());
            PicklistValue { value: value.into(), label: label.into(), active, is_default, valid_for }
        }
    }

    prop_compose! {
        fn any_field()(
            (field_type, label) in (any_type(), "[^\t\n]{0,10}"),
            length in prop::option::of(1_u32..), (precision, scale) in any::<(u32, u32)>(),
            (required, restricted, external_id, unique) in any::<(bool, bool, bool, bool)>(),
            (html, filterable) in any::<(bool, bool)>(),
            values in prop::collection::vec(any_value(), 0..4),
            controlling_field in prop::option::of("[A-Za-z_]{1,9}"),
            reference_to in prop::collection::vec("[A-Za-z_]{1,9}", 0..3),
        ) -> LeadField<'static> {
            LeadField {
                name: "F__c".into(), label: label.into(), field_type, length, precision, scale, required, restricted,
                external_id, unique, html, filterable, values, controlling_field: controlling_field.map(Cow::Owned),
                reference_to: reference_to.into_iter().map(Cow::Owned).collect(), help: None,
            }
        }
    }

    fn with_values(count: usize) -> LeadField<'static> {
        let values = (0..count).map(|number| fixture::value(&format!("a value with some words {number}")));
        LeadField { values: values.collect(), ..fixture::field("F__c", FieldType::Choice) }
    }

    #[test]
    fn a_memo_is_as_short_as_the_field_is_plain() {
        let field = LeadField { required: true, ..fixture::text_field("LastName", 80) };
        assert_eq!(of(&field), "1t80r\nLASTNAME");
        let amount = LeadField { precision: 16, scale: 2, ..fixture::field("Amount__c", FieldType::Currency) };
        assert_eq!(of(&amount), "1m,16,2\nAMOUNT__C");
        assert!(of(&with_values(100)).len() < 4_096);
    }

    #[test]
    fn nothing_is_known_from_a_memo_that_is_blank_unreadable_or_of_another_version() {
        let whole = "1c80r\nLabel\nvalue\t\td";
        assert!(read("F__c", whole).is_some());
        for memo in
            ["", "{}", "2t80r\nLabel", "1x80r", "1t-1r", "1t80x", "1t99999999999", "1", &whole[..whole.len() - 3]]
        {
            assert_eq!(read("F__c", memo), None, "{memo:?}");
        }
    }

    #[test]
    fn every_type_has_a_letter_of_its_own() {
        let letters: BTreeSet<u8> = fixture::types().iter().map(letter_of).collect();
        assert_eq!(letters.len(), fixture::types().len());
    }

    #[test]
    fn a_picklist_whose_values_do_not_fit_is_remembered_as_one_that_takes_none() {
        let mut ambiguous = with_values(2);
        ambiguous.values[0].value = "a\tb".into();
        for field in [with_values(2_000), ambiguous] {
            let memo = of(&field);
            assert!(memo.len() < 100);
            let read = read("F__c", &memo).unwrap();
            assert_eq!(read, LeadField { restricted: true, values: Vec::new(), ..field });
        }
    }

    proptest! {
        #[test]
        fn what_decides_about_values_is_remembered(field in any_field()) {
            let memo = of(&field);
            prop_assert!(memo.len() <= LONGEST);
            let is_picklist = matches!(field.field_type, FieldType::Choice | FieldType::Choices);
            let values = if is_picklist { field.values.clone() } else { Vec::new() };
            let is_reference = field.field_type == FieldType::Reference;
            let reference_to = if is_reference { field.reference_to.clone() } else { Vec::new() };
            prop_assert_eq!(read("F__c", &memo), Some(LeadField { values, reference_to, ..field }));
        }

        #[test]
        fn any_text_is_read_or_refused(memo in any::<String>(), rest in "[1\ttaC?80rsdc\n,]{0,40}") {
            let _ = (read("F__c", &memo), read("F__c", &format!("1c{rest}")));
        }
    }
}
