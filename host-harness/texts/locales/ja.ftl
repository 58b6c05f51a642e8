### The Japanese texts. See `en.ftl`, which has the same messages in the same order. Words: `docs/glossary.md`.

## Errors and interrupts

error = エラー: { $headline } ({ $code })
error-detail = 詳細 (英語): { $message }
command-failed = コマンドを実行できませんでした。
interrupted = 中断しました。
look-first = レコードがすでに登録されている可能性があります。重複を防ぐため、次の引数を付けて再実行し、先に確認してください: { $arguments }
nothing-left = テスト用組織はこのコマンドの間だけ動いていたため、確認が必要なレコードは残っていません。
test-leads-left = テスト用のリードが組織に残っている可能性があります。10 分後に、会社名が「{ $company }」のリードを検索し、削除してください。
output-closed = 出力先が閉じられたため、結果を表示できませんでした。
saving-token = サーバーから届くトークンの保存を待っています。すぐに終了するには、もう一度中断してください。
token-lost = 更新中のトークンが失われた可能性があります。`doctor` にそう表示された場合は、再連携してください。

## Waiting

compiling = コンパイル中 { $percent } % { $crates }
compiling-count = コンパイル中 { $percent } % ({ $done }/{ $total } クレート)
waiting-for-cargo = ほかの cargo の終了を待っています ({ $lock })。
waiting-for-call = { $origin } の結果を待っています。最長 { $seconds } 秒で終了します。
waiting-for-folder = { $folder } を変更しているほかのプロセスの終了を待っています。
from-source = wasm32-unknown-unknown がないため、標準ライブラリをソースからコンパイルします。

## Problems and findings

problem = 問題: { $code } — { $reaction }
problem-message = 詳細 (英語): { $message }
problem-fields = 項目: { $list }
problem-rows = マッピングの行: { $list }
problem-questions = 質問: { $list }
problem-in-the-way = 妨げになっているレコード: { $list }
problem-records = 予約のレコード: { $list }
problem-wait = 再試行までの時間: { $seconds } 秒以上
problem-also = ほかの問題: { $code }: { $message }
reaction-fix-booking = この予約の内容を修正してください
reaction-fix-mapping = マッピングを変更してください
reaction-ask-admin = CRM の管理者による設定変更が必要です
reaction-reconnect = チームの再連携が必要です
reaction-retry = しばらくしてから再試行してください
reaction-check-first = すでに登録された可能性があります。再試行の前に確認してください
actor-team-admin = チームのオーナーまたは管理者
actor-calendar-owner = カレンダーのオーナー
actor-crm-admin = CRM の管理者
actor-operator = 日程調整サービスの提供元
consequence-changed = 変更して登録
consequence-left-out = 登録されません
consequence-refused = 予約を登録できません
row = 行 { $id }
finding-detail = 詳細 (英語): { $message }
left-out-count = { $count ->
   *[other] { $count } 件の値が登録されませんでした。上の内容を確認してください。
}
left-out-count-preview = { $count ->
   *[other] { $count } 件の値が登録されません。上の内容を確認してください。
}
no-findings = チェック結果に問題はありません。予約を登録できます。

## Results of a delivery

outcome-created = 登録しました: { $record }
outcome-updated = 更新しました: { $record }
outcome-kept = 変更していません: { $record }
outcome-already-delivered = 登録済みです: { $record }
outcome-ignored = 登録する内容はありません。
outcome-other = { $outcome }: { $record }
and-record = および { $record }
name-record = この予約にはレコードがあります。次の実行時に --record { $record } を付けてください
would-do-nothing = 何も登録しません。
would-create = 新しいレコードを登録します ({ $object }):
would-update = { $record } を更新します:
would-keep = { $record } は変更しません。
would-refuse = 何も登録できません ({ $object })。
would-do-other = 次の処理をします ({ $object }): { $action }
usage = 使用量: リクエスト { $requests }/{ $most_requests } 件、メモリ { $memory }/{ $most_memory } KiB、計算 { $cpu }/{ $most_cpu } ミリ秒、全体 { $wall }/{ $most_wall } ミリ秒
no-response = 結果なし
denied-by-policy = ポリシーにより拒否: { $reason }
would-be-allowed-by = マニフェストに次の行があれば許可されます:

