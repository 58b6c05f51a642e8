//! What a person meets who tries the command with the README alone.
#![expect(clippy::indexing_slicing, reason = "a panic fails the test")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use acceptance::{
    command::{Team, ended, harness, visitor_get},
    guests,
    samples::example,
};
use anyhow::{Context as _, Result};
use salesforce_local_org::{Fault, Options, OrgFile, RunningOrg, visitor};
use serde_json::{Value, json};

use crate::Kind;

pub async fn kinds() -> Result<Vec<Kind>> {
    Ok(vec![
        misspelt_names()?,
        choices_outside_a_picklist()?,
        long_texts()?,
        connecting().await?,
        languages()?,
        a_folder_of_ones_own()?,
        what_there_is_to_choose()?,
        endings().await?,
    ])
}

/// A folder with a booking and a mapping, where commands run against an org of their own.
struct Desk {
    folder: tempfile::TempDir,
    component: PathBuf,
}

impl Desk {
    fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, component: guests::build("salesforce-leads")?.path })
    }

    fn put(&self, name: &str, content: &Value) -> Result<()> {
        Ok(fs::write(self.folder.path().join(name), content.to_string())?)
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = harness(self.folder.path())?;
        command.args(arguments).arg("--component").arg(&self.component);
        Ok(command)
    }

    /// Exit code, and everything that was shown.
    fn said(&self, arguments: &[&str]) -> Result<(i32, String)> {
        let (code, out, err) = ended(&self.command(arguments)?.output()?);
        Ok((code, out + &err))
    }

    /// The same for a command on `booking.json` and `mapping.json`.
    fn on_booking(&self, command: &str, further: &[&str]) -> Result<(i32, String)> {
        let files = ["--booking", "booking.json", "--mapping", "mapping.json"];
        self.said(&[&[command], &files[..], further].concat())
    }
}

/// Which of some texts a text does not have. One that begins with `!` must not be there.
fn lacking<'t>(text: &str, wanted: &[&'t str]) -> Vec<&'t str> {
    let is_lacking = |wanted: &&str| match wanted.strip_prefix('!') {
        Some(unwanted) => text.contains(unwanted),
        None => !text.contains(*wanted),
    };
    wanted.iter().copied().filter(is_lacking).collect()
}

fn native() -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(example("booking.json"))?)?)
}

/// A mapping with what a Lead needs, and further rows.
fn mapping<'r>(further: impl IntoIterator<Item = (&'r str, Value)>) -> Value {
    let usual = [("LastName", json!({ "booking": "guest.family-name" })), ("Company", json!({ "fixed": "Acme" }))];
    let rows: Vec<Value> = usual
        .into_iter()
        .chain(further)
        .map(|(field, source)| json!({ "id": field, "field": field, "source": source }))
        .collect();
    json!({ "rows": rows })
}

