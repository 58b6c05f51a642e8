//! The documentation says what the code does.

use acceptance::guests;
use acceptance::system::{System, unexpected};
use anyhow::{Context as _, Result};
use crm_booking::{Event, Mapping, attributes};
use crm_host::manifest::Manifest;
use crm_host::policy::{Permissions, Policy};
use crm_intake::{Intake as _, Native};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const MAPPING: &str = include_str!("../../docs/mapping.md");
const README: &str = include_str!("../../README.md");
const POLICY: &str = include_str!("../../docs/policy.md");

/// The examples of a page in a language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    page.split(&format!("```{language}\n")).skip(1).filter_map(|block| block.split("```").next()).collect()
}

#[test]
fn the_examples_of_the_page_are_a_mapping_and_a_booking() -> Result<()> {
    let blocks = blocks(MAPPING, "json");
    let [mapping, booking] = blocks.as_slice() else { anyhow::bail!("{} examples", blocks.len()) };
    let mapping: Mapping = crm_intake::json::parse(mapping)?;
    let sources = [r#"{"answer""#, r#"{"booking""#, r#"{"tracking""#, r#"{"fixed""#, r#"{"template""#];
    let json = serde_json::to_string(&mapping)?;
    assert!(sources.iter().all(|source| json.contains(source)), "an example of every source");
    assert!(mapping.rows().iter().any(|row| row.is_for(Event::Cancelled)));
    Native.read(booking, None)?;
    Ok(())
}

#[test]
fn the_page_lists_every_attribute_and_marks_those_of_the_meeting() -> Result<()> {
    let section =
        MAPPING.split("### Attributes").nth(1).and_then(|rest| rest.split("###").next()).context("a section")?;
    for name in attributes::names() {
        let line = section.lines().find(|line| line.contains(&format!("`{name}`"))).with_context(|| name.to_owned())?;
        let mark = line.rsplit('|').nth(1).unwrap_or_default();
        assert_eq!(mark.contains("meeting"), attributes::is_of_meeting(name), "{name}: {line}");
    }
    Ok(())
}

#[tokio::test]
async fn the_page_lists_every_option_with_its_values_the_default_first() -> Result<()> {
    let system = System::start().await?;
    let listed: Vec<&str> = MAPPING.split("### Options").nth(1).context("a section")?.lines().collect();
    for group in system.plugin.options(&system.connection, None, "en").await?.answer.map_err(unexpected)? {
        let row = format!("| `{}` |", group.id);
        let line = listed.iter().find(|line| line.starts_with(&row)).with_context(|| group.id.clone())?;
        let values = line.split('|').nth(2).unwrap_or_default().trim();
        for choice in &group.choices {
            assert!(values.contains(&format!("`{}`", choice.value)), "{line}");
        }
        assert!(values.starts_with(&format!("`{}`", group.default_value)), "{line}");
    }
    Ok(())
}

#[test]
fn the_examples_of_policies_are_for_the_salesforce_plugin() -> Result<()> {
    let manifest = Manifest::from_toml(include_str!("../../plugin/plugin.toml"))?;
    let asked: BTreeSet<_> = manifest.egress.iter().flat_map(|rule| &rule.routes).map(ToString::to_string).collect();
    for example in blocks(POLICY, "toml") {
        let policy = Policy::from_toml(example)?;
        assert!(policy.routes.iter().flatten().all(|route| asked.contains(route)), "{example}");
        Permissions::new(&manifest, &policy)?;
    }
    Ok(())
}

#[test]
fn the_page_on_policies_lists_every_key() -> Result<()> {
    let policy = serde_json::to_value(Policy::default())?;
    let keys = policy.as_object().into_iter().flatten();
    let limits = policy["limits"].as_object().into_iter().flatten();
    let listed: Vec<_> = keys.chain(limits).map(|(key, _)| key).collect();
    assert!(listed.len() > 10, "{listed:?}");
    for key in listed {
        assert!(POLICY.lines().any(|line| line.starts_with(&format!("| `{key}` |"))), "{key}");
    }
    Ok(())
}

#[test]
fn the_example_of_the_readme_is_the_compiled_one() -> Result<()> {
    let example = include_str!("../../host-harness/examples/embed.rs");
    let region = example.split("// region: embed\n").nth(1).and_then(|rest| rest.split("// endregion").next());
    let blocks = blocks(README, "rust");
    let [block] = blocks.as_slice() else { anyhow::bail!("{} examples", blocks.len()) };
    assert_eq!(block.trim(), region.context("a region")?.trim());
    // Every crate that it uses is among the dependencies.
    let dependencies = blocks_of_dependencies()?;
    for name in ["crm-booking", "crm-host", "crm-store"] {
        assert!(block.contains(&name.replace('-', "_")) && dependencies.contains(name), "{name}");
    }
    Ok(())
}

fn blocks_of_dependencies() -> Result<&'static str> {
    blocks(README, "toml").into_iter().find(|block| block.contains("[dependencies]")).context("the dependencies")
}

/// A claim links to a test function, ``[`name`][file]``, or to a family of the security table, `["name"][file]`.
#[test]
fn every_test_that_a_claim_names_exists() -> Result<()> {
    let workspace = guests::workspace()?;
    for page in ["README.md", "SECURITY.md"] {
        let text = fs::read_to_string(workspace.root().join(page))?;
        let definitions = text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
        let files: BTreeMap<_, _> = definitions.collect();
        let mut claims = 0;
        for (at, _) in text.match_indices("][") {
            let label = text[..at].rsplit('[').next().unwrap_or_default();
            let name = text[at + 2..].split(']').next().unwrap_or_default();
            let file = files.get(name).with_context(|| format!("{page}: `{name}` is not defined"))?;
            if !file.ends_with(".rs") {
                continue;
            }
            let source = fs::read_to_string(workspace.root().join(file)).with_context(|| (*file).to_owned())?;
            let declared = match label.strip_prefix('`').and_then(|label| label.strip_suffix('`')) {
                Some(test) => format!("fn {test}("),
                None => label.to_owned(),
            };
            assert!(source.contains(&declared), "{page}: {label} is not in {file}");
            claims += 1;
        }
        assert!(claims > 5, "{page} names {claims} tests");
    }
    Ok(())
}
