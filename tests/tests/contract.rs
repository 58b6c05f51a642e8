//! The contract's documentation is a specification: each MUST has a number, by which hosts and plugins are tested.

use std::collections::BTreeMap;
use std::fs;

use acceptance::guests;
use anyhow::{Context as _, Result, ensure};

/// The documentation of the contract, without line breaks and comment marks.
fn documentation() -> Result<String> {
    let folder = guests::workspace()?.root().join("wit");
    let mut text = String::new();
    for entry in fs::read_dir(folder)? {
        let lines = fs::read_to_string(entry?.path())?;
        let documented = lines.lines().filter_map(|line| line.trim().strip_prefix("///"));
        documented.for_each(|line| {
            text.push(' ');
            text.push_str(line.trim());
        });
    }
    Ok(text)
}

#[test]
fn every_must_has_a_number_of_its_own_and_none_is_left_out() -> Result<()> {
    let text = documentation()?;
    let text = text.replace("MUST, MUST NOT and MAY are those of RFC 2119. Each MUST has a number", "");
    let mut numbers: BTreeMap<char, Vec<u32>> = BTreeMap::new();
    for (at, _) in text.match_indices("MUST") {
        let around: String = text.get(at..).unwrap_or_default().chars().take(80).collect();
        let rest = around.trim_start_matches("MUST").trim_start_matches(" NOT");
        let list = rest.strip_prefix(" [").and_then(|rest| rest.split(']').next());
        let list = list.with_context(|| format!("a number is missing: {around}"))?;
        for number in list.split(", ") {
            let mut letters = number.chars();
            let side = letters.next().filter(|side| "HP".contains(*side)).with_context(|| around.clone())?;
            numbers.entry(side).or_default().push(letters.as_str().parse().with_context(|| around.clone())?);
        }
    }
    for (side, mut numbers) in numbers {
        numbers.sort_unstable();
        let expected: Vec<u32> = (1..).take(numbers.len()).collect();
        ensure!(numbers == expected, "{side}: {numbers:?}");
        println!("{side}1 to {side}{}", numbers.len());
    }
    Ok(())
}

#[test]
fn the_contract_knows_no_crm() -> Result<()> {
    let text = documentation()?;
    // Salesforce serves as an example in three places, by an object's name and an address.
    for word in
        ["picklist", "sObject", "assignment rule", "record type", "describe result", "SOQL", "Apex", "Lead field"]
    {
        ensure!(!text.to_lowercase().contains(&word.to_lowercase()), "`{word}` is a word of one CRM");
    }
    Ok(())
}
