//! Mappings of calendars.

use crm_delivery::Ledger as _;
use serde_json::{Value, json};

use crate::bed::{Bed, MAPPING};

fn mapping(text: &str) -> Value {
    json!({ "rows": [{ "id": "r1", "field": "LeadSource", "source": { "fixed": text } }], "options": {} })
}

#[tokio::test]
async fn each_save_is_a_version_and_one_on_top_of_an_older_one_is_409() {
    let bed = Bed::new().await;
    bed.get(MAPPING, &bed.admin).await.problem(404, "no-such-mapping");
    let put = async |expected: Option<u64>, text: &str| {
        bed.put(MAPPING, &bed.admin, &json!({ "expected": expected, "mapping": mapping(text) })).await
    };
    assert_eq!(put(Some(1), "none yet").await.problem(409, "mapping-changed").json["current"], 0);
    assert_eq!(put(Some(0), "first").await.is(200).json["version"], 1);
    assert_eq!(put(Some(0), "stale").await.problem(409, "mapping-changed").json["current"], 1);
    assert_eq!(put(Some(1), "second").await.is(200).json["version"], 2);
    assert_eq!(put(Some(1), "stale").await.problem(409, "mapping-changed").json["current"], 2);
    assert_eq!(put(None, "third").await.is(200).json["version"], 3);
    for (query, version, text) in [("", 3, "third"), ("?version=1", 1, "first"), ("?version=2", 2, "second")] {
        let shown = bed.get(&format!("{MAPPING}{query}"), &bed.admin).await.is(200).json;
        assert_eq!((&shown["version"], &shown["mapping"]), (&json!(version), &mapping(text)), "{query}");
        assert!(shown["saved_by"].as_str().unwrap().starts_with("token "), "{shown}");
    }
    bed.get(&format!("{MAPPING}?version=4"), &bed.admin).await.problem(404, "no-such-mapping");
    for query in ["?version=x", "?version=-1", "?version=", "?other=1", "?version=1&version=2"] {
        bed.get(&format!("{MAPPING}{query}"), &bed.admin).await.problem(400, "query-invalid");
    }
}

#[tokio::test]
async fn a_mapping_that_is_invalid_is_400_with_its_path() {
    let bed = Bed::new().await;
    let twice = json!({ "rows": [
        { "id": "r1", "field": "LeadSource", "source": { "fixed": "a" } },
        { "id": "r2", "field": "LeadSource", "source": { "fixed": "b" } },
    ] });
    for (body, reason) in [
        (json!({ "mapping": twice }), "rows[1].field"),
        (
            json!({ "mapping": { "rows": [{ "id": "r1", "field": "F", "source": { "fixed": 1 } }] } }),
            "expected a string",
        ),
        (json!({}), "missing field `mapping`"),
        (json!({ "mapping": mapping("x"), "expect": 1 }), "unknown field `expect`"),
    ] {
        let problem = bed.put(MAPPING, &bed.admin, &body).await.problem(400, "body-invalid").json;
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{problem}");
    }
    let target = MAPPING.replace("salesforce-leads", "salesforce-leads.Contact");
    let problem =
        bed.put(&target, &bed.admin, &json!({ "mapping": mapping("x") })).await.problem(400, "body-invalid").json;
    assert_eq!(problem["paths"], json!(["mapping.target"]));
    let mut contact = mapping("x");
    contact["target"] = "Contact".into();
    bed.put(&target, &bed.admin, &json!({ "mapping": contact })).await.is(200);
    for integration in ["salesforce-leads.", ".Contact", "a%2Fb", "%E3%81%82"] {
        let path = MAPPING.replace("salesforce-leads", integration);
        bed.get(&path, &bed.admin).await.problem(400, "body-invalid");
    }
    let unknown = MAPPING.replace("minato-team", "unknown");
    bed.put(&unknown, &bed.operator, &json!({ "mapping": mapping("x") })).await.problem(404, "no-such-team");
}

#[tokio::test]
async fn a_booking_without_a_mapping_waits_until_one_is_saved() {
    let bed = Bed::new().await;
    let id = bed.accept("b-1").await;
    let path = format!("/v1/deliveries/{id}");
    assert_eq!(bed.get(&path, &bed.admin).await.is(200).json["cause"], "mapping-missing");
    let causes = bed.get("/v1/deliveries/causes", &bed.admin).await.is(200).json;
    assert_eq!((&causes["causes"][0]["code"], &causes["causes"][0]["count"]), (&json!("mapping-missing"), &json!(1)));
    assert!(bed.ledger.claim(10).await.unwrap().is_empty());
    bed.map("another").await;
    assert!(bed.ledger.claim(10).await.unwrap().is_empty());
    bed.map("intro-call").await;
    assert_eq!(bed.get(&path, &bed.admin).await.is(200).json.get("cause"), None);
    let claimed = bed.ledger.claim(10).await.unwrap();
    assert_eq!(claimed.iter().map(|claimed| claimed.id.0).collect::<Vec<_>>(), [id]);
    assert_eq!(bed.get(&path, &bed.admin).await.is(200).json["state"], "delivering");
}