## Tables

column-field = 項目
column-value = 値
column-label = 表示ラベル
column-api-name = API 参照名
column-type = データ型
column-suggested = 値の取得元の候補
column-choices = 選択肢
column-sent = 送信する値
column-from = 値の取得元
column-filled-from = 値の取得元
source-answer = 回答 { $id }
source-tracking = URL パラメーター { $name }
source-fixed = 「{ $text }」
source-template = テンプレート { $text }
source-fallback = 空欄時の値 ({ $source })
source-integration = 連携機能が追加

## Fields and options

required = 必須
fields-offered = 対応付けできる項目は { $fields } 件 (うち必須 { $required } 件)、できない項目は { $withheld } 件です:
required-fields = 必須: { $list }
and-more = ほか { $count } 件
type-text = テキスト
type-text-area = テキストエリア
type-email = メール
type-phone = 電話
type-url = URL
type-integer = 整数
type-number = 数値
type-currency = 通貨
type-percent = パーセント
type-checkbox = チェックボックス
type-date = 日付
type-date-time = 日付/時間
type-time = 時間
type-choice = 選択リスト
type-choices = 選択リスト (複数選択)
type-text-or-choice = テキストまたは選択リスト
type-reference = 参照関係
type-of-choices = { $kind } { $count } 件
default-mark = 既定値
no-options = この連携機能にオプションはありません。
options-for = マッピングのオプション: { $target } ({ $name })

## Connections

connection-works = 連携は正常です。
login-server-said = ログインサーバーからのメッセージ: { $words }
test-override = テスト用の転送が有効です: { $pattern } へのリクエストは { $origin } に送られます
open-address = 次のアドレスを開き、リードの作成者になるユーザーでログインして、「許可」を選択してください:
no-browser-opened = ブラウザーを開けませんでした ({ $reason })。アドレスをご自身で開いてください。
waiting-for-callback = ブラウザーが { $address } に戻るまで、最大 { $limit } 待ちます
still-waiting = ブラウザーが戻るのを待っています。残り { $left } です。組織のエラーページが出た場合、ブラウザーは戻りません。内容を確認し、Ctrl-C を押してください。
paste-callback = 許可すると、ブラウザーは { $address } で始まるアドレスに移動します。ページが表示されなくても、そのアドレスをここに貼り付けてください:
seconds = { $count } 秒
minutes = { $count } 分
connected = `{ $team }` を { $origin } と連携しました。
stored-in = { $folder } に暗号化して保存しました。解除するには `host-harness disconnect --team { $team }` を実行してください
try-the-key = キーが有効かどうかは `host-harness doctor --team { $team }` で確認できます
page-allowed = 完了しました。結果はターミナルに表示されています。このページは閉じてかまいません。
page-denied = アクセスが許可されなかったため、連携していません。ターミナルの案内を確認してください。このページは閉じてかまいません。
page-refused = 組織に拒否されたため、連携していません。ターミナルの案内を確認してください。このページは閉じてかまいません。
page-other = 想定していないアドレスです。
disconnected-now = `{ $team }` の連携を解除しました。アクセス許可を取り消し、トークンを削除しました。
disconnected-key = `{ $team }` の連携を解除しました。API キーを削除しました。
key-remains = キー自体は無効になっていません。ほかで使っていなければ、{ $server } でも削除してください。
disconnected-unreadable = `{ $team }` の連携を解除しました。開けないデータだったため、削除しました。
unreadable-remains = アクセス許可またはキーは取り消されていません。連携したユーザーの設定で取り消してください。
disconnected-before = `{ $team }` の連携を解除しました。アクセス許可はすでに終了していたため、トークンを削除しました。
disconnected-nothing = `{ $team }` の連携を解除しました。保存されたアクセス許可がなかったため、取り消しはしていません。
nothing-remains = 取り消されていない場合は、{ $server } で、連携したユーザーの設定から取り消してください。
disconnected = `{ $team }` の連携を解除しました。トークンを削除しました。
grant-remains = アクセス許可の取り消しを確認できませんでした。{ $server } でも、連携したユーザーの設定から取り消してください。
other-grant-remains = 認証情報 `{ $credential }` のアクセス許可は別のビルドのもので、取り消せません。{ $server } で、連携したユーザーの設定から取り消してください。
the-server = サーバー
resealed = { $folder } の { $rows } 件を新しいキーで暗号化しました。
set-new-key = HARNESS_STORE_KEY を新しいキーに変更してください。以前のキーでは開けません。
damaged-rows = { $rows } 件は以前から破損しています。該当するチームを再連携してください。

