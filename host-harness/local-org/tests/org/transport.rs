//! HTTP itself: compressed bodies, oversized bodies, and HEAD.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder, write::ZlibEncoder};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use salesforce_local_org::RunningOrg;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Client, enterprise};

const LEADS: &str = "/services/data/v67.0/sobjects/Lead";

fn address(running: &RunningOrg) -> &str {
    running.base_url().strip_prefix("http://").unwrap()
}

/// Posts a binary body and returns the status.
async fn post(running: &RunningOrg, client: &Client, encoding: &str, body: Vec<u8>) -> u16 {
    let stream = TcpStream::connect(address(running)).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(LEADS)
        .header("host", address(running))
        .header("authorization", format!("Bearer {}", client.access_token))
        .header("content-type", "application/json")
        .header("content-encoding", encoding)
        .body(Full::new(bytes::Bytes::from(body)))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    response.into_body().collect().await.unwrap();
    status
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn compressed_bodies_are_decompressed() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let lead = |name: &str| format!("{{\"LastName\":\"{name}\",\"Company\":\"x\"}}").into_bytes();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&lead("二")).unwrap();
    for (encoding, body, status) in [
        ("gzip", gzip(&lead("一")), 201),
        ("deflate", zlib.finish().unwrap(), 201),
        ("identity", lead("三"), 201),
        ("gzip", lead("四"), 400),
        ("br", lead("五"), 415),
    ] {
        assert_eq!(post(&running, &client, encoding, body).await, status, "{encoding}");
    }
    let names: Vec<_> = running.org().leads().iter().map(|lead| lead["LastName"].clone()).collect();
    assert_eq!(names, ["一", "二", "三"]);
}

#[tokio::test]
async fn an_oversized_body_gets_an_html_error_compressed_or_not() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let bomb = gzip(&vec![b' '; (50 << 20) + 1]);
    assert_eq!(post(&running, &client, "gzip", bomb).await, 413);
    // A declared length is rejected before the body is sent.
    let mut stream = TcpStream::connect(address(&running)).await.unwrap();
    let head = format!("POST {LEADS} HTTP/1.1\r\nhost: x\r\ncontent-length: 60000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begun = vec![0; 12];
    stream.read_exact(&mut begun).await.unwrap();
    assert_eq!(begun, b"HTTP/1.1 413");
}

#[tokio::test]
async fn head_responds_like_get_without_a_body() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    for path in [LEADS.to_owned(), format!("{LEADS}/describe"), "/services/data/v67.0/limits".to_owned()] {
        let head = client.send("HEAD", &path, &[], "").await.unwrap();
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        assert!(head.header("sforce-limit-info").is_some());
    }
    assert_eq!(client.send("HEAD", &format!("{LEADS}/00Q000000000001AAA"), &[], "").await.unwrap().status, 404);
}
