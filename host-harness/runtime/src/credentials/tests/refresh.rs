use super::*;

#[tokio::test]
async fn a_refresh_gives_a_new_token_and_keeps_the_rotated_one() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    world.clock.advance(days(1));
    let second = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    assert_eq!(access(&second), "canary-access-2");
    assert!(second.generation() > first.generation());
    let third = broker.refresh(&team(), "acme", second.generation()).await.unwrap();
    assert_eq!(access(&third), "canary-access-3", "the rotated token was sent");
    assert_eq!(third.attribute("account"), Some("4711"));
    let Some(Stored { state: GrantState::Live(Grant::OAuth(grant)), .. }) =
        broker.state(&team(), "acme").await.unwrap()
    else {
        panic!("it holds")
    };
    assert_eq!(grant.refreshed_at.duration_since(grant.connected_at), days(1));
    let [_, refresh, _] = &world.provider.seen()[..] else { panic!("three requests") };
    assert_eq!(refresh.url, "https://id.acme.example/o/token", "at the host where the person logged in");
    assert_eq!(
        refresh.form,
        HashMap::from([
            ("grant_type".to_owned(), "refresh_token".to_owned()),
            ("refresh_token".to_owned(), "canary-refresh-1".to_owned()),
        ])
    );
}

#[tokio::test]
async fn a_refresh_keeps_what_the_response_leaves_out() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    world.provider.reply(Reply::Answer(200, r#"{"access_token":"access-new"}"#));
    let second = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    assert_eq!(access(&second), "access-new");
    assert_eq!(second.origin(), first.origin());
    assert_eq!(second.attribute("account"), Some("4711"));
    let third = broker.refresh(&team(), "acme", second.generation()).await.unwrap();
    assert_eq!(access(&third), "canary-access-2", "without rotation the old refresh token is sent again");
}

#[tokio::test]
async fn many_callers_share_one_refresh() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    world.provider.reply(Reply::Hold(arrived.clone(), go_on.clone()));
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (broker, used) = (broker.clone(), first.generation());
            tokio::spawn(async move { broker.refresh(&team(), "acme", used).await })
        })
        .collect();
    arrived.notified().await;
    go_on.notify_one();
    for caller in callers {
        assert_eq!(access(&caller.await.unwrap().unwrap()), "canary-access-2");
    }
    assert_eq!(world.provider.seen().len(), 2, "one exchange, one refresh");
    let late = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    assert_eq!(access(&late), "canary-access-2", "a late caller gets the current token");
    assert_eq!(world.provider.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_of_another_process_is_awaited_and_used() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    world.provider.reply(Reply::Hold(arrived.clone(), go_on.clone()));
    let (used, other) = (first.generation(), world.broker());
    let one = tokio::spawn(async move { broker.refresh(&team(), "acme", used).await });
    arrived.notified().await;
    let two = tokio::spawn(async move { other.refresh(&team(), "acme", used).await });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    go_on.notify_one();
    assert_eq!(access(&one.await.unwrap().unwrap()), "canary-access-2");
    assert_eq!(access(&two.await.unwrap().unwrap()), "canary-access-2");
    assert_eq!(world.provider.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nobody_releases_expires() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let key =
        GrantKey { plugin: "acme-leads".parse().unwrap(), connection: team(), credential: "acme".parse().unwrap() };
    let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    let lease = Lease { holder: "crashed".to_owned(), until: now + SignedDuration::from_secs(90) };
    assert!(world.store.acquire_lease(&key, &lease, now).await.unwrap());
    let error = broker.refresh(&team(), "acme", first.generation()).await.unwrap_err();
    assert_eq!(error, RefreshError::Temporary(NotRefreshed::Busy));
    world.clock.advance(SignedDuration::from_secs(91));
    assert!(broker.refresh(&team(), "acme", first.generation()).await.is_ok());
}

#[tokio::test]
async fn a_cancelled_call_does_not_lose_the_rotated_token() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    world.provider.reply(Reply::Hold(arrived.clone(), go_on.clone()));
    let team = team();
    tokio::select! {
        _ = broker.refresh(&team, "acme", first.generation()) => panic!("the provider holds its answer back"),
        () = arrived.notified() => {}
    }
    go_on.notify_one();
    let second = broker.refresh(&team, "acme", first.generation()).await.unwrap();
    assert_eq!(access(&second), "canary-access-2");
    assert_eq!(world.provider.seen().len(), 2, "the refresh of the cancelled call continued");
}

