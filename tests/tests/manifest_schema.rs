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

/// A change to a manifest that makes it invalid.
type Change = fn(&mut Value);

/// What the types of the manifest's values refuse.
#[rustfmt::skip]
const INVALID: &[(&str, Change)] = &[
    ("an unknown key", |it| it["extra"] = true.into()),
    ("an unknown key of the plugin", |it| it["plugin"]["extra"] = true.into()),
    ("an unknown key of a rule", |it| it["egress"][0]["extra"] = true.into()),
    ("an unknown key of a route", |it| it["egress"][0]["routes"][0]["extra"] = true.into()),
    ("an unknown key of a credential", |it| it["credentials"]["salesforce"]["extra"] = true.into()),
    ("an unknown key of a refusal", |it| it["credentials"]["salesforce"]["refusals"][0]["extra"] = true.into()),
    ("no plugin", |it| remove(it, "plugin")),
    ("no limits", |it| remove(it, "limits")),
    ("no limit of time", |it| remove(&mut it["limits"], "wall_ms")),
    ("no path", |it| remove(&mut it["egress"][0]["routes"][0], "path")),
    ("no kind", |it| remove(&mut it["credentials"]["salesforce"], "kind")),
    ("another kind", |it| it["credentials"]["salesforce"]["kind"] = "password".into()),
    ("a method in lower case", |it| it["egress"][0]["routes"][0]["method"] = "get".into()),
    ("a method of no route", |it| it["egress"][0]["routes"][0]["method"] = "OPTIONS".into()),
    ("a path with a query", |it| it["egress"][0]["routes"][0]["path"] = "/a?b".into()),
    ("a path with an empty segment", |it| it["egress"][0]["routes"][0]["path"] = "/a//b".into()),
    ("a relative path", |it| it["egress"][0]["routes"][0]["path"] = "a".into()),
    ("a parameter inside of a segment", |it| it["egress"][0]["routes"][0]["path"] = "/a{b}".into()),
    ("a header in upper case", |it| it["egress"][0]["routes"][0]["headers"][0] = "Accept".into()),
    ("a header with `_`", |it| it["egress"][0]["routes"][0]["headers"][0] = "x_y".into()),
    ("a media type with a parameter", |it| it["egress"][0]["routes"][0]["response_types"][0] = "a/b; c=d".into()),
    ("an origin without TLS", |it| it["egress"][0]["origin"] = "http://a.example".into()),
    ("an origin with a path", |it| it["egress"][0]["origin"] = "https://a.example/".into()),
    ("an id with capitals", |it| it["plugin"]["id"] = "Salesforce".into()),
    ("a long id", |it| it["plugin"]["id"] = "a".repeat(65).into()),
    ("another contract", |it| it["plugin"]["contract"] = "other:crm@0.1.0".into()),
    ("a negative limit", |it| it["limits"]["cpu_ms"] = (-1).into()),
    ("a text as a limit", |it| it["limits"]["cpu_ms"] = "1".into()),
    ("an endpoint with a query", |it| it["credentials"]["salesforce"]["token_path"] = "/a?b".into()),
    ("an unknown grant type", |it| it["credentials"]["salesforce"]["grant_types"][0] = "password".into()),
    ("an unknown meaning", |it| it["credentials"]["salesforce"]["refusals"][0]["means"] = "gone".into()),
    ("an unknown stage", |it| it["credentials"]["salesforce"]["refusals"][0]["stage"] = "login".into()),
];

fn remove(table: &mut Value, key: &str) {
    if let Some(table) = table.as_object_mut() {
        table.remove(key);
    }
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
    for (what, change) in INVALID {
        let mut changed = valid.clone();
        change(&mut changed);
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
