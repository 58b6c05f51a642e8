//! The scheduling platform's limits and policy, and faults of this plugin.

use crate::guidance::cause::{Cause, operator, team_admin, words};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &["request-denied"],
        what: words(
            "The scheduling platform's policy forbids this request to Salesforce.",
            "日程調整サービスのポリシーにより、Salesforce への要求が禁止されています。",
        ),
        why: words(
            "The org's host, the method or the path is not among those that the operator allows, or the host leads into a private network.",
            "接続先のホスト、メソッド、またはパスが許可されていないか、ホストが内部ネットワークを指しています。",
        ),
        steps: &[operator(words(
            "Compare the host's report of the refusal with the plugin's manifest and the operator's policy.",
            "拒否の記録を、プラグインのマニフェストおよび運用ポリシーと照合してください。",
        ))],
    },
    Cause {
        codes: &["budget-exhausted"],
        what: words("The limits for one delivery were used up.", "1 回の処理に許された上限に達しました。"),
        why: words(
            "Salesforce answered too slowly, or more requests were needed than the platform allows for one call.",
            "Salesforce の応答が遅かったか、1 回の処理に許された要求数を超えました。",
        ),
        steps: &[
            team_admin(words(
                "Wait: it is tried again by itself.",
                "自動的に再試行されますので、そのままお待ちください。",
            )),
            operator(words(
                "If it lasts, raise the limits of time and requests for this plugin.",
                "続く場合は、このプラグインの時間と要求数の上限を引き上げてください。",
            )),
        ],
    },
    Cause {
        codes: &["answer-too-large"],
        what: words(
            "Salesforce's answer is larger than the platform allows.",
            "Salesforce の応答が、サービスで許可された大きさを超えています。",
        ),
        why: words(
            "Orgs with very many fields and picklist values describe their Leads in several megabytes.",
            "項目や選択リスト値が非常に多い組織では、リードの定義情報が数メガバイトになります。",
        ),
        steps: &[operator(words(
            "Raise the plugin's limit for responses.",
            "このプラグインの応答サイズの上限を引き上げてください。",
        ))],
    },
    Cause {
        codes: &["answer-blocked"],
        what: words(
            "An answer was withheld, because it contained the credential.",
            "認証情報が含まれていたため、Salesforce の応答を破棄しました。",
        ),
        why: words(
            "Salesforce itself does not send it back; a proxy on the way or an address that is no real org may.",
            "Salesforce がこれを返すことはありません。経路上のプロキシ、または本物の組織ではない接続先の可能性があります。",
        ),
        steps: &[
            operator(words(
                "Look at what is between the platform and Salesforce, and at the org's address.",
                "サービスと Salesforce の間の経路と、組織のアドレスを確認してください。",
            )),
            team_admin(words(
                "Disconnect, which revokes the credential, and connect again.",
                "接続を解除して認証情報を取り消し、接続し直してください。",
            )),
        ],
    },
    Cause {
        codes: &[
            "answer-unreadable",
            "request-invalid",
            "request-refused",
            "INVALID_ID_FIELD",
            "INVALID_QUERY_FILTER_OPERATOR",
            "MALFORMED_QUERY",
            "METHOD_NOT_ALLOWED",
            "MISSING_ARGUMENT",
            "UNSUPPORTED_MEDIA_TYPE",
        ],
        what: words(
            "The plugin and Salesforce did not understand each other.",
            "プラグインと Salesforce の間で、要求または応答を正しく処理できませんでした。",
        ),
        why: words(
            "Either something on the way changed the request or the answer, or the plugin has a fault.",
            "通信経路で要求や応答が変更されたか、プラグインに不具合があります。",
        ),
        steps: &[
            team_admin(words("Send the booking again once.", "予約を 1 回だけ再送信してください。")),
            operator(words(
                "If it fails again, report code and message to the plugin's publisher.",
                "再び失敗する場合は、コードとメッセージをプラグインの提供元に連絡してください。",
            )),
        ],
    },
    Cause {
        codes: &["request-too-large"],
        what: words(
            "The booking is too large for one request to Salesforce.",
            "予約の内容が大きすぎるため、Salesforce に送信できません。",
        ),
        why: words(
            "The mapped answers together, or one that is looked up, are longer than Salesforce takes.",
            "割り当てた回答の合計、または検索に使う値が、Salesforce の上限を超えています。",
        ),
        steps: &[team_admin(words(
            "Map fewer or shorter answers, or limit their length in the form.",
            "割り当てる回答を減らすか、フォームで文字数を制限してください。",
        ))],
    },
];
