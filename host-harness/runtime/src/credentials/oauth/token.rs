//! Token responses (RFC 6749, section 5.1).

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use url::Url;

use crate::{
    echo::is_recognizable,
    manifest::{Attribute, Slot},
    secret::Secret,
};

/// A usable token response. All members count as secrets unless requested by name.
#[derive(Debug)]
pub(crate) struct TokenResponse {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    members: BTreeMap<String, Member>,
}

impl TokenResponse {
    /// Parses a response. The error names the fault without quoting the response.
    pub(crate) fn parse(body: &[u8], slot: &Slot) -> Result<Self, &'static str> {
        let mut members: BTreeMap<String, Member> =
            serde_json::from_slice(body).map_err(|_| "it is not a JSON object")?;
        let mut take = |name: &str| members.remove(name).and_then(|member| member.0);
        let mut token = |name: &str| take(name).map(|token| Secret::new(token.expose()));
        let access_token = token("access_token").ok_or("it has no `access_token`")?;
        let refresh_token = token("refresh_token");
        if !std::iter::once(&access_token).chain(&refresh_token).all(is_token) {
            return Err("a token has characters that are not allowed in tokens");
        }
        if !std::iter::once(&access_token).chain(&refresh_token).all(|token| is_recognizable(token.expose())) {
            return Err("a token has too few letters and digits to be recognized in a response");
        }
        // RFC 6749, section 7.1: a token of an unknown type must not be used.
        if let (Some(scheme), Some(kind)) = (&slot.scheme, take("token_type"))
            && !kind.expose().eq_ignore_ascii_case(scheme)
        {
            return Err("its `token_type` differs from the scheme of the manifest's slot");
        }
        Ok(Self { access_token, refresh_token, members })
    }

    /// A member as text.
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(|member| member.0.as_ref()).map(Secret::expose)
    }

    /// The granted scopes; `None` if the response omits them because they are the requested ones.
    pub(crate) fn scopes(&self) -> Option<Vec<String>> {
        self.member("scope").map(|scopes| scopes.split_ascii_whitespace().map(str::to_owned).collect())
    }

    /// An attribute that the manifest exposes.
    pub(crate) fn attribute(&self, attribute: &Attribute) -> Option<String> {
        let text = self.member(&attribute.member)?;
        let Some(from_end) = attribute.path_segment_from_end else {
            return Some(text.to_owned());
        };
        let url = Url::parse(text).ok()?;
        let segment = url.path_segments()?.rev().nth(usize::from(from_end).checked_sub(1)?)?;
        (!segment.is_empty()).then(|| segment.to_owned())
    }
}

/// RFC 6749, appendix A.12 and A.17: visible ASCII. Anything else could inject a header.
fn is_token(secret: &Secret) -> bool {
    !secret.expose().is_empty() && secret.expose().bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A member's value as text; `None` unless it is a scalar.
#[derive(Debug)]
struct Member(Option<Secret>);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;

        impl<'de> Visitor<'de> for Scalar {
            type Value = Option<Secret>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Some(Secret::undecided(text)))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Some(Secret::undecided(text)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Some(Secret::undecided(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Some(Secret::undecided(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Some(Secret::undecided(number.to_string())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Some(Secret::undecided(value.to_string())))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(None)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(None)
            }
        }

        deserializer.deserialize_any(Scalar).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(scheme: &str) -> Slot {
        toml::from_str(&format!("header = \"authorization\"\nscheme = \"{scheme}\"")).unwrap()
    }

    fn attribute(text: &str) -> Attribute {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn members_of_every_type_are_read_or_ignored() {
        let body =
            br#"{"access_token":"access!token","token_type":"bearer","refresh_token":null,"issued_at":1700000000000,
            "scope":"api refresh_token","ok":true,"list":[1,{"a":2}],"nested":{"access_token":"access-token-x"},"n":-1,
            "id":"https://login.example/id/00Dxx/005xx","instance_url":"https://a.example/"}"#;
        let response = TokenResponse::parse(body, &slot("Bearer")).unwrap();
        assert_eq!(response.access_token.expose(), "access!token");
        assert!(response.refresh_token.is_none());
        assert_eq!(response.member("issued_at"), Some("1700000000000"));
        assert_eq!(response.member("list"), None);
        assert_eq!(response.member("access_token"), None, "tokens are not facts");
        assert_eq!(response.scopes(), Some(vec!["api".to_owned(), "refresh_token".to_owned()]));
        for (description, value) in [
            ("member = \"id\"\npath_segment_from_end = 2", Some("00Dxx")),
            ("member = \"id\"\npath_segment_from_end = 1", Some("005xx")),
            ("member = \"id\"\npath_segment_from_end = 9", None),
            ("member = \"n\"", Some("-1")),
            ("member = \"n\"\npath_segment_from_end = 1", None),
            ("member = \"absent\"", None),
        ] {
            assert_eq!(response.attribute(&attribute(description)).as_deref(), value, "{description}");
        }
    }

    #[test]
    fn an_unusable_response_is_refused_without_quoting_it() {
        for (body, says) in [
            ("", "JSON object"),
            ("<html>canary</html>", "JSON object"),
            ("[]", "JSON object"),
            ("{\"access_token\":null}", "no `access_token`"),
            ("{\"access_token\":[\"canary-token\"]}", "no `access_token`"),
            ("{\"access_token\":\"\"}", "characters"),
            ("{\"access_token\":\"canary\"}", "too few letters"),
            ("{\"access_token\":\"canary!.-~_/+=\"}", "too few letters"),
            ("{\"access_token\":\"access-token\",\"refresh_token\":\"canary\"}", "too few letters"),
            ("{\"access_token\":\"canary\\r\\nx-evil: 1\"}", "characters"),
            ("{\"access_token\":\"a\",\"refresh_token\":\"canary\\u0000\"}", "characters"),
            ("{\"access_token\":\"canary-token\",\"token_type\":\"mac\"}", "token_type"),
        ] {
            let error = TokenResponse::parse(body.as_bytes(), &slot("Bearer")).unwrap_err();
            assert!(error.contains(says) && !error.contains("canary"), "{body}: {error}");
        }
    }
}
