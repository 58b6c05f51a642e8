//! The composite family.

use serde_json::{Value, json};

use crate::support::{Client, enterprise};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";

#[tokio::test]
async fn collections_answer_200_and_say_record_by_record_what_happened() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let path = "/services/data/v67.0/composite/sobjects";
    let record = |name: &str| json!({"attributes": {"type": "Lead"}, "LastName": name, "Company": "x"});
    let nameless = json!({"attributes": {"type": "Lead"}, "Company": "x"});
    let rolled_back = client.post(path, &json!({"allOrNone": true, "records": [nameless, record("b")]})).await;
    assert_eq!(rolled_back.status, 200);
    assert_eq!(
        rolled_back.json,
        json!([
            {"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}]},
            {"success": false, "errors": [{"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "Record rolled back because not all records were valid and the request was using AllOrNone header", "fields": []}]},
        ])
    );
    assert!(running.org().leads().is_empty());
    let partly = client.post(path, &json!({"records": [nameless, record("b")]})).await;
    assert_eq!(partly.json[1]["success"], true);
    let id = partly.json[1]["id"].as_str().unwrap().to_owned();
    let update = json!({"records": [{"attributes": {"type": "Lead"}, "id": id, "Phone": "1"}]});
    assert_eq!(client.write("PATCH", path, &[], &update).await.json[0]["success"], true);
    let upsert =
        json!({"records": [{"attributes": {"type": "Lead"}, "BookingId__c": "k", "LastName": "u", "Company": "x"}]});
    let upserted = client.write("PATCH", &format!("{path}/Lead/BookingId__c"), &[], &upsert).await;
    assert_eq!(upserted.json[0]["created"], true, "{}", upserted.text);
    let read = client.get(&format!("{path}/Lead?ids={id},00Q000000000001AAA&fields=Phone")).await;
    assert_eq!((read.json[0]["Phone"].as_str(), &read.json[1]), (Some("1"), &Value::Null));
    let same = client.post(&format!("{path}/Lead"), &json!({"ids": [id], "fields": ["Phone", "LastName"]})).await;
    assert_eq!(same.json[0]["LastName"], "b");
    let deleted = client.send("DELETE", &format!("{path}?ids={id},00Q000000000001AAA"), &[], "").await.unwrap();
    assert_eq!((deleted.json[0]["success"].as_bool(), deleted.json[1]["success"].as_bool()), (Some(true), Some(false)));
    let none = client.post(path, &json!({"records": []})).await;
    assert_eq!(
        none.json,
        json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "At least 1 record is required", "fields": []}])
    );
}

#[tokio::test]
async fn a_composite_names_earlier_results_and_can_be_taken_back() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let request = |all_or_none: bool, last: Value| {
        json!({"allOrNone": all_or_none, "compositeRequest": [
            {"method": "POST", "url": LEADS, "referenceId": "made", "body": {"LastName": "合", "Company": "x"}},
            {"method": "PATCH", "url": format!("{LEADS}/@{{made.id}}"), "referenceId": "changed", "body": last},
        ]})
    };
    let reply = client.post("/services/data/v67.0/composite", &request(true, json!({"Nope": 1}))).await;
    let results = &reply.json["compositeResponse"];
    assert_eq!((results[0]["httpStatusCode"].as_u64(), results[1]["httpStatusCode"].as_u64()), (Some(400), Some(400)));
    assert_eq!(results[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert!(running.org().leads().is_empty());
    let reply = client.post("/services/data/v67.0/composite", &request(true, json!({"Phone": "9"}))).await;
    let results = &reply.json["compositeResponse"];
    assert_eq!((results[0]["httpStatusCode"].as_u64(), results[1]["httpStatusCode"].as_u64()), (Some(201), Some(204)));
    assert!(results[0]["httpHeaders"]["Location"].as_str().unwrap().starts_with(LEADS));
    assert_eq!(running.org().leads()[0]["Phone"], "9");
    let batch = json!({"batchRequests": [
        {"method": "GET", "url": "v67.0/limits"},
        {"method": "GET", "url": "v67.0/sobjects/Nope/describe"},
    ]});
    let reply = client.post("/services/data/v67.0/composite/batch", &batch).await;
    assert_eq!(reply.json["hasErrors"], true);
    assert_eq!(
        (reply.json["results"][0]["statusCode"].as_u64(), reply.json["results"][1]["statusCode"].as_u64()),
        (Some(200), Some(404))
    );
}
