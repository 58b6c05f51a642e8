use std::collections::BTreeMap;

use super::*;

const ORIGIN: &str = "https://one.api.acme.example";

async fn connected(world: &World, key: &str) -> (Broker, OpenCredential) {
    let broker = world.broker();
    broker.connect_api_key(&team(), "acme", ORIGIN, Secret::new(key), &Asker::operator()).await.unwrap();
    let opened = broker.open(&team(), "acme").await.unwrap();
    (broker, opened)
}

#[tokio::test]
async fn a_key_is_kept_opened_and_attached_without_a_request_or_a_client() {
    let world = World::with_api_key();
    let manifest = Manifest::from_toml(&world.manifest).unwrap();
    let permissions = Permissions::new(&manifest, &Policy::default()).unwrap();
    let broker = Broker::new(
        Arc::new(permissions),
        world.provider.clone(),
        world.store.clone(),
        world.clock.clone(),
        BTreeMap::new(),
    );
    let connected = broker
        .connect_api_key(&team(), "acme", &format!("{ORIGIN}/"), Secret::new("canary-key!~"), &Asker::operator())
        .await;
    let connected = connected.unwrap();
    assert_eq!((connected.login_host, connected.origin.to_string()), (None, ORIGIN.to_owned()));

    let opened = world.broker().open(&team(), "acme").await.unwrap();
    assert_eq!(opened.origin().to_string(), ORIGIN);
    assert_eq!(opened.attribute("account"), None);
    let mut headers = http::HeaderMap::new();
    opened.attach(&mut headers);
    assert_eq!(headers["x-acme-key"], "Key canary-key!~");
    assert!(headers["x-acme-key"].is_sensitive());
    assert_eq!(access(&opened), "canary-key!~", "the echo scanner looks for it");
    assert!(world.provider.seen().is_empty());
}

#[tokio::test]
async fn only_what_can_be_a_key_is_taken_and_only_for_an_allowed_origin() {
    let longest = "k".repeat(4_096);
    let longer = "k".repeat(4_097);
    let mut world = World::with_api_key();
    world.policy = "origins = [\"https://one.api.acme.example\"]".to_owned();
    for (origin, key, code) in [
        (ORIGIN, "", "connect-key-invalid"),
        (ORIGIN, "7-bytes", "connect-key-invalid"),
        // Too few letters and digits to be found in a response.
        (ORIGIN, "a-1-b-2-c-3", "connect-key-invalid"),
        (ORIGIN, longer.as_str(), "connect-key-invalid"),
        (ORIGIN, "canary key", "connect-key-invalid"),
        (ORIGIN, "canary\r\nx-evil: 1", "connect-key-invalid"),
        (ORIGIN, "canary-\u{30ad}\u{30fc}", "connect-key-invalid"),
        ("https://two.api.acme.example", "canary-key", "connect-origin"),
        ("https://one.api.acme.example.evil.example", "canary-key", "connect-origin"),
        ("http://one.api.acme.example", "canary-key", "connect-origin"),
        ("one", "canary-key", "connect-origin"),
    ] {
        let error = world
            .broker()
            .connect_api_key(&team(), "acme", origin, Secret::new(key), &Asker::operator())
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{origin}");
        assert!(!format!("{error:?} {}", crate::full_message(&error)).contains("canary"), "{error}");
        assert!(world.broker().state(&team(), "acme").await.unwrap().is_none());
    }
    connected(&world, &longest).await;
    connected(&world, "8-letters").await;
}

#[tokio::test]
async fn each_kind_of_credential_is_connected_in_its_own_way_only() {
    let key = || Secret::new("canary-key");
    let error =
        World::new().broker().connect_api_key(&team(), "acme", ORIGIN, key(), &Asker::operator()).await.unwrap_err();
    assert_eq!(error.code(), "connect-not-api-key");
    let broker = World::with_api_key().broker();
    assert_eq!(broker.begin(request(&team(), "acme", ORIGIN, REDIRECT)).unwrap_err().code(), "connect-not-oauth");
    let error = broker.connect_with_client_credentials(&team(), "acme", ORIGIN).await.unwrap_err();
    assert_eq!(error.code(), "connect-not-oauth");
    let error = broker.connect_api_key(&team(), "other", ORIGIN, key(), &Asker::operator()).await.unwrap_err();
    assert_eq!(error.code(), "connect-unknown-credential");
}

#[tokio::test]
async fn a_401_is_never_cured_by_a_refresh_but_by_a_new_key() {
    let world = World::with_api_key();
    let (broker, first) = connected(&world, "canary-first").await;
    assert!(!first.cures_unauthorized(b"token expired"));
    let error = broker.refresh(&team(), "acme", first.generation()).await.unwrap_err();
    assert_eq!(error.code(), "refresh-api-key");
    assert!(!broker.keep_alive(&team(), "acme").await.unwrap());

    let (_, second) = connected(&world, "canary-second").await;
    assert!(second.generation() > first.generation());
    let renewed = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    assert_eq!(access(&renewed), "canary-second", "a person has replaced it meanwhile");
    assert!(world.provider.seen().is_empty());
}

#[tokio::test]
async fn disconnecting_removes_the_key_and_says_that_the_server_still_takes_it() {
    let world = World::with_api_key();
    let (broker, _) = connected(&world, "canary-key").await;
    let revoked = broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked;
    assert_eq!(revoked, Revoked::ApiKey);
    assert!(!revoked.is_certain());
    assert!(broker.state(&team(), "acme").await.unwrap().is_none());
    assert_eq!(broker.open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable);
    assert_eq!(broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked, Revoked::NothingToRevoke);
    assert!(world.provider.seen().is_empty());
}

#[tokio::test]
async fn a_key_opens_only_while_manifest_and_policy_allow_it() {
    let mut world = World::with_api_key();
    connected(&world, "canary-key").await;
    world.policy = "origins = [\"https://two.api.acme.example\"]".to_owned();
    assert_eq!(world.broker().open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable);
    world.policy = String::new();
    world.manifest = world
        .manifest
        .replace("origin = \"https://*.api.acme.example\"\nslot", "origin = \"https://two.api.acme.example\"\nslot");
    assert_eq!(world.broker().open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable);
    world.manifest = ACME.to_owned();
    assert_eq!(world.broker().open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable, "now it is OAuth");
    let revoked = world.broker().disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked;
    assert_eq!(revoked, Revoked::ApiKey);
}

#[test]
fn a_stored_key_is_read_back_as_it_was_written() {
    let text = r#"{"api-key":{"key":"canary-key","origin":"https://one.api.acme.example","consent":{"egress":[],"scopes":[],"attributes":{},"account":[],"slot":{"header":"x-acme-key","scheme":null},"endpoints":[],"by_test_override":false},"connected_at":"2026-11-22T00:00:00Z"}}"#;
    let state = GrantState::from_plaintext(text.as_bytes()).unwrap();
    assert_eq!(&*state.to_plaintext().unwrap(), text.as_bytes());
    assert!(state.attributes().is_empty());
    assert!(!format!("{state:?} {state:#?}").contains("canary"));
}
