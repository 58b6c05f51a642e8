//! What is done with texts all over the plugin, in few instructions: what the standard library formats and searches with is
//! made for more, and weighs a tenth of the component.

use alloc::{string::String, vec::Vec};

/// These texts, one behind the other.
pub fn concat(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// The items, with something between each two.
pub fn join(items: &[&str], between: &str) -> String {
    let mut text = String::new();
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push_str(between);
        }
        text.push_str(item);
    }
    text
}

/// A number in decimal digits.
pub fn decimal(number: u64) -> String {
    let mut digits = Vec::new();
    let mut rest = number;
    loop {
        digits.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// What is before and behind the first occurrence of a part, which is not empty.
pub fn split_at_first<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let at = text.as_bytes().windows(part.len().max(1)).position(|window| window == part.as_bytes())?;
    Some((text.get(..at)?, text.get(at + part.len()..)?))
}

/// Whether a word is among those of a text, which have a blank between each two.
pub fn has_word(words: &str, word: &str) -> bool {
    words.split(' ').any(|own| own == word)
}

/// Whether a part occurs in a text.
pub fn contains(text: &str, part: &str) -> bool {
    split_at_first(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_texts_are_put_together_as_the_standard_library_does(number: u64, parts: Vec<String>) {
            prop_assert_eq!(decimal(number), number.to_string());
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            prop_assert_eq!(concat(&parts), parts.concat());
            prop_assert_eq!(join(&parts, ", "), parts.join(", "));
        }

        #[test]
        fn parts_are_found_where_the_standard_library_finds_them(text in "[abé]{0,9}", part in "[abé]{1,3}") {
            prop_assert_eq!(split_at_first(&text, &part), text.split_once(&*part));
            prop_assert_eq!(contains(&text, &part), text.contains(&*part));
        }
    }
}
