//! Requests to an authorization server.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Method, Request, header};
use url::Url;
use zeroize::Zeroizing;

use crate::{credentials::ClientRegistration, manifest::ClientAuthentication, secret::Secret};

/// A form to post. It is wiped when dropped.
pub(crate) struct Form {
    body: Zeroizing<String>,
    authorization: Option<HeaderValue>,
}

impl Form {
    pub(crate) fn new() -> Self {
        Self { body: Zeroizing::new(String::with_capacity(4 << 10)), authorization: None }
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        if !self.body.is_empty() {
            self.body.push('&');
        }
        self.body.push_str(name);
        self.body.push('=');
        self.body.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        self
    }

    /// Authenticates the client as in RFC 6749, section 2.3.1. A client without a secret only sends its id.
    pub(crate) fn authenticated(self, client: &ClientRegistration, how: ClientAuthentication) -> Self {
        match (&client.client_secret, how) {
            (Some(secret), ClientAuthentication::ClientSecretBasic) => self.basic(&client.client_id, secret),
            (Some(secret), ClientAuthentication::ClientSecretPost) => {
                self.field("client_id", &client.client_id).field("client_secret", secret.expose())
            }
            (None, _) => self.field("client_id", &client.client_id),
        }
    }

    fn basic(mut self, id: &str, secret: &Secret) -> Self {
        let mut pair = Zeroizing::new(String::new());
        pair.extend(url::form_urlencoded::byte_serialize(id.as_bytes()));
        pair.push(':');
        pair.extend(url::form_urlencoded::byte_serialize(secret.expose().as_bytes()));
        let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        // A header value can contain every base64 character.
        self.authorization = HeaderValue::from_str(&value).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self
    }

    /// The request that posts the form.
    pub(crate) fn post_to(self, url: &Url) -> Result<Request<Vec<u8>>, http::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        if let Some(authorization) = self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request.body(self.body.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_authenticates_only_in_the_way_of_its_provider() {
        let url = Url::parse("https://id.acme.example/oauth/token").unwrap();
        let client = |secret: Option<&str>| ClientRegistration {
            client_id: "a b".to_owned(),
            client_secret: secret.map(Secret::new),
        };
        for (secret, how, body, authorization) in [
            (Some("s+/:"), ClientAuthentication::ClientSecretPost, "x=1&client_id=a+b&client_secret=s%2B%2F%3A", None),
            (Some("s+/:"), ClientAuthentication::ClientSecretBasic, "x=1", Some("Basic YStiOnMlMkIlMkYlM0E=")),
            (None, ClientAuthentication::ClientSecretPost, "x=1&client_id=a+b", None),
            (None, ClientAuthentication::ClientSecretBasic, "x=1&client_id=a+b", None),
        ] {
            let request = Form::new().field("x", "1").authenticated(&client(secret), how).post_to(&url).unwrap();
            assert_eq!(std::str::from_utf8(request.body()).unwrap(), body);
            let header = request.headers().get(header::AUTHORIZATION);
            assert_eq!(header.map(|value| value.to_str().unwrap()), authorization);
            assert!(header.is_none_or(HeaderValue::is_sensitive));
        }
    }
}
