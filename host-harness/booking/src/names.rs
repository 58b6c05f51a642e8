//! Splits a name as typed into family and given name.

use std::borrow::Cow;

use crate::{Guest, is_blank};
use crm_characters::{comparable, is_alike, is_invisible};

/// A name in two parts, honorifics included.
#[derive(Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// Family name; the whole name if it is a single word. `None` if there is no name.
    pub family: Option<Cow<'a, str>>,
    /// Given name, with any middle names.
    pub given: Option<Cow<'a, str>>,
}

/// Titles before a name; they belong to the word after them.
const TITLES: [&str; 8] = ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir"];
/// Suffixes after a family name; they belong to it.
const SUFFIXES: [&str; 10] = ["jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "esq", "cpa"];
/// Honorifics after a name; they belong to the word before them.
const HONORIFICS: [&str; 11] = ["先生様", "様", "さま", "さん", "氏", "先生", "殿", "君", "くん", "ちゃん", "님"];
/// Languages that put the family name first even in Latin letters.
const FAMILY_FIRST: [&str; 2] = ["hu", "vi"];
/// Separators between a family name and a given name that follows it, and between a name and its suffix.
const COMMAS: [char; 3] = [',', '，', '、'];
/// Longer than any name, in bytes. A longer text is not split.
const LONGEST: usize = 1_000;

/// The parts of a guest's name: as the form asked for them, otherwise split from the whole.
pub fn of(guest: &Guest) -> Name<'_> {
    let family = guest.family_name.as_deref().filter(|name| !is_blank(name));
    let given = guest.given_name.as_deref().filter(|name| !is_blank(name));
    match (family, given) {
        (Some(family), given) => Name { family: Some(family.into()), given: given.map(Cow::from) },
        // Only the given name was asked for: it is all of the name that there is, unless the whole was asked for too.
        (None, Some(given)) => match split(&guest.name, guest.locale.as_deref()) {
            Name { family: Some(family), given: Some(_) } => Name { family: Some(family), given: Some(given.into()) },
            Name { family: Some(family), given: None } if family != given => {
                Name { family: Some(family), given: Some(given.into()) }
            }
            _ => Name { family: Some(given.into()), given: None },
        },
        (None, None) => split(&guest.name, guest.locale.as_deref()),
    }
}

/// The whole name: as typed, otherwise put together from its parts in the order of its script.
pub fn whole(guest: &Guest) -> Option<Cow<'_, str>> {
    if !is_blank(&guest.name) {
        return Some(Cow::Borrowed(&guest.name));
    }
    let Name { family, given } = of(guest);
    match (family, given) {
        (Some(family), Some(given)) => {
            let is_family_first = Words::of(&family).are_family_first(guest.locale.as_deref());
            let (first, second) = if is_family_first { (family, given) } else { (given, family) };
            Some(Cow::Owned(format!("{first} {second}")))
        }
        (family, given) => family.or(given),
    }
}

/// Splits a whole name. The script of the first word decides which part comes first; if it does not tell, the locale decides.
pub fn split<'a>(name: &'a str, locale: Option<&str>) -> Name<'a> {
    let name = name.trim();
    if is_blank(name) {
        return Name { family: None, given: None };
    }
    let part = |(left, right): (&'a str, &'a str)| (Some(left.trim().into()), Some(right.trim().into()));
    let words = Words::of(name);
    // "Yamada, Taro" says by itself which one is the family name. "Jane Doe, MBA" does not.
    if let Some((family, given)) = words.comma.and_then(|comma| name.split_at_checked(comma)) {
        let given_name = given.trim_start_matches(COMMAS);
        if words.family == 0 && !is_blank(family) && !is_blank(given_name) && !is_one_of(&SUFFIXES, given_name) {
            let (family, given) = part((family, given_name));
            return Name { family, given };
        }
    }
    let is_family_first = words.are_family_first(locale);
    let cut = if is_family_first { words.second } else { Some(words.family).filter(|start| *start > 0) };
    match cut.and_then(|at| name.split_at_checked(at)).map(part) {
        None => Name { family: Some(name.into()), given: None },
        Some((family, given)) if is_family_first => Name { family, given },
        Some((given, family)) => Name { family, given },
    }
}

/// What the words of a name reveal.
///
/// A title counts as part of the word after it. Honorifics, bracketed text and whatever follows a comma count as part of the word before.
#[derive(Default)]
struct Words {
    /// Where the second word starts.
    second: Option<usize>,
    /// Where the family name starts if the given name comes first: at the last word, or at the lower-case particles before it
    /// (`Ludwig van Beethoven`).
    family: usize,
    /// Where the first comma is.
    comma: Option<usize>,
    /// Whether the first word has a letter of a script in which the family name comes first.
    in_family_first_script: bool,
}

