//! Errors of an authorization server.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    echo::EchoScanner,
    manifest::{Meaning, OAuthStage, Refusal, recognize},
    secret::Secret,
    types::OauthError,
};

/// The longest text that is kept of a server's message.
const MAX_CHARACTERS: usize = 500;

/// An error of RFC 6749, section 4.1.2.1 or 5.2, or an unexpected response instead of one. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OAuthError {
    /// When it happened.
    pub stage: OAuthStage,
    /// `error`; blank if the response had none.
    pub error: String,
    /// `error_description`.
    pub description: Option<String>,
    /// HTTP status of the response.
    pub http_status: Option<u16>,
    /// The manifest's code for it, if it has one. The plugin gets this, and none of the words.
    pub code: Option<String>,
    /// What it means for the grant.
    pub means: Meaning,
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.error.as_str(), self.http_status) {
            ("", Some(status)) => write!(f, "HTTP {status} without an error code")?,
            ("", None) => f.write_str("an error without a code")?,
            (error, _) => f.write_str(error)?,
        }
        match &self.description {
            Some(description) => write!(f, " ({description})"),
            None => Ok(()),
        }
    }
}

impl From<OAuthError> for OauthError {
    fn from(error: OAuthError) -> Self {
        Self { stage: error.stage.into(), code: error.code, http_status: error.http_status, more: Vec::new() }
    }
}

/// Whether a response is a refusal, although its status is that of tokens.
pub(crate) fn is_refusal(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Tokens {
        access_token: Option<serde::de::IgnoredAny>,
    }
    let has_token = serde_json::from_slice::<Tokens>(body).is_ok_and(|tokens| tokens.access_token.is_some());
    !has_token && serde_json::from_slice::<Body>(body).is_ok_and(|body| !body.error.is_empty())
}

/// An error response. Some servers omit the description or write `null`.
#[derive(Deserialize)]
struct Body {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Body {
    fn of_form(form: &[u8]) -> Option<Self> {
        let mut body = Self { error: String::new(), error_description: None };
        for (name, value) in url::form_urlencoded::parse(form) {
            match &*name {
                "error" => body.error = value.into_owned(),
                "error_description" => body.error_description = Some(value.into_owned()),
                _ => {}
            }
        }
        (!body.error.is_empty()).then_some(body)
    }
}

impl OAuthError {
    /// Parses an error response: JSON as in RFC 6749, or a form, as older endpoints write. `sent` are the secrets of the
    /// request; a message that repeats one is redacted.
    pub(crate) fn of_response(
        refusals: &[Refusal],
        stage: OAuthStage,
        status: u16,
        body: &[u8],
        sent: &[&Secret],
    ) -> Self {
        let read = serde_json::from_slice::<Body>(body).ok().or_else(|| Body::of_form(body));
        let (error, description) = match read {
            Some(body) => (body.error, body.error_description.unwrap_or_default()),
            None => (String::new(), String::new()),
        };
        Self::new(refusals, stage, &error, &description, Some(status), sent)
    }

    /// A server's error, with its words made safe to show.
    pub(crate) fn new(
        refusals: &[Refusal],
        stage: OAuthStage,
        error: &str,
        description: &str,
        http_status: Option<u16>,
        sent: &[&Secret],
    ) -> Self {
        let (code, means) = recognize(refusals, stage, error, description, http_status);
        let scanner = EchoScanner::new(sent.iter().map(|secret| secret.expose()));
        // Cleaned first: a secret with a control character in it would be whole again afterwards.
        let clean = |text: &str| text.chars().filter(|character| !character.is_control()).collect::<String>();
        let repeats = |text: &str| {
            let is_whole = |secret: &&Secret| !secret.expose().is_empty() && text.contains(secret.expose());
            sent.iter().any(is_whole) || scanner.finds_in(text.as_bytes())
        };
        let (error, description) = (clean(error), clean(description));
        let safe = |text: String, is_part: bool| -> String {
            if is_part || repeats(&text) {
                "[redacted]".to_owned()
            } else {
                text.chars().take(MAX_CHARACTERS).collect()
            }
        };
        // Half of a secret in each, which are shown one after the other.
        let is_part = !repeats(&error) && !repeats(&description) && repeats(&[&*error, &*description].concat());
        let error = safe(error, is_part);
        let description = Some(safe(description, is_part)).filter(|description| !description.is_empty());
        Self { stage, error, description, http_status, code, means }
    }

    /// Whether the host had a reason of its own to end the grant.
    pub(crate) fn is_of_host(&self) -> bool {
        self.http_status == Some(200) && self.means == Meaning::Ended && self.code.is_none()
    }

    /// The host's own reason to end a grant that a server refreshed.
    pub(crate) fn of_host(error: &str, description: String) -> Self {
        let (stage, means, http_status) = (OAuthStage::Refresh, Meaning::Ended, Some(200));
        Self { stage, error: error.to_owned(), description: Some(description), http_status, code: None, means }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> (String, Option<String>) {
        let error = OAuthError::of_response(&[], OAuthStage::Refresh, 400, body.as_bytes(), &[&Secret::new("s3cret")]);
        assert_eq!((error.stage, error.http_status), (OAuthStage::Refresh, Some(400)));
        (error.error, error.description)
    }

    #[test]
    fn an_error_is_parsed_in_every_form_that_servers_write() {
        for (body, error, description) in [
            (r#"{"error":"invalid_grant","error_description":"expired"}"#, "invalid_grant", Some("expired")),
            (r#"{"error":"invalid_grant","error_description":null}"#, "invalid_grant", None),
            (r#"{"error":"invalid_grant"}"#, "invalid_grant", None),
            (r#"{"error":"invalid_grant","error_description":""}"#, "invalid_grant", None),
            ("error=invalid_token&error_description=Token+was%20invalid", "invalid_token", Some("Token was invalid")),
            ("<html>Down for maintenance</html>", "", None),
            ("", "", None),
            ("[]", "", None),
            ("\u{0}\u{1}", "", None),
        ] {
            assert_eq!(of(body), (error.to_owned(), description.map(str::to_owned)), "{body:?}");
        }
    }

    #[test]
    fn a_message_that_repeats_a_secret_is_redacted() {
        let (error, description) = of(r#"{"error":"invalid_grant","error_description":"bad token s3cret given"}"#);
        assert_eq!((error.as_str(), description.as_deref()), ("invalid_grant", Some("[redacted]")));
        assert_eq!(of("error=s3cret").0, "[redacted]");
        let halves = of(r#"{"error":"s3c","error_description":"ret"}"#);
        assert_eq!(halves, ("[redacted]".to_owned(), Some("[redacted]".to_owned())));
    }

    #[test]
    fn a_servers_message_is_cut_to_its_limit() {
        let (_, description) =
            of(&format!(r#"{{"error":"x","error_description":"{}\\u001b[31m"}}"#, "あ".repeat(9_000)));
        assert_eq!(description.unwrap().chars().count(), MAX_CHARACTERS);
    }
}
