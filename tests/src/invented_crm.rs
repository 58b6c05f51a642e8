//! The server of an invented CRM, as a function from request to response: what `tiny-crm` talks to.
//!
//! An API key in `x-tiny-key`; pipelines with fields in kana; a person and a lead per booking. A request is carried out within 60
//! seconds of its arrival or never, and a search finds a record 30 seconds after it was created.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::{
    Router,
    body::{self, Body},
};
use crm_host::transport::{TransportError, TransportErrorKind};
use http::{Method, Request, Response};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::scripted::{Reply, response};

/// Seconds until a search finds a record.
const SEARCH_LAG: u64 = 30;
/// Entries of the largest field.
pub const INDUSTRIES: usize = 5_000;

/// The CRM. Clones share its records.
#[derive(Clone, Debug)]
pub struct InventedCrm(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Milliseconds since 1970.
    now: u64,
    key: String,
    records: Vec<Record>,
    /// Whether the pipelines take no new lead.
    closed: bool,
    /// Whether it answers 503 to everything.
    busy: bool,
    lost: Option<(String, Lost)>,
    /// Requests that are still to be carried out, and when.
    late: Vec<(u64, Request<Vec<u8>>)>,
    requests: Vec<String>,
}

/// A record.
#[derive(Clone, Debug)]
pub struct Record {
    /// `person` or `lead`.
    pub object: &'static str,
    /// Its id.
    pub id: String,
    /// Its values, and for a lead `pipeline`, `person_id` and `reference`.
    pub values: Map<String, Value>,
    created: u64,
}

/// What becomes of a request whose reply is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It is not carried out.
    Before,
    /// It was carried out.
    After,
    /// It is carried out after so many seconds.
    Late(u32),
}

/// A refusal: status, code, words, and the field at fault.
type Refusal = (u16, &'static str, &'static str, Option<String>);

