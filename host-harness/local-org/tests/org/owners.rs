//! Owners of Leads: the caller, the owner that the caller sets, or the assignment rule's.

use salesforce_local_org::{OrgFile, RunningOrg};
use serde_json::{Value, json};

use crate::support::{Client, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";
const ME: &str = "hanako.suzuki@example.com";
const OTHER: &str = "ichiro.tanaka@example.com";

/// The header, whether the caller sets itself as the owner, and the resulting owner. Without the header the active rule
/// runs ("Assignment Rule Header" in the REST API guide).
const CASES: [(Option<&str>, bool, &str); 8] = [
    (None, false, OTHER),
    (None, true, OTHER),
    (Some("TRUE"), false, OTHER),
    (Some("TRUE"), true, OTHER),
    (Some("false"), false, ME),
    (Some("false"), true, ME),
    (Some("01Q5i000000Rule"), false, OTHER),
    (Some("01Q5i000000Rule"), true, OTHER),
];

async fn with_a_rule() -> (RunningOrg, Client) {
    let running = start(OrgFile::named("record-types").unwrap().unwrap()).await;
    let client = Client::connect(&running).await;
    (running, client)
}

fn auto_assign(value: Option<&str>) -> Vec<(&'static str, &str)> {
    value.map(|value| ("Sforce-Auto-Assign", value)).into_iter().collect()
}

#[tokio::test]
async fn the_assignment_rule_runs_unless_disabled() {
    let (running, client) = with_a_rule().await;
    let id_of = |name: &str| running.org().user_id(name).unwrap();
    for (number, (header, named, owner)) in CASES.into_iter().enumerate() {
        let mut body = json!({"LastName": format!("n{number}"), "Company": "x"});
        if named {
            body["OwnerId"] = json!(id_of(ME));
        }
        let reply = client.write("POST", LEADS, &auto_assign(header), &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(running.org().leads()[number]["OwnerId"], id_of(owner), "{header:?} {named}");
    }
}

#[tokio::test]
async fn the_assignment_rule_runs_on_updates_too() {
    let (running, client) = with_a_rule().await;
    let id_of = |name: &str| running.org().user_id(name).unwrap();
    for (header, named, owner) in CASES {
        let mine = json!({"LastName": "n", "Company": "x", "OwnerId": id_of(ME)});
        let id = running.org().insert_lead(mine.as_object().unwrap().clone());
        let body = if named { json!({"OwnerId": id_of(ME)}) } else { json!({"Title": "部長"}) };
        let reply = client.write("PATCH", &format!("{LEADS}/{id}"), &auto_assign(header), &body).await;
        assert_eq!(reply.status, 204, "{}", reply.text);
        assert_eq!(running.org().leads().pop().unwrap()["OwnerId"], id_of(owner), "{header:?} {named}");
    }
}

#[tokio::test]
async fn an_unknown_assignment_rule_is_rejected_without_a_write() {
    let (running, client) = with_a_rule().await;
    let header = [("Sforce-Auto-Assign", "01Q5i0000000000")];
    let lead = json!({"LastName": "n", "Company": "x"});
    assert_eq!(client.write("POST", LEADS, &header, &lead).await.error(), (400, "INVALID_ASSIGNMENT_RULE"));
    assert!(running.org().leads().is_empty());
    let id = running.org().insert_lead(lead.as_object().unwrap().clone());
    let update = client.write("PATCH", &format!("{LEADS}/{id}"), &header, &json!({"Title": "部長"})).await;
    assert_eq!(update.error(), (400, "INVALID_ASSIGNMENT_RULE"));
    assert_eq!(running.org().leads()[0]["Title"], Value::Null);
}

#[tokio::test]
async fn an_owner_must_be_an_active_user() {
    let (running, client) = with_a_rule().await;
    running.org().change(|file| file.users[1].active = false).unwrap();
    let other = running.org().user_id(OTHER).unwrap();
    let lead = json!({"LastName": "n", "Company": "x", "OwnerId": other});
    let reply = client.write("POST", LEADS, &auto_assign(Some("FALSE")), &lead).await;
    let message = format!("operation performed with inactive user [{other}] as owner of lead");
    let error = json!([{"errorCode": "INACTIVE_OWNER_OR_USER", "message": message, "fields": ["OwnerId"]}]);
    assert_eq!((reply.status, reply.json), (400, error));
}

#[tokio::test]
async fn a_queue_can_own_leads() {
    let text = r#"
        duplicate-rules = []

        [[queues]]
        name = "Web からの見込み客"
        developer-name = "Web_Leads"

        [assignment-rule]
        id = "01Q5i000000Rule"
        owner = "Web_Leads"
    "#;
    let running = start(OrgFile::parse(text).unwrap()).await;
    let client = Client::connect(&running).await;
    let queue = running.org().queue_id("Web_Leads").unwrap();
    assert!(queue.starts_with("00G") && queue.len() == 18);
    let groups = client.query("SELECT Id, Name FROM Group WHERE Type = 'Queue' AND DeveloperName = 'Web_Leads'").await;
    assert_eq!(groups.json["records"][0]["Id"], queue.as_str(), "{}", groups.text);

    let owned = |owner: &str| json!({"LastName": "n", "Company": "x", "OwnerId": owner});
    let mine = running.org().user_id(ME).unwrap();
    for (header, owner, expected) in
        [(Some("FALSE"), &queue[..15], &queue), (Some("FALSE"), mine.as_str(), &mine), (None, mine.as_str(), &queue)]
    {
        let reply = client.write("POST", LEADS, &auto_assign(header), &owned(owner)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(running.org().leads().pop().unwrap()["OwnerId"], expected.as_str(), "{header:?}");
    }
    let owners = client.query("SELECT Owner.Name FROM Lead ORDER BY CreatedDate, Id").await;
    let owner = |at: usize| {
        let owner = &owners.json["records"][at]["Owner"];
        (owner["attributes"]["type"].as_str().unwrap(), owner["Name"].as_str().unwrap())
    };
    assert_eq!([owner(0), owner(1)], [("Group", "Web からの見込み客"), ("User", "鈴木 花子")]);
    let unknown = client.write("POST", LEADS, &auto_assign(Some("FALSE")), &owned("00G5i00000zzzzz")).await;
    assert_eq!(unknown.error(), (400, "INVALID_CROSS_REFERENCE_KEY"));
}

#[tokio::test]
async fn an_admins_choices_of_owners_can_be_queried() {
    let text = r#"
        [[queues]]
        name = "Web"
        developer-name = "Web_Leads"

        [[queues]]
        name = "Phone"
        developer-name = "Phone_Leads"

        [assignment-rule]
        id = "01Q5i000000Rule"
        name = "By region"
        owner = "Web_Leads"
    "#;
    let running = start(OrgFile::parse(text).unwrap()).await;
    let client = Client::connect(&running).await;
    let queues = client
        .query("SELECT QueueId, Queue.Name FROM QueueSobject WHERE SobjectType = 'Lead' ORDER BY Queue.Name")
        .await;
    let names: Vec<_> =
        queues.json["records"].as_array().unwrap().iter().map(|queue| &queue["Queue"]["Name"]).collect();
    assert_eq!(names, ["Phone", "Web"], "{}", queues.text);
    let rules = client.query("SELECT Id, Name FROM AssignmentRule WHERE SobjectType = 'Lead' AND Active = true").await;
    assert_eq!(rules.json["records"][0]["Name"], "By region", "{}", rules.text);
    assert_eq!(rules.json["records"][0]["Id"].as_str().map(str::len), Some(18));
}
