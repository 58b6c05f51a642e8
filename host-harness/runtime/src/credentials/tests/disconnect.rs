use super::*;

#[tokio::test]
async fn disconnecting_revokes_the_refresh_token_where_the_person_logged_in_and_removes_it() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    assert_eq!(broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked, Revoked::Now);
    let revocation = world.provider.seen().pop().unwrap();
    assert_eq!(revocation.url, "https://id.acme.example/o/forget");
    assert_eq!(revocation.form, HashMap::from([("token".to_owned(), "canary-refresh-2".to_owned())]));
    assert!(revocation.authorization.unwrap().starts_with("Basic "));
    assert!(broker.state(&team(), "acme").await.unwrap().is_none());
    assert_eq!(broker.open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable);
    let requests = world.provider.seen().len();
    assert_eq!(broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked, Revoked::NothingToRevoke);
    assert_eq!(world.provider.seen().len(), requests, "repeating it sends nothing");
}

#[tokio::test]
async fn an_unconfirmed_revocation_is_reported_and_the_grant_is_removed_all_the_same() {
    for (reply, certain, says) in [
        (Reply::Answer(400, r#"{"error":"unknown_token"}"#), true, "Before"),
        (Reply::Answer(400, "error=UNKNOWN_TOKEN"), true, "Before"),
        (Reply::Answer(400, r#"{"error":"unsupported_token_type"}"#), false, "unsupported_token_type"),
        (Reply::Answer(503, ""), false, "503"),
        (no_answer(), false, "NoAnswer"),
    ] {
        let world = World::new();
        let (broker, _) = world.connect().await;
        world.provider.reply(reply);
        let revoked = broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked;
        assert_eq!(revoked.is_certain(), certain, "{revoked:?}");
        assert!(format!("{revoked:?}").contains(says), "{revoked:?}");
        assert!(broker.state(&team(), "acme").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_redirecting_login_host_is_replaced_by_the_accounts_own() {
    let world = World::new();
    let (broker, _) = world.connect().await;
    world.provider.reply(Reply::Answer(302, ""));
    assert_eq!(broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked, Revoked::Now);
    assert_eq!(world.provider.seen().pop().unwrap().url, "https://one.api.acme.example/o/forget");
}

#[tokio::test]
async fn an_ended_grant_is_removed_without_a_request() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    world.provider.reply(Reply::Answer(400, r#"{"error":"invalid_grant"}"#));
    broker.refresh(&team(), "acme", first.generation()).await.unwrap_err();
    assert_eq!(broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked, Revoked::Before);
    assert_eq!(world.provider.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn disconnecting_during_a_refresh_revokes_the_new_token() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    world.provider.reply(Reply::Hold(arrived.clone(), go_on.clone()));
    let (refreshing, used) = (broker.clone(), first.generation());
    let refresh = tokio::spawn(async move { refreshing.refresh(&team(), "acme", used).await });
    arrived.notified().await;
    let disconnect = tokio::spawn(async move { broker.disconnect(&team(), "acme", &OPERATOR).await });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    go_on.notify_one();
    refresh.await.unwrap().unwrap();
    assert_eq!(disconnect.await.unwrap().unwrap().revoked, Revoked::Now);
    assert_eq!(world.provider.seen().pop().unwrap().form["token"], "canary-refresh-2");
}

#[tokio::test]
async fn a_provider_that_cannot_revoke_is_reported_as_such() {
    let mut world = World::new();
    world.manifest = ACME.split("[credentials.acme.revocation]").next().unwrap().to_owned();
    let (broker, _) = world.connect().await;
    assert_eq!(broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked, Revoked::NotSupported);
    assert!(broker.state(&team(), "acme").await.unwrap().is_none());
}

#[tokio::test]
async fn a_damaged_grant_is_removed_without_opening_it() {
    let world = World::new();
    let (broker, _) = world.connect().await;
    world.store.read_as(Reading::Damaged);
    let gone = broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap();
    assert_eq!((&gone.revoked, gone.revoked.is_certain()), (&Revoked::NoToken, false));
    world.store.read_as(Reading::Works);
    assert!(broker.state(&team(), "acme").await.unwrap().is_none());
}
