//! Requests over the network with reqwest and rustls.

use std::{
    collections::HashMap,
    error::Error as StdError,
    fmt,
    io::Read as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use reqwest::{Client, redirect, retry};
use url::Url;

use super::{
    Bounds, Transport, TransportError, TransportErrorKind,
    address::Reachable,
    resolver::{AllRefused, Lookup, Resolver, SystemLookup},
};
use crate::{credentials::ConnectionId, origin::Origin, policy::Permissions};

/// Time limit for connecting. It is shorter than that of a request, because a request that was never sent has certainly had
/// no effect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused HTTP/2 connection is kept: shorter than servers keep theirs, so that few requests hit a closing one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Connection ids with a pool of HTTP/2 connections and TLS sessions of their own; the least recently used pool is dropped.
const MAX_POOLS: usize = 256;
const LOCALHOST: &str = "localhost";

/// Sends requests over the network: TLS by rustls with the platform's trusted certificates, no redirects, no proxy except
/// the policy's, only public addresses and those that the policy allows, and a separate pool for each connection id.
pub struct ReqwestTransport {
    test_overrides: Vec<Origin>,
    proxy: Option<Url>,
    pub(super) resolver: Resolver,
    pools: Mutex<Pools>,
}

#[derive(Default)]
struct Pools {
    clients: HashMap<ConnectionId, (Client, u64)>,
    /// Counts uses, to find the least recently used pool.
    uses: u64,
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("test_overrides", &self.test_overrides)
            .field("proxy", &self.proxy.as_ref().map(Url::as_str))
            .finish_non_exhaustive()
    }
}

impl ReqwestTransport {
    /// A transport with the test overrides, proxy and private ranges of the permissions.
    pub fn new(permissions: &Permissions) -> Self {
        Self::with_lookup(permissions, Arc::new(SystemLookup))
    }

    pub(super) fn with_lookup(permissions: &Permissions, lookup: Arc<dyn Lookup>) -> Self {
        let test_overrides: Vec<_> =
            permissions.test_overrides().iter().map(|test_override| test_override.origin().clone()).collect();
        let named = test_overrides.iter().any(Origin::is_localhost);
        let proxy = permissions.proxy().map(|proxy| proxy.url().clone());
        let resolver = Resolver {
            lookup,
            reachable: Reachable::new(permissions.allowed_private_ranges(), permissions.nat64_prefixes()),
            loopback_name: named.then_some(LOCALHOST),
            proxy_name: proxy.as_ref().and_then(Url::host_str).map(str::to_owned),
        };
        Self { test_overrides, proxy, resolver, pools: Mutex::default() }
    }

    /// The client of a connection id with its own pool; tenants never share one.
    fn client(&self, connection: &ConnectionId) -> Result<Client, reqwest::Error> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.uses += 1;
        let now = pools.uses;
        if let Some((client, used)) = pools.clients.get_mut(connection) {
            *used = now;
            return Ok(client.clone());
        }
        let client = self.build_client()?;
        if pools.clients.len() >= MAX_POOLS
            && let Some(oldest) = pools.clients.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| id.clone())
        {
            pools.clients.remove(&oldest);
        }
        pools.clients.insert(connection.clone(), (client.clone(), now));
        Ok(client)
    }

    fn build_client(&self) -> Result<Client, reqwest::Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Another thread may have installed one first; either is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut builder = Client::builder()
            .dns_resolver(self.resolver.clone())
            .redirect(redirect::Policy::none())
            // By default reqwest repeats a request that an HTTP/2 server says it has not processed; here the caller decides.
            // (hyper still moves a request to another connection if it has not begun to write it.)
            .retry(retry::never())
            .referer(false)
            // It decodes a body by whichever of several headers names a coding that it knows, and hides them afterwards.
            .no_gzip()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            // The environment's proxies would see where requests go, and may be anywhere.
            .no_proxy();
        if let Some(proxy) = &self.proxy {
            // Only for https: test overrides use http and are on this machine.
            builder = builder.proxy(reqwest::Proxy::https(proxy.clone())?);
        }
        builder.build()
    }

    /// Refuses what the resolver does not see: addresses instead of names, and plain http except to a test override.
    fn check(&self, url: &Url) -> Result<(), TransportError> {
        match Origin::of_url(url) {
            Ok(origin) if !origin.is_loopback() || self.test_overrides.contains(&origin) => Ok(()),
            Ok(_) => Err(TransportError::before_sending(
                TransportErrorKind::Denied,
                "only a test override of the policy can reach loopback",
            )),
            Err(error) => Err(TransportError::before_sending(TransportErrorKind::Denied, error.to_string())),
        }
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(
        &self,
        connection: &ConnectionId,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let invalid = |detail: &str| TransportError::before_sending(TransportErrorKind::Invalid, detail);
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| invalid("the URL cannot be read"))?;
        self.check(&url)?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        // A response of HTTP/1.1 does not say which request it belongs to, so that one which comes late, or one that a plugin
        // smuggled in, would be taken for that of the next request on its connection. HTTP/2 numbers them; there, hyper removes
        // this header (RFC 9113, section 8.2.2), and the connection is kept.
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        *request.body_mut() = (!body.is_empty()).then(|| body.into());
        let client = self.client(connection).map_err(|error| invalid(&detail(&error)))?;
        let exchange = async {
            let response = client.execute(request).await.map_err(|error| failure(&error))?;
            read(response, bounds.max_response_bytes).await
        };
        tokio::time::timeout(bounds.timeout, exchange).await.unwrap_or_else(|_| {
            Err(TransportError::maybe_sent(
                TransportErrorKind::Timeout,
                format!("no complete response within {} ms", bounds.timeout.as_millis()),
            ))
        })
    }
}

