//! Lists of API versions.

use crate::JSON;
use acceptance::recorded;
use acceptance::system::System;
use anyhow::{Context as _, Result};
use salesforce_local_org::Fault;
use serde_json::Value;

#[tokio::test]
async fn every_recorded_version_list_is_searched_for_the_plugins_version() -> Result<()> {
    let system = System::start().await?;
    let list = |status: u16, versions: &Value| {
        system.org().add_fault(Fault::answer(status, JSON, versions.to_string()).on("GET", "/services/data/"));
    };
    for file in recorded::answers("versions")? {
        let (status, versions) = file.answer(200)?;
        list(status, &versions);
        let account = system.plugin.check_connection(&system.connection, "en").await?.answer;
        let account = account.ok().with_context(|| file.name.clone())?;
        let version = account.facts.iter().find(|fact| fact.id == "api-version").context("the version")?;

        // The doctor reports when Salesforce retires the version.
        let mut later = versions.clone();
        later.as_array_mut().context("a list")?.retain(|one| one["version"] != version.value.as_str());
        assert_ne!(later, versions, "{}", file.name);
        list(status, &later);
        let problems = system.plugin.check_connection(&system.connection, "en").await?.answer.expect_err(&file.name);
        assert_eq!(problems[0].code, "api-version-retired", "{}", file.name);
    }
    Ok(())
}
