//! Numbers, as decimal text throughout.
//!
//! People separate digits in two ways: `1,234.5` and `1.234,5`. Where the shape of a number tells which, the shape decides; else the
//! language of the person who typed it. A single point or comma before exactly three digits tells nothing: if the language is
//! unknown too, the value is left out, since the readings differ by a factor of a thousand.

use super::{
    Fit, Fitted, Json, Note, as_text,
    locale::{Separator, decimal_separator},
    money, unfit,
};
use crate::{
    bindings::types::{FieldType, Value},
    codes,
    field::LeadField,
};
use crm_characters::{Class, class, digit, fold, trimmed};

/// A number with the digits and decimals of a field.
pub fn number<'a>(given: &'a Value, field: &LeadField<'_>, locale: Option<&str>) -> Fit<'a> {
    let text = match given {
        Value::Text(_) | Value::Number(_) | Value::Other(_) => trimmed(as_text(given)),
        Value::Choices(choices) if choices.len() == 1 => trimmed(as_text(given)),
        _ => "".into(),
    };
    // Decimal text as the contract writes it has a point.
    let decimal = || match given {
        Value::Number(_) => Some(Separator::Point),
        _ => locale.and_then(decimal_separator),
    };
    let is_percent = matches!(field.field_type, FieldType::Percent);
    let Some(Typed { number, currency }) = typed(&text, is_percent, decimal) else {
        return unfit(codes::NUMBER_INVALID, "not a number");
    };
    let mut decimal = match number {
        Reading::One(decimal) => decimal,
        Reading::Two { smaller, larger } => {
            let (smaller, larger) = (smaller.json(), larger.json());
            let note = Note::new(codes::NUMBER_AMBIGUOUS, format!("{smaller} or {larger}"));
            return Err(note.with("value", text).with("smaller", smaller).with("larger", larger));
        }
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
    let rounding = rounded
        .then(|| Note::new(codes::VALUE_ROUNDED, format!("rounded to {scale} decimals")).with("decimals", scale));
    // An amount in another field is a number like any other.
    let is_amount = matches!(field.field_type, FieldType::Currency);
    let currency = currency.filter(|_| is_amount).map(|currency| {
        Note::new(codes::CURRENCY_NOT_CARRIED, format!("the currency {currency} is not written"))
            .with("currency", currency)
    });
    Ok(Fitted::from(Json::Number(json)).noting(rounding).noting(currency))
}

/// A number as a person typed it.
struct Typed {
    number: Reading,
    /// A sign or code beside it.
    currency: Option<String>,
}

/// What the digits of a number mean.
enum Reading {
    One(Decimal),
    /// Nobody can tell.
    Two {
        smaller: Decimal,
        larger: Decimal,
    },
}

/// Arabic has separators of its own, which are never mistaken for each other.
const ARABIC_DECIMAL: char = '\u{66B}';
const ARABIC_GROUP: char = '\u{66C}';

/// Reads a number as people type it: in either width and any script's digits, with a sign, a currency or percent sign, and
/// separators.
fn typed(text: &str, is_percent: bool, decimal: impl FnOnce() -> Option<Separator>) -> Option<Typed> {
    let plain: String = fold(text).chars().map(plain).collect();
    let (mut negative, mut text) = sign(&plain);
    let mut currency = None;
    if is_percent {
        text = text.strip_suffix(['%', '\u{66A}']).unwrap_or(text).trim_end();
    } else if !text.starts_with(is_digit) || !text.ends_with(is_digit) {
        (text, currency) = money::amount(text);
    }
    // A second sign, as in `-¥-5`, is an error.
    if !negative {
        (negative, text) = sign(text);
    }
    // A separator at the end separates nothing, and tells nothing about the others.
    if let Some(rest) = text.strip_suffix(['.', ',']).filter(|rest| rest.ends_with(is_digit)) {
        text = rest;
    }
    let with = |mark: Option<usize>| Decimal::of(negative, text, mark);
    let number = match mark(text) {
        Mark::None => Reading::One(with(None)?),
        Mark::At(at) => Reading::One(with(Some(at))?),
        // Few numbers need the lists of languages.
        Mark::Either(at, separator) => match decimal() {
            Some(decimal) => Reading::One(with((decimal == separator).then_some(at))?),
            None => Reading::Two { smaller: with(Some(at))?, larger: with(None)? },
        },
    };
    Some(Typed { number, currency: currency.map(str::to_owned) })
}

/// A character as numbers are read: digits of any script, and one kind of blank, quotation mark and dash.
fn plain(c: char) -> char {
    if c.is_ascii_alphanumeric() {
        return c;
    }
    if let Some(value) = digit(c) {
        return char::from(b'0' + value);
    }
    match class(c) {
        Class::Blank => ' ',
        Class::Quote => '\'',
        Class::Dash => '-',
        _ => c,
    }
}

/// Where the decimal separator is.
enum Mark {
    None,
    At(usize),
    /// Here, or nowhere: then this separates thousands.
    Either(usize, Separator),
}

fn mark(text: &str) -> Mark {
    if let Some(at) = text.find(ARABIC_DECIMAL) {
        return Mark::At(at);
    }
    let Some(at) = text.rfind(['.', ',']) else { return Mark::None };
    let (whole, behind) = text.split_at_checked(at).unwrap_or_default();
    let (mark, fraction) = behind.split_at_checked(1).unwrap_or_default();
    if whole.contains(mark) {
        // A number has one decimal separator.
        Mark::None
    } else if fraction.len() != 3 || whole.len() > 3 || whole.is_empty() || whole.starts_with('0') {
        // Thousands have three digits, and a number that has some has one to three before them, of which none is a leading zero.
        Mark::At(at)
    } else {
        Mark::Either(at, if mark == "," { Separator::Comma } else { Separator::Point })
    }
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
    /// Reads digits with their separators. `mark` is where the decimal separator is.
    fn of(negative: bool, text: &str, mark: Option<usize>) -> Option<Self> {
        let (whole, fraction) = match mark {
            Some(at) => {
                let (whole, behind) = text.split_at_checked(at)?;
                let mut fraction = behind.chars();
                fraction.next();
                (whole, fraction.as_str())
            }
            None => (text, ""),
        };
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
    match text.strip_prefix(['-', '▲', '△']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text).trim_start()),
    }
}

