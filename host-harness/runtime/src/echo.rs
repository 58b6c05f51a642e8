//! Finds secrets in responses. It is a net, not the fence: a plugin reaches only what its routes name, and a server that works
//! with it could always encode a secret in a way that nobody looks for. What honest software writes is found: the answer is decoded
//! in all common ways, reduced to letters and digits without their case, and searched for what is left of the secret. Such a response ends the call.

use std::borrow::Cow;

use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem::Finder;

/// Shorter secrets would match by chance. Nobody gets one.
pub(crate) const SHORTEST: usize = 8;
/// The shortest piece of a secret that is looked for. Shorter ones would let a plugin guess piece by piece.
const SHORTEST_CORE: usize = 24;
/// Characters that may be missing at either end.
const CUT: usize = 4;
/// The longest beginning that can be a public name, such as the id of the account.
const LONGEST_PREFIX: usize = 24;
/// How often texts are decoded: an answer in JSON, in a page, in a link.
const DEPTH: usize = 3;
/// The most backslashes before an escape: those of a string in four others.
const MOST_BACKSLASHES: usize = 16;

/// Whether a secret would be found: it has enough letters and digits.
pub(crate) fn is_recognizable(secret: &str) -> bool {
    reduced(secret.as_bytes()).len() >= SHORTEST
}

/// Searches for secrets, however they are written.
pub(crate) struct EchoScanner {
    needles: Vec<Finder<'static>>,
}

impl EchoScanner {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let cores: Vec<&[u8]> = secrets
            .into_iter()
            .filter(|secret| secret.len() >= SHORTEST)
            .map(|secret| core(secret.as_bytes()))
            .collect();
        let needles = cores.iter().flat_map(|core| {
            let hex = core.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
            let base64 = (0..3).map(|offset| reduced(&base64_at(core, offset)));
            [reduced(core), hex].into_iter().chain(base64)
        });
        let mut needles: Vec<_> = needles.filter(|needle| needle.len() >= SHORTEST).collect();
        needles.sort();
        needles.dedup();
        Self { needles: needles.iter().map(|needle| Finder::new(needle).into_owned()).collect() }
    }

    pub(crate) fn finds_in(&self, haystack: &[u8]) -> bool {
        let mut view = Cow::Borrowed(haystack);
        for _ in 0..DEPTH {
            if self.finds_in_view(&view) {
                return true;
            }
            match decoded(&view) {
                Some(decoded) => view = Cow::Owned(decoded),
                None => return false,
            }
        }
        self.finds_in_view(&view)
    }

    fn finds_in_view(&self, view: &[u8]) -> bool {
        let text = reduced(view);
        self.needles.iter().any(|needle| needle.find(&text).is_some())
    }
}

/// The part of a secret that nobody can know: without a public name at its beginning, and without some characters at either end, as
/// when a text was cut.
fn core(secret: &[u8]) -> &[u8] {
    let separator = secret.iter().take(LONGEST_PREFIX).position(|byte| !byte.is_ascii_alphanumeric());
    let rest = separator.and_then(|place| secret.get(place + 1..)).filter(|rest| reduced(rest).len() >= SHORTEST_CORE);
    let rest = rest.unwrap_or(secret);
    let middle = rest.get(CUT..rest.len().saturating_sub(CUT));
    middle.filter(|middle| reduced(middle).len() >= SHORTEST_CORE).unwrap_or(rest)
}

