//! Connections that are not there, or not any more.

use crate::guidance::{
    cause::{Cause, crm_admin, operator, team_admin, words},
    places::{APP_POLICIES, LOGIN_HISTORY, MY_DOMAIN, OAUTH_USAGE},
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &[
            "connection-ended",
            "INVALID_SESSION_ID",
            "INVALID_AUTH_HEADER",
            "LOGIN_OAUTH_INVALID_TOKEN",
            "invalid_token",
        ],
        what: words(
            "Salesforce no longer accepts the connection, so bookings wait.",
            "Salesforce との接続が無効になったため、予約は登録されずに待機しています。",
        ),
        why: words(
            "The authorisation was revoked in Salesforce, was not used for longer than the app's refresh token policy allows (often 30 days), or ended because the user was deactivated or changed.",
            "Salesforce 側で承認が取り消された、アプリケーションの「更新トークンポリシー」で定めた期間 (多くは 30 日) 使われなかった、またはユーザーが無効化・変更された可能性があります。",
        ),
        steps: &[
            team_admin(words(
                "Connect to Salesforce again with a user who stays. Settings are kept, and waiting bookings follow in order.",
                "今後も有効な Salesforce ユーザーで、もう一度接続してください。設定はそのまま残り、待機中の予約は順に登録されます。",
            )),
            crm_admin(
                words(
                    "If it happens again, look at the refresh token policy of the app and choose a longer period, or an idle period instead of a fixed one.",
                    "繰り返し発生する場合は、アプリケーションの「更新トークンポリシー」を確認し、有効期間を長くするか、未使用期間による期限に変更してください。",
                ),
                APP_POLICIES,
            ),
        ],
    },
    Cause {
        codes: &["not-connected", "instance-url-missing"],
        what: words("The team is not connected to Salesforce.", "チームが Salesforce に接続されていません。"),
        why: words(
            "Nobody has connected yet, the connection was removed, or the stored connection is incomplete.",
            "まだ接続していないか、接続が解除されたか、保存された接続情報が不足しています。",
        ),
        steps: &[team_admin(words(
            "Connect to Salesforce in the team's integration settings. Bookings that wait follow afterwards.",
            "チームの連携設定から Salesforce に接続してください。待機中の予約は接続後に登録されます。",
        ))],
    },
    Cause {
        codes: &["session-not-for-api"],
        what: words(
            "Salesforce accepts the login, but not for its API.",
            "Salesforce へのログインは有効ですが、API の利用が許可されていません。",
        ),
        why: words(
            "The app's OAuth scopes lack `api`, or a policy of the org restricts such sessions. Connecting again alone does not help.",
            "アプリケーションの OAuth 範囲に「API を使用してユーザーデータを管理 (api)」がないか、組織のポリシーで制限されています。再接続だけでは解消しません。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Allow the app the scopes `api` and `refresh_token`, and the user the API.",
                    "アプリケーションに OAuth 範囲「api」と「refresh_token」を許可し、接続ユーザーの API 利用も許可してください。",
                ),
                APP_POLICIES,
            ),
            team_admin(words("Then connect again.", "その後、もう一度接続してください。")),
        ],
    },
    Cause {
        codes: &["org-unknown", "org-moved"],
        what: words(
            "The org is no longer at its address.",
            "接続先の Salesforce 組織が、保存されたアドレスに見つかりません。",
        ),
        why: words(
            "Its My Domain was renamed, the org was moved or deleted, or a sandbox was refreshed.",
            "「私のドメイン」の変更、組織の移行や削除、Sandbox の更新などが考えられます。",
        ),
        steps: &[
            crm_admin(
                words("Look up the org's present address.", "組織の現在のアドレスを確認してください。"),
                MY_DOMAIN,
            ),
            team_admin(words(
                "Disconnect, and connect again at that address.",
                "接続を解除し、そのアドレスで接続し直してください。",
            )),
        ],
    },
    Cause {
        codes: &["already-revoked"],
        what: words("There was nothing left to revoke.", "取り消すべき承認は残っていませんでした。"),
        why: words(
            "The authorisation had ended before. The connection is cut all the same.",
            "承認はすでに無効になっていました。接続は解除されています。",
        ),
        steps: &[team_admin(words(
            "Nothing needs to be done. To use Salesforce again, connect again.",
            "特に対応は必要ありません。再び利用する場合は、接続し直してください。",
        ))],
    },
    Cause {
        codes: &["unsupported_token_type"],
        what: words("Salesforce did not revoke the authorisation.", "Salesforce 側の承認を取り消せませんでした。"),
        why: words(
            "It does not take this kind of token for revocation.",
            "この種類のトークンの取り消しに Salesforce が対応していません。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Revoke the app's access for the user by hand.",
                    "対象ユーザーについて、アプリケーションのアクセスを手動で取り消してください。",
                ),
                OAUTH_USAGE,
            ),
            operator(words(
                "Report the message to the plugin's publisher.",
                "プラグインの提供元にメッセージを連絡してください。",
            )),
        ],
    },
    Cause {
        codes: &["credential-unavailable", "refresh-in-progress"],
        what: words("The connection could not be renewed just now.", "接続情報を一時的に更新できませんでした。"),
        why: words(
            "The scheduling platform or Salesforce's login service was busy or not reachable for a moment. The connection itself still holds.",
            "日程調整サービスまたは Salesforce のログインサービスが一時的に混み合っているか、応答していません。接続自体は有効です。",
        ),
        steps: &[
            team_admin(words(
                "Wait: it is tried again by itself.",
                "自動的に再試行されますので、そのままお待ちください。",
            )),
            operator(words(
                "If it lasts longer than an hour, look at the store of credentials and the way out to Salesforce's login host.",
                "1 時間以上続く場合は、認証情報の保存先と Salesforce のログインホストへの通信を確認してください。",
            )),
        ],
    },
    Cause {
        codes: &[
            "app_attest_failed_retry",
            "authorization_pending",
            "login-server-error",
            "login_error",
            "server_error",
            "service_unavailable",
            "slow_down",
            "system_down",
            "temporarily_unavailable",
            "unknown_error",
        ],
        what: words("Salesforce's login service failed.", "Salesforce のログインサービスでエラーが発生しました。"),
        why: words(
            "This is usually a passing fault or maintenance at Salesforce.",
            "多くの場合、Salesforce 側の一時的な障害またはメンテナンスです。",
        ),
        steps: &[
            team_admin(words(
                "While connecting, start again after some minutes. An existing connection is tried again by itself.",
                "接続の操作中であれば、数分おいてからやり直してください。接続済みの場合は自動的に再試行されます。",
            )),
            crm_admin(
                words(
                    "If it lasts, look for the login's status here, and for the state of Salesforce at status.salesforce.com.",
                    "続く場合は、ログインの状況をこの画面で、Salesforce の稼働状況を status.salesforce.com で確認してください。",
                ),
                LOGIN_HISTORY,
            ),
        ],
    },
    Cause {
        codes: &["rate_limit_exceeded"],
        what: words(
            "Salesforce refuses further logins of this user for now.",
            "このユーザーのログイン回数が多すぎるため、Salesforce が一時的に拒否しています。",
        ),
        why: words(
            "The user's logins of one hour are counted, over all apps together.",
            "1 時間あたりのログイン回数は、すべてのアプリケーションを合計して制限されます。",
        ),
        steps: &[
            team_admin(words("Wait an hour.", "1 時間ほどお待ちください。")),
            crm_admin(
                words(
                    "See which app logs in so often with this user, and give each integration a user of its own.",
                    "このユーザーで頻繁にログインしているアプリケーションを確認し、連携ごとに専用ユーザーを用意してください。",
                ),
                LOGIN_HISTORY,
            ),
        ],
    },
];
