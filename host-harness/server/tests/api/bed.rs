//! A server with its ledger and store, and a client that judges every answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crm_contract::Instant;
use crm_delivery::{Ledger, Settings};
use crm_delivery_sqlite::{Options, SqliteLedger};
use crm_server::Service;
use crm_store::{SqliteStore, Store};
use jiff::Timestamp;
use reqwest::{Client, Method, header::HeaderMap};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{document, log};

pub const TEAM: &str = "minato-team";
pub const CALENDAR: &str = "intro-call";
pub const PLUGIN: &str = "salesforce-leads";
pub const BOOKINGS: &str = "/v1/teams/minato-team/calendars/intro-call/bookings";
pub const MAPPING: &str = "/v1/teams/minato-team/calendars/intro-call/integrations/salesforce-leads/mapping";
pub const BOOKING: &str = include_str!("../../../../examples/booking.json");

pub struct Bed {
    pub address: SocketAddr,
    pub ledger: Arc<SqliteLedger>,
    pub store: Arc<SqliteStore>,
    pub client: Client,
    /// A token of an operator, one of the team's admins, and one of its platform.
    pub operator: String,
    pub admin: String,
    pub intake: String,
    pub folder: TempDir,
    time: Arc<AtomicU64>,
}

/// What the server sent.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// `null` if it is not JSON.
    pub json: Value,
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.text);
        self
    }
}

impl Bed {
    pub async fn new() -> Self {
        Self::with(|service| service).await
    }

    pub async fn with(change: impl FnOnce(Service) -> Service) -> Self {
        log::capture();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let store = Arc::new(SqliteStore::open(&data).unwrap());
        let time = Arc::new(AtomicU64::new(u64::try_from(Timestamp::now().as_millisecond()).unwrap()));
        let clock = time.clone();
        let options = Options {
            keys: store.keys().unwrap(),
            settings: Settings::default(),
            clock: Some(Arc::new(move || clock.load(Ordering::SeqCst))),
            failed: Box::new(|error| panic!("{error}")),
        };
        let ledger = Arc::new(SqliteLedger::serve(&data, options).unwrap());
        let service = Service::new(ledger.clone(), store.clone(), PLUGIN.parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, crm_server::router(change(service))).into_future());
        let client = client();
        let unknown = String::new;
        let mut bed = Self {
            address,
            ledger,
            store,
            client,
            operator: unknown(),
            admin: unknown(),
            intake: unknown(),
            folder,
            time,
        };
        bed.operator = bed.token(None, "operator").await;
        bed.team(TEAM).await;
        bed.admin = bed.token(Some(TEAM), "admin").await;
        bed.intake = bed.token(Some(TEAM), "intake").await;
        bed
    }

    pub async fn token(&self, team: Option<&str>, scope: &str) -> String {
        let (_, text) = self.store.create_token(team, scope, Timestamp::now()).await.unwrap();
        log::is_secret(text.expose());
        text.expose().to_owned()
    }

    pub async fn team(&self, id: &str) {
        let path = format!("/v1/teams/{}", encoded(id));
        self.put(&path, &self.operator, &json!({ "name": "A team" })).await.is(201);
    }

    pub async fn map(&self, calendar: &str) {
        let mapping: Value = serde_json::from_str(include_str!("../../../../examples/mapping.json")).unwrap();
        let path = format!("/v1/teams/{TEAM}/calendars/{}/integrations/{PLUGIN}/mapping", encoded(calendar));
        self.put(&path, &self.admin, &json!({ "mapping": mapping })).await.is(200);
    }

    /// Hands over bookings of this id and returns the id of their delivery.
    pub async fn accept(&self, id: &str) -> u64 {
        let answer = self.post(BOOKINGS, &self.intake, &booking(id)).await.is(202);
        answer.json["deliveries"][0]["id"].as_u64().unwrap()
    }

    pub fn advance(&self, by: Instant) {
        self.time.fetch_add(by, Ordering::SeqCst);
    }

    pub async fn now(&self) -> Instant {
        self.ledger.now().await.unwrap()
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, Some(token), None).await
    }

    pub async fn put(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(token), Some(body)).await
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(token), Some(body)).await
    }

    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        if body.is_some() {
            headers.insert("content-type", "application/json".parse().unwrap());
        }
        let text = body.map(Value::to_string);
        let answer = self.send_raw(method.clone(), path, headers, text.unwrap_or_default().into_bytes()).await;
        if let (Some(body), 200..=299) = (body, answer.status) {
            document::get(self).await.check_request(&method, path, body);
        }
        answer
    }

    pub async fn send_raw(&self, method: Method, path: &str, headers: HeaderMap, body: Vec<u8>) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let response = self.client.request(method.clone(), url).headers(headers).body(body).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        let answer = Answer { status, headers, text, json };
        document::get(self).await.check_answer(&method, path, &answer);
        log::has_nothing_personal();
        answer
    }
}

pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// The example with another id.
pub fn booking(id: &str) -> Value {
    let mut booking: Value = serde_json::from_str(BOOKING).unwrap();
    booking["id"] = id.into();
    booking["change_id"] = "1".into();
    // Bookings of one guest wait for each other.
    booking["guest"]["email"] = format!("anna-lena.weiss+{id}@nordwind.example").into();
    booking
}

pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
