//! Responses by which an API says that the account is no longer at its origin.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::ManifestError;

/// A response other than 2xx that means the account is no longer at its origin, and that nothing was done. All members that are
/// given must apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Moved {
    /// HTTP statuses. Without them, every status from 300.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// A part of the body. Case makes no difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the body is JSON. An API that always answers in JSON did not write a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<bool>,
}

impl Moved {
    pub(crate) fn matches(&self, status: u16, body: &[u8]) -> bool {
        let is_in_body = |text: &String| String::from_utf8_lossy(body).to_lowercase().contains(&text.to_lowercase());
        status >= 300
            && (self.status.is_empty() || self.status.contains(&status))
            && self.json.is_none_or(|json| json == serde_json::from_slice::<IgnoredAny>(body).is_ok())
            && self.text.as_ref().is_none_or(is_in_body)
    }

    pub(super) fn check(&self, key: &str) -> Result<(), ManifestError> {
        let fault = |fault: &str| Err(ManifestError::value(key, fault));
        if self.status.is_empty() && self.text.is_none() {
            return fault("name a `status` or a part of the `text`; otherwise every refusal would match");
        }
        if self.text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return fault("a part of a text must not be blank, because it would match all");
        }
        // A server that fails, or wants a slower client, may be anywhere; a 401 is about the credential.
        if self.status.iter().any(|status| !(300..500).contains(status) || matches!(status, 304 | 401 | 408 | 429)) {
            return fault("a `status` is 300 to 499, except 304, 401, 408 and 429");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(status: &[u16], text: Option<&str>, json: Option<bool>) -> Moved {
        Moved { status: status.to_vec(), text: text.map(str::to_owned), json }
    }

    #[test]
    fn a_response_matches_if_all_members_apply() {
        for (moved, status, body, expected) in [
            (moved(&[301, 420], None, None), 301, "", true),
            (moved(&[301, 420], None, None), 302, "", false),
            (moved(&[404], None, Some(false)), 404, "<html>", true),
            (moved(&[404], None, Some(false)), 404, "", true),
            (moved(&[404], None, Some(false)), 404, "[]", false),
            (moved(&[404], None, Some(true)), 404, "[]", true),
            (moved(&[], Some("url_not_RESET"), None), 500, "x URL_NOT_RESET x", true),
            (moved(&[], Some("URL_NOT_RESET"), None), 201, "URL_NOT_RESET", false),
            (moved(&[400], Some("URL_NOT_RESET"), None), 400, "URL", false),
        ] {
            assert_eq!(moved.matches(status, body.as_bytes()), expected, "{moved:?} {status} {body}");
        }
    }

    #[test]
    fn one_that_matches_too_much_is_refused() {
        for wrong in [
            moved(&[], None, Some(false)),
            moved(&[], Some(" "), None),
            moved(&[200], None, None),
            moved(&[401], None, None),
            moved(&[404, 503], None, None),
        ] {
            assert!(wrong.check("moved").is_err(), "{wrong:?}");
        }
        assert!(moved(&[404], None, Some(false)).check("moved").is_ok());
    }
}
