//! Fields of an org file: how they are described, and what records store.

use salesforce_local_org::{Field, OrgFile, RunningOrg};
use serde_json::{Value, json};

use crate::support::{Client, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";

async fn org(text: &str) -> (RunningOrg, Client) {
    let running = start(OrgFile::parse(text).unwrap()).await;
    let client = Client::connect(&running).await;
    (running, client)
}

async fn described(client: &Client, name: &str) -> Value {
    let describe = client.get(&format!("{LEADS}/describe")).await.json;
    describe["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).cloned().unwrap_or(Value::Null)
}

/// The record created from a body.
async fn created(client: &Client, more: Value) -> Value {
    let mut lead = json!({"LastName": "山田", "Company": "x"});
    lead.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = client.post(LEADS, &lead).await;
    assert_eq!(made.status, 201, "{}", made.text);
    client.get(&format!("{LEADS}/{}", made.json["id"].as_str().unwrap())).await.json
}

#[tokio::test]
async fn a_checkbox_is_never_blank() {
    let (running, client) = org("duplicate-rules = []\n[[fields]]\nname = 'Flag__c'\ntype = 'boolean'").await;
    let flag = described(&client, "Flag__c").await;
    for (key, value) in [
        ("nillable", json!(false)),
        ("defaultValue", json!(false)),
        ("defaultedOnCreate", json!(true)),
        ("permissionable", json!(true)),
    ] {
        assert_eq!(flag[key], value, "{key}");
    }
    assert_eq!(created(&client, json!({})).await["Flag__c"], false);
    assert_eq!(created(&client, json!({"Flag__c": true})).await["Flag__c"], true);
    let off = client.query("SELECT Id FROM Lead WHERE Flag__c = false").await;
    assert_eq!(off.json["totalSize"], 1);
    // A checkbox added later is off in existing records.
    let later = || -> Field {
        let fields = OrgFile::parse("[[fields]]\nname = 'Later__c'\ntype = 'boolean'\ndefault = true").unwrap().fields;
        fields.into_iter().next().unwrap()
    };
    running.org().change(|file| file.fields.push(later())).unwrap();
    assert_eq!(client.query("SELECT Id FROM Lead WHERE Later__c = false").await.json["totalSize"], 2);
    assert_eq!(created(&client, json!({})).await["Later__c"], true);
}

#[tokio::test]
async fn new_records_get_the_default_of_a_picklist() {
    let text = r#"
        [[fields]]
        name = "One__c"
        type = "picklist"
        nillable = false
        values = ["A", { value = "B", default = true }]

        [[fields]]
        name = "Many__c"
        type = "multipicklist"
        values = [{ value = "A", default = true }, "B", { value = "C", default = true }]
    "#;
    let (_running, client) = org(text).await;
    let one = described(&client, "One__c").await;
    assert_eq!((&one["defaultValue"], &one["defaultedOnCreate"]), (&json!("B"), &json!(true)));
    assert_eq!(one["picklistValues"][1]["defaultValue"], true);
    let lead = created(&client, json!({"LastName": "a"})).await;
    assert_eq!((&lead["One__c"], &lead["Many__c"]), (&json!("B"), &json!("A;C")));
    let blank = created(&client, json!({"LastName": "b", "One__c": "A", "Many__c": null})).await;
    assert_eq!(
        (&blank["One__c"], &blank["Many__c"]),
        (&json!("A"), &Value::Null),
        "an explicit blank wins over the default"
    );
}

#[tokio::test]
async fn a_new_lead_is_unread_unless_set_otherwise() {
    let (_running, client) = org("duplicate-rules = []").await;
    assert_eq!(created(&client, json!({})).await["IsUnreadByOwner"], true);
    assert_eq!(created(&client, json!({"IsUnreadByOwner": false})).await["IsUnreadByOwner"], false);
}

#[tokio::test]
async fn currency_values_always_have_a_fraction() {
    let (running, client) = org("[[fields]]\nname = 'Fee__c'\ntype = 'currency'\nprecision = 9\ndefault = 5").await;
    let made = client.post(LEADS, &json!({"LastName": "山田", "Company": "x"})).await.json["id"].clone();
    let loaded = json!({"LastName": "佐藤", "Company": "x", "AnnualRevenue": 7, "NumberOfEmployees": 8});
    let loaded = running.org().insert_lead(loaded.as_object().unwrap().clone());
    for (id, fraction) in [(made.as_str().unwrap(), "\"Fee__c\":5.0"), (loaded.as_str(), "\"AnnualRevenue\":7.0")] {
        let text = client.get(&format!("{LEADS}/{id}")).await.text;
        assert!(text.contains(fraction), "{text}");
    }
    let text = client.get(&format!("{LEADS}/{loaded}")).await.text;
    assert!(text.contains("\"NumberOfEmployees\":8,"), "{text}");
}
