//! What a plugin cannot do: import more than its world, exceed its limits, or reach anything but the connected org.

use acceptance::guests;
use acceptance::memory;
use acceptance::samples::first_try;
use acceptance::scripted::{Scripted, VICTIM, response};
use acceptance::system::NOW;
use anyhow::Result;
use crm_host::types::{Booking, BookingKind, Effect, Mapping, Parameter, Problem};
use crm_host::{CallError, LoadError};
use std::fs;

/// The hostile guest; the response to a request is its own path.
async fn hostile() -> Result<Scripted> {
    let component = fs::read(guests::build("hostile")?.path)?;
    Scripted::start(&component, &VICTIM, |request| match request.uri().path() {
        "/open/silence" => None,
        "/open/echo" => Some(response(200, request.headers()["authorization"].as_bytes())),
        path => Some(response(200, path)),
    })
    .await
}

fn attempt(target: &str, options: &[(&str, &str)]) -> Mapping {
    let options = options.iter().map(|(name, value)| Parameter::new(*name, *value));
    Mapping { target: Some(target.to_owned()), options: options.collect(), ..Mapping::default() }
}

fn booking() -> Booking {
    let (id, team_id) = ("b-1".to_owned(), "team".to_owned());
    Booking { kind: BookingKind::Confirmed, id, previous_id: None, team_id, locale: None, more: Vec::new() }
}

async fn run(guest: &Scripted, target: &str, options: &[(&str, &str)]) -> Result<Problem, CallError> {
    let mapping = attempt(target, options);
    let called = guest.plugin.on_booking_completed(&guest.connection, &booking(), &mapping, &first_try(NOW)).await?;
    Ok(called.answer.expect_err("the guest always returns a problem"))
}

