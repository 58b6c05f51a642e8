//! The state of one call: the credentials it opened, what it used, and its requests.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{StatusCode, header};
use wasmtime::component::{Resource, ResourceTable};

use crate::{
    call::{CredentialEcho, RequestNote, Usage},
    credentials::{Broker, ConnectionId, NotRefreshed, OpenCredential, OpenError, RefreshError},
    deadline::Deadline,
    echo::EchoScanner,
    egress::{self, Allowed, Denial},
    imports::{
        Effect, Parameter,
        http::{self as wit_http, Failure, FailureKind, Header, Request, Response},
        secrets::{self, SecretError},
    },
    manifest::{Limits, MediaType, Method, Route},
    memory::MemoryLimiter,
    observe::{Event, Observed, Observer, Outcome},
    origin::{Origin, parse_url},
    policy::Permissions,
    report::full_message,
    secret::Secret,
    transport::{Bounds, Effect as TransportEffect, Transport, TransportError, TransportErrorKind},
};

/// How often one call may open a credential: each costs a look into the store, which the plugin's computing time does not have.
const MAX_OPENS: usize = 16;
/// Refused requests after which a call has used up its budget; also the most that are reported.
const MAX_DENIALS: usize = 16;
/// Wall-clock time reserved when a request is sent, so that the plugin can still return if the server does not respond.
const TIME_TO_ANSWER: Duration = Duration::from_secs(2);
/// Bytes of response headers that are passed on.
const MAX_RESPONSE_HEADER_BYTES: usize = 64 << 10;

/// Name in `response.more`: the body was withheld, because the route does not list its media type, which is the value.
const BODY_WITHHELD: &str = "body-withheld";

/// The connection of a call and its permissions.
pub(crate) struct Session {
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) broker: Broker,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) observer: Option<Observer>,
    pub(crate) limits: Limits,
    pub(crate) deadline: Option<Deadline>,
}

/// A credential that the plugin opened. Generated code re-exports it, so it is `pub`, though no other crate can name it.
pub struct CredentialHandle {
    name: String,
    open: OpenCredential,
}

/// The data of a call's store.
pub(crate) struct CallState {
    session: Session,
    pub(crate) memory: MemoryLimiter,
    credentials: ResourceTable,
    /// How often a credential was opened.
    opens: usize,
    /// Every generation of a credential that was opened: no token of any of them may appear in a response.
    opened: Vec<OpenCredential>,
    /// Whether this call has asked where the account is now. Once is enough: it does not move twice within a call.
    asked_where: bool,
    started: Instant,
    /// Time that the store and servers took. What the host computes for a request counts as the plugin's.
    in_host_calls: Duration,
    requests: Vec<RequestNote>,
    denials: Vec<Denial>,
}

