//! The promises that every store keeps.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use crm_host::{
    credentials::{ConnectionId, Generation, GrantKey, GrantState, Lease, StoreError},
    secret::Secret,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    brokers::{Rotating, broker, pending},
    *,
};

pub(super) async fn a_grant_outlives_its_process(home: &Home) {
    let written = home.open().await.save(&key("a"), None, &grant("one")).await.unwrap();
    let stored = home.open().await.load(&key("a")).await.unwrap().unwrap();
    assert_eq!((token(&stored.state).as_str(), stored.generation), ("one", written));
    assert!(home.open().await.load(&key("b")).await.unwrap().is_none());
}

pub(super) async fn an_api_key_is_kept_as_a_grant_is(home: &Home) {
    let store = home.open().await;
    let first = store.save(&key("a"), None, &api_key("one")).await.unwrap();
    assert_eq!(store.save(&key("a"), None, &api_key("x")).await, Err(StoreError::Conflict));
    let second = store.save(&key("a"), Some(first), &api_key("two")).await.unwrap();
    let stored = home.open().await.load(&key("a")).await.unwrap().unwrap();
    assert_eq!((token(&stored.state).as_str(), stored.generation), ("two", second));
    assert_eq!(stored.state.origin().to_string(), "https://one.api.acme.example");
    let third = store.save(&key("a"), Some(second), &grant("three")).await.unwrap();
    assert_eq!(store.remove(&key("a"), second).await, Err(StoreError::Conflict));
    store.remove(&key("a"), third).await.unwrap();
}

pub(super) async fn a_grant_is_written_only_over_the_generation_that_was_read(home: &Home) {
    let store = home.open().await;
    let first = store.save(&key("a"), None, &grant("one")).await.unwrap();
    assert_eq!(store.save(&key("a"), None, &grant("x")).await, Err(StoreError::Conflict));
    let second = store.save(&key("a"), Some(first), &grant("two")).await.unwrap();
    for stale in [first, Generation(999), Generation(u64::MAX)] {
        assert_eq!(store.save(&key("a"), Some(stale), &grant("x")).await, Err(StoreError::Conflict));
        assert_eq!(store.remove(&key("a"), stale).await, Err(StoreError::Conflict));
    }
    assert_eq!(token(&store.load(&key("a")).await.unwrap().unwrap().state), "two");
    store.remove(&key("a"), second).await.unwrap();
    store.remove(&key("a"), second).await.unwrap();
    assert_eq!(store.save(&key("a"), Some(second), &grant("x")).await, Err(StoreError::Conflict));
    let third = store.save(&key("a"), None, &grant("three")).await.unwrap();
    assert!(third > second, "no generation is used twice, not even after a removal");
}

pub(super) async fn exactly_one_of_many_writers_wins(home: &Home) {
    let first = home.open().await.save(&key("a"), None, &grant("start")).await.unwrap();
    let mut writers = Vec::new();
    for number in 0..8 {
        let store = home.open().await;
        writers
            .push(tokio::spawn(async move { store.save(&key("a"), Some(first), &grant(&format!("w{number}"))).await }));
    }
    let mut won = Vec::new();
    for (number, writer) in writers.into_iter().enumerate() {
        match writer.await.unwrap() {
            Ok(generation) => won.push((format!("w{number}"), generation)),
            Err(error) => assert_eq!(error, StoreError::Conflict),
        }
    }
    let stored = home.open().await.load(&key("a")).await.unwrap().unwrap();
    assert_eq!(won, [(token(&stored.state), stored.generation)]);
}

