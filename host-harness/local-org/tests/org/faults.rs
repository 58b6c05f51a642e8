//! Injected faults, the admin API, and the overview page.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use salesforce_local_org::{Clock, Effect, Fault, Options, OrgFile};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use crate::support::{Client, Send, begin_create, enterprise, send};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";

fn lead() -> Value {
    json!({"LastName": "山田", "Company": "さくら商事"})
}

#[tokio::test]
async fn a_dropped_connection_commits_only_if_the_fault_says_so() {
    for (fault, leads) in [(Fault::drop_before_commit(), 0), (Fault::drop_after_commit(), 1)] {
        let running = enterprise().await;
        let client = Client::connect(&running).await;
        running.org().add_fault(fault.on("POST", LEADS));
        let body = lead().to_string();
        client.send("POST", LEADS, &[("content-type", "application/json")], &body).await.unwrap_err();
        assert_eq!(running.org().leads().len(), leads);
        let dropped = running.org().requests();
        assert_eq!(dropped.last().unwrap().status, None);
        assert_eq!(client.get("/services/data/v67.0/limits").await.status, 200, "the next request works");
    }
}

#[tokio::test]
async fn a_request_with_a_dead_connection_can_be_carried_out_later() {
    let start: Timestamp = "2026-12-02T00:00:00Z".parse().unwrap();
    let options = Options { clock: Clock::fixed(start), ..Options::default() };
    let running = salesforce_local_org::serve(OrgFile::enterprise().unwrap(), options).await.unwrap();
    let client = Client::connect(&running).await;
    for seconds in [300, 90] {
        running.org().add_fault(Fault::commit_late(seconds).on("POST", LEADS));
        let body = json!({"LastName": seconds.to_string(), "Company": "x"}).to_string();
        client.send("POST", LEADS, &[("content-type", "application/json")], &body).await.unwrap_err();
    }
    let created = || -> Vec<(String, String)> {
        let text = |lead: &Value, name: &str| lead[name].as_str().unwrap().to_owned();
        running.org().leads().iter().map(|lead| (text(lead, "LastName"), text(lead, "CreatedDate"))).collect()
    };
    running.org().advance_clock(SignedDuration::from_secs(89));
    assert_eq!(created(), []);
    running.org().advance_clock(SignedDuration::from_secs(3_600));
    let expected = [("90", "2026-12-02T00:01:30.000+0000"), ("300", "2026-12-02T00:05:00.000+0000")];
    assert_eq!(created(), expected.map(|(name, time)| (name.to_owned(), time.to_owned())));
}

#[tokio::test]
async fn a_truncated_response_has_started() {
    for effect in [Effect::Truncate { bytes: 10 }, Effect::WrongLength { excess: 7 }] {
        let running = enterprise().await;
        let client = Client::connect(&running).await;
        running.org().add_fault(Fault::new(effect.clone()).on("POST", LEADS));
        let mut answer = Vec::new();
        let mut stream = begin_create(&running, &client, &lead().to_string()).await;
        // Some systems distinguish a reset connection from a closed one.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
        let whole = json!({"id": running.org().leads()[0]["Id"], "success": true, "errors": []}).to_string();
        match effect {
            Effect::Truncate { .. } => assert_eq!(body, format!("A\r\n{}\r\n", &whole[..10]), "no last chunk"),
            _ => {
                assert!(head.contains(&format!("content-length: {}", whole.len() + 7)), "{head}");
                assert_eq!(body, whole);
            }
        }
        running.org().add_fault(Fault::new(effect).on("POST", LEADS));
        let values = json!({"LastName": "佐藤", "Company": "x"}).to_string();
        client.send("POST", LEADS, &[("content-type", "application/json")], &values).await.unwrap_err();
        assert_eq!(running.org().leads().len(), 2, "the Lead exists, although the client sees an error");
    }
}

#[tokio::test]
async fn injected_responses_replace_the_orgs_own() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for (fault, status, content_type, part) in [
        (Fault::html(503), 503, Some("text/html;charset=UTF-8"), "maintenance"),
        (Fault::html(500), 500, Some("text/html;charset=UTF-8"), "<html>"),
        (
            Fault::api_error(503, "SERVER_UNAVAILABLE", "Server too busy"),
            503,
            Some("application/json;charset=UTF-8"),
            "Server too busy",
        ),
        (
            Fault::api_error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
            403,
            Some("application/json;charset=UTF-8"),
            "LongTxn",
        ),
        (Fault::api_error(400, "NEVER_SEEN_BEFORE", "x"), 400, Some("application/json;charset=UTF-8"), "NEVER_SEEN"),
        (Fault::redirect("https://elsewhere.example/"), 302, None, ""),
    ] {
        running.org().add_fault(fault.on("POST", "/services/data/*/sobjects/Lead"));
        let reply = client.post(LEADS, &lead()).await;
        assert_eq!((reply.status, reply.header("content-type")), (status, content_type));
        assert!(reply.text.contains(part), "{}", reply.text);
    }
    assert!(running.org().leads().is_empty());
    let lock = "unable to obtain exclusive access to this record or 1 records: 00Q5i0000000001";
    running.org().add_fault(Fault::api_error(400, "UNABLE_TO_LOCK_ROW", lock).on("POST", LEADS));
    assert_eq!(client.post(LEADS, &lead()).await.error(), (400, "UNABLE_TO_LOCK_ROW"));
    assert_eq!(client.post(LEADS, &lead()).await.status, 201, "once only");
}

#[tokio::test]
async fn an_injected_500_can_hide_a_created_lead() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let effect = Effect::Answer { status: 500, headers: vec![], body: String::new(), after_commit: true };
    running.org().add_fault(Fault::new(effect).on("POST", LEADS));
    assert_eq!(client.post(LEADS, &lead()).await.status, 500);
    assert_eq!(running.org().leads().len(), 1);
}