impl CallState {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            memory: MemoryLimiter::new(to_usize(session.limits.memory_bytes)),
            session,
            credentials: ResourceTable::new(),
            opens: 0,
            opened: Vec::new(),
            asked_where: false,
            started: Instant::now(),
            in_host_calls: Duration::ZERO,
            requests: Vec::new(),
            denials: Vec::new(),
        }
    }

    /// Time that the plugin itself has spent computing.
    pub(crate) fn computed(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.in_host_calls)
    }

    pub(crate) fn usage(self, wall: Duration, fuel: Option<u64>) -> Usage {
        Usage {
            cpu: wall.saturating_sub(self.in_host_calls),
            wall,
            waited: Duration::ZERO,
            memory_bytes: self.memory.peak,
            fuel,
            requests: self.requests,
            denials: self.denials,
        }
    }

    fn remember(&mut self, open: &OpenCredential) {
        // The generation alone does not do: a platform's store may count the writes of each grant separately.
        let known = |other: &OpenCredential| other.secrets().map(Secret::expose).eq(open.secrets().map(Secret::expose));
        if !self.opened.iter().any(known) {
            self.opened.push(open.clone());
        }
    }

    async fn send_checked(
        &mut self,
        request: Request,
        credential: Resource<CredentialHandle>,
    ) -> wasmtime::Result<Result<Response, Failure>> {
        if self.denials.len() >= MAX_DENIALS {
            return Ok(Err(failed(FailureKind::Budget)));
        }
        let handle = self.credentials.get(&credential)?;
        let (name, open) = (handle.name.clone(), handle.open.clone());
        let permissions = self.session.permissions.clone();
        let first = match self.admit(request.clone(), &open, &permissions) {
            Ok(Allowed { request, route }) => self.exchange(request, route).await?,
            Err(failure) => return Ok(Err(failure)),
        };
        let has_moved = match &first {
            Ok(response) if response.status == 401 && open.cures_unauthorized(&response.body) => false,
            Ok(response) if !self.asked_where && open.has_moved(response.status, &response.body) => true,
            _ => return Ok(first),
        };
        self.asked_where |= has_moved;
        let refreshed = match self.refresh(&name, &open).await {
            Ok(refreshed) => refreshed,
            Err(failure) => return Ok(Err(failure)),
        };
        self.credentials.get_mut(&credential)?.open = refreshed.clone();
        self.remember(&refreshed);
        let mut again = request;
        if refreshed.origin() != open.origin() {
            tracing::info!(from = %open.origin(), to = %refreshed.origin(), "an account has moved to another origin");
            let Some(url) = at_origin(refreshed.origin(), &again.url) else { return Ok(first) };
            again.url = url;
        } else if has_moved {
            return Ok(first);
        }
        // It is safe to send the request again: a 401 means that it was not carried out (RFC 9110, section 15.5.2), and `moved` of a
        // manifest lists only responses of which that is known.
        match self.admit(again, &refreshed, &permissions) {
            Ok(Allowed { request, route }) => self.exchange(request, route).await,
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// Checks a request and attaches the credential to it.
    fn admit<'p>(
        &mut self,
        request: Request,
        open: &OpenCredential,
        permissions: &'p Permissions,
    ) -> Result<Allowed<'p>, Failure> {
        let limit = to_usize(self.session.limits.request_bytes);
        match egress::check(request, open.origin(), open.slot(), permissions, limit) {
            Ok(mut allowed) => {
                open.attach(allowed.request.headers_mut());
                Ok(allowed)
            }
            Err(denial) => {
                let code = denial.kind.code();
                tracing::warn!(code, reason = denial.reason, "a request of the plugin was refused");
                let kind = denial.kind.failure();
                self.notify(Event::Denied(&denial));
                self.denials.push(denial);
                Err(failed(kind))
            }
        }
    }

    async fn refresh(&mut self, name: &str, used: &OpenCredential) -> Result<OpenCredential, Failure> {
        let Some(connection) = &self.session.connection else {
            return Err(failed(FailureKind::GrantEnded));
        };
        let time = self.time_for_requests();
        let refresh = self.session.broker.refresh(connection, name, used.generation());
        let begun = Instant::now();
        let refreshed = tokio::time::timeout(time, refresh).await;
        self.in_host_calls += begun.elapsed();
        match refreshed {
            Ok(Ok(refreshed)) => Ok(refreshed),
            Ok(Err(RefreshError::GrantEnded { cause })) => {
                Err(Failure { detail: cause.and_then(|cause| cause.code), ..failed(FailureKind::GrantEnded) })
            }
            Ok(Err(RefreshError::NeedsAPerson(error))) => {
                Err(Failure { detail: error.code, ..failed(FailureKind::NeedsAPerson) })
            }
            // Waiting does not help: the operator must register the client.
            Ok(Err(RefreshError::Temporary(error @ NotRefreshed::NoClient))) => {
                tracing::warn!(%connection, error = full_message(&error), "a credential could not be refreshed");
                Err(failed(FailureKind::NeedsAPerson))
            }
            Ok(Err(RefreshError::Temporary(error))) => {
                tracing::warn!(%connection, error = full_message(&error), "a credential could not be refreshed");
                let detail = if let NotRefreshed::Refused(error) = error { error.code } else { None };
                Err(Failure { detail, ..failed(FailureKind::RefreshFailed) })
            }
            // The refresh continues without this call, and the next call finds its outcome.
            Err(_elapsed) => Err(failed(FailureKind::RefreshFailed)),
        }
    }

    fn time_for_requests(&self) -> Duration {
        let wall = Duration::from_millis(self.session.limits.wall_ms);
        let kept_back = TIME_TO_ANSWER.min(wall / 10);
        let left = wall.saturating_sub(kept_back).saturating_sub(self.started.elapsed());
        // Asked before each request: a process that was stopped for minutes sends nothing more.
        self.session.deadline.map_or(left, |deadline| deadline.left().min(left))
    }

    /// Sends one allowed request and passes on what the plugin may see of the response.
    async fn exchange(
        &mut self,
        request: http::Request<Vec<u8>>,
        route: &Route,
    ) -> wasmtime::Result<Result<Response, Failure>> {
        let sent = self.requests.len();
        let time = self.time_for_requests();
        if sent >= usize::try_from(self.session.limits.http_requests).unwrap_or(usize::MAX) || time.is_zero() {
            return Ok(Err(failed(FailureKind::Budget)));
        }
        let Some(connection) = self.session.connection.clone() else {
            return Ok(Err(failed(FailureKind::Denied)));
        };
        let method = request.method().to_string();
        let path = request.uri().path().to_owned();
        let sent_path = path.clone();
        // Noted before it is sent, so that a call stopped while waiting knows that it was under way.
        let harmless = route.method == Method::Get;
        self.requests.push(RequestNote { method, path, status: None, harmless });
        let bounds = Bounds { max_response_bytes: to_usize(self.session.limits.response_bytes), timeout: time };
        let begun = Instant::now();
        let answer = self.session.transport.send(&connection, request, bounds).await;
        let took = begun.elapsed();
        self.in_host_calls += took;
        let note = self.requests.get_mut(sent);
        let (outcome, result) = match answer {
            Ok(response) => {
                let status = response.status().as_u16();
                if let Some(note) = note {
                    note.status = Some(status);
                }
                let passed_on = self.pass_on(response, route);
                let is_blocked =
                    !matches!(&passed_on, Ok(Ok(_) | Err(Failure { kind: FailureKind::ResponseTooLarge, .. })));
                let outcome = if is_blocked { Outcome::Blocked(status) } else { Outcome::Answered(status) };
                (outcome, passed_on)
            }
            Err(TransportError { kind, effect, .. }) => {
                if let (Some(note), TransportEffect::None) = (note, effect) {
                    note.harmless = true;
                }
                (Outcome::Failed(kind), Ok(Err(failure_of(kind, effect))))
            }
        };
        self.notify(Event::Sent { route: route.to_string(), path: &sent_path, outcome, took });
        result
    }

    fn notify(&self, event: Event<'_>) {
        if let (Some(observer), Some(connection)) = (&self.session.observer, &self.session.connection) {
            observer.notify(&Observed { plugin: &self.session.permissions.manifest().plugin.id, connection, event });
        }
    }

    /// What the plugin gets of a response. All of it is looked through first.
    fn pass_on(&self, response: http::Response<Vec<u8>>, route: &Route) -> wasmtime::Result<Result<Response, Failure>> {
        let blocked = || Failure { effect: Effect::Unknown, ..failed(FailureKind::ResponseBlocked) };
        let scanner = EchoScanner::new(self.opened.iter().flat_map(OpenCredential::secrets).map(Secret::expose));
        let (parts, mut body) = response.into_parts();
        // A part of a body can hold a part of a credential. Nobody asked for one.
        if parts.status == StatusCode::PARTIAL_CONTENT {
            return Ok(Err(blocked()));
        }
        let mut size = 0usize;
        let mut headers = Vec::new();
        let mut leaks = scanner.finds_in(&body);
        // The plugin could join what two headers have.
        let mut joined = Vec::new();
        for (name, value) in &parts.headers {
            size += name.as_str().len() + value.len();
            leaks |= scanner.finds_in(name.as_str().as_bytes()) || scanner.finds_in(value.as_bytes());
            joined.extend_from_slice(value.as_bytes());
            if let (true, Ok(value)) = (route.response_headers.contains(name.as_str()), value.to_str()) {
                headers.push(Header { name: name.as_str().to_owned(), value: value.to_owned() });
            }
        }
        if leaks || scanner.finds_in(&joined) {
            tracing::error!(%route, "a response contained the credential; the call was stopped");
            return Err(CredentialEcho.into());
        }
        if size > MAX_RESPONSE_HEADER_BYTES {
            return Ok(Err(Failure { effect: Effect::Unknown, ..failed(FailureKind::ResponseTooLarge) }));
        }
        let mut content_types =
            parts.headers.get_all(header::CONTENT_TYPE).iter().map(|value| value.to_str().unwrap_or_default());
        let content_type = content_types.next().filter(|_| content_types.next().is_none()).unwrap_or_default();
        let is_listed = MediaType::of_header(content_type).is_some_and(|found| route.response_types.contains(&found));
        let mut more = Vec::new();
        if !is_listed && !body.is_empty() {
            tracing::warn!(%route, "a body of a media type that the route does not list was withheld from the plugin");
            body.clear();
            more.push(Parameter { name: BODY_WITHHELD.to_owned(), value: content_type.chars().take(128).collect() });
        }
        Ok(Ok(Response { status: parts.status.as_u16(), headers, body, more }))
    }
}