## The local org

org-address = 組織: { $address }   (ブラウザーで開くと、リードとリクエストを確認できます)
org-admin = 管理: { $address }   (障害の再現、リクエストの記録、時計。docs/local-org.md を参照)
org-user = ユーザー名 { $user }、パスワード { $password } でログインしてください
org-stop = 終了するには Ctrl-C を押してください。

## The component

unchanged = (変更なし)
bytes = { $bytes } バイト
inspect-contract = 仕様       { $contract }
inspect-sha256 = SHA-256    { $digest }
inspect-size = サイズ     { $bytes } バイト ({ $budget } の { $percent } %)
inspect-imports = インポート { $list }
inspect-exports = エクスポート { $list }
inspect-may-reach = 通信先     { $origin } (呼び出し中は連携先の組織だけ)
inspect-credential = 認証情報 { $name }: 範囲 { $scopes }、ログイン先 { $hosts }
inspect-login-parameters = ログインのリクエストに付けるパラメータ: { $list }
inspect-attributes = 連携機能は認証情報を読めません。読めるのは属性 { $list } だけです
inspect-key = 認証情報 { $name }: { $origin } 用の API キー、ヘッダー { $header }
inspect-unreadable = 連携機能は認証情報を読めません
inspect-plan = プラン     { $plan }。連携できる役割: { $roles }
inspect-limits = 1 回の上限: メモリ { $memory } MiB、計算 { $cpu } ミリ秒、全体 { $wall } ミリ秒。リクエスト { $requests } 件 (各 { $request } KiB)、結果 { $response } KiB

## The demo

demo-component = コンポーネント
demo-org = テスト用の Salesforce 組織を起動し、オーナーがブラウザーでするように連携
demo-fields = 対応付けできるリードの項目
demo-mapping = カレンダーのオーナーが設定したマッピング
demo-booking = ゲストの予約が確定し、日程調整サービスの Webhook が届く
demo-lead = Salesforce に登録されたリード
demo-disconnected = 連携の解除
demo-step = [ステップ { $number }/{ $of }] { $title }
demo-path = ログイン → アクセス許可 → コード → トークン。トークンは連携機能には渡りません
demo-imports = インポートは { $list } だけです
demo-revoked = アクセス許可は組織で取り消され、ここからも削除されました
demo-refuses = 組織は以前のトークンを拒否しました: { $status }
demo-reports = 連携機能の報告: { $code }
demo-done = 完了: 予約が 1 回のリクエストでリードになりました。連携機能は認証情報に触れていません。

## Live checks

live-not-run = 実行していません。{ $host } (組織の私のドメイン)、{ $id }、{ $secret } を設定するか、--team で連携を指定してください
live-leads = 組織にテスト用のリードを作成し、削除します。会社名は「{ $company }」です。
live-as-expected = 想定どおり
live-differs = 想定と相違
live-skipped = 省略
live-alike = 一致
live-done = 実行内容: { $text }
live-expected = 想定: { $text }
live-words = 組織の説明: { $text }
live-remedy = 対処: { $text }
live-cases = { $all } 件中 { $alike } 件の結果が一致しました
live-summary = { $all } 件中 { $as_expected } 件は想定どおり、{ $differing } 件は相違、{ $skipped } 件は省略しました。記録: { $file }
live-unanswered = { $count } 件の作成に結果が届かず、後から作成される可能性があります。10 分後に、会社名が「{ $company }」のリードを検索し、削除してください
live-left-behind = テスト用のリード { $lead } を削除できませんでした。手動で削除してください
live-org-written = { $file }: 項目 { $count } 件。`host-harness org --file` で起動できます
live-cases-written = { $file }: 拒否 { $count } 件。`host-harness live-check --cases` と `--org` で再現できます

## Delivery

