//! Texts that are typed differently and mean the same.
//!
//! Widths are folded as NFKC folds them: full-width ASCII becomes ASCII, half-width kana become full-width. Only these: the
//! tables of a whole compatibility normalization take 127 kB (see "Hand-made pieces" in `plugin/README.md`). What macOS
//! decomposes is composed.

use crate::{Class, class};
use icu_normalizer::properties::CanonicalCompositionBorrowed;
use std::{borrow::Cow, iter::Peekable};

/// Full-width forms of U+FF61 to U+FF9D, as distances from U+3000.
const KANA: [u8; 61] = [
    0x02, 0x0C, 0x0D, 0x01, 0xFB, 0xF2, 0xA1, 0xA3, 0xA5, 0xA7, 0xA9, 0xE3, 0xE5, 0xE7, 0xC3, 0xFC, 0xA2, 0xA4, 0xA6,
    0xA8, 0xAA, 0xAB, 0xAD, 0xAF, 0xB1, 0xB3, 0xB5, 0xB7, 0xB9, 0xBB, 0xBD, 0xBF, 0xC1, 0xC4, 0xC6, 0xC8, 0xCA, 0xCB,
    0xCC, 0xCD, 0xCE, 0xCF, 0xD2, 0xD5, 0xD8, 0xDB, 0xDE, 0xDF, 0xE0, 0xE1, 0xE2, 0xE4, 0xE6, 0xE8, 0xE9, 0xEA, 0xEB,
    0xEC, 0xED, 0xEF, 0xF3,
];

/// Characters with each accent joined to the letter before it, as NFC joins them.
struct Composed<I: Iterator<Item = char>>(Peekable<I>);

static COMPOSITION: CanonicalCompositionBorrowed<'static> = CanonicalCompositionBorrowed::new();

impl<I: Iterator<Item = char>> Iterator for Composed<I> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let mut c = self.0.next()?;
        while let Some(joined) =
            self.0.peek().filter(|mark| may_join(**mark)).and_then(|mark| COMPOSITION.compose(c, *mark))
        {
            self.0.next();
            c = joined;
        }
        Some(c)
    }
}

/// Whether a character may join with the one before it. No letter of Latin, kana, Han or Hangul syllables does, so that nearly all
/// texts are done with here.
fn may_join(c: char) -> bool {
    c >= '\u{300}' && !matches!(c, '\u{3000}'..='\u{3098}' | '\u{309B}'..='\u{D7FF}')
}

fn composed<I: Iterator<Item = char>>(chars: I) -> Composed<I> {
    Composed(chars.peekable())
}

/// The text in usual width, and composed; borrowed if nothing changes.
pub fn fold(text: &str) -> Cow<'_, str> {
    let folded = || composed(text.chars().map(usual));
    if text.is_ascii() || folded().eq(text.chars()) { Cow::Borrowed(text) } else { Cow::Owned(folded().collect()) }
}

/// Whether two texts differ at most in what people type differently: width, case, composition, invisible characters, and the
/// kinds of blanks, dashes, tildes and quotation marks.
pub fn is_alike(one: &str, other: &str) -> bool {
    comparable(one).eq(comparable(other))
}

/// The characters by which texts are compared. Only ASCII changes its case: the table for all scripts would be larger than the
/// code that compares.
pub fn comparable(text: &str) -> impl Iterator<Item = char> {
    let plain = Plain { chars: text.chars().map(usual), held: None, has_begun: false };
    composed(plain).map(|c| c.to_ascii_lowercase())
}

/// Characters by their class: without invisible ones, one space for a run of blanks and none at the ends, and one character for
/// all dashes, tildes or quotation marks.
struct Plain<I> {
    chars: I,
    /// What follows a space.
    held: Option<char>,
    has_begun: bool,
}

impl<I: Iterator<Item = char>> Iterator for Plain<I> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(c) = self.held.take() {
            return Some(c);
        }
        let mut after_blank = false;
        loop {
            let c = self.chars.next()?;
            let c = match class(c) {
                Class::Invisible => continue,
                Class::Blank => {
                    after_blank = self.has_begun;
                    continue;
                }
                Class::Dash => '-',
                Class::Wave => '~',
                Class::Quote => '\'',
                Class::Other => c,
            };
            self.has_begun = true;
            if after_blank {
                self.held = Some(c);
                return Some(' ');
            }
            return Some(c);
        }
    }
}

