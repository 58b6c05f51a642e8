//! The composite resources.

use salesforce_local_org::{OrgFile, RunningOrg};
use serde_json::{Value, json};

use crate::support::{Client, enterprise, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";
const COMPOSITE: &str = "/services/data/v67.0/composite";
const COLLECTION: &str = "/services/data/v67.0/composite/sobjects";

async fn connected() -> (RunningOrg, Client) {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    (running, client)
}

#[tokio::test]
async fn collections_return_200_with_a_result_per_record() {
    let (running, client) = connected().await;
    let record = |name: &str| json!({"attributes": {"type": "Lead"}, "LastName": name, "Company": "x"});
    let nameless = json!({"attributes": {"type": "Lead"}, "Company": "x"});
    let rolled_back = client.post(COLLECTION, &json!({"allOrNone": true, "records": [nameless, record("b")]})).await;
    assert_eq!(rolled_back.status, 200);
    assert_eq!(
        rolled_back.json,
        json!([
            {"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}]},
            {"success": false, "errors": [{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "Record rolled back because not all records were valid and the request was using AllOrNone header", "fields": []}]},
        ])
    );
    assert!(running.org().leads().is_empty());
    let partly = client.post(COLLECTION, &json!({"records": [nameless, record("b")]})).await;
    assert_eq!(partly.json[1]["success"], true);
    let id = partly.json[1]["id"].as_str().unwrap().to_owned();
    let update = json!({"records": [{"attributes": {"type": "Lead"}, "id": id, "Phone": "1"}]});
    assert_eq!(client.write("PATCH", COLLECTION, &[], &update).await.json[0]["success"], true);
    let upsert =
        json!({"records": [{"attributes": {"type": "Lead"}, "BookingId__c": "k", "LastName": "u", "Company": "x"}]});
    let upserted = client.write("PATCH", &format!("{COLLECTION}/Lead/BookingId__c"), &[], &upsert).await;
    assert_eq!(upserted.json[0]["created"], true, "{}", upserted.text);
    let read = client.get(&format!("{COLLECTION}/Lead?ids={id},00Q000000000001AAA&fields=Phone")).await;
    assert_eq!((read.json[0]["Phone"].as_str(), &read.json[1]), (Some("1"), &Value::Null));
    let same = client.post(&format!("{COLLECTION}/Lead"), &json!({"ids": [id], "fields": ["Phone", "LastName"]})).await;
    assert_eq!(same.json[0]["LastName"], "b");
    let none = client.post(COLLECTION, &json!({"records": []})).await;
    assert_eq!(
        none.json,
        json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "At least 1 record is required", "fields": []}])
    );
}

