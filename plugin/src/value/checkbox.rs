//! Checkboxes: yes and no, in the words that forms use.

use super::{Fit, Json};
use crate::{codes, source::Given, width::fold_case};

/// Words for yes, in lower case and usual width.
pub const YES: &[&str] = &[
    "true",
    "yes",
    "y",
    "on",
    "1",
    "checked",
    "agree",
    "i agree",
    "agreed",
    "accept",
    "accepted",
    "はい",
    "有",
    "あり",
    "有り",
    "可",
    "希望する",
    "希望します",
    "同意",
    "同意する",
    "同意します",
    "同意しました",
    "承諾する",
    "承諾します",
    "する",
    "します",
    "○",
    "〇",
    "◯",
    "✓",
    "✔",
];

/// Words for no.
pub const NO: &[&str] = &[
    "false",
    "no",
    "n",
    "off",
    "0",
    "unchecked",
    "disagree",
    "decline",
    "declined",
    "いいえ",
    "無",
    "なし",
    "無し",
    "不可",
    "希望しない",
    "希望しません",
    "同意しない",
    "同意しません",
    "承諾しない",
    "承諾しません",
    "しない",
    "しません",
    "×",
    "✕",
    "✗",
];

/// True or false.
pub fn checkbox<'a>(given: &Given<'a>) -> Fit<'a> {
    match truth(given) {
        Some(value) => Fit::Whole(Json::Boolean(value)),
        None => Fit::unfit(codes::CHECKBOX_INVALID, "neither a yes nor a no"),
    }
}

/// What a value says, if it is a yes or a no.
pub fn truth(given: &Given<'_>) -> Option<bool> {
    match given {
        Given::Boolean(value) => Some(*value),
        Given::Agreed(choices) => match choices {
            // A consent may also be asked as a choice between two.
            [only] => word(only).or(Some(true)),
            _ => Some(true),
        },
        Given::Text(text) => word(text),
        Given::Number(number) => word(number),
        Given::Choices([only]) => word(only),
        Given::Choices(_) => None,
    }
}

fn word(text: &str) -> Option<bool> {
    let text = fold_case(text);
    if YES.contains(&text.as_str()) {
        Some(true)
    } else if NO.contains(&text.as_str()) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_are_understood_in_both_languages() {
        let agreed = ["個人情報の取扱いに同意する".to_owned()];
        let refused = ["いいえ".to_owned()];
        let two = ["はい".to_owned(), "いいえ".to_owned()];
        for (given, expected) in [
            (Given::Boolean(true), Some(true)),
            (Given::Boolean(false), Some(false)),
            (Given::Text("YES".into()), Some(true)),
            (Given::Text("ＹＥＳ ".into()), Some(true)),
            (Given::Text("はい".into()), Some(true)),
            (Given::Text("いいえ".into()), Some(false)),
            (Given::Text("false".into()), Some(false)),
            (Given::Number("1"), Some(true)),
            (Given::Number("0"), Some(false)),
            (Given::Agreed(&agreed), Some(true)),
            (Given::Agreed(&refused), Some(false)),
            (Given::Choices(&refused), Some(false)),
            (Given::Choices(&two), None),
            (Given::Text("たぶん".into()), None),
            (Given::Number("2"), None),
        ] {
            assert_eq!(truth(&given), expected, "{given:?}");
        }
    }

    #[test]
    fn no_word_is_both_and_all_are_in_usual_width() {
        for word in YES {
            assert!(!NO.contains(word), "{word}");
        }
        for word in YES.iter().chain(NO) {
            assert_eq!(fold_case(word), *word);
        }
    }
}
