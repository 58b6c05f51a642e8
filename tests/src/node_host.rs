//! Runs a component under another host: jco on Node, in `other-hosts/node`.
//!
//! In JavaScript the contract's records are spelled differently from this project's JSON: names in lower camel case, enum
//! cases with `-`, variants as `tag` and `val`. [`in_javascript`] translates them.

use crm_builder::FORBIDDEN_BY;
use serde_json::{Value, json};
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Output};

/// Why the other host did not run.
#[derive(Debug)]
pub enum NotRun {
    /// A dependency is not installed. Outside CI a test prints this and passes.
    NotInstalled(String),
    /// It ran, or was installed, and failed.
    Failed(String),
}

impl NotRun {
    /// Prints a missing dependency outside CI. In CI it is a failure.
    ///
    /// # Errors
    ///
    /// The failure's description.
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

/// Calls `list-lead-fields` and `on-booking-completed` as scripted, and returns `fields`, `delivery` and `requests`.
pub fn run(component: &Path, script: &Path) -> Result<Value, NotRun> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("other-hosts/node");
    set_up(&folder)?;
    let output = Command::new("node").arg(folder.join("host.mjs")).arg(component).arg(script).output();
    let output = finished("node host.mjs", output)?;
    serde_json::from_slice(&output.stdout).map_err(|error| NotRun::Failed(format!("the other host's output: {error}")))
}

/// Installs the host's packages into its own folder, once per lock file.
fn set_up(folder: &Path) -> Result<(), NotRun> {
    let io = |error: io::Error| NotRun::Failed(format!("{}: {error}", folder.display()));
    let release = Command::new("node").arg("--version").output().ok().filter(|output| output.status.success());
    let release = release.and_then(|output| major(&String::from_utf8_lossy(&output.stdout)));
    if release.is_none_or(|release| release < 20) {
        return Err(NotRun::NotInstalled("Node 20".to_owned()));
    }
    // Several test processes may get here concurrently.
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

/// The major version, such as 20 of `v20.20.2`.
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

/// Paths of variants; `[]` stands for each item of a list.
const VARIANTS: [&str; 6] = [
    "kind",
    "rows[].source",
    "rows[].field.field_type",
    "rows[].field.suggested_source",
    "fields[].field_type",
    "fields[].suggested_source",
];

/// Paths of enums.
const ENUMS: [&str; 6] =
    ["answers[].kind", "place.kind", "withheld[].reason", "outcome", "reaction", "findings[].consequence"];

/// Translates a booking, mapping, history, field list, delivery or problem from this project's JSON to jco's values.
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
            // jco treats absent members and `null` alike, and returns absent ones.
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            let members = members.map(|(name, value)| (camel(&name), translated(value, &format!("{prefix}{name}"))));
            Value::Object(members.collect())
        }
        other => other,
    }
}

/// A case without a payload is a string; one with a payload is an object with one member.
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

/// The value of an answer is untagged, except for numbers.
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
    fn every_kind_of_value_in_a_record_is_translated() {
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
    fn the_node_version_is_parsed() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("nonsense"), None);
    }
}
