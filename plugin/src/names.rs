//! Family and given name out of a whole name as typed.

use crate::bindings::types::Guest_ as Guest;
use alloc::{borrow::Cow, string::String, vec::Vec};

/// A name in two parts, honorifics and all.
#[derive(Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// Family name; the whole name where it is one word. `None` where there is no name.
    pub family: Option<Cow<'a, str>>,
    /// Given name, with any middle names.
    pub given: Option<Cow<'a, str>>,
}

/// Titles that stand before a name and belong to the word after them.
const TITLES: [&str; 8] = ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir"];
/// What stands after a family name and belongs to it.
const SUFFIXES: [&str; 7] = ["jr", "sr", "ii", "iii", "iv", "phd", "md"];
/// Honorifics that stand after a name and belong to the word before them.
const HONORIFICS: [&str; 11] = ["様", "さま", "さん", "氏", "先生", "殿", "君", "くん", "ちゃん", "先生様", "님"];
/// Languages whose speakers put the family name first, for names whose script does not tell.
const FAMILY_FIRST: [&str; 5] = ["ja", "zh", "ko", "hu", "vi"];

/// The parts of a guest's name: as the form asked for them, else split from the whole.
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

/// The whole name: as typed, else put together from its parts in the order of its script.
pub fn whole(guest: &Guest) -> Option<Cow<'_, str>> {
    if !is_blank(&guest.name) {
        return Some(Cow::Borrowed(&guest.name));
    }
    let Name { family, given } = of(guest);
    match (family, given) {
        (Some(family), Some(given)) => {
            let (first, second) = match order(&family, guest.locale.as_deref()) {
                Order::FamilyFirst => (family, given),
                Order::GivenFirst => (given, family),
            };
            Some(Cow::Owned([&*first, &*second].join(" ")))
        }
        (family, given) => family.or(given),
    }
}

/// Splits a whole name. The script decides which part comes first, and where it does not tell, the locale.
pub fn split<'a>(name: &'a str, locale: Option<&str>) -> Name<'a> {
    let name = name.trim();
    if name.is_empty() {
        return Name { family: None, given: None };
    }
    // "Yamada, Taro" says by itself which one is the family name.
    if let Some((family, given)) = name.split_once([',', '，', '、'])
        && !is_blank(family)
        && !is_blank(given)
        && !SUFFIXES.contains(&bare(given).as_str())
    {
        return Name { family: Some(family.trim().into()), given: Some(given.trim().into()) };
    }
    let words = words(name);
    let cut = match order(name, locale) {
        Order::FamilyFirst => words.get(1).map(|second| second.0),
        Order::GivenFirst => start_of_last_family_word(&words).filter(|start| *start > 0),
    };
    let Some((left, right)) = cut.and_then(|at| name.split_at_checked(at)) else {
        return Name { family: Some(name.into()), given: None };
    };
    let (left, right) = (left.trim().into(), right.trim().into());
    match order(name, locale) {
        Order::FamilyFirst => Name { family: Some(left), given: Some(right) },
        Order::GivenFirst => Name { family: Some(right), given: Some(left) },
    }
}

/// Which part of a name is written first.
enum Order {
    FamilyFirst,
    GivenFirst,
}

/// The order of a name, by its script and then by the locale.
fn order(name: &str, locale: Option<&str>) -> Order {
    let mut latin = false;
    for c in name.chars() {
        match u32::from(c) {
            // Hangul, kana in both widths, Han.
            0x1100..=0x11FF
            | 0x3040..=0x30FF
            | 0x3130..=0x318F
            | 0x31F0..=0x31FF
            | 0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xAC00..=0xD7AF
            | 0xF900..=0xFAFF
            | 0xFF66..=0xFF9F
            | 0x2_0000..=0x3_FFFF => return Order::FamilyFirst,
            0x41..=0x5A | 0x61..=0x7A | 0xC0..=0x24F | 0x1E00..=0x1EFF | 0xFF21..=0xFF3A | 0xFF41..=0xFF5A => {
                latin = true;
            }
            _ => {}
        }
    }
    let language = locale.and_then(|locale| locale.split(['-', '_']).next()).unwrap_or_default();
    if !latin && FAMILY_FIRST.iter().any(|known| known.eq_ignore_ascii_case(language)) {
        Order::FamilyFirst
    } else {
        Order::GivenFirst
    }
}

/// The words of a name with their places. Titles are one with the word after them, honorifics with the word before.
fn words(name: &str) -> Vec<(usize, &str)> {
    let mut words: Vec<(usize, &str)> = Vec::new();
    let mut joined = false;
    let mut at = 0;
    // `char::is_whitespace` knows the full-width space.
    for piece in name.split_inclusive(char::is_whitespace) {
        let word = piece.trim();
        let belongs_to_the_word_before =
            joined || (!words.is_empty() && (HONORIFICS.contains(&word) || SUFFIXES.contains(&bare(word).as_str())));
        if !word.is_empty() && !belongs_to_the_word_before {
            words.push((at, word));
        }
        if !word.is_empty() {
            joined = TITLES.contains(&bare(word).as_str());
        }
        at += piece.len();
    }
    words
}

/// Where the family name starts in a name whose given name comes first: at the last word, or at the particles before it,
/// which are written small (`Ludwig van Beethoven`).
fn start_of_last_family_word(words: &[(usize, &str)]) -> Option<usize> {
    let mut from_last = words.iter().rev();
    let mut start = from_last.next()?;
    if start.1.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Some(start.0);
    }
    for word in from_last {
        if !word.1.starts_with(|c: char| c.is_ascii_lowercase()) {
            break;
        }
        start = word;
    }
    Some(start.0)
}

/// A word in lower case, without blanks and full stops.
fn bare(word: &str) -> String {
    word.chars().filter(|c| *c != '.' && !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether nothing but blanks was typed.
fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

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
        for (family, given, expected) in [("山田", "太郎", "山田 太郎"), ("Smith", "John", "John Smith")] {
            let mut guest = fixture::guest();
            guest.name = String::new();
            guest.family_name = Some(family.into());
            guest.given_name = Some(given.into());
            assert_eq!(whole(&guest).as_deref(), Some(expected));
        }
    }
}