serving = { $address } で予約を受け付けています。終了するには Ctrl-C を押してください。
working = 予約を連携しています。終了するには Ctrl-C を押してください。
finishing = 処理中の予約を完了しています。残りの予約は次回に連携されます。すぐに終了するには、もう一度中断してください。
ended-at-once = 終了しました。処理中だった予約は、登録済みかどうかを確認してから連携されます。
stopped-serving = 停止しました。
not-synced = 台帳をディスクに保存できなかったため、終了します。ディスクを確認してから、起動し直してください。
sample-ready = チーム { $team } を連携し、カレンダー { $calendar } にマッピングを設定しました。次のコマンドで予約を送信できます:
sample-leads = 登録されたリードはこちらで確認できます: { $address }
team-created = チーム { $team } を作成しました。
team-renamed = チーム { $team } の名前を { $name } に変更しました。
token-shown-once = トークン { $id } を作成しました。再表示はできないため、安全な場所に保管してください。
token-revoked = トークン { $id } を無効にしました。5 秒以内に反映されます。
mapping-saved = カレンダー { $calendar } のマッピングをバージョン { $version } として保存しました。
hook-set = チーム { $team } 宛ての { $service } の Webhook を受け付けます。
hook-off = { $service } の Webhook の受け付けを停止しました。
try-without-end = 未完了
given-up = 連携 { $id } を取りやめました。
not-changed = 連携 { $id } は完了済みか処理中のため、変更していません。
resent-one = 連携 { $id } を再送します。
resend-plan = { $count } 件を再送します (CRM へのリクエスト: { $requests } 件以上)。
resend-question = 再送しますか? [y/N]
resent-so-far = { $done }/{ $count } 件
resent-all = { $count } 件を再送します。
recovered = { $count } 件は、登録済みかどうかを確認してから連携されます。サーバーを起動してください。
erased = { $count ->
    [0] このゲストの予約は保存されていません。
   *[other] { $count } 件の予約から個人情報を削除しました。CRM に次のレコードが残っている可能性があります:
}
column-id = ID
column-team = チーム
column-name = 名前
column-scope = 権限
column-ends-with = 末尾
column-revoked = 無効化日時
column-cause = 原因
column-state = 状態
column-count = 件数
column-earliest-meeting = 最も早い予定
column-booking = 予約
column-record = レコード
column-meeting = 予定日時

## Errors: files and arguments

code-file-unreadable = ファイルを読み取れません。
    .do = ファイル名と読み取り権限を確認してください。
code-file-too-large = ファイルが 1 回の上限より大きいため、使用できません。
    .do = ファイルを短くしてください。
code-file-malformed = ファイルの内容に誤りがあります。
    .do = 示された箇所を修正してください。マッピングと予約の形式は docs/mapping.md にあります。
code-file-without-booking = ファイルのイベントが予約の確定、日程変更、キャンセルのいずれでもないため、何も送信していません。
    .do = 別のイベントのファイルを指定してください。読み取るイベントの一覧は docs/mapping.md にあります。
code-text-too-long = テキストが連携機能の上限より長いため、何も送信していません。
    .do = テキストを短くするか、マッピングからその行を外してください。
code-field-unknown = マッピングの行が、登録できない項目を使っています。
    .do = 別の項目を選択してください。一覧は `host-harness fields` で確認できます。項目がある場合は、CRM の管理者が、連携ユーザーに編集を許可する必要があります。設定場所は、オブジェクトマネージャー > リード > 項目とリレーション > 項目レベルセキュリティです。
code-attribute-unknown = マッピングの行が、存在しない予約の情報を使っているため、何も送信していません。
    .do = その行の名称を修正してください。一覧は docs/mapping.md にあります。
code-option-invalid = マッピングのオプションまたは値が存在しないため、何も送信していません。
    .do = 修正してください。オプションと値は `host-harness options` で確認できます。
code-no-such-field = その項目はありません。
    .do = `host-harness fields` で確認できます。
code-file-not-private = 認証情報のファイルを、ほかのユーザーが読み取れる状態です。
code-file-unwritable = ファイルまたはフォルダーに保存できません。
    .do = 保存先の権限を確認するか、別の場所を指定してください。
code-no-org = その名前のテスト用組織はありません。
    .do = 一覧は `host-harness org --list` で確認できます。
code-org-incomplete = テスト用組織のファイルに不足があります。
    .do = 追加してください。設定は docs/local-org.md にあります。
