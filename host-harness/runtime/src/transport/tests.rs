//! Over real sockets, with servers that misbehave on demand.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{resolver::Lookup, *};
use crate::{
    manifest::{Manifest, tests::ACME},
    policy::{Permissions, Policy},
};

/// What a server does with a connection.
#[derive(Clone)]
enum Act {
    DropBeforeReading,
    DropAfterReading,
    Answer(Vec<u8>),
    /// Answers the first request of each connection, and each further one with what was meant for another.
    AnswerLate,
    NeverAnswer,
}

struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, read) = (connections.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, act.clone(), read.clone()));
            }
        });
        Self { address, connections, requests }
    }

    fn transport(&self) -> ReqwestTransport {
        ReqwestTransport::new(&permissions(&format!(
            "test_override = [{{ pattern = \"https://*.api.acme.example\", origin = \"http://{}\" }}]",
            self.address
        )))
    }

    async fn post(&self) -> Result<Response<Vec<u8>>, TransportError> {
        self.transport()
            .send(&connection("a"), post(&format!("http://{}/v2/leads?q=canary", self.address)), BOUNDS)
            .await
    }
}

async fn serve(mut stream: TcpStream, act: Act, requests: Arc<AtomicUsize>) {
    if matches!(act, Act::DropBeforeReading) {
        return;
    }
    let (mut bytes, mut answered) = (Vec::new(), false);
    loop {
        let before = bytes.len();
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 && bytes.len() == before {
            return;
        }
        while bytes.windows(4).any(|four| four == b"body") {
            bytes.clear();
            requests.fetch_add(1, Ordering::SeqCst);
            match &act {
                Act::DropBeforeReading | Act::DropAfterReading => return,
                Act::Answer(answer) => {
                    // The client may hang up when it has seen enough.
                    if stream.write_all(answer).await.is_err() || !answer.starts_with(b"HTTP/1.1 204") {
                        return;
                    }
                }
                Act::AnswerLate => {
                    let body = if answered { "late" } else { "mine" };
                    answered = true;
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n{body}");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
                Act::NeverAnswer => std::future::pending().await,
            }
        }
    }
}

const BOUNDS: Bounds = Bounds { max_response_bytes: 1_000, timeout: Duration::from_secs(20) };

fn permissions(policy: &str) -> Permissions {
    Permissions::new(&Manifest::from_toml(ACME).unwrap(), &Policy::from_toml(policy).unwrap()).unwrap()
}

fn connection(id: &str) -> ConnectionId {
    ConnectionId::new(id)
}

fn post(url: &str) -> Request<Vec<u8>> {
    Request::post(url).header("authorization", "Bearer canary").body(b"body".to_vec()).unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

fn answer(head: &str, body: &[u8]) -> Act {
    Act::Answer([format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat())
}

#[tokio::test]
async fn a_response_is_returned_whole() {
    for act in [
        answer("201 Created\r\nx-a: b", b"hello"),
        answer("201 Created\r\nx-a: b\r\ncontent-encoding: gzip", &gzipped(b"hello")),
        answer("201 Created\r\nx-a: b\r\ncontent-encoding: GZIP", &[gzipped(b"he"), gzipped(b"llo")].concat()),
        answer("201 Created\r\nx-a: b\r\ncontent-encoding: identity", b"hello"),
    ] {
        let response = Server::start(act).await.post().await.unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["x-a"], "b");
        assert_eq!(response.body(), b"hello");
    }
}

#[tokio::test]
async fn a_request_is_sent_once_and_its_effect_is_reported_strictly() {
    let close = |text: &str| Act::Answer(text.as_bytes().to_vec());
    for (name, act, kind, sent) in [
        ("dropped before reading", Act::DropBeforeReading, TransportErrorKind::Closed, 0),
        ("dropped after reading", Act::DropAfterReading, TransportErrorKind::Closed, 1),
        (
            "shorter than announced",
            close("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
            TransportErrorKind::Closed,
            1,
        ),
        (
            "chunks without an end",
            close("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"),
            TransportErrorKind::Closed,
            1,
        ),
        ("cut off in the head", close("HTTP/1.1 200 OK\r\ncontent-le"), TransportErrorKind::Closed, 1),
        ("not HTTP", close("SSH-2.0-OpenSSH_9.9\r\n\r\n"), TransportErrorKind::Closed, 1),
        (
            "two lengths",
            close("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd"),
            TransportErrorKind::Closed,
            1,
        ),
        ("damaged gzip", answer("200 OK\r\ncontent-encoding: gzip", b"not gzip"), TransportErrorKind::Closed, 1),
        ("unknown coding", answer("200 OK\r\ncontent-encoding: br", b"abc"), TransportErrorKind::Closed, 1),
        (
            "two codings",
            answer("200 OK\r\ncontent-encoding: gzip, gzip", &gzipped(&gzipped(b"abc"))),
            TransportErrorKind::Closed,
            1,
        ),
        (
            "two lines of codings",
            answer("200 OK\r\ncontent-encoding: gzip\r\ncontent-encoding: gzip", &gzipped(&gzipped(b"abc"))),
            TransportErrorKind::Closed,
            1,
        ),
        (
            "identity and gzip",
            answer("200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: gzip", &gzipped(b"abc")),
            TransportErrorKind::Closed,
            1,
        ),
        (
            "a coding of the transfer",
            close("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
            TransportErrorKind::Closed,
            1,
        ),
        (
            "two lines of transfer codings",
            close(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            ),
            TransportErrorKind::Closed,
            1,
        ),
        (
            "more after gzip",
            answer("200 OK\r\ncontent-encoding: gzip", &[&*gzipped(b"abc"), b"secret"].concat()),
            TransportErrorKind::Closed,
            1,
        ),
        ("too large", answer("200 OK", &[b'x'; 1_001]), TransportErrorKind::TooLarge, 1),
        (
            "announced too large",
            close("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"),
            TransportErrorKind::TooLarge,
            1,
        ),
        (
            "too large without a length",
            close(&format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5_000))),
            TransportErrorKind::TooLarge,
            1,
        ),
        (
            "gzip bomb",
            answer("200 OK\r\ncontent-encoding: gzip", &gzipped(&vec![0; 50 << 20])),
            TransportErrorKind::TooLarge,
            1,
        ),
    ] {
        let server = Server::start(act).await;
        let error = server.post().await.unwrap_err();
        assert_eq!((error.kind, error.effect), (kind, Effect::Unknown), "{name}: {error}");
        assert_eq!(server.connections.load(Ordering::SeqCst), 1, "{name}: nothing is sent a second time");
        assert_eq!(server.requests.load(Ordering::SeqCst), sent, "{name}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_that_never_responds_is_abandoned_when_time_runs_out() {
    let server = Server::start(Act::NeverAnswer).await;
    let bounds = Bounds { timeout: Duration::from_millis(300), ..BOUNDS };
    let url = format!("http://{}/v2/leads", server.address);
    let error = server.transport().send(&connection("a"), post(&url), bounds).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (TransportErrorKind::Timeout, Effect::Unknown));
}

#[tokio::test]
async fn a_refused_connection_has_certainly_had_no_effect() {
    let server = Server::start(Act::DropBeforeReading).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server { address: free, ..server };
    let error = server.post().await.unwrap_err();
    assert_eq!((error.kind, error.effect), (TransportErrorKind::Connect, Effect::None));
}

#[tokio::test]
async fn a_redirect_is_a_response() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let server = Server::start(answer(&format!("{status}\r\nlocation: /elsewhere"), b"")).await;
        let response = server.post().await.unwrap();
        assert_eq!(response.headers()["location"], "/elsewhere");
        assert_eq!(server.requests.load(Ordering::SeqCst), 1, "{status}");
    }
}

#[tokio::test]
async fn an_http_1_connection_carries_one_request_so_no_late_response_is_taken_for_another() {
    let server = Server::start(Act::AnswerLate).await;
    let transport = server.transport();
    let url = format!("http://{}/v2/leads", server.address);
    for (connections, id) in (1..).zip(["a", "a", "b", "a"]) {
        let response = transport.send(&connection(id), post(&url), BOUNDS).await.unwrap();
        assert_eq!(response.body(), b"mine", "{id}");
        assert_eq!(server.connections.load(Ordering::SeqCst), connections, "{id}");
    }
}

#[tokio::test]
async fn addresses_instead_of_names_and_loopback_without_a_test_override_are_refused() {
    let server = Server::start(Act::DropAfterReading).await;
    let transport = server.transport();
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for url in [
        format!("http://{other}/"),
        format!("http://localhost:{}/", server.address.port()),
        "https://127.0.0.1/".to_owned(),
        "https://169.254.169.254/latest".to_owned(),
        "http://169.254.169.254/latest".to_owned(),
        "https://[::1]/".to_owned(),
        "http://one.api.acme.example/".to_owned(),
        "https://one.api.acme.example:8443/".to_owned(),
    ] {
        let error = transport.send(&connection("a"), post(&url), BOUNDS).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (TransportErrorKind::Denied, Effect::None), "{url}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

struct Fixed(Vec<SocketAddr>, AtomicUsize);

#[async_trait]
impl Lookup for Fixed {
    async fn lookup(&self, _name: &str) -> io::Result<Vec<SocketAddr>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn a_name_with_private_addresses_is_refused_and_looked_up_once() {
    let server = Server::start(Act::DropAfterReading).await;
    for address in [server.address, "169.254.169.254:443".parse().unwrap(), "[::ffff:10.0.0.1]:443".parse().unwrap()] {
        let lookup = Arc::new(Fixed(vec![address], AtomicUsize::new(0)));
        let transport = ReqwestTransport::with_lookup(&permissions(""), lookup.clone());
        let error =
            transport.send(&connection("a"), post("https://one.api.acme.example/v2/x"), BOUNDS).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (TransportErrorKind::Denied, Effect::None), "{address}: {error}");
        assert_eq!(lookup.1.load(Ordering::SeqCst), 1);
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_without_tls_gets_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let lookup = Arc::new(Fixed(vec![listener.local_addr().unwrap()], AtomicUsize::new(0)));
    let mut transport = ReqwestTransport::with_lookup(&permissions(""), lookup);
    // Lets the name resolve to this machine.
    transport.resolver.proxy_name = Some("one.api.acme.example".to_owned());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = Vec::new();
        stream.read_buf(&mut hello).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut hello).await;
        hello
    };
    let (id, request) = (connection("a"), post("https://one.api.acme.example/v2/x"));
    let (result, hello) = tokio::join!(transport.send(&id, request, BOUNDS), server);
    let error = result.unwrap_err();
    assert_eq!((error.kind, error.effect), (TransportErrorKind::Tls, Effect::None), "{error}");
    assert!(!hello.windows(4).any(|four| four == b"body" || four == b"/v2/"));
}

#[tokio::test]
async fn a_policys_proxy_is_used_and_resolves_names() {
    let proxy = Server::start(Act::DropBeforeReading).await;
    let lookup = Arc::new(Fixed(vec![proxy.address], AtomicUsize::new(0)));
    let policy = format!("proxy = \"http://{}\"", proxy.address);
    let transport = ReqwestTransport::with_lookup(&permissions(&policy), lookup.clone());
    let error = transport.send(&connection("a"), post("https://one.api.acme.example/v2/x"), BOUNDS).await.unwrap_err();
    assert_eq!(error.effect, Effect::None, "{error}");
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 1);
    assert_eq!(lookup.1.load(Ordering::SeqCst), 0, "the proxy resolves names");
}

#[tokio::test]
async fn a_denying_transport_sends_nothing() {
    let error = DenyTransport.send(&connection("a"), post("https://one.api.acme.example/"), BOUNDS).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (TransportErrorKind::Denied, Effect::None));
    assert_eq!(error.code(), "transport-denied");
}
