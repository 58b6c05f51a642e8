//! `docs/manifest.schema.json` and `docs/manifest.md` say what a host reads.

use acceptance::guests;
use anyhow::{Context as _, Result};
use crm_host::manifest::Manifest;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

const COMMAND: &str = "UPDATE_DOCS=1 cargo test -p acceptance --test manifest_schema";
const MANIFESTS: [&str; 4] = [
    "plugin/plugin.toml",
    "tests/guests/hostile/plugin.toml",
    "tests/guests/newer/plugin.toml",
    "tests/guests/tiny-crm/plugin.toml",
];

fn file(path: &str) -> Result<PathBuf> {
    Ok(guests::workspace()?.root().join(path))
}

fn manifest(path: &str) -> Result<Value> {
    Ok(serde_json::to_value(toml::from_str::<toml::Table>(&fs::read_to_string(file(path)?)?)?)?)
}

/// Changes that the types of a manifest's values refuse: what, the table or list, the key or position, and its new value in JSON
/// (`None`: removed).
#[rustfmt::skip]
const INVALID: &[(&str, &str, &str, Option<&str>)] = &[
    ("an unknown key", "", "extra", Some("true")),
    ("an unknown key of the plugin", "/plugin", "extra", Some("true")),
    ("an unknown key of a rule", "/egress/0", "extra", Some("true")),
    ("an unknown key of a route", "/egress/0/routes/0", "extra", Some("true")),
    ("an unknown key of a credential", "/credentials/salesforce", "extra", Some("true")),
    ("an unknown key of a refusal", "/credentials/salesforce/refusals/0", "extra", Some("true")),
    ("no plugin", "", "plugin", None),
    ("no limits", "", "limits", None),
    ("no limit of time", "/limits", "wall_ms", None),
    ("no path", "/egress/0/routes/0", "path", None),
    ("no kind", "/credentials/salesforce", "kind", None),
    ("another kind", "/credentials/salesforce", "kind", Some(r#""password""#)),
    ("a method in lower case", "/egress/0/routes/0", "method", Some(r#""get""#)),
    ("a method of no route", "/egress/0/routes/0", "method", Some(r#""OPTIONS""#)),
    ("a path with a query", "/egress/0/routes/0", "path", Some(r#""/a?b""#)),
    ("a path with an empty segment", "/egress/0/routes/0", "path", Some(r#""/a//b""#)),
    ("a relative path", "/egress/0/routes/0", "path", Some(r#""a""#)),
    ("a parameter inside of a segment", "/egress/0/routes/0", "path", Some(r#""/a{b}""#)),
    ("a header in upper case", "/egress/0/routes/0/headers", "0", Some(r#""Accept""#)),
    ("a header with `_`", "/egress/0/routes/0/headers", "0", Some(r#""x_y""#)),
    ("a media type with a parameter", "/egress/0/routes/0/response_types", "0", Some(r#""a/b; c=d""#)),
    ("an origin without TLS", "/egress/0", "origin", Some(r#""http://a.example""#)),
    ("an origin with a path", "/egress/0", "origin", Some(r#""https://a.example/""#)),
    ("an id with capitals", "/plugin", "id", Some(r#""Salesforce""#)),
    ("a long id", "/plugin", "id", Some(r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa""#)),
    ("another contract", "/plugin", "contract", Some(r#""other:crm@0.1.0""#)),
    ("a negative limit", "/limits", "cpu_ms", Some("-1")),
    ("a text as a limit", "/limits", "cpu_ms", Some(r#""1""#)),
    ("an endpoint with a query", "/credentials/salesforce", "token_path", Some(r#""/a?b""#)),
    ("a parameter with capitals", "/credentials/salesforce/authorization_parameters", "Prompt", Some(r#""login""#)),
    ("a parameter that is not a string", "/credentials/salesforce/authorization_parameters", "prompt", Some("1")),
    ("an unknown grant type", "/credentials/salesforce/grant_types", "0", Some(r#""password""#)),
    ("an unknown meaning", "/credentials/salesforce/refusals/0", "means", Some(r#""gone""#)),
    ("an unknown stage", "/credentials/salesforce/refusals/0", "stage", Some(r#""login""#)),
];

fn changed(valid: &Value, place: &str, key: &str, value: Option<&str>) -> Result<Value> {
    let mut manifest = valid.clone();
    let value = value.map(serde_json::from_str).transpose()?;
    match (manifest.pointer_mut(place).with_context(|| place.to_owned())?, value) {
        (Value::Object(table), Some(value)) => drop(table.insert(key.to_owned(), value)),
        (Value::Object(table), None) => drop(table.remove(key).with_context(|| key.to_owned())?),
        (Value::Array(list), Some(value)) => *list.get_mut(key.parse::<usize>()?).context("an item")? = value,
        (other, _) => anyhow::bail!("{place} is {other}"),
    }
    Ok(manifest)
}

#[test]
fn the_schema_file_is_the_schema_of_what_the_host_reads() -> Result<()> {
    let path = file("docs/manifest.schema.json")?;
    let schema = format!("{:#}\n", Manifest::json_schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &schema)?;
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == schema, "out of date; run `{COMMAND}`");
    Ok(())
}

#[test]
fn the_schema_accepts_all_manifests_and_refuses_what_the_host_refuses() -> Result<()> {
    let schema = jsonschema::validator_for(&Manifest::json_schema())?;
    for path in MANIFESTS {
        let manifest = manifest(path)?;
        let errors: Vec<_> = schema.iter_errors(&manifest).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{path}");
    }
    let valid = manifest("plugin/plugin.toml")?;
    Manifest::from_toml(&toml::to_string(&valid)?)?;
    for (what, place, key, value) in INVALID {
        let changed = changed(&valid, place, key, *value)?;
        assert!(Manifest::from_toml(&toml::to_string(&changed)?).is_err(), "the host accepts {what}");
        assert!(!schema.is_valid(&changed), "the schema accepts {what}");
    }
    Ok(())
}

/// All names of properties in a schema.
fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(found)) = members.get("properties") {
                names.extend(found.keys().cloned());
            }
            members.values().for_each(|value| properties(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, names)),
        _ => {}
    }
}

#[test]
fn the_page_explains_every_key() -> Result<()> {
    let page = fs::read_to_string(file("docs/manifest.md")?).context("docs/manifest.md")?;
    let mut names = BTreeSet::new();
    properties(&Manifest::json_schema(), &mut names);
    assert!(names.len() > 40, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/manifest.md does not explain {missing:?}");
    Ok(())
}

#[test]
fn the_example_of_the_page_is_a_manifest() -> Result<()> {
    let page = fs::read_to_string(file("docs/manifest.md")?).context("docs/manifest.md")?;
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).context("an example")?;
    Manifest::from_toml(example)?;
    Ok(())
}