code-org-file-syntax = テスト用組織のファイルを読み取れません。
    .do = 示された箇所を修正してください。設定は docs/local-org.md にあります。
code-org-file-contradiction = テスト用組織のファイルに矛盾があります。
    .do = 修正してください。設定は docs/local-org.md にあります。
code-org-file-describe = この describe の結果からは組織を作れません。
    .do = リードオブジェクトの describe の結果を保存し直してください。
code-unknown-tries = 以前の実行の時刻に誤りがあります。
    .do = 以前の実行で表示された時刻を使ってください。
code-argument-missing = 引数が足りません。
    .do = 追加してください。引数は `--help` で確認できます。
code-argument-unfit = この場合に使えない引数があります。
    .do = その引数を外してください。

## Errors: connections

code-no-connection = その名前の連携はありません。
    .do = `host-harness connect` で先に連携するか、--data で別のフォルダーを指定してください。
code-no-store = 連携を保存したフォルダーがありません。
    .do = --data で指定してください。
code-credentials-unclear = 連携機能の認証情報が 1 つではありません。
    .do = 別のビルドを使用してください。
code-key-from-terminal = API キーをターミナルで入力すると、ほかの人に見られる可能性があります。
    .do = パイプで渡すか、--api-key-file でファイルを指定してください。
code-redirect-uri = コールバック URL を使用できません。
    .do = このコンピューターのコールバック URL をアプリケーションに登録し、--redirect-uri で指定してください。
code-callback-listen = コールバックのアドレスは使用中です。
    .do = 使用中のプログラムを終了するか、別のコールバック URL を登録してください。
code-no-callback = 時間内にブラウザーが戻らなかったため、連携していません。
    .do = 組織のエラーページが出た場合は、その内容を修正してください。よくある原因は、コールバック URL の未登録です。ページが出ない場合は --no-browser を使用してください。
code-login-host-unreachable = ログイン先に到達できないため、連携を始めていません。
    .do = ログイン先のつづりとネットワークを確認してください。
code-local-login-elsewhere = --local-login は、このコンピューターのテスト用組織だけで使えます。
    .do = この引数を外し、ブラウザーでログインしてください。
code-connect-login-host = ログイン先を使用できません。
    .do = login.salesforce.com または組織の私のドメインを使用してください。
code-connect-login-host-not-registered = ログイン先が登録されていません。
    .do = 登録が必要だと、日程調整サービスの提供元に伝えてください。
code-connect-no-client = アプリケーションの情報がありません。
    .do = コンシューマー鍵とコンシューマーの秘密を指定してください。
code-connect-key-invalid = API キーとして使えないテキストです。
    .do = CRM からキーをコピーし直してください。
code-connect-refused = 組織に連携を拒否されました。
    .do = 組織が示した内容を修正し、もう一度連携してください。
code-connect-no-answer = ログイン先から結果が届きませんでした。
    .do = しばらくしてから連携してください。
code-connect-invalid-answer = ログイン先の結果を使用できません。
    .do = ログイン先を確認し、もう一度連携してください。
code-connect-origin = 組織のアドレスが許可されていません。
    .do = ログイン先とポリシーを確認してください。
code-connect-expired = 時間がかかりすぎました。
    .do = もう一度連携してください。
code-connect-state-mismatch = このログインで移動したアドレスではありません。
    .do = もう一度連携し、code と state を含むアドレス全体を貼り付けてください。
code-connect-callback = アドレスが完全ではありません。
    .do = もう一度連携し、code と state を含むアドレス全体を貼り付けてください。
code-connect-other-browser = 別のブラウザーでログインが完了しました。
    .do = 同じブラウザーで、もう一度連携してください。
code-connect-changed = ログイン中に連携機能が変更されました。
    .do = もう一度連携してください。
code-connect-redirect-uri = コールバック URL を使用できません。
    .do = https、またはこのコンピューターの http の URL を使用してください。
code-connect-not-oauth = この連携機能は API キーを使用します。
    .do = --api-key-file で連携してください。
code-connect-not-api-key = この連携機能はログインが必要です。
    .do = --login-host で連携してください。
code-request-invalid = リクエストを作成できません。
    .do = 開発元に伝えてください。
