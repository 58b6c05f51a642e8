//! Values that Salesforce does not take.

use crate::guidance::{
    cause::{Cause, calendar_owner, crm_admin, words},
    places::LEAD_FIELDS,
};

pub static CAUSES: &[Cause] = &[Cause {
    codes: &["REQUIRED_FIELD_MISSING"],
    what: words(
        "Salesforce did not take the Lead, because a required field has no value.",
        "必須項目に値がないため、Salesforce がリードを登録しませんでした。",
    ),
    why: words(
        "The field is required in Salesforce, but no mapping row fills it, or it became required after the mapping was saved.",
        "Salesforce では必須の項目ですが、マッピングに設定されていないか、マッピングを保存した後に必須へ変更されました。",
    ),
    steps: &[
        calendar_owner(words(
            "Map the field named in the message to a question or a fixed value. If it is a question, make it required in the form too, or give the row a fallback.",
            "メッセージに表示された項目に、質問または固定値を割り当ててください。質問を割り当てる場合は、フォームでもその質問を必須にするか、空欄時の値を設定してください。",
        )),
        crm_admin(
            words(
                "If the field need not be required, make it optional.",
                "必須である必要がなければ、項目の「必須項目」の設定を外してください。",
            ),
            LEAD_FIELDS,
        ),
    ],
}];
