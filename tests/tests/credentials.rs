//! Credentials end to end: refreshed when a session expires, gone when revoked, and never visible to the plugin.

use acceptance::samples::{self, first_try};
use acceptance::system::{CREDENTIAL, NOW, System, connect};
use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crm_host::credentials::{Asker, GrantState, Revoked};
use crm_host::types::Reaction;
use crm_store::{Key, PostgresStore};
use salesforce_local_org::OrgFile;
use std::sync::Arc;
use test_postgres::Cluster;

#[tokio::test]
async fn an_expired_session_is_refreshed_once_and_the_booking_is_delivered() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    system.org().expire_access_tokens();
    system.org().clear_requests();
    let called = system.deliver(&samples::japanese_booking()?, &mapping, &first_try(NOW)).await?;
    called.answer.expect("delivered");
    let statuses: Vec<_> = called.usage.requests.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(401), Some(201)]);
    let refreshes = system.org().requests().into_iter().filter(|entry| entry.path.ends_with("/token")).count();
    assert_eq!(refreshes, 1);
    assert_eq!(system.org().leads().len(), 1);
    Ok(())
}

#[tokio::test]
async fn concurrent_calls_share_one_refresh() -> Result<()> {
    let system = System::named("rotation-30-days").await?;
    system.org().expire_access_tokens();
    let calls = (0..6).map(|_| {
        let (plugin, connection) = (system.plugin.clone(), system.connection.clone());
        tokio::spawn(async move { plugin.list_lead_fields(&connection, None, "en").await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await??.answer.expect("listed");
    }
    let refreshes = system.org().requests().into_iter().filter(|entry| entry.path.ends_with("/token")).count();
    assert_eq!(refreshes, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn four_machines_that_meet_a_401_refresh_once() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let url = cluster.database("grants");
    let system = System::disconnected(OrgFile::named("rotation-30-days").context("the org")??).await?;
    let mut machines = Vec::new();
    for _ in 0..4 {
        let key = Key::from_base64(&STANDARD.encode([7; 32]))?;
        machines.push(system.machine(Arc::new(PostgresStore::open(&url, key, None).await?)).await?);
    }
    let (_, first) = machines.first().context("a machine")?;
    connect(first.broker(), &system.connection, system.org()).await?;
    system.org().expire_access_tokens();
    system.org().clear_requests();
    let calls = machines.iter().cycle().take(8).map(|(_, plugin)| {
        let (plugin, connection) = (plugin.clone(), system.connection.clone());
        tokio::spawn(async move { plugin.list_lead_fields(&connection, None, "en").await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await??.answer.expect("listed");
    }
    let requests = system.org().requests();
    assert!(requests.iter().any(|entry| entry.status == Some(401)), "the session had expired");
    assert_eq!(requests.iter().filter(|entry| entry.path.ends_with("/token")).count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_revoked_grant_needs_a_reconnect_and_then_works() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    system.org().revoke_all_tokens();
    let booking = samples::japanese_booking()?;
    for _ in 0..2 {
        let problem = system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer.expect_err("revoked");
        assert_eq!(problem.reaction, Reaction::Reconnect);
    }
    assert!(system.org().leads().is_empty());
    system.connect().await?;
    system.deliver(&booking, &mapping, &first_try(NOW)).await?.answer.expect("delivered");
    assert_eq!(system.org().leads().len(), 1);
    Ok(())
}

#[tokio::test]
async fn disconnecting_revokes_the_grant_at_the_org() -> Result<()> {
    let system = System::start().await?;
    let gone = system.plugin.broker().disconnect(&system.connection, CREDENTIAL, &Asker::operator()).await?;
    assert!(matches!(gone.revoked, Revoked::Now), "{:?}", gone.revoked);
    let problem =
        system.plugin.list_lead_fields(&system.connection, None, "en").await?.answer.expect_err("disconnected");
    assert_eq!(problem.reaction, Reaction::Reconnect);
    Ok(())
}

#[tokio::test]
async fn no_token_appears_in_results_or_logs() -> Result<()> {
    let system = System::start().await?;
    let mapping = system.example_mapping().await?;
    let state = system.plugin.broker().state(&system.connection, CREDENTIAL).await?.context("a grant")?;
    let GrantState::Live(grant) = state.state else { anyhow::bail!("the grant has ended") };
    let secrets: Vec<String> = grant.secrets().map(|secret| secret.expose().to_owned()).collect();
    assert_eq!(secrets.len(), 2, "an access and a refresh token");

    let called = system.deliver(&samples::japanese_booking()?, &mapping, &first_try(NOW)).await?;
    let account = system.plugin.check_connection(&system.connection, "en").await?;
    let fields = system.plugin.list_lead_fields(&system.connection, None, "en").await?;
    let everything = format!("{called:?}{account:?}{fields:?}{grant:?}{:?}", system.org().requests());
    for secret in &secrets {
        assert!(!everything.contains(secret.as_str()));
    }
    Ok(())
}
