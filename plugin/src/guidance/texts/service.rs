//! Salesforce being busy, away or unclear.

use crate::guidance::{
    cause::{Cause, crm_admin, operator, team_admin, words},
    places::{COMPANY_INFORMATION, FLOWS, LEADS},
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &["UNABLE_TO_LOCK_ROW", "record-changed"],
        what: words(
            "A record in Salesforce was busy at that moment.",
            "Salesforce のレコードが、別の処理で使用中でした。",
        ),
        why: words(
            "Somebody else or automation of the org changed it or a related record, such as an account or a campaign, at the same time.",
            "同じ時刻に、ほかのユーザーや自動処理が、このレコードまたは取引先・キャンペーンなどの関連レコードを変更していました。",
        ),
        steps: &[
            team_admin(words(
                "Wait: it is tried again by itself.",
                "自動的に再試行されますので、そのままお待ちください。",
            )),
            crm_admin(
                words(
                    "If it happens often, look for automation that changes many Leads at once.",
                    "頻発する場合は、多数のリードを一括で更新する自動処理がないか確認してください。",
                ),
                FLOWS,
            ),
        ],
    },
    Cause {
        codes: &[
            "SERVER_UNAVAILABLE",
            "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
            "INVALID_QUERY_LOCATOR",
            "org-busy",
            "org-error",
        ],
        what: words("Salesforce is busy or under maintenance.", "Salesforce が混み合っているか、メンテナンス中です。"),
        why: words(
            "During maintenance an org can be read but not written. Nothing was written.",
            "メンテナンス中の組織は、参照できても書き込みができません。データは書き込まれていません。",
        ),
        steps: &[
            team_admin(words(
                "Wait: it is tried again by itself.",
                "自動的に再試行されますので、そのままお待ちください。",
            )),
            crm_admin(
                words(
                    "If it lasts, look up the org's instance here and its state at status.salesforce.com.",
                    "続く場合は、この画面で組織のインスタンスを調べ、status.salesforce.com で稼働状況を確認してください。",
                ),
                COMPANY_INFORMATION,
            ),
        ],
    },
    Cause {
        codes: &["org-unreachable"],
        what: words("Salesforce could not be reached.", "Salesforce に接続できませんでした。"),
        why: words(
            "No connection came about, or no answer came in time: a fault on the way, or at Salesforce.",
            "通信経路または Salesforce 側の問題により、接続できないか、時間内に応答がありませんでした。",
        ),
        steps: &[
            team_admin(words(
                "Wait: it is tried again by itself.",
                "自動的に再試行されますので、そのままお待ちください。",
            )),
            operator(words(
                "If it lasts, look at name resolution, the firewall and the policy for the org's host.",
                "続く場合は、名前解決、ファイアウォール、および組織のホストに対するポリシーを確認してください。",
            )),
        ],
    },
    Cause {
        codes: &[
            "outcome-unknown",
            "outcome-pending",
            "UNKNOWN_EXCEPTION",
            "REQUEST_RUNNING_TOO_LONG",
            "QUERY_TIMEOUT",
        ],
        what: words(
            "It is not known yet whether Salesforce wrote the Lead.",
            "Salesforce にリードが登録されたかどうか、まだ確認できていません。",
        ),
        why: words(
            "The answer was lost, or Salesforce failed while it was working. So that no second Lead comes about, the plugin looks for the first one before it writes again; Salesforce may take ten minutes to make up its mind.",
            "応答が失われたか、Salesforce の処理中にエラーが発生しました。重複を防ぐため、再度書き込む前に登録済みのリードを確認します。結果が確定するまで 10 分ほどかかることがあります。",
        ),
        steps: &[
            team_admin(words(
                "Wait: it is cleared up by itself. Do not create the Lead by hand meanwhile.",
                "自動的に確認されますので、お待ちください。その間、手動でリードを作成しないでください。",
            )),
            crm_admin(
                words(
                    "If it keeps happening, hand the message with its error id to Salesforce's support.",
                    "繰り返し発生する場合は、エラー ID を含むメッセージを Salesforce サポートに連絡してください。",
                ),
                LEADS,
            ),
        ],
    },
    Cause {
        codes: &["outcome-unclear"],
        what: words(
            "A person must look whether this booking is a Lead already.",
            "この予約がすでにリードとして登録されているか、確認が必要です。",
        ),
        why: words(
            "An earlier try may have created a Lead. Several Leads, or ones that differ a little, could be it, and the plugin does not guess.",
            "以前の試行でリードが作成された可能性がありますが、候補が複数あるか、内容が少し異なるため、自動では判断できません。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Look at the Leads named in the problem, or those with the guest's e-mail address that were created at that time.",
                    "問題に示されたリード、または予約者のメールアドレスでその時刻に作成されたリードを確認してください。",
                ),
                LEADS,
            ),
            team_admin(words(
                "If one of them is right, mark the booking as done. If none is, send it again.",
                "該当するリードがあれば、予約を完了としてください。なければ、もう一度送信してください。",
            )),
            team_admin(words(
                "To rule this out for good, choose a unique field for the booking id in the mapping's options.",
                "今後の再発を防ぐには、マッピングのオプションで予約 ID を保存する一意の項目を指定してください。",
            )),
        ],
    },
];
