//! Checkboxes: yes and no, by a list of whole answers. Nothing is guessed from parts of a text.

use super::{Fit, Json, unfit};
use crate::{bindings::types::Value, codes};
use crm_characters::{is_alike, is_blank, is_invisible};

/// Answers that mean yes, in lower case and usual width.
const YES: [&[&str]; 3] = [
    &["true", "yes", "y", "on", "1", "checked", "agree", "i agree", "agreed", "accept", "accepted", "i accept"],
    &[
        "はい",
        "有",
        "あり",
        "有り",
        "可",
        "同意",
        "する",
        "します",
        "希望する",
        "希望します",
        "同意する",
        "同意します",
        "同意しました",
        "同意いたします",
        "承諾する",
        "承諾します",
        "承諾しました",
        "了承する",
        "了承します",
        "了承しました",
        "許可する",
        "許可します",
    ],
    &["○", "〇", "◯", "✓", "✔"],
];
/// Answers that mean no.
const NO: [&[&str]; 3] = [
    &[
        "false",
        "no",
        "n",
        "off",
        "0",
        "unchecked",
        "disagree",
        "i disagree",
        "decline",
        "declined",
        "i decline",
        "refuse",
        "i refuse",
        "reject",
        "no thanks",
        "no, thanks",
        "no thank you",
        "no, thank you",
        "do not agree",
        "i do not agree",
        "i don't agree",
        "i do not consent",
        "i don't consent",
        "i do not accept",
        "i don't accept",
        "opt out",
        "opt-out",
    ],
    &[
        "いいえ",
        "いいえ、結構です",
        "結構です",
        "無",
        "なし",
        "無し",
        "不可",
        "しない",
        "しません",
        "希望しない",
        "希望しません",
        "同意しない",
        "同意しません",
        "同意いたしません",
        "同意できません",
        "承諾しない",
        "承諾しません",
        "承諾できません",
        "許可しない",
        "許可しません",
        "不同意",
        "未同意",
        "不要",
        "不要です",
        "拒否",
        "拒否する",
        "拒否します",
        "お断りします",
        "辞退します",
    ],
    &["×", "✕", "✗"],
];

pub fn checkbox(given: &Value) -> Fit<'_> {
    match truth(given) {
        Some(value) => Ok(Json::Boolean(value).into()),
        None => unfit(codes::CHECKBOX_INVALID, "neither a yes nor a no"),
    }
}

fn truth(given: &Value) -> Option<bool> {
    match given {
        Value::Boolean(value) => Some(*value),
        Value::Text(text) | Value::Number(text) | Value::Date(text) | Value::Time(text) | Value::Moment(text) => {
            word(text)
        }
        Value::Other(other) => word(&other.value),
        Value::Choices(choices) => match &**choices {
            [only] => word(only),
            _ => None,
        },
        // A ticked consent is a yes, whatever it agrees to, unless it is an answer that means no. If several are ticked, all
        // must say the same.
        Value::Agreed(choices) => {
            let mut truths =
                choices.iter().filter(|choice| !is_blank(choice)).map(|choice| word(choice).unwrap_or(true));
            let first = truths.next()?;
            truths.all(|truth| truth == first).then_some(first)
        }
    }
}

/// Longer than any answer on the lists, so that a whole letter is not compared.
const LONGEST: usize = 100;