#[tokio::test]
async fn only_a_refusal_about_the_grant_ends_it() {
    for (status, body, code) in [
        (400, r#"{"error":"invalid_grant"}"#, "credential-grant-ended"),
        (400, r#"{"error":"invalid_grant","error_description":"token is used up"}"#, "credential-grant-ended"),
        (403, r#"{"error":"account_closed"}"#, "credential-grant-ended"),
        (400, r#"{"error":"invalid_grant","error_description":"Please TRY AGAIN later"}"#, "refresh-refused"),
        (400, r#"{"error":"busy"}"#, "refresh-refused"),
        (401, r#"{"error":"invalid_client"}"#, "refresh-needs-a-person"),
        (400, r#"{"error":"invalid_request"}"#, "refresh-needs-a-person"),
        (400, r#"{"error":"unknown_to_all"}"#, "refresh-needs-a-person"),
        (503, r#"{"error":"invalid_grant"}"#, "refresh-refused"),
        // Some servers refuse with the status of tokens.
        (200, r#"{"error":"busy"}"#, "refresh-refused"),
        (200, r#"{"error":"invalid_grant"}"#, "credential-grant-ended"),
        (500, "", "refresh-refused"),
        (503, "<html>", "refresh-refused"),
        (302, "", "refresh-refused"),
        (200, "<html>", "refresh-invalid-answer"),
        (200, r#"{"access_token":"access-token-x","api_base":"https://evil.example"}"#, "credential-grant-ended"),
    ] {
        let world = World::new();
        let (broker, first) = world.connect().await;
        world.provider.reply(Reply::Answer(status, body));
        let error = broker.refresh(&team(), "acme", first.generation()).await.unwrap_err();
        assert_eq!(error.code(), code, "{status} {body}");
        let ended = code == "credential-grant-ended";
        let requests = world.provider.seen().len();
        let opened = world.broker().open(&team(), "acme").await;
        let again = world.broker().refresh(&team(), "acme", first.generation()).await;
        if ended {
            let opened = opened.unwrap_err();
            assert!(matches!(opened, OpenError::GrantEnded { .. }), "{body}: durably, for every process: {opened}");
            assert_eq!(again.unwrap_err().code(), code);
            assert_eq!(world.provider.seen().len(), requests, "{body}: a dead token is not shown again");
        } else {
            assert_eq!(access(&opened.unwrap()), "canary-access-1", "{body}");
            assert_eq!(access(&again.unwrap()), "canary-access-2", "{body}: the next one who asks succeeds");
        }
    }
}

#[tokio::test]
async fn a_lost_response_repeats_no_request() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    world.provider.reply(no_answer());
    let error = broker.refresh(&team(), "acme", first.generation()).await.unwrap_err();
    assert_eq!(error.code(), "refresh-no-answer");
    assert_eq!(world.provider.seen().len(), 2);
    assert_eq!(access(&broker.open(&team(), "acme").await.unwrap()), "canary-access-1", "the grant has not ended");
    let second = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    assert_eq!(access(&second), "canary-access-2");
}

#[tokio::test]
async fn the_store_decides_when_another_process_was_faster() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let second = world.broker().refresh(&team(), "acme", first.generation()).await.unwrap();
    let given = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    assert_eq!(given.generation(), second.generation());
    assert_eq!(world.provider.seen().len(), 2, "nothing was sent");
}

#[tokio::test]
async fn a_refusal_does_not_end_a_grant_that_was_reconnected_meanwhile() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    world.provider.reply(Reply::Hold(arrived.clone(), go_on.clone()));
    let used = first.generation();
    let refresh = tokio::spawn(async move { broker.refresh(&team(), "acme", used).await });
    arrived.notified().await;
    // A new grant: the provider no longer accepts the token that is on its way.
    let (_, reconnected) = world.connect().await;
    go_on.notify_one();
    let given = refresh.await.unwrap().unwrap();
    assert_eq!(given.generation(), reconnected.generation());
    assert!(world.broker().open(&team(), "acme").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_is_not_used_before_it_is_saved() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    world.store.failing_saves.store(2, Ordering::SeqCst);
    let second = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
    assert_eq!(access(&second), "canary-access-2", "saving is retried");

    world.store.failing_saves.store(5, Ordering::SeqCst);
    let error = broker.refresh(&team(), "acme", second.generation()).await.unwrap_err();
    assert_eq!(error.code(), "store-unavailable");
    assert!(matches!(broker.open(&team(), "acme").await, Err(OpenError::Temporary(_))), "nobody gets the unsaved one");
    let third = broker.open(&team(), "acme").await.unwrap();
    assert_eq!(access(&third), "canary-access-3", "as soon as the store works, it is saved");
    assert_eq!(world.provider.seen().len(), 3, "and nothing was sent for it");
}

#[tokio::test]
async fn a_refusal_stands_for_a_while_unless_a_person_asks() {
    for (body, stands) in [(r#"{"error":"invalid_client"}"#, 60), (r#"{"error":"busy"}"#, 5)] {
        let world = World::new();
        let (broker, first) = world.connect().await;
        let refuse = || world.provider.reply(Reply::Answer(400, body));
        let requests = || world.provider.seen().len();
        let before = requests();
        refuse();
        let refused = broker.refresh(&team(), "acme", first.generation()).await.unwrap_err();
        let told = broker.refusal(&team(), "acme").await.unwrap();
        assert_eq!(told.as_ref(), refused.cause(), "{body}");
        world.clock.advance(SignedDuration::from_secs(stands - 1));
        let again = broker.refresh(&team(), "acme", first.generation()).await.unwrap_err();
        assert_eq!((again, requests()), (refused, before + 1), "{body}: not asked again");

        refuse();
        broker.ask_again(&team());
        assert!(broker.refresh(&team(), "acme", first.generation()).await.is_err());
        assert_eq!(requests(), before + 2, "{body}: a person asked");
        world.clock.advance(SignedDuration::from_secs(stands));
        let second = broker.refresh(&team(), "acme", first.generation()).await.unwrap();
        assert_eq!((&*access(&second), requests()), ("canary-access-2", before + 3), "{body}: the reason is gone");
        assert_eq!(broker.refusal(&team(), "acme").await, Ok(None));
    }
}

#[tokio::test]
async fn a_grant_is_kept_alive_after_half_of_its_idle_days() {
    let world = World::new();
    let (broker, _) = world.connect().await;
    for (pause, due) in [(4, false), (1, true), (4, false), (20, true)] {
        world.clock.advance(days(pause));
        assert_eq!(broker.keep_alive(&team(), "acme").await, Ok(due));
    }
    assert_eq!(broker.keep_alive(&ConnectionId::new("other"), "acme").await, Ok(false));
    assert_eq!(world.provider.seen().len(), 3);
}

#[tokio::test]
async fn unknown_unbound_and_foreign_names_are_indistinguishable() {
    let world = World::new();
    let (broker, first) = world.connect().await;
    for (connection, name) in [("team", "other"), ("other", "acme"), ("other", "other"), ("team", "")] {
        let connection = ConnectionId::new(connection);
        assert_eq!(broker.open(&connection, name).await.unwrap_err(), OpenError::Unavailable);
        let error = broker.refresh(&connection, name, first.generation()).await.unwrap_err();
        assert_eq!(error, RefreshError::GrantEnded { cause: None });
    }
}
