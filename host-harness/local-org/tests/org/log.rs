//! The request log: what it shows, and what it must never contain.

use salesforce_local_org::RunningOrg;
use url::form_urlencoded;

use crate::support::{Client, Reply, Send, VERIFIER, enterprise, parameter, send};

const TOKEN: &str = "/services/oauth2/token";

async fn post(running: &RunningOrg, path: &str, content_type: &str, body: &str) -> Reply {
    let headers = vec![("content-type", content_type.to_owned())];
    send(running.base_url(), Send { method: "POST", path, headers, body: body.to_owned() }).await.unwrap()
}

/// The log as shown by the handle, the admin API and the overview page.
async fn shown(running: &RunningOrg) -> String {
    let get = |path| Send { method: "GET", path, headers: vec![], body: String::new() };
    let handle = serde_json::to_string(&running.org().requests()).unwrap();
    let admin = send(running.admin_url(), get("/requests")).await.unwrap().text;
    let page = send(running.base_url(), get("/")).await.unwrap().text;
    handle + &admin + &page
}

#[tokio::test]
async fn no_secret_of_any_request_reaches_the_log() {
    const SECRETS: [&str; 11] = [
        "access_token",
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "pass",
        "password",
        "pw",
        "refresh_token",
        "token",
    ];
    let running = enterprise().await;
    let form = "application/x-www-form-urlencoded";
    let mut sent = Vec::new();
    for (number, name) in SECRETS.into_iter().enumerate() {
        let secret = format!("s3cret-{number}=");
        let fields = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair(name, &secret)
            .finish();
        for path in [TOKEN, "/services/oauth2/revoke", "/login", "/services/data/v67.0/sobjects/Lead"] {
            post(&running, path, form, &fields).await;
            post(&running, &format!("{path}?{fields}"), form, "").await;
        }
        for path in [TOKEN, "/services/%6Fauth2/token", "/services/oauth2/token/"] {
            let json = serde_json::json!({name: secret}).to_string();
            post(&running, path, "application/json", &json).await;
        }
        sent.push(secret);
    }
    let log = shown(&running).await;
    for secret in sent {
        let bare = secret.trim_end_matches('=');
        assert!(!log.contains(bare), "the log shows {bare}");
    }
    assert!(log.contains("grant_type=urn"), "non-secret fields are shown");
}

#[tokio::test]
async fn issued_tokens_are_not_logged_whatever_the_path_spelling() {
    let running = enterprise().await;
    let app = running.app();
    for path in [TOKEN, "/services/oauth2/token/", "/services/%6Fauth2/token", "/services/oauth2/%74oken"] {
        let code = parameter(&Client::callback(&running, &[]).await, "code").unwrap();
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", &code)
            .append_pair("redirect_uri", &app.redirect_uris[0])
            .append_pair("code_verifier", VERIFIER)
            .append_pair("client_id", &app.client_id)
            .append_pair("client_secret", &app.client_secret)
            .finish();
        let reply = post(&running, path, "application/x-www-form-urlencoded", &body).await;
        assert_eq!(reply.status, 200, "{path}");
        let log = shown(&running).await;
        for secret in [
            reply.json["access_token"].as_str().unwrap(),
            reply.json["refresh_token"].as_str().unwrap(),
            code.trim_end_matches('='),
            VERIFIER,
            &app.client_secret,
        ] {
            assert!(!log.contains(secret), "{path}: the log shows {secret}");
        }
    }
}
