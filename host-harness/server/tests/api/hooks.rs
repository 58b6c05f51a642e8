//! Webhooks of scheduling services.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    bed::{Answer, Bed, TEAM},
    log,
};

const TIMEREX: &str = include_str!("../../../../examples/timerex-webhook.json");
const CALENDLY: &str = include_str!("../../../intake/fixtures/calendly/confirmed.json");
const CALCOM: &str = include_str!("../../../intake/fixtures/calcom/confirmed.json");
const SERVICES: [(&str, &str); 3] = [("timerex", TIMEREX), ("calendly", CALENDLY), ("calcom", CALCOM)];
const OLD: &str = "hook-secret-of-last-year";
const NEW: &str = "hook-secret-of-this-year";

fn hex_hmac(secret: &str, parts: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part.as_bytes()));
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// The header by which a service proves itself.
fn proof(service: &str, secret: &str, body: &str, seconds: i64) -> HeaderMap {
    let (name, value) = match service {
        "timerex" => ("x-timerex-authorization", secret.to_owned()),
        "calendly" => {
            let seconds = seconds.to_string();
            ("calendly-webhook-signature", format!("t={seconds},v1={}", hex_hmac(secret, &[&seconds, ".", body])))
        }
        _ => ("x-cal-signature-256", hex_hmac(secret, &[body])),
    };
    HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

async fn set(bed: &Bed, service: &str, secrets: &[&str]) {
    secrets.iter().for_each(|secret| log::is_secret(secret));
    let body = json!({ "secrets": secrets });
    bed.put(&format!("/v1/teams/{TEAM}/hooks/{service}"), &bed.admin, &body).await.is(204);
}

async fn send(bed: &Bed, service: &str, headers: HeaderMap, body: &str) -> Answer {
    let path = format!("/hooks/{service}/{TEAM}/intro-call");
    bed.send_raw(Method::POST, &path, headers, body.as_bytes().to_vec()).await
}

#[tokio::test]
async fn a_service_that_proves_itself_hands_over_its_bookings_once() {
    let bed = Bed::new().await;
    for (service, body) in SERVICES {
        set(&bed, service, &[NEW]).await;
        let signed = || proof(service, NEW, body, now());
        let new = send(&bed, service, signed(), body).await.is(202).json;
        assert_eq!(send(&bed, service, signed(), body).await.is(200).json, new, "{service}: a replay changes nothing");
        let shown = bed.get(&format!("/v1/deliveries/{}", new["deliveries"][0]["id"]), &bed.admin).await.is(200).json;
        assert_eq!((&shown["team"], &shown["calendar"]), (&json!(TEAM), &json!("intro-call")), "{service}");
        assert!(shown["booking_content"]["guest"]["name"].is_string(), "{service}");
    }
}

#[tokio::test]
async fn a_request_that_proves_nothing_is_401_whatever_its_body() {
    let bed = Bed::new().await;
    for (service, body) in SERVICES {
        let signed = || proof(service, NEW, body, now());
        send(&bed, service, signed(), body).await.problem(401, "hook-without-secret");
        set(&bed, service, &[NEW]).await;
        send(&bed, service, HeaderMap::new(), body).await.problem(401, "authentication-missing");
        send(&bed, service, proof(service, OLD, body, now()), body).await.problem(401, "authentication-mismatch");
        send(&bed, service, HeaderMap::new(), "{").await.problem(401, "authentication-missing");
        let mut twice = signed();
        for (name, value) in signed() {
            twice.append(name.unwrap(), value);
        }
        send(&bed, service, twice, body).await.problem(401, "authentication-repeated");
        if service != "timerex" {
            send(&bed, service, signed(), &format!("{body} ")).await.problem(401, "authentication-mismatch");
        }
        let elsewhere = format!("/hooks/{service}/unknown/intro-call");
        let refused = bed.send_raw(Method::POST, &elsewhere, signed(), body.as_bytes().to_vec()).await;
        refused.problem(401, "hook-without-secret");
    }
    send(&bed, "calendly", proof("calendly", NEW, CALENDLY, now() - 3_600), CALENDLY)
        .await
        .problem(401, "signature-expired");
    let ahead = proof("calendly", NEW, CALENDLY, now() + 3_600);
    send(&bed, "calendly", ahead, CALENDLY).await.problem(401, "signature-from-the-future");
    let unsigned =
        HeaderMap::from_iter([("x-cal-signature-256".parse().unwrap(), "no-secret-provided".parse().unwrap())]);
    send(&bed, "calcom", unsigned, CALCOM).await.problem(401, "service-without-secret");
    let malformed = HeaderMap::from_iter([("x-cal-signature-256".parse().unwrap(), "zz".parse().unwrap())]);
    send(&bed, "calcom", malformed, CALCOM).await.problem(401, "authentication-malformed");
    send(&bed, "unknown", HeaderMap::new(), "{}").await.problem(404, "no-such-hook");
    assert_eq!(bed.get("/v1/deliveries", &bed.admin).await.json["deliveries"], json!([]));
}

#[tokio::test]
async fn a_secret_is_replaced_without_a_gap_and_a_hook_is_switched_off() {
    let bed = Bed::new().await;
    for (service, body) in SERVICES {
        for (secrets, old, new) in
            [(&[OLD][..], 202, 401), (&[NEW, OLD], 200, 200), (&[NEW], 401, 200), (&[], 401, 401)]
        {
            set(&bed, service, secrets).await;
            assert_eq!(
                send(&bed, service, proof(service, OLD, body, now()), body).await.status,
                old,
                "{service} {secrets:?}"
            );
            assert_eq!(
                send(&bed, service, proof(service, NEW, body, now()), body).await.status,
                new,
                "{service} {secrets:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_event_that_changes_no_booking_is_ignored_and_an_unreadable_body_is_400() {
    let bed = Bed::new().await;
    let changed = |body: &str, pointer: &str, value: Value| {
        let mut body: Value = serde_json::from_str(body).unwrap();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    for (service, body) in SERVICES {
        set(&bed, service, &[NEW]).await;
        let pointer = match service {
            "timerex" => "/webhook_type",
            "calendly" => "/event",
            _ => "/triggerEvent",
        };
        let other = changed(body, pointer, "something.else".into());
        let ignored = send(&bed, service, proof(service, NEW, &other, now()), &other).await.is(200).json;
        assert_eq!(ignored, json!({ "ignored": "something.else", "reason": "not-a-change" }), "{service}");
        for bad in ["", "{", "[]", "null", &changed(body, pointer, json!([]))] {
            send(&bed, service, proof(service, NEW, bad, now()), bad).await.problem(400, "body-invalid");
        }
    }
    let cancelled = include_str!("../../../intake/fixtures/calendly/cancelled.json");
    let half = changed(cancelled, "/payload/rescheduled", true.into());
    let ignored = send(&bed, "calendly", proof("calendly", NEW, &half, now()), &half).await.is(200).json;
    assert_eq!(ignored["reason"], "half-of-a-move");
}

#[tokio::test]
async fn secrets_are_checked_before_they_replace_others() {
    let bed = Bed::new().await;
    set(&bed, "calcom", &[NEW]).await;
    let put = async |service: &str, secrets: Value| {
        bed.put(&format!("/v1/teams/{TEAM}/hooks/{service}"), &bed.admin, &json!({ "secrets": secrets })).await
    };
    for (secrets, path) in [
        (json!(["short"]), "secrets[0]"),
        (json!([NEW, format!("{OLD} ")]), "secrets[1]"),
        (json!([NEW, NEW, NEW, NEW, NEW]), "secrets"),
        (json!([7]), "secrets[0]"),
        (json!(NEW), "secrets"),
    ] {
        let problem = put("calcom", secrets).await.problem(400, "body-invalid").json;
        assert_eq!(problem["paths"], json!([path]), "{problem}");
        assert!(!problem.to_string().contains("hook-secret"), "{problem}");
    }
    put("unknown", json!([NEW])).await.problem(404, "no-such-hook");
    let unknown = bed.put("/v1/teams/unknown/hooks/calcom", &bed.operator, &json!({ "secrets": [NEW] })).await;
    unknown.problem(404, "no-such-team");
    send(&bed, "calcom", proof("calcom", NEW, CALCOM, now()), CALCOM).await.is(202);
}
