//! The classes of characters, from Unicode's own properties.

use icu_properties::{
    CodePointSetData, CodePointSetDataBorrowed,
    props::{Dash, DefaultIgnorableCodePoint, QuotationMark},
};

/// What a character is to people who read or type a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nobody sees it: zero-width characters, soft hyphens, direction marks, variation selectors, tags, fillers. Removed where a
    /// text has a form of its own, such as an email address, and left alone in free text, where it joins emoji or turns a
    /// sentence around.
    Invisible,
    /// White space. Runs of it are compared as one space.
    Blank,
    /// A dash, hyphen or minus sign. All are compared as `-`.
    Dash,
    /// A tilde or wave dash. All are compared as `~`.
    Wave,
    /// A quotation mark or apostrophe. All are compared as `'`.
    Quote,
    /// Anything else. Compared as it is.
    Other,
}

/// Default_Ignorable_Code_Point has Bidi_Control in it.
static INVISIBLE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();
static DASHES: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<Dash>();
static QUOTES: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<QuotationMark>();

/// The class of a character.
pub fn class(c: char) -> Class {
    match c {
        '-' => Class::Dash,
        '~' => Class::Wave,
        '"' | '\'' | '`' => Class::Quote,
        _ if c.is_ascii() => {
            if c.is_whitespace() {
                Class::Blank
            } else {
                Class::Other
            }
        }
        // Kana (not the double hyphen between their blocks), Han and Hangul syllables: nearly every text beyond ASCII is of these.
        '\u{3041}'..='\u{309F}' | '\u{30A1}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' => {
            Class::Other
        }
        // Tildes have no property. Some of these count as dashes in Unicode, but a range like `11〜50` is typed with any of them.
        '\u{2DC}' | '\u{2053}' | '\u{223C}' | '\u{223D}' | '\u{301C}' | '\u{3030}' | '\u{FF5E}' => Class::Wave,
        // Typed as apostrophes, but letters, accents or primes in Unicode (UTS #39, confusables of U+0027).
        '\u{B4}' | '\u{2B9}'..='\u{2BD}' | '\u{2032}'..='\u{2037}' => Class::Quote,
        // Typed as dashes, but other symbols in Unicode (UTS #39, confusables of U+002D).
        '\u{2D7}' | '\u{2043}' | '\u{2500}' | '\u{2501}' | '\u{2796}' => Class::Dash,
        // A braille cell without dots.
        '\u{2800}' => Class::Blank,
        _ if c.is_whitespace() => Class::Blank,
        _ if INVISIBLE.contains(c) => Class::Invisible,
        _ if DASHES.contains(c) => Class::Dash,
        _ if QUOTES.contains(c) => Class::Quote,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_properties::props::{BidiControl, WhiteSpace};

    #[test]
    fn the_table_has_the_sets_of_unicode() {
        let all = |set: CodePointSetDataBorrowed<'static>, is_class: fn(Class) -> bool| {
            set.iter_ranges().flatten().filter_map(char::from_u32).all(|c| is_class(class(c)))
        };
        assert!(all(INVISIBLE, |class| class == Class::Invisible));
        assert!(all(CodePointSetData::new::<BidiControl>(), |class| class == Class::Invisible));
        assert!(all(CodePointSetData::new::<WhiteSpace>(), |class| class == Class::Blank));
        assert!(all(QUOTES, |class| class == Class::Quote));
        assert!(all(DASHES, |class| matches!(class, Class::Dash | Class::Wave)));
    }

    #[test]
    fn what_looks_like_itself_is_left_alone() {
        // A long vowel is not a dash, and an accent is not invisible.
        for c in "ーｰ・。、.,:;/_\\aé漢ㅎ👩❤\u{301}\u{3099}".chars() {
            assert_eq!(class(c), Class::Other, "U+{:04X}", u32::from(c));
        }
    }
}
