//! Picklists: restricted, dependent and multi-select values, and states and countries.

use salesforce_local_org::{OrgFile, RunningOrg};
use serde_json::{Value, json};

use crate::support::{Client, Reply, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";
const RESTRICTED: (u16, &str) = (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");

async fn org(text: &str) -> (RunningOrg, Client) {
    let mut file = OrgFile::parse(text).unwrap();
    file.duplicate_rules.clear();
    let running = start(file).await;
    let client = Client::connect(&running).await;
    (running, client)
}

async fn create(client: &Client, more: &Value) -> Reply {
    let mut lead = json!({"LastName": "山田", "Company": "x"});
    lead.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.post(LEADS, &lead).await
}

#[tokio::test]
async fn dependent_values_are_checked_one_by_one_against_the_stored_controlling_value() {
    let text = r#"
        [[fields]]
        name = "Service__c"
        type = "picklist"
        restricted = true
        values = ["Consulting", "Training"]

        [[fields]]
        name = "Online__c"
        type = "boolean"

        [[fields]]
        name = "Course__c"
        type = "picklist"
        restricted = true
        controller = "Service__c"
        values = [{ value = "Basics", valid-for = ["Training"] }, { value = "Review", valid-for = ["Consulting"] }]

        [[fields]]
        name = "Topics__c"
        type = "multipicklist"
        length = 4099
        restricted = true
        controller = "Service__c"
        values = [
            { value = "Sales", valid-for = ["Training"] },
            { value = "Support", valid-for = ["Training"] },
            { value = "Strategy", valid-for = ["Consulting"] },
        ]

        [[fields]]
        name = "Tool__c"
        type = "picklist"
        restricted = true
        controller = "Online__c"
        values = [{ value = "Video", valid-for = ["true"] }, { value = "Paper", valid-for = ["false", "true"] }]
    "#;
    let (_running, client) = org(text).await;
    for (values, refused) in [
        (json!({"Service__c": "Training", "Topics__c": "Sales;Support"}), None),
        (json!({"Service__c": "training", "Topics__c": "support; sales"}), None),
        (json!({"Service__c": "Training", "Topics__c": "Sales;Strategy"}), Some("Strategy")),
        (json!({"Topics__c": "Sales"}), Some("Sales")),
        (json!({"Service__c": "training", "Course__c": "basics"}), None),
        (json!({"Service__c": "CONSULTING", "Course__c": "Basics"}), Some("Basics")),
        (json!({"Tool__c": "Paper"}), None),
        (json!({"Tool__c": "Video"}), Some("Video")),
        (json!({"Online__c": true, "Tool__c": "Video"}), None),
    ] {
        let reply = create(&client, &values).await;
        match refused {
            None => assert_eq!(reply.status, 201, "{values} {}", reply.text),
            Some(value) => {
                assert_eq!(reply.error(), RESTRICTED, "{values}");
                let message = reply.json[0]["message"].as_str().unwrap();
                assert!(message.ends_with(&format!("bad value for restricted picklist field: {value}")), "{message}");
            }
        }
    }
}

#[tokio::test]
async fn state_and_country_codes_ignore_case() {
    let (running, client) = org("state-country-picklists = true").await;
    let reply = create(&client, &json!({"CountryCode": "jp", "StateCode": "13"})).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let lead = running.org().leads().remove(0);
    assert_eq!(
        (&lead["CountryCode"], &lead["Country"], &lead["State"]),
        (&json!("JP"), &json!("Japan"), &json!("Tokyo"))
    );
}

#[tokio::test]
async fn a_state_that_conflicts_with_the_records_country_gets_its_own_error() {
    let (running, client) = org("state-country-picklists = true").await;
    let created = create(&client, &json!({"CountryCode": "JP", "StateCode": "13"})).await;
    let path = format!("{LEADS}/{}", created.json["id"].as_str().unwrap());
    let existing = "The existing country/territory doesn't recognize the state value for field: ";
    let unknown = "There's a problem with this state, even though it may appear correct. Please select a state from the list of valid states.";
    for (update, message, field) in [
        (json!({"CountryCode": "US"}), format!("{existing}State/Province Code"), "StateCode"),
        (json!({"StateCode": "TX"}), format!("{existing}State/Province Code"), "StateCode"),
        (json!({"State": "Texas"}), format!("{existing}State/Province"), "State"),
        (json!({"CountryCode": "US", "StateCode": "13"}), unknown.to_owned(), "StateCode"),
    ] {
        let reply = client.write("PATCH", &path, &[], &update).await;
        let error = json!([{"errorCode": "FIELD_INTEGRITY_EXCEPTION", "message": message, "fields": [field]}]);
        assert_eq!((reply.status, &reply.json), (400, &error), "{update}");
    }
    assert_eq!(client.write("PATCH", &path, &[], &json!({"StateCode": "14"})).await.status, 204);
    assert_eq!(client.write("PATCH", &path, &[], &json!({"Title": "t"})).await.status, 204);
    let lead = running.org().leads().remove(0);
    assert_eq!((&lead["State"], &lead["Country"]), (&json!("Kanagawa"), &json!("Japan")));
}

#[tokio::test]
async fn an_unlisted_picklist_value_must_still_fit() {
    let text = "[[fields]]\nname = 'Tags__c'\ntype = 'multipicklist'\nlength = 10\nvalues = ['alpha', 'beta']";
    let (_running, client) = org(text).await;
    let long = "x".repeat(256);
    for (values, complaint) in [
        (json!({"LeadSource": &long[..255]}), None),
        (json!({"LeadSource": long}), Some(format!("Lead Source: data value too large: {long} (max length=255)"))),
        (json!({"Tags__c": "alpha;beta"}), None),
        (
            json!({"Tags__c": "alpha;betas"}),
            Some("Tags__c: data value too large: alpha;betas (max length=10)".to_owned()),
        ),
    ] {
        let reply = create(&client, &values).await;
        match complaint {
            None => assert_eq!(reply.status, 201, "{}", reply.text),
            Some(message) => {
                assert_eq!(
                    (reply.error(), reply.json[0]["message"].as_str()),
                    ((400, "STRING_TOO_LONG"), Some(&*message))
                );
            }
        }
    }
}

#[tokio::test]
async fn only_conversion_can_set_a_converted_status() {
    let renamed = "[[fields]]\nname = 'Status'\nlabel = '状況'\ntype = 'picklist'\nlength = 255\nnillable = false\ndefault = '未対応'\nvalues = ['未対応', { value = '商談化', converted = true }]";
    for (text, open, converted) in [("", "Working - Contacted", "Closed - Converted"), (renamed, "未対応", "商談化")]
    {
        let (running, client) = org(text).await;
        let describe = client.get(&format!("{LEADS}/describe")).await.json;
        let status = describe["fields"].as_array().unwrap().iter().find(|field| field["name"] == "Status").unwrap();
        let values = status["picklistValues"].as_array().unwrap();
        assert!(values.iter().any(|value| value["value"] == converted), "a describe lists it like any other value");
        let refused = create(&client, &json!({"Status": converted})).await;
        assert_eq!(refused.error(), (400, "INVALID_STATUS"), "{}", refused.text);
        let made = create(&client, &json!({"Status": open})).await;
        let path = format!("{LEADS}/{}", made.json["id"].as_str().unwrap());
        assert_eq!(
            client.write("PATCH", &path, &[], &json!({"Status": converted})).await.error(),
            (400, "INVALID_STATUS")
        );
        assert_eq!(running.org().leads()[0]["Status"], open);
    }
}