/// Digits without separators of thousands, which must be all the same, three digits apart, and not follow a leading zero. In India,
/// commas are two digits apart from the thousands on.
fn ungrouped(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let Some(separator) = text.chars().find(|c| !c.is_ascii_digit()) else { return Some(digits) };
    if text.starts_with('0') || !matches!(separator, ',' | '.' | ' ' | '\'' | ARABIC_GROUP) {
        return None;
    }
    let mut groups = text.rsplit(separator);
    let is_whole =
        |group: &str, most: usize| (1..=most).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit());
    let last = groups.next()?;
    let mut size = None;
    let mut further = groups.peekable();
    while let Some(group) = further.next() {
        let is_first = further.peek().is_none();
        let fits = match size {
            _ if is_first => is_whole(group, size.unwrap_or(3)),
            Some(size) => is_whole(group, size) && group.len() == size,
            None => {
                size = Some(group.len());
                is_whole(group, 3) && (group.len() == 3 || (group.len() == 2 && separator == ','))
            }
        };
        if !fits {
            return None;
        }
    }
    (is_whole(last, 3) && last.len() == 3).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::field,
        value::{Context, fit},
    };
    use proptest::prelude::*;

    fn with_digits(field_type: FieldType, precision: u32, scale: u32) -> LeadField<'static> {
        LeadField { precision, scale, ..field("Field__c", field_type) }
    }

    fn written(given: &str, field: &LeadField<'_>) -> (Option<String>, Option<&'static str>) {
        let context = Context { locale: Some("ja"), ..Context::default() };
        match fit(&Value::Text(given.to_owned()), field, context) {
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
            (FieldType::Number, "012,500", "12.5"),
            (FieldType::Number, "1234,5", "1234.5"),
            (FieldType::Number, "12,34,567", "1234567"),
            (FieldType::Number, "1 234,5", "1234.5"),
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
            // What has a currency says so in a field for amounts.
            let code = (field_type == FieldType::Currency).then_some(codes::CURRENCY_NOT_CARRIED);
            let field = with_digits(field_type, 18, 2);
            assert_eq!(written(given, &field), (Some(expected.to_owned()), code), "{given}");
        }
    }

    #[test]
    fn the_locale_decides_what_the_shape_does_not() {
        let field = with_digits(FieldType::Number, 18, 3);
        for (given, locale, expected) in [
            ("1.500", Some("de"), Ok("1500")),
            ("1.500", Some("hu"), Ok("1500")),
            ("1,500", Some("fr"), Ok("1.5")),
            ("1.500", Some("ja"), Ok("1.5")),
            ("1,500", Some("en"), Ok("1500")),
            ("1.500", None, Err("1.5 or 1500")),
            ("1,500", Some("xx"), Err("1.5 or 1500")),
            ("0,500", None, Ok("0.5")),
            ("1,234.567", Some("de"), Ok("1234.567")),
            ("١٬٥٠٠٫٥", None, Ok("1500.5")),
        ] {
            let value = Value::Text(given.to_owned());
            let fitted = fit(&value, &field, Context { locale, ..Context::default() });
            let found = fitted.map(|fitted| fitted.value).map_err(|note| note.message);
            let expected = expected.map(|number| Json::Number(number.to_owned())).map_err(str::to_owned);
            assert_eq!(found, expected, "{given} {locale:?}");
        }
        // The contract's own decimals have a point, whatever the guest's language.
        let given = Value::Number("1.500".into());
        let fitted = fit(&given, &field, Context { locale: Some("de"), ..Context::default() });
        assert_eq!(fitted.unwrap().value, Json::Number("1.5".into()));
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
            "1e5",
            "NaN",
            "十二",
            "1-2",
            "1,234,56",
            "0,500,000",
            "0,500.25",
            "0 500",
            "1.234.567.8",
            "1,234.567,8",
            "1 234,567.8",
            "--1",
            "1..2",
            "33%",
        ] {
            assert_eq!(written(given, &field).1, Some(codes::NUMBER_INVALID), "{given}");
        }
        let several = vec!["1".to_owned(), "2".to_owned()];
        for given in [Value::Boolean(true), Value::Choices(several)] {
            assert!(fit(&given, &field, Context::default()).is_err());
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
