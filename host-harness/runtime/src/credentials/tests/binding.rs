//! Where secrets go, who may connect, and what a grant is good for afterwards.

use super::*;

/// Whether anything was sent after the first requests.
fn sent_since(world: &World, before: usize) -> Vec<String> {
    world.provider.seen().iter().skip(before).map(|seen| seen.url.clone()).collect()
}

#[tokio::test]
async fn no_secret_goes_to_a_login_host_that_the_registration_does_not_name() {
    let mut world = World::new();
    world.login_hosts = vec!["https://*.api.acme.example"];
    let broker = world.broker();
    let error = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap_err();
    assert_eq!(error.code(), "connect-login-host-not-registered");
    // Nobody proves that an account is theirs: a pattern is not enough.
    let error =
        broker.connect_with_client_credentials(&team(), "acme", "https://one.api.acme.example").await.unwrap_err();
    assert_eq!(error.code(), "connect-login-host-not-registered");
    assert!(world.provider.seen().is_empty());
}

#[tokio::test]
async fn a_grant_whose_login_host_is_no_longer_allowed_sends_nothing_more() {
    for narrow in [
        (|world: &mut World| world.policy = "login_hosts = [\"https://one.api.acme.example\"]".to_owned())
            as fn(&mut World),
        |world| world.login_hosts = vec!["https://one.api.acme.example"],
    ] {
        let mut world = World::new();
        let (_, opened) = world.connect().await;
        let before = world.provider.seen().len();
        narrow(&mut world);
        let broker = world.broker();
        let error = broker.refresh(&team(), "acme", opened.generation()).await.unwrap_err();
        assert_eq!(error.code(), "refresh-no-answer");
        let revoked = broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked;
        assert!(matches!(revoked, Revoked::NoAnswer(_)), "{revoked:?}");
        assert_eq!(sent_since(&world, before), Vec::<String>::new());
    }
}

#[tokio::test]
async fn only_the_roles_and_plans_of_the_manifest_connect_and_only_its_roles_disconnect() {
    let limited = |text: &str| {
        let fields = "plan = \"premium\"\nconnect_roles = [\"owner\", \"admin\"]\n\n[[egress]]";
        text.replacen("[[egress]]", fields, 1)
    };
    let person = |roles: &[&str], plans: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Asker::person(texts(roles), texts(plans))
    };
    let mut world = World::new();
    world.manifest = limited(&world.manifest);
    let mut with_key = World::with_api_key();
    with_key.manifest = limited(&with_key.manifest);
    for (asker, expected) in [
        (person(&["owner"], &["premium"]), None),
        (person(&["member", "admin"], &["free", "premium"]), None),
        (Asker::operator(), None),
        (person(&["member"], &["premium"]), Some("connect-role")),
        (person(&["Owner"], &["premium"]), Some("connect-role")),
        (person(&[], &[]), Some("connect-role")),
        (person(&["owner"], &["free"]), Some("connect-plan")),
        (person(&["owner"], &[]), Some("connect-plan")),
    ] {
        let team = team();
        let asked = ConnectRequest { asker: &asker, ..request(&team, "acme", "https://id.acme.example", REDIRECT) };
        let code = world.broker().begin(asked).err().map(|error| error.code());
        assert_eq!(code, expected, "{asker:?}");
        let key = Secret::new("canary-key");
        let connected =
            with_key.broker().connect_api_key(&team, "acme", "https://one.api.acme.example", key, &asker).await;
        assert_eq!(connected.err().map(|error| error.code()), expected, "{asker:?}");
        // Whatever their plan.
        let expected = expected.filter(|code| *code == "connect-role").map(|_| "disconnect-role");
        let gone = world.broker().disconnect(&team, "acme", &asker).await;
        assert_eq!(gone.err().map(|error| error.code()), expected, "{asker:?}");
    }
}

#[tokio::test]
async fn a_pending_connection_is_finished_in_time_by_the_browser_that_began_it_with_its_own_servers_answer() {
    let callback = |state: &str, more: &str| format!("code=canary-code&state={state}{more}");
    for (minutes, browser, more, expected) in [
        (0, "canary-cookie", "", None),
        (10, "canary-cookie", "", None),
        (0, "canary-cookie", "&iss=https%3A%2F%2Fid.acme.example", None),
        (11, "canary-cookie", "", Some("connect-expired")),
        (60 * 24 * 400, "canary-cookie", "", Some("connect-expired")),
        (0, "another-cookie", "", Some("connect-other-browser")),
        (0, "", "", Some("connect-other-browser")),
        (0, "canary-cookie", "&iss=https%3A%2F%2Fevil.example", Some("connect-callback")),
        (0, "canary-cookie", "&iss=", Some("connect-callback")),
    ] {
        let world = World::new();
        let broker = world.broker();
        let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
        let query = callback(pending.state().expose(), more);
        world.clock.advance(SignedDuration::from_mins(minutes));
        let finished = broker.finish(pending, &query, &Secret::new(browser)).await;
        assert_eq!(finished.err().map(|error| error.code()), expected, "{minutes} {browser} {more}");
        assert_eq!(world.provider.seen().is_empty(), expected.is_some(), "{minutes} {browser} {more}");
    }
}

