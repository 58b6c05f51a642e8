//! A simulated browser that walks through the login and allow pages as a person would.

use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE},
};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use url::{Url, form_urlencoded};

/// Maximum number of pages and redirects in a visit.
const LONGEST_WALK: usize = 10;

/// Why a visit did not reach the callback.
#[derive(Debug, Error)]
pub enum VisitError {
    /// The URL is not the `http` address of a local org.
    #[error("{0:?} is not the http address of a local org")]
    Address(String),
    /// The connection failed.
    #[error("cannot reach the org: {0}")]
    Unreachable(String),
    /// The org showed a page without a way forward.
    #[error("the org responded with {status}: {text}")]
    Stuck {
        /// HTTP status of the page.
        status: u16,
        /// Text of the page.
        text: String,
    },
}

impl VisitError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "visit-address",
            Self::Unreachable(_) => "visit-unreachable",
            Self::Stuck { .. } => "visit-stuck",
        }
    }
}

/// Logs in, allows access, and returns the callback URL with its code and state.
pub async fn allow(authorize_url: &str, username: &str, password: &str) -> Result<String, VisitError> {
    visit(authorize_url, username, password, "allow").await
}

/// Logs in, denies access, and returns the callback URL with its error.
pub async fn deny(authorize_url: &str, username: &str, password: &str) -> Result<String, VisitError> {
    visit(authorize_url, username, password, "deny").await
}

async fn visit(authorize_url: &str, username: &str, password: &str, decision: &str) -> Result<String, VisitError> {
    let mut url = Url::parse(authorize_url).map_err(|_| VisitError::Address(authorize_url.to_owned()))?;
    let home = url.origin();
    let mut form: Option<String> = None;
    let mut cookie = None;
    let mut logged_in = false;
    for _ in 0..LONGEST_WALK {
        let response = send(&url, form.take(), cookie.as_deref()).await?;
        if let Some(set) = header(&response, SET_COOKIE.as_str()) {
            cookie = set.split(';').next().map(ToOwned::to_owned);
        }
        if response.status() == StatusCode::FOUND {
            let location = header(&response, LOCATION.as_str()).unwrap_or_default();
            let next = url.join(&location).map_err(|_| VisitError::Address(location.clone()))?;
            if next.origin() != home || next.path() != "/services/oauth2/authorize" {
                return Ok(next.into());
            }
            url = next;
            continue;
        }
        let page = String::from_utf8_lossy(response.body()).into_owned();
        let stuck = || VisitError::Stuck { status: response.status().as_u16(), text: words(&page) };
        let action = attribute(&page, "<form", "action").ok_or_else(stuck)?;
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.extend_pairs(hidden_fields(&page));
        if page.contains("name=\"pw\"") {
            // Seeing the login page again means that the credentials were rejected.
            if logged_in {
                return Err(stuck());
            }
            fields.append_pair("username", username).append_pair("pw", password);
            logged_in = true;
        } else {
            fields.append_pair("decision", decision);
        }
        form = Some(fields.finish());
        url = url.join(&action).map_err(|_| VisitError::Address(action.clone()))?;
    }
    Err(VisitError::Stuck { status: 302, text: "too many pages and redirects".to_owned() })
}

async fn send(url: &Url, form: Option<String>, cookie: Option<&str>) -> Result<Response<Bytes>, VisitError> {
    let unreachable = |error: &dyn std::fmt::Display| VisitError::Unreachable(error.to_string());
    let address = || VisitError::Address(url.to_string());
    let host = url.host_str().filter(|_| url.scheme() == "http").ok_or_else(address)?;
    let port = url.port_or_known_default().ok_or_else(address)?;
    let stream = TcpStream::connect((host, port)).await.map_err(|error| unreachable(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
    // Ends when the sender is dropped; the sender reports its errors.
    tokio::spawn(connection);
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut request = Request::builder().uri(target).header(HOST, format!("{host}:{port}"));
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    if form.is_some() {
        request = request.method(Method::POST).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let body = Full::new(Bytes::from(form.unwrap_or_default()));
    let request = request.body(body).map_err(|error| unreachable(&error))?;
    let (parts, body) = sender.send_request(request).await.map_err(|error| unreachable(&error))?.into_parts();
    let body = body.collect().await.map_err(|error| unreachable(&error))?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

fn header(response: &Response<Bytes>, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned)
}

/// An attribute of the first element that starts with `element`. The pages are ours, so no HTML parser is needed.
fn attribute(page: &str, element: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(element)?;
    let (tag, _) = rest.split_once('>')?;
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split_once('"').map(|(value, _)| unescape(value))
}

fn hidden_fields(page: &str) -> Vec<(String, String)> {
    page.match_indices("<input type=\"hidden\"")
        .filter_map(|(at, _)| {
            let input = page.get(at..)?;
            Some((attribute(input, "<input", "name")?, attribute(input, "<input", "value")?))
        })
        .collect()
}

/// Decodes the character references that the page templates write.
fn unescape(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

/// The text of a page's body, without tags.
fn words(page: &str) -> String {
    let body = page.split_once("<body>").map_or(page, |(_, body)| body);
    let mut text = String::new();
    let mut inside = false;
    for character in body.chars() {
        match character {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(character),
            _ => {}
        }
    }
    unescape(&text).replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}
