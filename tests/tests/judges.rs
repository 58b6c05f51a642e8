//! Judges the local org by third-party Salesforce clients.

use acceptance::judges::{Judge, Judged};
use std::collections::BTreeSet;

/// Checks that both clients must pass, as they would at Salesforce.
const CHECKS: [&str; 50] = [
    "versions: the list needs no token",
    "versions: an unknown version is not found",
    "code grant: a code can be exchanged once",
    "code grant: a wrong verifier is rejected",
    "code grant: a wrong secret is rejected",
    "refresh grant: a new access token works",
    "refresh grant: an unknown token is rejected",
    "rotation: a refresh token works once, and reusing it ends the grant",
    "expired session: the client reconnects automatically",
    "expired session: without a way to reconnect it is an error",
    "identity: the user behind the token",
    "organization: its record can be queried",
    "describe: the objects of the org",
    "describe: the fields of Lead",
    "describe: an unknown object is not found",
    "create: a Lead with every kind of text",
    "create: one error names all missing required fields",
    "create: text that is too long is rejected",
    "create: an invalid email address is rejected",
    "create: a value outside a restricted picklist is rejected",
    "create: an unknown field is rejected",
    "create: the error names read-only fields",
    "create: a value of the wrong type is rejected",
    "create: a number out of range is rejected",
    "create: a malformed id is rejected",
    "create: a reference to a missing record is rejected",
    "create: a state without a country and an unknown country are rejected",
    "create: a body that is not JSON is rejected",
    "create: several errors are returned together",
    "create: a validation rule returns the admin's message",
    "create: a failing trigger is named with its exception",
    "create: a duplicate rule names the match, and a header overrides it",
    "create: a blocking duplicate rule cannot be overridden",
    "create: versions before 58 misspell the duplicate result",
    "create: a duplicate unique key names the record that has it",
    "upsert: a new key creates a Lead, a known one updates it",
    "upsert: an unknown key field is not found",
    "upsert: the key must not be in the body too",
    "upsert: several Leads with one key are listed, and none is changed",
    "query: values of every kind are found",
    "query: unescaped quotes and backslashes are malformed",
    "query: the error names an unknown field or object",
    "query: a result is paged",
    "query: an unknown locator is rejected",
    "update: a Lead is changed, with the same errors as on create",
    "update: an unknown id is rejected",
    "method: the error for a wrong one lists those allowed",
    "limits: daily calls are counted and reported with every response",
    "delete: a Lead is deleted, and cannot be deleted twice",
    "revoke: every token of the grant stops working",
];

async fn hear(judge: Judge) -> Result<(), String> {
    let orgs = Judged::start().await.expect("running");
    let passed = match judge.run(&orgs).await {
        Ok(passed) => BTreeSet::from_iter(passed),
        Err(not_run) => return not_run.report(),
    };
    // A script that ends early or skips a check must fail the test.
    let missing = CHECKS.iter().filter(|check| !passed.contains(**check)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "{judge:?} did not run these checks: {missing:#?}");
    // Each script deletes its Leads, so any that remain were written despite a rejection.
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
