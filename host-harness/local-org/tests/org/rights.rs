//! A user's rights on Leads.

use salesforce_local_org::{OrgFile, RunningOrg, User};
use serde_json::{Value, json};

use crate::support::{Client, Reply, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";
const COLLECTION: &str = "/services/data/v67.0/composite/sobjects";

/// An org with a Lead, a client whose user has the changed rights, and the Lead's id.
async fn with(change: fn(&mut User)) -> (RunningOrg, Client, String) {
    let mut file = OrgFile::enterprise().unwrap();
    change(&mut file.users[0]);
    let running = start(file).await;
    let client = Client::connect(&running).await;
    let lead = json!({"LastName": "鈴木", "Company": "y", "BookingId__c": "b-1", "Email": "a@example.jp"});
    let id = running.org().insert_lead(lead.as_object().unwrap().clone());
    (running, client, id)
}

fn record(more: Value) -> Value {
    let mut record = json!({"attributes": {"type": "Lead"}});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

async fn delete(client: &Client, path: &str) -> Reply {
    client.send("DELETE", path, &[], "").await.unwrap()
}

fn insufficient() -> Value {
    json!([{"errorCode": "INSUFFICIENT_ACCESS_OR_READONLY", "message": "insufficient access rights on object id", "fields": []}])
}

#[tokio::test]
async fn a_user_without_create_can_do_everything_else() {
    let (running, client, id) = with(|user| user.create_leads = false).await;
    let reply = client.post(LEADS, &json!({"LastName": "山田", "Company": "x"})).await;
    assert_eq!(reply.json[0]["message"], "entity type cannot be inserted: Lead");
    assert_eq!(reply.error(), (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"));
    let describe = client.get(&format!("{LEADS}/describe")).await.json;
    assert_eq!([&describe["createable"], &describe["updateable"], &describe["deletable"]], [false, true, true]);
    assert_eq!(client.write("PATCH", &format!("{LEADS}/{id}"), &[], &json!({"Title": "t"})).await.status, 204);
    assert_eq!(delete(&client, &format!("{LEADS}/{id}")).await.status, 204);
    assert!(running.org().leads().is_empty());
}

#[tokio::test]
async fn a_user_without_edit_cannot_change_a_lead_in_any_way() {
    let (running, client, id) = with(|user| user.edit_leads = false).await;
    let describe = client.get(&format!("{LEADS}/describe")).await.json;
    assert_eq!([&describe["createable"], &describe["updateable"], &describe["deletable"]], [true, false, true]);
    let title = json!({"Title": "t"});
    for path in [format!("{LEADS}/{id}"), format!("{LEADS}/BookingId__c/b-1")] {
        let reply = client.write("PATCH", &path, &[], &title).await;
        assert_eq!((reply.status, reply.json), (403, insufficient()), "{path}");
    }
    let updates = json!({"records": [record(json!({"Id": id, "Title": "t"}))]});
    let results = client.write("PATCH", COLLECTION, &[], &updates).await.json;
    assert_eq!(results[0]["errors"][0]["statusCode"], "INSUFFICIENT_ACCESS_OR_READONLY");
    assert_eq!(running.org().leads()[0]["Title"], Value::Null);
    let new = json!({"LastName": "n", "Company": "x"});
    let upsert = client.write("PATCH", &format!("{LEADS}/BookingId__c/b-2"), &[], &new).await;
    assert_eq!(upsert.status, 201, "an upsert that creates needs no right to edit");
}

#[tokio::test]
async fn a_user_without_delete_cannot_delete_a_lead_in_any_way() {
    // The rights of the permission set in docs/salesforce-app: read, create and edit.
    let (running, client, id) = with(|user| user.delete_leads = false).await;
    let describe = client.get(&format!("{LEADS}/describe")).await.json;
    assert_eq!([&describe["createable"], &describe["updateable"], &describe["deletable"]], [true, true, false]);
    for path in [format!("{LEADS}/{id}"), format!("{LEADS}/BookingId__c/b-1")] {
        let reply = delete(&client, &path).await;
        assert_eq!((reply.status, reply.json), (403, insufficient()), "{path}");
    }
    let results = delete(&client, &format!("{COLLECTION}?ids={id}")).await.json;
    assert_eq!(results[0]["errors"][0]["statusCode"], "INSUFFICIENT_ACCESS_OR_READONLY");
    assert_eq!(running.org().leads().len(), 1);
    assert_eq!(client.write("PATCH", &format!("{LEADS}/{id}"), &[], &json!({"Title": "t"})).await.status, 204);
}

#[tokio::test]
async fn a_user_without_read_sees_no_lead_object_in_any_way() {
    let (running, client, id) = with(|user| user.read_leads = false).await;
    let new = json!({"records": [record(json!({"LastName": "n", "Company": "x"}))]});
    let body = json!({"LastName": "n", "Company": "x"});
    let collection = format!("{COLLECTION}/Lead/BookingId__c");
    for reply in [
        client.get(LEADS).await,
        client.get(&format!("{LEADS}/{id}")).await,
        client.post(LEADS, &body).await,
        client.get(&format!("{COLLECTION}/Lead?ids={id}&fields=Email")).await,
        client.post(&format!("{COLLECTION}/Lead"), &json!({"ids": [id], "fields": ["Email"]})).await,
        client.post(COLLECTION, &new).await,
        client.write("PATCH", COLLECTION, &[], &new).await,
        client.write("PATCH", &collection, &[], &new).await,
        delete(&client, &format!("{COLLECTION}?ids={id}")).await,
    ] {
        assert_eq!(reply.error(), (404, "NOT_FOUND"), "{}", reply.text);
    }
    assert_eq!(client.query("SELECT Id FROM Lead").await.error(), (400, "INVALID_TYPE"));
    assert_eq!(client.get("/services/data/v67.0/sobjects").await.json["sobjects"], json!([]));
    assert_eq!(running.org().leads().len(), 1);
}