impl InventedCrm {
    /// A CRM without records.
    pub fn new(now: u64, key: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            key: key.to_owned(),
            records: Vec::new(),
            closed: false,
            busy: false,
            lost: None,
            late: Vec::new(),
            requests: Vec::new(),
        })))
    }

    /// Milliseconds since 1970 by its clock.
    pub fn now(&self) -> u64 {
        self.state().now
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: u32) {
        let mut state = self.state();
        state.now += u64::from(seconds) * 1_000;
        state.catch_up();
    }

    /// Replaces the API key; the old one is refused.
    pub fn replace_key(&self, key: &str) {
        self.state().key = key.to_owned();
    }

    /// Takes no new lead, or takes them again.
    pub fn close(&self, closed: bool) {
        self.state().closed = closed;
    }

    /// Answers 503 to everything, or works again.
    pub fn overload(&self, busy: bool) {
        self.state().busy = busy;
    }

    /// Loses the reply to the next request that creates an object.
    pub fn lose(&self, object: &str, lost: Lost) {
        self.state().lost = Some((format!("/v1/{object}s"), lost));
    }

    /// The records of an object.
    pub fn records(&self, object: &str) -> Vec<Record> {
        self.state().records.iter().filter(|record| record.object == object).cloned().collect()
    }

    /// Method and path of the requests since the last call.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Serves it on this machine for as long as the runtime lives. Returns its address.
    pub async fn serve(&self) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let crm = self.clone();
        let respond = async move |request: Request<Body>| -> Response<Body> {
            let (parts, body) = request.into_parts();
            let body = body::to_bytes(body, 1 << 20).await.unwrap_or_default();
            let answer = crm.answer(&Request::from_parts(parts, body.to_vec())).unwrap_or_default();
            answer.map(Body::from)
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
        Ok(address)
    }

    /// Responds to a request.
    pub fn answer(&self, request: &Request<Vec<u8>>) -> Reply {
        let mut state = self.state();
        state.catch_up();
        let path = request.uri().path().to_owned();
        state.requests.push(format!("{} {path}", request.method()));
        let lost = state.lost.take_if(|(lost, _)| request.method() == Method::POST && *lost == path);
        let no_reply = || Err(TransportError::maybe_sent(TransportErrorKind::Closed, "the reply was lost"));
        match lost {
            None => state.carry_out(request),
            Some((_, Lost::Before)) => no_reply(),
            Some((_, Lost::After)) => state.carry_out(request).and_then(|_| no_reply()),
            Some((_, Lost::Late(seconds))) => {
                let due = state.now + u64::from(seconds) * 1_000;
                state.late.push((due, request.clone()));
                no_reply()
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Carries out what is due.
    fn catch_up(&mut self) {
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.late).into_iter().partition(|(due, _)| *due <= now);
        self.late = later;
        for (due, request) in due {
            self.now = due;
            // Nobody reads the reply.
            let _ = self.carry_out(&request);
        }
        self.now = now;
    }

    fn carry_out(&mut self, request: &Request<Vec<u8>>) -> Reply {
        match self.result(request) {
            Ok((status, body)) => response(status, body.to_string()),
            Err((status, code, text, field)) => {
                response(status, json!({ "error": { "code": code, "text": text, "field": field } }).to_string())
            }
        }
    }

    fn result(&mut self, request: &Request<Vec<u8>>) -> Result<(u16, Value), Refusal> {
        if request.headers().get("x-tiny-key").is_none_or(|key| key != self.key.as_str()) {
            return Err((401, "key-unknown", "この鍵は使えません", None));
        }
        if self.busy {
            return Err((503, "busy", "こみあっています", None));
        }
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let path: Vec<&str> = request.uri().path().trim_start_matches("/v1/").split('/').collect();
        match (request.method().as_str(), path.as_slice()) {
            ("GET", ["pipelines"]) => Ok((200, json!({ "pipelines": pipelines() }))),
            ("GET", ["pipelines", code, "fields"]) if pipelines().iter().any(|one| one["code"] == *code) => {
                Ok((200, json!({ "fields": fields() })))
            }
            ("GET", ["persons"]) => Ok((200, json!({ "persons": self.found("person", "めーる", asked("mail")) }))),
            ("GET", ["leads"]) => Ok((200, json!({ "leads": self.found("lead", "reference", asked("reference")) }))),
            ("POST", ["persons"]) => {
                let values = checked("person", &body, true)?;
                Ok(self.create("person", values))
            }
            ("POST", ["leads"]) if self.closed => Err((409, "pipeline-closed", "このパイプラインは閉じています", None)),
            ("POST", ["leads"]) => {
                let mut values = checked("lead", &body, true)?;
                for name in ["pipeline", "person_id", "reference"] {
                    values.insert(name.to_owned(), body.get(name).cloned().unwrap_or_default());
                }
                Ok(self.create("lead", values))
            }
            ("PATCH", [objects, id]) => {
                let record =
                    self.records.iter_mut().find(|one| *objects == format!("{}s", one.object) && one.id == *id);
                let record = record.ok_or((404, "gone", "見つかりません", None))?;
                record.values.extend(checked(record.object, &body, false)?);
                Ok((200, json!({})))
            }
            _ => Err((404, "unknown-path", "見つかりません", None)),
        }
    }

    fn create(&mut self, object: &'static str, values: Map<String, Value>) -> (u16, Value) {
        let id = format!("{object}-{}", self.records.len() + 1);
        self.records.push(Record { object, id: id.clone(), values, created: self.now });
        (201, json!({ "id": id }))
    }

    /// What a search finds by now.
    fn found(&self, object: &str, field: &str, value: Option<&str>) -> Vec<Value> {
        let visible = |record: &&Record| record.created + SEARCH_LAG * 1_000 <= self.now;
        let matches = |record: &&Record| record.values.get(field).and_then(Value::as_str) == value;
        let found = self.records.iter().filter(|record| record.object == object).filter(visible).filter(matches);
        found.map(|record| json!({ "id": record.id, "person_id": record.values.get("person_id") })).collect()
    }
}

/// The values of a body, if their fields take them.
fn checked(object: &str, body: &Value, creates: bool) -> Result<Map<String, Value>, Refusal> {
    let values = body["values"].as_object().cloned().unwrap_or_default();
    let fields = fields();
    let of_object = || fields.iter().filter(|field| field["of"] == object);
    for (name, value) in &values {
        let refused = |code, text| Err((422, code, text, Some(name.clone())));
        let Some(field) = of_object().find(|field| field["name"] == **name && field["read_only"].is_null()) else {
            return refused("unknown-field", "そのような項目はありません");
        };
        let text = value.as_str().unwrap_or_default();
        if field["max"].as_u64().is_some_and(|max| text.chars().count() as u64 > max) {
            return refused("too-long", "長すぎます");
        }
        let choices = field["choices"].as_array();
        if choices.is_some_and(|choices| !choices.iter().any(|choice| choice["code"] == *value)) {
            return refused("no-such-choice", "選択肢にありません");
        }
    }
    let missing = of_object().find(|field| {
        field["required"] == true && field["name"].as_str().is_some_and(|name| !values.contains_key(name))
    });
    match missing {
        Some(field) if creates => Err((422, "required", "必須です", field["name"].as_str().map(str::to_owned))),
        _ => Ok(values),
    }
}

fn pipelines() -> Vec<Value> {
    vec![json!({ "code": "inbound", "title": "問い合わせ" }), json!({ "code": "events", "title": "催し" })]
}

fn fields() -> Vec<Value> {
    let industries =
        (1..=INDUSTRIES).map(|number| json!({ "code": number.to_string(), "label": format!("業種{number}") }));
    vec![
        json!({ "name": "ばんごう", "label": "番号", "of": "lead", "kind": "text", "max": 20, "read_only": true }),
        json!({ "name": "なまえ", "label": "名前", "of": "person", "kind": "text", "max": 40, "required": true }),
        json!({ "name": "めーる", "label": "メール", "of": "person", "kind": "mail", "required": true }),
        json!({ "name": "かいしゃ", "label": "会社", "of": "person", "kind": "text", "max": 60 }),
        json!({ "name": "おしらせ", "label": "お知らせを送る", "of": "person", "kind": "flag" }),
        json!({ "name": "ぎょうしゅ", "label": "業種", "of": "lead", "kind": "choice", "choices": industries.collect::<Vec<_>>() }),
        json!({ "name": "にちじ", "label": "日時", "of": "lead", "kind": "moment", "required": true }),
        json!({ "name": "ひにち", "label": "日にち", "of": "lead", "kind": "date" }),
        json!({ "name": "こめんと", "label": "コメント", "of": "lead", "kind": "text", "max": 500 }),
        json!({ "name": "じょうたい", "label": "状態", "of": "lead", "kind": "choice", "choices": [
            { "code": "open", "label": "対応中" }, { "code": "void", "label": "取消" },
        ] }),
    ]
}
