//! Checkboxes: yes and no, in the words that forms use.

use super::{Fit, Json};
use crate::{
    blank::is_blank,
    codes,
    source::Given,
    value::width::{comparable, is_alike},
};

// Words in lower case and usual width. A list in one text weighs half of a list of texts.

/// Words for yes.
const YES: &str = "true|yes|y|on|1|checked|agree|i agree|agreed|accept|accepted|はい|有|あり|有り|可|同意|する|します|\
    希望する|希望します|同意する|同意します|同意しました|同意いたします|承諾する|承諾します|承諾しました|了承する|了承します|\
    了承しました|許可する|許可します|○|〇|◯|✓|✔";
/// Words for no.
const NO: &str = "false|no|n|off|0|unchecked|disagree|i disagree|decline|declined|i decline|no thanks|no thank you|\
    i do not agree|i don't agree|i do not consent|i don't consent|i do not accept|i don't accept|いいえ|無|なし|無し|不可|しない|\
    しません|希望しない|希望しません|同意しない|同意しません|同意いたしません|承諾しない|承諾しません|許可しない|許可しません|\
    不同意|未同意|不要|拒否|×|✕|✗";
/// What makes a consent doubtful, wherever it stands.
const DOUBTS: &str = "ない|ません|せず|なし|いいえ|不同意|不承|不可|不要|不許|未同意|未承|拒|否|断り|断る|辞退|遠慮|見送|結構|停止|\
    解除|取消|取り消|撤回|やめ| no | not |n't | dont | cannot | never | without | neither | nor | none |declin|refus|\
    disagree|reject| object | stop |unsubscrib|opt out|withdraw|revok| deny | nein | nicht | kein| non | jamais |않|아니";

/// True or false.
pub fn checkbox<'a>(given: &Given<'a>) -> Fit<'a> {
    match truth(given) {
        Some(value) => Fit::Whole(Json::Boolean(value)),
        None => Fit::unfit(codes::CHECKBOX_INVALID, "neither a yes nor a no"),
    }
}

/// What a value says, if it is a yes or a no.
fn truth(given: &Given<'_>) -> Option<bool> {
    match given {
        Given::Boolean(value) => Some(*value),
        Given::Text(text) => word(text),
        Given::Number(number) => word(number),
        Given::Choices([only]) => word(only),
        Given::Choices(_) => None,
        // All that was ticked must say the same.
        Given::Agreed(choices) => {
            let mut truths = choices.iter().filter(|choice| !is_blank(choice)).map(|choice| consent(choice));
            let first = truths.next()?;
            first.filter(|_| truths.all(|truth| truth == first))
        }
    }
}

/// Whether a text is a word for yes or for no.
pub fn word(text: &str) -> Option<bool> {
    let text = text.trim();
    let is_among = |list: &str| list.split('|').any(|word| is_alike(word, text));
    if is_among(YES) { Some(true) } else { is_among(NO).then_some(false) }
}