/// A name that nothing has is found, named with the nearest one, and never passed over in silence.
fn misspelt_names() -> Result<Kind> {
    let mut kind = Kind::new("misspelt names");
    let desk = Desk::new()?;
    let booking = native()?;
    let mut with_form = booking.clone();
    with_form["form"] = json!([{ "id": "goal", "label": "Your goal?", "kind": "paragraph", "required": false }]);
    let unknown_question = ["question-unknown", "`goal`"];
    for command in ["run", "preview"] {
        for (name, booking) in [("a question, without a form", &booking), ("a question of a form", &with_form)] {
            desk.put("booking.json", booking)?;
            for source in [json!({ "answer": "goall" }), json!({ "template": "Wants: {answers.gaol}" })] {
                desk.put("mapping.json", &mapping([("Description", source.clone())]))?;
                let (code, said) = desk.on_booking(command, &[])?;
                kind.case(
                    format!("{command}: {name}: {source}"),
                    (code, lacking(&said, &unknown_question)),
                    (0, vec![]),
                );
            }
        }
    }
    desk.put("booking.json", &booking)?;
    desk.put("mapping.json", &mapping([("Description", json!({ "answer": "goall" }))]))?;
    let (_, said) = desk.on_booking("run", &[])?;
    kind.case("run counts what was not written", lacking(&said, &["1 value was not written"]), vec![]);

    // What no booking can have is refused before anything is sent.
    let mut misspelt_option = mapping([]);
    misspelt_option["options"] = json!({ "exsting": "keep" });
    let mut misspelt_value = mapping([]);
    misspelt_value["options"] = json!({ "existing": "kepp" });
    let attribute = |name: &str| {
        let mut mapping = mapping([]);
        mapping["rows"][1]["source"] = json!({ "booking": name });
        mapping
    };
    let unsent = ["!POST", "!required-field-blank"];
    for (name, mapping, wanted) in [
        ("an option", misspelt_option, &["`exsting`", "`existing`", "`duplicates`"][..]),
        ("an option's value", misspelt_value, &["`kepp`", "`keep`", "`create-another`"]),
        ("an attribute", attribute("guest.compny"), &["`guest.compny`", "`guest.company`"]),
        ("an attribute unlike any", attribute("colour"), &["`colour`", "attribute"]),
    ] {
        desk.put("mapping.json", &mapping)?;
        for command in ["run", "preview"] {
            let (code, said) = desk.on_booking(command, &[])?;
            let lacking = lacking(&said, &[wanted, &unsent].concat());
            kind.case(format!("{command}: {name}: {said}"), (code, lacking), (2, vec![]));
        }
        let (code, said) = desk.on_booking("check", &[])?;
        let lacking = lacking(&said, &[wanted, &["!required-field"]].concat());
        kind.case(format!("check: {name}: {said}"), (code, lacking), (3, vec![]));
    }
    Ok(kind)
}

/// Whatever `preview` leaves out for a choice that the form offers, or that the guest made, `check` finds.
fn choices_outside_a_picklist() -> Result<Kind> {
    let mut kind = Kind::new("choices outside a picklist");
    let desk = Desk::new()?;
    let webhook: Value = serde_json::from_str(&fs::read_to_string(example("timerex-webhook.json"))?)?;
    for (field_type, field) in
        [("radio", "MeetingType__c"), ("dropdown", "MeetingType__c"), ("checkboxes", "Interests__c")]
    {
        for (name, options, value) in [
            ("offered", json!(["デモ", "採用", "雑談"]), "雑談"),
            ("given, though not offered", json!(["デモ", "採用"]), "雑談"),
            ("given, and nothing is offered", json!([]), "雑談"),
        ] {
            let mut body = webhook.clone();
            let several = field_type == "checkboxes";
            let value = if several { json!([value]) } else { json!(value) };
            body["event"]["form"][3] = json!({ "field_type": field_type, "required": true, "label": "種類",
                "description": "", "options": options, "value": value });
            desk.put("booking.json", &body)?;
            desk.put("mapping.json", &mapping([(field, json!({ "answer": "q4-種類" }))]))?;
            let format = ["--format", "timerex"];
            let (_, previewed) = desk.on_booking("preview", &format)?;
            let (_, checked) = desk.on_booking("check", &format)?;
            let lacking = [lacking(&previewed, &["left out"]), lacking(&checked, &["雑談"])];
            kind.case(format!("{field_type}, {name}: {checked}"), lacking, [vec![], vec![]]);
        }
    }
    for question in ["radio", "dropdown", "checkboxes"] {
        let value = if question == "checkboxes" { json!(["Chat"]) } else { json!("Chat") };
        let field = if question == "checkboxes" { "Interests__c" } else { "MeetingType__c" };
        let mut booking = native()?;
        booking["answers"] = json!([{ "question_id": "type", "label": "Type", "kind": question, "required": true,
            "value": value }]);
        for form in [None, Some(json!(["Demo", "Chat"]))] {
            if let Some(choices) = &form {
                booking["form"] = json!([{ "id": "type", "label": "Type", "kind": question, "required": true,
                    "choices": choices }]);
            }
            desk.put("booking.json", &booking)?;
            desk.put("mapping.json", &mapping([(field, json!({ "answer": "type" }))]))?;
            let (_, checked) = desk.on_booking("check", &[])?;
            let name = format!("native {question}, with a form: {}: {checked}", form.is_some());
            kind.case(name, lacking(&checked, &["Chat"]), vec![]);
        }
    }
    Ok(kind)
}

