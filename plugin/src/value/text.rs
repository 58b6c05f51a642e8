//! Text: free text, which is cut if too long, and email, telephone and web addresses, which are not.

use super::{
    Fit, Fitted, Json, Note, as_text,
    html::{Escaped, escaped},
    unfit,
};
use crate::{bindings::types::Value, codes, field::LeadField};
use crm_characters::{Class, class, fold, is_blank, trimmed};
use salesforce_text::charset::{cleaned, is_refused};
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation as _;

/// The greatest length that Salesforce may count for a text.
///
/// Salesforce documents "characters" and runs on UTF-16, so that a character outside the basic plane may count twice; a line
/// break in a text area may be stored as two characters. With the greater count nothing is sent that would be refused.
fn units(text: &str, line_breaks_count_twice: bool) -> usize {
    let mut units = 0;
    let mut before = '\0';
    for c in text.chars() {
        units += c.len_utf16() + usize::from(line_breaks_count_twice && c == '\n' && before != '\r');
        before = c;
    }
    units
}

/// How to treat a text that does not fit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text of one line: cut to the field's length, between grapheme clusters.
    Line,
    /// Free text whose line breaks may count twice: cut too.
    Area,
    /// A phone number, a URL, or a type of unknown meaning: written whole or not at all.
    Whole,
}

/// A text without the characters that Salesforce refuses.
#[inline(never)]
pub fn text<'a>(given: &'a Value, field: &LeadField<'_>, kind: Kind) -> Fit<'a> {
    let text = as_text(given);
    let text = if kind == Kind::Whole { trimmed(text) } else { text };
    let (mut text, removed) = match cleaned(&text) {
        Some(clean) => (Cow::Owned(clean), true),
        None => (text, false),
    };
    if field.html {
        return in_html(&text, removed, field);
    }
    let is_area = kind == Kind::Area;
    if let Some(mut note) = too_long(&text, field, is_area) {
        if kind == Kind::Whole {
            return Err(note);
        }
        let end = cut(&text, limit(field), is_area);
        match &mut text {
            Cow::Borrowed(text) => *text = text.get(..end).unwrap_or_default(),
            Cow::Owned(text) => text.truncate(end),
        }
        if is_blank(&text) {
            return Err(note);
        }
        note.code = codes::VALUE_SHORTENED;
        return Ok(Fitted::from(Json::Text(text)).noting(Some(note)));
    }
    Ok(Fitted::from(Json::Text(text)).noting(removal(removed)))
}

fn removal(removed: bool) -> Option<Note> {
    removed.then(|| Note::new(codes::CHARACTERS_REMOVED, "control characters were removed"))
}

/// A text for a field that holds HTML.
fn in_html<'a>(text: &str, removed: bool, field: &LeadField<'_>) -> Fit<'a> {
    let limit = limit(field);
    let Escaped { html, length, is_cut } = escaped(text, limit);
    let shortening = is_cut.then(|| Note { code: codes::VALUE_SHORTENED, ..longer(length, limit) });
    match shortening {
        Some(note) if is_blank(&html) => Err(Note { code: codes::VALUE_TOO_LONG, ..note }),
        shortening => Ok(Fitted::from(Json::Text(html.into())).noting(shortening).noting(removal(removed))),
    }
}

/// An email address. Rejects only what cannot be an address; Salesforce checks the rest.
pub fn email<'a>(given: &'a Value, field: &LeadField<'_>) -> Fit<'a> {
    let text = trimmed(as_text(given));
    // Japanese input methods may write an address in full-width letters, which no server accepts.
    let (text, replaced) = match fold(&text) {
        Cow::Borrowed(_) => (text, None),
        Cow::Owned(folded) => {
            let note = Note::new(codes::CHARACTERS_REPLACED, format!("written as {folded}")).with("value", &folded);
            (Cow::Owned(folded), Some(note))
        }
    };
    if !is_address(&text) {
        return unfit(codes::EMAIL_INVALID, "not an email address");
    }
    match too_long(&text, field, false) {
        Some(note) => Err(note),
        None => Ok(Fitted::from(Json::Text(text)).noting(replaced)),
    }
}

/// Whether a text can be one address: a single `@`, none of the signs that separate or enclose addresses (RFC 5322), and a domain with
/// a dot, which Salesforce asks for. Salesforce refuses some more.
fn is_address(text: &str) -> bool {
    // Byte by byte, because every booking has an address.
    let (mut at, mut dots, mut before) = (None, 0, b'.');
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'@' if at.is_some() || place == 0 => return false,
            b'@' => (at, before) = (Some(place), b'.'),
            // Neither a label nor its end is a hyphen, and no label is empty.
            b'.' | b'-' if at.is_some() && before == b'.' => return false,
            b'.' if at.is_some() && before == b'-' => return false,
            b'.' if at.is_some() => (dots, before) = (dots + 1, b'.'),
            0..=b' ' | 0x7F | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b',' | b';' | b':' | b'"' => return false,
            _ => before = byte,
        }
    }
    let is_whole = at.is_some() && dots > 0 && !matches!(before, b'.' | b'-');
    is_whole && (text.is_ascii() || !text.contains(|c: char| is_refused(c) || class(c) == Class::Blank))
}