impl secrets::Host for CallState {
    async fn open(&mut self, name: String) -> wasmtime::Result<Result<Resource<CredentialHandle>, SecretError>> {
        let Some(connection) = &self.session.connection else {
            return Ok(Err(SecretError::Unavailable));
        };
        if self.opens >= MAX_OPENS {
            return Ok(Err(SecretError::Unavailable));
        }
        self.opens += 1;
        let begun = Instant::now();
        let opened = self.session.broker.open(connection, &name).await;
        self.in_host_calls += begun.elapsed();
        Ok(match opened {
            Ok(open) => {
                self.remember(&open);
                Ok(self.credentials.push(CredentialHandle { name, open })?)
            }
            Err(OpenError::Unavailable) => Err(SecretError::Unavailable),
            Err(OpenError::GrantEnded { cause }) => Err(SecretError::GrantEnded(cause)),
            Err(OpenError::Outgrown) => Err(SecretError::GrantEnded(None)),
            Err(OpenError::Temporary(_)) => Err(SecretError::Temporary(None)),
        })
    }
}

impl secrets::HostCredential for CallState {
    fn origin(&mut self, credential: Resource<CredentialHandle>) -> wasmtime::Result<String> {
        Ok(self.credentials.get(&credential)?.open.origin().to_string())
    }

