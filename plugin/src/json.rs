//! JSON (RFC 8259), read from the front.
//!
//! `serde_json` reads as fast, but weighs a quarter of the component: its deserialiser is generated anew for every type, and its
//! errors bring the formatting of floating-point numbers. This reader is held to accept what `serde_json` accepts.

use std::borrow::Cow;

/// How deep values may be nested; no answer of Salesforce is half as deep, and the stack is small.
const DEEPEST: u8 = 100;

/// A text that is read as JSON. Every method answers `None` where the text is not JSON, and the reader is of no use after that.
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
}

/// A value that is no list and no object.
#[derive(Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A string, borrowed where it has no escapes.
    Text(Cow<'a, str>),
    /// True or false.
    Truth(bool),
    /// A number as it is written.
    Number(&'a str),
    /// Null.
    Null,
}

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// An object.
    Object,
    /// A list.
    List,
    /// Anything else.
    Scalar,
}

impl<'a> Reader<'a> {
    /// Reads this text.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// How far the text was read, in bytes.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Whether nothing but blanks is left.
    pub fn is_done(&mut self) -> bool {
        self.peek().is_none()
    }

    /// What comes next.
    pub fn next(&mut self) -> Option<Next> {
        Some(match self.peek()? {
            b'{' => Next::Object,
            b'[' => Next::List,
            _ => Next::Scalar,
        })
    }

