//! The plugin's own choices, as a settings page shows them.

use crate::{
    bindings::settings::{LocalizedText, OptionChoice, OptionGroup, OptionSource},
    choices::ids,
};
use alloc::{borrow::ToOwned, vec, vec::Vec};

/// A text in Japanese and in English.
type Both = (&'static str, &'static str);

/// All choices. Each group's first one holds when none is chosen.
pub fn options() -> Vec<OptionGroup> {
    vec![
        group(
            ids::EXISTING,
            ("同じメールアドレスのリードがある場合", "If a Lead with the same e-mail address exists"),
            (
                "取引開始済みのリードは対象外です。複数ある場合は、最も新しいリードを使います。",
                "Converted Leads do not count. Of several Leads the newest is used.",
            ),
            &[
                ("create-another", ("新しいリードを作成する", "Create another Lead")),
                ("keep", ("既存のリードをそのまま残す", "Leave the Lead as it is")),
                ("fill-empty", ("既存のリードの空欄だけを埋める", "Fill in the Lead's blank fields")),
                ("overwrite", ("既存のリードを上書きする", "Overwrite the mapped fields")),
            ],
            None,
        ),
        group(
            ids::DUPLICATES,
            ("重複ルールに該当した場合", "If a duplicate rule matches"),
            (
                "「そのまま保存する」は、ルールのアクションが「許可」の場合にだけ有効です。「一致したリードを使う」は、一致したものがメールアドレスの同じリード1件だけの場合に使います。空欄を埋めるか上書きするかは「同じメールアドレスのリードがある場合」に従い、「新しいリードを作成する」の場合は空欄だけを埋めます。",
                "\"Save anyway\" works where the rule's action is Allow. \"Use the matching Lead\" works where exactly one Lead matches and has the guest's e-mail address; what happens to it is chosen at existing Leads, and \"Create another Lead\" then means that its blank fields are filled in.",
            ),
            &[
                ("refuse", ("登録せずに知らせる", "Refuse and report")),
                ("save-anyway", ("そのまま保存する", "Save anyway")),
                ("use-match", ("一致したリードを使う", "Use the matching Lead")),
            ],
            None,
        ),
        group(
            ids::BOOKING_ID_FIELD,
            ("予約IDを保存する項目", "Field for the booking id"),
            (
                "「外部ID」と「ユニーク」を設定したテキスト項目（255文字、大文字と小文字を区別）を選ぶと、通信が途切れても1件の予約からリードが2件できることはありません。",
                "A text field that is an external ID and unique (255 characters, case-sensitive). With it a booking never becomes two Leads, even when the network fails.",
            ),
            &[("none", ("使わない", "None"))],
            Some(OptionSource::UniqueTextField),
        ),
        group(
            ids::ASSIGNMENT_RULES,
            ("リードの割り当てルール", "Lead assignment rules"),
            (
                "新しいリードにだけ適用します。ルールのIDを指定することもできます。所有者を指定するか項目に対応付けて、ここで何も選ばない場合、ルールは実行しません。",
                "For new Leads only. The id of a rule may be given. Where an owner is chosen or mapped and nothing is chosen here, no rule runs.",
            ),
            &[("run", ("有効なルールを実行する", "Run the active rule")), ("skip", ("実行しない", "Run none"))],
            Some(OptionSource::RecordId),
        ),
        group(
            ids::RECORD_TYPE,
            ("レコードタイプ", "Record type"),
            ("新しいリードにだけ適用します。", "For new Leads only."),
            &[("default", ("接続ユーザーのデフォルト", "The connected user's default"))],
            Some(OptionSource::RecordType),
        ),
        group(
            ids::OWNER,
            ("リードの所有者", "Owner of the Lead"),
            (
                "新しいリードにだけ適用します。ユーザーまたはキューのIDを指定できます。",
                "For new Leads only. The id of a user or a queue may be given.",
            ),
            &[("automatic", ("割り当てルール、なければ接続ユーザー", "By assignment rule, else the connected user"))],
            Some(OptionSource::RecordId),
        ),
    ]
}

fn group(id: &str, label: Both, help: Both, choices: &[(&str, Both)], source: Option<OptionSource>) -> OptionGroup {
    OptionGroup {
        id: id.to_owned(),
        label: texts(label),
        help: texts(help),
        choices: choices
            .iter()
            .map(|(value, label)| OptionChoice { value: (*value).to_owned(), label: texts(*label) })
            .collect(),
        source,
        default_value: choices.first().map(|(value, _)| (*value).to_owned()).unwrap_or_default(),
    }
}

fn texts((ja, en): Both) -> Vec<LocalizedText> {
    [("ja", ja), ("en", en)]
        .into_iter()
        .map(|(locale, text)| LocalizedText { locale: locale.to_owned(), text: text.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bindings::types::{ChosenOption, Mapping},
        choices::Choices,
        fixture,
    };

    #[test]
    fn every_choice_that_is_offered_is_understood_and_the_default_means_none_chosen() {
        let none = fixture::mapping();
        let by_default = Choices::of(&none).unwrap();
        for group in options() {
            for choice in &group.choices {
                let chosen = ChosenOption { id: group.id.clone(), value: choice.value.clone() };
                let mapping = Mapping { options: vec![chosen], ..fixture::mapping() };
                let choices = Choices::of(&mapping).unwrap();
                assert_eq!(choices == by_default, choice.value == group.default_value, "{} {}", group.id, choice.value);
            }
        }
    }

    #[test]
    fn every_text_is_in_both_languages() {
        for group in options() {
            let labels = group.choices.iter().map(|choice| &choice.label);
            for texts in labels.chain([&group.label, &group.help]) {
                let locales: Vec<&str> = texts.iter().map(|text| text.locale.as_str()).collect();
                assert_eq!(locales, ["ja", "en"], "{}", group.id);
                assert!(texts.iter().all(|text| !text.text.is_empty()));
            }
        }
    }
}