/// Reads a whole response. The limit applies to the decoded size, too, so a small response that decompresses to a huge one is cut
/// off while it decompresses.
async fn read(mut response: reqwest::Response, max_bytes: usize) -> Result<Response<Vec<u8>>, TransportError> {
    let too_large = || {
        TransportError::maybe_sent(TransportErrorKind::TooLarge, format!("the body has more than {max_bytes} bytes"))
    };
    let coding = Coding::of(response.headers())?;
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |announced| announced > max_bytes) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| closed(&error))? {
        if chunk.len() > max_bytes.saturating_sub(body.len()) {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let mut headers = std::mem::take(response.headers_mut());
    if let (Coding::Gzip, false) = (coding, body.is_empty()) {
        let mut decoded = Vec::new();
        let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
        let read = MultiGzDecoder::new(&*body).take(limit).read_to_end(&mut decoded);
        read.map_err(|_| TransportError::maybe_sent(TransportErrorKind::Closed, "the body is not gzip"))?;
        if decoded.len() > max_bytes {
            return Err(too_large());
        }
        body = decoded;
        headers.remove(header::CONTENT_ENCODING);
    }
    let mut whole = Response::new(body);
    *whole.status_mut() = response.status();
    *whole.headers_mut() = headers;
    Ok(whole)
}

/// How a body is coded.
#[derive(Clone, Copy)]
enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    /// The one coding of a response. Anything else, such as two codings or a coding of the transfer, would hide what a body says
    /// from whoever looks through it.
    fn of(headers: &HeaderMap) -> Result<Self, TransportError> {
        let refused = |detail: &str| Err(TransportError::maybe_sent(TransportErrorKind::Closed, detail));
        let only = |name| {
            let mut values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
            (values.next(), values.next().is_some())
        };
        if !matches!(only(header::TRANSFER_ENCODING), (None | Some("chunked"), false)) {
            return refused("the transfer has a coding that was not requested");
        }
        match only(header::CONTENT_ENCODING) {
            (None | Some("" | "identity"), false) => Ok(Self::Identity),
            (Some(coding), false) if coding.eq_ignore_ascii_case("gzip") => Ok(Self::Gzip),
            _ => refused("the body has a content coding that was not requested"),
        }
    }
}

/// A failure before the response started. Only a failure to connect has certainly sent nothing.
fn failure(error: &reqwest::Error) -> TransportError {
    let detail = detail(error);
    if error.is_builder() {
        return TransportError::before_sending(TransportErrorKind::Invalid, detail);
    }
    if !error.is_connect() {
        let kind = if error.is_timeout() { TransportErrorKind::Timeout } else { TransportErrorKind::Closed };
        return TransportError::maybe_sent(kind, detail);
    }
    let kind = if causes(error).any(|cause| cause.is::<AllRefused>()) {
        TransportErrorKind::Denied
    } else if causes(error).any(is_tls) {
        TransportErrorKind::Tls
    } else {
        TransportErrorKind::Connect
    };
    TransportError::before_sending(kind, detail)
}

/// A failure during a response, so the request was sent.
fn closed(error: &reqwest::Error) -> TransportError {
    TransportError::maybe_sent(TransportErrorKind::Closed, detail(error))
}

/// Whether a cause comes from TLS. An I/O error wraps its cause without exposing it as its source.
fn is_tls(cause: &(dyn StdError + 'static)) -> bool {
    cause.is::<rustls::Error>()
        || cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .is_some_and(|wrapped| is_tls(wrapped))
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// The text of the innermost cause. reqwest's own text contains the URL, and the causes' texts do not.
fn detail(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{manifest::Manifest, policy::Policy};

    #[test]
    fn connections_are_kept_per_tenant_and_never_shared() {
        let manifest = Manifest::from_toml(include_str!("../../../../plugin/plugin.toml")).unwrap();
        let transport = ReqwestTransport::new(&Permissions::new(&manifest, &Policy::default()).unwrap());
        for (id, pools) in [("a", 1), ("a", 1), ("b", 2), ("a", 2)] {
            transport.client(&ConnectionId::new(id)).unwrap();
            assert_eq!(transport.pools.lock().unwrap().clients.len(), pools, "{id}");
        }
    }
}
