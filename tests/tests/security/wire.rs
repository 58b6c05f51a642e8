//! Addresses that names may not lead to, and responses that are not what they seem, on the wire.

use crate::Family;
use acceptance::guests;
use anyhow::Result;
use crm_host::Inspection;
use crm_host::credentials::ConnectionId;
use crm_host::policy::{Permissions, Policy};
use crm_host::transport::{Bounds, Reachable, ReqwestTransport, Transport as _, TransportErrorKind};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What a name may not resolve to.
const REFUSED: [&str; 40] = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:168.63.129.16",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::168.63.129.16",
    "64:ff9b::169.254.169.254",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2001:0:1::1",
    "2001:db8::1",
    "2a00:1450::5efe:10.0.0.1",
    "2a00:1450::5efe:169.254.169.254",
    "2a00:1450::200:5efe:127.0.0.1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

pub fn addresses() -> Result<Family> {
    let mut family = Family::new("names that lead to this network");
    let usual = Reachable::new(&[], &[]);
    for address in REFUSED {
        family.attack(address, !usual.contains(address.parse()?));
    }
    let policy = Policy::from_toml("nat64_prefixes = [\"2a00:64::/96\", \"2a00:64:1::/48\"]")?;
    let translated = Reachable::new(&policy.allowed_private_ranges, &policy.nat64_prefixes);
    for address in [
        "2a00:64::10.0.0.1",
        "2a00:64::127.0.0.1",
        "2a00:64::169.254.169.254",
        "2a00:64::168.63.129.16",
        "2a00:64:1:a00:0:100::",
    ] {
        family.attack(format!("{address}, which this network translates"), !translated.contains(address.parse()?));
    }
    for address in ["8.8.8.8", "2a00:1450::1", "64:ff9b::8.8.8.8"] {
        assert!(usual.contains(address.parse()?), "{address}");
    }
    Ok(family)
}

/// A server that writes the same bytes for the first request of a connection, and other ones for each further request.
async fn server(first: Vec<u8>, further: Vec<u8>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (first, further) = (first.clone(), further.clone());
            tokio::spawn(async move {
                let (mut request, mut answer) = (Vec::new(), &first);
                while stream.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
                    if request.ends_with(b"\r\n\r\n") {
                        request.clear();
                        if stream.write_all(answer).await.is_err() {
                            return;
                        }
                        // Nothing tells where some of these responses end.
                        if !answer.starts_with(b"HTTP/1.1 200 OK\r\ncontent-length: 4") {
                            return;
                        }
                        answer = &further;
                    }
                }
            });
        }
    });
    Ok(address)
}

/// The host's own transport, for which a server on this machine stands in for Salesforce.
fn transport(server: SocketAddr) -> Result<ReqwestTransport> {
    let policy =
        format!("test_override = [{{ pattern = \"https://*.my.salesforce.com\", origin = \"http://{server}\" }}]");
    let manifest = Inspection::read(&guests::with_manifest_of("plugin/plugin.toml")?)?.manifest()?;
    Ok(ReqwestTransport::new(&Permissions::new(&manifest, &Policy::from_toml(&policy)?)?))
}

fn get(server: SocketAddr) -> Result<Request<Vec<u8>>> {
    Ok(Request::get(format!("http://{server}/services/data/v64.0/query?q=x")).body(Vec::new())?)
}

const BOUNDS: Bounds = Bounds { max_response_bytes: 1_000, timeout: Duration::from_secs(20) };

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

pub async fn codings() -> Result<Family> {
    let mut family = Family::new("codings that hide what a response says");
    let (once, twice) = (gzip(b"canary")?, gzip(&gzip(b"canary")?)?);
    let bomb = gzip(&vec![0; 10 << 20])?;
    for (what, lines, body, kind) in [
        ("gzip twice in a line", "content-encoding: gzip, gzip", &twice, TransportErrorKind::Closed),
        (
            "gzip twice in two lines",
            "content-encoding: gzip\r\ncontent-encoding: gzip",
            &twice,
            TransportErrorKind::Closed,
        ),
        (
            "identity and gzip",
            "content-encoding: identity\r\ncontent-encoding: gzip",
            &once,
            TransportErrorKind::Closed,
        ),
        (
            "gzip and identity",
            "content-encoding: gzip\r\ncontent-encoding: identity",
            &twice,
            TransportErrorKind::Closed,
        ),
        ("deflate", "content-encoding: deflate", &once, TransportErrorKind::Closed),
        ("Brotli", "content-encoding: br", &once, TransportErrorKind::Closed),
        ("an unknown coding", "content-encoding: x-rot13", &once, TransportErrorKind::Closed),
        ("gzip of the transfer until its end", "transfer-encoding: gzip", &once, TransportErrorKind::Closed),
        ("gzip of the transfer in chunks", "transfer-encoding: gzip, chunked", &once, TransportErrorKind::Closed),
        (
            "gzip of the transfer in two lines",
            "transfer-encoding: gzip\r\ntransfer-encoding: chunked",
            &once,
            TransportErrorKind::Closed,
        ),
        ("what is not gzip", "content-encoding: gzip", &b"canary".to_vec(), TransportErrorKind::Closed),
        ("more after gzip", "content-encoding: gzip", &[&once[..], b"canary"].concat(), TransportErrorKind::Closed),
        ("10 MB in a few bytes", "content-encoding: gzip", &bomb, TransportErrorKind::TooLarge),
    ] {
        let bytes = [format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n").as_bytes(), body].concat();
        let address = server(bytes, Vec::new()).await?;
        let answer = transport(address)?.send(&ConnectionId::new("team-1"), get(address)?, BOUNDS).await;
        let got = answer.map(|_| ()).map_err(|error| error.kind);
        family.attack(format!("{what}: {got:?}"), got == Err(kind));
    }
    Ok(family)
}

pub async fn late() -> Result<Family> {
    let mut family = Family::new("a response that belongs to another request");
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n{body}");
    for (what, first) in [
        ("comes when the next request is there", answer("mine")),
        ("comes with the first response", format!("{}{}", answer("mine"), answer("late"))),
        ("is announced by the first one", format!("{}HTTP/1.1 200 OK\r\n", answer("mine"))),
    ] {
        let address = server(first.into_bytes(), answer("late").into_bytes()).await?;
        let (transport, team) = (transport(address)?, ConnectionId::new("team-1"));
        for number in 1..=5 {
            let got = transport.send(&team, get(address)?, BOUNDS).await.map(http::Response::into_body);
            let is_held = got.as_deref().is_ok_and(|body| body == b"mine");
            family.attack(format!("{what}, request {number}: {got:?}"), is_held);
        }
    }
    Ok(family)
}