pub(super) async fn memos_are_replaced_as_a_whole_and_go_with_their_connection(home: &Home) {
    let store = home.open().await;
    let (one, other) = (ConnectionId::new("one"), ConnectionId::new("other"));
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(field, memo)| ((*field).to_owned(), (*memo).to_owned())).collect()
    };
    store.connecting("team", None).save(&key("one"), None, &grant("one")).await.unwrap();
    let put = |plugin: &'static str, connection, target: &'static str, memos| {
        let store = &store;
        async move { store.put_memos(plugin, connection, target, memos).await.unwrap() }
    };
    put("acme-leads", &one, "", pairs(&[("名前", "a"), ("b", "")])).await;
    put("acme-leads", &one, "deals", pairs(&[("b", "of deals")])).await;
    put("acme-leads", &other, "", pairs(&[("b", "of another")])).await;
    put("other-leads", &one, "", pairs(&[("b", "of another plugin")])).await;
    put("acme-leads", &one, "", pairs(&[("b", "new")])).await;
    assert_eq!(store.memos("acme-leads", &one, "").await.unwrap(), pairs(&[("b", "new")]));
    assert_eq!(store.memos("acme-leads", &one, "deals").await.unwrap(), pairs(&[("b", "of deals")]));

    store.remove_connection("team", "acme-leads").await.unwrap();
    for target in ["", "deals"] {
        assert!(store.memos("acme-leads", &one, target).await.unwrap().is_empty());
    }
    assert_eq!(store.memos("acme-leads", &other, "").await.unwrap(), pairs(&[("b", "of another")]));
    assert_eq!(store.memos("other-leads", &one, "").await.unwrap(), pairs(&[("b", "of another plugin")]));
}

pub(super) async fn a_teams_connection_is_found_listed_replaced_and_removed(home: &Home) {
    let store = home.open().await;
    let connection = |team: &str, id: &str| TeamConnection {
        team: team.to_owned(),
        plugin: "acme-leads".to_owned(),
        connection: ConnectionId::new(id),
        login_host: "https://id.acme.example".parse().unwrap(),
        connected_at: "2026-11-22T00:00:00Z".parse().unwrap(),
    };
    for (team, id) in [("営業", "c1"), ("support", "c2"), ("営業", "c3")] {
        connect(&*store, team, &key(id), id).await;
    }
    let store = home.open().await;
    assert_eq!(store.connection("営業", "acme-leads").await.unwrap(), Some(connection("営業", "c3")));
    assert_eq!(store.connection("営業", "other").await.unwrap(), None);
    let all = store.connections().await.unwrap().into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(all, [connection("support", "c2"), connection("営業", "c3")]);
    assert!(store.remove_connection("営業", "acme-leads").await.unwrap().is_some());
    assert!(store.remove_connection("営業", "acme-leads").await.unwrap().is_none());
    assert_eq!(store.connections().await.unwrap().len(), 1);
}

pub(super) async fn a_team_has_a_connection_for_each_plugin(home: &Home) {
    let store = home.open().await;
    for plugin in ["acme-leads", "other-leads"] {
        connect(&*store, "sales", &key_of(plugin, "sales"), plugin).await;
    }
    for plugin in ["acme-leads", "other-leads"] {
        let key = key_of(plugin, "sales");
        assert!(store.connection("sales", plugin).await.unwrap().is_some(), "{plugin}");
        assert_eq!(token(&store.load(&key).await.unwrap().unwrap().state), plugin);
        assert_eq!(store.client(&key).await.unwrap().unwrap().client_id, plugin);
    }
    store.remove_connection("sales", "other-leads").await.unwrap();
    assert!(store.connection("sales", "acme-leads").await.unwrap().is_some());
    assert!(store.client(&key_of("acme-leads", "sales")).await.unwrap().is_some());
    assert!(store.client(&key_of("other-leads", "sales")).await.unwrap().is_none(), "clients go with their connection");
}

pub(super) async fn a_removed_connection_leaves_no_grant_whatever_its_credential_is_called(home: &Home) {
    let store = home.open().await;
    let renamed = |connection: &str| GrantKey { credential: "renamed".parse().unwrap(), ..key(connection) };
    for team in ["sales", "support"] {
        connect(&*store, team, &key(team), team).await;
        connect(&*store, team, &renamed(team), team).await;
    }
    let ended = GrantState::from_plaintext(
        br#"{"ended":{"login_host":"https://id.acme.example","origin":"https://one.api.acme.example","attributes":{},
            "ended_at":"2026-11-22T00:00:00Z","cause":null}}"#,
    )
    .unwrap();
    let ended_key = GrantKey { credential: "ended".parse().unwrap(), ..key("sales") };
    store.save(&ended_key, None, &ended).await.unwrap();
    let left = store.remove_connection("sales", "acme-leads").await.unwrap();
    assert_eq!(left, Some(vec!["acme".to_owned(), "renamed".to_owned()]), "the third has ended");
    assert!(store.load(&ended_key).await.unwrap().is_none());
    for gone in [key("sales"), renamed("sales")] {
        assert!(store.load(&gone).await.unwrap().is_none(), "{gone:?}");
    }
    for kept in [key("support"), renamed("support")] {
        assert!(store.load(&kept).await.unwrap().is_some(), "{kept:?}");
    }
}