#[tokio::test]
async fn a_pending_connection_that_was_kept_is_finished_by_another_process_under_the_same_checks() {
    for (minutes, browser, expected) in [
        (0, "canary-cookie", None),
        (11, "canary-cookie", Some("connect-expired")),
        (0, "another-cookie", Some("connect-other-browser")),
    ] {
        let world = World::new();
        let kept = {
            let pending = world.broker().begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
            pending.to_secret().unwrap()
        };
        world.clock.advance(SignedDuration::from_mins(minutes));
        let pending = Pending::from_secret(&kept).unwrap();
        let query = format!("code=canary-code&state={}", pending.state().expose());
        // Another broker of the same plugin, as another process has it.
        let finished = world.broker().finish(pending, &query, &Secret::new(browser)).await;
        assert_eq!(finished.err().map(|error| error.code()), expected, "{minutes} {browser}");
        assert_eq!(world.provider.seen().is_empty(), expected.is_some(), "{minutes} {browser}");
    }

    let world = World::new();
    let pending = world.broker().begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
    let kept = pending.to_secret().unwrap();
    assert!(!format!("{kept:?} {pending:?}").contains("canary"));
    // A changed login host is one that the operator's registration does not name.
    let changed = kept.expose().replace("https://id.acme.example\",\"redirect", "https://evil.example\",\"redirect");
    assert_ne!(changed, kept.expose());
    let changed = Pending::from_secret(&Secret::new(changed)).unwrap();
    let query = format!("code=canary-code&state={}", changed.state().expose());
    assert!(world.broker().finish(changed, &query, &BROWSER).await.is_err());
    assert!(world.provider.seen().is_empty());
    for text in ["", "{}", "null", &kept.expose().replace("\"state\"", "\"stat\"")] {
        assert_eq!(Pending::from_secret(&Secret::new(text)).unwrap_err().code(), "connect-not-pending", "{text}");
    }
}

#[tokio::test]
async fn a_pending_connection_is_finished_by_the_plugin_that_began_it_and_for_what_it_asked_then() {
    for (from, to) in [
        ("id = \"acme-leads\"", "id = \"acme-others\""),
        ("/v2/x", "/v2/{all}"),
        ("\"leads\", \"offline\"", "\"leads\", \"offline\", \"admin\""),
        ("/o/token", "/o/other"),
        ("base = { member = \"api_base\" }", "base = { member = \"id_token_of_the_server\" }"),
    ] {
        let mut world = World::new();
        let pending = world.broker().begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
        let query = format!("code=canary-code&state={}", pending.state().expose());
        assert!(world.manifest.contains(from), "{from}");
        world.manifest = world.manifest.replacen(from, to, 1);
        let error = world.broker().finish(pending, &query, &BROWSER).await.unwrap_err();
        assert_eq!(error.code(), "connect-changed", "{to}");
        assert!(world.provider.seen().is_empty(), "{to}");
    }
}

#[tokio::test]
async fn a_refresh_never_moves_a_grant_to_another_account() {
    let moved = r#"{"access_token":"access-two","api_base":"https://two.api.acme.example","account":4711}"#;
    let other = r#"{"access_token":"access-two","api_base":"https://one.api.acme.example","account":666}"#;
    let unnamed = r#"{"access_token":"access-two","api_base":"https://two.api.acme.example"}"#;
    let silent = r#"{"access_token":"access-two"}"#;
    for (names_account, answer, is_kept) in [
        (true, moved, true),
        (true, unnamed, false),
        (true, silent, true),
        (false, unnamed, false),
        (false, silent, true),
        (true, other, false),
        (false, moved, false),
        // Without a name for it, nobody can tell.
        (false, other, true),
    ] {
        let mut world = World::new();
        if names_account {
            world.manifest = world.manifest.replacen("idle_days", "account = [\"account\"]\nidle_days", 1);
        }
        let (broker, opened) = world.connect().await;
        world.provider.reply(Reply::Answer(200, answer));
        let refreshed = broker.refresh(&team(), "acme", opened.generation()).await;
        assert_eq!(refreshed.is_ok(), is_kept, "{answer}");
        if let Err(error) = refreshed {
            assert_eq!(error.code(), "credential-grant-ended");
            assert_eq!(broker.open(&team(), "acme").await.unwrap_err(), OpenError::GrantEnded { cause: None });
        }
    }
}