impl Words {
    fn of(name: &str) -> Self {
        let mut words = Self::default();
        if name.len() > LONGEST {
            return words;
        }
        let mut count = 0_u32;
        // Where particles started that stand right before the word.
        let mut particles = None;
        let mut after_title = false;
        let mut in_brackets = false;
        let mut at = 0;
        // `char::is_whitespace` knows the full-width space.
        for piece in name.split_inclusive(char::is_whitespace) {
            let start = at;
            at += piece.len();
            let word = piece.trim_end_matches(|c: char| c.is_whitespace() || is_invisible(c));
            let seen = word.trim_start_matches(is_invisible);
            if is_blank(seen) {
                continue;
            }
            let belongs_to_the_word_before = count > 0
                && (after_title
                    || in_brackets
                    || words.comma.is_some()
                    || seen.starts_with(is_opening)
                    || HONORIFICS.iter().any(|honorific| is_alike(honorific, word))
                    || is_one_of(&SUFFIXES, word));
            if !belongs_to_the_word_before {
                count += 1;
                if count == 2 {
                    words.second = Some(start);
                }
                if seen.starts_with(|c: char| c.is_ascii_lowercase()) {
                    words.family = start;
                    particles.get_or_insert(start);
                } else {
                    words.family = particles.take().unwrap_or(start);
                }
            }
            after_title = is_one_of(&TITLES, word);
            let honorific = HONORIFICS.iter().find_map(|honorific| word.strip_suffix(honorific));
            let without_honorific = honorific.filter(|rest| !rest.is_empty() || belongs_to_the_word_before);
            let letters = without_honorific.unwrap_or(word).len();
            for (place, c) in word.char_indices() {
                in_brackets = (in_brackets || is_opening(c)) && !is_closing(c);
                if in_brackets {
                    continue;
                }
                if words.comma.is_none() && COMMAS.contains(&c) {
                    words.comma = Some(start + place);
                }
                words.in_family_first_script |=
                    count == 1 && place < letters && is_family_first_script(c) && !is_invisible(c);
            }
        }
        words
    }

    fn are_family_first(&self, locale: Option<&str>) -> bool {
        let language = locale.and_then(|locale| locale.split(['-', '_']).next()).unwrap_or_default();
        self.in_family_first_script || FAMILY_FIRST.iter().any(|known| known.eq_ignore_ascii_case(language))
    }
}

/// Hangul, kana in both widths, Han, bopomofo.
fn is_family_first_script(c: char) -> bool {
    matches!(
        u32::from(c),
        0x1100..=0x11FF
            | 0x3005..=0x3007
            | 0x3040..=0x31FF
            | 0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xAC00..=0xD7AF
            | 0xF900..=0xFAFF
            | 0xFF66..=0xFFDC
            | 0x2_0000..=0x3_FFFF
    )
}

fn is_opening(c: char) -> bool {
    matches!(c, '(' | '[' | '（' | '［' | '【' | '〔' | '「' | '『')
}

fn is_closing(c: char) -> bool {
    matches!(c, ')' | ']' | '）' | '］' | '】' | '〕' | '」' | '』')
}

