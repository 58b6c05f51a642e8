//! Places in Salesforce, by the labels that people see there in either language.

use super::cause::{Words, words};

/// Fields of the Lead object.
pub const LEAD_FIELDS: Words = words(
    "Setup > Object Manager > Lead > Fields & Relationships",
    "設定 > オブジェクトマネージャー > リード > 項目とリレーション",
);
/// Validation rules of the Lead object.
pub const LEAD_VALIDATION_RULES: Words =
    words("Setup > Object Manager > Lead > Validation Rules", "設定 > オブジェクトマネージャー > リード > 入力規則");
/// Apex triggers of the Lead object.
pub const LEAD_TRIGGERS: Words =
    words("Setup > Object Manager > Lead > Triggers", "設定 > オブジェクトマネージャー > リード > トリガー");
/// Record types of the Lead object.
pub const LEAD_RECORD_TYPES: Words =
    words("Setup > Object Manager > Lead > Record Types", "設定 > オブジェクトマネージャー > リード > レコードタイプ");
/// Duplicate rules.
pub const DUPLICATE_RULES: Words =
    words("Setup > Data > Duplicate Management > Duplicate Rules", "設定 > データ > 重複管理 > 重複ルール");
/// State and country picklists.
pub const STATES_AND_COUNTRIES: Words =
    words("Setup > Data > State and Country/Territory Picklists", "設定 > データ > 州/国/テリトリー選択リスト");
/// Storage.
pub const STORAGE_USAGE: Words = words("Setup > Data > Storage Usage", "設定 > データ > ストレージ使用状況");
/// Permission sets.
pub const PERMISSION_SETS: Words = words("Setup > Users > Permission Sets", "設定 > ユーザー > 権限セット");
/// Users.
pub const USERS: Words = words("Setup > Users > Users", "設定 > ユーザー > ユーザー");
/// Apps that users have authorised, with the buttons that install and block them.
pub const OAUTH_USAGE: Words = words(
    "Setup > Apps > Connected Apps > Connected Apps OAuth Usage",
    "設定 > アプリケーション > 接続アプリケーション > 接続アプリケーションの OAuth の利用状況",
);
/// The app's policies: who may use it, from which addresses, and for how long.
pub const APP_POLICIES: Words = words(
    "Setup > Apps > External Client Apps > External Client App Manager > (the app) > Policies",
    "設定 > アプリケーション > 外部クライアントアプリケーション > 外部クライアントアプリケーションマネージャー > (対象のアプリケーション) > ポリシー",
);
/// Packages.
pub const INSTALLED_PACKAGES: Words = words(
    "Setup > Apps > Packaging > Installed Packages",
    "設定 > アプリケーション > パッケージ > インストール済みパッケージ",
);
/// Trusted address ranges of the whole org.
pub const NETWORK_ACCESS: Words =
    words("Setup > Security > Network Access", "設定 > セキュリティ > ネットワークアクセス");
/// Policies on what users may do in one go.
pub const TRANSACTION_SECURITY: Words = words(
    "Setup > Security > Transaction Security Policies",
    "設定 > セキュリティ > トランザクションセキュリティポリシー",
);
/// Who logged in when, and why not.
pub const LOGIN_HISTORY: Words = words("Setup > Identity > Login History", "設定 > ID > ログイン履歴");
/// Edition, licences and API calls.
pub const COMPANY_INFORMATION: Words =
    words("Setup > Company Settings > Company Information", "設定 > 会社の設定 > 組織情報");
/// The org's own address.
pub const MY_DOMAIN: Words = words("Setup > Company Settings > My Domain", "設定 > 会社の設定 > 私のドメイン");
/// Flows.
pub const FLOWS: Words = words("Setup > Process Automation > Flows", "設定 > プロセスの自動化 > フロー");
/// Lead assignment rules.
pub const ASSIGNMENT_RULES: Words = words(
    "Setup > Feature Settings > Marketing > Lead Assignment Rules",
    "設定 > 機能設定 > マーケティング > リード割り当てルール",
);
/// Deleted records.
pub const RECYCLE_BIN: Words = words("App Launcher > Recycle Bin", "アプリケーションランチャー > ごみ箱");
/// Leads.
pub const LEADS: Words = words("App Launcher > Leads", "アプリケーションランチャー > リード");