#[tokio::test]
async fn a_gzip_bomb_is_small_on_the_wire() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    running.org().add_fault(Fault::new(Effect::GzipBomb { mebibytes: 64 }));
    let reply = client.get(&format!("{LEADS}/describe")).await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert!(reply.bytes.len() < 1 << 20, "{} bytes", reply.bytes.len());
    let mut unpacked = flate2::read::GzDecoder::new(reply.bytes.as_ref());
    assert_eq!(std::io::copy(&mut unpacked, &mut std::io::sink()).unwrap(), 64 << 20);
}

#[tokio::test]
async fn a_delay_precedes_the_response() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    running.org().add_fault(Fault::delay(Duration::from_millis(120)));
    let begin = Instant::now();
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 200);
    assert!(begin.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn a_body_can_drip() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    running.org().add_fault(Fault::new(Effect::Drip { bytes: 200, pause_ms: 15 }));
    let begin = Instant::now();
    let reply = client.get("/services/data/v67.0/limits").await;
    assert!(reply.json["DailyApiRequests"].is_object());
    let pieces = u32::try_from(reply.bytes.len().div_ceil(200)).unwrap();
    assert!(pieces > 1 && begin.elapsed() >= Duration::from_millis(15) * (pieces - 1));
}

#[tokio::test]
async fn a_token_response_can_name_a_foreign_host() {
    let options = Options { instance_url: Some("https://evil.example".into()), ..Options::default() };
    let running = salesforce_local_org::serve(OrgFile::enterprise().unwrap(), options).await.unwrap();
    let code = Client::code(&running).await;
    let reply = Client::exchange(&running, &code, crate::support::VERIFIER).await;
    assert_eq!(reply.json["instance_url"], "https://evil.example");
}

async fn admin(url: &str, method: &str, path: &str, body: &str) -> crate::support::Reply {
    let headers = vec![("content-type", "application/json".to_owned())];
    send(url, Send { method, path, headers, body: body.to_owned() }).await.unwrap()
}

#[tokio::test]
async fn the_admin_api_sets_faults_and_lists_leads_and_requests() {
    let running = enterprise().await;
    let mut client = Client::connect(&running).await;
    let url = running.admin_url().to_owned();
    let fault = r#"{"method":"GET","path":"*/limits","times":2,"effect":{"kind":"answer","status":503,"body":"busy"}}"#;
    assert_eq!(admin(&url, "POST", "/faults", fault).await.status, 201);
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 503);
    assert_eq!(admin(&url, "GET", "/faults", "").await.json[0]["times"], 1);
    assert_eq!(admin(&url, "DELETE", "/faults", "").await.status, 204);
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 200);
    let misspelled = admin(&url, "POST", "/faults", r#"{"methd":"GET"}"#).await;
    assert!(misspelled.status == 422 && misspelled.text.contains("methd"), "{}", misspelled.text);

    client.post(LEADS, &lead()).await;
    assert_eq!(admin(&url, "GET", "/leads", "").await.json[0]["LastName"], "山田");
    let requests = admin(&url, "GET", "/requests", "").await;
    let last = requests.json.as_array().unwrap().last().unwrap();
    assert_eq!((last["path"].as_str(), last["status"].as_u64()), (Some(LEADS), Some(201)));
    assert_eq!(last["user"], "hanako.suzuki@example.com");
    for secret in client.secrets() {
        assert!(!requests.text.contains(&secret));
    }
    assert_eq!(admin(&url, "DELETE", "/requests", "").await.status, 204);
    assert!(running.org().requests().is_empty());

    assert_eq!(admin(&url, "POST", "/clock", r#"{"seconds":86400}"#).await.status, 204);
    assert!(running.org().now() > Timestamp::now());
    client.refresh().await;
    assert_eq!(admin(&url, "POST", "/tokens/expire", "").await.status, 204);
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 401);
    assert_eq!(client.refresh().await.status, 200);
    assert_eq!(admin(&url, "POST", "/tokens/revoke", "").await.status, 204);
    assert_eq!(client.try_refresh(&client.refresh_token).await.status, 400);
    assert_eq!(admin(&url, "POST", "/callbacks", r#"{"url":"http://127.0.0.1:1/cb"}"#).await.status, 204);
    assert!(running.app().redirect_uris.contains(&"http://127.0.0.1:1/cb".to_owned()));
}

#[tokio::test]
async fn the_overview_page_shows_and_escapes_leads_and_requests() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    client
        .post(LEADS, &json!({"LastName": "<script>alert(1)</script>", "Company": "さくら商事", "Phone": "03-1"}))
        .await;
    let request = Send { method: "GET", path: "/", headers: vec![], body: String::new() };
    let page = send(running.base_url(), request).await.unwrap();
    assert_eq!(page.status, 200);
    assert!(page.text.contains("さくら商事") && page.text.contains("POST /services/data/v67.0/sobjects/Lead"));
    assert!(!page.text.contains("<script>") && page.text.contains("&#60;script&#62;"), "{}", page.text);
}

#[tokio::test]
async fn an_org_starts_on_loopback_only_and_explains_failures() {
    let file = || OrgFile::enterprise().unwrap();
    let open = Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() };
    assert_eq!(salesforce_local_org::serve(file(), open).await.unwrap_err().code(), "org-not-loopback");
    let running = enterprise().await;
    let taken =
        Options { listen: running.base_url().trim_start_matches("http://").parse().unwrap(), ..Options::default() };
    assert_eq!(salesforce_local_org::serve(file(), taken).await.unwrap_err().code(), "org-listen");
}
