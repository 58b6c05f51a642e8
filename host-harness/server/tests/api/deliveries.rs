//! Deliveries, for people.

use crm_contract::{Delivery, Effect, Outcome, Problem, Reaction, RecordRef};
use crm_delivery::{Claimed, Ended, Ledger as _, Tried};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::bed::{BOOKINGS, Bed, TEAM, booking};

fn delivered() -> Ended {
    let record = RecordRef { object: "Lead".into(), id: "00Q1".into(), url: Some("https://org.example/00Q1".into()) };
    Ended::Delivered(Delivery {
        records: vec![record],
        outcome: Outcome::Created,
        findings: Vec::new(),
        more: Vec::new(),
    })
}

fn refused(code: &str, effect: Effect) -> Ended {
    let reaction = if effect == Effect::Unknown { Reaction::CheckFirst } else { Reaction::FixMapping };
    Ended::Refused(Problem { effect, ..Problem::new(code, reaction, "the CRM said no") })
}

/// Tries all that is due.
async fn try_all(bed: &Bed, ended: impl Fn(&Claimed) -> Ended) {
    bed.advance(7_200_000);
    for claimed in bed.ledger.claim(100).await.unwrap() {
        let tried = Tried {
            id: claimed.id,
            fence: claimed.fence,
            mapping: claimed.mapping.version,
            ended: ended(&claimed),
            requests: 2,
            detail: br#"{"findings":[]}"#.to_vec(),
            random: 0.5,
        };
        bed.ledger.finish(tried).await.unwrap();
    }
}

