### The Japanese texts. See `en.ftl`, which has the same messages in the same order. Words: `docs/glossary.md`.

question-unknown-what = マッピングの行が、フォームにない質問を使っています。
question-unknown-why = フォームから質問が削除されたか、質問の ID に誤りがあります。
question-unknown-do-1 = その行で別の質問を選択するか、行を削除してください。

attribute-unknown-what = マッピングの行が、存在しない予約の情報を使っています。
attribute-unknown-why = 名称に誤りがあるか、このバージョンにはない情報です。
attribute-unknown-do-1 = その行で、一覧から別の情報を選択してください。

template-invalid-what = テンプレートの書き方に誤りがあります。
template-invalid-why = 波かっこの数が合っていません。差し込み項目は {"{"}guest.name{"}"} のように書きます。波かっこ自体は {"{{"} や {"}}"} と重ねて書きます。
template-invalid-do-1 = テンプレートを修正してください。

option-invalid-what = マッピングのオプションに、使用できない設定があります。
option-invalid-why = 連携機能にないオプションまたは値が選択されています。マッピングの保存後に、連携機能が更新された可能性があります。
option-invalid-do-1 = マッピングのオプションを開き、選び直して保存してください。
option-invalid-do-2 = 設定画面に有効な選択肢がない場合は、日程調整サービスの提供元に伝えてください。

value-not-listed-what = 行の変換表にない値のため、そのまま登録します。
value-not-listed-why = 変換表の保存後に、フォームの選択肢が追加されたか、表記が変わりました。
value-not-listed-do-1 = 値を変換表に追加してください。そのまま登録してよい場合、対応は不要です。

value-not-offered-what = 行の変換表に、質問の選択肢にない値があります。
value-not-offered-why = フォームの選択肢が削除されたか、表記が変わったか、変換表に誤りがあります。
value-not-offered-do-1 = 変換表の値をフォームの選択肢と同じ表記にするか、変換表から削除してください。

currency-not-carried-what = 支払いの金額を、通貨の情報なしで登録しました。
currency-not-carried-why = マッピングに金額の行があり、通貨の行がないため、金額は CRM の通貨として扱われます。
currency-not-carried-do-1 = 支払いの通貨を登録する行を追加するか、テンプレートで金額と通貨をまとめてテキスト項目に登録してください。

field-unknown-what = マッピングの行が、CRM に登録できない項目を使っています。
field-unknown-why = 主な原因は次のいずれかです: 名称に誤りがある、項目が削除または変更された、連携ユーザーに編集権限がない。
field-unknown-do-1 = その行で別の項目を選択するか、行を削除してください。
field-unknown-admin-1 = 項目がある場合は、項目レベルセキュリティで、連携ユーザーに編集を許可してください。

body-value-unreadable-what = 予約の内容の一部を読み取れませんでした。
body-value-unreadable-why = 日程調整サービスから届いたデータの形式が、これまでと異なります。読み取れた部分は登録されます。
body-value-unreadable-do-1 = CRM のレコードを確認し、足りない内容を追記してください。
body-value-unreadable-do-2 = 続く場合は、メッセージを日程調整サービスの提供元に伝えてください。
