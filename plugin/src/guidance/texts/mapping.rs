//! Mappings that do not hold together.

use crate::guidance::{
    cause::{Cause, calendar_owner, crm_admin, operator, words},
    places::{ASSIGNMENT_RULES, LEAD_FIELDS, LEAD_RECORD_TYPES},
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &["question-unknown", "attribute-unknown"],
        what: words(
            "A row refers to something that bookings do not have.",
            "マッピングが、予約に存在しない内容を参照しています。",
        ),
        why: words(
            "The question was removed from the form, or the name has a typing error.",
            "フォームから質問が削除されたか、名称に誤りがあります。",
        ),
        steps: &[calendar_owner(words(
            "Choose another question or value in that row.",
            "該当の行で、別の質問または値を選択してください。",
        ))],
    },
    Cause {
        codes: &["template-invalid"],
        what: words("A template cannot be read.", "テンプレートの書式が正しくありません。"),
        why: words(
            "Its braces do not match. References are written {guest.name}; braces as such are doubled: {{ and }}.",
            "波かっこの対応が取れていません。参照は {guest.name} のように記述し、波かっこ自体を表示する場合は {{ と }} のように重ねます。",
        ),
        steps: &[calendar_owner(words("Correct the template.", "テンプレートを修正してください。"))],
    },
    Cause {
        codes: &["field-mapped-twice", "field-set-by-option"],
        what: words("A field gets its value twice.", "同じ項目に、値が二重に設定されています。"),
        why: words(
            "Two rows, or a row and one of the mapping's options, write to it.",
            "2 つの行、または行とオプションの両方で、同じ項目が指定されています。",
        ),
        steps: &[calendar_owner(words(
            "Remove one of the two. An option goes before a row.",
            "どちらか一方を削除してください。行よりもオプションが優先されます。",
        ))],
    },
    Cause {
        codes: &["fallback-used"],
        what: words("The row's fallback was written.", "空欄時の値が登録されました。"),
        why: words("The answer was blank or could not be written.", "回答が空欄だったか、登録できない内容でした。"),
        steps: &[calendar_owner(words(
            "Nothing, if that is as intended. Otherwise make the question required in the form.",
            "想定どおりであれば対応は不要です。そうでない場合は、フォームの質問を必須にしてください。",
        ))],
    },
    Cause {
        codes: &["nothing-to-write"],
        what: words("No value of the booking could be written.", "予約から登録できる値がありませんでした。"),
        why: words("All mapped answers were blank or left out.", "割り当てた回答がすべて空欄か、除外されました。"),
        steps: &[calendar_owner(words(
            "Map at least the guest's name, company and e-mail address.",
            "少なくとも、予約者の氏名、会社名、メールアドレスを割り当ててください。",
        ))],
    },
    Cause {
        codes: &["option-invalid"],
        what: words("One of the mapping's options does not hold.", "マッピングのオプションに、無効な設定があります。"),
        why: words(
            "The plugin does not know the option, or not this value of it.",
            "プラグインが対応していないオプション、または値が指定されています。",
        ),
        steps: &[
            calendar_owner(words(
                "Open the mapping's options, choose anew and save.",
                "マッピングのオプションを開き、選び直して保存してください。",
            )),
            operator(words(
                "If the settings page does not offer a valid choice, update the plugin.",
                "設定画面に有効な選択肢がない場合は、プラグインを更新してください。",
            )),
        ],
    },
    Cause {
        codes: &["mapping-too-large"],
        what: words(
            "The mapping has too many fields for a look-up.",
            "マッピングの項目が多すぎるため、検索できません。",
        ),
        why: words(
            "Before it writes again, the plugin reads all mapped fields at once, and Salesforce limits the length of such a question.",
            "再度書き込む前に、割り当てたすべての項目を一度に検索しますが、Salesforce の検索文には長さの制限があります。",
        ),
        steps: &[calendar_owner(words("Map fewer fields.", "割り当てる項目を減らしてください。"))],
    },
    Cause {
        codes: &["booking-id-field-unfit", "booking-id-too-long", "booking-id-collision"],
        what: words("The field for the booking id cannot serve.", "予約 ID を保存する項目を使用できません。"),
        why: words(
            "It must be a text field that is unique (case-sensitive), an external ID, long enough for team and booking id, and writable for the connected user.",
            "「ユニーク (大文字と小文字を区別する)」かつ「外部 ID」のテキスト項目で、チームと予約の ID が収まる長さがあり、接続ユーザーが書き込める必要があります。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Create a text field of 255 characters with “Unique”, “Treat \"ABC\" and \"abc\" as different values” and “External ID”, and let the user edit it.",
                    "文字数 255 のテキスト項目を作成し、「ユニーク」「「ABC」と「abc」を別の値として扱う」「外部 ID」を選択して、ユーザーに編集を許可してください。",
                ),
                LEAD_FIELDS,
            ),
            calendar_owner(words(
                "Choose that field in the mapping's options.",
                "マッピングのオプションで、その項目を選択してください。",
            )),
        ],
    },
    Cause {
        codes: &["record-type-unavailable"],
        what: words(
            "The connected user may not use the record type.",
            "接続ユーザーは、このレコードタイプを使用できません。",
        ),
        why: words(
            "It is inactive, was deleted, or is not assigned to the user.",
            "無効化または削除されたか、ユーザーに割り当てられていません。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Activate it, and assign it to the user by profile or permission set.",
                    "有効化し、プロファイルまたは権限セットでユーザーに割り当ててください。",
                ),
                LEAD_RECORD_TYPES,
            ),
            calendar_owner(words(
                "Or choose another one in the mapping's options.",
                "または、マッピングのオプションで別のレコードタイプを選択してください。",
            )),
        ],
    },
    Cause {
        codes: &["INVALID_ASSIGNMENT_RULE", "owner-and-assignment-rule"],
        what: words("The assignment rule does not fit.", "割り当てルールの指定に問題があります。"),
        why: words(
            "The rule of that id is not there for Leads or is not active; or the mapping sets an owner whom the rule may replace.",
            "指定した ID の有効なリード割り当てルールがないか、マッピングで指定した所有者がルールによって変更される可能性があります。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Look up the rule and its id, and activate it.",
                    "ルールとその ID を確認し、有効化してください。",
                ),
                ASSIGNMENT_RULES,
            ),
            calendar_owner(words(
                "In the mapping, decide for either the rule or an owner.",
                "マッピングで、割り当てルールと所有者のどちらか一方を選択してください。",
            )),
        ],
    },
];
