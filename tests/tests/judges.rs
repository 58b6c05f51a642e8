//! The local org before the judges: clients that others wrote for the real one.

use acceptance::judges::{Judge, Judged};
use std::collections::BTreeSet;

/// What both clients must find as they would at Salesforce.
const CHECKS: [&str; 50] = [
    "versions: the list needs no token",
    "versions: one that does not exist is not found",
    "code grant: a code buys tokens once",
    "code grant: a wrong verifier is refused",
    "code grant: a wrong secret is refused",
    "refresh grant: a new access token works",
    "refresh grant: an unknown token is refused",
    "rotation: a refresh token works once, and showing it again ends the grant",
    "expired session: the client connects anew by itself",
    "expired session: without a way to connect anew it is an error",
    "identity: the user behind the token",
    "organisation: a query of its record",
    "describe: the objects of the org",
    "describe: the fields of Lead",
    "describe: an unknown object is not found",
    "create: a Lead with every kind of text",
    "create: required fields that are missing are named together",
    "create: a text that is too long is refused",
    "create: a bad e-mail address is refused",
    "create: a value outside a restricted picklist is refused",
    "create: an unknown field is refused",
    "create: fields that are read-only are named",
    "create: a value of the wrong type is refused",
    "create: a number out of range is refused",
    "create: an id that is none is refused",
    "create: a reference to a record that does not exist is refused",
    "create: a state without its country, and an unknown country, are refused",
    "create: a body that is no JSON is refused",
    "create: several errors come together",
    "create: a validation rule speaks in the admin's words",
    "create: a trigger that fails is named with what it died of",
    "create: a duplicate rule names the match, and lets a header override it",
    "create: a duplicate rule that blocks cannot be overridden",
    "create: versions before 58 misspell the duplicate result",
    "create: a unique key that is taken names its holder",
    "upsert: a new key makes a Lead, a known one changes it",
    "upsert: an unknown key field is not found",
    "upsert: the key may not be in the body, too",
    "upsert: several Leads of one key are listed, none is changed",
    "query: values of every kind are found as they are",
    "query: unescaped quotes and backslashes are malformed",
    "query: an unknown field or object is named",
    "query: a result comes in pages",
    "query: a locator that was never given is refused",
    "update: a Lead is changed, and refused as on create",
    "update: an id that names nothing is refused",
    "method: one that is not allowed names those that are",
    "limits: the daily calls are counted, and told with every answer",
    "delete: a Lead is gone, and cannot be deleted twice",
    "revoke: every token of the grant is dead",
];

async fn hear(judge: Judge) -> Result<(), String> {
    let orgs = Judged::start().await.expect("running");
    let passed = match judge.run(&orgs).await {
        Ok(passed) => BTreeSet::from_iter(passed),
        Err(not_run) => return not_run.report(),
    };
    // A script that ends early, or skips a check, has not judged.
    let missing = CHECKS.iter().filter(|check| !passed.contains(**check)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "{judge:?} did not make these checks: {missing:#?}");
    // Each cleans up what it made, so that what is left was written in spite of a refusal.
    assert_eq!(orgs.strict.org().leads(), Vec::<serde_json::Value>::new(), "{judge:?} left Leads behind");
    Ok(())
}

#[tokio::test]
async fn simple_salesforce_cannot_tell_the_local_org_from_salesforce() -> Result<(), String> {
    hear(Judge::SimpleSalesforce).await
}

#[tokio::test]
async fn jsforce_cannot_tell_the_local_org_from_salesforce() -> Result<(), String> {
    hear(Judge::Jsforce).await
}