code-json = 結果を JSON で出力できません。
    .do = --json を外し、開発元に伝えてください。
code-connect-unknown-credential = 連携機能が使わない認証情報です。
    .do = `host-harness inspect` で名称を確認してください。
code-connect-not-pending = 保存された内容は、途中の連携ではありません。
    .do = もう一度連携してください。
code-connect-grant-type = この方法では連携できません。
    .do = ログインして連携してください。
code-connect-no-random = 乱数を取得できません。
    .do = コンピューターを再起動し、もう一度実行してください。
code-connect-role = この連携機能を連携できる役割ではありません。
    .do = 連携が必要だと、チームのオーナーまたは管理者に伝えてください。
code-connect-plan = この連携機能には別のプランが必要です。
    .do = プランについて、日程調整サービスの提供元に確認してください。
code-connect-not-registered = この方法の連携は登録されていません。
    .do = 登録が必要だと、日程調整サービスの提供元に伝えてください。
code-connect-stopping = プログラムが終了中です。
    .do = もう一度連携してください。
code-store-no-random = 乱数を取得できません。
    .do = コンピューターを再起動し、もう一度実行してください。
code-not-revoked = アクセス許可の取り消しを組織で確認できませんでした。
    .do = 組織で、連携したユーザーの設定から取り消してください。
code-disconnect-busy = この連携は使用中です。
    .do = 1 分後にもう一度解除してください。
code-store-directory = データフォルダーを使用できません。
    .do = 権限を確認するか、--data で別のフォルダーを指定してください。
code-store-locked = ほかのプロセスがデータフォルダーを変更しています。
    .do = 終了を待ってから、もう一度実行してください。
code-store-not-private = データフォルダーを、ほかのユーザーが読み取れる状態です。
    .do = 詳細のとおり、ご自身だけが読み取れるようにしてください。
code-store-key-blank = 保存用のキーが空欄です。
    .do = HARNESS_STORE_KEY にキーを設定するか、この変数を削除してください。
code-store-key-format = 保存用のキーの形式に誤りがあります。
    .do = `openssl rand -base64 32` で作成したキーを使用してください。
code-store-key-missing = 保存用のキーがありません。
    .do = キーのファイルを戻すか、HARNESS_STORE_KEY を設定してください。
code-store-wrong-key = このキーでは開けません。
    .do = 暗号化に使ったキーを使用してください。
code-store-key-given = 保存用のキーが 2 つあります。
    .do = どちらか 1 つを使用してください。
code-store-key-same = 新しいキーが現在のキーと同じです。
    .do = 別のキーを指定してください。
code-new-key-missing = 新しいキーがありません。
    .do = --new-key-file で指定してください。
code-store-damaged = 保存データが破損しています。
    .do = バックアップから戻すか、チームを再連携してください。
code-store-newer-schema = 保存データは新しいバージョンのものです。
    .do = 新しいバージョンを使用してください。
code-store-database = 保存用のデータベースでエラーが発生しました。
    .do = ディスクと権限を確認してください。
code-store-postgres = PostgreSQL を使用できません。
    .do = サーバー、URL、ロールの権限を確認してください。
code-store-url = PostgreSQL の URL に誤りがあります。
    .do = postgres://user:password@host/database の形式で指定してください。
code-store-certificates = 証明書を読み取れません。
    .do = sslrootcert で指定したファイルを確認してください。
code-store-not-durable = PostgreSQL で、確定したデータが失われるおそれがあります。
    .do = メッセージに示された設定を on にしてください。
code-store-conflict = ほかのプロセスが連携を変更しました。
    .do = もう一度実行してください。
code-store-unavailable = 保存データに到達できません。
    .do = しばらくしてから実行してください。
code-store-unreadable = 保存された連携を開けません。
    .do = 連携を解除してから、再連携してください。

## Errors: the component and the policy

code-cache-folder = コンパイル済みコンポーネントのフォルダーを使用できません。
    .do = 削除してください。自動的に作り直されます。
code-cache-not-private = コンパイル済みコンポーネントを、ほかのユーザーが変更できる状態です。
    .do = フォルダーを削除してください。自動的に作り直されます。
code-compiler = コンポーネントをコンパイルできません。
    .do = メモリとディスクの空きを確認し、もう一度実行してください。
