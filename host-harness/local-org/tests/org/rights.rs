//! What a user may do with Leads.

use local_org::OrgFile;
use serde_json::json;

use crate::support::{Client, start};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";

#[tokio::test]
async fn a_user_who_may_not_create_is_told_so() {
    let mut file = OrgFile::enterprise().unwrap();
    file.users[0].create_leads = false;
    let running = start(file).await;
    let client = Client::connect(&running).await;
    let reply = client.post(LEADS, &json!({"LastName": "山田", "Company": "x"})).await;
    assert_eq!(reply.json[0]["message"], "entity type cannot be inserted: Lead");
    assert_eq!(reply.error(), (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"));
    assert_eq!(client.get(&format!("{LEADS}/describe")).await.json["createable"], false);
}