/// A text above the contract's limit is refused with its place; nothing is shortened in silence.
fn long_texts() -> Result<Kind> {
    let mut kind = Kind::new("texts above the contract's limit");
    let desk = Desk::new()?;
    let long = "あ".repeat(44_000);
    let usual = mapping([("Description", json!({ "answer": "goal" }))]);
    let template = mapping([("Description", json!({ "template": "{answers.goal} {answers.goal}" }))]);
    let with = |path: &str, value: Value| -> Result<Value> {
        let mut booking = native()?;
        *booking.pointer_mut(path).context("a place")? = value;
        Ok(booking)
    };
    let with_row = |row: Value| {
        let mut mapping = mapping([]);
        mapping["rows"].as_array_mut().into_iter().for_each(|rows| rows.push(row.clone()));
        mapping
    };
    for (name, booking, mapping, place) in [
        ("an answer", with("/answers/5/value", json!(long))?, &usual, "answers[5].value"),
        ("a choice", with("/answers/2/value", json!([long]))?, &usual, "answers[2].value"),
        ("the comment", with("/comment", json!(long))?, &usual, "comment"),
        ("a name", with("/guest/name", json!(long))?, &usual, "guest.name"),
        ("a title", with("/title", json!(long))?, &usual, "title"),
        (
            "a fixed text",
            native()?,
            &with_row(json!({ "id": "d", "field": "Description", "source": { "fixed": long } })),
            "rows[2].source",
        ),
        (
            "a fallback",
            native()?,
            &with_row(json!({ "id": "d", "field": "Description", "source": { "answer": "none" }, "fallback": long })),
            "rows[2].fallback",
        ),
        ("what a template comes to", with("/answers/5/value", json!("x".repeat(70_000)))?, &template, "Description"),
    ] {
        desk.put("booking.json", &booking)?;
        desk.put("mapping.json", mapping)?;
        let (code, said) = desk.on_booking("run", &[])?;
        let said: String = said.chars().filter(|c| *c != 'あ').take(600).collect();
        kind.case(format!("{name}: {said}"), (code, lacking(&said, &[place, "131,072", "!Created"])), (2, vec![]));
    }
    Ok(kind)
}

/// `connect`, begun, with the lines that it prints.
struct Connecting {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
    said: String,
}

impl Drop for Connecting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Connecting {
    fn begin(desk: &Desk, org: &RunningOrg, callback: &str, arguments: &[&str]) -> Result<Self> {
        let app = org.app();
        let mut child = desk
            .command(&[&["connect", "--team", "sales"], arguments].concat())?
            .envs([("HARNESS_LOGIN_HOST", org.base_url()), ("HARNESS_REDIRECT_URI", callback)])
            .envs([("HARNESS_CLIENT_ID", app.client_id), ("HARNESS_CLIENT_SECRET", app.client_secret)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let errors = BufReader::new(child.stderr.take().context("its errors")?);
        Ok(Self { child, errors, said: String::new() })
    }

    /// The address to open; `None` if it ended without one.
    fn address(&mut self) -> Result<Option<String>> {
        loop {
            let mut line = String::new();
            if self.errors.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            self.said.push_str(&line);
            if line.contains("/services/oauth2/authorize?") {
                return Ok(Some(line.trim().to_owned()));
            }
        }
    }

    /// Pastes what a visit to the address makes of it, and ends.
    async fn paste(mut self, org: &RunningOrg, made: impl Fn(&str) -> String) -> Result<(i32, String)> {
        let user = org.org().file().users.into_iter().next().context("a user")?;
        if let Some(address) = self.address()? {
            let back = visitor::allow(&address, &user.username, &user.password).await?;
            writeln!(self.child.stdin.as_mut().context("its input")?, "  {}  ", made(&back))?;
        }
        self.end()
    }

    /// Exit code and everything that was shown.
    fn end(mut self) -> Result<(i32, String)> {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.errors, &mut rest)?;
        let mut out = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            std::io::Read::read_to_string(&mut stdout, &mut out)?;
        }
        let code = self.child.wait()?.code().unwrap_or(-1);
        Ok((code, std::mem::take(&mut self.said) + &rest + &out))
    }
}

