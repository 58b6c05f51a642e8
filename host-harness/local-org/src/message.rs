//! Requests and responses without sockets: the org is a function from one to the other.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use serde_json::{Value, json};
use url::form_urlencoded;

/// A request with its whole body.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub method: Method,
    /// The path as it was sent, escapes included.
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// A header's value; `None` if absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn query(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The path's segments, percent-decoded, without empty ones at either end.
    pub fn segments(&self) -> Vec<String> {
        self.path.trim_matches('/').split('/').map(decode_segment).collect()
    }

    pub fn form(&self) -> Form {
        Form(form_urlencoded::parse(&self.body).into_owned().collect())
    }

    /// The body's media type, lowercase and without parameters.
    pub fn media_type(&self) -> Option<String> {
        self.header("content-type").map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}

/// Percent-decodes one path segment, where `+` is literal.
fn decode_segment(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, after @ ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| (high << 4 | low, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The fields of a posted form.
#[derive(Clone, Debug)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Parses the parameters of a query string.
    pub fn of_query(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The first value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a field, if not blank.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

/// An HTTP response.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A JSON response with the content type that Salesforce sends.
    pub fn json(status: StatusCode, body: &Value) -> Self {
        Self::text(status, "application/json;charset=UTF-8", body.to_string())
    }

    pub fn html(status: StatusCode, body: String) -> Self {
        Self::text(status, "text/html;charset=UTF-8", body)
    }

    pub fn text(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let mut answer = Self { status, headers: HeaderMap::new(), body: body.into() };
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        answer
    }

    pub fn redirect(location: &str) -> Self {
        Self::empty(StatusCode::FOUND).with(LOCATION, location)
    }

    /// Adds a header, unless the value is not valid in one.
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The body, if it is JSON.
    pub fn body_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// One entry of an error array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub code: String,
    pub message: String,
    /// `None` where Salesforce omits the `fields` key.
    pub fields: Option<Vec<String>>,
    /// An additional member, such as `duplicateResult`.
    pub detail: Option<(&'static str, Value)>,
}

impl ApiError {
    /// An error without a `fields` key.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), fields: None, detail: None }
    }

    /// An error with a `fields` key, which may be empty.
    pub fn on<S: ToString>(code: &str, message: impl Into<String>, fields: &[S]) -> Self {
        Self { fields: Some(fields.iter().map(ToString::to_string).collect()), ..Self::new(code, message) }
    }

    fn to_json(&self) -> Value {
        let mut body = json!({"message": self.message, "errorCode": self.code});
        if let Value::Object(members) = &mut body {
            if let Some(fields) = &self.fields {
                members.insert("fields".to_owned(), json!(fields));
            }
            if let Some((name, value)) = &self.detail {
                members.insert((*name).to_owned(), value.clone());
            }
        }
        body
    }
}

/// A rejected request: a status and one or more errors.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub errors: Vec<ApiError>,
}

impl Refusal {
    pub fn new(status: StatusCode, error: ApiError) -> Self {
        Self { status, errors: vec![error] }
    }

    pub fn bad_request(error: ApiError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// The 404 for anything that does not exist.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, ApiError::new("NOT_FOUND", "The requested resource does not exist"))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let errors: Vec<_> = refusal.errors.iter().map(ApiError::to_json).collect();
        Self::json(refusal.status, &Value::Array(errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_segments_are_decoded_once_and_keep_plus_signs() {
        for (raw, decoded) in
            [("a%2Fb", "a/b"), ("a+b%40c", "a+b@c"), ("%E5%B1%B1", "山"), ("100%", "100%"), ("%zz", "%zz")]
        {
            assert_eq!(decode_segment(raw), decoded);
        }
    }
}
