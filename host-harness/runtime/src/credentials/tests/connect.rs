use super::*;
use crate::manifest::OAuthStage;

#[tokio::test]
async fn a_person_connects_with_pkce_and_state() {
    let world = World::new();
    let broker = world.broker();
    let pending = broker.begin(request(&team(), "acme", "https://id.acme.example/", REDIRECT)).unwrap();
    let url = pending.authorize_url().clone();
    assert_eq!(url.as_str().split('?').next(), Some("https://id.acme.example/o/allow"));
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], "client");
    assert_eq!(query["redirect_uri"], REDIRECT);
    assert_eq!(query["scope"], "leads offline");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["state"], pending.state().expose());
    assert_eq!(query["prompt"], "login consent", "what the manifest adds");
    assert_eq!(url.query_pairs().count(), query.len(), "each parameter once (RFC 6749, section 3.1)");

    let connected = broker.finish(pending, &format!("code=a%3D%3D&state={}", query["state"]), &BROWSER).await.unwrap();
    assert_eq!(connected.login_host.unwrap().to_string(), "https://id.acme.example");
    assert_eq!(connected.origin.to_string(), "https://one.api.acme.example");
    assert_eq!(connected.scopes, ["leads", "offline"], "those asked for, where the answer does not tell");
    let [exchange] = &world.provider.seen()[..] else { panic!("one request") };
    assert_eq!(exchange.url, "https://id.acme.example/o/token");
    assert_eq!(exchange.authorization.as_deref(), Some("Basic Y2xpZW50OmNhbmFyeS1jbGllbnQ="));
    assert_eq!(exchange.form["grant_type"], "authorization_code");
    assert_eq!(exchange.form["code"], "a==");
    assert_eq!(exchange.form["redirect_uri"], REDIRECT);
    assert_eq!(super::super::oauth::challenge(&Secret::new(&*exchange.form["code_verifier"])), query["code_challenge"]);
    assert!(!exchange.form.contains_key("client_secret"), "the secret is sent in one way only");

    let opened = broker.open(&team(), "acme").await.unwrap();
    assert_eq!(opened.origin().to_string(), "https://one.api.acme.example");
    assert_eq!(opened.attribute("base"), Some("https://one.api.acme.example"), "the checked origin");
    assert_eq!(opened.attribute("account"), Some("4711"));
    assert_eq!(opened.attribute("expires_in"), None, "only what the manifest exposes");
    let mut headers = http::HeaderMap::new();
    opened.attach(&mut headers);
    assert_eq!(headers["x-acme-token"], "canary-access-1");
    assert!(headers["x-acme-token"].is_sensitive());
    assert!(opened.cures_unauthorized(b"token expired"));
    assert!(!opened.cures_unauthorized(b"{\"why\":\"API is off for this plan\"}"));
}

#[tokio::test]
async fn a_callback_for_another_request_is_refused_and_nothing_is_sent() {
    let world = World::new();
    let broker = world.broker();
    for (query, code) in [
        ("code=x", "connect-state-mismatch"),
        ("code=x&state=", "connect-state-mismatch"),
        ("code=x&state=forged", "connect-state-mismatch"),
        ("code=x&state=STATE&state=STATE", "connect-callback"),
        ("code=x&code=y&state=STATE", "connect-callback"),
        ("code=&state=STATE", "connect-callback"),
        ("state=STATE", "connect-callback"),
        ("error=access_denied&state=forged", "connect-state-mismatch"),
        ("error=access_denied&state=STATE", "connect-refused"),
        ("error=access-denied&error_description=no&code=x&state=STATE", "connect-refused"),
    ] {
        let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
        let query = query.replace("STATE", pending.state().expose());
        assert_eq!(broker.finish(pending, &query, &BROWSER).await.unwrap_err().code(), code, "{query}");
    }
    assert!(world.provider.seen().is_empty());
}