    /// Reads an object; each member's value is read by `member`.
    pub fn members(&mut self, mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Option<()>) -> Option<()> {
        self.open(b'{')?;
        if self.peek()? == b'}' {
            return self.close();
        }
        loop {
            self.peek()?;
            let name = self.string()?;
            self.expect(b':')?;
            member(self, name)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => return self.close(),
                _ => return None,
            }
        }
    }

    /// Reads a list; each item is read by `item`.
    pub fn items(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.open(b'[')?;
        if self.peek()? == b']' {
            return self.close();
        }
        loop {
            item(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => return self.close(),
                _ => return None,
            }
        }
    }

    /// Passes over any value.
    pub fn skip(&mut self) -> Option<()> {
        match self.next()? {
            Next::Object => self.members(|reader, _| reader.skip()),
            Next::List => self.items(Self::skip),
            Next::Scalar => self.scalar().map(drop),
        }
    }

    /// Reads a value that is no list and no object.
    pub fn scalar(&mut self) -> Option<Scalar<'a>> {
        Some(match self.peek()? {
            b'"' => Scalar::Text(self.string()?),
            b't' => self.word("true", Scalar::Truth(true))?,
            b'f' => self.word("false", Scalar::Truth(false))?,
            b'n' => self.word("null", Scalar::Null)?,
            _ => Scalar::Number(self.number()?),
        })
    }

    fn word(&mut self, word: &str, value: Scalar<'a>) -> Option<Scalar<'a>> {
        self.rest().starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.take_if(|byte| byte == b'-');
        if !self.take_if(|byte| byte == b'0') {
            self.digits()?;
        }
        if self.take_if(|byte| byte == b'.') {
            self.digits()?;
        }
        if self.take_if(|byte| matches!(byte, b'e' | b'E')) {
            self.take_if(|byte| matches!(byte, b'+' | b'-'));
            self.digits()?;
        }
        self.text.get(start..self.at)
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take_if(|byte| byte == b'"').then_some(())?;
        let piece = self.plain()?;
        if self.take_if(|byte| byte == b'"') {
            return Some(Cow::Borrowed(piece));
        }
        let mut text = piece.to_owned();
        loop {
            if self.take_if(|byte| byte == b'"') {
                return Some(Cow::Owned(text));
            }
            text.push(self.escaped()?);
            text.push_str(self.plain()?);
        }
    }

    /// What stands for itself in a string.
    fn plain(&mut self) -> Option<&'a str> {
        let start = self.at;
        let length = self.rest().iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F))?;
        self.at += length;
        self.text.get(start..self.at)
    }

    fn escaped(&mut self) -> Option<char> {
        self.take_if(|byte| byte == b'\\').then_some(())?;
        let letter = *self.rest().first()?;
        self.at += 1;
        Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    // A lone low half is no character.
                    return char::from_u32(unit);
                }
                self.word("\\u", Scalar::Null)?;
                let low = self.unit()?;
                let is_low = (0xDC00..0xE000).contains(&low);
                return is_low.then(|| char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00)))?;
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let (digits, _) = self.rest().split_at_checked(4)?;
        let mut unit = 0;
        for digit in digits {
            unit = unit << 4 | char::from(*digit).to_digit(16)?;
        }
        self.at += 4;
        Some(unit)
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.expect(bracket)?;
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())
    }

    fn close(&mut self) -> Option<()> {
        self.at += 1;
        self.depth -= 1;
        Some(())
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.rest().first()? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn take_if(&mut self, is_wanted: impl Fn(u8) -> bool) -> bool {
        let taken = self.rest().first().is_some_and(|byte| is_wanted(*byte));
        self.at += usize::from(taken);
        taken
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;
    use proptest::prelude::*;
    use serde_json::Value;

    fn tree_of(value: &Value) -> Tree {
        match value {
            Value::Null => Tree::Null,
            Value::Bool(truth) => Tree::Truth(*truth),
            Value::Number(number) => Tree::Number(number.as_f64().unwrap()),
            Value::String(text) => Tree::Text(text.clone()),
            Value::Array(items) => Tree::List(items.iter().map(tree_of).collect()),
            Value::Object(members) => {
                Tree::Object(members.iter().map(|(name, value)| (name.clone(), tree_of(value))).collect())
            }
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            // Exact in binary, so that both readers round alike.
            any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Whether both readers say the same of a text.
    fn assert_agreed(text: &str) {
        let theirs = serde_json::from_str::<Value>(text);
        let ours = Tree::parse(text);
        // A number may be JSON and too large for 64 bits.
        if theirs.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range")) {
            return;
        }
        assert_eq!(ours.is_some(), theirs.is_ok(), "{text:?}: {theirs:?}");
    }

    #[test]
    fn what_is_json_and_what_is_not_is_beyond_dispute() {
        for text in [
            "",
            " ",
            "null",
            "nul",
            "nulll",
            "true false",
            "[]",
            "[1,]",
            "[,1]",
            "{}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "01",
            "-",
            "-0",
            "-01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1E-7",
            "1e5x",
            "+1",
            "0x1",
            "NaN",
            "\"",
            "\"a",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12G4\"",
            "\"\\uD800\"",
            "\"\\uD800x\"",
            "\"\\uDC00\"",
            "\"\\uD83D\\uDE00\"",
            "\"\\uD83D\\u0041\"",
            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
            "[[[[]]]]",
            "[[[[]]]",
            "]",
            "}",
            "\u{FEFF}{}",
            " \n\r\t[ 1 , 2 ] ",
            "\u{A0}1",
            "[1 2]",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1}{",
            "tru",
            "\"\u{7F}\"",
        ] {
            assert_agreed(text);
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused_and_does_no_harm() {
        for brackets in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |depth: usize| [brackets.0.repeat(depth), "1".into(), brackets.1.repeat(depth)].concat();
            assert!(Tree::parse(&nested(100)).is_some());
            assert!(Tree::parse(&nested(101)).is_none());
            assert!(Reader::new(&nested(100_000)).skip().is_none());
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read_as_serde_json_reads_it(value in any_value(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let expected: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Tree::parse(&text), Some(tree_of(&expected)));
            let mut reader = Reader::new(&text);
            prop_assert!(reader.skip().is_some() && reader.is_done());
        }

        #[test]
        fn a_damaged_text_is_refused_by_both_or_neither(
            value in any_value(), place in any::<prop::sample::Index>(), damage in "[\\[\\]{},:\"\\\\0-9eE+. a-z\n-]{0,2}",
        ) {
            let text = value.to_string();
            let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            let at = places[place.index(places.len())];
            assert_agreed(&[&text[..at], &damage, &text[at..]].concat());
            assert_agreed(&text[..at]);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]{},:\"\\\\u0-9a-fA-FtrueEnl+. -]{0,30}") {
            assert_agreed(&text);
        }
    }
}