/// The letters and digits of a text, in lower case: names of headers and hosts lose their case. What separates, wraps or escapes
/// them differs between encodings; UTF-16 has zeros between.
fn reduced(text: &[u8]) -> Vec<u8> {
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// The base64 characters that depend only on the secret if it starts `offset` bytes after a multiple of three. Those of the URL-safe
/// alphabet differ only in characters that are reduced away.
fn base64_at(secret: &[u8], offset: usize) -> Vec<u8> {
    let mut bytes = vec![0; offset];
    bytes.extend(secret);
    let encoded = base64::Engine::encode(&STANDARD_NO_PAD, &bytes).into_bytes();
    // The first one or two characters depend on the preceding bytes, the last ones on the following bytes.
    let start = [0, 2, 3].get(offset).copied().unwrap_or(0);
    let end = encoded.len() - usize::from(!bytes.len().is_multiple_of(3));
    encoded.get(start..end).unwrap_or_default().to_vec()
}

/// A text with its escapes replaced. `None` if it has none.
///
/// | as in | escapes |
/// | --- | --- |
/// | URLs, JavaScript's `escape` | `%2F`, `%u002f` |
/// | JSON and programs | `\n`, `\u002f`, `\u{2f}`, `\U0000002f`, `\x2f`, `\057` |
/// | CSS | `\2f ` with the blank, `\00002f` |
/// | HTML, XML | `&#47;`, `&#x2f;`, `&sol;` |
/// | mail: quoted-printable, which leaves letters and digits as they are | `=2F` |
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut has_any = false;
    while let Some(place) = rest.iter().position(|byte| matches!(byte, b'%' | b'\\' | b'&' | b'=')) {
        let (plain, escape) = rest.split_at_checked(place)?;
        decoded.extend_from_slice(plain);
        match character(escape) {
            Some((byte, length)) => {
                has_any = true;
                decoded.push(byte);
                rest = escape.get(length..)?;
            }
            None => {
                decoded.extend(escape.first());
                rest = escape.get(1..)?;
            }
        }
    }
    decoded.extend_from_slice(rest);
    has_any.then_some(decoded)
}