#[tokio::test]
async fn a_refusal_keeps_the_servers_message() {
    let world = World::new();
    let broker = world.broker();
    let begin = || broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();

    let pending = begin();
    let query = format!("error=access_denied&error_description=end-user%20denied&state={}", pending.state().expose());
    let ConnectError::Refused(error) = broker.finish(pending, &query, &BROWSER).await.unwrap_err() else {
        panic!("refused")
    };
    assert_eq!((error.stage, error.error.as_str(), error.http_status), (OAuthStage::Authorize, "access_denied", None));
    assert_eq!(error.description.as_deref(), Some("end-user denied"));

    world
        .provider
        .reply(Reply::Answer(400, r#"{"error":"invalid_client","error_description":"canary-client is wrong"}"#));
    let pending = begin();
    let query = format!("code=x&state={}", pending.state().expose());
    let ConnectError::Refused(error) = broker.finish(pending, &query, &BROWSER).await.unwrap_err() else {
        panic!("refused")
    };
    assert_eq!(
        (error.stage, error.error.as_str(), error.http_status),
        (OAuthStage::Exchange, "invalid_client", Some(400))
    );
    assert_eq!(error.description.as_deref(), Some("[redacted]"));
    assert_eq!(broker.open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable, "nothing was kept");
}

#[tokio::test]
async fn an_unusable_token_response_connects_nothing() {
    let world = World::new();
    let broker = world.broker();
    for (reply, code) in [
        (Reply::Answer(200, "<html>"), "connect-invalid-answer"),
        (Reply::Answer(200, r#"{"access_token":"access-token-x"}"#), "connect-origin"),
        (
            Reply::Answer(200, r#"{"access_token":"access-token-x","api_base":"https://evil.example"}"#),
            "connect-origin",
        ),
        (
            Reply::Answer(
                200,
                r#"{"access_token":"access-token-x","api_base":"https://x.api.acme.example.evil.test"}"#,
            ),
            "connect-origin",
        ),
        (
            Reply::Answer(200, r#"{"access_token":"access-token-x","api_base":"https://a@x.api.acme.example"}"#),
            "connect-origin",
        ),
        (
            Reply::Answer(200, r#"{"access_token":"access-token-x","api_base":"http://127.0.0.1:4000"}"#),
            "connect-origin",
        ),
        (Reply::Answer(302, ""), "connect-refused"),
        (
            Reply::Answer(201, r#"{"access_token":"access-token-x","api_base":"https://x.api.acme.example"}"#),
            "connect-refused",
        ),
        (no_answer(), "connect-no-answer"),
    ] {
        world.provider.reply(reply);
        let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
        let query = format!("code=x&state={}", pending.state().expose());
        assert_eq!(broker.finish(pending, &query, &BROWSER).await.unwrap_err().code(), code);
        assert_eq!(broker.open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable);
    }
}

#[test]
fn an_impossible_connection_is_refused_before_anyone_is_sent_to_the_server() {
    let world = World::new();
    let broker = world.broker();
    for (credential, login_host, redirect, code) in [
        ("other", "https://id.acme.example", REDIRECT, "connect-unknown-credential"),
        ("acme", "https://evil.example", REDIRECT, "connect-login-host"),
        ("acme", "http://127.0.0.1:4000", REDIRECT, "connect-login-host"),
        ("acme", "id.acme.example", REDIRECT, "connect-login-host"),
        ("acme", "https://id.acme.example", "http://evil.example/callback", "connect-redirect-uri"),
        ("acme", "https://id.acme.example", "/callback", "connect-redirect-uri"),
    ] {
        let error = broker.begin(request(&team(), credential, login_host, redirect)).unwrap_err();
        assert_eq!(error.code(), code, "{login_host} {redirect}");
    }
}

#[tokio::test]
async fn browser_and_exchange_go_to_a_test_override() {
    let mut world = World::new();
    world.policy = r#"
        [[test_override]]
        pattern = "https://id.acme.example"
        origin = "http://127.0.0.1:4000"
        [[test_override]]
        pattern = "https://*.api.acme.example"
        origin = "http://127.0.0.1:4000"
    "#
    .to_owned();
    let broker = world.broker();
    for login_host in ["https://id.acme.example", "http://127.0.0.1:4000"] {
        let pending = broker.begin(request(&team(), "acme", login_host, REDIRECT)).unwrap();
        assert!(pending.authorize_url().as_str().starts_with("http://127.0.0.1:4000/o/allow?"));
        let query = format!("code=x&state={}", pending.state().expose());
        world
            .provider
            .reply(Reply::Answer(200, r#"{"access_token":"access-token-x","api_base":"http://127.0.0.1:4000"}"#));
        let connected = broker.finish(pending, &query, &BROWSER).await.unwrap();
        assert_eq!(connected.origin.to_string(), "http://127.0.0.1:4000");
        assert_eq!(world.provider.seen().last().unwrap().url, "http://127.0.0.1:4000/o/token");
    }
    world.policy.clear();
    let without = world.broker().open(&team(), "acme").await.unwrap_err();
    assert_eq!(without, OpenError::Unavailable, "a grant through a test override is not reachable without it");
}

#[tokio::test]
async fn a_client_connects_on_its_own_behalf_and_renews_without_a_refresh_token() {
    let world = World::new();
    let broker = world.broker();
    let answer = r#"{"access_token":"access-one","api_base":"https://one.api.acme.example"}"#;
    world.provider.reply(Reply::Answer(200, answer));
    broker.connect_with_client_credentials(&team(), "acme", "https://one.api.acme.example").await.unwrap();
    let opened = broker.open(&team(), "acme").await.unwrap();
    world
        .provider
        .reply(Reply::Answer(200, r#"{"access_token":"access-two","api_base":"https://one.api.acme.example"}"#));
    let renewed = broker.refresh(&team(), "acme", opened.generation()).await.unwrap();
    assert_eq!(access(&renewed), "access-two");
    assert!(world.provider.seen().iter().all(|seen| seen.form["grant_type"] == "client_credentials"));
}

#[tokio::test]
async fn connecting_again_replaces_an_ended_grant() {
    let world = World::new();
    let (broker, opened) = world.connect().await;
    world.provider.reply(Reply::Answer(400, r#"{"error":"invalid_grant"}"#));
    broker.refresh(&team(), "acme", opened.generation()).await.unwrap_err();
    assert_eq!(broker.open(&team(), "acme").await.unwrap_err(), OpenError::GrantEnded { cause: None });
    let (_, again) = world.connect().await;
    assert!(again.generation() > opened.generation());
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_lose_the_grant() {
    let world = World::new();
    let broker = world.broker();
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    world.provider.reply(Reply::Hold(arrived.clone(), go_on.clone()));
    let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
    let query = format!("code=x&state={}", pending.state().expose());
    tokio::select! {
        _ = broker.finish(pending, &query, &BROWSER) => panic!("the provider holds its answer back"),
        () = arrived.notified() => {}
    }
    go_on.notify_one();
    let mut opened = broker.open(&team(), "acme").await;
    while opened.is_err() {
        tokio::task::yield_now().await;
        opened = broker.open(&team(), "acme").await;
    }
    assert_eq!(access(&opened.unwrap()), "canary-access-1");
}

#[tokio::test]
async fn a_damaged_grant_is_replaced_and_a_store_that_fails_costs_no_code() {
    let world = World::new();
    world.connect().await;
    world.store.read_as(Reading::Damaged);
    let broker = world.broker();
    let finish = || async {
        let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
        let query = format!("code=canary-code&state={}", pending.state().expose());
        broker.finish(pending, &query, &BROWSER).await
    };
    finish().await.unwrap();
    world.store.read_as(Reading::Works);
    assert_eq!(access(&broker.open(&team(), "acme").await.unwrap()), "canary-access-2");

    let requests = world.provider.seen().len();
    world.store.read_as(Reading::Gone);
    assert_eq!(finish().await.unwrap_err().code(), "store-unavailable");
    assert_eq!(world.provider.seen().len(), requests, "the code was not sent");
}

#[tokio::test]
async fn a_plugin_with_the_same_names_has_no_share_in_anothers_grant() {
    let mut world = World::new();
    world.connect().await;
    world.manifest = world.manifest.replace("id = \"acme-leads\"", "id = \"other-leads\"");
    let other = world.broker();
    assert_eq!(other.open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable);
    assert!(other.state(&team(), "acme").await.unwrap().is_none());
    assert_eq!(other.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked, Revoked::NothingToRevoke);
}

#[tokio::test]
async fn what_a_server_repeats_of_the_request_becomes_neither_an_attribute_nor_an_error() {
    let world = World::new();
    world.provider.reply(Reply::Answer(
        200,
        r#"{"access_token":"canary-access","account":"canary-client","api_base":"https://one.api.acme.example"}"#,
    ));
    let (_, opened) = world.connect().await;
    assert_eq!((opened.attribute("base"), opened.attribute("account")), (Some("https://one.api.acme.example"), None));

    let world = World::new();
    let broker = world.broker();
    for (query, answer) in [
        ("code=x", r#"{"access_token":"canary-access","api_base":"https://canary-client.evil.example"}"#),
        ("error=no&error_description=canary-client", ""),
    ] {
        world.provider.reply(Reply::Answer(200, answer));
        let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
        let query = format!("{query}&state={}", pending.state().expose());
        let error = broker.finish(pending, &query, &BROWSER).await.unwrap_err();
        assert!(!crate::full_message(&error).contains("canary"), "{error:?}");
    }
}