pub(super) async fn a_grant_its_client_and_its_team_are_written_together_or_not_at_all(home: &Home) {
    let store = home.open().await;
    connect(&*store, "sales", &key("sales"), "one").await;
    // Two teams never share a connection, so the last of the three writes fails.
    let expected = store.generation(&key("sales")).await.unwrap();
    let error = store.connecting("support", Some(client("two"))).save(&key("sales"), expected, &grant("two")).await;
    assert_eq!(error.unwrap_err().code(), "store-unavailable");
    assert_eq!(token(&store.load(&key("sales")).await.unwrap().unwrap().state), "one");
    assert_eq!(store.client(&key("sales")).await.unwrap().unwrap().client_id, "one");
    assert!(store.connection("support", "acme-leads").await.unwrap().is_none());
}

pub(super) async fn another_key_is_refused_at_once(home: &Home) {
    home.open().await;
    let other = Key::from_base64(&STANDARD.encode([8; 32])).unwrap();
    let error = home.open_with(other).await.unwrap_err();
    assert_eq!(error.code(), "store-wrong-key");
    assert!(error.to_string().contains(KEY_VARIABLE), "{error}");
}

pub(super) async fn a_client_secret_is_stored_sealed_and_removed_with_its_grant(home: &Home) {
    connect(&*home.open().await, "sales", &key("sales"), "one").await;
    let store = home.open().await;
    let read = store.client(&key("sales")).await.unwrap().unwrap();
    assert_eq!((read.client_id.as_str(), read.client_secret.unwrap().expose()), ("one", "canary-client-secret"));
    let bytes = home.readable().await;
    assert!(!bytes.windows(6).any(|six| six == b"canary"));
    store.remove_connection("sales", "acme-leads").await.unwrap();
    assert!(store.client(&key("sales")).await.unwrap().is_none());
}

/// Polls a future a few times, and drops it before it ends if that is sooner.
async fn begin_and_drop(polls: usize, future: impl Future) {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 || future.as_mut().poll(context).is_ready() {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        std::task::Poll::Pending
    })
    .await;
}

pub(super) async fn a_write_that_is_dropped_leaves_the_old_row_or_the_new_one(home: &Home) {
    let store = home.open().await;
    connect(&*store, "one", &key("one"), "old").await;
    let mut outcomes = BTreeSet::new();
    for polls in 0..40 {
        let before = states(&*store).await[0].clone();
        let next = format!("w{polls}");
        let expected = store.generation(&key("one")).await.unwrap();
        let connecting = store.connecting("one", Some(client(&next)));
        begin_and_drop(polls, connecting.save(&key("one"), expected, &grant(&next))).await;
        // Another write waits for the dropped one's end, whichever that is.
        let expected = store.generation(&key("other")).await.unwrap();
        store.save(&key("other"), expected, &grant("other")).await.unwrap();
        let [grant, client, team] = states(&*store).await[0].clone();
        assert_eq!((&grant, team.as_str()), (&client, "one"), "all three rows or none");
        assert!(grant == before[0] || grant == next, "{grant} after {polls} polls");
        outcomes.insert(grant == next);
    }
    assert_eq!(outcomes.len(), 2, "some were dropped before they were written, some after");
    connect(&*store, "one", &key("one"), "one").await;
    assert_eq!(states(&*store).await[0], ["one"; 3], "the store is usable");
}

fn lease(holder: &str, until: Timestamp) -> Lease {
    Lease { holder: holder.to_owned(), until }
}

