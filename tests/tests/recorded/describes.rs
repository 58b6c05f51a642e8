//! Describe results.

use crate::JSON;
use acceptance::recorded::{self, Recorded};
use acceptance::system::System;
use anyhow::{Context as _, Result};
use crm_host::types::FieldList;
use salesforce_local_org::{Fault, OrgFile};
use serde_json::Value;
use std::collections::BTreeSet;

async fn list(system: &System, file: &Recorded) -> Result<FieldList> {
    let body = String::from_utf8(file.bytes.clone())?;
    system.org().add_fault(Fault::answer(200, JSON, body).on("GET", "/services/data/*/sobjects/Lead/describe"));
    system.fields().await.with_context(|| file.name.clone())
}

/// Compares a field list with the describe result that it was made from.
fn compare(name: &str, describe: &Value, listed: &FieldList) -> Result<()> {
    let fields = describe["fields"].as_array().context("fields")?;
    let names = |wanted: &dyn Fn(&Value) -> bool| -> BTreeSet<&str> {
        fields.iter().filter(|field| wanted(field)).filter_map(|field| field["name"].as_str()).collect()
    };
    let offered: BTreeSet<&str> = listed.fields.iter().map(|field| field.name.as_str()).collect();
    let withheld: BTreeSet<&str> = listed.withheld.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(offered.union(&withheld).copied().collect::<BTreeSet<_>>(), names(&|_| true), "{name}: all fields");
    assert!(offered.is_disjoint(&withheld), "{name}");

    let writable = |field: &Value| field["createable"] == true && field["updateable"] == true;
    assert!(offered.is_subset(&names(&writable)), "{name}: an offered field cannot be written");
    let required = names(&|field| {
        writable(field)
            && field["nillable"] == false
            && field["defaultedOnCreate"] != true
            && field["type"] != "boolean"
            && field["name"].as_str().is_some_and(|name| offered.contains(name))
    });
    let marked = listed.fields.iter().filter(|field| field.required).map(|field| field.name.as_str());
    assert_eq!(marked.collect::<BTreeSet<_>>(), required, "{name}: required fields");
    let first = listed.fields.iter().take(required.len());
    assert!(first.clone().all(|field| field.required), "{name}: required fields come first");
    Ok(())
}

#[tokio::test]
async fn every_recorded_describe_result_is_listed() -> Result<()> {
    let system = System::start().await?;
    for file in recorded::answers("describe")?.into_iter().chain(recorded::answers("describe-minimal")?) {
        let listed = list(&system, &file).await?;
        compare(&file.name, &file.json()?, &listed)?;
        if file.name.contains("/Lead.") {
            // An org made from the describe result offers at least the same fields, and more where the result lacks keys.
            let imported = System::with_org(OrgFile::from_describe(&file.bytes)?).await?.fields().await?;
            let names = |listed: &FieldList| -> BTreeSet<(String, bool)> {
                listed.fields.iter().map(|field| (field.name.clone(), field.required)).collect()
            };
            let lost = names(&listed).difference(&names(&imported)).cloned().collect::<Vec<_>>();
            assert_eq!(lost, [], "{}", file.name);
        }
    }
    Ok(())
}
