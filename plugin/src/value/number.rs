//! Numbers, as decimal text throughout.

use super::{Fit, Fitted, Json, Note, as_text, unfit};
use crate::{
    bindings::types::{FieldType, Value},
    codes,
    field::LeadField,
};
use crm_text::{fold, trimmed};

/// Currency signs that people type before or after an amount.
const MONEY: [&str; 8] = ["¥", "$", "€", "£", "₩", "円", "JPY", "USD"];

/// A number with the digits and decimals of a field.
pub fn number<'a>(given: &'a Value, field: &LeadField<'_>, _locale: Option<&str>) -> Fit<'a> {
    let text = match given {
        Value::Text(_) | Value::Number(_) | Value::Other(_) => trimmed(as_text(given)),
        Value::Choices(choices) if choices.len() == 1 => trimmed(as_text(given)),
        _ => "".into(),
    };
    let is_percent = matches!(field.field_type, FieldType::Percent);
    let Some(mut decimal) = Decimal::parse(&text, is_percent) else {
        return unfit(codes::NUMBER_INVALID, "not a number");
    };
    let is_integer = matches!(field.field_type, FieldType::Integer);
    let scale = if is_integer { 0 } else { field.scale };
    let rounded = decimal.round(usize::try_from(scale).unwrap_or(usize::MAX));
    let json = decimal.json();
    // If the field's digits are unknown: no number field has more than 18 (Salesforce help, "Custom Field Types").
    let most = match field.precision {
        0 if is_integer => 10,
        0 => 18,
        precision => precision.saturating_sub(scale),
    };
    if decimal.whole > usize::try_from(most).unwrap_or(usize::MAX) || (is_integer && json.parse::<i32>().is_err()) {
        let message = format!("{} digits before the point; the field takes {most}", decimal.whole);
        let note = Note::new(codes::NUMBER_OUT_OF_RANGE, message).with("length", decimal.whole).with("limit", most);
        return Err(note);
    }
    let rounding = rounded.then(|| {
        Note::new(codes::VALUE_ROUNDED, format!("rounded to {scale} decimals")).with("decimals", scale)
    });
    Ok(Fitted::from(Json::Number(json)).noting(rounding))
}

/// A decimal number as digits.
struct Decimal {
    negative: bool,
    /// Without leading zeros before the point, and without trailing ones after it.
    digits: Vec<u8>,
    /// How many of them are before the point.
    whole: usize,
}

impl Decimal {
    /// Reads a number as people type it: in either width, with a sign, a currency or percent sign, and thousands separators.
    fn parse(text: &str, is_percent: bool) -> Option<Self> {
        let folded = fold(text);
        let (mut negative, mut text) = sign(&folded);
        if is_percent {
            text = text.strip_suffix('%').unwrap_or(text).trim_end();
        } else if !text.starts_with(is_digit) || !text.ends_with(is_digit) {
            for money in MONEY {
                text = text.strip_prefix(money).unwrap_or(text).trim_start();
                text = text.strip_suffix(money).unwrap_or(text).trim_end();
            }
        }
        // A second sign, as in `-¥-5`, is an error.
        if !negative {
            (negative, text) = sign(text);
        }
        let (whole, fraction) = split(text)?;
        let mut digits = ungrouped(whole)?;
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || (digits.is_empty() && fraction.is_empty()) {
            return None;
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        let whole = digits.len();
        digits.extend(fraction.trim_end_matches('0').bytes());
        Some(Self { negative, digits, whole })
    }

    /// Rounds half away from zero. Returns whether anything was lost.
    fn round(&mut self, scale: usize) -> bool {
        let kept = self.whole.saturating_add(scale);
        let Some(first_lost) = self.digits.get(kept).copied() else { return false };
        self.digits.truncate(kept);
        if first_lost >= b'5' {
            // Trailing nines become zeros, and the digit before them is incremented.
            let nines = self.digits.iter().rev().take_while(|digit| **digit == b'9').count();
            let end = kept - nines;
            for digit in self.digits.iter_mut().skip(end) {
                *digit = b'0';
            }
            match end.checked_sub(1).and_then(|last| self.digits.get_mut(last)) {
                Some(digit) => *digit += 1,
                None => {
                    self.digits.insert(0, b'1');
                    self.whole += 1;
                }
            }
        }
        while self.digits.len() > self.whole && self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        true
    }

    fn json(&self) -> String {
        let mut json = String::with_capacity(self.digits.len() + 3);
        if self.negative && self.digits.iter().any(|digit| *digit != b'0') {
            json.push('-');
        }
        if self.whole == 0 {
            json.push('0');
        }
        for (place, digit) in self.digits.iter().enumerate() {
            if place == self.whole {
                json.push('.');
            }
            json.push(char::from(*digit));
        }
        json
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The sign, and the rest. A triangle is the minus sign of Japanese accounting.
fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix(['-', '\u{2212}', '▲', '△']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text).trim_start()),
    }
}