code-engine = WebAssembly の実行環境でエラーが発生しました。
    .do = 開発元に伝えてください。
code-not-wasm = このファイルはコンポーネントではありません。
    .do = `host-harness build` で作成したファイルを使用してください。
code-core-module = このファイルはコンポーネントではありません。
    .do = `host-harness build` で作成したファイルを使用してください。
code-component-invalid = コンポーネントに誤りがあります。
    .do = 連携機能の開発元から入手し直してください。
code-component-too-large = コンポーネントが大きすぎます。
    .do = 小さいビルドが必要だと、連携機能の開発元に伝えてください。
code-no-manifest = コンポーネントにマニフェストがありません。
    .do = `host-harness build` で作成したファイルを使用してください。
code-other-contract = コンポーネントは別のバージョンの仕様用です。
    .do = このバージョン用のビルドを使用してください。
code-newer-contract = コンポーネントには新しいバージョンが必要です。
    .do = このプログラムを更新してください。
code-forbidden-imports = コンポーネントが、許可されない機能を使おうとしています。
    .do = 使用せず、連携機能の開発元に伝えてください。
code-policy-invalid = ポリシーに誤りがあります。
    .do = 示された箇所を修正してください。設定は docs/policy.md にあります。
code-policy-nothing-left = ポリシーにより、連携機能は何もできません。
    .do = `host-harness inspect` で示される経路のうち、必要なものを許可してください。
code-no-workspace = ここで作成できるものはありません。
    .do = プロジェクトのフォルダーで実行するか、--component で指定してください。
code-compile-failed = コンポーネントをコンパイルできません。
    .do = ログのエラーを修正してください。
code-cargo-not-run = cargo を実行できません。
    .do = rustup.rs から Rust をインストールしてください。
code-install-forbidden = 必要なツールがなく、インストールは禁止されています。
    .do = 示されたものをインストールしてください。
code-install-needs-root = 必要なツールがなく、インストールには管理者権限が必要です。
    .do = 示されたものをインストールしてください。
code-install-by-hand = 必要なツールがありません。
    .do = 示されたものをインストールしてください。
code-install-failed = ツールをインストールできませんでした。
    .do = 示されたものをインストールしてください。

## Errors: calls and the network

code-arguments-too-large = 予約とマッピングが 1 回の上限より大きいため、何も送信していません。
    .do = テキストを短くするか、行を減らしてください。
code-cpu-limit = 連携機能の計算が長すぎるため、停止しました。
    .do = 連携機能の開発元に伝えてください。
code-wall-limit = 時間がかかりすぎるため、停止しました。
    .do = CRM の状態を確認し、もう一度実行してください。
code-memory-limit = 連携機能のメモリが上限を超えたため、停止しました。
    .do = 連携機能の開発元に伝えてください。
code-host-call-limit = 連携機能のリクエストが多すぎるため、停止しました。
    .do = 連携機能の開発元に伝えてください。
code-credential-echo = 結果に認証情報が含まれていたため、停止しました。
    .do = 日程調整サービスの提供元に伝えてください。
code-quarantined = 連携機能の失敗が続いたため、しばらく停止しています。
    .do = 1 分待ち、連携機能の開発元に伝えてください。
code-trap = 連携機能が異常終了しました。
    .do = 連携機能の開発元に伝えてください。
code-busy = 同時に実行中の処理が多すぎます。
    .do = 1 分後にもう一度実行してください。
code-org-listen = テスト用組織のアドレスを使用できません。
    .do = 空いているポートを --listen で指定してください。
code-org-not-loopback = テスト用組織は、このコンピューターだけで使えます。
    .do = 127.0.0.1:0 のようなアドレスを指定してください。
code-org-store = テスト用組織の状態ファイルを使用できません。
    .do = 別のファイルを --state で指定してください。
code-visit-unreachable = テスト用組織に到達できません。
    .do = `host-harness org` で起動してください。
code-visit-stuck = テスト用組織のページから先に進めません。
    .do = ページの内容を確認してください。
code-live-check-incomplete = 組織のアプリケーションの情報が足りません。
    .do = `live-check --help` にある 3 つの変数を設定してください。
code-demo-failed = デモが想定どおりに終わりませんでした。
    .do = 開発元に伝えてください。

## Errors: delivery

