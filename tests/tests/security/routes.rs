//! Requests that no route allows. Held means: nothing of it was sent.

use crate::Family;
use crate::guest::{hostile, run};
use acceptance::guests;
use acceptance::scripted::{SALESFORCE, Scripted, response};
use anyhow::Result;

/// Lets the guest send a request, and notes whether anything was sent.
async fn attack(family: &mut Family, guest: &Scripted, what: &str, options: &[(&str, &str)]) {
    let before = guest.script.seen().len();
    let result = run(guest, &guest.connection, "request", options).await;
    let answered = result.map(|called| called.answer.code);
    let is_held = guest.script.seen().len() == before && answered.as_ref().is_ok_and(|code| code != "answered");
    family.attack(format!("{what}: {answered:?}"), is_held);
}

/// What the Salesforce plugin's manifest does not ask for, tried by a plugin that has this manifest.
pub async fn methods() -> Result<Family> {
    let mut family = Family::new("Salesforce, beyond the manifest's routes");
    let component = guests::with_manifest_of("plugin/plugin.toml")?;
    let guest = Scripted::start(&component, &SALESFORCE, |request| Some(response(200, request.uri().path()))).await?;
    let data = "{origin}/services/data/v64.0";
    let lead = "sobjects/Lead/00Q5e00000LstAAEAZ";
    for (method, path) in [
        ("DELETE", lead),
        ("PUT", lead),
        ("GET", lead),
        ("POST", "sobjects/Lead/00Q5e00000LstAAEAZ?_HttpMethod=DELETE"),
        ("POST", "sobjects/Lead?_HttpMethod=DELETE"),
        ("PATCH", "sobjects/Lead/00Q5e00000LstAAEAZ?_HttpMethod=DELETE"),
        ("PATCH", "sobjects/Lead/00Q5e00000LstAAEAZ?_method=DELETE"),
        ("GET", "query?q=SELECT+Id+FROM+Lead&_HttpMethod=DELETE"),
        ("POST", "query?q=SELECT+Id+FROM+Lead"),
        ("POST", "composite"),
        ("POST", "composite/"),
        ("POST", "composite/batch"),
        ("POST", "composite/sobjects"),
        ("POST", "composite/tree/Lead"),
        ("POST", "composite/graph"),
        ("PATCH", "composite/sobjects"),
        ("GET", "tooling/executeAnonymous/?anonymousBody=x"),
        ("GET", "tooling/query?q=SELECT+Id+FROM+ApexClass"),
        ("GET", "queryAll?q=SELECT+Id+FROM+Lead"),
        ("GET", "search?q=FIND"),
        ("GET", "sobjects"),
        ("GET", "sobjects/User/describe"),
        ("GET", "sobjects/Lead/describe/layouts"),
        ("GET", "limits"),
        ("POST", "sobjects/Account"),
        ("PATCH", "sobjects/Account/0015e00000LstAAEAZ"),
        ("PATCH", "sobjects/Lead/BookingId__c/x"),
        ("POST", "jobs/ingest"),
        ("POST", "actions/standard/emailSimple"),
        ("GET", "analytics/reports"),
        ("POST", "chatter/feed-elements"),
        ("GET", "wave"),
    ] {
        let url = format!("{data}/{path}");
        attack(
            &mut family,
            &guest,
            &format!("{method} {path}"),
            &[("credential", "salesforce"), ("method", method), ("url", &url)],
        )
        .await;
    }
    for path in [
        "services/data/v63.0/query?q=x",
        "services/data/v64.0/",
        "services/oauth2/userinfo",
        "services/oauth2/token",
        "services/apexrest/x",
        "services/Soap/u/64.0",
        "services/async/64.0/job",
        "id/00D/005",
        "secur/frontdoor.jsp?sid=x",
        "services",
        "",
    ] {
        let url = format!("{{origin}}/{path}");
        for method in ["GET", "POST"] {
            attack(
                &mut family,
                &guest,
                &format!("{method} /{path}"),
                &[("credential", "salesforce"), ("method", method), ("url", &url)],
            )
            .await;
        }
    }
    // The same guest is not stopped from what the manifest allows.
    let url = format!("{data}/query?q=x");
    let allowed = run(&guest, &guest.connection, "request", &[("credential", "salesforce"), ("url", &url)]).await;
    assert!(allowed.is_ok_and(|called| called.answer.code == "answered"), "nothing is allowed");
    Ok(family)
}

