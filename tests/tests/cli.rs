//! The command as people run it: connect, list, deliver and disconnect against an org in another process, and misuse.

use acceptance::command::{Team, ended, files, harness, visitor_get, write_private};
use acceptance::guests;
use acceptance::samples::example;
use anyhow::{Context as _, Result, ensure};
use salesforce_local_org::visitor;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn component() -> Result<PathBuf> {
    Ok(guests::build("salesforce-leads")?.path)
}

/// A process that is killed at the end of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `org --print-env`, the variables it printed, and `org.env` with its output.
fn org(folder: &Path) -> Result<(Running, Vec<(String, String)>)> {
    let mut child =
        harness(folder)?.args(["org", "--print-env"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let stdout = child.stdout.take().context("its output")?;
    let running = Running(child);
    let (mut variables, mut text) = (Vec::new(), String::new());
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        text = text + &line + "\n";
        let (name, value) = line.split_once('=').context("a shell assignment")?;
        variables.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        if name == "HARNESS_EXT_ID_FIELD" {
            break;
        }
    }
    fs::write(folder.join("org.env"), text)?;
    Ok((running, variables))
}

/// A port that is currently free.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[tokio::test]
async fn a_team_connects_lists_fields_delivers_and_disconnects_with_credentials_sealed_between_commands() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let component = component()?;
    let component = component.to_str().context("a path")?;
    // The callback must be registered; a free port keeps concurrent tests apart.
    let callback = format!("http://127.0.0.1:{}/callback", free_port()?);
    fs::write(folder.path().join("org.toml"), format!("[app]\ncallbacks = [\"{callback}\"]\n"))?;
    let mut child = harness(folder.path())?
        .args(["org", "--print-env", "--file", "org.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let _running = Running(child);
    let mut variables = Vec::new();
    while let Some(line) = lines.next().transpose()? {
        let (name, value) = line.split_once('=').context("a shell assignment")?;
        variables.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        if name == "HARNESS_EXT_ID_FIELD" {
            break;
        }
    }
    let value = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    assert_eq!(value("HARNESS_REDIRECT_URI").as_deref(), Some(callback.as_str()));

    let run = |arguments: &[&str]| -> Result<Command> {
        let mut command = harness(folder.path())?;
        command.args(arguments);
        Ok(command)
    };
    let mut connect = run(&["connect", "--team", "sales", "--component", component])?;
    connect.envs(variables.iter().cloned()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut connecting = Running(connect.spawn()?);
    let stderr = connecting.0.stderr.take().context("its errors")?;
    let mut said = String::new();
    let mut address = None;
    for line in BufReader::new(stderr).lines() {
        let line = line?;
        said.push_str(&line);
        said.push('\n');
        if let Some(found) =
            line.trim().strip_prefix("http").filter(|rest| rest.contains("/services/oauth2/authorize?"))
        {
            address = Some(format!("http{found}"));
            break;
        }
    }
    let address = address.with_context(|| format!("no address was shown:\n{said}"))?;
    ensure!(said.contains("test override in force"), "the test override is announced: {said}");
    let user = salesforce_local_org::User::default();
    let back = visitor::allow(&address, &user.username, &user.password).await?;
    // The browser follows the callback URL, where the command listens.
    let page = visitor_get(&back).await?;
    assert!(page.contains("完了しました"), "{page}");
    let mut shown = String::new();
    connecting.0.stdout.take().context("its output")?.read_to_string(&mut shown)?;
    assert!(connecting.0.wait()?.success(), "{shown}");
    assert!(shown.contains("Connected `sales`"), "{shown}");

    // No HARNESS_CLIENT_ID and HARNESS_CLIENT_SECRET from here on: they are sealed next to the grant.
    let data = folder.path().join(".host-harness");
    let secret = value("HARNESS_CLIENT_SECRET").context("a secret")?;
    for file in files(&data)? {
        let mode = fs::metadata(&file)?.permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
        let bytes = fs::read(&file)?;
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }

    let listed = run(&["--json", "fields", "--team", "sales", "--component", component])?.output()?;
    let (code, out, err) = ended(&listed);
    assert_eq!(code, 0, "{err}");
    let listed: Value = serde_json::from_str(&out)?;
    assert!(listed["fields"]["fields"].as_array().is_some_and(|fields| fields.len() > 20));

    let booking = example("booking.json");
    let mapping = example("mapping.json");
    let files = ["--booking", booking.to_str().context("path")?, "--mapping", mapping.to_str().context("path")?];
    for (command, expected) in [("preview", "Would create a record (Lead)"), ("check", ""), ("run", "Created Lead/00Q")]
    {
        let mut command = run(&[command, "--team", "sales", "--component", component])?;
        let (code, out, err) = ended(&command.args(files).output()?);
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains(expected), "{out}");
    }
    let (code, out, err) = ended(&run(&["doctor", "--team", "sales", "--component", component])?.output()?);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("The connection works."), "{out}");

    let (code, out, err) = ended(&run(&["disconnect", "--team", "sales", "--component", component])?.output()?);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("the grant is revoked"), "{out}");
    let (code, _, err) = ended(&run(&["fields", "--team", "sales", "--component", component])?.output()?);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("no connection named `sales`"), "{err}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_renamed_its_credential_disconnects_and_says_which_grant_is_not_revoked() -> Result<()> {
    let team = Team::connect().await?;
    let renamed = team.folder().join("renamed.wasm");
    fs::write(&renamed, guests::with_credential("sf")?)?;
    let mut command = harness(team.folder())?;
    let disconnect = command.args(["disconnect", "--json", "--team", "sales", "--component"]).arg(renamed);
    let (code, out, err) = ended(&disconnect.output()?);
    assert_eq!(code, 3, "{out}{err}");
    assert_eq!(
        serde_json::from_str::<Value>(&out)?,
        json!({ "team": "sales", "revoked": false, "not_revoked": ["salesforce"] })
    );
    assert!(err.contains("`salesforce`") && err.contains("Revoke it at "), "{err}");
    assert!(!err.contains("already ended"), "{err}");
    let database = rusqlite::Connection::open(team.folder().join(".host-harness/store.sqlite3"))?;
    let grants: u32 = database.query_row("SELECT COUNT(*) FROM grants", [], |row| row.get(0))?;
    assert_eq!(grants, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_does_not_claim_that_a_grant_that_was_not_stored_has_ended() -> Result<()> {
    let team = Team::connect().await?;
    let database = rusqlite::Connection::open(team.folder().join(".host-harness/store.sqlite3"))?;
    database.execute("DELETE FROM grants", [])?;
    drop(database);
    let (code, out, err) = ended(&team.command(&["disconnect"])?.output()?);
    assert_eq!(code, 3, "{out}{err}");
    assert!(out.contains("no grant was stored"), "{out}");
    assert!(err.contains("revoke it at "), "{err}");
    Ok(())
}

#[test]
fn a_store_key_that_is_blank_or_replaced_by_itself_is_refused() -> Result<()> {
    const KEY: &str = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmE=";
    let folder = tempfile::tempdir()?;
    let data = folder.path().join(".host-harness");
    fs::create_dir(&data)?;
    write_private(&folder.path().join("new-key"), KEY)?;
    for blank in ["", " \n"] {
        for arguments in [&["rotate-key"][..], &["rotate-key", "--new-key-file", "new-key"]] {
            let mut command = harness(folder.path())?;
            let (code, out, err) = ended(&command.args(arguments).env("HARNESS_STORE_KEY", blank).output()?);
            assert_eq!(code, 2, "{out}{err}");
            assert!(err.contains("HARNESS_STORE_KEY is set but blank"), "{err}");
            assert_eq!(files(&data)?, Vec::<PathBuf>::new());
        }
    }
    let mut command = harness(folder.path())?;
    let rotate = command.args(["rotate-key", "--new-key-file", "new-key"]).env("HARNESS_STORE_KEY", KEY);
    let (code, out, err) = ended(&rotate.output()?);
    assert_eq!(code, 2, "{out}{err}");
    assert!(err.contains("the new key is the present one"), "{err}");
    Ok(())
}

#[test]
fn invalid_input_exits_with_2_and_names_the_path() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let component = component()?;
    let write = |name: &str, text: &str| -> Result<String> {
        let file = folder.path().join(name);
        fs::write(&file, text)?;
        Ok(file.to_string_lossy().into_owned())
    };
    let mut booking: Value = serde_json::from_str(&fs::read_to_string(example("booking.json"))?)?;
    booking["answers"][3]["value"] = json!({ "x": 1 });
    let bad_booking = write("booking.json", &booking.to_string())?;
    let mut webhook: Value = serde_json::from_str(&fs::read_to_string(example("timerex-webhook.json"))?)?;
    webhook["event"]["form"][3]["value"] = json!(null);
    webhook["event"]["local_start_datetime"] = json!("8:30");
    let bad_webhook = write("webhook.json", &webhook.to_string())?;
    let bad_mapping = write("mapping.json", r#"{"rows":[{"id":"a","field":"Lastname","source":{"fixed":"x"}}]}"#)?;
    let unknown_key = write("unknown.json", r#"{"rows":[],"options":{},"rules":[]}"#)?;
    let bad_policy = write("policy.toml", "methods = [\"TRACE\"]\n")?;
    let good_booking = example("booking.json").to_string_lossy().into_owned();
    let good_mapping = example("mapping.json").to_string_lossy().into_owned();
    let component = component.to_string_lossy().into_owned();

    let cases: [(&[&str], &str); 8] = [
        (&["--booking", &bad_booking, "--mapping", &good_mapping], "answers[3].value: expected text or list"),
        (
            &["--booking", &bad_webhook, "--mapping", &good_mapping, "--format", "timerex"],
            "event.local_start_datetime: expected a time with an offset",
        ),
        (
            &["--booking", &good_booking, "--mapping", &bad_mapping],
            "rows[0].field: the plugin lists no field `Lastname`; did you mean `LastName`?",
        ),
        (&["--booking", &good_booking, "--mapping", &unknown_key], "rules: unknown field `rules`"),
        (&["--booking", "missing.json", "--mapping", &good_mapping], "missing.json: "),
        (&["--booking", &good_booking, "--mapping", &good_mapping, "--policy", &bad_policy], "policy.toml"),
        (&["--booking", &good_booking, "--mapping", &good_mapping, "--team", "nobody"], "no connection named `nobody`"),
        (&["--booking", &good_booking, "--mapping", &good_mapping, "--org", "nowhere"], "no org file `nowhere`"),
    ];
    for (arguments, said) in cases {
        let mut command = harness(folder.path())?;
        command.args(["--json", "run", "--component", &component]).args(arguments);
        let (code, out, err) = ended(&command.output()?);
        assert_eq!(code, 2, "{arguments:?}: {out}{err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
        let error: Value = serde_json::from_str(&out)?;
        assert!(error["error"]["code"].is_string(), "{out}");
    }
    for (bytes, said) in [(&b"\0asm\x01\0\0\0"[..], "not a component"), (b"hello", "not a WebAssembly file")] {
        let file = folder.path().join("file.wasm");
        fs::write(&file, bytes)?;
        let (code, _, err) = ended(&harness(folder.path())?.arg("inspect").arg(&file).output()?);
        assert_eq!(code, 2);
        assert!(err.contains(said), "{err}");
    }
    Ok(())
}

#[test]
fn check_covers_every_event_and_a_problem_comes_with_what_the_host_found() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let component = component()?;
    let mut mapping = json!({
        "rows": [
            { "id": "ln", "field": "LastName", "source": { "booking": "extra.none" } },
            { "id": "co", "field": "Company", "source": { "booking": "guest.emial" }, "fallback": "x" },
            { "id": "sz", "field": "Description", "source": { "answer": "size" }, "values": { "51-300": "medium" } },
            { "id": "mv", "field": "City", "source": { "fixed": "Moved" }, "on": ["rescheduled"] },
            { "id": "st", "field": "Statuss", "source": { "fixed": "Lost" }, "on": ["cancelled"] },
        ],
        "options": { "exsting": "keep" },
    });
    fs::write(folder.path().join("mapping.json"), mapping.to_string())?;
    let command = |name: &str| -> Result<(i32, Value)> {
        let mut command = harness(folder.path())?;
        command.args(["--json", name, "--mapping", "mapping.json"]);
        command.arg("--component").arg(&component).arg("--booking").arg(example("booking.json"));
        let (code, out, err) = ended(&command.output()?);
        Ok((code, serde_json::from_str(&out).with_context(|| err)?))
    };
    let found = |json: &Value| -> Vec<String> {
        let of = |finding: &Value| format!("{} {}", finding["code"], finding["row_ids"]).replace(['"', '[', ']'], "");
        let mut found: Vec<_> = json["findings"].as_array().into_iter().flatten().map(of).collect();
        found.sort();
        found
    };
    let (code, checked) = command("check")?;
    assert_eq!(code, 3, "{checked}");
    assert_eq!(
        found(&checked),
        ["attribute-unknown co", "field-unknown st", "option-invalid ", "required-field-may-be-blank ln",]
    );
    // What no booking can have is refused before anything is sent.
    for code in ["attribute-unknown", "option-invalid"] {
        let (exit, refused) = command("run")?;
        assert_eq!((exit, &refused["error"]["code"]), (2, &json!(code)));
        mapping["rows"][1]["source"] = json!({ "booking": "guest.company" });
        fs::write(folder.path().join("mapping.json"), mapping.to_string())?;
    }
    mapping["options"] = json!({});
    mapping["rows"][2]["source"] = json!({ "answer": "sise" });
    fs::write(folder.path().join("mapping.json"), mapping.to_string())?;
    let (code, problem) = command("run")?;
    assert_eq!((code, &problem["problem"]["code"]), (3, &json!("required-field-blank")));
    assert_eq!(problem["problem"]["row_ids"], json!(["ln"]));
    assert_eq!(found(&problem), ["question-unknown sz"]);
    Ok(())
}

#[test]
fn inspect_prints_a_components_imports_exports_and_limits_as_json() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (code, out, err) = ended(&harness(folder.path())?.args(["--json", "inspect"]).arg(component()?).output()?);
    assert_eq!(code, 0, "{err}");
    let found: Value = serde_json::from_str(&out)?;
    let mut imports: Vec<_> =
        found["imports"].as_array().context("imports")?.iter().filter_map(Value::as_str).collect();
    imports.sort_unstable();
    assert_eq!(imports, ["http", "secrets", "types"].map(|name| format!("scheduling:crm/{name}@0.1.0")));
    assert_eq!(found["exports"].as_array().map(Vec::len), Some(4));
    assert_eq!(found["sha256"].as_str().map(str::len), Some(64));
    assert!(found["bytes"].as_u64() < found["budgets"]["bytes"].as_u64());
    assert_eq!(found["manifest"]["plugin"]["plan"], "premium");
    assert_eq!(found["manifest"]["plugin"]["connect_roles"], json!(["owner", "admin"]));
    assert!(found["limits"]["memory_bytes"].is_u64());
    Ok(())
}

#[test]
fn the_demo_creates_a_lead_and_ends_with_a_revoked_token() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (code, out, err) = ended(&harness(folder.path())?.arg("demo").arg("--component").arg(component()?).output()?);
    assert_eq!(code, 0, "{out}{err}");
    for said in [
        "sha256",
        "required: Company (Company), Last Name (LastName)",
        "withheld",
        "Created Lead/00Q",
        "高橋",
        "🙇‍♀️",
        "the org now refuses the old token: 401",
    ] {
        assert!(out.contains(said), "{said} is not in:\n{out}");
    }
    Ok(())
}

#[test]
fn print_env_prints_assignments_that_a_shell_reads() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_running, variables) = org(folder.path())?;
    let names: Vec<_> = variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "HARNESS_LOGIN_HOST",
            "HARNESS_CLIENT_ID",
            "HARNESS_CLIENT_SECRET",
            "HARNESS_REDIRECT_URI",
            "HARNESS_EXT_ID_FIELD"
        ]
    );
    assert!(variables.iter().all(|(_, value)| !value.is_empty()), "{variables:?}");
    assert_eq!(variables[4].1, "BookingId__c");
    let shell = Command::new("sh").args(["-c", "set -a; . ./org.env; env"]).current_dir(folder.path()).output()?;
    let shown = String::from_utf8(shell.stdout)?;
    for (name, value) in &variables {
        assert!(shown.lines().any(|line| line == format!("{name}={value}")), "{name}");
    }
    Ok(())
}
