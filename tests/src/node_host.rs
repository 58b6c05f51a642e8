//! Runs a component under another host: jco on Node, in `other-hosts/node`.
//!
//! The contract's records have another spelling in JavaScript than in this project's JSON: names in lower camel case,
//! enum cases with `-`, variants as `tag` and `val`. [`in_javascript`] knows which values are which.

use builder::FORBIDDEN_BY;
use serde_json::{Value, json};
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Output};

/// Why the other host did not run.
#[derive(Debug)]
pub enum NotRun {
    /// Something is not installed; outside CI a test reports it and ends.
    NotInstalled(String),
    /// It ran and failed.
    Failed(String),
}

impl NotRun {
    /// Reports what is not installed, where that may be: in CI it is a failure like any other.
    ///
    /// # Errors
    ///
    /// What must not be passed over, in words.
    pub fn report(self) -> Result<(), String> {
        match self {
            Self::NotInstalled(what) if env::var_os("CI").is_none() => {
                println!("not run: install {what}");
                Ok(())
            }
            Self::NotInstalled(what) => Err(format!("not run, which CI does not accept: install {what}")),
            Self::Failed(why) => Err(why),
        }
    }
}

/// Calls `list-lead-fields` and `on-booking-completed` as the script says, and answers `fields`, `delivery` and
/// `requests`.
pub fn run(component: &Path, script: &Path) -> Result<Value, NotRun> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("other-hosts/node");
    set_up(&folder)?;
    let output = Command::new("node").arg(folder.join("host.mjs")).arg(component).arg(script).output();
    let output = finished("node host.mjs", output)?;
    serde_json::from_slice(&output.stdout).map_err(|error| NotRun::Failed(format!("the other host's answer: {error}")))
}

/// Installs what the host needs into its own folder, once per lock file.
fn set_up(folder: &Path) -> Result<(), NotRun> {
    let io = |error: io::Error| NotRun::Failed(format!("{}: {error}", folder.display()));
    let release = Command::new("node").arg("--version").output().ok().filter(|output| output.status.success());
    let release = release.and_then(|output| major(&String::from_utf8_lossy(&output.stdout)));
    if release.is_none_or(|release| release < 20) {
        return Err(NotRun::NotInstalled("Node 20".to_owned()));
    }
    // Several test processes may come here at once.
    let target = folder.join("../../../target");
    fs::create_dir_all(&target).map_err(io)?;
    let turn = File::create(target.join("other-host.lock")).map_err(io)?;
    turn.lock().map_err(io)?;
    let wanted = fs::read(folder.join("package-lock.json")).map_err(io)?;
    let done = folder.join("node_modules/.lock-installed");
    if fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if env::var_os(FORBIDDEN_BY).is_some_and(|value| value == "1") {
        return Err(NotRun::NotInstalled(format!("its packages: npm ci --prefix {}", folder.display())));
    }
    println!("Installing the packages of package-lock.json into {}.", folder.join("node_modules").display());
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).output();
    finished("npm ci", npm)?;
    fs::write(done, wanted).map_err(io)
}

/// 20 of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn finished(command: &str, output: io::Result<Output>) -> Result<Output, NotRun> {
    let output = output.map_err(|error| NotRun::Failed(format!("{command}: {error}")))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(NotRun::Failed(format!("{command}: {}\n{said}", output.status)))
}

/// Where a record has a variant: `[]` stands for each item of a list.
const VARIANTS: [&str; 6] = [
    "kind",
    "rows[].source",
    "rows[].field.field_type",
    "rows[].field.suggested_source",
    "fields[].field_type",
    "fields[].suggested_source",
];

/// Where a record has an enum.
const ENUMS: [&str; 6] =
    ["answers[].kind", "place.kind", "withheld[].reason", "outcome", "reaction", "findings[].consequence"];

/// A booking, mapping, history, field list, delivery or problem of this project's JSON as the values that jco takes and
/// gives.
pub fn in_javascript(record: Value) -> Value {
    translated(record, "")
}

fn translated(value: Value, path: &str) -> Value {
    match value {
        value if VARIANTS.contains(&path) => variant(value),
        value if path == "answers[].value" => answer(value),
        Value::String(case) if ENUMS.contains(&path) => Value::String(kebab(&case)),
        Value::Array(items) => items.into_iter().map(|item| translated(item, &format!("{path}[]"))).collect(),
        Value::Object(members) => {
            let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
            // An absent member and `null` are the same to jco; it gives the former.
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            let members = members.map(|(name, value)| (camel(&name), translated(value, &format!("{prefix}{name}"))));
            Value::Object(members.collect())
        }
        other => other,
    }
}

/// A bare case is text, one with a value an object of one member.
fn variant(value: Value) -> Value {
    match value {
        Value::String(case) => json!({ "tag": kebab(&case) }),
        Value::Object(case) => {
            let mut cases = case.into_iter().map(|(name, value)| json!({ "tag": kebab(&name), "val": value }));
            cases.next().unwrap_or_default()
        }
        other => other,
    }
}

/// The value of an answer stands for itself, but for a number's.
fn answer(value: Value) -> Value {
    match value {
        Value::String(_) => json!({ "tag": "text", "val": value }),
        Value::Array(_) => json!({ "tag": "choices", "val": value }),
        Value::Bool(_) => json!({ "tag": "boolean", "val": value }),
        number => variant(number),
    }
}

fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        name + &letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_translated_value_by_value() {
        let ours = json!({
            "kind": {"rescheduled": "b-1"},
            "time_zone": "Asia/Tokyo",
            "place": {"kind": "in_person", "join_url": null},
            "answers": [
                {"question_id": "q_1", "kind": "text", "value": "under_score"},
                {"question_id": "q_2", "kind": "number", "value": {"number": "12.50"}},
                {"question_id": "q_3", "kind": "checkboxes", "value": ["a"]},
                {"question_id": "q_4", "kind": "consent", "value": true},
                {"question_id": "q_5", "kind": "text", "value": null},
            ],
            "tracking": [{"name": "utm_source", "value": "x"}],
            "rows": [{"field": {"field_type": "text_area", "suggested_source": null}, "source": {"fixed": "a_b"}}],
            "fields": [{"field_type": {"other": "geo_x"}, "reference_to": ["User"]}],
            "outcome": "already_delivered",
        });
        let theirs = json!({
            "kind": {"tag": "rescheduled", "val": "b-1"},
            "timeZone": "Asia/Tokyo",
            "place": {"kind": "in-person"},
            "answers": [
                {"questionId": "q_1", "kind": "text", "value": {"tag": "text", "val": "under_score"}},
                {"questionId": "q_2", "kind": "number", "value": {"tag": "number", "val": "12.50"}},
                {"questionId": "q_3", "kind": "checkboxes", "value": {"tag": "choices", "val": ["a"]}},
                {"questionId": "q_4", "kind": "consent", "value": {"tag": "boolean", "val": true}},
                {"questionId": "q_5", "kind": "text"},
            ],
            "tracking": [{"name": "utm_source", "value": "x"}],
            "rows": [{"field": {"fieldType": {"tag": "text-area"}}, "source": {"tag": "fixed", "val": "a_b"}}],
            "fields": [{"fieldType": {"tag": "other", "val": "geo_x"}, "referenceTo": ["User"]}],
            "outcome": "already-delivered",
        });
        assert_eq!(in_javascript(ours), theirs);
    }

    #[test]
    fn the_release_of_node_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("nonsense"), None);
    }
}