pub(super) async fn a_lease_has_one_holder_until_it_expires_or_is_released(home: &Home) {
    let (one, other) = (home.open().await, home.open().await);
    let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    let until = now + SignedDuration::from_secs(90);
    assert!(one.acquire_lease(&key("a"), &lease("one", until), now).await.unwrap());
    assert!(!other.acquire_lease(&key("a"), &lease("other", until), now).await.unwrap());
    assert!(other.acquire_lease(&key("b"), &lease("other", until), now).await.unwrap(), "another grant has its own");
    one.release_lease(&key("b"), &lease("one", until)).await.unwrap();
    assert!(
        !one.acquire_lease(&key("b"), &lease("one", until), now).await.unwrap(),
        "only its holder can release a lease"
    );
    one.release_lease(&key("a"), &lease("one", until)).await.unwrap();
    // It expires as soon as it is acquired.
    assert!(other.acquire_lease(&key("a"), &lease("other", now), now).await.unwrap());
    assert!(one.acquire_lease(&key("a"), &lease("one", until), now).await.unwrap(), "it has expired");
    other.release_lease(&key("a"), &lease("other", now)).await.unwrap();
    assert!(!other.acquire_lease(&key("a"), &lease("other", until), now).await.unwrap(), "it is another's by now");
}

pub(super) async fn one_of_many_holders_gets_a_lease(home: &Home) {
    let now = Timestamp::now();
    let until = now + SignedDuration::from_secs(90);
    let mut holders = Vec::new();
    for number in 0..8 {
        let store = home.open().await;
        holders.push(tokio::spawn(async move {
            store.acquire_lease(&key("a"), &lease(&format!("h{number}"), until), now).await.unwrap()
        }));
    }
    let mut acquired = 0;
    for holder in holders {
        acquired += usize::from(holder.await.unwrap());
    }
    assert_eq!(acquired, 1);
}

pub(super) async fn a_pending_connection_is_taken_once_by_another_process(home: &Home) {
    let store = home.open().await;
    let begun = pending(store.clone());
    let now = Timestamp::now();
    store.put_pending(&begun, now).await.unwrap();
    assert!(store.take_pending(&Secret::new("another state"), now).await.unwrap().is_none());
    let other = home.open().await;
    let taken = other.take_pending(begun.state(), now).await.unwrap().unwrap();
    assert_eq!(taken.to_secret().unwrap().expose(), begun.to_secret().unwrap().expose());
    for store in [store, other] {
        assert!(store.take_pending(begun.state(), now).await.unwrap().is_none(), "it was taken");
    }
}

pub(super) async fn one_of_many_takers_gets_a_pending_connection(home: &Home) {
    let store = home.open().await;
    let begun = pending(store.clone());
    let now = Timestamp::now();
    store.put_pending(&begun, now).await.unwrap();
    let mut takers = Vec::new();
    for _ in 0..8 {
        let (store, state) = (home.open().await, begun.state().clone());
        takers.push(tokio::spawn(async move { store.take_pending(&state, now).await.unwrap().is_some() }));
    }
    let mut taken = 0;
    for taker in takers {
        taken += usize::from(taker.await.unwrap());
    }
    assert_eq!(taken, 1);
}

pub(super) async fn a_pending_connection_that_has_expired_is_swept(home: &Home) {
    let store = home.open().await;
    let (late, later, current) = (pending(store.clone()), pending(store.clone()), pending(store.clone()));
    let too_late = |pending: &crm_host::credentials::Pending| pending.until() + SignedDuration::from_secs(60);
    store.put_pending(&late, too_late(&late)).await.unwrap();
    assert!(store.take_pending(late.state(), too_late(&late)).await.unwrap().is_none());
    store.put_pending(&later, too_late(&later)).await.unwrap();
    assert_eq!(home.count("pending").await, 1, "the first was removed when it was asked for");
    store.put_pending(&current, too_late(&later)).await.unwrap();
    assert_eq!(home.count("pending").await, 1, "the second when another came");
}

