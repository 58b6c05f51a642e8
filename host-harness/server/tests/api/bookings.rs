//! Taking bookings.

use std::num::NonZeroU32;

use crm_delivery::{Ledger as _, LedgerError};
use futures_util::{FutureExt as _, future::join_all};
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap},
};
use rusqlite::{Connection, TransactionBehavior};
use serde_json::{Value, json};

use crate::bed::{BOOKINGS, Bed, CALENDAR, TEAM, booking, encoded};

fn bookings(team: &str, calendar: &str) -> String {
    format!("/v1/teams/{}/calendars/{}/bookings", encoded(team), encoded(calendar))
}

#[tokio::test]
async fn a_new_change_is_202_a_repeat_is_200_and_another_content_is_409_with_what_differs() {
    let bed = Bed::new().await;
    let sent = booking("b-1");
    let new = bed.post(BOOKINGS, &bed.intake, &sent).await.is(202).json;
    assert_eq!((&new["booking"], &new["change"]), (&json!("b-1"), &json!("1")));
    assert_eq!(new["deliveries"][0]["integration"], "salesforce-leads");
    assert_eq!(bed.post(BOOKINGS, &bed.intake, &sent).await.is(200).json, new);
    let mut later = sent.clone();
    later["changed_at"] = "2026-11-24T09:05:10Z".into();
    assert_eq!(bed.post(BOOKINGS, &bed.intake, &later).await.is(200).json, new, "a repeat may have another time");
    let mut differs = sent.clone();
    differs["guest"]["email"] = "another@nordwind.example".into();
    differs["answers"][0]["value"] = "Head of Sales".into();
    let problem = bed.post(BOOKINGS, &bed.intake, &differs).await.problem(409, "change-differs").json;
    assert_eq!(problem["paths"], json!(["answers[0].value", "guest.email"]));
    differs["change_id"] = "2".into();
    bed.post(BOOKINGS, &bed.intake, &differs).await.is(202);
    let mut unnamed = booking("b-2");
    unnamed["change_id"] = Value::Null;
    let new = bed.post(BOOKINGS, &bed.intake, &unnamed).await.is(202).json;
    assert_eq!(bed.post(BOOKINGS, &bed.intake, &unnamed).await.is(200).json, new);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_400_with_its_path_and_the_reason() {
    let bed = Bed::new().await;
    let with = |pointer: &str, value: Value| {
        let mut changed = booking("b-1");
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string().into_bytes()
    };
    for (body, path, reason) in [
        (with("/guest/email", json!(7)), "guest.email", "expected a string"),
        (with("/answers/3/value", json!({})), "answers[3].value", "expected text or list"),
        (with("/start", json!("2026-12-02 08:30")), "start", "expected RFC 3339"),
        (with("/time_zone", json!("JST")), "time_zone", "expected an IANA name"),
        (with("/team/id", json!("other")), "team.id", "expected `minato-team`"),
        (with("/calendar/id", json!("other")), "calendar.id", "expected `intro-call`"),
        (b"{\"kind\":".to_vec(), "kind", "EOF while parsing"),
        (b"".to_vec(), "", "EOF while parsing"),
        (b"[]".to_vec(), "", "expected"),
        (vec![b'"', 0xFF, b'"'], "", "expected JSON in UTF-8"),
        ([with("/comment", json!("")), b"x".to_vec()].concat(), "", "trailing characters"),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", bed.intake).parse().unwrap());
        headers.insert(CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        let problem = bed.send_raw(Method::POST, BOOKINGS, headers, body).await.problem(400, "body-invalid").json;
        assert_eq!(problem["paths"].get(0).and_then(Value::as_str).unwrap_or_default(), path, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{problem}");
        assert_eq!(problem["status"], 400);
    }
    assert_eq!(bed.get("/v1/deliveries", &bed.admin).await.json["deliveries"], json!([]));
}

#[tokio::test]
async fn a_booking_of_an_unknown_team_is_404_until_the_team_exists() {
    let bed = Bed::new().await;
    let mut sent = booking("b-1");
    sent["team"]["id"] = "new".into();
    bed.post(&bookings("new", CALENDAR), &bed.operator, &sent).await.problem(404, "no-such-team");
    bed.team("new").await;
    bed.post(&bookings("new", CALENDAR), &bed.operator, &sent).await.is(202);
}

#[tokio::test]
async fn a_body_is_json_of_at_most_a_mebibyte() {
    let bed = Bed::new().await;
    let send = async |kind: Option<&str>, body: Vec<u8>| {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", bed.intake).parse().unwrap());
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        }
        bed.send_raw(Method::POST, BOOKINGS, headers, body).await
    };
    let padded = |id: &str, length: usize| {
        let mut body = booking(id).to_string().into_bytes();
        body.resize(length, b' ');
        body
    };
    let json = Some("application/json");
    send(json, padded("b-1", crm_server::MOST_BODY_BYTES)).await.is(202);
    send(json, padded("b-2", crm_server::MOST_BODY_BYTES + 1)).await.problem(413, "body-too-large");
    let body = || booking("b-3").to_string().into_bytes();
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("json"), Some("text/json")] {
        send(kind, body()).await.problem(415, "media-type");
    }
    for kind in ["application/json;charset=utf-8", "Application/JSON", "application/vnd.booking+json"] {
        send(Some(kind), body()).await;
    }
    send(json, body()).await.is(200);
}

#[tokio::test]
async fn a_team_that_sends_too_fast_is_asked_to_wait() {
    let bed = Bed::with(|service| service.pace(NonZeroU32::MIN)).await;
    let ids: Vec<_> = (0..40).map(|number| booking(&format!("b-{number}"))).collect();
    let answers = join_all(ids.iter().map(|sent| bed.post(BOOKINGS, &bed.intake, sent))).await;
    let refused =
        answers.into_iter().filter(|answer| answer.status != 202).map(|answer| answer.problem(429, "too-fast"));
    let refused: Vec<_> = refused.collect();
    assert!(!refused.is_empty());
    assert!(refused.iter().all(|answer| answer.headers["retry-after"] == "1" && answer.json["retry_after"] == 1));
    bed.team("other").await;
    let mut sent = booking("b-1");
    sent["team"]["id"] = "other".into();
    bed.post(&bookings("other", CALENDAR), &bed.operator, &sent).await.is(202);
}

#[tokio::test]
async fn a_ledger_that_is_busy_is_503_with_a_time_to_come_back() {
    let bed = Bed::new().await;
    bed.accept("b-0").await;
    let mut database =
        Connection::open(bed.folder.path().join("data").join(crm_delivery_sqlite::DATABASE_FILE)).unwrap();
    let lock = database.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    // Each waits for the lock, until no more may.
    while !matches!(bed.ledger.put_note("filler", "{}").now_or_never(), Some(Err(LedgerError::Busy))) {}
    let busy = bed.post(BOOKINGS, &bed.intake, &booking("b-1")).await.problem(503, "ledger-busy");
    assert_eq!((&busy.headers["retry-after"], &busy.json["retry_after"]), (&"1".parse().unwrap(), &json!(1)));
    bed.send(Method::GET, "/readyz", None, None).await.is(200);
    drop(lock);
    while bed.post(BOOKINGS, &bed.intake, &booking("b-1")).await.status == 503 {}
    bed.post(BOOKINGS, &bed.intake, &booking("b-1")).await.is(200);
}

#[tokio::test]
async fn ids_of_any_characters_and_200_bytes_go_through_paths() {
    let bed = Bed::new().await;
    for (team, calendar) in [
        ("港区/営業 部%2F?#".to_owned(), "導入相談（30分）".to_owned()),
        ("t".repeat(200), "c".repeat(200)),
        (format!("{}ab", "変".repeat(66)), "..".to_owned()),
        ("a+b c&d=e".to_owned(), "\"'<>\\".to_owned()),
    ] {
        bed.team(&team).await;
        let token = bed.token(Some(&team), "admin").await;
        let mut sent = booking("予約 1/2");
        sent["team"]["id"] = team.clone().into();
        sent["calendar"]["id"] = calendar.clone().into();
        // reqwest would resolve `..`; its percent-encoded form is a segment like any other.
        let path = bookings(&team, &calendar);
        if calendar != ".." {
            let answer = bed.post(&path, &token, &sent).await.is(202).json;
            let shown =
                bed.get(&format!("/v1/deliveries/{}", answer["deliveries"][0]["id"]), &token).await.is(200).json;
            assert_eq!(
                (&shown["team"], &shown["calendar"], &shown["booking"]),
                (&json!(team), &json!(calendar), &json!("予約 1/2"))
            );
        }
    }
    bed.put(&format!("/v1/teams/{}", "t".repeat(201)), &bed.operator, &json!({ "name": "x" }))
        .await
        .problem(400, "body-invalid");
    bed.put("/v1/teams/a%0Ab", &bed.operator, &json!({ "name": "x" })).await.problem(400, "body-invalid");
    bed.put("/v1/teams/%FF", &bed.operator, &json!({ "name": "x" })).await.problem(400, "path-invalid");
    let long = bookings(TEAM, &"c".repeat(201));
    let problem = bed.post(&long, &bed.intake, &booking("b-1")).await.problem(400, "body-invalid").json;
    assert_eq!(problem["paths"], json!(["calendar.id"]));
}

#[tokio::test]
async fn a_hundred_requests_at_once_are_each_kept_once() {
    let bed = Bed::new().await;
    let sent: Vec<_> = (0..100).map(|number| booking(&format!("b-{}", number % 50))).collect();
    let answers = join_all(sent.iter().map(|sent| bed.post(BOOKINGS, &bed.intake, sent))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(202), count(200)), (50, 50));
    let listed = bed.get("/v1/deliveries?limit=500", &bed.admin).await.is(200).json;
    assert_eq!(listed["deliveries"].as_array().unwrap().len(), 50);
}
