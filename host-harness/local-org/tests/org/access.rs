//! Versions, sessions and limits.

use salesforce_local_org::{AppAccess, Fault, OrgFile};
use serde_json::json;

use crate::support::{Client, Send, enterprise, start};

const LIMITS: &str = "/services/data/v67.0/limits";

#[tokio::test]
async fn versions_are_listed_oldest_first_without_a_token() {
    let running = enterprise().await;
    let request = Send { method: "GET", path: "/services/data", headers: vec![], body: String::new() };
    let reply = crate::support::send(running.base_url(), request).await.unwrap();
    assert_eq!((reply.status, reply.header("sforce-limit-info")), (200, None));
    let versions = reply.json.as_array().unwrap();
    assert_eq!(versions[0], json!({"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}));
    assert_eq!(versions.last().unwrap()["version"], "67.0");
}

#[tokio::test]
async fn an_invalid_token_gets_json_or_html_by_content_type() {
    let running = enterprise().await;
    let mut client = Client::connect(&running).await;
    let gone = json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]);
    client.access_token = "00D000000000000!nobody".to_owned();
    for method in ["GET", "POST"] {
        let reply = client.send(method, LIMITS, &[("content-type", "application/json")], "").await.unwrap();
        assert_eq!((reply.status, &reply.json), (401, &gone));
        assert_eq!(reply.header("sforce-limit-info"), None);
    }
    let page = client.send("POST", LIMITS, &[("content-type", "text/csv")], "").await.unwrap();
    assert_eq!((page.status, page.header("sfdc-oauth-error")), (401, Some("1703")));
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let request = Send { method: "GET", path: LIMITS, headers: vec![], body: String::new() };
    assert_eq!(crate::support::send(running.base_url(), request).await.unwrap().json, gone, "no token at all");
}

#[tokio::test]
async fn a_session_expires_only_when_idle() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for minutes in [90, 90, 90] {
        running.org().advance_clock(jiff::SignedDuration::from_mins(minutes));
        assert_eq!(client.get(LIMITS).await.status, 200);
    }
    running.org().advance_clock(jiff::SignedDuration::from_mins(121));
    assert_eq!(client.get(LIMITS).await.error(), (401, "INVALID_SESSION_ID"));
}

#[tokio::test]
async fn unknown_versions_objects_and_methods_get_their_own_errors() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for (method, path, status, code, message) in [
        ("GET", "/services/data/v99.0/limits", 404, "NOT_FOUND", "The requested resource does not exist"),
        ("GET", "/services/data/v30.0/limits", 410, "GONE", "The requested API version 30.0 has been retired."),
        (
            "GET",
            "/services/data/v67.0/sobjects/User/describe",
            404,
            "NOT_FOUND",
            "The requested resource does not exist",
        ),
        (
            "GET",
            "/services/data/v67.0/sobjects/Leed/describe",
            404,
            "NOT_FOUND",
            "The requested resource does not exist",
        ),
        ("GET", "/services/data/v67.0/nothing", 404, "NOT_FOUND", "The requested resource does not exist"),
        (
            "PUT",
            "/services/data/v67.0/sobjects/Lead",
            405,
            "METHOD_NOT_ALLOWED",
            "HTTP Method 'PUT' not allowed. Allowed are GET,HEAD,POST",
        ),
        (
            "POST",
            "/services/data/v67.0/sobjects/Lead/describe",
            405,
            "METHOD_NOT_ALLOWED",
            "HTTP Method 'POST' not allowed. Allowed are GET,HEAD",
        ),
    ] {
        let reply = client.send(method, path, &[], "").await.unwrap();
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.json, json!([{"errorCode": code, "message": message}]));
    }
    assert_eq!(
        client.get("/services/data/latest/limits").await.status,
        200,
        "`latest` is an alias of the newest version"
    );
    assert_eq!(client.get("/services/data/v67.0").await.json["sobjects"], "/services/data/v67.0/sobjects");
}

#[tokio::test]
async fn each_missing_right_of_token_user_or_edition_gets_its_own_error() {
    type Change = fn(&mut OrgFile);
    let cases: [(Change, &str, u16, &str, &str); 7] = [
        (|file| file.locked = true, LIMITS, 403, "ORG_LOCKED", "Org is locked, closed, or suspended"),
        (
            |file| file.api.enabled = false,
            LIMITS,
            403,
            "API_DISABLED_FOR_ORG",
            "The REST API is not enabled for this Organization.",
        ),
        (
            |file| file.users[0].api_enabled = false,
            LIMITS,
            403,
            "API_DISABLED_FOR_ORG",
            "API is not enabled for this Organization or Partner",
        ),
        (
            |file| file.users[0].view_setup = false,
            LIMITS,
            403,
            "INSUFFICIENT_ACCESS",
            "You do not have the level of access necessary to perform the operation you requested.",
        ),
        (
            |file| file.users[0].read_leads = false,
            "/services/data/v67.0/sobjects/Lead/describe",
            404,
            "NOT_FOUND",
            "The requested resource does not exist",
        ),
        (|file| file.app.access = AppAccess::Blocked, LIMITS, 401, "INVALID_SESSION_ID", "Session expired or invalid"),
        (|file| file.users[0].active = false, LIMITS, 401, "INVALID_SESSION_ID", "Session expired or invalid"),
    ];
    for (change, path, status, code, message) in cases {
        let running = enterprise().await;
        let client = Client::connect(&running).await;
        running.org().change(change).unwrap();
        let reply = client.get(path).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(reply.json, json!([{"errorCode": code, "message": message}]));
    }
}

