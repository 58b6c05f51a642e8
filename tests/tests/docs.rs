//! `docs/mapping.md` says what the code does.

use acceptance::system::{System, unexpected};
use anyhow::{Context as _, Result};
use crm_booking::{Event, Mapping, attributes};
use crm_intake::{Intake as _, Native};

const MAPPING: &str = include_str!("../../docs/mapping.md");

fn blocks() -> Vec<&'static str> {
    MAPPING.split("```json\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

#[test]
fn the_examples_of_the_page_are_a_mapping_and_a_booking() -> Result<()> {
    let blocks = blocks();
    let [mapping, booking] = blocks.as_slice() else { anyhow::bail!("{} examples", blocks.len()) };
    let mapping: Mapping = crm_intake::json::parse(mapping)?;
    let sources = [r#"{"answer""#, r#"{"booking""#, r#"{"tracking""#, r#"{"fixed""#, r#"{"template""#];
    let json = serde_json::to_string(&mapping)?;
    assert!(sources.iter().all(|source| json.contains(source)), "an example of every source");
    assert!(mapping.rows().iter().any(|row| row.is_for(Event::Cancelled)));
    Native.read(booking)?;
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