pub(super) async fn an_api_token_is_found_by_its_text_until_it_is_revoked(home: &Home) {
    let store = home.open().await;
    let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    let (team, text) = store.create_token(Some("営業"), "bookings:write", now).await.unwrap();
    let (operator, other_text) = store.create_token(None, "everything", now).await.unwrap();
    assert_eq!(text.expose().strip_prefix("crm_").map(str::len), Some(43), "256 bits in base64");
    assert!(text.expose().ends_with(&team.last_four) && team.last_four.len() == 4);
    assert_eq!((team.team.as_deref(), team.scope.as_str(), team.created_at), (Some("営業"), "bookings:write", now));
    assert_eq!((&operator.team, operator.revoked_at), (&None, None));

    let other = home.open().await;
    assert_eq!(other.find_token(&text).await.unwrap().as_ref(), Some(&team));
    assert_eq!(other.find_token(&other_text).await.unwrap().as_ref(), Some(&operator));
    for wrong in [text.expose().to_uppercase().as_str(), "", "crm_", &team.id, &format!("{} ", text.expose())] {
        assert_eq!(store.find_token(&Secret::new(wrong)).await.unwrap(), None, "{wrong}");
    }
    let later = now + SignedDuration::from_hours(1);
    assert!(other.revoke_token(&team.id, later).await.unwrap());
    assert!(store.revoke_token(&team.id, later + SignedDuration::from_hours(1)).await.unwrap(), "it stays revoked");
    assert!(!store.revoke_token("no such id", later).await.unwrap());
    assert_eq!(store.find_token(&text).await.unwrap(), None);
    assert!(store.find_token(&other_text).await.unwrap().is_some());
    let listed = store.tokens().await.unwrap().into_iter().collect::<Result<BTreeSet<_>, _>>().unwrap();
    assert_eq!(listed, [ApiToken { revoked_at: Some(later), ..team }, operator].into());
    let bytes = home.readable().await;
    for secret in [text.expose(), &text.expose()[4..]] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

pub(super) async fn the_secrets_of_a_hook_are_replaced_together(home: &Home) {
    let store = home.open().await;
    let [old, new] = ["the-old-secret-of-the-hook", "the-new-secret-of-the-hook"].map(Secret::new);
    store.put_hook_secrets("営業", "calendly", &[old.clone(), new.clone()]).await.unwrap();
    let found = async |team: &str, service: &str| -> Vec<String> {
        let secrets = home.open().await.hook_secrets(team, service).await.unwrap();
        secrets.iter().map(|secret| secret.expose().to_owned()).collect()
    };
    assert_eq!(found("営業", "calendly").await, [old.expose(), new.expose()]);
    assert!(found("営業", "calcom").await.is_empty() && found("other", "calendly").await.is_empty());
    let bytes = home.readable().await;
    assert!(!bytes.windows(20).any(|window| window == &new.expose().as_bytes()[..20]));
    store.put_hook_secrets("営業", "calendly", std::slice::from_ref(&new)).await.unwrap();
    assert_eq!(found("営業", "calendly").await, [new.expose()]);
    store.put_hook_secrets("営業", "calendly", &[]).await.unwrap();
    assert!(found("営業", "calendly").await.is_empty());
}

pub(super) async fn an_api_token_that_another_program_wrote_is_not_found(home: &Home) {
    let store = home.open().await;
    let now = Timestamp::now();
    let (team, text) = store.create_token(Some("sales"), "read", now).await.unwrap();
    let (operator, operators_text) = store.create_token(None, "everything", now).await.unwrap();
    home.execute(&format!(
        "UPDATE tokens SET (generation, sealed) = (SELECT generation, sealed FROM tokens WHERE id = '{}')
         WHERE id = '{}'",
        operator.id, team.id
    ))
    .await;
    assert_eq!(store.find_token(&text).await.unwrap_err().code(), "store-unreadable");
    assert_eq!(store.tokens().await.unwrap().iter().filter(|token| token.is_err()).count(), 1);
    assert!(store.find_token(&operators_text).await.unwrap().is_some());
    assert!(store.revoke_token(&team.id, now).await.unwrap());
    assert_eq!(store.find_token(&text).await.unwrap(), None, "a damaged row can be removed");
}

pub(super) async fn nothing_secret_can_be_read_without_the_key(home: &Home) {
    let store = home.open().await;
    let generation = store.save(&key("a"), None, &grant("canary-token")).await.unwrap();
    store.save(&key("a"), Some(generation), &grant("canary-rotated")).await.unwrap();
    store.save(&key("b"), None, &api_key("canary-key")).await.unwrap();
    let begun = pending(store.clone());
    store.put_pending(&begun, Timestamp::now()).await.unwrap();
    let bytes = home.readable().await;
    assert!(bytes.len() > 1_000, "the database was read");
    let key_bytes = STANDARD.encode([7; 32]);
    for secret in ["canary", &STANDARD.encode("canary"), &key_bytes, begun.state().expose()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    let debug = format!("{store:?} {:?} {:?}", store.load(&key("a")).await, store.load(&key("b")).await);
    for secret in ["canary-token", "canary-rotated", "canary-key"] {
        assert!(!debug.contains(secret), "{secret}");
    }
}

pub(super) async fn a_key_that_the_platform_keeps_is_replaced_by_the_one_it_gives(home: &Home) {
    let store = home.open().await;
    connect(&*store, "one", &key("one"), "one").await;
    let (_, text) = store.create_token(None, "everything", Timestamp::now()).await.unwrap();
    assert_eq!(store.reseal(&a_key()).await.unwrap_err().code(), "store-key-same");
    let next = Key::from_base64(&STANDARD.encode([9; 32])).unwrap();
    assert_eq!(store.reseal(&next).await.unwrap(), Rotated { rows: 4, damaged: 0 });
    assert_eq!(home.open_with(a_key()).await.unwrap_err().code(), "store-wrong-key");
    for store in [store, home.open_with(next).await.unwrap()] {
        assert_eq!(token(&store.load(&key("one")).await.unwrap().unwrap().state), "one");
        assert!(store.find_token(&text).await.unwrap().is_some());
    }
}

pub(super) async fn a_row_changed_by_another_program_does_not_open(home: &Home) {
    let store = home.open().await;
    store.save(&key("a"), None, &grant("one")).await.unwrap();
    store.save(&key("b"), None, &grant("two")).await.unwrap();
    for change in [
        "UPDATE grants SET sealed = (SELECT sealed FROM grants WHERE connection = 'b') WHERE connection = 'a'",
        "UPDATE grants SET generation = generation + 10 WHERE connection = 'b'",
    ] {
        home.execute(change).await;
    }
    for name in ["a", "b"] {
        let error = store.load(&key(name)).await.unwrap_err();
        assert_eq!(error.code(), "store-unreadable");
        assert!(error.to_string().contains("connect again"), "{error}");
    }
}

pub(super) async fn rows_that_were_changed_or_swapped_do_not_open_and_can_be_replaced(home: &Home) {
    let swap = |table: &str, columns: &str| {
        let name = if table == "teams" { "team" } else { "connection" };
        let from = |other| format!("(SELECT {columns} FROM copy WHERE {name} = '{other}')");
        let (one, two) = (from("two"), from("one"));
        format!(
            "CREATE TABLE copy AS SELECT * FROM {table};
             UPDATE {table} SET ({columns}) = {one} WHERE {name} = 'one';
             UPDATE {table} SET ({columns}) = {two} WHERE {name} = 'two';
             DROP TABLE copy"
        )
    };
    let mut attacks = Vec::new();
    for table in TABLES {
        // PostgreSQL wants `ROW` before one column in parentheses.
        attacks.push((table, swap(table, "sealed").replace("(sealed) = ", "sealed = ")));
        attacks.push((table, swap(table, "generation, sealed")));
        attacks.push((table, format!("UPDATE {table} SET generation = generation + 100")));
        attacks.push((table, format!("UPDATE {table} SET sealed = {}", home.zeros())));
    }
    let rename = "UPDATE teams SET team = 'x' WHERE team = 'one'; UPDATE teams SET team = 'one' WHERE team = 'two';
        UPDATE teams SET team = 'two' WHERE team = 'x'";
    attacks.push(("teams", rename.to_owned()));
    let store = home.open().await;
    for (table, attack) in attacks {
        for name in ["one", "two"] {
            connect(&*store, name, &key(name), name).await;
        }
        assert_eq!(states(&*store).await, ["one", "two"].map(|name| [name; 3].map(str::to_owned)));
        home.execute(&attack).await;
        for store in [&store, &home.open().await] {
            does_not_open(&**store, table, &attack).await;
        }
        assert!(store.connection_to_remove("two", "acme-leads").await.unwrap().is_some());
        assert!(store.remove_connection("one", "acme-leads").await.unwrap().is_some());
    }
    for name in ["one", "two"] {
        connect(&*store, name, &key(name), name).await;
    }
    assert_eq!(states(&*store).await, ["one", "two"].map(|name| [name; 3].map(str::to_owned)));
}

pub(super) async fn rows_from_before_a_store_was_emptied_do_not_open_in_it(home: &Home) {
    let store = home.open().await;
    connect(&*store, "one", &key("one"), "old").await;
    for table in TABLES {
        home.execute(&format!("CREATE TABLE old_{table} AS SELECT * FROM {table}")).await;
    }
    home.execute(&format!("DELETE FROM {}", home.head())).await;
    let error = home.open_with(a_key()).await.unwrap_err();
    assert_eq!(error.code(), "store-damaged");
    assert!(error.to_string().contains("connect again"), "{error}");
    assert_eq!(store.load(&key("one")).await.unwrap_err().code(), "store-unreadable");

    for table in TABLES {
        home.execute(&format!("DELETE FROM {table}")).await;
    }
    let next = home.open().await;
    connect(&*next, "one", &key("one"), "new").await;
    assert_eq!(store.load(&key("one")).await.unwrap_err().code(), "store-unreadable", "it was another store");
    for table in TABLES {
        home.execute(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM old_{table}")).await;
    }
    assert_eq!(states(&*next).await[0], ["-"; 3]);
    next.reseal(&Key::random().unwrap()).await.unwrap();
    assert_eq!(states(&*next).await[0], ["-"; 3]);
    connect(&*next, "one", &key("one"), "one").await;
    assert_eq!(states(&*next).await[0], ["one"; 3]);
}

pub(super) async fn a_store_of_a_newer_program_is_left_alone(home: &Home) {
    home.open().await;
    home.make_newer().await;
    let error = home.open_with(a_key()).await.unwrap_err();
    assert_eq!(error.code(), "store-newer-schema");
}

pub(super) async fn new_stores_open_for_many_machines_at_once(home: &Home) {
    let mut openers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let home = home.clone();
        openers.spawn(async move { home.open().await });
    }
    let stores = openers.join_all().await;
    let first = stores[0].save(&key("a"), None, &grant("one")).await.unwrap();
    for store in stores {
        assert_eq!(store.generation(&key("a")).await.unwrap(), Some(first), "all opened the same store");
    }
}

pub(super) async fn a_crash_between_rotation_and_use_loses_nothing(home: &Home) {
    let server = Rotating::new("refresh-token-one");
    let connection = ConnectionId::new("a");
    let first = home.open().await.save(&key("a"), None, &grant("one")).await.unwrap();
    let crashed = broker(home.open().await, &server);
    crashed.refresh(&connection, "acme", first).await.unwrap();
    // The process ends here: nothing is closed, flushed or released.
    std::mem::forget(crashed);

    let next = broker(home.open().await, &server);
    let opened = next.open(&connection, "acme").await.unwrap();
    assert_eq!(
        opened.secrets().map(|secret| secret.expose()).collect::<Vec<_>>(),
        ["access-token-1", "refresh-token-1"]
    );
    let opened = next.refresh(&connection, "acme", opened.generation()).await.unwrap();
    assert_eq!(opened.secrets().next().unwrap().expose(), "access-token-2", "the rotated token was used");
}

/// Lets machines with several callers each refresh the same grant at once, as they do when the server answers 401.
async fn refresh_at_once(home: &Home, machines: usize, callers_each: usize) {
    let server = Rotating::new("refresh-token-one");
    let first = home.open().await.save(&key("a"), None, &grant("one")).await.unwrap();
    let start = Arc::new(tokio::sync::Barrier::new(machines * callers_each));
    let mut callers = Vec::new();
    for _ in 0..machines {
        let broker = broker(home.open().await, &server);
        for _ in 0..callers_each {
            let (broker, start) = (broker.clone(), start.clone());
            callers.push(tokio::spawn(async move {
                start.wait().await;
                broker.refresh(&ConnectionId::new("a"), "acme", first).await
            }));
        }
    }
    for caller in callers {
        let opened = caller.await.unwrap().unwrap();
        assert_eq!(opened.secrets().next().unwrap().expose(), "access-token-1");
    }
    assert_eq!(server.refreshes(), 1, "one refresh served all callers");
}

pub(super) async fn four_machines_that_meet_a_401_refresh_once(home: &Home) {
    refresh_at_once(home, 4, 3).await;
}

pub(super) async fn many_processes_refresh_once_and_lose_no_grant(home: &Home) {
    refresh_at_once(home, 6, 1).await;
}