#[tokio::test]
async fn a_token_without_the_api_scope_gets_its_own_error() {
    let mut file = OrgFile::enterprise().unwrap();
    file.app.scopes = vec!["id".into(), "refresh_token".into()];
    let running = start(file).await;
    let url = crate::support::authorize_url(&running, &[]).replace("scope=api+refresh_token", "scope=id");
    let callback = salesforce_local_org::visitor::allow(&url, "hanako.suzuki@example.com", "local-org").await.unwrap();
    let code = crate::support::parameter(&callback, "code").unwrap();
    let reply = Client::exchange(&running, &code, crate::support::VERIFIER).await;
    assert_eq!(reply.json["refresh_token"], serde_json::Value::Null, "the scope was not requested");
    let app = running.app();
    let client = Client {
        base: running.base_url().to_owned(),
        client_id: app.client_id,
        client_secret: app.client_secret,
        access_token: reply.json["access_token"].as_str().unwrap().to_owned(),
        refresh_token: String::new(),
    };
    let refused = client.get(LIMITS).await;
    assert_eq!(refused.error(), (401, "INVALID_SESSION_ID"));
    assert_eq!(refused.json[0]["message"], "This session is not valid for use with the REST API");
}

#[tokio::test]
async fn every_call_counts_toward_the_daily_limit() {
    let mut file = OrgFile::enterprise().unwrap();
    file.api.daily_limit = 3;
    let running = start(file).await;
    let client = Client::connect(&running).await;
    for used in 1..=3 {
        let reply = client.get(LIMITS).await;
        assert_eq!(reply.header("sforce-limit-info"), Some(format!("api-usage={used}/3").as_str()));
        assert_eq!(reply.json["DailyApiRequests"], json!({"Max": 3, "Remaining": 3 - used}));
    }
    let refused = client.get(LIMITS).await;
    assert_eq!(
        refused.json,
        json!([{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}])
    );
    assert_eq!((refused.status, refused.header("retry-after")), (403, None), "not 429, and no Retry-After");
    running.org().advance_clock(jiff::SignedDuration::from_hours(25));
    assert_eq!(client.try_refresh(&client.refresh_token).await.status, 200, "OAuth requests do not count");
    let mut client = client;
    client.refresh().await;
    assert_eq!(client.get(LIMITS).await.status, 200, "the limit covers 24 hours");
    running.org().exhaust_api_limit();
    assert_eq!(client.get(LIMITS).await.error(), (403, "REQUEST_LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn the_limit_header_can_contain_more_than_the_daily_limit() {
    let extra = "api-bursts=1/750; per-app-api-usage=17/250(appName=x)";
    let mut file = OrgFile::enterprise().unwrap();
    file.api.limit_info_extra = extra.to_owned();
    let running = start(file).await;
    let client = Client::connect(&running).await;
    let header = format!("api-usage=1/101000; {extra}");
    assert_eq!(client.get(LIMITS).await.header("sforce-limit-info"), Some(&*header));
}

#[tokio::test]
async fn oversized_uris_and_headers_get_html_errors() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let long = format!("{LIMITS}?q={}", "x".repeat(17_000));
    let reply = client.get(&long).await;
    assert_eq!(reply.status, 414);
    assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    let large = "x".repeat(17_000);
    assert_eq!(client.send("GET", LIMITS, &[("x-large", &large)], "").await.unwrap().status, 431);
    let logged = running.org().requests();
    let last: Vec<_> = logged[logged.len() - 2..].iter().map(|entry| (entry.path.as_str(), entry.status)).collect();
    assert_eq!(last, [(LIMITS, Some(414)), (LIMITS, Some(431))], "the log shows what the edge rejected");
    running.org().add_fault(Fault::html(502));
    assert_eq!(client.get(&long).await.status, 502, "faults apply to it too");
}

#[tokio::test]
async fn responses_are_pretty_printed_or_compressed_on_request() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let pretty = client.send("GET", LIMITS, &[("X-PrettyPrint", "1")], "").await.unwrap();
    assert!(pretty.text.contains("\n  \"DailyApiRequests\" : {\n    \"Max\" : 101000,\n"), "{}", pretty.text);
    let describe = "/services/data/v67.0/sobjects/Lead/describe";
    let plain = client.get(describe).await;
    let packed = client.send("GET", describe, &[("accept-encoding", "gzip, deflate")], "").await.unwrap();
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.bytes.len() * 4 < plain.bytes.len());
    let mut unpacked = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed.bytes.as_ref()), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain.text);
}
