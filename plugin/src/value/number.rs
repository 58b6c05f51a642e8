//! Numbers, as decimal text from end to end.

use super::{Fit, Json, Note, text::trimmed};
use crate::{bindings::types::LeadField, codes, source::Given, width::fold};
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

/// What kind of number a field takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 32 bits.
    Integer,
    /// A number with decimals.
    Number,
    /// An amount of money.
    Currency,
    /// A percentage: 33 means 33 %.
    Percent,
}

/// Currency signs that people type before or after an amount.
const MONEY: [&str; 8] = ["¥", "$", "€", "£", "₩", "円", "JPY", "USD"];

/// A number in a field's digits and decimals.
pub fn number<'a>(given: Given<'a>, field: &LeadField, kind: Kind) -> Fit<'a> {
    let text = match &given {
        Given::Text(_) | Given::Number(_) | Given::Choices([_]) => trimmed(given.text()),
        _ => return Fit::unfit(codes::NUMBER_INVALID, "not a number"),
    };
    let Some(mut decimal) = Decimal::parse(&text, kind) else {
        return Fit::unfit(codes::NUMBER_INVALID, "not a number");
    };
    let scale = if kind == Kind::Integer { 0 } else { usize::try_from(field.scale).unwrap_or(usize::MAX) };
    let rounded = decimal.round(scale);
    let most = match (kind, field.precision) {
        (Kind::Integer, 0) => 10,
        // Nothing is known of the field's digits.
        (_, 0) => usize::MAX,
        (_, precision) => usize::try_from(precision.saturating_sub(field.scale)).unwrap_or(usize::MAX),
    };
    if decimal.whole.len() > most || (kind == Kind::Integer && decimal.json().parse::<i32>().is_err()) {
        let most = most.min(10_000).to_string();
        let detail = [&decimal.whole.len().to_string(), " digits before the point, the field takes ", &most].concat();
        return Fit::unfit(codes::NUMBER_OUT_OF_RANGE, detail);
    }
    let json = Json::Number(decimal.json());
    if rounded {
        let detail = ["rounded to ", &scale.to_string(), " decimals"].concat();
        return Fit::Changed(json, Note { code: codes::VALUE_ROUNDED, detail });
    }
    Fit::Whole(json)
}

/// A decimal number as digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: String,
    /// Digits after the point, without trailing zeros.
    fraction: String,
}

impl Decimal {
    /// Reads a number as people type it: in either width, with a sign, a currency or percent sign, and separators of thousands.
    fn parse(text: &str, kind: Kind) -> Option<Self> {
        let folded = fold(text);
        let mut text = folded.trim();
        let mut negative = false;
        if kind == Kind::Percent {
            text = text.strip_suffix('%').unwrap_or(text).trim_end();
        } else {
            (negative, text) = sign(text);
            for money in MONEY {
                text = text.strip_prefix(money).unwrap_or(text).trim_start();
                text = text.strip_suffix(money).unwrap_or(text).trim_end();
            }
        }
        // A second sign, as in `-¥-5`, is none.
        if !negative {
            (negative, text) = sign(text);
        }
        let (whole, fraction) = split(text)?;
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        Some(Self { negative, whole, fraction })
    }

    /// Rounds half away from zero; answers whether anything was lost.
    fn round(&mut self, scale: usize) -> bool {
        let Some((kept, lost)) = self.fraction.split_at_checked(scale).filter(|(_, lost)| !lost.is_empty()) else {
            return false;
        };
        let up = lost.as_bytes().first().is_some_and(|digit| *digit >= b'5');
        let mut digits = [self.whole.as_bytes(), kept.as_bytes()].concat();
        let mut carry = up;
        for digit in digits.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == b'9';
            *digit = if carry { b'0' } else { *digit + 1 };
        }
        if carry {
            digits.insert(0, b'1');
        }
        let fraction = digits.split_off(digits.len().saturating_sub(kept.len()));
        let text = |digits: Vec<u8>| digits.into_iter().map(char::from).collect::<String>();
        self.whole = text(digits);
        self.fraction = text(fraction).trim_end_matches('0').to_owned();
        true
    }

    /// As JSON.
    fn json(&self) -> String {
        let mut json = String::with_capacity(self.whole.len() + self.fraction.len() + 3);
        if self.negative && !(self.whole.is_empty() && self.fraction.is_empty()) {
            json.push('-');
        }
        json.push_str(if self.whole.is_empty() { "0" } else { &self.whole });
        if !self.fraction.is_empty() {
            json.push('.');
            json.push_str(&self.fraction);
        }
        json
    }
}

