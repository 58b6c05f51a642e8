//! Client authentication, formats of token responses, and the expiry of grants.

use jiff::SignedDuration;
use salesforce_local_org::{OrgFile, RefreshPolicy};
use url::form_urlencoded;

use crate::support::{Client, Send, authorize_url, enterprise, parameter, post_form, send, start};

const REVOKE: &str = "/services/oauth2/revoke";
const INVALID: (u16, &str, &str) = (400, "invalid_token", "Token was invalid");

#[tokio::test]
async fn an_expired_token_cannot_be_revoked() {
    let mut file = OrgFile::enterprise().unwrap();
    file.app.refresh_policy = RefreshPolicy::IdleDays(30);
    let running = start(file).await;
    let client = Client::connect(&running).await;
    let base = running.base_url();
    running.org().advance_clock(SignedDuration::from_mins(121));
    assert_eq!(post_form(base, REVOKE, &[("token", &client.access_token)]).await.oauth(), INVALID, "expired by disuse");
    running.org().advance_clock(SignedDuration::from_hours(24 * 31));
    let fields = [
        ("token", client.refresh_token.as_str()),
        ("client_id", &client.client_id),
        ("client_secret", &client.client_secret),
    ];
    let looked_at = post_form(base, "/services/oauth2/introspect", &fields).await;
    assert_eq!(looked_at.json, serde_json::json!({"active": false}));
    assert_eq!(client.revoke().await.oauth(), INVALID, "expired by policy");
}

#[tokio::test]
async fn a_refresh_token_lives_as_long_as_the_policy_allows() {
    for (policy, survives, dies) in [
        ("{ lifetime-hours = 5 }", 4, 6),
        ("{ lifetime-days = 10 }", 9 * 24, 11 * 24),
        ("{ lifetime-months = 2 }", 59 * 24, 63 * 24),
        ("{ idle-hours = 5 }", 4, 6),
        ("{ idle-days = 30 }", 29 * 24, 31 * 24),
        ("{ idle-months = 1 }", 28 * 24 - 1, 32 * 24),
        ("{ idle-days = 4294967295 }", 1, -1),
    ] {
        let file = || OrgFile::parse(&format!("[app]\nrefresh-policy = {policy}")).unwrap();
        for (hours, status) in [(survives, 200), (dies, 400)].into_iter().filter(|(hours, _)| *hours > 0) {
            let running = start(file()).await;
            let client = Client::connect(&running).await;
            running.org().advance_clock(SignedDuration::from_hours(hours));
            assert_eq!(client.try_refresh(&client.refresh_token).await.status, status, "{policy} after {hours} h");
        }
        let running = start(file()).await;
        let client = Client::connect(&running).await;
        for _ in 0..2 {
            running.org().advance_clock(SignedDuration::from_hours(survives));
            let status = client.try_refresh(&client.refresh_token).await.status;
            assert!(status == 200 || policy.contains("lifetime"), "{policy}: use extends an idle policy");
        }
    }
}

#[tokio::test]
async fn a_short_verifier_is_rejected_even_if_it_matches() {
    use base64::Engine;
    use sha2::Digest;
    let running = enterprise().await;
    // Salesforce's own tools send 171 characters, more than RFC 7636 allows, and succeed.
    for (length, outcome) in
        [(42, (400, "invalid_grant", "invalid code verifier")), (43, (200, "", "")), (171, (200, "", ""))]
    {
        let verifier = "v".repeat(length);
        let challenge = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(&verifier));
        let url = authorize_url(&running, &[]);
        let own = parameter(&url, "code_challenge").unwrap();
        let url = url.replace(&own, &challenge);
        let callback =
            salesforce_local_org::visitor::allow(&url, "hanako.suzuki@example.com", "local-org").await.unwrap();
        let code = parameter(&callback, "code").unwrap();
        assert_eq!(Client::exchange(&running, &code, &verifier).await.oauth(), outcome, "{length}");
    }
}

#[tokio::test]
async fn a_token_response_has_the_requested_format() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for (format, accept, content_type) in [
        (None, "*/*", "application/json;charset=UTF-8"),
        (Some("json"), "application/xml", "application/json;charset=UTF-8"),
        (Some("urlencoded"), "*/*", "application/x-www-form-urlencoded;charset=UTF-8"),
        (Some("xml"), "*/*", "application/xml;charset=UTF-8"),
        (None, "application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=UTF-8"),
        (None, "application/xml", "application/xml;charset=UTF-8"),
    ] {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", &client.refresh_token)
            .append_pair("client_id", &client.client_id)
            .append_pair("client_secret", &client.client_secret);
        if let Some(format) = format {
            form.append_pair("format", format);
        }
        let headers =
            vec![("accept", accept.to_owned()), ("content-type", "application/x-www-form-urlencoded".to_owned())];
        let request = Send { method: "POST", path: "/services/oauth2/token", headers, body: form.finish() };
        let reply = send(running.base_url(), request).await.unwrap();
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)));
        let token = match content_type.split(';').next().unwrap() {
            "application/json" => reply.json["access_token"].as_str().unwrap().to_owned(),
            "application/xml" => {
                let (_, rest) = reply.text.split_once("<OAuth>").unwrap();
                let (_, rest) = rest.split_once("<access_token>").unwrap();
                rest.split_once("</access_token>").unwrap().0.to_owned()
            }
            _ => parameter(&format!("http://x/?{}", reply.text), "access_token").unwrap(),
        };
        let client = Client { access_token: token, ..client.clone() };
        assert_eq!(client.get("/services/data/v67.0/limits").await.status, 200, "{content_type}");
    }
}

#[tokio::test]
async fn body_credentials_override_the_header_and_a_matching_id_alone_does_not() {
    use base64::Engine;
    let running = enterprise().await;
    let app = running.app();
    let client = Client::connect(&running).await;
    let (id, secret) = (app.client_id.as_str(), app.client_secret.as_str());
    let invalid = (400, "invalid_client", "invalid client credentials");
    for (header, body, outcome) in [
        (Some((id, secret)), vec![], (200, "", "")),
        (Some((id, secret)), vec![("client_id", id)], (200, "", "")),
        (Some((id, "wrong")), vec![("client_id", id), ("client_secret", secret)], (200, "", "")),
        (Some((id, secret)), vec![("client_id", id), ("client_secret", "wrong")], invalid),
        (Some((id, "wrong")), vec![("client_id", id)], invalid),
        (Some((id, secret)), vec![("client_id", "other")], (400, "invalid_client_id", "client identifier invalid")),
        (None, vec![("client_id", id)], invalid),
    ] {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        if let Some((id, secret)) = header {
            let pair = base64::prelude::BASE64_STANDARD.encode(format!("{id}:{secret}"));
            headers.push(("authorization", format!("Basic {pair}")));
        }
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", &client.refresh_token);
        let body = form.extend_pairs(&body).finish();
        let path = "/services/oauth2/token";
        let reply = send(running.base_url(), Send { method: "POST", path, headers, body: body.clone() }).await.unwrap();
        assert_eq!(reply.oauth(), outcome, "{header:?} {body}");
    }
}
