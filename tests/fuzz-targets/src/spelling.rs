//! Ways in which honest software writes a secret that it repeats.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};

type Spell = fn(&[u8]) -> Vec<u8>;

/// How bytes are written as a whole: always the innermost.
pub const FORMS: [Spell; 10] = [
    <[u8]>::to_vec,
    |text| STANDARD.encode(text).into(),
    |text| URL_SAFE.encode([b"a", text].concat()).into(),
    |text| STANDARD.encode([b"ab", text, b"c"].concat()).into(),
    |text| lines(STANDARD.encode(text).as_bytes(), 76),
    |text| text.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    |text| text.iter().map(|byte| format!("{byte:02X}:")).collect::<String>().into(),
    |text| text.iter().flat_map(|byte| [*byte, 0]).collect(),
    |text| text.iter().flat_map(|byte| [0, *byte]).collect(),
    |text| lines(text, 20),
];

/// How characters are escaped: one in another.
pub const ESCAPES: [Spell; 11] = [
    |text| each(text, false, |byte| format!("%{byte:02X}")),
    |text| each(text, true, |byte| format!("%{byte:02x}")),
    |text| each(text, false, |byte| format!("\\u{byte:04x}")),
    |text| each(text, true, |byte| format!("\\u{byte:04X}")),
    |text| each(text, false, |byte| format!("&#{byte};")),
    |text| each(text, true, |byte| format!("&#{byte:03};")),
    |text| each(text, false, |byte| format!("&#x{byte:x};")),
    |text| each(text, true, |byte| format!("&#X{byte:02X};")),
    |text| each(text, false, |byte| format!("\\x{byte:02X}")),
    |text| each(text, true, |byte| format!("\\x{byte:02x}")),
    // As a string in JSON, which has no escape for most characters.
    |text| {
        text.iter().flat_map(|byte| if b"\"\\/".contains(byte) { vec![b'\\', *byte] } else { vec![*byte] }).collect()
    },
];

/// Escapes all bytes, or those that are neither letters nor digits.
fn each(text: &[u8], all: bool, escape: impl Fn(u8) -> String) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len() * 4);
    for byte in text {
        if all || !byte.is_ascii_alphanumeric() {
            escaped.extend(escape(*byte).into_bytes());
        } else {
            escaped.push(*byte);
        }
    }
    escaped
}

fn lines(text: &[u8], width: usize) -> Vec<u8> {
    text.chunks(width).flat_map(|line| [line, b"\r\n  "].concat()).collect()
}