#[tokio::test]
async fn all_or_none_applies_to_deleting_a_collection() {
    let (running, client) = connected().await;
    let values = json!({"LastName": "n", "Company": "x"});
    let id = running.org().insert_lead(values.as_object().unwrap().clone());
    let delete = async |more: &str| {
        let path = format!("{COLLECTION}?ids={id},00Q000000000001AAA{more}");
        client.send("DELETE", &path, &[], "").await.unwrap().json
    };
    let whole = delete("&allOrNone=true").await;
    assert_eq!((&whole[0]["success"], &whole[1]["success"]), (&json!(false), &json!(false)));
    assert_eq!(whole[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(whole[1]["errors"][0]["statusCode"], "NOT_FOUND");
    assert_eq!(running.org().leads().len(), 1, "the Lead still exists");
    let partly = delete("").await;
    assert_eq!((&partly[0]["success"], &partly[1]["success"]), (&json!(true), &json!(false)));
    assert!(running.org().leads().is_empty());
}

/// A composite of three requests: create a Lead, change it, read it.
fn three(all_or_none: bool, change: &Value) -> Value {
    json!({"allOrNone": all_or_none, "compositeRequest": [
        {"method": "POST", "url": LEADS, "referenceId": "made", "body": {"LastName": "合", "Company": "x"}},
        {"method": "PATCH", "url": format!("{LEADS}/@{{made.id}}"), "referenceId": "changed", "body": change},
        {"method": "GET", "url": format!("{LEADS}/@{{made.id}}"), "referenceId": "read"},
    ]})
}

#[tokio::test]
async fn a_composite_can_reference_earlier_results_and_roll_back() {
    let (running, client) = connected().await;
    let reply = client.post(COMPOSITE, &three(true, &json!({"Nope": 1}))).await;
    let results = reply.json["compositeResponse"].as_array().unwrap();
    let shown = |result: &Value| {
        (result["referenceId"].clone(), result["httpStatusCode"].clone(), result["body"][0]["errorCode"].clone())
    };
    assert_eq!(
        results.iter().map(shown).collect::<Vec<_>>(),
        [
            (json!("made"), json!(400), json!("PROCESSING_HALTED")),
            (json!("changed"), json!(400), json!("INVALID_FIELD")),
            (json!("read"), json!(400), json!("PROCESSING_HALTED")),
        ],
        "every request has a result"
    );
    assert!(running.org().leads().is_empty());
    let reply = client.post(COMPOSITE, &three(true, &json!({"Phone": "9"}))).await;
    let results = &reply.json["compositeResponse"];
    assert_eq!((results[0]["httpStatusCode"].as_u64(), results[1]["httpStatusCode"].as_u64()), (Some(201), Some(204)));
    assert!(results[0]["httpHeaders"]["Location"].as_str().unwrap().starts_with(LEADS));
    assert_eq!((&results[2]["body"]["Phone"], &running.org().leads()[0]["Phone"]), (&json!("9"), &json!("9")));
}

#[tokio::test]
async fn without_all_or_none_a_composite_continues_after_an_error() {
    let (running, client) = connected().await;
    let reply = client.post(COMPOSITE, &three(false, &json!({"Nope": 1}))).await;
    let statuses = reply.json["compositeResponse"].as_array().unwrap().iter();
    assert_eq!(statuses.map(|one| one["httpStatusCode"].as_u64().unwrap()).collect::<Vec<_>>(), [201, 400, 200]);
    assert_eq!(running.org().leads().len(), 1);
}

#[tokio::test]
async fn a_batch_counts_every_request_and_a_composite_counts_as_one_call() {
    let mut file = OrgFile::enterprise().unwrap();
    file.api.daily_limit = 5;
    let running = start(file).await;
    let client = Client::connect(&running).await;
    let get = |url: &str| json!({"method": "GET", "url": url});
    let batch = json!({"batchRequests": [get("v67.0/limits"), get("v67.0/sobjects/Nope/describe")]});
    let reply = client.post(&format!("{COMPOSITE}/batch"), &batch).await;
    assert_eq!((&reply.json["hasErrors"], reply.header("sforce-limit-info")), (&json!(true), Some("api-usage=2/5")));
    let statuses = |reply: &Value| {
        let results = reply["results"].as_array().unwrap().iter();
        results.map(|result| result["statusCode"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&reply.json), [200, 404]);
    let composite = client.post(COMPOSITE, &three(true, &json!({"Phone": "9"}))).await;
    assert_eq!(composite.header("sforce-limit-info"), Some("api-usage=3/5"));
    let batch = json!({"batchRequests": [get("v67.0/limits"), get("v67.0/limits"), get("v67.0/limits")]});
    let reply = client.post(&format!("{COMPOSITE}/batch"), &batch).await;
    assert_eq!(statuses(&reply.json), [200, 200, 403], "{}", reply.text);
    assert_eq!(reply.json["results"][2]["result"][0]["errorCode"], "REQUEST_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn a_composite_subrequest_to_a_retired_version_is_rejected() {
    let (_running, client) = connected().await;
    let old = json!({"compositeRequest": [
        {"method": "GET", "url": "/services/data/v30.0/limits", "referenceId": "old"},
    ]});
    let reply = client.post(COMPOSITE, &old).await;
    assert_eq!(reply.json["compositeResponse"][0]["httpStatusCode"], 410);
}

#[tokio::test]
async fn a_tree_creates_all_records_or_none() {
    let (running, client) = connected().await;
    let path = format!("{COMPOSITE}/tree/Lead");
    let record = |reference: &str, more: Value| {
        let mut record = json!({"attributes": {"type": "Lead", "referenceId": reference}, "Company": "x"});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    let good = record("r1", json!({"LastName": "一"}));
    let bad = record("r2", json!({"LastName": "二", "Email": "123"}));
    let refused = client.post(&path, &json!({"records": [good, bad]})).await;
    assert_eq!(refused.status, 400);
    let error = json!({"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: 123", "fields": ["Email"]});
    assert_eq!(refused.json, json!({"hasErrors": true, "results": [{"referenceId": "r2", "errors": [error]}]}));
    assert!(running.org().leads().is_empty());

    let other = record("r2", json!({"LastName": "二"}));
    let made = client.post(&path, &json!({"records": [good, other]})).await;
    let ids: Vec<_> = running.org().leads().iter().map(|lead| lead["Id"].clone()).collect();
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        made.json,
        json!({"hasErrors": false, "results": [{"referenceId": "r1", "id": ids[0]}, {"referenceId": "r2", "id": ids[1]}]})
    );
    let nameless = json!({"attributes": {"type": "Lead"}, "LastName": "三", "Company": "x"});
    let other_kind = json!({"attributes": {"type": "Contact", "referenceId": "r1"}, "LastName": "三"});
    for (records, code) in [
        (json!([nameless]), "INVALID_INPUT"),
        (json!([record("r1", json!({"LastName": "三"})), record("r1", json!({"LastName": "四"}))]), "INVALID_INPUT"),
        (json!([other_kind]), "INVALID_TYPE"),
    ] {
        let refused = client.post(&path, &json!({"records": records})).await;
        assert_eq!((refused.status, &refused.json["results"][0]["errors"][0]["statusCode"]), (400, &json!(code)));
    }
    assert_eq!(client.post(&path, &json!({"records": []})).await.error(), (400, "REQUIRED_FIELD_MISSING"));
    assert_eq!(client.get(&path).await.error(), (405, "METHOD_NOT_ALLOWED"));
    assert_eq!(running.org().leads().len(), 2);
}