/// The sign, and what follows it. A triangle is the minus of Japanese accounts.
fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix(['-', '\u{2212}', '▲', '△']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text).trim_start()),
    }
}

/// Digits before and after the decimal point. A comma is the point only where it can be no separator of thousands.
fn split(text: &str) -> Option<(String, &str)> {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let last = text.rfind(['.', ',']);
    let (whole, fraction) = match last.and_then(|at| Some((at, text.split_at_checked(at)?))) {
        None => (text, ""),
        Some((_, (whole, mark_and_fraction))) => {
            let fraction = mark_and_fraction.get(1..).unwrap_or_default();
            let mark = if mark_and_fraction.starts_with('.') { '.' } else { ',' };
            let other = if mark == '.' { ',' } else { '.' };
            let repeated = whole.contains(mark);
            let grouped = whole.contains(other);
            if repeated || (mark == ',' && !grouped && fraction.len() == 3) { (text, "") } else { (whole, fraction) }
        }
    };
    if !is_number(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if is_number(whole) {
        return Some((whole.to_owned(), fraction));
    }
    // Groups of three, all behind the same separator; none of them is the decimal point.
    let separator = whole.chars().find(|c| !c.is_ascii_digit())?;
    let decimal_mark = (!fraction.is_empty()).then(|| text.chars().rev().find(|c| !c.is_ascii_digit())).flatten();
    if !matches!(separator, ',' | '.' | ' ' | '\u{A0}' | '\u{202F}' | '\'' | '’') || decimal_mark == Some(separator) {
        return None;
    }
    let mut groups = whole.split(separator);
    let first = groups.next()?;
    let mut digits = first.to_owned();
    if first.is_empty() || first.len() > 3 || !is_number(first) {
        return None;
    }
    for group in groups {
        if group.len() != 3 || !is_number(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some((digits, fraction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bindings::types::FieldType, fixture::field, value::fit};
    use proptest::prelude::*;

    fn with_digits(field_type: FieldType, precision: u32, scale: u32) -> LeadField {
        LeadField { precision, scale, ..field("Field__c", field_type) }
    }

    fn written(given: &str, field: &LeadField) -> (Option<String>, Option<&'static str>) {
        match fit(Given::Text(given.to_owned().into()), field, None) {
            Fit::Whole(Json::Number(number)) => (Some(number), None),
            Fit::Changed(Json::Number(number), note) => (Some(number), Some(note.code)),
            Fit::Unfit(note) => (None, Some(note.code)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn typed_numbers_are_read_in_either_width_and_with_separators() {
        for (field_type, given, expected) in [
            (FieldType::Number, "12", "12"),
            (FieldType::Number, " １２，３４５．６７ ", "12345.67"),
            (FieldType::Number, "1,234,567.80", "1234567.8"),
            (FieldType::Number, "1.234.567,8", "1234567.8"),
            (FieldType::Number, "1 234 567", "1234567"),
            (FieldType::Number, "1'234'567.5", "1234567.5"),
            (FieldType::Number, "1,5", "1.5"),
            (FieldType::Number, "1,500", "1500"),
            (FieldType::Number, "-0.50", "-0.5"),
            (FieldType::Number, "−7", "-7"),
            (FieldType::Number, "－７", "-7"),
            (FieldType::Number, "007", "7"),
            (FieldType::Number, "-0", "0"),
            (FieldType::Number, ".5", "0.5"),
            (FieldType::Number, "5.", "5"),
            (FieldType::Currency, "￥５，５００", "5500"),
            (FieldType::Currency, "5,500円", "5500"),
            (FieldType::Currency, "▲¥1,000", "-1000"),
            (FieldType::Currency, "$49.90", "49.9"),
            (FieldType::Percent, "33%", "33"),
            (FieldType::Percent, "33.5 ％", "33.5"),
            (FieldType::Integer, "1,000", "1000"),
        ] {
            let field = with_digits(field_type, 18, 2);
            assert_eq!(written(given, &field), (Some(expected.to_owned()), None), "{given}");
        }
    }

    #[test]
    fn what_is_no_number_is_told() {
        let field = with_digits(FieldType::Number, 18, 2);
        for given in [
            "N01",
            "",
            "-",
            ".",
            ",",
            "1,23,4",
            "12,34,567",
            "1e5",
            "NaN",
            "十二",
            "1-2",
            "1,234,56",
            "--1",
            "1..2",
            "33%",
        ] {
            assert_eq!(written(given, &field).1, Some(codes::NUMBER_INVALID), "{given}");
        }
        let several = ["1".to_owned(), "2".to_owned()];
        for given in [Given::Boolean(true), Given::Choices(&several)] {
            assert!(matches!(fit(given, &field, None), Fit::Unfit(_)));
        }
    }

    #[test]
    fn decimals_are_rounded_and_told() {
        for (given, scale, expected) in [
            ("1.005", 2, "1.01"),
            ("1.004", 2, "1"),
            ("-1.5", 0, "-2"),
            ("9.99", 1, "10"),
            ("99.5", 0, "100"),
            ("0.4", 0, "0"),
            ("-0.4", 0, "0"),
            ("0.5", 0, "1"),
        ] {
            let field = with_digits(FieldType::Number, 18, scale);
            assert_eq!(written(given, &field), (Some(expected.to_owned()), Some(codes::VALUE_ROUNDED)), "{given}");
        }
        assert_eq!(written("12.0", &with_digits(FieldType::Integer, 8, 0)), (Some("12".to_owned()), None));
    }

    #[test]
    fn more_digits_than_the_field_takes_are_told() {
        for (field_type, precision, scale, given) in [
            (FieldType::Number, 5, 2, "1000"),
            (FieldType::Number, 5, 2, "999.999"),
            (FieldType::Integer, 8, 0, "123456789"),
            (FieldType::Integer, 0, 0, "2147483648"),
            (FieldType::Currency, 18, 0, "1234567890123456789"),
        ] {
            let field = with_digits(field_type, precision, scale);
            assert_eq!(written(given, &field).1, Some(codes::NUMBER_OUT_OF_RANGE), "{given}");
        }
        let field = with_digits(FieldType::Number, 18, 2);
        assert_eq!(written("9007199254740993.01", &field).0.as_deref(), Some("9007199254740993.01"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_json_number_or_refused(given in any::<String>()) {
            if let (Some(json), _) = written(&given, &with_digits(FieldType::Number, 0, 9)) {
                prop_assert!(serde_json::from_str::<f64>(&json).is_ok(), "{}", json);
            }
        }

        #[test]
        fn a_number_keeps_its_value(whole in 0_u64..1_000_000_000, cents in 0_u32..100, negative: bool) {
            let sign = if negative { "-" } else { "" };
            let json = written(&format!("{sign}{whole}.{cents:02}"), &with_digits(FieldType::Number, 18, 2)).0.unwrap();
            let expected = (whole * 100 + u64::from(cents)) as f64 / 100.0 * if negative { -1.0 } else { 1.0 };
            prop_assert!((json.parse::<f64>().unwrap() - expected).abs() < 1e-6);
        }

        #[test]
        fn grouped_digits_are_the_same_number(whole in 0_u32..) {
            let plain = whole.to_string();
            let mut grouped = String::new();
            for (at, digit) in plain.chars().enumerate() {
                if at > 0 && (plain.len() - at) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            prop_assert_eq!(written(&grouped, &with_digits(FieldType::Number, 18, 0)).0, Some(plain));
        }
    }
}