/// Whether a word is listed, ignoring what people type differently, periods and commas.
fn is_one_of(words: &[&str], word: &str) -> bool {
    let letters = || comparable(word).filter(|c| !matches!(c, '.' | ','));
    // Most names of those who write in another script are done with here.
    letters().next().is_some_and(|c| c.is_ascii()) && words.iter().any(|known| letters().eq(known.chars()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use proptest::prelude::*;

    fn parts<'a>(name: &'a Name<'_>) -> (&'a str, &'a str) {
        (name.family.as_deref().unwrap_or("-"), name.given.as_deref().unwrap_or("-"))
    }

    #[test]
    fn whole_names_split_by_script_and_then_by_locale() {
        for (name, locale, expected) in [
            ("山田　太郎", "ja", ("山田", "太郎")),
            ("山田 太郎", "en", ("山田", "太郎")),
            ("  山田　 太郎  ", "ja", ("山田", "太郎")),
            ("やまだ たろう", "ja", ("やまだ", "たろう")),
            ("ﾔﾏﾀﾞ ﾀﾛｳ", "ja", ("ﾔﾏﾀﾞ", "ﾀﾛｳ")),
            ("山田 マリア ルイザ", "ja", ("山田", "マリア ルイザ")),
            ("王 小明", "zh", ("王", "小明")),
            ("김 철수", "ko", ("김", "철수")),
            ("김철수", "ko", ("김철수", "-")),
            ("山田太郎", "ja", ("山田太郎", "-")),
            ("山田 太郎 様", "ja", ("山田", "太郎 様")),
            ("山田 様", "ja", ("山田 様", "-")),
            ("Taro Yamada", "ja", ("Yamada", "Taro")),
            ("Ｔａｒｏ　Ｙａｍａｄａ", "ja", ("Ｙａｍａｄａ", "Ｔａｒｏ")),
            ("John Smith", "en", ("Smith", "John")),
            ("Mary Ann Smith", "en", ("Smith", "Mary Ann")),
            ("mary ann smith", "en", ("smith", "mary ann")),
            ("Ludwig van Beethoven", "de", ("van Beethoven", "Ludwig")),
            ("Maria de la Cruz", "es", ("de la Cruz", "Maria")),
            ("de Gaulle", "fr", ("de Gaulle", "-")),
            ("Dr. John Smith", "en", ("Smith", "Dr. John")),
            ("Mr. Smith", "en", ("Mr. Smith", "-")),
            ("John Smith Jr.", "en", ("Smith Jr.", "John")),
            ("John Smith, Jr.", "en", ("Smith, Jr.", "John")),
            ("Smith, John", "en", ("Smith", "John")),
            ("Cher", "en", ("Cher", "-")),
            ("O'Brien", "en", ("O'Brien", "-")),
            ("Анна Иванова", "ru", ("Иванова", "Анна")),
            ("สมชาย ใจดี", "th", ("ใจดี", "สมชาย")),
            ("", "ja", ("-", "-")),
            ("　", "ja", ("-", "-")),
            (",", "en", (",", "-")),
            // The first word decides: no honorific, and nothing in brackets.
            ("John Smith 様", "ja", ("Smith 様", "John")),
            ("John Smith様", "ja", ("Smith様", "John")),
            ("Johnさん Smith", "ja", ("Smith", "Johnさん")),
            ("John 様", "ja", ("John 様", "-")),
            ("Smith　先生", "ja", ("Smith　先生", "-")),
            ("Taro Yamada（山田太郎）", "ja", ("Yamada（山田太郎）", "Taro")),
            ("Taro Yamada (山田 太郎)", "ja", ("Yamada (山田 太郎)", "Taro")),
            ("山田 太郎（Taro Yamada）", "en", ("山田", "太郎（Taro Yamada）")),
            ("山田 太郎 [Taro Yamada] 様", "en", ("山田", "太郎 [Taro Yamada] 様")),
            ("山田太郎 (Taro Yamada)", "en", ("山田太郎 (Taro Yamada)", "-")),
            ("（株）山田 太郎", "ja", ("（株）山田", "太郎")),
            ("Dr.山田 太郎", "ja", ("Dr.山田", "太郎")),
            ("Mr. 山田 太郎", "en", ("Mr. 山田", "太郎")),
            ("山田様", "ja", ("山田様", "-")),
            ("Maria 山田", "ja", ("山田", "Maria")),
            ("マリア Smith", "en", ("マリア", "Smith")),
            ("佐々木 健", "en", ("佐々木", "健")),
            ("王小明 先生", "zh", ("王小明 先生", "-")),
            ("홍 길동 님", "ko", ("홍", "길동 님")),
            ("ㄅㄆ ㄇ", "zh", ("ㄅㄆ", "ㄇ")),
            // Hungarian and Vietnamese names are written with the family name first.
            ("Nguyễn Văn An", "vi", ("Nguyễn", "Văn An")),
            ("Trần Thị Thu Hà", "vi-VN", ("Trần", "Thị Thu Hà")),
            ("nguyễn an", "vi", ("nguyễn", "an")),
            ("An", "vi", ("An", "-")),
            ("Nguyễn Văn An", "en", ("An", "Nguyễn Văn")),
            ("Kovács János", "hu", ("Kovács", "János")),
            ("Dr. Kovács János", "hu_HU", ("Dr. Kovács", "János")),
            ("Kovács, János", "hu", ("Kovács", "János")),
            // What follows a comma belongs to a name that has its given name before it.
            ("Jane Doe, MBA", "en", ("Doe, MBA", "Jane")),
            ("Jane Doe, Esq.", "en", ("Doe, Esq.", "Jane")),
            ("Jane Doe, Example Inc.", "en", ("Doe, Example Inc.", "Jane")),
            ("Cher, CPA", "en", ("Cher, CPA", "-")),
            ("Jane Doe MBA", "en", ("Doe MBA", "Jane")),
            ("山田太郎 (ABC, Inc.)", "ja", ("山田太郎 (ABC, Inc.)", "-")),
            ("山田 太郎、株式会社サンプル", "ja", ("山田", "太郎、株式会社サンプル")),
            ("van Beethoven, Ludwig", "de", ("van Beethoven", "Ludwig")),
            ("de la Cruz, Maria Luisa", "es", ("de la Cruz", "Maria Luisa")),
            ("Smith Jr., John", "en", ("Smith Jr.", "John")),
            ("Yamada，Taro", "ja", ("Yamada", "Taro")),
            ("山田、太郎", "ja", ("山田", "太郎")),
            ("Smith,", "en", ("Smith,", "-")),
            ("\0", "en", ("-", "-")),
        ] {
            assert_eq!(parts(&split(name, Some(locale))), expected, "{name}");
        }
    }

    #[test]
    fn names_that_were_asked_for_in_parts_are_not_split() {
        for (whole, family, given, expected) in [
            ("Taro Yamada", Some("山田"), Some("太郎"), ("山田", "太郎")),
            ("", Some("山田"), None, ("山田", "-")),
            ("", None, Some("太郎"), ("太郎", "-")),
            ("太郎", None, Some("太郎"), ("太郎", "-")),
            ("山田 太郎", Some(" "), Some(""), ("山田", "太郎")),
        ] {
            let mut guest = fixture::guest();
            guest.name = whole.into();
            guest.family_name = family.map(Into::into);
            guest.given_name = given.map(Into::into);
            assert_eq!(parts(&of(&guest)), expected, "{whole} {family:?} {given:?}");
        }
    }

    #[test]
    fn the_whole_name_is_put_together_where_only_parts_are_known() {
        for (family, given, locale, expected) in [
            ("山田", "太郎", "ja", "山田 太郎"),
            ("Smith", "John", "en", "John Smith"),
            ("Smith様", "John", "ja", "John Smith様"),
            ("Kovács", "János", "hu", "Kovács János"),
        ] {
            let mut guest = fixture::guest();
            guest.locale = Some(locale.into());
            guest.name = String::new();
            guest.family_name = Some(family.into());
            guest.given_name = Some(given.into());
            assert_eq!(whole(&guest).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_text_too_long_for_a_name_is_neither_split_nor_copied() {
        let text = "a ".repeat(64 * 1024);
        let Name { family: Some(Cow::Borrowed(family)), given: None } = split(&text, None) else { panic!("split") };
        assert_eq!(family, text.trim());
    }

    proptest! {
        #[test]
        fn nothing_that_was_typed_is_lost(
            name in "[A-Za-z山田太郎ァ-ヶ様 　,、().（）]{0,20}|.{0,30}", locale in prop::option::of("ja|en|hu|vi_VN|"),
        ) {
            let visible = |text: &str| {
                let mut letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace() && !COMMAS.contains(c)).collect();
                letters.sort_unstable();
                letters
            };
            let Name { family, given } = split(&name, locale.as_deref());
            let both = [family.as_deref().unwrap_or_default(), given.as_deref().unwrap_or_default()].concat();
            if is_blank(&name) {
                prop_assert!(family.is_none() && given.is_none());
            } else {
                prop_assert_eq!(visible(&both), visible(&name));
                prop_assert!(family.is_some_and(|family| !family.trim().is_empty()));
                prop_assert!(given.is_none_or(|given| !given.trim().is_empty()));
            }
        }

        #[test]
        fn two_words_are_told_apart_by_the_script_of_the_first(
            han in "[一-龠]{1,3}", kana in "[ァ-ヶ]{1,4}", latin in "[A-Z][a-z]{1,8}", space in "[ 　]{1,2}",
            honorific in "(| ?(様|さん|氏))",
        ) {
            // Not a title, a suffix or an honorific by chance.
            prop_assume!(!is_one_of(&TITLES, &latin) && !is_one_of(&SUFFIXES, &latin));
            prop_assume!(!HONORIFICS.iter().any(|honorific| han.ends_with(honorific)));
            for (first, second, locale, is_family_first) in [
                (&han, format!("{latin}{honorific}"), "en", true),
                (&kana, format!("{latin}{honorific}"), "en", true),
                (&latin, format!("{han}{honorific}"), "ja", false),
            ] {
                let name = format!("{first}{space}{second}");
                let expected = if is_family_first { (&**first, &*second) } else { (&*second, &**first) };
                let found = split(&name, Some(locale));
                prop_assert_eq!(parts(&found), expected);
            }
        }
    }
}
