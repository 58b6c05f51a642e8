//! Widths folded as NFKC folds them: full-width ASCII becomes ASCII, half-width kana become full-width, with their voiced
//! marks joined. Only this: the tables of a whole normalization take 127 kB (see "Hand-made pieces" in `plugin/README.md`).

use std::borrow::Cow;
use std::{iter::Peekable, str::Chars};

/// Full-width forms of U+FF61 to U+FF9D, as distances from U+3000.
const KANA: [u8; 61] = [
    0x02, 0x0C, 0x0D, 0x01, 0xFB, 0xF2, 0xA1, 0xA3, 0xA5, 0xA7, 0xA9, 0xE3, 0xE5, 0xE7, 0xC3, 0xFC, 0xA2, 0xA4, 0xA6,
    0xA8, 0xAA, 0xAB, 0xAD, 0xAF, 0xB1, 0xB3, 0xB5, 0xB7, 0xB9, 0xBB, 0xBD, 0xBF, 0xC1, 0xC4, 0xC6, 0xC8, 0xCA, 0xCB,
    0xCC, 0xCD, 0xCE, 0xCF, 0xD2, 0xD5, 0xD8, 0xDB, 0xDE, 0xDF, 0xE0, 0xE1, 0xE2, 0xE4, 0xE6, 0xE8, 0xE9, 0xEA, 0xEB,
    0xEC, 0xED, 0xEF, 0xF3,
];

/// The characters of a text with their widths folded, so that two texts are compared without copies.
struct Folding<'a>(Peekable<Chars<'a>>);

impl<'a> Folding<'a> {
    fn of(text: &'a str) -> Self {
        Self(text.chars().peekable())
    }
}

impl Iterator for Folding<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let c = folded(self.0.next()?);
        match self.0.peek().and_then(|mark| voiced(c, folded(*mark))) {
            Some(joined) => {
                self.0.next();
                Some(joined)
            }
            None => Some(c),
        }
    }
}

/// The text with its widths folded; borrowed if nothing changes.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || Folding::of(text).eq(text.chars()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(Folding::of(text).collect())
}

/// Whether two texts differ at most in width, case and the blanks around them.
pub fn is_alike(one: &str, other: &str) -> bool {
    comparable(one).eq(comparable(other))
}

/// The characters of a text, trimmed, folded and in lower case, to compare texts that may be typed differently. Only ASCII
/// changes its case: the table for all scripts would be larger than the code that compares.
pub fn comparable(text: &str) -> impl Iterator<Item = char> {
    Folding::of(text.trim()).map(|c| c.to_ascii_lowercase())
}

/// A character in its usual width.
fn folded(c: char) -> char {
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

/// Kana and mark as one character, if there is one.
fn voiced(kana: char, mark: char) -> Option<char> {
    let code = u32::from(kana);
    // Hiragana and katakana are laid out alike, 0x60 apart.
    let row = if (0x30A1..=0x30F6).contains(&code) { code - 0x60 } else { code };
    let step = match (row, mark) {
        (0x3046, '\u{3099}') => 0x4E,
        // か to ち are followed by their voiced forms, and so are つ, て and と after the small っ.
        (0x304B..=0x3061, '\u{3099}') if row % 2 == 1 => 1,
        (0x3064 | 0x3066 | 0x3068, '\u{3099}') => 1,
        (0x306F | 0x3072 | 0x3075 | 0x3078 | 0x307B, '\u{3099}') => 1,
        (0x306F | 0x3072 | 0x3075 | 0x3078 | 0x307B, '\u{309A}') => 2,
        _ => return None,
    };
    char::from_u32(code + step)
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn comparison_knows_neither_width_nor_case() {
        assert!(is_alike(" Ｗｅｂ ", "web"));
        assert!(is_alike("ﾘﾓｰﾄ", "リモート"));
        assert!(!is_alike("リモート", "りもーと"));
    }

    proptest! {
        #[test]
        fn texts_are_alike_where_their_folded_forms_are_the_same(
            one in "[ａＡaAﾊハはばぱ\u{3099}\u{309A}ﾞﾟ　 ]{0,6}", other in "[ａＡaAﾊハはばぱ\u{3099}\u{309A}ﾞﾟ　 ]{0,6}",
        ) {
            let folded = |text: &str| fold(text.trim()).to_ascii_lowercase();
            prop_assert_eq!(is_alike(&one, &other), folded(&one) == folded(&other));
            let again = fold(&one).into_owned();
            prop_assert_eq!(fold(&again), again.clone());
        }
    }
}
