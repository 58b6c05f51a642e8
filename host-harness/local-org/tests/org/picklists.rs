//! Values of picklists: restricted, dependent, joined, and those of addresses.

use local_org::{OrgFile, RunningOrg};
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
async fn dependent_values_are_judged_one_by_one_and_by_the_controlling_value_that_is_kept() {
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
async fn codes_of_states_and_countries_are_read_in_any_case() {
    let (running, client) = org("state-country-picklists = true").await;
    let reply = create(&client, &json!({"CountryCode": "jp", "StateCode": "13"})).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let lead = running.org().leads().remove(0);
    assert_eq!(
        (&lead["CountryCode"], &lead["Country"], &lead["State"]),
        (&json!("JP"), &json!("Japan"), &json!("Tokyo"))
    );
}
