//! Leads that are there already, or not any more.

use crate::guidance::{
    cause::{Cause, calendar_owner, crm_admin, team_admin, words},
    places::{DUPLICATE_RULES, LEAD_FIELDS, LEADS, RECYCLE_BIN},
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &["DUPLICATES_DETECTED"],
        what: words(
            "A duplicate rule in Salesforce refused the Lead.",
            "Salesforce の重複ルールにより、リードが登録されませんでした。",
        ),
        why: words(
            "Salesforce holds a record that it takes for the same person; its id is given with the problem, if the connected user may see it. The guest may simply have booked before.",
            "同じ人物とみなされるレコードがすでにあります。接続ユーザーが参照できる場合は、その ID が表示されます。以前にも予約した方の可能性があります。",
        ),
        steps: &[
            team_admin(words(
                "Look at the matched record. If it is the same person, nothing more is needed there, or enter the booking by hand.",
                "一致したレコードを確認してください。同じ人物であれば追加の登録は不要です。必要に応じて予約内容を手動で反映してください。",
            )),
            calendar_owner(words(
                "Choose in the mapping's options what shall happen: refuse, save all the same, or use the matching Lead.",
                "マッピングのオプションで、重複時の動作 (登録しない、そのまま保存する、一致したリードを使う) を選択してください。",
            )),
            crm_admin(
                words(
                    "Saving all the same works only where the rule's action on create is “Allow”. Where it is “Block”, change the rule, or exempt the connected user by a condition.",
                    "「そのまま保存する」は、ルールの「作成時のアクション」が「許可」の場合にのみ有効です。「ブロック」の場合は、ルールを変更するか、条件で接続ユーザーを対象外にしてください。",
                ),
                DUPLICATE_RULES,
            ),
        ],
    },
    Cause {
        codes: &["DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID", "several-records"],
        what: words(
            "Another record already holds a value that must be unique.",
            "一意である必要がある項目に、すでにほかのレコードと同じ値が登録されています。",
        ),
        why: words(
            "A mapped field is set to “Unique”, or several records hold the same external ID. The record is named with the problem where Salesforce tells it.",
            "割り当てた項目が「ユニーク」に設定されているか、同じ外部 ID のレコードが複数あります。対象のレコードは、判明している場合に表示されます。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Look at the record, and correct whichever of the two is wrong.",
                    "該当するレコードを確認し、誤っている方の値を修正してください。",
                ),
                LEADS,
            ),
            calendar_owner(words(
                "Do not map a unique field to a fixed value, or to an answer that several guests may give.",
                "一意の項目に、固定値や複数の予約者が同じ内容を入力しうる質問を割り当てないでください。",
            )),
            crm_admin(
                words(
                    "If it need not be unique, change the field.",
                    "一意である必要がなければ、項目の設定を変更してください。",
                ),
                LEAD_FIELDS,
            ),
        ],
    },
    Cause {
        codes: &["CANNOT_UPDATE_CONVERTED_LEAD", "lead-converted"],
        what: words(
            "The Lead has been converted, so that it can no longer be changed.",
            "リードがすでに取引開始済みのため、変更できません。",
        ),
        why: words(
            "A converted Lead lives on as a contact, an account and perhaps an opportunity. The new time of the booking was not written.",
            "取引開始済みのリードは、取引先責任者、取引先、商談に引き継がれています。変更後の日程は書き込まれていません。",
        ),
        steps: &[crm_admin(
            words(
                "Enter the change at the contact or the opportunity by hand.",
                "取引先責任者または商談に、変更内容を手動で反映してください。",
            ),
            LEADS,
        )],
    },
    Cause {
        codes: &["ENTITY_IS_DELETED", "lead-gone"],
        what: words("The Lead is not there any more.", "対象のリードが見つかりません。"),
        why: words(
            "It was deleted or merged into another record, or is no longer shared with the connected user.",
            "削除されたか、ほかのレコードにマージされたか、接続ユーザーに共有されなくなりました。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Restore the Lead if it was deleted by mistake.",
                    "誤って削除した場合は、リードを復元してください。",
                ),
                RECYCLE_BIN,
            ),
            team_admin(words(
                "Then send the booking again, or enter the change by hand.",
                "その後、予約をもう一度送信するか、変更内容を手動で反映してください。",
            )),
        ],
    },
    Cause {
        codes: &["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"],
        what: words(
            "Salesforce undid this step because another one failed.",
            "別の処理が失敗したため、この処理も取り消されました。",
        ),
        why: words(
            "The steps of one request are written together or not at all.",
            "1 回の要求に含まれる処理は、すべて成功するか、すべて取り消されます。",
        ),
        steps: &[team_admin(words(
            "Follow the advice on the other error of the same problem.",
            "同時に表示されている、ほかのエラーの対処方法に従ってください。",
        ))],
    },
];