#[tokio::test]
async fn an_invalid_plugin_is_rejected_with_its_own_code_before_compilation() -> Result<()> {
    let host = memory::host().concurrent_calls(1).build()?;
    let cases: [(&str, Vec<u8>, &str, &str); 7] = [
        ("greedy", guests::greedy()?, "forbidden-imports", "wasi:clocks/wall-clock@0.2.0"),
        ("greedy", guests::greedy()?, "forbidden-imports", "wasi:cli/environment@0.2.0"),
        ("no leads", guests::without_leads()?, "missing-export", "scheduling:crm/leads"),
        ("other contract", guests::of_another_contract()?, "other-contract", "@0.2.0"),
        ("no manifest", guests::without_manifest()?, "no-manifest", "scheduling-crm-manifest"),
        ("two manifests", guests::with_two_manifests()?, "several-manifests", "scheduling-crm-manifest"),
        ("module", guests::core_module()?, "core-module", "not a component"),
    ];
    for (name, bytes, code, said) in cases {
        let error: LoadError = match host.load(&bytes).await {
            Ok(_) => panic!("{name} was loaded"),
            Err(error) => error,
        };
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(error.to_string().contains(said), "{name}: {error}");
    }
    for (bytes, code) in
        [(b"<!doctype html>".to_vec(), "not-wasm"), (vec![0; crm_host::MAX_COMPONENT_BYTES + 1], "component-too-large")]
    {
        assert_eq!(host.load(&bytes).await.err().map(|error| error.code()), Some(code));
    }
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_exceeds_a_limit_is_stopped_and_the_next_call_works() -> Result<()> {
    let guest = hostile().await?;
    for (title, extra, code) in [
        ("loop", &[][..], "cpu-limit"),
        ("memory bomb", &[], "memory-limit"),
        ("deep recursion", &[], "trap"),
        ("panic", &[], "trap"),
        ("huge string", &[], "host-call-limit"),
        ("amplified strings", &[], "host-call-limit"),
        ("invalid text", &[], "invalid-data"),
        ("huge body", &[("url", "{origin}/open/x")], "host-call-limit"),
        ("huge header", &[("url", "{origin}/open/x")], "host-call-limit"),
    ] {
        let error = run(&guest, title, extra).await.expect_err(title);
        assert_eq!(error.code(), code, "{title}: {error}");
        assert_eq!(error.effect(), Effect::None, "{title}");
        let after = run(&guest, "request", &[("url", "{origin}/open/hello")]).await?;
        assert_eq!((after.code.as_str(), after.message.as_str()), ("answered", "/open/hello"), "after {title}");
    }
    Ok(())
}

#[tokio::test]
async fn a_plugin_keeps_nothing_between_calls() -> Result<()> {
    let guest = hostile().await?;
    for _ in 0..3 {
        let counted = run(&guest, "count calls", &[]).await?;
        assert_eq!((counted.code.as_str(), counted.message.as_str()), ("ended", "1"));
    }
    Ok(())
}

#[tokio::test]
async fn a_silent_server_cannot_exceed_the_wall_clock_limit() -> Result<()> {
    let guest = hostile().await?;
    let began = std::time::Instant::now();
    let problem = run(&guest, "request", &[("url", "{origin}/open/silence"), ("method", "POST")]).await?;
    assert_eq!(problem.code, "failed-timeout");
    let wall = guest.plugin.limits().wall_ms;
    assert!(began.elapsed().as_millis() <= u128::from(wall) + 1_000, "{:?}", began.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_plugin_reaches_only_the_connected_org_and_denied_requests_are_not_sent() -> Result<()> {
    let guest = hostile().await?;
    for (extra, code) in [
        (&[("url", "https://evil.example/open/x")][..], "failed-denied"),
        (&[("url", "https://victim.example/open/x")], "failed-denied"),
        // Anyone can own an account that matches the pattern; only the connected one is allowed.
        (&[("url", "https://mallory.victim.example/open/x")], "failed-denied"),
        (&[("url", "https://login.victim.example/open/x")], "failed-denied"),
        (&[("url", "http://acme.victim.example/open/x")], "failed-invalid-request"),
        (&[("url", "https://acme.victim.example:8443/open/x")], "failed-invalid-request"),
        (&[("url", "https://127.0.0.1/open/x")], "failed-invalid-request"),
        (&[("url", "https://acme.victim.example@evil.example/open/x")], "failed-invalid-request"),
        (&[("url", "{origin}/closed")], "failed-denied"),
        (&[("url", "{origin}/open/../closed")], "failed-denied"),
        (&[("url", "{origin}/open/%2e%2e/closed")], "failed-denied"),
        (&[("url", "{origin}/open/x"), ("method", "DELETE")], "failed-denied"),
        (&[("url", "{origin}/open/x"), ("header", "Authorization: Bearer forged")], "failed-invalid-request"),
        (&[("url", "{origin}/open/x"), ("header", "host: evil.example")], "failed-invalid-request"),
    ] {
        let problem = run(&guest, "request", extra).await?;
        assert_eq!(problem.code, code, "{extra:?}");
    }
    assert!(guest.script.seen().is_empty(), "nothing was sent: {:?}", guest.script.seen());
    Ok(())
}

#[tokio::test]
async fn a_call_sends_no_more_requests_than_its_budget() -> Result<()> {
    let guest = hostile().await?;
    // On a slow machine, 10,000 attempts can exceed the CPU limit first.
    match run(&guest, "10k requests", &[("url", "{origin}/open/x")]).await {
        Ok(problem) => assert!(problem.message.contains("budget"), "{}", problem.message),
        Err(error) => assert_eq!(error.code(), "cpu-limit"),
    }
    assert_eq!(guest.script.seen().len(), usize::try_from(guest.plugin.permissions().limits().http_requests)?);
    Ok(())
}

#[tokio::test]
async fn the_host_attaches_the_credential_and_blocks_responses_that_echo_it() -> Result<()> {
    let guest = hostile().await?;
    let answered = run(&guest, "request", &[("url", "{origin}/open/x")]).await?;
    assert_eq!(answered.code, "answered");
    let seen = guest.script.seen();
    assert_eq!(seen[0].headers()["authorization"], "Bearer canary-access-0123456789");

    let echoed = run(&guest, "request", &[("url", "{origin}/open/echo")]).await.expect_err("the call ends");
    assert_eq!((echoed.code(), echoed.effect()), ("credential-echo", Effect::None));
    assert!(!format!("{echoed:?}").contains("canary"));
    Ok(())
}

#[tokio::test]
async fn repeated_denied_requests_fill_neither_memory_nor_the_report() -> Result<()> {
    let guest = hostile().await?;
    let long = format!("{{origin}}/closed/{}", "A".repeat(15_000));
    let mapping = attempt("10k requests", &[("url", &long)]);
    let called = guest.plugin.on_booking_completed(&guest.connection, &booking(), &mapping, &first_try(NOW)).await;
    let usage = match called {
        Ok(called) => called.usage,
        Err(error) => error.usage,
    };
    assert!((1..=16).contains(&usage.denials.len()), "{}", usage.denials.len());
    assert!(usage.denials.iter().all(|denial| denial.reason.len() < 500));
    assert!(guest.script.seen().is_empty());
    Ok(())
}