code-ledger-in-use = このデータフォルダーは、ほかのプロセスが使用中です。
    .do = そのプロセスを停止するか、別のデータフォルダーを指定してください。
code-ledger-file = 台帳のファイルを使用できません。
    .do = フォルダーのアクセス権を確認してください。
code-ledger-wrong-key = 台帳は別の鍵で暗号化されています。
    .do = データフォルダーの元の鍵を指定してください。
code-ledger-no-random = 鍵を作成できません。
    .do = OS の乱数が利用できるか確認してください。
code-ledger-newer-schema = 台帳は新しいバージョンで作成されています。
    .do = 新しいバージョンのプログラムを使用してください。
code-ledger-database = 台帳のデータベースでエラーが発生しました。
    .do = ディスクまたはデータベースサーバーを確認し、再試行してください。
code-ledger-damaged = 台帳に読み取れない行があります。
    .do = バックアップを復元し、`host-harness recover` を実行してください。
code-ledger-busy = 台帳が混み合っています。
    .do = しばらくしてから再試行してください。
code-ledger-stale = この予約は、すでに別のワーカーが処理しています。
code-no-such-delivery = 指定された連携はありません。
    .do = `host-harness deliveries list` で確認してください。
code-mapping-changed = マッピングは、ほかの人が先に保存しました。
    .do = 読み込み直してから、もう一度保存してください。
code-integration-invalid = 連携の名前が正しくありません。
    .do = NAME または NAME.TARGET の形式で指定してください。
code-settings-invalid = 設定ファイルが正しくありません。
    .do = docs/operating.md の項目を確認してください。
code-metrics = メトリクスを集計できません。
    .do = 開発者に連絡してください。
code-worker-needs-postgres = ワーカーには PostgreSQL のデータベースが必要です。
    .do = --postgres URL を指定してください。
code-no-such-team = 指定されたチームはありません。
    .do = `host-harness team create` で作成してください。
code-team-id = このチーム ID は使用できません。
    .do = 1～200 バイトの ID を指定してください。
code-no-such-token = 指定されたトークンはありません。
    .do = `host-harness token list` で確認してください。
code-no-such-hook = このサービスの Webhook には対応していません。
    .do = timerex、calendly、calcom のいずれかを指定してください。
code-secret-too-short = 署名キーが短すぎます。
    .do = 16 バイト以上のランダムな値を、こちらとサービス側の両方に設定してください。
code-secret-with-blanks = 署名キーの先頭または末尾に空白があります。
    .do = こちらの空白を削除し、サービス側にもあれば削除してください。
code-not-confirmed = 再送していません。
    .do = 端末で確認に答えるか、--yes を付けてください。
code-mixed-connections = テスト用組織に連携したチームと、実際の組織に連携したチームが混在しています。
    .do = データフォルダーを分けてください。
code-several-clients = 異なるクライアントで連携したチームがあります。
    .do = 使用するクライアントを HARNESS_CLIENT_ID に設定してください。ほかのチームは再連携が必要です。
code-ledger-url = PostgreSQL の URL を使用できません。
    .do = postgres://user:password@host/database の形式で指定してください。
code-ledger-certificates = PostgreSQL の証明書を使用できません。
    .do = sslrootcert で指定したファイルを確認してください。
code-ledger-not-durable = PostgreSQL の設定では、障害時に保存済みのデータが失われる可能性があります。
    .do = synchronous_commit と fsync を on に設定してください。
code-store-key-not-given = 鍵が指定されていません。
    .do = HARNESS_STORE_KEY に、すべてのマシンで同じ鍵を設定してください。
code-alert-address-invalid = 通知先のアドレスが URL ではありません。
    .do = https:// で始まる URL を設定してください。
code-alert-address-not-encrypted = 通知が暗号化されずに送信されます。
    .do = https:// で始まる URL を設定してください。
code-alert-secret-invalid = 通知の署名キーを使用できません。
    .do = `whsec_` に続けて、24～64 バイトのランダムな値を Base64 で設定してください。
code-alert-client = 通知を送信できません。
    .do = 開発者に連絡してください。
code-store-key-not-prepared = 同じ鍵で暗号化されたほかのデータを更新できなかったため、変更していません。
    .do = サーバーを停止してから、再試行してください。
