//! The main job over real sockets: connect through the pages, describe, create, read, query, refresh, revoke.

use crate::support::{Client, enterprise};
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_connects_describes_creates_reads_queries_refreshes_and_revokes() {
    let running = enterprise().await;
    let mut client = Client::connect(&running).await;

    let describe = client.get("/services/data/v67.0/sobjects/Lead/describe").await;
    assert_eq!(describe.status, 200);
    let fields = describe.json["fields"].as_array().unwrap().clone();
    assert!(fields.iter().all(|field| field.as_object().unwrap().len() == 57));
    let required: Vec<_> = fields
        .iter()
        .filter(|f| {
            f["createable"] == true
                && f["nillable"] == false
                && f["defaultedOnCreate"] == false
                && f["type"] != "boolean"
        })
        .map(|f| f["name"].as_str().unwrap())
        .collect();
    assert_eq!(required, ["LastName", "Company"]);

    let lead = json!({"LastName": "山田", "FirstName": "太郎", "Company": "さくら商事", "Email": "taro@example.jp", "BookingId__c": "b-1",
        "MeetingType__c": "Demo", "Interests__c": "Sales;Support", "Headcount__c": 12, "PreferredDate__c": "2026-09-13",
        "MeetingAt__c": "2026-09-13T10:00:00+09:00", "NewsletterOptIn__c": true});
    let made = client.post("/services/data/v67.0/sobjects/Lead", &lead).await;
    assert_eq!(made.status, 201, "{:?}", made.json);
    let id = made.json["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/services/data/v67.0/sobjects/Lead/{id}").as_str()));
    assert!(made.header("sforce-limit-info").unwrap().starts_with("api-usage="));

    let read = client.get(&format!("/services/data/v67.0/sobjects/Lead/{id}")).await;
    assert_eq!(read.json["Name"], "山田 太郎");
    assert_eq!(read.json["MeetingAt__c"], "2026-09-13T01:00:00.000+0000");
    assert_eq!(read.json["Headcount__c"], 12.0);
    assert_eq!(read.json["Introduction__c"], "さくら商事 / 山田 太郎");
    assert_eq!(read.json["Status"], "Open - Not Contacted");

    let again = client.post("/services/data/v67.0/sobjects/Lead", &lead).await;
    assert_eq!((again.status, again.json[0]["errorCode"].as_str()), (400, Some("DUPLICATES_DETECTED")));
    assert_eq!(again.json[0]["duplicateResult"]["allowSave"], true);

    let query = "SELECT Id, Email FROM Lead WHERE Email = 'TARO@example.jp' AND IsConverted = false ORDER BY CreatedDate DESC LIMIT 2";
    let found = client.query(query).await;
    assert_eq!(found.json["totalSize"], 1, "{:?}", found.json);
    assert_eq!(found.json["records"][0]["Id"], id.as_str());

    running.org().expire_access_tokens();
    let expired = client.get("/services/data/v67.0/limits").await;
    assert_eq!(expired.status, 401);
    assert_eq!(expired.json, json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]));
    client.refresh().await;
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 200);

    assert_eq!(client.revoke().await.status, 200);
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 401);
    assert_eq!(client.revoke().await.json["error"], "invalid_token");

    assert_eq!(running.org().leads().len(), 1);
    let log = serde_json::to_string(&running.org().requests()).unwrap();
    for secret in client.secrets() {
        assert!(!log.contains(&secret), "the log shows a secret");
    }
    assert!(log.contains("さくら商事") && log.contains("pw=%28withheld%29"));
    let page = client.get("/").await;
    assert!(page.text.contains("山田 太郎"));
    let _: Value = page.json;
    running.stop().await;
}
