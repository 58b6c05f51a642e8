//! Under another runtime, in another language, the same component file does the same: it does not depend on our host.

use acceptance::guests;
use acceptance::node_host;
use acceptance::system::{CREDENTIAL, System};
use anyhow::{Context as _, Result, anyhow, ensure};
use crm_host::credentials::{GrantKey, GrantState, SecretStore as _};
use salesforce_local_org::Fault;
use serde_json::{Value, json};

#[tokio::test]
async fn node_lists_previews_and_delivers_and_finds_a_lost_lead() -> Result<()> {
    let system = System::start().await?;
    let expected = system.fields().await?;
    let input = input(&system).await?;
    // The second booking's create is carried out, and its response is lost.
    system.org().add_fault(Fault::drop_after_commit().on("POST", "/services/data/*/sobjects/Lead*").after(1));

    let Some(results) = run(input).await? else { return Ok(()) };

    assert_eq!(results["account"]["ok"]["id"], system.org().id());

    let names = |fields: &Value| -> Option<Vec<(String, String)>> {
        let text = |field: &Value, member: &str| Some(field.get(member)?.as_str()?.to_owned());
        fields.as_array()?.iter().map(|field| Some((text(field, "name")?, text(field, "memo")?))).collect()
    };
    let ours: Vec<_> = expected.fields.into_iter().map(|field| (field.name, field.memo)).collect();
    assert_eq!(names(&results["fields"]["ok"]["fields"]), Some(ours), "the same fields and memos as in our host");

    let leads = system.org().leads();
    assert_eq!(leads.len(), 2, "one Lead for each booking: {leads:?}");
    let values = json!({
        "LastName": "山田",
        "Company": "みなと商事",
        "Email": "yamada@minato.example",
        "MeetingAt__c": "2026-12-01T01:00:00.000+0000",
        "LeadSource": "Web",
    });
    for (field, value) in values.as_object().context("fields")? {
        assert_eq!(&leads[0][field], value, "{field}");
    }

    let steps = results["preview"]["ok"]["steps"].as_array().context("steps")?;
    ensure!(steps.len() == 1 && steps[0]["action"]["tag"] == "create", "{steps:?}");
    let written = steps[0]["values"].as_array().context("values")?;
    let previewed: Vec<_> = written.iter().filter_map(|value| value["field"].as_str()).collect();
    assert!(values.as_object().context("fields")?.keys().all(|field| previewed.contains(&field.as_str())));

    let delivery = &results["delivery"]["ok"];
    assert_eq!((&delivery["outcome"]["tag"], &delivery["records"][0]["id"]), (&json!("created"), &leads[0]["Id"]));
    let lost = &results["lost"]["err"];
    assert_eq!((&lost["reaction"]["tag"], &lost["effect"]), (&json!("check-first"), &json!("unknown")), "{lost}");
    let found = &results["found"]["ok"];
    assert_eq!(
        (&found["outcome"]["tag"], &found["records"][0]["id"]),
        (&json!("already-delivered"), &leads[1]["Id"]),
        "{found}"
    );

    // The org's log agrees: nothing but the lost response was dropped, and nothing was created a third time.
    let calls = system.api_calls();
    let creates = calls.iter().filter(|call| call.method == "POST").map(|call| call.status);
    assert_eq!(creates.collect::<Vec<_>>(), [Some(201), None]);
    assert!(calls.iter().all(|call| call.authorization && call.user.is_some()), "each request had the credential");
    Ok(())
}

#[tokio::test]
async fn node_knows_that_a_request_without_a_connection_changed_nothing() -> Result<()> {
    let system = System::start().await?;
    let input = input(&system).await?;
    system.running.stop().await;

    let Some(results) = run(input).await? else { return Ok(()) };
    for step in ["delivery", "lost", "found"] {
        let problem = &results[step]["err"];
        assert_eq!((&problem["reaction"]["tag"], &problem["effect"]), (&json!("retry"), &json!("none")), "{problem}");
    }
    Ok(())
}

/// The results of the other host's scenario; `None` if it is not installed.
async fn run(input: Value) -> Result<Option<Value>> {
    let component = guests::build("salesforce-leads")?.path;
    let folder = tempfile::tempdir()?;
    let ledger = folder.path().join("ledger.jsonl");
    // Off this thread, which serves the org.
    match tokio::task::spawn_blocking(move || node_host::run(&component, &ledger, &input)).await? {
        Ok(results) => Ok(Some(results)),
        Err(not_run) => not_run.report().map(|()| None).map_err(|why| anyhow!(why)),
    }
}

/// What the other host gets from its operator, and the connection that was made through the org's pages.
async fn input(system: &System) -> Result<Value> {
    let key = GrantKey {
        plugin: system.plugin.permissions().manifest().plugin.id.clone(),
        connection: system.connection.clone(),
        credential: CREDENTIAL.parse()?,
    };
    let stored = system.secrets.load(&key).await?.context("a grant")?;
    let GrantState::Live(grant) = stored.state else { anyhow::bail!("the grant has ended") };
    let permissions = system.plugin.permissions();
    Ok(json!({
        "permissions": {
            "manifest": permissions.manifest(),
            "limits": permissions.limits(),
            "test_overrides": permissions.test_overrides(),
        },
        "connection": {
            "credential": CREDENTIAL,
            "origin": grant.origin(),
            "token": grant.secrets().next().context("an access token")?.expose(),
            "attributes": grant.attributes(),
        },
    }))
}
