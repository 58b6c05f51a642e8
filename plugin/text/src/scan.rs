//! Looking for bytes in a text.

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH_BITS: u64 = ONES << 7;

/// Whether a text has a control character of ASCII, or one of these bytes. Looks at eight bytes at a time, because nearly
/// every text has none.
pub(crate) fn has_control_or<const N: usize>(text: &str, bytes: [u8; N]) -> bool {
    let is_in = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        bytes.iter().fold(below(word, b' '), |found, byte| found | below(word ^ (ONES * u64::from(*byte)), 1)) != 0
    };
    let (words, rest) = text.as_bytes().as_chunks();
    let mut last = [b' '; 8];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    words.iter().any(|word| is_in(*word)) || is_in(last)
}

/// The high bits of the bytes below a limit, which is at most 128 (S. E. Anderson, "Bit Twiddling Hacks"). If there is one, the
/// result may be wrong about the bytes above it.
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH_BITS
}

/// The parts before and after the first separator, which is ASCII.
pub fn split(text: &str, separator: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == separator)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_byte_is_found_wherever_it_is(text in "[ -~\0-\u{9F}\u{C0}あＡ]{0,40}") {
            let bytes = [b'"', 0x7F, 0xC2, 0xEF];
            let expected = text.bytes().any(|byte| byte < b' ' || bytes.contains(&byte));
            prop_assert_eq!(has_control_or(&text, bytes), expected);
        }

        #[test]
        fn a_text_is_split_as_the_standard_library_does(text in "[a\tあ]{0,9}") {
            prop_assert_eq!(split(&text, b'\t'), text.split_once('\t'));
        }
    }
}
