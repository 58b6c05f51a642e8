//! What the org, its edition and the user's permissions do not allow.

use crate::guidance::{
    cause::{Cause, calendar_owner, crm_admin, operator, team_admin, words},
    places::{COMPANY_INFORMATION, FLOWS, LEAD_TRIGGERS, PERMISSION_SETS, STORAGE_USAGE, TRANSACTION_SECURITY, USERS},
};

pub static CAUSES: &[Cause] = &[
    Cause {
        codes: &["API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED"],
        what: words(
            "Salesforce does not offer its API to this org or user.",
            "この Salesforce 組織またはユーザーでは、API を利用できません。",
        ),
        why: words(
            "The API belongs to Enterprise, Unlimited, Performance and Developer Edition; Professional Edition needs the API as an add-on. In those editions the user also needs the permission “API Enabled”.",
            "API は Enterprise、Unlimited、Performance、Developer の各エディションで利用できます。Professional Edition では API のアドオンが必要です。また、ユーザーに「API の有効化」権限が必要です。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Look at “Organization Edition”. If it has no API, ask Salesforce for the add-on or another edition.",
                    "「組織のエディション」を確認してください。API が含まれない場合は、アドオンの追加またはエディションの変更を Salesforce に相談してください。",
                ),
                COMPANY_INFORMATION,
            ),
            crm_admin(
                words(
                    "Give the connected user “API Enabled” under System Permissions.",
                    "接続ユーザーに、システム権限の「API の有効化」を付与してください。",
                ),
                PERMISSION_SETS,
            ),
        ],
    },
    Cause {
        codes: &["lead-not-readable", "lead-not-creatable", "lead-not-editable", "INVALID_TYPE", "NOT_FOUND"],
        what: words(
            "The connected user may not use Leads as needed.",
            "接続ユーザーに、リードに必要な権限がありません。",
        ),
        why: words(
            "The user needs the object permissions Read, Create and Edit on Leads. To a user without any, Salesforce says that the object does not exist. Edit is needed for bookings that are moved and for Leads that are filled up.",
            "リードに対する「参照」「作成」「編集」のオブジェクト権限が必要です。権限がまったくない場合、Salesforce はリードが存在しないと応答します。「編集」は、日程変更や既存リードの更新に使われます。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Give the user Read, Create and Edit on Leads by a permission set, and read and edit access to the mapped fields.",
                    "権限セットで、リードの「参照」「作成」「編集」と、マッピングに使う項目の参照・編集アクセスをユーザーに付与してください。",
                ),
                PERMISSION_SETS,
            ),
            team_admin(words("Then check the connection again.", "その後、接続をもう一度確認してください。")),
        ],
    },
    Cause {
        codes: &["access-refused", "resource-missing", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY"],
        what: words(
            "The connected user may not do this in Salesforce.",
            "接続ユーザーには、この操作に必要な権限がありません。",
        ),
        why: words(
            "The user lacks a permission on the object or the record, for example because the Lead belongs to somebody else and is not shared.",
            "オブジェクトまたはレコードへの権限が不足しています。たとえば、リードの所有者が別の人で、共有されていない場合に発生します。",
        ),
        steps: &[crm_admin(
            words(
                "Give the user Read, Create and Edit on Leads, and look at the sharing settings of Leads.",
                "リードの「参照」「作成」「編集」をユーザーに付与し、リードの共有設定も確認してください。",
            ),
            PERMISSION_SETS,
        )],
    },
    Cause {
        codes: &["INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"],
        what: words(
            "The Lead refers to a record that the connected user may not use.",
            "接続ユーザーがアクセスできないレコードを、リードが参照しています。",
        ),
        why: words(
            "The record named in the message, such as a campaign, an owner or a record type, is not shared with the user. Automation of the org may also be touching it.",
            "メッセージに示されたレコード (キャンペーン、所有者、レコードタイプなど) が、ユーザーに共有されていません。組織の自動処理が参照している場合もあります。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Give the user access to the record with that id.",
                    "その ID のレコードへのアクセス権を、ユーザーに付与してください。",
                ),
                PERMISSION_SETS,
            ),
            calendar_owner(words(
                "Or choose another record in the mapping.",
                "または、マッピングで別のレコードを指定してください。",
            )),
        ],
    },
    Cause {
        codes: &["INACTIVE_OWNER_OR_USER"],
        what: words(
            "The Lead would get an inactive user as its owner.",
            "リードの所有者となるユーザーが無効化されています。",
        ),
        why: words(
            "The owner comes from the mapping, from an assignment rule or from automation, and has been deactivated since.",
            "マッピング、割り当てルール、または自動処理で指定された所有者が、その後無効化されました。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Find the user by the id in the message, and replace them in assignment rules, queues and flows.",
                    "メッセージの ID からユーザーを特定し、割り当てルール、キュー、フローの指定を変更してください。",
                ),
                USERS,
            ),
            calendar_owner(words(
                "If the mapping sets the owner, choose an active user.",
                "マッピングで所有者を指定している場合は、有効なユーザーに変更してください。",
            )),
        ],
    },
    Cause {
        codes: &["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR"],
        what: words(
            "Automation in Salesforce stopped the Lead.",
            "Salesforce の自動処理により、リードの登録が中断されました。",
        ),
        why: words(
            "An Apex trigger, a flow or a package of the org failed while the Lead was saved; its name is in the message. If the message says “entity type cannot be inserted”, the user may not create Leads.",
            "リードの保存時に、組織の Apex トリガー、フロー、またはパッケージでエラーが発生しました。名称はメッセージに示されています。「entity type cannot be inserted」と表示される場合は、リードの作成権限がありません。",
        ),
        steps: &[
            crm_admin(
                words(
                    "Find the flow in the message, and correct it or let it skip Leads of the connected user.",
                    "メッセージに示されたフローを修正するか、接続ユーザーのリードを対象外にしてください。",
                ),
                FLOWS,
            ),
            crm_admin(
                words(
                    "For a trigger: hand the message to its developer.",
                    "トリガーの場合は、メッセージを開発者に伝えてください。",
                ),
                LEAD_TRIGGERS,
            ),
            team_admin(words("Send the booking again afterwards.", "修正後に、予約をもう一度送信してください。")),
        ],
    },
    Cause {
        codes: &["TXN_SECURITY_NO_ACCESS"],
        what: words(
            "A security policy of the org blocked the request.",
            "組織のセキュリティポリシーにより、要求がブロックされました。",
        ),
        why: words(
            "A transaction security policy applies to API calls of this user.",
            "トランザクションセキュリティポリシーが、このユーザーの API 呼び出しに適用されています。",
        ),
        steps: &[crm_admin(
            words(
                "Look at the policies, and make an exception for the connected user.",
                "ポリシーを確認し、接続ユーザーを例外として設定してください。",
            ),
            TRANSACTION_SECURITY,
        )],
    },
    Cause {
        codes: &["REQUEST_LIMIT_EXCEEDED", "daily-calls-low"],
        what: words(
            "The org's API calls are used up, or nearly.",
            "Salesforce 組織の API 要求数が上限に達したか、残りわずかです。",
        ),
        why: words(
            "Salesforce counts the API calls of all integrations over the last 24 hours. Bookings wait and follow when calls are free again; one booking costs one or two calls.",
            "Salesforce は、過去 24 時間の全連携の API 要求数を合計して制限します。待機中の予約は、空きができ次第登録されます。1 件の予約に使う API は 1～2 回です。",
        ),
        steps: &[
            crm_admin(
                words(
                    "See “API Requests, Last 24 Hours”, find the integration that uses most, and lower its use or buy more calls.",
                    "「API 要求数 (この 24 時間以内)」を確認し、使用量の多い連携を見直すか、API 要求数の追加購入を検討してください。",
                ),
                COMPANY_INFORMATION,
            ),
            team_admin(words("Nothing else: bookings are not lost.", "ほかの対応は不要です。予約は失われません。")),
        ],
    },
    Cause {
        codes: &["STORAGE_LIMIT_EXCEEDED"],
        what: words("The org's storage is full.", "Salesforce 組織のデータストレージがいっぱいです。"),
        why: words(
            "Salesforce creates no more records until space is freed.",
            "空き容量ができるまで、新しいレコードを作成できません。",
        ),
        steps: &[
            crm_admin(
                words("Free or buy data storage.", "不要なデータを削除するか、ストレージを追加してください。"),
                STORAGE_USAGE,
            ),
            team_admin(words("Send the bookings again afterwards.", "その後、予約をもう一度送信してください。")),
        ],
    },
    Cause {
        codes: &["LICENSE_LIMIT_EXCEEDED"],
        what: words("A limit of the org's licences is reached.", "Salesforce 組織のライセンスの上限に達しています。"),
        why: words(
            "What was asked for needs a licence that is used up, or that the user has not got.",
            "必要なライセンスが不足しているか、ユーザーに割り当てられていません。",
        ),
        steps: &[crm_admin(
            words(
                "See which licences are used up, and which ones the connected user has.",
                "使い切っているライセンスと、接続ユーザーへの割り当てを確認してください。",
            ),
            COMPANY_INFORMATION,
        )],
    },
    Cause {
        codes: &["api-version-retired", "GONE", "UNSUPPORTED_API_VERSION"],
        what: words(
            "The org does not offer the API version that this plugin uses.",
            "このプラグインが使う API バージョンを、Salesforce 組織が提供していません。",
        ),
        why: words(
            "Salesforce retires old versions after some years, and offers new ones only when the org has been upgraded.",
            "古いバージョンは数年で廃止され、新しいバージョンは組織のアップグレード後に提供されます。",
        ),
        steps: &[operator(words(
            "Install the current release of the plugin.",
            "プラグインを最新版に更新してください。",
        ))],
    },
];
