//! Teams, tokens and queues.

use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::json;
use tokio::sync::Notify;

use crate::{
    bed::{BOOKINGS, Bed, MAPPING, PLUGIN, TEAM, booking},
    log,
};

#[tokio::test]
async fn a_team_is_added_once_and_renamed_after_that() {
    let bed = Bed::new().await;
    let put = async |name: &str| bed.put("/v1/teams/new", &bed.operator, &json!({ "name": name })).await;
    assert_eq!(put("First").await.is(201).json, json!({ "id": "new", "name": "First" }));
    assert_eq!(put("Second").await.is(200).json["name"], "Second");
    let teams = bed.get("/v1/teams", &bed.operator).await.is(200).json;
    assert!(teams["teams"].as_array().unwrap().contains(&json!({ "id": "new", "name": "Second" })));
    bed.put("/v1/teams/new", &bed.operator, &json!({ "name": 1 })).await.problem(400, "body-invalid");
}

#[tokio::test]
async fn a_token_works_until_it_is_revoked_and_its_text_is_shown_once() {
    let bed = Bed::new().await;
    let create = async |body| bed.post("/v1/tokens", &bed.operator, &body).await;
    let made = create(json!({ "team": TEAM, "scope": "admin" })).await.is(201).json;
    let text = made["token"].as_str().unwrap();
    log::is_secret(text);
    let listed = bed.get("/v1/tokens", &bed.operator).await.is(200);
    assert!(!listed.text.contains(text) && text.ends_with(made["ends_with"].as_str().unwrap()));
    let path = format!("/v1/tokens/{}", made["id"].as_str().unwrap());
    let revoke = async || bed.send(reqwest::Method::DELETE, &path, Some(&bed.operator), None).await;
    revoke().await.is(204);
    revoke().await.is(204);
    bed.get("/v1/queues", text).await.problem(401, "token-unknown");
    let listed = bed.get("/v1/tokens", &bed.operator).await.is(200).json;
    let tokens = listed["tokens"].as_array().unwrap();
    assert!(tokens.iter().any(|token| token["id"] == made["id"] && token["revoked"].is_string()));
    for (body, path) in [
        (json!({ "scope": "root" }), json!(["scope"])),
        (json!({ "team": TEAM, "scope": "operator" }), json!(["team"])),
        (json!({ "scope": "admin" }), json!(["team"])),
    ] {
        assert_eq!(create(body).await.problem(400, "body-invalid").json["paths"], path);
    }
    create(json!({ "team": "unknown", "scope": "intake" })).await.problem(404, "no-such-team");
}

#[tokio::test]
async fn a_queue_is_held_limited_and_let_go() {
    let bed = Bed::new().await;
    bed.map("intro-call").await;
    let id = bed.accept("b-1").await;
    let path = format!("/v1/teams/{TEAM}/queues/{PLUGIN}");
    let queue = async || bed.get("/v1/queues", &bed.admin).await.is(200).json["queues"][0].clone();
    bed.put(&path, &bed.admin, &json!({ "held": true, "most_calls": 9 })).await.is(204);
    let held = queue().await;
    assert_eq!((&held["hold"], &held["most_calls"], &held["open"]), (&json!("operator"), &json!(9), &json!(1)));
    assert_eq!(bed.get(&format!("/v1/deliveries/{id}"), &bed.admin).await.is(200).json["hold"], "operator");
    bed.put(&path, &bed.admin, &json!({})).await.is(204);
    assert_eq!(queue().await, held, "what is absent is unchanged");
    bed.put(&path, &bed.admin, &json!({ "held": false, "most_calls": 0 })).await.is(204);
    let free = queue().await;
    assert_eq!((free.get("hold"), free.get("most_calls")), (None, None));
    for body in [json!({ "held": "yes" }), json!([true, 9]), json!(null)] {
        bed.put(&path, &bed.admin, &body).await.problem(400, "body-invalid");
    }
    let unknown = path.replace(TEAM, "unknown");
    bed.put(&unknown, &bed.operator, &json!({ "held": true })).await.problem(404, "no-such-team");
}

#[tokio::test]
async fn a_worker_is_woken_by_whatever_may_make_a_booking_due() {
    let wake = Arc::new(Notify::new());
    let service_wakes = wake.clone();
    let bed = Bed::with(|service| service.waking(service_wakes)).await;
    let is_woken = || wake.notified().now_or_never().is_some();
    let id = bed.accept("b-1").await;
    assert!(is_woken());
    bed.post(BOOKINGS, &bed.intake, &booking("b-1")).await.is(200);
    assert!(!is_woken(), "a repeat changes nothing");
    bed.put(MAPPING, &bed.admin, &json!({ "mapping": { "rows": [] } })).await.is(200);
    assert!(is_woken());
    bed.put(&format!("/v1/teams/{TEAM}/queues/{PLUGIN}"), &bed.admin, &json!({ "held": false })).await.is(204);
    assert!(is_woken());
    bed.post("/v1/deliveries/resend", &bed.admin, &json!({})).await.is(200);
    assert!(is_woken());
    bed.post(&format!("/v1/deliveries/{id}/retry"), &bed.admin, &json!({})).await.is(200);
    assert!(is_woken());
}