/// The parts before and after the decimal point. A comma is a decimal point only if it cannot be a thousands separator.
fn split(text: &str) -> Option<(&str, &str)> {
    let Some(mark) = text.rfind(['.', ',']) else { return Some((text, "")) };
    let (whole, behind) = text.split_at_checked(mark)?;
    let (mark, fraction) = behind.split_at_checked(1)?;
    let is_separator = whole.contains(mark)
        || (mark == "," && fraction.len() == 3 && !whole.contains('.') && !whole.trim_matches('0').is_empty());
    Some(if is_separator { (text, "") } else { (whole, fraction) })
}

/// Digits without thousands separators, which must be all the same, three digits apart, and not follow a leading zero.
fn ungrouped(text: &str) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(text.len());
    let mut separator = None;
    let mut in_group = 0;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.extend(u8::try_from(c));
            in_group += 1;
            continue;
        }
        let fits = match separator {
            Some(known) => c == known && in_group == 3,
            None => {
                (1..=3).contains(&in_group)
                    && !text.starts_with('0')
                    && matches!(c, ',' | '.' | ' ' | '\u{A0}' | '\u{202F}' | '\'' | '’')
            }
        };
        if !fits {
            return None;
        }
        separator = Some(c);
        in_group = 0;
    }
    (separator.is_none() || in_group == 3).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture::field, value::{Context, fit}};
    use proptest::prelude::*;

    fn with_digits(field_type: FieldType, precision: u32, scale: u32) -> LeadField<'static> {
        LeadField { precision, scale, ..field("Field__c", field_type) }
    }

    fn written(given: &str, field: &LeadField<'_>) -> (Option<String>, Option<&'static str>) {
        match fit(&Value::Text(given.to_owned()), field, Context::default()) {
            Ok(Fitted { value: Json::Number(number), notes }) => (Some(number), notes.first().map(|note| note.code)),
            Err(note) => (None, Some(note.code)),
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
            // A leading zero rules out groups of thousands.
            (FieldType::Number, "0,500", "0.5"),
            (FieldType::Number, "0,120", "0.12"),
            (FieldType::Number, "00,500", "0.5"),
            (FieldType::Number, ",500", "0.5"),
            (FieldType::Number, "-0,250", "-0.25"),
            (FieldType::Currency, "￥０，５００", "0.5"),
            (FieldType::Number, "10,500", "10500"),
            (FieldType::Number, "100,500", "100500"),
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
    fn a_text_that_is_not_a_number_is_a_finding() {
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
            "0,500,000",
            "012,500",
            "0,500.25",
            "0 500",
            "1.234.567.8",
            "1,234.567,8",
            "1234,567",
            "1 234,567.8",
            "--1",
            "1..2",
            "33%",
        ] {
            assert_eq!(written(given, &field).1, Some(codes::NUMBER_INVALID), "{given}");
        }
        let several = vec!["1".to_owned(), "2".to_owned()];
        for given in [Value::Boolean(true), Value::Choices(several)] {
            assert!(matches!(fit(&given, &field, Context::default()), Err(_)));
        }
    }

    #[test]
    fn decimals_are_rounded_with_a_finding() {
        for (given, scale, expected) in [
            ("1.005", 2, "1.01"),
            ("1.004", 2, "1"),
            ("0,125", 2, "0.13"),
            ("0.0049", 2, "0"),
            ("0.0951", 2, "0.1"),
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
    fn more_digits_than_the_field_takes_are_a_finding() {
        for (field_type, precision, scale, given) in [
            (FieldType::Number, 5, 2, "1000"),
            (FieldType::Number, 5, 2, "999.999"),
            (FieldType::Integer, 8, 0, "123456789"),
            (FieldType::Integer, 0, 0, "2147483648"),
            (FieldType::Number, 0, 2, "1234567890123456789"),
            (FieldType::Number, 2, 0, "99.5"),
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