/// The note about a text that is longer than the field.
pub fn too_long(text: &str, field: &LeadField<'_>, is_area: bool) -> Option<Note> {
    let limit = limit(field);
    // A text has at least as many bytes as units, apart from line breaks that count twice.
    if text.len().saturating_mul(1 + usize::from(is_area)) <= limit {
        return None;
    }
    let length = units(text, is_area);
    (length > limit).then(|| longer(length, limit))
}

fn longer(length: usize, limit: usize) -> Note {
    let message = format!("{length} characters; the field takes {limit}");
    Note::new(codes::VALUE_TOO_LONG, message).with("length", length).with("limit", limit)
}

/// The field's length; a field without one has no limit.
fn limit(field: &LeadField<'_>) -> usize {
    match field.length {
        None | Some(0) => usize::MAX,
        Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
    }
}

/// Where to cut: after the last grapheme cluster that fits.
fn cut(text: &str, limit: usize, is_area: bool) -> usize {
    let mut left = limit;
    let mut end = 0;
    for cluster in text.graphemes(true) {
        match left.checked_sub(units(cluster, is_area)) {
            Some(rest) => left = rest,
            None => break,
        }
        end += cluster.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bindings::types::FieldType,
        fixture::field,
        value::{Context, fit, present},
    };
    use proptest::prelude::*;

    fn with_length(field_type: FieldType, length: u32) -> LeadField<'static> {
        LeadField { length: Some(length), ..field("Field__c", field_type) }
    }

    fn text(given: &str, field: &LeadField<'_>) -> (Option<String>, Option<&'static str>) {
        match fit(&Value::Text(given.to_owned()), field, Context::default()) {
            Ok(Fitted { value: Json::Text(text), notes }) => {
                (Some(text.into_owned()), notes.first().map(|note| note.code))
            }
            Err(note) => (None, Some(note.code)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn free_text_is_cut_between_characters_as_people_see_them() {
        for (given, length, expected) in [
            ("12345", 5, "12345"),
            ("123456", 5, "12345"),
            ("日本語です", 3, "日本語"),
            // A woman at a computer is three code points, five UTF-16 units and one character.
            ("ab👩‍💻", 7, "ab👩‍💻"),
            ("ab👩‍💻", 6, "ab"),
            ("が\u{3099}x", 1, ""),
            ("e\u{301}e\u{301}", 3, "e\u{301}"),
            ("🇯🇵🇯🇵", 7, "🇯🇵"),
        ] {
            let (written, code) = text(given, &with_length(FieldType::Text, length));
            if expected.is_empty() {
                assert_eq!((written, code), (None, Some(codes::VALUE_TOO_LONG)), "{given}");
            } else {
                let shortened = (expected != given).then_some(codes::VALUE_SHORTENED);
                assert_eq!((written.as_deref(), code), (Some(expected), shortened), "{given}");
            }
        }
    }

    #[test]
    fn line_breaks_in_a_text_area_may_count_twice() {
        assert_eq!(text("a\nb", &with_length(FieldType::TextArea, 4)).0.as_deref(), Some("a\nb"));
        assert_eq!(text("a\nb", &with_length(FieldType::TextArea, 3)).0.as_deref(), Some("a\n"));
        assert_eq!(text("a\r\nb", &with_length(FieldType::TextArea, 4)).0.as_deref(), Some("a\r\nb"));
        assert_eq!(text("a\nb", &with_length(FieldType::Text, 3)).0.as_deref(), Some("a\nb"));
    }

    #[test]
    fn addresses_are_never_cut() {
        for (field_type, given) in [
            (FieldType::Email, "taro@example.com"),
            (FieldType::Phone, "+81-3-1234-5678"),
            (FieldType::Url, "https://example.com/?a=1"),
        ] {
            assert_eq!(text(given, &with_length(field_type.clone(), 80)), (Some(given.to_owned()), None));
            assert_eq!(text(given, &with_length(field_type, 10)), (None, Some(codes::VALUE_TOO_LONG)));
        }
    }

    #[test]
    fn a_text_that_cannot_be_an_address_is_a_finding() {
        let field = with_length(FieldType::Email, 80);
        for given in [
            "123",
            "@example.com",
            "taro@",
            "taro yamada@example.com",
            "a@b\nc",
            "a@b",
            "<a@b.example>",
            "mailto:a@b.example",
            "a@b.example;",
            "a@b.example,c@d.example",
            "a@b@c.example",
            "a@b..example",
            "a\u{2800}b@c.example",
        ] {
            assert_eq!(text(given, &field), (None, Some(codes::EMAIL_INVALID)), "{given}");
        }
        for (given, expected, code) in [
            (" o'neil+tag@x.org ", "o'neil+tag@x.org", None),
            ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "taro@example.com", Some(codes::CHARACTERS_REPLACED)),
            ("taro@\u{200B}example.com", "taro@example.com", Some(codes::INVISIBLE_CHARACTERS_REMOVED)),
            ("太郎@example.jp", "太郎@example.jp", None),
        ] {
            assert_eq!(text(given, &field), (Some(expected.to_owned()), code), "{given}");
        }
    }

    #[test]
    fn control_characters_are_removed_with_a_finding() {
        let field = with_length(FieldType::Text, 80);
        assert_eq!(text("a\0b\u{1b}c", &field), (Some("abc".to_owned()), Some(codes::CHARACTERS_REMOVED)));
        assert_eq!(text("a\tb\r\n", &field), (Some("a\tb\r\n".to_owned()), None));
        // C1 too, among them U+0085, which Unicode has for a line break.
        assert_eq!(text("a\u{80}\u{85}\u{9F}b", &field), (Some("ab".to_owned()), Some(codes::CHARACTERS_REMOVED)));
    }

    #[test]
    fn a_text_of_control_characters_is_blank() {
        for given in ["\0", "\u{1} \u{7F}", "\u{85}", "\u{3000}\u{9F}"] {
            for value in [Value::Text(given.to_owned()), Value::Choices(vec![given.to_owned()])] {
                assert_eq!(present(Some(&value)), None, "{given:?}");
            }
            assert!(is_blank(given));
        }
        assert!(!is_blank("\0a"));
    }

    #[test]
    fn what_has_a_meaning_of_its_own_is_never_cut() {
        let types = [FieldType::Phone, FieldType::Url, FieldType::TextOrChoice]
            .into_iter()
            .chain(["encryptedstring", "base64", "anytype"].map(|name| FieldType::Other(name.into())));
        for field_type in types {
            let field = with_length(field_type.clone(), 5);
            assert_eq!(text("123456", &field), (None, Some(codes::VALUE_TOO_LONG)), "{field_type:?}");
            assert_eq!(text(" 12345 ", &field), (Some("12345".to_owned()), None), "{field_type:?}");
        }
    }

    #[test]
    fn long_answers_fill_their_field_and_no_more() {
        for (piece, length, kept) in
            [("a", 4_000, 255), ("あ", 4_000, 255), ("👩‍💻", 4_000, 51), ("e\u{301}", 4_000, 127)]
        {
            let given = piece.repeat(length);
            for field_type in [FieldType::Text, FieldType::TextArea] {
                let expected = (Some(piece.repeat(kept)), Some(codes::VALUE_SHORTENED));
                assert_eq!(text(&given, &with_length(field_type.clone(), 255)), expected, "{piece}");
                assert_eq!(text(&given, &with_length(field_type, 32_000)), (Some(given.clone()), None), "{piece}");
            }
        }
    }

    #[test]
    fn numbers_words_and_choices_become_text() {
        let field = with_length(FieldType::Text, 80);
        let choices = vec!["予約".to_owned(), "請求".to_owned()];
        for (given, expected) in [
            (Value::Number("-12.50".into()), "-12.50"),
            (Value::Boolean(true), "true"),
            (Value::Choices(choices), "予約, 請求"),
        ] {
            assert_eq!(fit(&given, &field, Context::default()), Ok(Json::Text(expected.into()).into()));
        }
        assert_eq!(text("x", &field_of_unknown_type()), (Some("x".to_owned()), None));
    }

    fn field_of_unknown_type() -> LeadField<'static> {
        field("Field__c", FieldType::Other("encryptedstring".into()))
    }

    proptest! {
        #[test]
        fn what_is_cut_fits_and_is_the_start(given in any::<String>(), length in 1_u32..60) {
            for field_type in [FieldType::Text, FieldType::TextArea] {
                let is_area = field_type == FieldType::TextArea;
                if let (Some(written), code) = text(&given, &with_length(field_type, length)) {
                    prop_assert!(units(&written, is_area) <= length as usize);
                    if code != Some(codes::CHARACTERS_REMOVED) {
                        let clean = cleaned(&given).unwrap_or_else(|| given.clone());
                        prop_assert!(clean.starts_with(&written));
                    }
                }
            }
        }
    }
}
