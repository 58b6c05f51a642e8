//! Logins of people that did not come to an end, and users that may not log in.

use crate::guidance::{
    cause::{Cause, crm_admin, operator, team_admin, words},
    places::{COMPANY_INFORMATION, USERS},
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &["access_denied"],
        what: words(
            "The authorisation was declined in Salesforce.",
            "Salesforce の承認画面で、アクセスが許可されませんでした。",
        ),
        why: words("Somebody chose Deny, or closed the page.", "「拒否」が選択されたか、画面が閉じられました。"),
        steps: &[team_admin(words(
            "Connect again and choose Allow.",
            "もう一度接続し、「許可」をクリックしてください。",
        ))],
    },
    Cause {
        codes: &[
            "authorization-code-ended",
            "pkce-failed",
            "invalid_grant",
            "invalid_request",
            "immediate_unsuccessful",
        ],
        what: words("Connecting to Salesforce was not completed.", "Salesforce への接続が完了しませんでした。"),
        why: words(
            "The authorisation took too long, its page was opened twice or reloaded, or a part of the request got lost on the way.",
            "承認に時間がかかった、画面を二重に開いた・再読み込みした、または要求の一部が途中で失われた可能性があります。",
        ),
        steps: &[
            team_admin(words(
                "Start connecting again from the beginning, in one browser window.",
                "1 つのブラウザーウィンドウで、接続を最初からやり直してください。",
            )),
            operator(words(
                "If it always fails: see that the code challenge of PKCE is sent, and that the verifier is kept until the code is exchanged.",
                "毎回失敗する場合は、PKCE のコードチャレンジが送信され、コード交換まで検証用の値が保持されていることを確認してください。",
            )),
        ],
    },
    Cause {
        codes: &[
            "login-refused",
            "inactive_user",
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
            "invalid_otp",
            "otp_error",
        ],
        what: words(
            "The connected user cannot log in to Salesforce.",
            "接続に使っているユーザーが、Salesforce にログインできません。",
        ),
        why: words(
            "The user is inactive, frozen or locked, the password has expired, or the verification code was wrong.",
            "ユーザーが無効化・凍結・ロックされている、パスワードの有効期限が切れている、または確認コードが誤っています。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Look at the user: activate, unfreeze or unlock, or reset the password.",
                    "ユーザーの状態を確認し、有効化、凍結解除、ロック解除、またはパスワードのリセットを行ってください。",
                ),
                USERS,
            ),
            team_admin(words(
                "Connect again, best with a user made for integrations, who does not leave with a person.",
                "もう一度接続してください。担当者の異動に影響されない、連携専用のユーザーをお勧めします。",
            )),
        ],
    },
    Cause {
        codes: &["inactive_org", "ORG_LOCKED", "TRIAL_EXPIRED"],
        what: words(
            "The Salesforce org is locked, expired or closed.",
            "Salesforce 組織がロックされているか、期限切れまたは解約済みです。",
        ),
        why: words(
            "A trial or contract has ended, or Salesforce has suspended the org.",
            "トライアルまたは契約が終了したか、Salesforce により利用が停止されています。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Speak with Salesforce about the contract of this org.",
                    "この組織の契約状況を Salesforce に問い合わせてください。",
                ),
                COMPANY_INFORMATION,
            ),
            team_admin(words(
                "If you use another org now, disconnect and connect there.",
                "別の組織を利用している場合は、接続を解除し、その組織に接続してください。",
            )),
        ],
    },
];
