//! Values that Salesforce does not take as they are.

use crate::guidance::{
    cause::{Cause, calendar_owner, crm_admin, team_admin, words},
    places::{LEAD_FIELDS, LEAD_VALIDATION_RULES, STATES_AND_COUNTRIES},
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &["STRING_TOO_LONG", "value-too-long", "value-shortened", "field-shrunk"],
        what: words(
            "A value is longer than its field in Salesforce.",
            "値が、Salesforce の項目の最大文字数を超えています。",
        ),
        why: words(
            "Free text is cut to fit, which is told as a warning; e-mail addresses, telephone numbers, web addresses, ids and choices would be wrong when cut, and are not. The field may also have been shortened since it was mapped.",
            "自由記述のテキストは項目に収まるように短縮し、警告を表示します。メールアドレス、電話番号、URL、ID、選択肢は、短縮すると誤った値になるため短縮しません。マッピング後に項目が短くされた可能性もあります。",
        ),
        steps: &[
            calendar_owner(words(
                "Limit the answer's length in the form, or map it to a longer field, for example a long text area.",
                "フォームで文字数を制限するか、ロングテキストエリアなど、より長い項目に割り当ててください。",
            )),
            crm_admin(words("Or make the field longer.", "または、項目の文字数を増やしてください。"), LEAD_FIELDS),
        ],
    },
    Cause {
        codes: &["INVALID_EMAIL_ADDRESS", "email-invalid"],
        what: words("An e-mail address is not valid.", "メールアドレスの形式が正しくありません。"),
        why: words(
            "The answer has a typing error, or the field is mapped to something that is no e-mail address. Salesforce takes ASCII addresses only.",
            "回答に入力誤りがあるか、メールアドレスではない質問が割り当てられています。Salesforce では半角英数字のアドレスのみ使用できます。",
        ),
        steps: &[
            team_admin(words(
                "Ask the guest for the right address, and enter the Lead by hand.",
                "予約者に正しいアドレスを確認し、リードを手動で登録してください。",
            )),
            calendar_owner(words(
                "Map the field to the guest's e-mail address or to a question of the e-mail kind.",
                "項目には、予約者のメールアドレスまたはメール形式の質問を割り当ててください。",
            )),
        ],
    },
    Cause {
        codes: &["NUMBER_OUTSIDE_VALID_RANGE", "number-invalid", "number-out-of-range", "value-rounded"],
        what: words("An answer does not fit a number field.", "回答が、数値項目に登録できない内容です。"),
        why: words(
            "It is no number, or has more digits than the field takes. Decimals beyond the field's are rounded, which is told as a warning.",
            "数値ではないか、項目の桁数を超えています。小数点以下の桁が多い場合は四捨五入し、警告を表示します。",
        ),
        steps: &[
            calendar_owner(words(
                "Ask for the number with a question of the number kind, or map the answer to a text field.",
                "数値形式の質問に変更するか、テキスト項目に割り当ててください。",
            )),
            crm_admin(
                words("Or let the field take more digits.", "または、項目の桁数を増やしてください。"),
                LEAD_FIELDS,
            ),
        ],
    },
    Cause {
        codes: &["date-invalid", "date-time-invalid", "time-invalid"],
        what: words(
            "An answer is not a date or time as the field needs it.",
            "回答が、日付・時刻の項目に登録できない内容です。",
        ),
        why: words(
            "Date fields take a calendar date, date/time fields a moment with its time zone, time fields a time of day.",
            "日付項目には日付、日付/時間項目にはタイムゾーン付きの日時、時間項目には時刻が必要です。",
        ),
        steps: &[calendar_owner(words(
            "Use a question of the date kind, or map the field to the booking's start or end.",
            "日付形式の質問を使うか、予約の開始・終了日時を割り当ててください。",
        ))],
    },
    Cause {
        codes: &["checkbox-invalid"],
        what: words("An answer is neither a yes nor a no.", "回答が「はい」「いいえ」のどちらにも当てはまりません。"),
        why: words(
            "The field is a checkbox. Answers such as yes, no, true, false, はい and いいえ are understood. A consent that may be a refusal is left out.",
            "チェックボックス項目には、はい、いいえ、yes、no、true、false などの回答を登録できます。同意か拒否かがはっきりしない回答は登録しません。",
        ),
        steps: &[calendar_owner(words(
            "Use a question with the choices yes and no, or word the consent plainly.",
            "「はい」「いいえ」を選ぶ質問にするか、同意の文言を明確にしてください。",
        ))],
    },
    Cause {
        codes: &[
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "picklist-value-unknown",
            "picklist-value-inactive",
            "picklist-value-not-allowed",
            "choices-left-out",
        ],
        what: words("A value is not among those that the picklist allows.", "選択リストで許可されていない値です。"),
        why: words(
            "The picklist is restricted to its active values. The form's choice has another wording, the value was deactivated, or the controlling field or the record type does not allow it.",
            "この選択リストは、有効な値のみに制限されています。フォームの選択肢と表記が異なる、値が無効化された、または制御項目やレコードタイプで許可されていない可能性があります。",
        ),
        steps: &[
            calendar_owner(words(
                "Give the form's choices the wording of the picklist's values or labels.",
                "フォームの選択肢を、選択リストの値または表示ラベルと同じ表記にしてください。",
            )),
            crm_admin(
                words(
                    "Or add or activate the value, for the record type too.",
                    "または、値を追加・有効化し、レコードタイプでも選択できるようにしてください。",
                ),
                LEAD_FIELDS,
            ),
        ],
    },
    Cause {
        codes: &["JSON_PARSER_ERROR", "INVALID_TYPE_ON_FIELD_IN_RECORD", "type-mismatch", "field-type-changed"],
        what: words(
            "A value does not have the type of its field.",
            "値の形式が、割り当て先の項目のデータ型と一致しません。",
        ),
        why: words(
            "The question was mapped to a field of another kind, or the field's type was changed since the mapping was saved.",
            "種類の異なる項目に質問を割り当てているか、マッピングの保存後に項目のデータ型が変更されました。",
        ),
        steps: &[calendar_owner(words(
            "Open the mapping, check it against Salesforce, and choose a question or field that fits.",
            "マッピングを開いて Salesforce の項目と照合し、適切な質問または項目を選び直してください。",
        ))],
    },
    Cause {
        codes: &["TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", "characters-removed"],
        what: words(
            "A text has characters that Salesforce does not store.",
            "Salesforce に保存できない文字が含まれています。",
        ),
        why: words(
            "These are mostly invisible control characters that came along with copied text. They are removed, which is told as a warning.",
            "多くは、コピーした文章に含まれる目に見えない制御文字です。取り除いて登録し、警告を表示します。",
        ),
        steps: &[team_admin(words(
            "Mostly nothing. If the Lead is missing, enter it by hand.",
            "通常は対応不要です。リードがない場合は、手動で登録してください。",
        ))],
    },
    Cause {
        codes: &["FIELD_INTEGRITY_EXCEPTION"],
        what: words(
            "Salesforce does not accept values that depend on each other, such as state and country.",
            "都道府県と国など、互いに関連する項目の値が受け付けられませんでした。",
        ),
        why: words(
            "With state and country picklists, names must be those of the list, and the state must belong to the country.",
            "州/国選択リストを使う組織では、リストにある名称のみ使用でき、都道府県は国に対応している必要があります。",
        ),
        steps: &[
            calendar_owner(words(
                "Offer the list's names as choices in the form, and map the country too, as a fixed value if all guests share it.",
                "フォームの選択肢をリストの名称に合わせ、国も割り当ててください。国が共通の場合は固定値を使用できます。",
            )),
            crm_admin(
                words(
                    "Look up the valid names, or set a default country.",
                    "有効な名称を確認するか、デフォルトの国を設定してください。",
                ),
                STATES_AND_COUNTRIES,
            ),
        ],
    },
    Cause {
        codes: &["FIELD_CUSTOM_VALIDATION_EXCEPTION"],
        what: words(
            "A validation rule in Salesforce refused the Lead.",
            "Salesforce の入力規則により、リードが登録されませんでした。",
        ),
        why: words(
            "Your org's admin made a rule that this booking does not keep. The message is the rule's own.",
            "Salesforce のシステム管理者が設定した規則を、この予約の内容が満たしていません。メッセージは、その規則に設定された文言です。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Find the rule by its message, and correct it or exempt the connected user.",
                    "メッセージから規則を特定し、内容を見直すか、接続ユーザーを対象外にしてください。",
                ),
                LEAD_VALIDATION_RULES,
            ),
            calendar_owner(words(
                "Or shape the form and the mapping so that the rule is kept.",
                "または、規則を満たすようにフォームとマッピングを調整してください。",
            )),
            team_admin(words("Send the booking again afterwards.", "修正後に、予約をもう一度送信してください。")),
        ],
    },
    Cause {
        codes: &["FIELD_FILTER_VALIDATION_EXCEPTION"],
        what: words(
            "A look-up field refused the record that it should refer to.",
            "参照項目に指定したレコードが、ルックアップ検索条件により拒否されました。",
        ),
        why: words(
            "The field has a look-up filter that this record does not meet.",
            "項目に設定されたルックアップ検索条件を、このレコードが満たしていません。",
        ),
        steps: &[
            calendar_owner(words(
                "Choose another record in the mapping.",
                "マッピングで別のレコードを指定してください。",
            )),
            crm_admin(words("Or change the filter.", "または、検索条件を変更してください。"), LEAD_FIELDS),
        ],
    },
    Cause {
        codes: &["MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY", "reference-invalid"],
        what: words(
            "A value is not the id of a record that may be used here.",
            "指定された ID のレコードを使用できません。",
        ),
        why: words(
            "The id has a typing error, belongs to another org such as a sandbox or to another object, was deleted, or the record type or owner is not available to the user.",
            "ID の誤り、Sandbox など別の組織や別のオブジェクトの ID、削除済みのレコード、またはユーザーが使えないレコードタイプや所有者が考えられます。",
        ),
        steps: &[
            calendar_owner(words(
                "Copy the id again from the address of the record's page in the connected org.",
                "接続先の組織でレコードのページを開き、URL から ID をコピーし直してください。",
            )),
            crm_admin(
                words(
                    "See which object the field refers to, and that the user has access.",
                    "項目の参照先オブジェクトと、ユーザーのアクセス権を確認してください。",
                ),
                LEAD_FIELDS,
            ),
        ],
    },
];
