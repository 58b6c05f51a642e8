//! Who may do what.

use std::collections::BTreeSet;

use crm_store::Store as _;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    bed::{BOOKINGS, Bed, MAPPING, TEAM, booking},
    document,
};

/// Statuses for tokens of the team's platform, its admin, another team's admin, an operator, for a revoked token, and without one.
type Statuses = [u16; 6];

#[tokio::test]
async fn every_route_takes_the_roles_that_it_should() {
    let bed = Bed::new().await;
    bed.map("intro-call").await;
    bed.team("other").await;
    let other = bed.token(Some("other"), "admin").await;
    let (revoked, text) = bed.store.create_token(Some(TEAM), "admin", Timestamp::now()).await.unwrap();
    bed.store.revoke_token(&revoked.id, Timestamp::now()).await.unwrap();
    let id = bed.accept("b-1").await;
    let own: Statuses = [403, 200, 403, 200, 401, 401];
    // Who asks for all of its own sees nothing of others.
    let any_admin: Statuses = [403, 200, 200, 200, 401, 401];
    let one: Statuses = [403, 200, 404, 200, 401, 401];
    let nothing: Statuses = [403, 204, 403, 204, 401, 401];
    let anybody = |status| [status; 6];
    let operator = |status| [403, 403, 403, status, 401, 401];
    let (mapping, name, filter) =
        (json!({ "mapping": { "rows": [] } }), json!({ "name": "A team" }), json!({ "filter": {} }));
    let delivery = format!("/v1/deliveries/{id}");
    let routes: Vec<(&str, String, Option<Value>, Statuses)> = vec![
        ("POST", BOOKINGS.into(), Some(booking("b-2")), [202, 200, 403, 200, 401, 401]),
        ("GET", MAPPING.into(), None, own),
        ("PUT", MAPPING.into(), Some(mapping), own),
        ("GET", "/v1/deliveries".into(), None, any_admin),
        ("GET", "/v1/deliveries/export".into(), None, any_admin),
        ("GET", "/v1/deliveries/causes".into(), None, any_admin),
        ("GET", format!("/v1/deliveries?team={TEAM}"), None, own),
        ("GET", format!("/v1/deliveries/export?team={TEAM}"), None, own),
        ("GET", format!("/v1/deliveries/causes?team={TEAM}"), None, own),
        ("POST", "/v1/deliveries/plan".into(), Some(filter.clone()), any_admin),
        ("POST", "/v1/deliveries/resend".into(), Some(filter), any_admin),
        ("POST", "/v1/deliveries/resend".into(), Some(json!({ "filter": { "team": TEAM } })), own),
        ("GET", delivery.clone(), None, one),
        ("POST", format!("{delivery}/retry"), Some(json!({})), one),
        ("POST", format!("{delivery}/cancel"), None, one),
        ("GET", "/v1/teams".into(), None, operator(200)),
        ("PUT", format!("/v1/teams/{TEAM}"), Some(name), operator(200)),
        ("PUT", format!("/v1/teams/{TEAM}/hooks/calcom"), Some(json!({ "secrets": [] })), nothing),
        ("PUT", format!("/v1/teams/{TEAM}/queues/salesforce-leads"), Some(json!({})), nothing),
        ("GET", "/v1/queues".into(), None, any_admin),
        ("GET", "/v1/tokens".into(), None, operator(200)),
        ("POST", "/v1/tokens".into(), Some(json!({ "scope": "operator" })), operator(201)),
        ("DELETE", "/v1/tokens/unknown".into(), None, operator(404)),
        ("POST", "/hooks/calcom/minato-team/intro-call".into(), Some(json!({})), anybody(401)),
        ("GET", "/v1/openapi.json".into(), None, anybody(200)),
        ("GET", "/healthz".into(), None, anybody(200)),
        ("GET", "/readyz".into(), None, anybody(200)),
        ("GET", "/metrics".into(), None, anybody(404)),
    ];
    let tokens =
        [Some(&*bed.intake), Some(&*bed.admin), Some(&*other), Some(&*bed.operator), Some(text.expose()), None];
    for (method, path, body, expected) in &routes {
        let mut statuses = Vec::new();
        for token in tokens {
            statuses.push(bed.send(method.parse().unwrap(), path, token, body.as_ref()).await.status);
        }
        assert_eq!(&statuses, expected, "{method} {path}");
    }
    // Each operation is in the table.
    let document = document::get(&bed).await;
    let covered: BTreeSet<_> =
        routes.iter().filter_map(|(method, path, _, _)| document.template(&method.parse().unwrap(), path)).collect();
    assert_eq!(covered, document.operations());
}