    fn attribute(&mut self, credential: Resource<CredentialHandle>, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.credentials.get(&credential)?.open.attribute(&name).map(str::to_owned))
    }

    async fn drop(&mut self, credential: Resource<CredentialHandle>) -> wasmtime::Result<()> {
        self.credentials.delete(credential)?;
        Ok(())
    }
}

impl wit_http::Host for CallState {
    async fn send(
        &mut self,
        request: Request,
        credential: Resource<CredentialHandle>,
    ) -> wasmtime::Result<Result<Response, Failure>> {
        self.send_checked(request, credential).await
    }
}

/// A failure of a request that changed nothing.
fn failed(kind: FailureKind) -> Failure {
    Failure { kind, effect: Effect::None, detail: None, more: Vec::new() }
}

fn failure_of(kind: TransportErrorKind, effect: TransportEffect) -> Failure {
    let kind = match kind {
        TransportErrorKind::Denied => FailureKind::Denied,
        TransportErrorKind::Invalid => FailureKind::InvalidRequest,
        TransportErrorKind::Connect => FailureKind::Connect,
        TransportErrorKind::Tls => FailureKind::Tls,
        TransportErrorKind::Timeout => FailureKind::Timeout,
        TransportErrorKind::Closed => FailureKind::Closed,
        TransportErrorKind::TooLarge => FailureKind::ResponseTooLarge,
    };
    let effect = match effect {
        TransportEffect::None => Effect::None,
        TransportEffect::Unknown => Effect::Unknown,
    };
    Failure { effect, ..failed(kind) }
}

/// The same URL at another origin.
fn at_origin(origin: &Origin, url: &str) -> Option<String> {
    let (url, _) = parse_url(url).ok()?;
    origin.in_place_of(&url).ok().map(String::from)
}

fn to_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