/// Whether a consent was given with a choice, which mostly says what is agreed to. A choice that may mean the opposite is no
/// consent: what was refused must never be kept as agreed.
fn consent(text: &str) -> Option<bool> {
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    for c in comparable(text) {
        match c {
            '’' => words.push('\''),
            ' ' | '.' | ',' | '!' | ':' | ';' | '-' | '/' | '(' | ')' | '。' | '、' | '「' | '」' => {
                if !words.ends_with(' ') {
                    words.push(' ');
                }
            }
            c => words.push(c),
        }
    }
    words.push(' ');
    // The longer words say it of whatever stands before them: "I am sorry, but I do not agree", "案内の送付に同意します".
    let ends = |list: &str, least: usize| {
        let mut ends = list.split('|').filter(|end| end.len() >= least);
        ends.any(|end| words.trim_end().strip_suffix(end).is_some_and(|before| !before.ends_with(['不', '非', '未'])))
    };
    let is_doubtful = || DOUBTS.split('|').any(|doubt| words.contains(doubt));
    match word(&words) {
        None if ends(NO, 13) => Some(false),
        None if ends(YES, 12) || !is_doubtful() => Some(true),
        truth => truth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Choices by which a guest agrees.
    const GIVEN: &[&str] = &[
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
    ];

    /// Choices by which a guest does not agree, or may not.
    const NOT_GIVEN: &[&str] = &[
        "同意しない",
        "同意しません。",
        "個人情報の取扱いに同意しません",
        "個人情報の取扱いに同意しない",
        "案内メールを希望しない",
        "案内メールを希望しません",
        "案内メールは不要です",
        "不同意",
        "不同意とします",
        "不同意します",
        "拒否します",
        "お断りします",
        "辞退します",
        "今回は遠慮します",
        "結構です",
        "いいえ、結構です",
        "いいえ",
        "録画を許可しない",
        "受け取りたくない",
        "配信停止",
        "まだ同意せず検討する",
        "未同意",
        "承諾できません",
        "構いません",
        "I do not agree",
        "I don't agree",
        "I don’t agree",
        "ＤＯ　ＮＯＴ　ＡＧＲＥＥ",
        "I do not consent to this",
        "No",
        "No, thanks",
        "No thank you!",
        "No objection",
        "I decline",
        "Decline all",
        "I refuse",
        "I disagree",
        "I would rather not",
        "Opt-out",
        "Please unsubscribe me",
        "Never contact me",
        "I cannot accept",
        "Do not call me",
        "Don't send me mail",
        "Reject",
        "Stop writing to me",
        "false",
        "0",
        "×",
    ];

    #[test]
    fn what_was_refused_is_never_kept_as_agreed() {
        for choice in NOT_GIVEN {
            let choices = [(*choice).to_owned()];
            assert_ne!(truth(&Given::Agreed(&choices)), Some(true), "{choice}");
            let both = ["同意します".to_owned(), (*choice).to_owned()];
            assert_eq!(truth(&Given::Agreed(&both)), None, "{choice}");
        }
        // What says so in clear words is a no, so that it takes back an earlier yes.
        for choice in [
            "個人情報の取扱いに同意しません",
            "案内メールを希望しない",
            "不同意",
            "I do not agree",
            "Sorry, but I don’t agree.",
            "No, thanks",
            "いいえ",
        ] {
            let choices = [choice.to_owned()];
            assert_eq!(truth(&Given::Agreed(&choices)), Some(false), "{choice}");
        }
        // What may mean either is neither.
        for choice in ["構いません", "No objection", "結構です", "同意しないわけではない", "I agree, but not to calls"]
        {
            let choices = [choice.to_owned()];
            assert_eq!(truth(&Given::Agreed(&choices)), None, "{choice}");
        }
    }

    #[test]
    fn what_was_agreed_to_is_kept_whatever_its_words() {
        for choice in GIVEN {
            let choices = [(*choice).to_owned()];
            assert_eq!(truth(&Given::Agreed(&choices)), Some(true), "{choice}");
            let twice = [(*choice).to_owned(), " ".to_owned(), "I agree".to_owned()];
            assert_eq!(truth(&Given::Agreed(&twice)), Some(true), "{choice}");
        }
    }

    #[test]
    fn yes_and_no_are_understood_in_both_languages() {
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
            (Given::Text("個人情報の取扱いに同意する".into()), None),
            (Given::Number("1"), Some(true)),
            (Given::Number("0"), Some(false)),
            (Given::Choices(&refused), Some(false)),
            (Given::Choices(&two), None),
            (Given::Agreed(&two), None),
            (Given::Agreed(&[]), None),
            (Given::Text("たぶん".into()), None),
            (Given::Text("yes|no".into()), None),
            (Given::Text("".into()), None),
            (Given::Number("2"), None),
        ] {
            assert_eq!(truth(&given), expected, "{given:?}");
        }
    }

    #[test]
    fn no_word_is_both_and_all_are_in_usual_width() {
        assert!(YES.split('|').all(|word| !NO.split('|').any(|no| no == word)));
        for word in YES.split('|').chain(NO.split('|')) {
            assert!(comparable(word).eq(word.chars()), "{word}");
        }
        for doubt in DOUBTS.split('|') {
            assert!(comparable(doubt).eq(doubt.trim().chars()), "{doubt}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_true_false_or_told(text in any::<String>(), other in any::<String>()) {
            let choices = [text.clone(), other];
            for given in [
                Given::Text(text.as_str().into()),
                Given::Number(&text),
                Given::Choices(&choices),
                Given::Choices(&choices[..1]),
                Given::Agreed(&choices),
                Given::Agreed(&choices[..1]),
            ] {
                match checkbox(&given) {
                    Fit::Whole(Json::Boolean(_)) => {}
                    Fit::Unfit(note) => prop_assert_eq!(note.code, codes::CHECKBOX_INVALID),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }

        #[test]
        fn nothing_before_a_refusal_makes_it_a_consent(
            before in "[ a-zぁ-ん、。]{0,12}", at in 0_usize..60, after in "[。. !]{0,3}",
        ) {
            // The last three are signs and not words of a sentence.
            let refusal = NOT_GIVEN[at % (NOT_GIVEN.len() - 3)];
            let choices = [format!("{before} {refusal}{after}")];
            prop_assert_ne!(truth(&Given::Agreed(&choices)), Some(true), "{:?}", choices);
        }
    }
}
