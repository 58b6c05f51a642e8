//! Serves the org over TCP: reads whole requests, injects faults, and writes the log.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header::DATE, request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};

use crate::{
    clock::http_date,
    fault::{self, Effect, Fault},
    log::{self, LogEntry},
    message::{Answer, ApiError, Refusal, Request},
    oauth,
    org::Org,
    payload::{Payload, gzip_bomb},
    route,
};

/// Maximum bytes of URI and headers; Salesforce's edge rejects longer ones with an HTML page.
const LONGEST_URI: usize = 16_384;
/// Maximum body size in bytes.
const LARGEST_BODY: usize = 50 << 20;
/// Time that open connections get to finish after a stop.
const GRACE: Duration = Duration::from_secs(2);

/// Accepts connections until `stop` changes, then lets the open ones finish.
pub(crate) async fn serve(org: Org, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                match accepted {
                    Ok((stream, _)) => {
                        // Avoids Nagle delays on small responses; a failure only makes the org slower.
                        let _ = stream.set_nodelay(true);
                        connections.spawn(connection(org.clone(), stream, stop.clone()));
                    }
                    // The client hung up, or the process is out of file descriptors; wait for other connections to end.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = stop.changed() => break,
        }
    }
    let finished = async { while connections.join_next().await.is_some() {} };
    // Dropping the set aborts connections that do not finish in time.
    let _ = tokio::time::timeout(GRACE, finished).await;
}

async fn connection(org: Org, stream: TcpStream, stop: watch::Receiver<bool>) {
    let (requests, mut waiting) = mpsc::channel::<Asked>(1);
    // Not inside the hyper service: hyper drops the service's future when the client hangs up, but Salesforce carries
    // out the request anyway.
    let work = async {
        while let Some((arrived, reply)) = waiting.recv().await {
            // The client may have hung up.
            let _ = reply.send(carry_out(&org, arrived).await);
        }
    };
    tokio::join!(work, talk(stream, requests, stop));
}

/// Reads requests from a connection and writes responses, until either side closes it.
async fn talk(stream: TcpStream, requests: mpsc::Sender<Asked>, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request| ask(requests.clone(), request));
    let mut connection = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    // Connection errors are expected: clients may hang up at any time, and faults cut connections on purpose.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// The connection is closed without a response.
#[derive(Debug, thiserror::Error)]
#[error("a fault closed the connection")]
struct Dropped;

/// A response whose payload a fault may have distorted, or none at all.
type Outcome = Result<(Answer, Payload), Dropped>;

/// A request, and the channel for its response.
type Asked = (Arrived, oneshot::Sender<Outcome>);

async fn ask(requests: mpsc::Sender<Asked>, request: http::Request<Incoming>) -> Result<Response<Payload>, Dropped> {
    let arrived = read(request).await;
    let (reply, outcome) = oneshot::channel();
    requests.send((arrived, reply)).await.map_err(|_| Dropped)?;
    let (answer, payload) = outcome.await.map_err(|_| Dropped)??;
    let mut response = Response::new(payload);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}

async fn carry_out(org: &Org, Arrived { request, refusal }: Arrived) -> Outcome {
    org.commit_late_requests();
    let host = request.header("host").unwrap_or_default();
    let fault = fault::take(&mut org.state().faults, request.method.as_str(), &request.path, host);
    // Held until the response is ready, so that a delayed refresh blocks others of the same token.
    let refreshing = oauth::begin_refresh(org, &request);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
    }
    let answer = match (refusal, &refreshing) {
        (Some(refusal), _) => refusal,
        (None, Err(busy)) => busy.clone().into(),
        (None, Ok(_)) if let Some(delay) = fault.as_ref().and_then(lateness) => {
            org.commit_later(request.clone(), delay);
            Answer::empty(StatusCode::OK)
        }
        (None, Ok(_)) if fault.as_ref().is_none_or(commits) => route::respond(org, &request),
        (None, Ok(_)) => Answer::empty(StatusCode::OK),
    };
    let answer = match org.save().await {
        Ok(()) => answer,
        Err(error) => unsaved(&error),
    };
    let outcome = distort(fault.as_ref().map(|fault| &fault.effect), answer).map(|(answer, payload)| {
        // The org's own clock, not the machine's: clients measure their distance from it.
        (if answer.headers.contains_key(DATE) { answer } else { answer.with(DATE, &http_date(org.now())) }, payload)
    });
    let logged = outcome.as_ref().ok().map(|(answer, _)| answer);
    let user = oauth::session(org, &request).map(|(_, session)| session.username);
    let entry = LogEntry::of(org.now(), &request, user, logged);
    log::push(&mut org.state().log, entry);
    if let Some(fault) = &fault {
        tokio::time::sleep(Duration::from_millis(fault.answer_delay_ms)).await;
    }
    outcome
}

