//! Error responses to a create.

use crate::JSON;
use acceptance::recorded;
use acceptance::samples::{self, first_try};
use acceptance::system::{NOW, System};
use anyhow::{Context as _, Result};
use crm_host::types::Reaction;
use salesforce_local_org::Fault;
use serde_json::Value;

/// The expected reaction to a rejected create.
fn reaction(code: &str) -> Option<Reaction> {
    Some(match code {
        "DUPLICATES_DETECTED"
        | "DUPLICATE_VALUE"
        | "FIELD_CUSTOM_VALIDATION_EXCEPTION"
        | "INVALID_EMAIL_ADDRESS"
        | "STRING_TOO_LONG" => Reaction::FixBooking,
        "INVALID_FIELD"
        | "INVALID_FIELD_FOR_INSERT_UPDATE"
        | "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        | "JSON_PARSER_ERROR"
        | "MALFORMED_QUERY"
        | "REQUIRED_FIELD_MISSING" => Reaction::FixMapping,
        "API_DISABLED_FOR_ORG" | "NOT_FOUND" => Reaction::AskAdmin,
        "INVALID_SESSION_ID" => Reaction::Reconnect,
        "REQUEST_LIMIT_EXCEEDED" | "UNABLE_TO_LOCK_ROW" => Reaction::Retry,
        _ => return None,
    })
}

/// The first error of a response, in the usual form or that of a collection.
fn first_error(body: &Value) -> Option<(&str, &Value)> {
    let first = body.get(0)?;
    let error = first.get("errors").and_then(|errors| errors.get(0)).unwrap_or(first);
    Some((error.get("errorCode").or(error.get("statusCode"))?.as_str()?, error))
}

/// The records that a duplicate rule matched, or the one that has the unique value.
fn matched(error: &Value) -> Vec<&str> {
    let found = error.get("duplicateResult").or(error.get("duplicateResut")).map(|result| &result["matchResults"]);
    let records = found.and_then(Value::as_array).into_iter().flatten();
    let records = records.flat_map(|result| result["matchRecords"].as_array().into_iter().flatten());
    let holder = error["message"].as_str().and_then(|text| text.split_once("value on record with id: "));
    let ids = records.filter_map(|matched| matched.pointer("/record/Id")?.as_str());
    ids.chain(holder.map(|(_, id)| id)).collect()
}

#[tokio::test]
async fn every_recorded_error_of_a_create_becomes_a_problem() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let booking = samples::japanese_booking()?;
    for file in recorded::answers("errors")? {
        let name = &file.name;
        let (status, body) = file.answer(400)?;
        let (code, error) = first_error(&body).with_context(|| format!("{name} has no error"))?;
        let expected = reaction(code).with_context(|| format!("{name}: {code} is not in the table of reactions"))?;

        let refusal = Fault::answer(status, JSON, body.to_string());
        // For every try of the component or the host.
        system.org().add_fault(refusal.on("POST", "/services/data/*/sobjects/Lead").times(u32::MAX));
        let answer = system.deliver(&booking, &mapping, &first_try(NOW)).await.with_context(|| name.clone())?.answer;
        system.org().clear_faults();

        let problem = answer.err().with_context(|| format!("{name}: expected {code}, found a delivery"))?;
        assert_eq!((problem.code.as_str(), &problem.reaction), (code, &expected), "{name}: {problem:?}");
        assert_eq!(Some(problem.message.as_str()), error["message"].as_str(), "{name}");
        assert_eq!(problem.http_status, Some(status), "{name}");
        assert_eq!(problem.retry_after.is_some(), expected == Reaction::Retry, "{name}: retry-after");
        let named = error["fields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        assert!(named.is_empty() || named == problem.fields, "{name}: expected {named:?}, found {:?}", problem.fields);
        let concerned: Vec<&str> = problem.concerned.iter().map(|record| record.id.as_str()).collect();
        assert_eq!(concerned, matched(error), "{name}: record ids");
        assert_eq!(system.org().leads().len(), 0, "{name}");
    }
    // The booking itself is valid: only the injected responses rejected it.
    let delivered = system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer;
    assert!(delivered.is_ok(), "{delivered:?}");
    Ok(())
}
