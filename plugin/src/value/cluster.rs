//! Where a text may be cut: between characters as people see them (UAX #29, extended grapheme clusters).
//!
//! The tables of all the properties weigh a tenth of the component, and a cut needs less: it may keep clear of some boundaries,
//! as long as it is at one. The build reduces the tables of `unicode-segmentation` to two lists of ranges, and the tests hold
//! every cut to what that library says.

/// Ranges of characters that may belong to the one before them, each as the first, and in eleven more bits the number of further ones.
static JOINING: &[u32] = include!(concat!(env!("OUT_DIR"), "/joining"));
/// Ranges of characters that may hold the one after them, also where joining ones stand between.
static HOLDING: &[u32] = include!(concat!(env!("OUT_DIR"), "/holding"));

/// The pieces of a text that a cut leaves whole, none smaller than a character as people see it.
pub fn clusters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let (first, after) = rest.split_at_checked(end_of_first(rest)).filter(|(first, _)| !first.is_empty())?;
        rest = after;
        Some(first)
    })
}

fn end_of_first(text: &str) -> usize {
    let mut holds = true;
    let mut indicators = 0_u32;
    let mut before = '\0';
    for (at, c) in text.char_indices() {
        let joins = is_among(JOINING, c);
        // Two regional indicators are a flag.
        let is_second = is_regional_indicator(c) && indicators % 2 == 1;
        if at > 0 && !holds && !joins && !is_second && (before, c) != ('\r', '\n') {
            return at;
        }
        holds = is_among(HOLDING, c) || (holds && joins && at > 0);
        indicators = if is_regional_indicator(c) { indicators + 1 } else { 0 };
        before = c;
    }
    text.len()
}

fn is_regional_indicator(c: char) -> bool {
    ('\u{1F1E6}'..='\u{1F1FF}').contains(&c)
}

fn is_among(ranges: &[u32], c: char) -> bool {
    let c = u32::from(c);
    let at = ranges.partition_point(|range| range >> 11 <= c);
    at.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|range| c - (range >> 11) <= range & 0x7FF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation as _;

    fn ends<'a>(pieces: impl Iterator<Item = &'a str>) -> Vec<usize> {
        pieces
            .scan(0, |end, piece| {
                *end += piece.len();
                Some(*end)
            })
            .collect()
    }

    #[test]
    fn what_people_write_is_cut_at_every_character() {
        for text in [
            "Jos\u{65}\u{301} Müller",
            "山田 太郎 (が\u{3099}く)",
            "한국어 홍길동",
            "สวัสดี ครับ",
            "हिन्दी में क्षत्रिय",
            "👩‍💻👍🏽 ok 🇯🇵🇺🇸 ☎\u{FE0F} 1\u{FE0F}\u{20E3}",
            "a\r\nb\n\nc",
        ] {
            assert_eq!(clusters(text).collect::<Vec<_>>(), text.graphemes(true).collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn no_character_is_cut_from_one_that_it_belongs_to() {
        let all = || (0..0x11_0000_u32).filter_map(char::from_u32);
        for pair in ["a", "क", "क\u{94D}", "\u{1100}", "\u{AC00}", "\u{1F468}\u{200D}", "\u{600}", "\u{1F1E6}"] {
            for c in all().filter(|c| is_among(JOINING, *c) || is_among(HOLDING, *c) || u32::from(*c) % 7 == 0) {
                for text in [format!("{pair}{c}क"), format!("{c}{pair}")] {
                    let allowed = ends(text.graphemes(true));
                    assert!(ends(clusters(&text)).iter().all(|end| allowed.contains(end)), "{text:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_cut_is_between_characters_as_people_see_them(
            text in r"([\r\n \p{L}\p{M}]|[\u{1F1E6}-\u{1F1FF}]|[\u{1100}-\u{1200}]|[\u{AC00}-\u{AD00}]|[\u{900}-\u{980}]|[\u{D00}-\u{D7F}]|\u{94D}|[\u{600}-\u{605}]|\u{200D}|\u{FE0F}|[\u{1F3FB}-\u{1F3FF}]|[\u{1F466}-\u{1F470}]){0,12}"
        ) {
            let allowed = ends(text.graphemes(true));
            let ends = ends(clusters(&text));
            prop_assert!(ends.iter().all(|end| allowed.contains(end)), "{:?}: {:?} {:?}", text, ends, allowed);
            prop_assert_eq!(ends.last(), allowed.last());
        }
    }
}
