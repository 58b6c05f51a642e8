//! Duplicate rules: what they match, when they run, and how they report a match.

use salesforce_local_org::{OrgFile, RunningOrg};
use serde_json::{Value, json};

use crate::support::{Client, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";
const ALLOW: [(&str, &str); 1] = [("Sforce-Duplicate-Rule-Header", "allowSave=true")];

/// An org with a single duplicate rule on email, with more settings.
async fn with_rule(more: &str) -> (RunningOrg, Client) {
    let text = format!("[[duplicate-rules]]\nwhen-same = [['Email']]\n{more}");
    let text = text + "\n[[fields]]\nname = 'Key__c'\ntype = 'string'\nlength = 80\nexternal-id = true\nunique = true";
    let running = start(OrgFile::parse(&text).unwrap()).await;
    let client = Client::connect(&running).await;
    (running, client)
}

fn lead(name: &str, email: &str) -> Value {
    json!({"LastName": name, "Company": "x", "Email": email})
}

async fn created(client: &Client, name: &str, email: &str) -> String {
    let made = client.post(LEADS, &lead(name, email)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_rule_runs_on_updates_only_if_configured() {
    for (on_update, action, plain, allowed) in
        [(false, "alert", 204, 204), (false, "block", 204, 204), (true, "alert", 400, 204), (true, "block", 400, 400)]
    {
        let (running, client) = with_rule(&format!("on-update = {on_update}\naction = '{action}'")).await;
        let first = created(&client, "山田", "a@example.jp").await;
        let second = created(&client, "佐藤", "b@example.jp").await;
        let path = format!("{LEADS}/{second}");
        let to_first = json!({"Email": "A@example.jp"});
        let reply = client.write("PATCH", &path, &[], &to_first).await;
        assert_eq!(reply.status, plain, "{on_update} {action} {}", reply.text);
        if plain == 400 {
            assert_eq!(reply.error().1, "DUPLICATES_DETECTED");
            let result = &reply.json[0]["duplicateResult"]["matchResults"][0];
            assert_eq!(result["matchRecords"][0]["record"]["Id"], first, "the other record, not the updated one");
            assert_eq!(running.org().leads()[1]["Email"], "b@example.jp");
        }
        assert_eq!(client.write("PATCH", &path, &ALLOW, &to_first).await.status, allowed, "{on_update} {action}");
    }
}

#[tokio::test]
async fn an_upsert_meets_the_rule_as_a_create_or_an_update() {
    let (_running, client) = with_rule("on-update = true\naction = 'block'").await;
    created(&client, "山田", "a@example.jp").await;
    let path = format!("{LEADS}/Key__c/k-1");
    let again = lead("佐藤", "a@example.jp");
    assert_eq!(client.write("PATCH", &path, &[], &again).await.error(), (400, "DUPLICATES_DETECTED"), "a create");
    assert_eq!(client.write("PATCH", &path, &[], &lead("佐藤", "b@example.jp")).await.status, 201);
    assert_eq!(client.write("PATCH", &path, &[], &again).await.error(), (400, "DUPLICATES_DETECTED"), "an update");
    assert_eq!(client.write("PATCH", &path, &[], &json!({"Title": "t"})).await.status, 200);
}

#[tokio::test]
async fn a_match_can_be_a_contact_or_hidden_from_the_user() {
    for (matched, entity, prefix) in
        [("lead", "Lead", Some("00Q")), ("contact", "Contact", Some("003")), ("hidden", "Lead", None)]
    {
        let (_running, client) = with_rule(&format!("matched = '{matched}'")).await;
        created(&client, "山田", "a@example.jp").await;
        let reply = client.post(LEADS, &lead("山田", "a@example.jp")).await;
        assert_eq!(reply.error(), (400, "DUPLICATES_DETECTED"), "{matched}");
        let result = &reply.json[0]["duplicateResult"];
        assert_eq!(result["duplicateRuleEntityType"], "Lead");
        let result = &result["matchResults"][0];
        assert_eq!(result["entityType"], entity);
        let Some(prefix) = prefix else {
            assert_eq!((&result["matchRecords"], &result["size"]), (&json!([]), &json!(0)));
            continue;
        };
        let record = &result["matchRecords"][0]["record"];
        let id = record["Id"].as_str().unwrap();
        assert!(id.starts_with(prefix) && id.len() == 18, "{id}");
        assert_eq!(
            record["attributes"],
            json!({"type": entity, "url": format!("/services/data/v67.0/sobjects/{entity}/{id}")})
        );
    }
}

#[tokio::test]
async fn record_details_of_a_match_are_returned_on_request() {
    let (_running, client) = with_rule("action = 'alert'").await;
    created(&client, "山田", "a@example.jp").await;
    let header = [("Sforce-Duplicate-Rule-Header", "includeRecordDetails=true")];
    for (headers, company) in [(&header[..], json!("x")), (&[], Value::Null)] {
        let reply = client.write("POST", LEADS, headers, &lead("佐藤", "a@example.jp")).await;
        assert_eq!(reply.error(), (400, "DUPLICATES_DETECTED"));
        let result = &reply.json[0]["duplicateResult"];
        assert_eq!(result["allowSave"], true, "an alert can be overridden");
        assert_eq!(result["matchResults"][0]["matchRecords"][0]["record"]["Company"], company);
    }
}