/// Whether a whole text means yes or no, regardless of what people type differently, and of a full stop at its end.
pub fn word(text: &str) -> Option<bool> {
    let is_end = |c: char| matches!(c, '.' | '。' | '!' | '．' | '！') || c.is_whitespace() || is_invisible(c);
    let text = text.trim_end_matches(is_end);
    if text.len() > LONGEST {
        return None;
    }
    let is_in = |lists: &[&[&str]]| lists.iter().copied().flatten().any(|word| is_alike(word, text));
    if is_in(&YES) { Some(true) } else { is_in(&NO).then_some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::types::Parameter;
    use crate::value::Fitted;
    use crm_characters::comparable;
    use proptest::prelude::*;

    fn agreed(choices: &[&str]) -> Option<bool> {
        let choices: Vec<String> = choices.iter().map(|choice| (*choice).to_owned()).collect();
        truth(&Value::Agreed(choices))
    }

    #[test]
    fn a_ticked_answer_that_means_no_is_never_kept_as_agreed() {
        for choice in [
            "同意しない",
            "同意しません。",
            "不同意",
            "拒否します",
            "お断りします",
            "結構です",
            "いいえ、結構です",
            "いいえ",
            "未同意",
            "承諾できません",
            "I do not agree",
            "I don't agree",
            "I don’t agree.",
            "ＤＯ　ＮＯＴ　ＡＧＲＥＥ",
            "No",
            "No, thanks",
            "No thank you!",
            "I decline",
            "I refuse",
            "Opt-out",
            "false",
            "0",
            "×",
        ] {
            assert_eq!(agreed(&[choice]), Some(false), "{choice}");
            assert_eq!(agreed(&["同意します", choice]), None, "{choice}");
        }
    }

    #[test]
    fn what_was_agreed_to_is_kept_whatever_its_words() {
        for choice in [
            "同意します",
            "同意する。",
            "個人情報の取扱いに同意する",
            "個人情報の取扱いに同意します（必須）",
            "プライバシーポリシーに同意いたします",
            "第三者に提供しないことに同意します",
            "問題がないことを確認し、承諾します",
            "利用規約を読みました",
            "内容を確認しました",
            "メールマガジンを受け取る",
            "案内メールを希望します",
            "お電話でのご連絡を許可します",
            "録画を承諾しました",
            "はい",
            "はい、同意します",
            "了承しました",
            "OK",
            "Ｉ　ａｇｒｅｅ",
            "I agree",
            "I agree.",
            "I AGREE to the terms and conditions",
            "I have read the privacy policy",
            "Yes, please",
            "Yes - send me the newsletter",
            "I consent to the processing of my data",
            "Accept",
            "Notify me of news",
            "Send me notes and notices",
            "Subscribe",
            "✓",
            // Texts that a list of word fragments took for refusals.
            "案内メールは必要ないので、登録のみ希望します",
            "I would like to receive news without waiting",
            "No objection",
        ] {
            assert_eq!(agreed(&[choice]), Some(true), "{choice}");
            assert_eq!(agreed(&[choice, " ", "I agree"]), Some(true), "{choice}");
        }
    }

    #[test]
    fn a_text_that_is_not_on_the_list_is_neither() {
        for text in
            ["個人情報の取扱いに同意する", "たぶん", "maybe", "yes|no", "", "2", "no way", "はい、いいえ", "not agreed"]
        {
            assert_eq!(truth(&Value::Text(text.into())), None, "{text}");
        }
    }

    #[test]
    fn yes_and_no_are_understood_in_both_languages() {
        let refused = vec!["いいえ".to_owned()];
        let two = vec!["はい".to_owned(), "いいえ".to_owned()];
        for (given, expected) in [
            (Value::Boolean(true), Some(true)),
            (Value::Boolean(false), Some(false)),
            (Value::Text("YES".into()), Some(true)),
            (Value::Text("ＹＥＳ ".into()), Some(true)),
            (Value::Text("はい".into()), Some(true)),
            (Value::Text("いいえ".into()), Some(false)),
            (Value::Text("false".into()), Some(false)),
            (Value::Number("1".into()), Some(true)),
            (Value::Number("0".into()), Some(false)),
            (Value::Number("2".into()), None),
            (Value::Choices(refused), Some(false)),
            (Value::Choices(two.clone()), None),
            (Value::Agreed(two), None),
            (Value::Agreed(vec![]), None),
            (Value::Other(Parameter::new("rating", "yes")), Some(true)),
            (Value::Date("2026-12-02".into()), None),
        ] {
            assert_eq!(truth(&given), expected, "{given:?}");
        }
    }

    #[test]
    fn no_answer_means_both_and_all_are_in_usual_width() {
        let yes = || YES.into_iter().flatten();
        let no = || NO.into_iter().flatten();
        assert!(yes().all(|word| !no().any(|no| no == word)));
        for word in yes().chain(no()) {
            assert!(comparable(word).eq(word.chars()), "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_true_false_or_a_finding(text in any::<String>(), other in any::<String>()) {
            let choices = vec![text.clone(), other];
            for given in [
                Value::Text(text.clone()),
                Value::Number(text.clone()),
                Value::Choices(choices.clone()),
                Value::Choices(choices[..1].into()),
                Value::Agreed(choices.clone()),
                Value::Agreed(choices[..1].into()),
                Value::Moment(text),
            ] {
                match checkbox(&given) {
                    Ok(Fitted { value: Json::Boolean(_), .. }) => {}
                    Err(note) => prop_assert_eq!(note.code, codes::CHECKBOX_INVALID),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