/// The character at the beginning of a text that is escaped, and the length of the escape. Secrets are ASCII; any other character is
/// a separator.
fn character(escape: &[u8]) -> Option<(u8, usize)> {
    let hex = |from: usize, digits: usize| {
        let digits = std::str::from_utf8(escape.get(from..from + digits)?).ok()?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    let (code, length) = match escape {
        [b'%', b'u', ..] => (hex(2, 4)?, 6),
        [b'%', ..] => (hex(1, 2)?, 3),
        [b'=', ..] => {
            let code = hex(1, 2)?;
            let is_special = u8::try_from(code).is_ok_and(|byte| !byte.is_ascii_alphanumeric());
            (is_special.then_some(code)?, 3)
        }
        // A string in a string doubles them.
        [b'\\', ..] => {
            let from = escape.iter().take(MOST_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
            match escape.get(from..)? {
                // A break of a line in a text.
                [b'n' | b'r' | b't' | b'f' | b'v', ..] => (u32::from(b' '), from + 1),
                [b'u', b'{', digits @ ..] => {
                    let end = digits.iter().take(7).position(|byte| *byte == b'}')?;
                    (hex(from + 2, end)?, from + end + 3)
                }
                [b'u', ..] => (hex(from + 1, 4)?, from + 5),
                [b'U', ..] => (hex(from + 1, 8)?, from + 9),
                [b'x', ..] => (hex(from + 1, 2)?, from + 3),
                [b'0', b'0', ..] if hex(from, 6).is_some() => (hex(from, 6)?, from + 6),
                [a @ b'0'..=b'1', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                    let digit = |digit: &u8| u32::from(digit - b'0');
                    (digit(a) * 64 + digit(b) * 8 + digit(c), from + 3)
                }
                [_, _, b' ', ..] => (hex(from, 2)?, from + 3),
                _ => return None,
            }
        }
        [b'&', b'#', digits @ ..] => {
            let end = digits.iter().take(9).position(|byte| *byte == b';')?;
            let digits = std::str::from_utf8(digits.get(..end)?).ok()?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            (code.ok()?, end + 3)
        }
        // Named ones stand for characters that are reduced away, but their names must go.
        [b'&', name @ ..] => {
            let end = name.iter().take(8).position(|byte| *byte == b';')?;
            let is_name = end > 0 && name.get(..end)?.iter().all(u8::is_ascii_alphanumeric);
            return is_name.then_some((b'&', end + 2));
        }
        _ => return None,
    };
    Some((u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(b' '), length))
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE},
    };
    use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
    use proptest::prelude::*;

    use super::*;

    /// As Salesforce writes one: the id of the org, and what is secret.
    const SESSION: &str = "00D5g00000AbCdE!AQEAQHx8y.kZ_3vW0pLmN2rT6uYcVbX9sDfGhJqA1Zw4E5R.t7U8i_Oo";
    /// As many others do: base64.
    const BASE64: &str = "q83+Jk/0Zt5vX9mPw2Ls+Yb7Nc4Hd1Rf6Ge8Ta3Ku/Vi0Wj9Xo2Mq5Bz7Sn4A==";

    #[test]
    fn a_secret_is_found_cut_wrapped_and_encoded() {
        for secret in [SESSION, BASE64] {
            let scanner = EchoScanner::new([secret]);
            let (_, known) = secret.split_once('!').unwrap_or(("", secret));
            for text in [secret, &secret[1..], &secret[..secret.len() - 1], known] {
                for spelled in [
                    text.as_bytes().to_vec(),
                    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>().into(),
                    text.bytes().map(|byte| format!("&#{byte};")).collect::<String>().into(),
                    text.bytes().map(|byte| format!("%5Cu00{byte:02x}")).collect::<String>().into(),
                    // In HTML, in a string, in a string.
                    text.bytes()
                        .flat_map(|byte| format!("&#{byte};").into_bytes())
                        .map(|byte| format!("\\\\u{byte:04x}"))
                        .collect::<String>()
                        .into(),
                    text.bytes().map(|byte| format!("{byte:02X}:")).collect::<String>().into(),
                    // Wrapped in a JSON string.
                    text.as_bytes().chunks(20).collect::<Vec<_>>().join(&b"\\n"[..]),
                    STANDARD.encode(text).as_bytes().chunks(76).collect::<Vec<_>>().join(&b"\\r\\n"[..]),
                    text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
                    STANDARD.encode(text).into(),
                    URL_SAFE.encode(format!("a{text}")).into(),
                    STANDARD.encode(format!("ab{text}c")).replace('/', "\\/").into(),
                ] {
                    assert!(scanner.finds_in(&spelled), "{}", String::from_utf8_lossy(&spelled));
                }
            }
        }
    }

    #[test]
    fn what_is_public_of_a_secret_and_short_pieces_of_it_are_not_it() {
        let scanner = EchoScanner::new([SESSION, "short"]);
        for text in [
            "00D5g00000AbCdE",
            "00D5g00000AbCdEAAX",
            &SESSION[..30],
            &SESSION[20..40],
            "short",
            "",
            "%",
            "&#;",
            "\\u",
            "&#x;",
            "&;",
        ] {
            assert!(!scanner.finds_in(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_secret_is_found_and_nothing_else(secret in "[!-~]{8,80}", before in ".{0,9}", after in ".{0,9}", other in "[a-z ]{0,400}") {
            prop_assume!(reduced(secret.as_bytes()).len() >= SHORTEST);
            let scanner = EchoScanner::new([secret.as_str()]);
            // An escape before or after could take characters of the secret with it.
            let around = format!("{} {secret} {}", before.replace(['%', '\\', '&'], ""), after);
            prop_assert!(scanner.finds_in(around.as_bytes()));
            prop_assert!(scanner.finds_in(percent_encode(around.as_bytes(), NON_ALPHANUMERIC).to_string().as_bytes()));
            prop_assert!(scanner.finds_in(&serde_json::to_vec(&around).unwrap()));
            prop_assert!(scanner.finds_in(STANDARD.encode(&around).as_bytes()));
            let letters = reduced(secret.as_bytes()).to_ascii_lowercase();
            let plain = other.replace(' ', "");
            let is_other = !plain.contains(std::str::from_utf8(&letters).unwrap());
            prop_assert!(!is_other || !scanner.finds_in(other.as_bytes()));
        }

        #[test]
        fn no_text_makes_it_panic(text in proptest::collection::vec(any::<u8>(), 0..400), marks in "[%\\\\&#xu0-9a-f;]{0,60}") {
            let scanner = EchoScanner::new([SESSION]);
            prop_assert!(!scanner.finds_in(&text));
            prop_assert!(!scanner.finds_in(marks.as_bytes()));
        }
    }
}
