//! Alerts that arrive as webhooks.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use crm_delivery::{
    alerts::{Alert, CauseKey, Counted},
    upkeep::Alarm as _,
};
use crm_host::secret::Secret;
use crm_server::AlertWebhook;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::log;

const KEY: [u8; 32] = [7; 32];

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<(HeaderMap, Bytes)>>>);

async fn receive(State(received): State<Received>, headers: HeaderMap, body: Bytes) -> StatusCode {
    received.0.lock().unwrap().push((headers, body));
    StatusCode::NO_CONTENT
}

async fn redirect() -> Response {
    Redirect::temporary("/").into_response()
}

async fn receiver() -> (Received, String) {
    log::capture();
    let received = Received::default();
    let router = Router::new()
        .route("/", post(receive))
        .route("/redirect", post(redirect))
        .route("/failing", post(async || StatusCode::INTERNAL_SERVER_ERROR))
        .with_state(received.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    (received, address)
}

fn secret() -> Secret {
    let text = format!("whsec_{}", BASE64_STANDARD.encode(KEY));
    log::is_secret(&text);
    Secret::new(text)
}

fn alerts() -> Vec<Alert> {
    let integration: crm_delivery::Integration = "salesforce-leads".parse().unwrap();
    let key = CauseKey { team: "minato-team".into(), integration: integration.clone(), code: "field-missing".into() };
    let counted = Counted { key: key.clone(), count: 3, earliest_meeting: 1_796_169_600_000 };
    let (team, codes) = ("minato-team".to_owned(), vec!["field-missing".to_owned()]);
    vec![
        Alert::Began(counted.clone()),
        Alert::Urgent(counted.clone()),
        Alert::Digest { team: team.clone(), causes: vec![counted] },
        Alert::Recovered(key),
        Alert::Drift { team: team.clone(), calendar: "intro-call".into(), integration, codes: codes.clone() },
        Alert::Connection { team, plugin: "salesforce-leads".into(), codes },
    ]
}

/// Checks a signature as the specification's section "Verifying signatures" says.
fn verify(headers: &HeaderMap, body: &[u8]) -> String {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (id, seconds) = (header("webhook-id"), header("webhook-timestamp"));
    assert!(Timestamp::now().as_second().abs_diff(seconds.parse().unwrap()) < 300);
    let signature = header("webhook-signature");
    let signature = BASE64_STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
    [id.as_bytes(), b".", seconds.as_bytes(), b".", body].iter().for_each(|part| mac.update(part));
    mac.verify_slice(&signature).unwrap();
    id
}

#[tokio::test]
async fn every_alert_arrives_signed_and_a_repeat_has_the_same_id() {
    let (received, address) = receiver().await;
    let webhook = AlertWebhook::new(&address, &secret()).unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for alert in alerts() {
        // A repeat that falls into the next hour has another id; it is then sent once more.
        let ids_of_two = async || {
            received.0.lock().unwrap().clear();
            for _ in 0..2 {
                webhook.raise(&alert).await.unwrap();
            }
            let received = received.0.lock().unwrap();
            let [one, two] = received.as_slice() else { panic!("{} requests", received.len()) };
            for (headers, body) in [one, two] {
                let message: Value = serde_json::from_slice(body).unwrap();
                assert_eq!(message["type"], format!("booking-alert.{}", alert.name()));
                assert_eq!(message["data"], json!(alert));
                assert!(message["timestamp"].as_str().unwrap().parse::<Timestamp>().is_ok());
                assert_eq!(headers["content-type"], "application/json");
            }
            (verify(&one.0, &one.1), verify(&two.0, &two.1))
        };
        let (mut one, mut two) = ids_of_two().await;
        if one != two {
            (one, two) = ids_of_two().await;
        }
        assert_eq!(one, two);
        ids.insert(one);
    }
    assert_eq!(ids.len(), alerts().len(), "different alerts have different ids");
}

#[tokio::test]
async fn an_alert_that_is_refused_redirected_or_unreachable_did_not_arrive() {
    let (received, address) = receiver().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (address, expected) in [
        (format!("{address}/failing"), "status 500"),
        (format!("{address}/redirect"), "status 307"),
        (format!("{address}/unknown"), "status 404"),
        (format!("http://{closed}/token-in-the-path"), "cannot be reached"),
    ] {
        let webhook = AlertWebhook::new(&address, &secret()).unwrap();
        let error = webhook.raise(&alerts()[0]).await.unwrap_err();
        let message = crm_host::full_message(&*error);
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains("token-in-the-path") && !format!("{webhook:?}").contains("token"), "{message}");
    }
    assert!(received.0.lock().unwrap().is_empty());
}
