//! A response that repeats the credential.

use std::time::{Duration, Instant};

use crm_host::fuzzing;

use crate::spelling::{ESCAPES, FORMS};

/// As Salesforce writes one: the id of the org, which is known, and what is secret.
const SESSION: &str = "00D5g00000AbCdE!AQEAQHx8y.kZ_3vW0pLmN2rT6uYcVbX9sDfGhJqA1Zw4E5R.t7U8i_Oo";
/// As many others do: base64.
const BASE64: &str = "q83+Jk/0Zt5vX9mPw2Ls+Yb7Nc4Hd1Rf6Ge8Ta3Ku/Vi0Wj9Xo2Mq5Bz7Sn4A==";

/// The size that a long response is filled up to. Linear work on it takes milliseconds, quadratic work a multiple of the patience.
const LONG: usize = 128 << 10;
const PATIENCE: Duration = Duration::from_secs(3);

/// The scanner finds a token in a response, whatever is around it: whole, or as a text can be cut, in each form, and escaped up to
/// three times. It ends soon for a long response without one.
///
/// The input: which token, which part of it, its form, how often it is escaped, the escapes, then what is around it. A token of the
/// input's own is its next 40 bytes.
pub fn credential_echo(input: &[u8]) {
    let Some((&[token, part, form, depth, first, second, third], rest)) = input.split_first_chunk::<7>() else {
        return;
    };
    let (token, noise) = match (token, token % 3) {
        (2, _) => return is_soon(rest),
        (_, 0) => (SESSION.to_owned(), rest),
        (_, 1) => (BASE64.to_owned(), rest),
        _ => own(rest),
    };
    if !fuzzing::is_scanned_for(&token) {
        return;
    }
    // A space on both sides: half of an escape in the noise would take characters of the token with it.
    let (before, after) = noise.split_at(noise.len() / 2);
    let around = |text: &[u8]| [before, b" ", text, b" ", after].concat();
    let text = part_of(&token, part);
    let form = FORMS.get(usize::from(form) % FORMS.len()).copied().unwrap_or(<[u8]>::to_vec);
    let mut response = form(text.as_bytes());
    for escape in [first, second, third].iter().take(usize::from(depth % 4)) {
        if let Some(escape) = ESCAPES.get(usize::from(*escape) % ESCAPES.len()) {
            response = if depth & 4 == 0 { escape(&response) } else { escape(&around(&response)) };
        }
    }
    let response = around(&response);
    assert!(
        fuzzing::finds(&token, &response),
        "{token:?} was not found as {:?} in {:?}",
        text,
        String::from_utf8_lossy(&response)
    );
}

/// A token of the input's own, in visible ASCII.
fn own(input: &[u8]) -> (String, &[u8]) {
    let (token, noise) = input.split_at(input.len().min(40));
    (token.iter().map(|byte| char::from(b'!' + byte % 94)).collect(), noise)
}

/// What is left of a token when a text was cut, or when only its secret part is shown.
fn part_of(token: &str, part: u8) -> &str {
    let part = match part % 4 {
        1 if token.len() >= 64 => token.get(1..),
        2 if token.len() >= 64 => token.get(..token.len() - 1),
        3 => token.strip_prefix("00D5g00000AbCdE!"),
        _ => None,
    };
    part.unwrap_or(token)
}

fn is_soon(noise: &[u8]) {
    if noise.is_empty() {
        return;
    }
    let response = noise.repeat(LONG / noise.len());
    let begin = Instant::now();
    fuzzing::finds(SESSION, &response);
    assert!(begin.elapsed() < PATIENCE, "{:?} for {} bytes", begin.elapsed(), response.len());
}
