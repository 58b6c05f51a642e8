//! Which headers a plugin may set, and which headers and bodies of responses it may get.

use http::{HeaderName, header};
use serde::{Deserialize, Serialize};

/// Headers that only the host sets: credentials, framing (RFC 9112), hop-by-hop fields (RFC 9110, section 7.6.1), the content
/// coding, which the host must be able to decode, parts of a response, in which a repeated credential would not be found, and
/// headers that some servers or proxies take for another method, path, host or client. The same holds for all that begin with
/// `proxy-`, `sec-`, `x-envoy-` or `x-forwarded-`. A manifest cannot list them.
const HOST_HEADERS: [&str; 45] = [
    "accept-charset",
    "accept-encoding",
    "api-key",
    "apikey",
    "authorization",
    "cf-connecting-ip",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "fastly-client-ip",
    "forwarded",
    "host",
    "http2-settings",
    "if-range",
    "keep-alive",
    "private-token",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "via",
    "x-access-token",
    "x-api-key",
    "x-auth-token",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-csrf-token",
    "x-forward-for",
    "x-forwarded",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-path",
    "x-original-url",
    "x-override-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-session-token",
    "x-vault-token",
];

/// Whether only the host sets a header, in lower case.
pub(crate) fn is_hosts_header(name: &str) -> bool {
    HOST_HEADERS.contains(&name)
        || ["proxy-", "sec-", "x-envoy-", "x-forwarded-"].iter().any(|prefix| name.starts_with(prefix))
}

/// A request header that a plugin may set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^[a-z0-9!#$%&'*+.^`|~-]{1,64}$")))]
#[serde(try_from = "String", into = "String")]
pub struct RequestHeader(String);

/// The text is not a [`RequestHeader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a header's name in lower case, without `_`, and not one that only the host sets, such as `authorization` or `host`"
)]
pub struct InvalidRequestHeader;

impl RequestHeader {
    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for RequestHeader {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RequestHeader {
    type Error = InvalidRequestHeader;

    fn try_from(text: String) -> Result<Self, InvalidRequestHeader> {
        if is_lower_name(&text) && !is_hosts_header(&text) { Ok(Self(text)) } else { Err(InvalidRequestHeader) }
    }
}

impl From<RequestHeader> for String {
    fn from(header: RequestHeader) -> Self {
        header.0
    }
}

/// Response headers that no plugin gets: cookies and authentication belong to the host, and the framing is wrong once the body is
/// decoded.
const WITHHELD_HEADERS: [HeaderName; 9] = [
    header::SET_COOKIE,
    header::WWW_AUTHENTICATE,
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("authentication-info"),
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
];

/// A response header that a plugin gets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^[a-z0-9!#$%&'*+.^`|~-]{1,64}$")))]
#[serde(try_from = "String", into = "String")]
pub struct ResponseHeader(String);

/// The text is not a [`ResponseHeader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a header's name in lower case, and not one of the transfer or of authentication, such as `set-cookie`"
)]
pub struct InvalidResponseHeader;

impl ResponseHeader {
    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for ResponseHeader {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ResponseHeader {
    type Error = InvalidResponseHeader;

    fn try_from(text: String) -> Result<Self, InvalidResponseHeader> {
        let is_withheld = WITHHELD_HEADERS.iter().any(|name| *name == text.as_str());
        if is_lower_name(&text) && !is_withheld { Ok(Self(text)) } else { Err(InvalidResponseHeader) }
    }
}

impl From<ResponseHeader> for String {
    fn from(header: ResponseHeader) -> Self {
        header.0
    }
}

/// Some servers treat `_` as `-`, so such a name could smuggle in another header.
fn is_lower_name(text: &str) -> bool {
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_lower && text.len() <= 64 && HeaderName::from_bytes(text.as_bytes()).is_ok()
}

/// A media type without parameters (RFC 9110, section 8.3.1): `application/json`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$")))]
#[serde(try_from = "String", into = "String")]
pub struct MediaType(String);

/// The text is not a [`MediaType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a media type in lower case, without parameters and without `*`: `application/json`")]
pub struct InvalidMediaType;

impl MediaType {
    /// The type in the value of a `content-type` header, if its charset is UTF-8 or not named: what the host looks for in a
    /// response would look different in another one.
    pub(crate) fn of_header(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let is_utf8 = parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
        Self::try_from(name).ok().filter(|_| is_utf8)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MediaType {
    type Error = InvalidMediaType;

    fn try_from(text: String) -> Result<Self, InvalidMediaType> {
        let is_token = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&^_.+-".contains(&byte))
        };
        let is_type =
            text.len() <= 128 && text.split_once('/').is_some_and(|(kind, name)| is_token(kind) && is_token(name));
        if is_type { Ok(Self(text)) } else { Err(InvalidMediaType) }
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.0
    }
}
