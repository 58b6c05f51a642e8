//! Finds secrets in responses, in every common encoding. Such a response is withheld, not cleaned: a server that repeats a
//! credential once may encode it in an unexpected way the next time.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// Shorter secrets would match by chance.
pub(crate) const SHORTEST: usize = 8;

/// Searches for secrets in every common encoding.
pub(crate) struct EchoScanner {
    needles: Vec<Finder<'static>>,
}

impl EchoScanner {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut spellings: Vec<Vec<u8>> = secrets
            .into_iter()
            .filter(|secret| secret.len() >= SHORTEST)
            .flat_map(|secret| spellings(secret.as_bytes()))
            .collect();
        spellings.sort();
        spellings.dedup();
        Self { needles: spellings.iter().map(|needle| Finder::new(needle).into_owned()).collect() }
    }

    pub(crate) fn finds_in(&self, haystack: &[u8]) -> bool {
        self.needles.iter().any(|needle| needle.find(haystack).is_some())
    }
}

fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let percent = percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let upper_hex: String = secret.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut all = vec![
        secret.to_vec(),
        percent.to_ascii_lowercase_escapes().into_bytes(),
        form_encoded(secret),
        percent.into_bytes(),
        json_escaped(secret, Escaped::Needed),
        json_escaped(secret, Escaped::SlashToo),
        json_escaped(secret, Escaped::AsUnicode),
        html_escaped(secret),
        upper_hex.to_ascii_lowercase().into_bytes(),
        upper_hex.into_bytes(),
        utf_16(secret, u16::to_le_bytes),
        utf_16(secret, u16::to_be_bytes),
    ];
    for offset in 0..3 {
        all.push(base64_at(secret, offset, &STANDARD_NO_PAD));
        all.push(base64_at(secret, offset, &URL_SAFE_NO_PAD));
    }
    all
}

trait LowercaseEscapes {
    fn to_ascii_lowercase_escapes(&self) -> String;
}

impl LowercaseEscapes for String {
    /// `%2F` as `%2f`; other characters stay.
    fn to_ascii_lowercase_escapes(&self) -> String {
        let mut after_percent = 0u8;
        self.chars()
            .map(|c| {
                if c == '%' {
                    after_percent = 2;
                    c
                } else if after_percent > 0 {
                    after_percent -= 1;
                    c.to_ascii_lowercase()
                } else {
                    c
                }
            })
            .collect()
    }
}

/// Encoded as in HTML forms, where unreserved punctuation stays.
fn form_encoded(secret: &[u8]) -> Vec<u8> {
    url::form_urlencoded::byte_serialize(secret).collect::<String>().into_bytes()
}

/// What a JSON writer escapes. Some escape `/`, so that `</script>` cannot occur in a page, and some all punctuation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escaped {
    Needed,
    SlashToo,
    AsUnicode,
}

fn json_escaped(secret: &[u8], escaped: Escaped) -> Vec<u8> {
    let mut text = Vec::with_capacity(secret.len() * 2);
    for &byte in secret {
        if escaped == Escaped::AsUnicode && !byte.is_ascii_alphanumeric() {
            text.extend(format!("\\u{byte:04x}").bytes());
        } else {
            if matches!(byte, b'"' | b'\\') || (byte == b'/' && escaped == Escaped::SlashToo) {
                text.push(b'\\');
            }
            text.push(byte);
        }
    }
    text
}

fn html_escaped(secret: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(secret.len());
    for &byte in secret {
        match byte {
            b'&' => text.extend(b"&amp;"),
            b'<' => text.extend(b"&lt;"),
            b'>' => text.extend(b"&gt;"),
            b'"' => text.extend(b"&quot;"),
            b'\'' => text.extend(b"&#39;"),
            other => text.push(other),
        }
    }
    text
}

fn utf_16(secret: &[u8], to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    String::from_utf8_lossy(secret).encode_utf16().flat_map(to_bytes).collect()
}

/// The base64 characters that depend only on the secret if it starts `offset` bytes after a multiple of three.
fn base64_at(secret: &[u8], offset: usize, engine: &impl base64::Engine) -> Vec<u8> {
    let mut bytes = vec![0; offset];
    bytes.extend(secret);
    let encoded = engine.encode(&bytes).into_bytes();
    // The first one or two characters depend on the preceding bytes, the last ones on the following bytes.
    let start = [0, 2, 3].get(offset).copied().unwrap_or(0);
    let end = encoded.len() - usize::from(!bytes.len().is_multiple_of(3));
    encoded.get(start..end).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE},
    };
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "00D5g00000Ab!AQEAQ/x+y=\"<z>&'_.~-\\ token";

    fn every_spelling(secret: &str, before: &str, after: &str) -> Vec<(&'static str, Vec<u8>)> {
        let around = format!("{before}{secret}{after}");
        let utf_16_le: Vec<u8> = around.encode_utf16().flat_map(u16::to_le_bytes).collect();
        vec![
            ("raw", around.clone().into_bytes()),
            ("percent", percent_encode(around.as_bytes(), NON_ALPHANUMERIC).to_string().into_bytes()),
            ("form", url::form_urlencoded::byte_serialize(around.as_bytes()).collect::<String>().into_bytes()),
            ("json", serde_json::to_vec(&around).unwrap()),
            ("base64", STANDARD.encode(&around).into_bytes()),
            ("base64url", URL_SAFE.encode(&around).into_bytes()),
            ("hex", around.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes()),
            ("utf-16", utf_16_le),
        ]
    }

    #[test]
    fn a_secret_is_found_in_every_common_encoding_at_every_offset() {
        let scanner = EchoScanner::new([TOKEN]);
        for (before, after) in [("", ""), ("a", ""), ("ab", "c"), ("Bearer ", "\r\n"), ("{\"x\":", "}")] {
            for (name, text) in every_spelling(TOKEN, before, after) {
                assert!(scanner.finds_in(&text), "{name} after {before:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_secret_is_found_and_nothing_else(secret in "[!-~]{12,80}", before in ".{0,9}", after in ".{0,9}", other in "[a-z ]{0,400}") {
            let scanner = EchoScanner::new([secret.as_str()]);
            for (name, text) in every_spelling(&secret, &before, &after) {
                prop_assert!(scanner.finds_in(&text), "{}", name);
            }
            if !other.contains(&secret.to_lowercase()) {
                let text = format!("<{other}>");
                prop_assert!(!scanner.finds_in(text.as_bytes()));
            }
        }
    }
}