/// A character in its usual width.
fn usual(c: char) -> char {
    let code = u32::from(c);
    let usual = match code {
        0x3000 => 0x20,
        0xFF01..=0xFF5E => code - 0xFEE0,
        0xFF61..=0xFF9D => {
            let distance = usize::try_from(code - 0xFF61).ok().and_then(|at| KANA.get(at));
            distance.map_or(code, |distance| 0x3000 + u32::from(*distance))
        }
        0xFF9E => 0x3099,
        0xFF9F => 0x309A,
        0xFFE0 => 0xA2,
        0xFFE1 => 0xA3,
        0xFFE5 => 0xA5,
        0xFFE6 => 0x20A9,
        _ => code,
    };
    char::from_u32(usual).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_normalizer::properties::{CanonicalDecompositionBorrowed, Decomposed};
    use proptest::prelude::*;

    #[test]
    fn widths_fold_as_nfkc_folds_them() {
        for (text, expected) in [
            ("ＡＢＣ１２３＆（株）", "ABC123&(株)"),
            ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ タロウ"),
            ("ｶﾞｷﾞｸﾞｹﾞｺﾞ ｻﾞｼﾞｽﾞｾﾞｿﾞ ﾀﾞﾁﾞﾂﾞﾃﾞﾄﾞ", "ガギグゲゴ ザジズゼゾ ダヂヅデド"),
            ("ﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟ ﾊﾞﾋﾞﾌﾞﾍﾞﾎﾞ ｳﾞ", "パピプペポ バビブベボ ヴ"),
            ("｡｢｣､･ｦｧｨｩｪｫｬｭｮｯｰ", "。「」、・ヲァィゥェォャュョッー"),
            ("ｱｲｳｴｵﾅﾆﾇﾈﾉﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ", "アイウエオナニヌネノマミムメモヤユヨラリルレロワン"),
            ("か\u{3099}は\u{309A}う\u{3099}", "がぱゔ"),
            ("東京都　港区", "東京都 港区"),
            ("￥１，０００", "¥1,000"),
            ("株式会社サンプル", "株式会社サンプル"),
            ("ﾞ", "\u{3099}"),
            ("ア\u{3099}", "ア\u{3099}"),
            ("👩‍💻 é", "👩‍💻 é"),
        ] {
            assert_eq!(fold(text), expected, "{text}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for code in 0..=0x1_FFFF {
            if let Some(c) = char::from_u32(code) {
                let text = c.to_string();
                let once = fold(&text).into_owned();
                assert_eq!(fold(&once), once, "U+{code:04X}");
            }
        }
    }

    #[test]
    fn what_joins_is_asked_for() {
        let decomposition = CanonicalDecompositionBorrowed::new();
        for c in '\0'..=char::MAX {
            if let Decomposed::Expansion(first, second) = decomposition.decompose(c) {
                let joins = COMPOSITION.compose(first, second).is_some();
                assert!(may_join(second) || !joins, "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn texts_that_are_typed_differently_are_alike() {
        for (one, other) in [
            (" Ｗｅｂ ", "web"),
            ("ﾘﾓｰﾄ", "リモート"),
            ("11〜50名", "１１～５０名"),
            ("A−1", "a－1"),
            ("Women’s", "women's"),
            ("“Pro”  plan", "\"pro\"\u{A0}plan"),
            ("\u{FEFF}We\u{200B}b\u{FE0F}", "Web"),
            ("Cafe\u{200D}\u{301}", "Café"),
            ("E\u{301}", "É"),
            ("Vie\u{323}\u{302}t", "Việt"),
            ("\u{1112}\u{1161}\u{11AB}", "한"),
            ("ﾊ\u{FF9F}", "パ"),
        ] {
            assert!(is_alike(one, other), "{one} {other}");
        }
        for (one, other) in
            [("リモート", "りもーと"), ("a b", "ab"), ("11-50", "11~50"), ("e", "é"), ("スーパ", "ス-パ")]
        {
            assert!(!is_alike(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn comparing_is_an_equivalence_and_folding_changes_nothing_twice(
            one in "[ａＡaAﾊハはばぱe\u{301}É\u{3099}\u{309A}ﾞﾟ　 \u{200B}-−~〜'’]{0,6}",
            other in "[ａＡaAﾊハはばぱe\u{301}É\u{3099}\u{309A}ﾞﾟ　 \u{200B}-−~〜'’]{0,6}",
        ) {
            let plain = |text: &str| comparable(text).collect::<String>();
            prop_assert_eq!(is_alike(&one, &other), plain(&one) == plain(&other));
            prop_assert_eq!(plain(&plain(&one)), plain(&one));
            let again = fold(&one).into_owned();
            prop_assert_eq!(fold(&again), again.clone());
        }
    }
}