fn bookings(page: &Value) -> Vec<String> {
    let deliveries = page["deliveries"].as_array().unwrap().iter();
    deliveries.map(|delivery| delivery["booking"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_is_filtered_and_read_by_pages_and_an_export_has_the_same_rows() {
    let bed = Bed::new().await;
    bed.map("intro-call").await;
    let began = bed.now().await;
    for number in 0..7 {
        bed.accept(&format!("b-{number}")).await;
        bed.advance(1_000);
    }
    let mut elsewhere = booking("b-7");
    elsewhere["calendar"]["id"] = "demo".into();
    bed.post(&BOOKINGS.replace("intro-call", "demo"), &bed.intake, &elsewhere).await.is(202);
    bed.advance(1_000);
    for (query, expected) in [
        ("", "7 6 5 4 3 2 1 0"),
        ("limit=3", "7 6 5"),
        ("limit=0", "7"),
        ("limit=4294967295", "7 6 5 4 3 2 1 0"),
        ("team=minato-team&limit=1", "7"),
        ("calendar=demo", "7"),
        ("calendar=none", ""),
        ("state=waiting&calendar=intro-call", "6 5 4 3 2 1 0"),
        ("state=delivered", ""),
        ("cause=mapping-missing", "7"),
        ("booking=b-3", "3"),
        (&format!("from={}", began + 5_000), "7 6 5"),
        (&format!("until={}", began + 2_000), "1 0"),
        (&format!("from={}&until={}", began + 2_000, began + 4_000), "3 2"),
        ("before=1", ""),
    ] {
        let listed = bed.get(&format!("/v1/deliveries?{query}"), &bed.admin).await.is(200).json;
        let expected: Vec<_> = expected.split_whitespace().map(|number| format!("b-{number}")).collect();
        assert_eq!(bookings(&listed), expected, "{query}");
        if !query.contains("limit") {
            let export = bed.get(&format!("/v1/deliveries/export?{query}"), &bed.admin).await.is(200);
            let lines: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(json!(lines), listed["deliveries"], "{query}");
        }
    }
    let mut seen = Vec::new();
    let mut next = "limit=3".to_owned();
    loop {
        let page = bed.get(&format!("/v1/deliveries?{next}"), &bed.admin).await.is(200).json;
        seen.extend(bookings(&page));
        let Some(before) = page.get("next") else { break };
        next = format!("limit=3&before={before}");
    }
    assert_eq!(seen.len(), 8);
    for query in [
        "state=moved",
        "limit=x",
        "limit=-1",
        "before=b",
        "from=2026-12-02",
        "order=asc",
        "state=",
        "limit=1&limit=2",
        "team=%FF",
    ] {
        for route in ["/v1/deliveries", "/v1/deliveries/export"] {
            let problem = bed.get(&format!("{route}?{query}"), &bed.admin).await;
            // Bytes that are not UTF-8 are read as the replacement character: another team's name.
            if query == "team=%FF" {
                problem.problem(403, "forbidden")
            } else {
                problem.problem(400, "query-invalid")
            };
        }
    }
    let export = bed.get("/v1/deliveries/export?limit=3", &bed.admin).await.is(200);
    assert_eq!(export.text.lines().count(), 3);
    bed.get("/v1/deliveries/causes?calendar=demo", &bed.admin).await.problem(400, "query-invalid");
}

#[tokio::test]
async fn an_export_has_all_pages_or_is_cut_off() {
    let bed = Bed::new().await;
    for number in 0..501 {
        let mut sent = crm_delivery::Arrival::new(
            serde_json::from_value(booking(&format!("b-{number}"))).unwrap(),
            &[],
            "salesforce-leads".parse().unwrap(),
        )
        .unwrap();
        sent.guest = None;
        bed.ledger.accept(sent).await.unwrap();
    }
    let export = bed.get("/v1/deliveries/export", &bed.admin).await.is(200);
    let ids: Vec<u64> =
        export.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), 501);
    assert!(ids.is_sorted_by(|one, next| one > next), "the newest first, each once");
    for (limit, expected) in [(0, 1), (1, 1), (500, 500), (501, 501), (502, 501)] {
        let export = bed.get(&format!("/v1/deliveries/export?limit={limit}"), &bed.admin).await.is(200);
        assert_eq!(export.text.lines().count(), expected, "{limit}");
    }
    // The oldest row is on the second page, which is read after the status was sent.
    let database = Connection::open(bed.folder.path().join("data").join(crm_delivery_sqlite::DATABASE_FILE)).unwrap();
    database.execute("UPDATE entry SET progress = '{' WHERE id = 1", []).unwrap();
    let export = bed.client.get(format!("http://{}/v1/deliveries/export", bed.address)).bearer_auth(&bed.admin);
    // The connection may be cut before the status has left the server's buffer.
    if let Ok(response) = export.send().await {
        assert_eq!(response.status(), 200);
        assert!(response.text().await.is_err(), "a part must not be taken for the whole");
    }
}

#[tokio::test]
async fn a_delivery_is_shown_with_its_tries_and_its_booking_and_lists_have_nothing_personal() {
    let bed = Bed::new().await;
    bed.map("intro-call").await;
    let id = bed.accept("b-1").await;
    try_all(&bed, |_| refused("field-missing", Effect::None)).await;
    let shown = bed.get(&format!("/v1/deliveries/{id}"), &bed.admin).await.is(200).json;
    assert_eq!((&shown["state"], &shown["cause"]), (&json!("needs-attention"), &json!("field-missing")));
    assert_eq!(
        (&shown["attempts"][0]["code"], &shown["attempts"][0]["requests"]),
        (&json!("field-missing"), &json!(2))
    );
    assert_eq!(shown["booking_content"], booking("b-1"));
    assert_eq!(shown["result"], json!({ "findings": [] }));
    for path in ["/v1/deliveries", "/v1/deliveries/export", "/v1/deliveries/causes", "/v1/queues"] {
        let text = bed.get(path, &bed.admin).await.is(200).text;
        assert!(!text.contains("Anna-Lena") && !text.contains("nordwind.example"), "{text}");
    }
    for path in ["/v1/deliveries/x", "/v1/deliveries/-1", "/v1/deliveries/18446744073709551616"] {
        bed.get(path, &bed.admin).await.problem(400, "path-invalid");
    }
    bed.get("/v1/deliveries/18446744073709551615", &bed.admin).await.problem(404, "no-such-delivery");
}

#[tokio::test]
async fn what_needs_a_person_is_counted_planned_and_sent_again_in_batches() {
    let bed = Bed::new().await;
    bed.map("intro-call").await;
    for number in 0..5 {
        bed.accept(&format!("b-{number}")).await;
    }
    try_all(&bed, |claimed| refused(if claimed.booking == "b-4" { "other" } else { "field-missing" }, Effect::None))
        .await;
    let causes = bed.get(&format!("/v1/deliveries/causes?team={TEAM}"), &bed.operator).await.is(200).json;
    let counts: Vec<_> =
        causes["causes"].as_array().unwrap().iter().map(|cause| (&cause["code"], &cause["count"])).collect();
    assert!(counts.contains(&(&json!("field-missing"), &json!(4))) && counts.contains(&(&json!("other"), &json!(1))));
    let filter = json!({ "cause": "field-missing", "state": "needs-attention" });
    let plan = async || bed.post("/v1/deliveries/plan", &bed.admin, &json!({ "filter": filter })).await.is(200).json;
    assert_eq!(plan().await, json!({ "deliveries": 4, "requests": 4 }));
    let (mut resent, mut after, mut batches) = (0, Value::Null, 0);
    loop {
        let body = json!({ "filter": filter, "after": after, "most": 2 });
        let batch = bed.post("/v1/deliveries/resend", &bed.admin, &body).await.is(200).json;
        resent += batch["resent"].as_u64().unwrap();
        batches += 1;
        match batch.get("last") {
            Some(last) => after = last.clone(),
            None => break,
        }
    }
    assert_eq!((resent, batches), (4, 3));
    assert_eq!(plan().await["deliveries"], 0);
    try_all(&bed, |_| delivered()).await;
    let waiting = bed.get("/v1/deliveries?state=delivered", &bed.admin).await.is(200).json;
    assert!(!waiting["deliveries"].as_array().unwrap().is_empty());
    for (route, body) in [
        ("plan", json!({ "filter": { "status": "x" } })),
        ("plan", json!({ "filter": { "state": "moved" } })),
        ("plan", json!({ "filters": {} })),
        ("resend", json!({ "most": -1 })),
        ("resend", json!({ "after": "x" })),
        ("resend", json!([])),
        ("resend", json!({ "filter": [] })),
    ] {
        bed.post(&format!("/v1/deliveries/{route}"), &bed.admin, &body).await.problem(400, "body-invalid");
    }
}

#[tokio::test]
async fn one_delivery_is_sent_again_after_a_person_looked_and_given_up_once() {
    let bed = Bed::new().await;
    bed.map("intro-call").await;
    let id = bed.accept("b-1").await;
    let (retry, cancel, path) =
        (format!("/v1/deliveries/{id}/retry"), format!("/v1/deliveries/{id}/cancel"), format!("/v1/deliveries/{id}"));
    let show = async || bed.get(&path, &bed.admin).await.is(200).json;
    try_all(&bed, |_| refused("timeout", Effect::Unknown)).await;
    assert_eq!(show().await["unknown"], true);
    let record = json!({ "object": "Lead", "id": "00Q7" });
    assert_eq!(
        bed.post(&retry, &bed.admin, &json!({ "looked": true, "record": record })).await.is(200).json["done"],
        true
    );
    let shown = show().await;
    assert_eq!((&shown["unknown"], &shown["records"]), (&json!(false), &json!([record])));
    let claimed = bed.ledger.claim(10).await.unwrap().remove(0);
    assert_eq!(claimed.history.records.first().map(|record| record.id.as_str()), Some("00Q7"));
    assert_eq!(bed.post(&retry, &bed.admin, &json!({})).await.is(200).json["done"], false, "it is under way");
    assert_eq!(bed.send(reqwest::Method::POST, &cancel, Some(&bed.admin), None).await.is(200).json["done"], false);
    let tried = Tried {
        id: claimed.id,
        fence: claimed.fence,
        mapping: 1,
        ended: refused("field-missing", Effect::None),
        requests: 1,
        detail: b"{}".to_vec(),
        random: 0.0,
    };
    bed.ledger.finish(tried).await.unwrap();
    assert_eq!(
        bed.send(reqwest::Method::POST, &retry, Some(&bed.admin), None).await.is(200).json["done"],
        true,
        "no body"
    );
    for body in [json!({ "look": true }), json!({ "record": "00Q7" }), json!({ "record": { "object": "Lead" } })] {
        bed.post(&retry, &bed.admin, &body).await.problem(400, "body-invalid");
    }
    assert_eq!(bed.send(reqwest::Method::POST, &cancel, Some(&bed.admin), None).await.is(200).json["done"], true);
    assert_eq!(show().await["state"], "given-up");
    assert_eq!(bed.send(reqwest::Method::POST, &cancel, Some(&bed.admin), None).await.is(200).json["done"], false);
    assert_eq!(bed.post(&retry, &bed.admin, &json!({ "looked": true })).await.is(200).json["done"], false);
}
