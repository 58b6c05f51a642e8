//! Fields that need a value, cannot be written or are gone.

use crate::guidance::{
    cause::{Cause, calendar_owner, crm_admin, words},
    places::{LEAD_FIELDS, PERMISSION_SETS},
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &["REQUIRED_FIELD_MISSING", "required-field-unmapped", "field-newly-required"],
        what: words(
            "A field that Salesforce requires gets no value.",
            "Salesforce の必須項目に、値が設定されていません。",
        ),
        why: words(
            "No row of the mapping fills it, or it became required after the mapping was saved.",
            "マッピングに設定されていないか、マッピングの保存後に必須へ変更されました。",
        ),
        steps: &[
            calendar_owner(words(
                "Map the field to a question or a fixed value. A question must be required in the form too.",
                "項目に質問または固定値を割り当ててください。質問の場合は、フォームでも必須にする必要があります。",
            )),
            crm_admin(
                words(
                    "If Leads do not need it, make the field optional.",
                    "リードに必須でなければ、項目の必須設定を外してください。",
                ),
                LEAD_FIELDS,
            ),
        ],
    },
    Cause {
        codes: &["required-field-blank", "required-field-may-be-blank"],
        what: words(
            "A field that Salesforce requires may stay blank, or did.",
            "Salesforce の必須項目が空欄になるか、空欄になる可能性があります。",
        ),
        why: words(
            "The question is optional in the form, while the field is required in Salesforce. Both must be required.",
            "項目は Salesforce で必須ですが、フォームの質問は任意になっています。両方を必須にする必要があります。",
        ),
        steps: &[
            calendar_owner(words(
                "Make the question required, or give the row a fallback.",
                "フォームの質問を必須にするか、空欄時の値を設定してください。",
            )),
            crm_admin(
                words(
                    "Or make the field optional in Salesforce.",
                    "または、Salesforce で項目の必須設定を外してください。",
                ),
                LEAD_FIELDS,
            ),
        ],
    },
    Cause {
        codes: &["INVALID_FIELD_FOR_INSERT_UPDATE", "field-not-writable", "required-field-not-writable"],
        what: words("The connected user may not write a field.", "接続ユーザーが、項目に書き込めません。"),
        why: words(
            "Field-level security or the page layout makes it read-only for the user, or Salesforce fills it by itself. Such fields are not offered when a mapping is made.",
            "項目レベルセキュリティでユーザーに「参照のみ」が設定されているか、Salesforce が自動で値を設定する項目です。書き込めない項目は、マッピングの選択肢に表示されません。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Give the user edit access to the field, in a permission set under Object Settings > Leads.",
                    "権限セットの「オブジェクト設定」>「リード」で、項目の編集アクセスをユーザーに付与してください。",
                ),
                PERMISSION_SETS,
            ),
            calendar_owner(words(
                "Or remove the field from the mapping.",
                "または、マッピングからこの項目を外してください。",
            )),
        ],
    },
    Cause {
        codes: &["INVALID_FIELD", "field-gone"],
        what: words(
            "A mapped field is not there for the connected user.",
            "マッピングした項目が、接続ユーザーからは見つかりません。",
        ),
        why: words(
            "It was deleted, its API name was changed, or field-level security hides it.",
            "項目が削除された、API 参照名が変更された、または項目レベルセキュリティで非表示になっています。",
        ),
        steps: &[
            crm_admin(
                words(
                    "See whether the field is there, and make it visible to the user under “Set Field-Level Security”.",
                    "項目があるか確認し、「項目レベルセキュリティの設定」でユーザーに表示されるようにしてください。",
                ),
                LEAD_FIELDS,
            ),
            calendar_owner(words(
                "If it was deleted, remove the row or choose another field.",
                "削除済みの場合は、マッピングの行を削除するか、別の項目を選択してください。",
            )),
        ],
    },
];
