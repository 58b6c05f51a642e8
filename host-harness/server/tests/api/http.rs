//! HTTP itself: methods, paths, bodies that never arrive.

use reqwest::{Method, header::HeaderMap};
use rusqlite::Connection;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::bed::{BOOKINGS, Bed, MAPPING};

#[tokio::test]
async fn head_is_get_without_a_body_and_other_methods_are_405_with_those_allowed() {
    let bed = Bed::new().await;
    for path in ["/healthz", "/readyz", "/v1/openapi.json", "/v1/deliveries", "/v1/queues"] {
        let head = bed.send(Method::HEAD, path, Some(&bed.admin), None).await.is(200);
        let get = bed.get(path, &bed.admin).await.is(200);
        assert_eq!(head.text, "");
        assert_eq!(head.headers.get("content-type"), get.headers.get("content-type"), "{path}");
    }
    for (method, path, allowed) in [
        ("OPTIONS", "/v1/deliveries", "GET,HEAD"),
        ("DELETE", "/v1/deliveries", "GET,HEAD"),
        ("POST", "/healthz", "GET,HEAD"),
        ("GET", BOOKINGS, "POST"),
        ("HEAD", BOOKINGS, "POST"),
        ("PATCH", "/v1/tokens", "GET,HEAD,POST"),
        ("BREW", "/v1/teams/x", "PUT"),
        ("GET", "/hooks/calcom/t/c", "POST"),
    ] {
        let answer = bed.send(method.parse().unwrap(), path, None, None).await.is(405);
        let mut found: Vec<_> = answer.headers["allow"].to_str().unwrap().split(',').map(str::trim).collect();
        found.sort_unstable();
        assert_eq!(found.join(","), allowed, "{method} {path}");
        if method != "HEAD" {
            answer.problem(405, "method-not-allowed");
        }
    }
}

#[tokio::test]
async fn a_path_without_a_route_is_404_with_or_without_a_token() {
    let bed = Bed::new().await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/unknown",
        "/v2/teams",
        "/v1/deliveries/",
        "/v1//deliveries",
        "/healthz/",
        "/V1/deliveries",
        "/v1/teams/t/calendars/c/bookings/",
        "/hooks/calcom",
    ] {
        for token in [None, Some(bed.operator.as_str())] {
            bed.send(Method::GET, path, token, None).await.problem(404, "no-such-route");
        }
    }
}

/// Sends bytes as they are, and reads until the server closes. `is_cut` says that no more come.
async fn exchange(bed: &Bed, request: &str, is_cut: bool) -> String {
    let mut stream = TcpStream::connect(bed.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    if is_cut {
        stream.shutdown().await.unwrap();
    }
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    String::from_utf8(reply).unwrap()
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_not_kept() {
    let bed = Bed::new().await;
    let body = crate::bed::booking("b-1").to_string();
    let head = format!(
        "POST {BOOKINGS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
        bed.intake
    );
    for request in [
        // Each has a whole booking in what arrives, and says that more belongs to it.
        format!("{head}content-length: {}\r\n\r\n{body}", body.len() + 1),
        format!("{head}content-length: 10\r\n\r\n{{"),
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len()),
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{{", body.len()),
    ] {
        let reply = exchange(&bed, &request, true).await;
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 400 ") && reply.contains("body-unreadable"), "{reply}");
    }
    assert_eq!(bed.get("/v1/deliveries", &bed.admin).await.is(200).json, json!({ "deliveries": [] }));
    let whole = format!("{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert!(exchange(&bed, &whole, false).await.starts_with("HTTP/1.1 202 "));
}

#[tokio::test]
async fn a_body_without_a_token_is_not_judged() {
    let bed = Bed::new().await;
    bed.send_raw(Method::POST, BOOKINGS, HeaderMap::new(), b"{".to_vec()).await.problem(401, "token-missing");
    let other = json!({ "not": "a mapping" });
    bed.put(MAPPING, &bed.intake, &other).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_database_that_fails_is_503_and_only_the_log_says_how() {
    let bed = Bed::new().await;
    bed.map("intro-call").await;
    let change =
        |file: &str, sql: &str| Connection::open(bed.folder.path().join("data").join(file)).unwrap().execute_batch(sql);
    let ledger = crm_delivery_sqlite::DATABASE_FILE;
    change(ledger, "UPDATE mapping SET content = '{'").unwrap();
    let damaged = bed.get(MAPPING, &bed.admin).await.problem(503, "ledger-damaged");
    change(ledger, "ALTER TABLE mapping RENAME TO hidden").unwrap();
    let failed = bed.get(MAPPING, &bed.admin).await.problem(503, "ledger-database");
    change("store.sqlite3", "ALTER TABLE hooks RENAME TO hidden").unwrap();
    let hook = "/hooks/calcom/minato-team/intro-call";
    let unavailable = bed.send(Method::POST, hook, None, Some(&json!({}))).await.problem(503, "store-unavailable");
    for answer in [damaged, failed, unavailable] {
        assert_eq!(answer.headers["retry-after"], "5");
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(!detail.contains("table") && !detail.contains("sqlite") && !detail.contains("column"), "{detail}");
    }
    assert!(crate::log::has("no such table"));
}
