//! Policies of an org on apps, and how the app is registered.

use crate::guidance::{
    cause::{Cause, crm_admin, operator, team_admin, words},
    places::{
        APP_POLICIES, INSTALLED_PACKAGES, LOGIN_HISTORY, MY_DOMAIN, NETWORK_ACCESS, OAUTH_USAGE, PERMISSION_SETS,
    },
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &[
            "app-blocked",
            "OAUTH_APP_BLOCKED",
            "app_blocked",
            "fail_close_app_blocked",
            "CLIENT_NOT_ACCESSIBLE_FOR_USER",
        ],
        what: words(
            "The app is blocked in this Salesforce org.",
            "この Salesforce 組織では、連携アプリケーションがブロックされています。",
        ),
        why: words(
            "An admin blocked it, or the org blocks all apps that are not on its list.",
            "システム管理者がブロックしたか、許可済み以外のアプリケーションをすべて拒否する設定になっています。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Find the app and choose Unblock.",
                    "対象のアプリケーションを探し、「ブロック解除」をクリックしてください。",
                ),
                OAUTH_USAGE,
            ),
            team_admin(words("Then connect again.", "その後、もう一度接続してください。")),
        ],
    },
    Cause {
        codes: &[
            "app-not-installed",
            "OAUTH_EC_APP_NOT_FOUND",
            "app_not_found",
            "installation_error",
            "invalid_distribution_state",
        ],
        what: words(
            "The app is not installed in this Salesforce org.",
            "この Salesforce 組織に、連携アプリケーションがインストールされていません。",
        ),
        why: words(
            "Since September 2025 Salesforce refuses apps that no admin has installed, except to users with the permission “Approve Uninstalled Connected Apps”. An External Client App always has to be installed from its package.",
            "2025 年 9 月以降、未インストールのアプリケーションは、「インストールされていない接続アプリケーションの承認 (Approve Uninstalled Connected Apps)」権限を持つユーザー以外には使えません。外部クライアントアプリケーションは、必ずパッケージからインストールする必要があります。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Install the package that the scheduling platform provides, and see that it is listed here.",
                    "日程調整サービスが案内するパッケージをインストールし、この一覧に表示されることを確認してください。",
                ),
                INSTALLED_PACKAGES,
            ),
            crm_admin(
                words(
                    "For a connected app without a package: find it and choose Install.",
                    "パッケージのない接続アプリケーションの場合は、一覧から探して「インストール」をクリックしてください。",
                ),
                OAUTH_USAGE,
            ),
            team_admin(words("Then connect again.", "その後、もう一度接続してください。")),
        ],
    },
    Cause {
        codes: &[
            "app-not-approved",
            "invalid_app_access",
            "OAUTH_APP_ACCESS_DENIED",
            "NO_ACCESS",
            "app-not-authorized",
        ],
        what: words(
            "This user may not use the app.",
            "このユーザーには、連携アプリケーションの利用が許可されていません。",
        ),
        why: words(
            "“Permitted Users” of the app is “Admin approved users are pre-authorized”, and the user has none of its profiles or permission sets; or the user never allowed the app.",
            "アプリケーションの「許可されているユーザー」が「管理者が承認したユーザーは事前承認済み」になっており、ユーザーのプロファイルまたは権限セットが割り当てられていないか、ユーザーがまだ承認していません。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Add the user's profile or permission set to the app, or set “Permitted Users” to “All users may self-authorize”.",
                    "ユーザーのプロファイルまたは権限セットをアプリケーションに追加するか、「許可されているユーザー」を「すべてのユーザーは自己承認可能」に変更してください。",
                ),
                APP_POLICIES,
            ),
            team_admin(words("Then connect again.", "その後、もう一度接続してください。")),
        ],
    },
    Cause {
        codes: &["OAUTH_APPROVAL_ERROR_GENERIC", "login-unexplained"],
        what: words(
            "Salesforce broke off the authorisation without a reason.",
            "Salesforce が理由を示さずに承認を中断しました。",
        ),
        why: words(
            "Mostly the app is not installed or not allowed for this user, lacks the scope `refresh_token`, or the user is an API-only integration user, who cannot log in through a browser.",
            "多くの場合、アプリケーションが未インストールか未許可である、OAuth 範囲に「refresh_token」がない、またはブラウザーでログインできない API 専用ユーザーを使っていることが原因です。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Look for the failed login and its reason.",
                    "失敗したログインの記録と、その理由を確認してください。",
                ),
                LOGIN_HISTORY,
            ),
            crm_admin(
                words(
                    "See that the app is installed and not blocked.",
                    "アプリケーションがインストール済みで、ブロックされていないことを確認してください。",
                ),
                OAUTH_USAGE,
            ),
            crm_admin(
                words(
                    "See that the user is permitted, and that the scopes are `api` and `refresh_token`.",
                    "ユーザーが許可され、OAuth 範囲が「api」と「refresh_token」であることを確認してください。",
                ),
                APP_POLICIES,
            ),
            team_admin(words("Then connect again.", "その後、もう一度接続してください。")),
        ],
    },
    Cause {
        codes: &["login-restricted", "LOGIN_DURING_RESTRICTED_DOMAIN", "LOGIN_DURING_RESTRICTED_TIME"],
        what: words(
            "Salesforce does not accept logins from this network address or at this time.",
            "この IP アドレスまたは時間帯からのログインは、Salesforce で制限されています。",
        ),
        why: words(
            "The org, the user's profile or the app restricts addresses or login hours, and the scheduling platform's servers are outside.",
            "組織、プロファイル、またはアプリケーションで IP アドレスやログイン時間帯が制限されており、日程調整サービスのサーバーが範囲外になっています。",
        ),
        steps: &[
            operator(words(
                "Give the org's admin the fixed addresses from which the platform calls Salesforce.",
                "Salesforce への接続元となる固定 IP アドレスを、Salesforce のシステム管理者に伝えてください。",
            )),
            crm_admin(
                words(
                    "Add these addresses to the trusted ranges, and to the login ranges of the user's profile if it has any.",
                    "その IP アドレスを信頼済み IP 範囲に追加してください。プロファイルにログイン IP アドレスの制限がある場合は、そちらにも追加してください。",
                ),
                NETWORK_ACCESS,
            ),
            crm_admin(
                words(
                    "Where that is not possible: relax “IP Relaxation” for this app alone.",
                    "追加できない場合は、このアプリケーションに限って「IP 制限の緩和」を設定してください。",
                ),
                APP_POLICIES,
            ),
        ],
    },
    Cause {
        codes: &["my-domain-required"],
        what: words(
            "Salesforce takes this login at the org's own address only.",
            "このログインは、組織の「私のドメイン」でのみ受け付けられます。",
        ),
        why: words(
            "The org does not allow the common login pages, or the way of logging in does not exist there.",
            "共通のログインページが許可されていないか、このログイン方式に対応していません。",
        ),
        steps: &[
            crm_admin(words("Look up the address.", "アドレスを確認してください。"), MY_DOMAIN),
            team_admin(words(
                "Connect again and give this address as the login host.",
                "接続時のログイン先にこのアドレスを指定して、接続し直してください。",
            )),
        ],
    },
    Cause {
        codes: &["run-as-user-missing"],
        what: words("The app has no user to act as.", "アプリケーションの実行ユーザーが設定されていません。"),
        why: words(
            "The client credentials flow needs a “Run As” user.",
            "クライアントログイン情報フローには、「別のユーザーとして実行」の設定が必要です。",
        ),
        steps: &[crm_admin(
            words(
                "Enable the client credentials flow and name the user.",
                "クライアントログイン情報フローを有効にし、実行するユーザーを指定してください。",
            ),
            APP_POLICIES,
        )],
    },
    Cause {
        codes: &["invalid_client_id", "invalid_client"],
        what: words(
            "Salesforce does not know the app's key, or refuses its secret.",
            "Salesforce がアプリケーションのコンシューマー鍵または秘密を認識できません。",
        ),
        why: words(
            "The key belongs to another environment, the secret was changed, or the app was made less than ten minutes ago.",
            "鍵が別の環境のものである、秘密が変更された、または作成から 10 分以内のアプリケーションである可能性があります。",
        ),
        steps: &[
            operator(words(
                "Compare consumer key and secret with the app's settings in Salesforce; after a change wait ten minutes.",
                "コンシューマー鍵と秘密を Salesforce 側の設定と照合してください。変更直後の場合は 10 分ほどお待ちください。",
            )),
            team_admin(words(
                "See that production or sandbox was chosen rightly, and connect again.",
                "本番環境と Sandbox の選択が正しいことを確認し、接続し直してください。",
            )),
        ],
    },
    Cause {
        codes: &["redirect_uri_mismatch", "redirect_uri_missing"],
        what: words(
            "The address to return to is not registered with the app.",
            "戻り先の URL が、アプリケーションに登録されていません。",
        ),
        why: words(
            "It must equal one of the app's callback URLs letter by letter, a slash at the end included.",
            "末尾のスラッシュも含め、コールバック URL のいずれかと完全に一致している必要があります。",
        ),
        steps: &[operator(words(
            "Register the platform's callback URL with the app, or correct the one that is configured.",
            "サービスのコールバック URL をアプリケーションに登録するか、設定済みの URL を修正してください。",
        ))],
    },
    Cause {
        codes: &[
            "audience-invalid",
            "app_attest_failed",
            "bad_jti_claim",
            "ecapp_policy_not_found",
            "exceeded_registration_limit",
            "failed_registration",
            "invalid_assertion_type",
            "invalid_basic_auth_header",
            "invalid_dpop_proof",
            "invalid_expid",
            "invalid_scope",
            "oauth_flow_disabled",
            "oauth_policy_not_found",
            "registration_error",
            "unsupported_expid",
            "unsupported_grant_type",
            "unsupported_response_type",
            "use_dpop_nonce",
        ],
        what: words(
            "The app's registration in Salesforce does not fit the way in which it logs in.",
            "アプリケーションの登録内容と、ログイン方式が一致していません。",
        ),
        why: words(
            "A flow, a scope or a policy that the platform uses is not enabled for the app.",
            "利用するフロー、OAuth 範囲、またはポリシーがアプリケーションで有効になっていません。",
        ),
        steps: &[
            operator(words(
                "Enable the web server flow with PKCE and the scopes `api` and `refresh_token` for the app; for other flows, follow the message.",
                "アプリケーションで、PKCE を使う Web サーバーフローと、OAuth 範囲「api」「refresh_token」を有効にしてください。その他のフローの場合は、メッセージの内容に従ってください。",
            )),
            crm_admin(
                words(
                    "See that the org's policies for the app do not disable the flow.",
                    "組織側のポリシーで、このフローが無効にされていないことを確認してください。",
                ),
                APP_POLICIES,
            ),
        ],
    },
    Cause {
        codes: &["invalid_session_level"],
        what: words(
            "Salesforce asks for a stronger login.",
            "Salesforce が、より高いセッションセキュリティレベルを求めています。",
        ),
        why: words(
            "A policy of the org allows the API only to high-assurance sessions.",
            "組織のポリシーで、API の利用に「高保証」のセッションが必要とされています。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Relax the policy for the connected user or the app.",
                    "接続ユーザーまたはアプリケーションについて、ポリシーを見直してください。",
                ),
                PERMISSION_SETS,
            ),
            team_admin(words(
                "Connect again, with multi-factor authentication.",
                "多要素認証を使って、接続し直してください。",
            )),
        ],
    },
];