#[tokio::test]
async fn a_plugin_that_asks_for_more_needs_a_new_consent_and_sends_nothing_before() {
    let mut world = World::new();
    let (_, opened) = world.connect().await;
    let before = world.provider.seen().len();
    let modest = world.manifest.clone();
    world.manifest = modest.replacen("/v2/x", "/v2/{all}", 1);
    let broker = world.broker();
    assert_eq!(broker.open(&team(), "acme").await.unwrap_err(), OpenError::Outgrown);
    let error = broker.refresh(&team(), "acme", opened.generation()).await.unwrap_err();
    assert_eq!(error.code(), "credential-grant-ended");
    assert_eq!(sent_since(&world, before), Vec::<String>::new());
    // The old version goes on, and the new one once a person has agreed.
    world.manifest = modest.clone();
    assert!(world.broker().open(&team(), "acme").await.is_ok());
    world.manifest = modest.replacen("/v2/x", "/v2/{all}", 1);
    world.connect().await;
    assert!(world.broker().open(&team(), "acme").await.is_ok());
}

#[tokio::test]
async fn a_real_grant_is_never_used_through_a_test_override_nor_the_other_way_round() {
    let overridden = "
        [[test_override]]
        pattern = \"https://*.acme.example\"
        origin = \"http://127.0.0.1:4000\"
    ";
    for (first, then) in [("", overridden), (overridden, "")] {
        let mut world = World::new();
        world.policy = first.to_owned();
        let (_, opened) = world.connect().await;
        let before = world.provider.seen().len();
        world.policy = then.to_owned();
        let broker = world.broker();
        assert_eq!(broker.open(&team(), "acme").await.unwrap_err(), OpenError::Unavailable);
        assert!(broker.refresh(&team(), "acme", opened.generation()).await.is_err());
        assert_eq!(broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap_err().code(), "disconnect-test-override");
        assert_eq!(sent_since(&world, before), Vec::<String>::new());
        // Nothing happened to it.
        world.policy = first.to_owned();
        assert!(world.broker().open(&team(), "acme").await.is_ok());
    }
}

#[tokio::test]
async fn tokens_that_nobody_keeps_are_revoked() {
    let revoked = |world: &World| -> Vec<String> {
        let forms = world.provider.seen().into_iter().filter(|seen| seen.url.ends_with("/o/forget"));
        forms.map(|seen| seen.form["token"].clone()).collect()
    };
    // Where that would end other grants of the person too, nothing is revoked.
    for spares in [true, false] {
        let mut world = World::new();
        if spares {
            world.manifest = world.manifest.replacen("/o/forget\"", "/o/forget\"\nspares_other_grants = true", 1);
        }
        let expected = |token: &str| if spares { vec![token.to_owned()] } else { vec![] };
        // The origin of the account is not allowed, for a new connection or at a refresh.
        let broker = world.broker();
        let pending = broker.begin(request(&team(), "acme", "https://id.acme.example", REDIRECT)).unwrap();
        let query = format!("code=x&state={}", pending.state().expose());
        let answer = r#"{"access_token":"access-one","refresh_token":"refresh-one","api_base":"https://evil.example"}"#;
        world.provider.reply(Reply::Answer(200, answer));
        assert_eq!(broker.finish(pending, &query, &BROWSER).await.unwrap_err().code(), "connect-origin");
        assert_eq!(revoked(&world), expected("refresh-one"));
        let (broker, opened) = world.connect().await;
        world.provider.reply(Reply::Answer(200, answer));
        broker.refresh(&team(), "acme", opened.generation()).await.unwrap_err();
        assert_eq!(revoked(&world).pop(), expected("refresh-one").pop());
        // Nobody knows whether the grant that the host ended is still valid.
        let gone = broker.disconnect(&team(), "acme", &OPERATOR).await.unwrap().revoked;
        assert_eq!((&gone, gone.is_certain()), (&Revoked::NoToken, false));
    }
    // Somebody connects again.
    for (spares, expected) in [(true, vec!["canary-refresh-1"]), (false, vec![])] {
        let mut world = World::new();
        if spares {
            world.manifest = world.manifest.replacen("/o/forget\"", "/o/forget\"\nspares_other_grants = true", 1);
        }
        world.connect().await;
        world.connect().await;
        assert_eq!(revoked(&world), expected);
        assert!(world.broker().open(&team(), "acme").await.is_ok());
    }
}
