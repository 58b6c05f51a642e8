//! Records the requests of the plugin, of the host's OAuth and of the operator, redacted.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use crm_host::{
    credentials::ConnectionId,
    transport::{Bounds, Transport, TransportError},
};
use http::{HeaderMap, Request, Response};
use serde_json::Value;

use crate::{Case, Exchange, Line, Outcome, Transcript, redaction};

/// A transport that keeps a transcript. Exchanges are redacted at once, so that values never enter it.
pub struct Recorder {
    inner: Arc<dyn Transport>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    step: String,
    lines: Vec<Line>,
    identities: Vec<String>,
    /// Whether they include the names of the org and its user.
    is_named: bool,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// Shorter texts would match by chance.
const SHORTEST_IDENTITY: usize = 4;

impl Recorder {
    /// Records the exchanges of a transport.
    pub fn around(inner: Arc<dyn Transport>) -> Self {
        let kept = Mutex::new(Kept { step: "connect".to_owned(), ..Kept::default() });
        Self { inner, kept }
    }

    /// Starts a step; the following exchanges belong to it.
    pub(crate) fn enter(&self, step: &str) {
        self.kept().step = step.to_owned();
    }

    /// Texts that identify the org or a person and must not occur in the transcript.
    pub(crate) fn conceal(&self, identities: impl IntoIterator<Item = String>) {
        let identities = identities.into_iter().filter(|identity| identity.chars().count() >= SHORTEST_IDENTITY);
        self.kept().identities.extend(identities);
    }

    /// Notes that the names of the org and its user are known. Any label of a describe result may contain them, so the result
    /// is kept only then.
    pub(crate) fn all_concealed(&self) {
        self.kept().is_named = true;
    }

    pub(crate) fn case(&self, case: Case) {
        self.kept().lines.push(Line::Case(case));
    }

    pub(crate) fn ended(&self, id: &str, outcome: Outcome, found: String) {
        self.kept().lines.push(Line::Step { id: id.to_owned(), outcome, found });
    }

    /// The transcript, without identifying texts.
    ///
    /// # Errors
    /// When a line has no JSON form.
    pub fn transcript(&self) -> Result<Transcript, serde_json::Error> {
        let kept = self.kept();
        let mut identities = kept.identities.clone();
        // The longest first, or a part of it would remain.
        identities.sort_by_key(|identity| std::cmp::Reverse(identity.len()));
        let lines = kept.lines.iter().filter(|line| kept.is_named || !matches!(line, Line::Describe { .. }));
        let concealed = lines.map(|line| {
            let mut value = serde_json::to_value(line)?;
            redaction::conceal(&mut value, &identities);
            serde_json::from_value(value)
        });
        Ok(Transcript { lines: concealed.collect::<Result<_, _>>()? })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change is a single push or assignment, so a panic elsewhere does no harm.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        connection: &ConnectionId,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let mut exchange = Exchange {
            step: String::new(),
            method: request.method().to_string(),
            path: redaction::path(request.uri().path()),
            query: parameter_names(request.uri().query().unwrap_or_default().as_bytes()),
            request_headers: names(request.headers()),
            request_body: request_body(&request),
            status: None,
            failure: None,
            response_headers: Vec::new(),
            response_body: None,
            errors: Vec::new(),
        };
        let answered = self.inner.send(connection, request, bounds).await;
        let mut kept = self.kept();
        exchange.step.clone_from(&kept.step);
        match &answered {
            Ok(response) => {
                let body: Option<Value> = serde_json::from_slice(response.body()).ok();
                exchange.status = Some(response.status().as_u16());
                exchange.response_headers = names(response.headers());
                if response.status() == http::StatusCode::OK && exchange.path.ends_with("/sobjects/Lead/describe") {
                    let is_known = kept.lines.iter().any(|line| matches!(line, Line::Describe { .. }));
                    if let Some(result) = body.as_ref().filter(|_| !is_known) {
                        kept.lines.push(Line::Describe { result: redaction::describe(result) });
                    }
                    exchange.response_body = Some(Value::from("the describe result"));
                } else {
                    exchange.errors = match response.status().is_success() {
                        true => Vec::new(),
                        false => body.as_ref().map(redaction::errors).unwrap_or_default(),
                    };
                    exchange.response_body = match body {
                        Some(body) => Some(redaction::shape(&body)),
                        None if response.body().is_empty() => None,
                        None => Some(Value::from("not JSON")),
                    };
                }
            }
            Err(error) => exchange.failure = Some(error.code().to_owned()),
        }
        kept.lines.push(Line::Exchange(exchange));
        drop(kept);
        answered
    }
}

fn names(headers: &HeaderMap) -> Vec<String> {
    let mut names: Vec<String> = headers.keys().map(ToString::to_string).collect();
    names.sort();
    names
}

fn parameter_names(form: &[u8]) -> Vec<String> {
    url::form_urlencoded::parse(form).map(|(name, _)| name.into_owned()).collect()
}

fn request_body(request: &Request<Vec<u8>>) -> Option<Value> {
    if request.body().is_empty() {
        return None;
    }
    let is_form = request
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    Some(match serde_json::from_slice::<Value>(request.body()) {
        _ if is_form => parameter_names(request.body()).into_iter().map(|name| (name, Value::from("text"))).collect(),
        Ok(body) => redaction::shape(&body),
        Err(_) => Value::from("not JSON"),
    })
}
