//! SOQL text and URLs, escaped as Salesforce reads them.

use crm_characters::fold;

/// Whether a text can be the API name of a field. Names cannot be escaped, so that only these may be in a query.
pub fn is_field_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Appends a string literal. `'` and `\` are reserved; a backslash before anything else is an error (SOQL and
/// SOSL reference, "Quoted String Escape Sequences").
pub fn push_literal(soql: &mut String, text: &str) {
    soql.push('\'');
    for c in text.chars() {
        match c {
            '\'' => soql.push_str("\\'"),
            '\\' => soql.push_str("\\\\"),
            '"' => soql.push_str("\\\""),
            '\n' => soql.push_str("\\n"),
            '\r' => soql.push_str("\\r"),
            '\t' => soql.push_str("\\t"),
            '\u{8}' => soql.push_str("\\b"),
            '\u{C}' => soql.push_str("\\f"),
            c if c.is_ascii_control() => {
                soql.push_str("\\u00");
                push_hex(soql, c as u8);
            }
            c => soql.push(c),
        }
    }
    soql.push('\'');
}

/// Appends a text as part of a query string: only unreserved characters stand for themselves (RFC 3986, section 2.3), so
/// that `+` in an address stays a plus.
pub fn push_encoded(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            push_percent(url, byte);
        }
    }
}

fn push_percent(url: &mut String, byte: u8) {
    url.push('%');
    push_hex(url, byte);
}

fn push_hex(out: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        out.push(char::from(digit + if digit < 10 { b'0' } else { b'A' - 10 }));
    }
}

/// The value of the booking-id field: team and booking, so that teams may share an org.
///
/// Both are escaped so that two pairs never give the same key, whatever Salesforce trims or treats as equal:
/// everything but visible ASCII, and `%` and `/`, is percent-encoded. Case is compared after reading.
pub fn booking_key(team: &str, booking: &str) -> String {
    let mut key = String::with_capacity(team.len() + booking.len() + 1);
    for (place, id) in [team, booking].into_iter().enumerate() {
        if place > 0 {
            key.push('/');
        }
        for byte in id.bytes() {
            if byte.is_ascii_graphic() && !matches!(byte, b'%' | b'/') {
                key.push(char::from(byte));
            } else {
                push_percent(&mut key, byte);
            }
        }
    }
    key
}

/// An address for a query: trimmed, in usual width. `None` if no Lead can have it.
pub fn address(text: &str) -> Option<String> {
    let text = fold(text.trim()).into_owned();
    // A Lead's email field has 80 characters.
    (!text.is_empty() && text.len() <= 320 && text.contains('@')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn literal(text: &str) -> String {
        let mut soql = String::new();
        push_literal(&mut soql, text);
        soql
    }

    /// Reads a literal as the reference describes it.
    fn unescaped(literal: &str) -> Option<String> {
        let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        let mut text = String::new();
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            match c {
                '\'' => return None,
                '\\' => match chars.next()? {
                    'n' | 'N' => text.push('\n'),
                    'r' | 'R' => text.push('\r'),
                    't' | 'T' => text.push('\t'),
                    'b' | 'B' => text.push('\u{8}'),
                    'f' | 'F' => text.push('\u{C}'),
                    c @ ('"' | '\'' | '\\') => text.push(c),
                    'u' => {
                        let code: String = chars.by_ref().take(4).collect();
                        text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                    }
                    _ => return None,
                },
                c => text.push(c),
            }
        }
        Some(text)
    }

    #[test]
    fn quotes_and_backslashes_end_no_literal() {
        for (text, expected) in [
            ("o'neil@x.org", "'o\\'neil@x.org'"),
            ("\\' OR Name LIKE '%", "'\\\\\\' OR Name LIKE \\'%'"),
            ("a\nb\"c", "'a\\nb\\\"c'"),
            ("日本語👩‍💻", "'日本語👩‍💻'"),
            ("\u{1}", "'\\u0001'"),
        ] {
            assert_eq!(literal(text), expected);
        }
    }

    #[test]
    fn long_texts_of_what_is_reserved_come_back_whole() {
        for piece in [
            "'",
            "\\",
            "\\'",
            "\"",
            "+",
            "%",
            "%27",
            "_",
            "👩‍💻",
            "\u{1F600}",
            "\r\n",
            "\u{8}\u{C}\u{1}",
            "' OR Name != '",
        ] {
            let text = piece.repeat(4_000);
            let literal = literal(&text);
            assert_eq!(unescaped(&literal), Some(text), "{piece:?}");
            // In a URL nothing of it is left that ends a query's value, or that reads as a blank.
            let mut url = String::new();
            push_encoded(&mut url, &literal);
            assert!(url.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{piece:?}");
        }
    }

    #[test]
    fn an_address_is_looked_for_as_it_is_stored() {
        for (text, expected) in [
            (" o'neil+tag%@x.org ", Some("o'neil+tag%@x.org")),
            ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", Some("taro@example.com")),
            ("\\' OR Email LIKE '%@", Some("\\' OR Email LIKE '%@")),
            ("taro", None),
            ("　", None),
        ] {
            assert_eq!(address(text).as_deref(), expected, "{text}");
        }
        assert_eq!(address(&format!("{}@x.org", "a".repeat(4_000))), None);
    }

    #[test]
    fn a_plus_in_an_address_stays_a_plus() {
        let mut url = String::new();
        push_encoded(&mut url, "a+b@x.org / 100%&日");
        assert_eq!(url, "a%2Bb%40x.org%20%2F%20100%25%26%E6%97%A5");
    }

    #[test]
    fn only_field_names_stand_in_a_query() {
        assert!(is_field_name("Booking_Id__c") && is_field_name("LastName"));
        for name in ["", "1a", "_a", "a b", "a,b", "a'", "Ñ", "Owner.Name"] {
            assert!(!is_field_name(name), "{name}");
        }
    }

    #[test]
    fn keys_tell_every_pair_of_ids_apart() {
        assert_eq!(booking_key("team-1", "b-1"), "team-1/b-1");
        for (one, other) in [
            (("a/b", "c"), ("a", "b/c")),
            (("a", "b "), ("a", "b")),
            (("a%2F", "b"), ("a/", "b")),
            (("a", "é"), ("a", "e")),
            (("Ａ", "b"), ("A", "b")),
        ] {
            assert_ne!(booking_key(one.0, one.1), booking_key(other.0, other.1));
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back_out_of_its_literal(text in any::<String>()) {
            prop_assert_eq!(unescaped(&literal(&text)), Some(text));
        }

        #[test]
        fn different_pairs_have_different_keys(a in any::<(String, String)>(), b in any::<(String, String)>()) {
            prop_assert_eq!(booking_key(&a.0, &a.1) == booking_key(&b.0, &b.1), a == b);
            prop_assert!(booking_key(&a.0, &a.1).bytes().all(|byte| byte.is_ascii_graphic()));
        }

        #[test]
        fn encoded_text_decodes_to_itself(text in any::<String>()) {
            let mut encoded = String::new();
            push_encoded(&mut encoded, &text);
            let mut bytes = Vec::new();
            let mut rest = encoded.bytes();
            while let Some(byte) = rest.next() {
                if byte == b'%' {
                    let hex: Vec<u8> = rest.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
                } else {
                    bytes.push(byte);
                }
            }
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), text);
        }
    }
}