/// The response when the org carried out a request but could not save it: an error that leaves the outcome unknown.
fn unsaved(error: &io::Error) -> Answer {
    let message = format!("An unexpected error occurred: cannot write the org's store: {error}");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, ApiError::new("UNKNOWN_EXCEPTION", message)).into()
}

/// How long the org defers the request, if at all.
fn lateness(fault: &Fault) -> Option<SignedDuration> {
    match fault.effect {
        Effect::Drop { commit_after_seconds, .. } if commit_after_seconds > 0 => {
            Some(SignedDuration::from_secs(commit_after_seconds.into()))
        }
        _ => None,
    }
}

/// Whether the org carries out the request now.
fn commits(fault: &Fault) -> bool {
    match fault.effect {
        Effect::Answer { after_commit, .. } | Effect::Drop { after_commit, .. } => after_commit,
        Effect::Pass
        | Effect::Truncate { .. }
        | Effect::Drip { .. }
        | Effect::WrongLength { .. }
        | Effect::GzipBomb { .. } => true,
    }
}

fn distort(effect: Option<&Effect>, answer: Answer) -> Outcome {
    let body = answer.body.clone();
    match effect {
        None | Some(Effect::Pass) => Ok((answer, Payload::whole(body))),
        Some(Effect::Drop { .. }) => Err(Dropped),
        Some(Effect::Answer { status, headers, body, .. }) => {
            let mut answer = Answer::empty(StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                    answer.headers.append(name, value);
                }
            }
            answer.body = Bytes::from(body.clone());
            let payload = Payload::whole(answer.body.clone());
            Ok((answer, payload))
        }
        Some(Effect::Truncate { bytes }) => Ok((answer, Payload::truncated(body.slice(..(*bytes).min(body.len()))))),
        Some(Effect::Drip { bytes, pause_ms }) => {
            Ok((answer, Payload::dripping(body, *bytes, Duration::from_millis(*pause_ms))))
        }
        Some(Effect::WrongLength { excess }) => Ok((answer, Payload::too_short(body, *excess))),
        Some(Effect::GzipBomb { mebibytes }) => {
            let answer = answer.with(http::header::CONTENT_ENCODING, "gzip");
            Ok((answer, Payload::whole(gzip_bomb(*mebibytes))))
        }
    }
}

/// A request as received.
struct Arrived {
    request: Request,
    /// The edge's response, if it rejects the request before the org sees it.
    refusal: Option<Answer>,
}

async fn read(request: http::Request<Incoming>) -> Arrived {
    let (parts, body) = request.into_parts();
    let (body, refused) = match body_of(&parts, body).await {
        Ok(body) => (body, None),
        Err(status) => (Bytes::new(), Some(status)),
    };
    let request = Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    Arrived { request, refusal: refused.map(page) }
}

/// The edge's error page.
fn page(status: StatusCode) -> Answer {
    let title = status.canonical_reason().unwrap_or_default();
    Answer::html(status, format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"))
}

async fn body_of(parts: &request::Parts, body: Incoming) -> Result<Bytes, StatusCode> {
    let headers: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let uri = parts.uri.path_and_query().map_or(0, |uri| uri.as_str().len());
    if uri > LONGEST_URI {
        return Err(StatusCode::URI_TOO_LONG);
    }
    if uri + headers > LONGEST_URI {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    if body.size_hint().lower() > u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return Err(StatusCode::BAD_REQUEST),
    };
    let encoding = parts.headers.get("content-encoding").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match encoding {
        "" | "identity" => Ok(body),
        "gzip" => unpack(flate2::read::GzDecoder::new(body.as_ref())),
        "deflate" => unpack(flate2::read::ZlibDecoder::new(body.as_ref())),
        _ => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    }
}

fn unpack(reader: impl io::Read) -> Result<Bytes, StatusCode> {
    let mut unpacked = Vec::new();
    let limit = u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX);
    let read = io::Read::read_to_end(&mut io::Read::take(reader, limit.saturating_add(1)), &mut unpacked);
    read.map_err(|_| StatusCode::BAD_REQUEST)?;
    if unpacked.len() > LARGEST_BODY {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    Ok(unpacked.into())
}
