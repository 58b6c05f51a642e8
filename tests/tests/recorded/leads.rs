//! Recorded responses to creates and queries, served to the plugin's create and lookup.

use crate::JSON;
use acceptance::recorded;
use acceptance::samples::{self, first_try};
use acceptance::system::{NOW, System};
use anyhow::{Context as _, Result};
use crm_host::types::{Outcome, Reaction};
use salesforce_local_org::Fault;
use serde_json::{Value, json};

#[tokio::test]
async fn every_recorded_create_response_becomes_a_delivery_with_its_id() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let booking = samples::japanese_booking()?;
    for file in recorded::answers("records")? {
        let (status, body) = file.answer(201)?;
        let saved = Fault::answer(status, JSON, body.to_string());
        system.org().add_fault(saved.on("POST", "/services/data/*/sobjects/Lead"));
        let delivery = system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer;
        let delivery = delivery.ok().with_context(|| file.name.clone())?;
        assert_eq!(delivery.outcome, Outcome::Created, "{}", file.name);
        assert_eq!(Some(samples::record_id(&delivery)), body["id"].as_str(), "{}", file.name);
    }
    Ok(())
}

/// The records of a result page.
fn records(page: &Value) -> Result<&Vec<Value>> {
    page["records"].as_array().context("records")
}

#[tokio::test]
async fn every_recorded_query_page_is_read_and_unknown_shapes_are_never_taken_as_empty() -> Result<()> {
    let system = System::start().await?;
    let mut mapping = system.example_mapping().await?;
    for (id, value) in [("existing", "keep"), ("duplicates", "save-anyway"), ("booking-id-field", "none")] {
        mapping = mapping.with_option(id, value)?;
    }
    let booking = samples::japanese_booking()?;
    let email = "Misaki.Takahashi@minato-soft.example";
    for file in recorded::answers("query")? {
        let name = &file.name;
        let (status, page) = file.answer(200)?;
        // Also with the columns that the plugin's query selects, which the recorded queries did not: only the envelope is recorded.
        let mut selected = page.clone();
        for record in selected["records"].as_array_mut().context("records")? {
            let id = record["attributes"]["url"].as_str().and_then(|url| url.rsplit('/').next()).map(str::to_owned);
            let record = record.as_object_mut().context("a record")?;
            record.insert("Id".into(), json!(id));
            record.insert("Email".into(), json!(email));
            record.insert("IsConverted".into(), json!(false));
        }
        for page in [&page, &selected] {
            let before = system.org().leads().len();
            let answer = Fault::answer(status, JSON, page.to_string()).on("GET", "/services/data/*/query");
            system.org().add_fault(answer.times(u32::MAX));
            let answer = system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer;
            system.org().clear_faults();
            let created = system.org().leads().len() - before;
            let found = records(page)?;
            if found.is_empty() {
                let delivery = answer.ok().with_context(|| name.clone())?;
                assert_eq!((delivery.outcome, created), (Outcome::Created, 1), "{name}");
            } else if found.iter().all(|record| record["Id"].is_string() && !record["Email"].is_null()) {
                let delivery = answer.ok().with_context(|| name.clone())?;
                assert_eq!((&delivery.outcome, created), (&Outcome::Kept, 0), "{name}");
                assert_eq!(Some(samples::record_id(&delivery)), found[0]["Id"].as_str(), "{name}");
            } else {
                let problem = answer.expect_err(name);
                assert_eq!((problem.code.as_str(), created), ("answer-unreadable", 0), "{name}");
                assert_eq!(problem.reaction, Reaction::Retry, "{name}");
            }
        }
        system.org().clear_faults();
        for lead in system.org().leads() {
            assert_eq!(lead["Email"], email);
        }
    }
    Ok(())
}