#[tokio::test]
async fn another_teams_rows_are_neither_shown_nor_changed() {
    let bed = Bed::new().await;
    bed.team("other").await;
    let other = bed.token(Some("other"), "admin").await;
    let id = bed.accept("b-1").await;
    let own = bed.get(&format!("/v1/deliveries/{id}"), &bed.admin).await.is(200).json;
    for path in ["/v1/deliveries", "/v1/deliveries?booking=b-1", "/v1/deliveries?before=999999"] {
        assert_eq!(bed.get(path, &other).await.is(200).json, json!({ "deliveries": [] }), "{path}");
    }
    assert_eq!(bed.get("/v1/deliveries/export", &other).await.is(200).text, "");
    assert_eq!(bed.get("/v1/deliveries/causes", &other).await.is(200).json, json!({ "causes": [] }));
    assert_eq!(bed.get("/v1/queues", &other).await.is(200).json, json!({ "queues": [] }));
    let filters =
        [json!({}), json!({ "filter": {} }), json!({ "filter": { "booking": "b-1", "calendar": "intro-call" } })];
    for filter in filters {
        assert_eq!(bed.post("/v1/deliveries/plan", &other, &filter).await.is(200).json["deliveries"], 0);
        assert_eq!(bed.post("/v1/deliveries/resend", &other, &filter).await.is(200).json["resent"], 0);
    }
    bed.post(&format!("/v1/deliveries/{id}/retry"), &other, &json!({ "looked": true }))
        .await
        .problem(404, "no-such-delivery");
    bed.post(&format!("/v1/deliveries/{id}/cancel"), &other, &json!({})).await.problem(404, "no-such-delivery");
    let missing = bed.get("/v1/deliveries/999999", &other).await.problem(404, "no-such-delivery").json;
    let foreign = bed.get(&format!("/v1/deliveries/{id}"), &other).await.problem(404, "no-such-delivery").json;
    assert_eq!(
        missing.to_string().replace("999999", &id.to_string()),
        foreign.to_string(),
        "nobody learns which ids exist"
    );
    let unknown =
        bed.put("/v1/teams/unknown/hooks/calcom", &other, &json!({ "secrets": [] })).await.problem(403, "forbidden");
    let known = bed.put("/v1/teams/minato-team/hooks/calcom", &other, &json!({ "secrets": [] })).await;
    assert_eq!(unknown.json, known.json, "nobody learns which teams exist");
    assert_eq!(bed.get(&format!("/v1/deliveries/{id}"), &bed.admin).await.is(200).json, own);
}

#[tokio::test]
async fn a_token_is_one_bearer_header() {
    let bed = Bed::new().await;
    for (values, code) in [
        (vec![], "token-missing"),
        (vec!["Basic dTpw".to_owned()], "token-missing"),
        (vec![bed.admin.clone()], "token-missing"),
        (vec![format!("Bearer {0} {0}", bed.admin)], "token-unknown"),
        (vec![format!("Bearer {}", bed.admin), format!("Bearer {}", bed.admin)], "token-missing"),
        (vec!["Bearer ".to_owned()], "token-missing"),
        (vec![format!("Bearer {}x", bed.admin)], "token-unknown"),
    ] {
        let mut headers = reqwest::header::HeaderMap::new();
        values.iter().for_each(|value| {
            headers.append("authorization", value.parse().unwrap());
        });
        let answer = bed.send_raw(reqwest::Method::GET, "/v1/queues", headers, Vec::new()).await;
        answer.problem(401, code);
    }
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", format!("bearer {}", bed.admin).parse().unwrap());
    bed.send_raw(reqwest::Method::GET, "/v1/queues", headers, Vec::new()).await.is(200);
}