/// Paths that servers read in different ways.
pub async fn paths() -> Result<Family> {
    let mut family = Family::new("ambiguous paths");
    let guest = hostile().await?;
    for path in [
        "..;/oauth2/userinfo",
        "..;",
        ";/x",
        "x;y",
        "%252e%252e",
        "%252e%252e/x",
        "..%252f",
        "..%255c",
        "%25",
        "%c0%ae",
        "%c0%ae%c0%ae",
        "%ef%bc%8f",
        "%EF%BC%8E%EF%BC%8E",
        "%ef%bc%8e",
        "..%09",
        "..%20",
        "%20..",
        "..%3b",
        "..%3bx",
        "a%2fb",
        "a%2Fb",
        "a%5cb",
        "a%00",
        "%0a",
        "%0d%0ax",
        "%7f",
        "%c2%85",
        "%ff",
        "%",
        "%2",
        "%zz",
        "%e0%80%af",
        "%u002e",
        "..",
        "%2e%2e",
        "%2e",
        ".",
        "",
        "/x",
        "x/",
        "x/y",
        "%E2%80%A5",
        "%E2%88%95",
        "...",
        "....",
        "%2e%2e%2e",
        "..%c2%a0",
        "%e3%80%80",
        "..\\closed",
        "\\",
        "\\\\evil.example",
        "x#y",
        "x?y=1",
        "?open=1",
    ] {
        let url = format!("{{origin}}/open/{path}");
        attack(&mut family, &guest, path, &[("url", &url)]).await;
    }
    let ok = run(&guest, &guest.connection, "request", &[("url", "{origin}/open/team%20a%3Ab")]).await;
    assert!(ok.is_ok_and(|called| called.answer.code == "answered"), "an escaped segment is allowed");
    Ok(family)
}

/// Headers that steer servers and proxies, or carry a credential of the plugin's own.
pub async fn headers() -> Result<Family> {
    let mut family = Family::new("headers that no route lists");
    let guest = hostile().await?;
    for name in [
        "authorization",
        "proxy-authorization",
        "cookie",
        "cookie2",
        "host",
        "x-host",
        "x-forwarded-host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-prefix",
        "x-forwarded-port",
        "x-forwarded-server",
        "x-forwarded-uri",
        "forwarded",
        "via",
        "x-real-ip",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "x-original-url",
        "x-rewrite-url",
        "x-override-url",
        "x-original-uri",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "private-token",
        "x-access-token",
        "x-csrf-token",
        "x-amz-security-token",
        "x-ms-client-principal",
        "x-user",
        "x-remote-user",
        "remote-user",
        "x-tenant",
        "sforce-call-options",
        "sforce-query-options",
        "x-sfdc-session",
        "range",
        "if-range",
        "accept-charset",
        "accept-encoding",
        "content-encoding",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "connection",
        "keep-alive",
        "upgrade",
        "http2-settings",
        "expect",
        "max-forwards",
        "origin",
        "referer",
        "sec-fetch-mode",
        "pragma",
        "cache-control",
        "if-match",
        "if-none-match",
        "destination",
        "depth",
        "x-note_",
        "x_note",
        "X-NOTE ",
        " x-note",
        "x-note\r\nhost",
        "content-type",
    ] {
        let header = format!("{name}: x");
        attack(&mut family, &guest, name, &[("url", "{origin}/open/x"), ("header", &header)]).await;
    }
    let twice = [("url", "{origin}/open/x"), ("header", "accept: a/b"), ("header", "Accept: c/d")];
    attack(&mut family, &guest, "a listed header twice", &twice).await;
    for value in ["a\r\nhost: evil.example", "a\nb", "a\u{0}", "山田", "a\u{7f}", "a\u{1b}[2J"] {
        let header = format!("x-note: {value}");
        attack(&mut family, &guest, &format!("{value:?}"), &[("url", "{origin}/open/x"), ("header", &header)]).await;
    }
    let ok = run(&guest, &guest.connection, "request", &[("url", "{origin}/open/x"), ("header", "X-Note: x")]).await;
    assert!(ok.is_ok_and(|called| called.answer.code == "answered"), "a listed header is allowed");
    Ok(family)
}

/// Bodies where servers disagree about their end.
pub async fn bodies() -> Result<Family> {
    let mut family = Family::new("bodies of requests that have none");
    let guest = hostile().await?;
    for body in ["", "x", "GET /closed HTTP/1.1\r\nhost: x\r\n\r\n", "0\r\n\r\nGET /closed HTTP/1.1\r\n\r\n"] {
        attack(&mut family, &guest, &format!("GET with {body:?}"), &[("url", "{origin}/open/x"), ("body", body)]).await;
    }
    Ok(family)
}
