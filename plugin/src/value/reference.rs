//! Ids of Salesforce records: 15 characters, or 18 whose last three are a checksum of the case of the others.

use super::{Fit, Json, text::trimmed};
use crate::{codes, source::Given};
use alloc::string::String;

/// The id of a record.
pub fn reference<'a>(given: &Given<'a>) -> Fit<'a> {
    let text = trimmed(given.text());
    if is_record_id(&text) {
        Fit::Whole(Json::Text(text))
    } else {
        Fit::unfit(codes::REFERENCE_INVALID, "not the id of a Salesforce record: 15 or 18 letters and digits")
    }
}

/// Whether a text is an id, with a checksum that holds where it has one.
pub fn is_record_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && match text.len() {
            15 => true,
            18 => text.get(..15).and_then(checksum).is_some_and(|expected| {
                text.get(15..).is_some_and(|checksum| checksum.eq_ignore_ascii_case(&expected))
            }),
            _ => false,
        }
}

/// Whether two ids name the same record, whatever their lengths.
pub fn same_record(one: &str, other: &str) -> bool {
    match (one.get(..15), other.get(..15)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// The three characters that tell which of the fifteen are capitals.
fn checksum(id: &str) -> Option<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    id.as_bytes()
        .chunks(5)
        .map(|five| {
            let bits = five
                .iter()
                .enumerate()
                .fold(0, |bits, (place, byte)| bits | usize::from(byte.is_ascii_uppercase()) << place);
            ALPHABET.get(bits).map(|byte| char::from(*byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_by_their_checksum() {
        for id in
            ["0017e00001W4GYR", "0017e00001W4GYRAA3", "0015500001QdQWaAAN", "012000000000000AAA", "0017e00001W4GYRaa3"]
        {
            assert!(is_record_id(id), "{id}");
        }
        for id in [
            "",
            "0017e00001W4GYRAA4",
            "0017e00001w4gyrAA3",
            "0017e00001W4GY",
            "0017e00001W4GYRAA",
            "００１7e00001W4GYR",
            "0017e00001W4G'R",
        ] {
            assert!(!is_record_id(id), "{id}");
        }
    }

    #[test]
    fn both_lengths_name_the_same_record() {
        assert!(same_record("0017e00001W4GYR", "0017e00001W4GYRAA3"));
        assert!(!same_record("0017e00001W4GYR", "0017e00001W4GYr"));
        assert!(!same_record("", ""));
    }
}