async fn connecting() -> Result<Kind> {
    let mut kind = Kind::new("connecting");
    let desk = Desk::new()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let callback = format!("http://127.0.0.1:{port}/callback");
    let file = OrgFile::parse(&format!("[app]\ncallbacks = [\"{callback}\"]\n"))?;
    let org = salesforce_local_org::serve(file, Options::default()).await?;
    let user = org.org().file().users.into_iter().next().context("a user")?;

    let mut denied = Connecting::begin(&desk, &org, &callback, &[])?;
    let back = visitor::deny(&denied.address()?.context("an address")?, &user.username, &user.password).await?;
    let page = visitor_get(&back).await?;
    let (code, said) = denied.end()?;
    let unwanted = ["!Done", "!完了しました", "許可", "access_denied"];
    kind.case(format!("the page after Deny: {page}"), lacking(&page, &unwanted), vec![]);
    kind.case(format!("connect after Deny: {said}"), (code, lacking(&said, &["!Connected"])), (3, vec![]));

    let pasted =
        |arguments: &[&str]| Connecting::begin(&desk, &org, &callback, &[&["--no-browser"], arguments].concat());
    let whole = |back: &str| back.to_owned();
    let query = |back: &str| back.split_once('?').map_or_else(String::new, |(_, query)| query.to_owned());
    let (code, said) = pasted(&[])?.paste(&org, whole).await?;
    kind.case(format!("--no-browser: {said}"), (code, lacking(&said, &["Connected `sales`"])), (0, vec![]));
    let (code, said) = pasted(&[])?.paste(&org, query).await?;
    kind.case(format!("--no-browser, the query: {said}"), (code, lacking(&said, &["Connected `sales`"])), (0, vec![]));
    let (code, said) = pasted(&[])?.paste(&org, |_| "https://example.com/".to_owned()).await?;
    kind.case(format!("--no-browser, another: {said}"), (code, lacking(&said, &["code", "state"])), (1, vec![]));

    let (code, said) = Connecting::begin(&desk, &org, &callback, &["--local-login"])?.end()?;
    kind.case(format!("--local-login: {said}"), (code, lacking(&said, &["Connected `sales`"])), (0, vec![]));
    let elsewhere = ["connect", "--local-login", "--client-id", "x", "--login-host", "https://login.salesforce.com"];
    let (code, said) = desk.said(&elsewhere)?;
    kind.case(format!("--local-login elsewhere: {said}"), (code, lacking(&said, &["this machine"])), (2, vec![]));

    // An org that shows an error page for an unknown callback URL never sends the browser back.
    let began = Instant::now();
    let other = format!("http://127.0.0.1:{port}/elsewhere");
    let (code, said) = Connecting::begin(&desk, &org, &other, &["--timeout", "2"])?.end()?;
    let wanted = ["callback URL", other.as_str(), "2 s", "Waiting"];
    kind.case(
        format!("a callback URL that the app does not have: {said}"),
        (code, lacking(&said, &wanted)),
        (1, vec![]),
    );
    kind.case("it ends in time", began.elapsed() < Duration::from_secs(8), true);

    let closed = format!("http://127.0.0.1:{}", std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    for host in [closed.as_str(), "http://[::1]:9"] {
        let began = Instant::now();
        let (code, said) = desk.said(&["connect", "--client-id", "x", "--login-host", host])?;
        let wanted = ["login-host-unreachable", host, "!services/oauth2/authorize"];
        kind.case(format!("an unreachable login host: {said}"), (code, lacking(&said, &wanted)), (1, vec![]));
        kind.case(format!("{host} is not waited for"), began.elapsed() < Duration::from_secs(30), true);
    }
    Ok(kind)
}

/// The whole output is in the reader's language.
fn languages() -> Result<Kind> {
    let mut kind = Kind::new("the reader's language");
    let desk = Desk::new()?;
    desk.put("booking.json", &native()?)?;
    let rows = [("Description", json!({ "answer": "goall" })), ("MeetingType__c", json!({ "answer": "size" }))];
    desk.put("mapping.json", &mapping(rows))?;
    let common = ["!team owner", "!Problem:", "!left out", "!calendar owner", "!error:", "!used:"];
    for (command, wanted) in [
        ("run", &["登録しました", "登録されません", "カレンダーのオーナー", "question-unknown", "使用量", "2 件"][..]),
        ("preview", &["新しいレコード", "登録されません", "値の取得元", "question-unknown"]),
        ("check", &["登録されません", "カレンダーのオーナー", "picklist"]),
        ("fields", &["必須", "選択", "項目"]),
        ("doctor", &["連携は正常です"]),
        ("options", &["重複", "既定値"]),
        ("demo", &["リード", "ステップ 1/7", "取り消され"]),
    ] {
        let is_on_booking = matches!(command, "run" | "preview" | "check");
        for arguments in [&["--locale", "ja"][..], &["--locale", "ja-JP"]] {
            let (_, said) = if is_on_booking {
                desk.on_booking(command, arguments)?
            } else {
                desk.said(&[&[command], arguments].concat())?
            };
            let name = format!("{command} {arguments:?}: {said}");
            kind.case(name, lacking(&said, &[wanted, &common].concat()), vec![]);
            if command == "demo" {
                break;
            }
        }
    }
    for (variable, value) in [("LC_ALL", "ja_JP.UTF-8"), ("LC_MESSAGES", "ja_JP"), ("LANG", "ja_JP.eucJP@x")] {
        let mut command = desk.command(&["fields", "--team", "nobody"])?;
        let (code, _, said) = ended(&command.env(variable, value).output()?);
        kind.case(format!("{variable}: {said}"), (code, lacking(&said, &["エラー", "連携", "nobody"])), (2, vec![]));
    }
    for (arguments, exit, wanted) in [
        (&["doctor", "--org", "professional-without-api"][..], 3, &["問題", "CRM の管理者"][..]),
        (&["fields", "--org", "nowhere"], 2, &["エラー", "テスト用組織", "org --list"]),
        (&["fields", "--policy", "missing.toml"], 2, &["エラー", "ファイル", "missing.toml"]),
    ] {
        let (code, said) = desk.said(&[arguments, &["--locale", "ja"]].concat())?;
        let wanted = [wanted, &["!CRM admin", "!error:"]].concat();
        kind.case(format!("{arguments:?}: {said}"), (code, lacking(&said, &wanted)), (exit, vec![]));
    }
    // A field that the connected user cannot see: the CRM's admin must act, not the calendar's owner.
    desk.put("mapping.json", &mapping([("Industry", json!({ "fixed": "Banking" }))]))?;
    for (locale, wanted) in
        [("ja", ["CRM の管理者", "項目レベルセキュリティ"]), ("en", ["admin", "field-level security"])]
    {
        for (command, exit) in [("run", 2), ("preview", 2), ("check", 3)] {
            let (code, said) = desk.on_booking(command, &["--org", "hidden-fields", "--locale", locale])?;
            kind.case(
                format!("{command}, a hidden field, {locale}: {said}"),
                (code, lacking(&said, &wanted)),
                (exit, vec![]),
            );
        }
    }
    Ok(kind)
}

/// What commands leave in a folder, and what they need of the machine.
fn a_folder_of_ones_own() -> Result<Kind> {
    let mut kind = Kind::new("a folder of one's own");
    let desk = Desk::new()?;
    let (_, said) = desk.said(&["connect", "--client-id", "x", "--login-host", "http://127.0.0.1:9"])?;
    let ignored = fs::read_to_string(desk.folder.path().join(".host-harness/.gitignore")).unwrap_or_default();
    kind.case(format!("the data folder is ignored: {said}"), ignored.lines().any(|line| line == "*"), true);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ignored = fs::read_to_string(root.join(".gitignore"))?;
    for name in ["org.env", ".host-harness"] {
        kind.case(format!("{name} is ignored"), ignored.lines().any(|line| line.trim_matches('/') == name), true);
    }

    for command in ["fields", "options", "doctor"] {
        let (_, _, noise) = ended(&desk.command(&[command])?.output()?);
        kind.case(format!("{command} says nothing besides"), noise, String::new());
    }

    // No cargo where the component is current.
    guests::build("salesforce-leads")?;
    let tools = desk.folder.path().join("tools");
    fs::create_dir(&tools)?;
    let cargo = tools.join("cargo");
    fs::write(&cargo, "#!/bin/sh\necho called > \"$(dirname \"$0\")/called\"\nexit 1\n")?;
    fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let path = format!("{}:{}", tools.display(), std::env::var("PATH")?);
    let (code, _, said) = ended(&harness(&root)?.arg("fields").env("PATH", path).env("CARGO", &cargo).output()?);
    kind.case(format!("without cargo: {said}"), (code, tools.join("called").exists()), (0, false));

    // A wait for another process is announced with its folder.
    let locked = desk.folder.path().join(".host-harness/lock");
    let lock = fs::File::options().write(true).open(&locked)?;
    lock.lock()?;
    let mut waiting = desk
        .command(&["connect", "--client-id", "x", "--login-host", "http://127.0.0.1:9"])?
        .stderr(Stdio::piped())
        .spawn()?;
    let mut said = BufReader::new(waiting.stderr.take().context("its errors")?);
    let mut first = String::new();
    said.read_line(&mut first)?;
    drop(lock);
    waiting.wait()?;
    kind.case(format!("a wait: {first}"), lacking(&first, &["Waiting", ".host-harness"]), vec![]);

    // The system's words once, with the place.
    for data in ["/dev/null/data", "/proc/data"] {
        let mut command =
            desk.command(&["connect", "--client-id", "x", "--login-host", "http://127.0.0.1:9", "--data", data])?;
        let (code, _, said) = ended(&command.output()?);
        let os = said.matches("(os error").count();
        kind.case(format!("{data}: {said}"), (code, os, said.matches(data).count()), (1, 1, 1));
    }
    Ok(kind)
}

fn what_there_is_to_choose() -> Result<Kind> {
    let mut kind = Kind::new("what there is to choose");
    let desk = Desk::new()?;
    for (arguments, wanted) in [
        (&["options"][..], &["existing", "create-another", "keep", "fill-empty", "default", "booking-id-field"][..]),
        (&["options", "--json"], &["\"options\"", "\"default\"", "\"choices\""]),
        (&["options", "--locale", "ja"], &["existing", "既定値"]),
        (&["fields"], &["MeetingType__c", "Consultation"]),
        (&["fields", "--field", "MeetingType__c"], &["Consultation", "Demo", "!LastName"]),
        (&["fields", "--choices"], &["Consultation", "Demo", "Recruiting", "LastName"]),
        (&["fields", "--org", "developer-state-country", "--field", "StateCode"], &["Tokyo", "!and more"]),
    ] {
        let (code, said) = desk.said(arguments)?;
        kind.case(format!("{arguments:?}: {said}"), (code, lacking(&said, wanted)), (0, vec![]));
    }
    let (code, said) = desk.said(&["fields", "--field", "MeetingTyp__c"])?;
    kind.case(format!("a misspelt field: {said}"), (code, lacking(&said, &["`MeetingType__c`"])), (2, vec![]));
    Ok(kind)
}

/// However a command ends, a person learns what it may have left.
async fn endings() -> Result<Kind> {
    let mut kind = Kind::new("endings");
    let create = ("POST", "/services/data/*/sobjects/Lead");
    let team = Team::connect().await?;
    fs::write(team.folder().join("booking.json"), native()?.to_string())?;
    let mapping = mapping([("Email", json!({ "booking": "guest.email" }))]);
    fs::write(team.folder().join("mapping.json"), mapping.to_string())?;
    let files = ["--booking", "booking.json", "--mapping", "mapping.json"];
    let run = || team.command(&[&["run"], &files[..]].concat());

    // Its result cannot be shown, so the Lead is unknown to the person.
    for json in [false, true] {
        let mut command = run()?;
        if json {
            command.arg("--json");
        }
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let ended = command.stdout(writer).stderr(Stdio::piped()).spawn()?.wait_with_output()?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let wanted = lacking(&said, &["--unknown-since", "--unknown-until"]);
        kind.case(format!("a closed output, json {json}: {said}"), wanted, vec![]);
    }

    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        team.org.org().add_fault(Fault::delay_answer(Duration::from_secs(60)).on(create.0, create.1));
        let before = team.org.org().leads().len();
        let mut child = run()?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        for _ in 0..600 {
            if team.org.org().leads().len() > before || child.try_wait()?.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Command::new("kill").args(["-s", signal, &child.id().to_string()]).status()?;
        let (code, out, err) = ended(&child.wait_with_output()?);
        let missing = lacking(&err, &["--unknown-since", "--unknown-until"]);
        kind.case(format!("{signal}: {out}{err}"), (code, missing), (130, vec![]));
        team.org.org().clear_faults();
    }

    // An org that ran for the command has ended with it: there is nothing to look for.
    let desk = Desk::new()?;
    desk.put("booking.json", &native()?)?;
    desk.put("mapping.json", &mapping)?;
    for arguments in [&["demo"][..], &[&["run"], &files[..]].concat()] {
        let mut child = desk.command(arguments)?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        tokio::time::sleep(Duration::from_millis(250)).await;
        Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status()?;
        let finished = child.try_wait()?.is_some();
        let (code, out, err) = ended(&child.wait_with_output()?);
        let is_told = err.contains("nothing is left") || code == 0 || finished;
        kind.case(format!("{arguments:?}: {out}{err}"), (is_told, err.contains("--unknown-since")), (true, false));
    }
    let mut live = team.command(&["live-check"])?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let before = team.org.org().leads().len();
    for _ in 0..600 {
        if team.org.org().leads().len() > before || live.try_wait()?.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Command::new("kill").args(["-s", "INT", &live.id().to_string()]).status()?;
    let (code, out, err) = ended(&live.wait_with_output()?);
    let missing = lacking(&err.replace("are created in the org", ""), &["may be left", "live-check (delete me)"]);
    kind.case(format!("live-check: {out}{err}"), (code, missing), (130, vec![]));

    // The link that `run` shows opens a page.
    let (code, out, err) = ended(&run()?.output()?);
    let link = out.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default();
    let page = visitor_get(link).await.unwrap_or_else(|error| format!("{error:#}"));
    let opened = (page.starts_with("HTTP/1.1 200"), lacking(&page, &["Weiß", "!URL No Longer Exists"]));
    kind.case(format!("the Lead's link {code} {out}{err} {page}"), opened, (true, vec![]));
    Ok(kind)
}
