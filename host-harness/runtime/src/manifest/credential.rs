//! How people connect the plugin: everything specific to an authorization server, as data.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, header};
use serde::{Deserialize, Serialize};

use super::{
    Identifier, ManifestError,
    egress::{EgressRule, only_origin},
    moved::Moved,
    refusal::{Meaning, OAuthStage, Refusal, recognize},
    route::is_plain_segment,
};
use crate::origin::OriginPattern;

/// A credential that the plugin asks for. In the manifest, `kind` tells which one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind")]
pub enum CredentialSpec {
    /// A bearer token of OAuth 2.0 (RFC 6749).
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuthSpec>),
    /// A key that a person copies from the CRM. It has no attributes.
    #[serde(rename = "api_key")]
    ApiKey(ApiKeySpec),
}

/// How a host obtains, uses and ends a grant of OAuth 2.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OAuthSpec {
    /// Origins at which people log in. With a pattern, the person names the host.
    pub login_hosts: Vec<OriginPattern>,
    /// Path of the authorization endpoint (RFC 6749, section 3.1) at the login host.
    pub authorization_path: EndpointPath,
    /// Path of the token endpoint (RFC 6749, section 3.2) at the login host.
    pub token_path: EndpointPath,
    /// The allowed ways to obtain a grant.
    #[serde(default = "authorization_code_only")]
    pub grant_types: BTreeSet<GrantType>,
    /// How the host authenticates at the token endpoint if it has a client secret.
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// The requested scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Further parameters of the authorization request, such as `prompt`. Those that decide what is requested, or how the code
    /// comes back, belong to the host.
    #[serde(default)]
    pub authorization_parameters: BTreeMap<ParameterName, String>,
    /// Where the host attaches the access token.
    pub slot: Slot,
    /// The member of the token response with the origin of the account. Required unless the manifest admits only one origin.
    #[serde(default)]
    pub origin_member: Option<String>,
    /// Days after which the server ends an unused refresh token.
    #[serde(default)]
    pub idle_days: Option<u16>,
    /// Public attributes that the plugin may read, by name.
    #[serde(default)]
    pub attributes: BTreeMap<Identifier, Attribute>,
    /// The attributes that tell one account from another. If a refresh changes one, the grant ends. Without them, the origin must not
    /// change.
    #[serde(default)]
    pub account: Vec<Identifier>,
    /// What the server's errors mean. The first that matches applies.
    #[serde(default)]
    pub refusals: Vec<Refusal>,
    /// 401 responses of the API that no refresh cures, by a part of their text. Case makes no difference.
    #[serde(default)]
    pub incurable: Vec<String>,
    /// Responses of the API that say that the account is no longer at its origin. Once a call, the host then refreshes; if the token
    /// response names another origin, the host sends the request there.
    #[serde(default)]
    pub moved: Vec<Moved>,
    /// How to revoke a grant; `None` if the server does not support it.
    #[serde(default)]
    pub revocation: Option<Revocation>,
}

fn authorization_code_only() -> BTreeSet<GrantType> {
    BTreeSet::from([GrantType::AuthorizationCode])
}

/// How a host uses an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ApiKeySpec {
    /// Where the key belongs: one of the origins that `egress` admits. With a pattern, the person names the host.
    pub origin: OriginPattern,
    /// Where the host attaches the key.
    pub slot: Slot,
}

/// A way to obtain a grant, named as in RFC 7591.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A person authorizes it in the browser (RFC 6749, section 4.1), with PKCE (RFC 7636).
    AuthorizationCode,
    /// The client acts on its own behalf (RFC 6749, section 4.4).
    ClientCredentials,
}

/// How the host authenticates at the token endpoint (RFC 6749, section 2.3.1), named as in RFC 7591.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    #[default]
    ClientSecretPost,
    /// HTTP Basic.
    ClientSecretBasic,
}

/// Where the host attaches an access token or an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Slot {
    /// The header field.
    pub header: SlotHeader,
    /// The authentication scheme before the token or key, for example `Bearer`.
    #[serde(default)]
    pub scheme: Option<String>,
}

/// A header field that may contain a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct SlotHeader(HeaderName);

impl SlotHeader {
    /// The name.
    pub fn name(&self) -> &HeaderName {
        &self.0
    }
}

/// The text is not a [`SlotHeader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a header field for credentials such as `authorization`, not one that controls the connection")]
pub struct InvalidSlotHeader;

impl TryFrom<String> for SlotHeader {
    type Error = InvalidSlotHeader;

    fn try_from(text: String) -> Result<Self, InvalidSlotHeader> {
        let name = HeaderName::try_from(text).map_err(|_| InvalidSlotHeader)?;
        let controls = [
            header::CONNECTION,
            header::CONTENT_ENCODING,
            header::CONTENT_LENGTH,
            header::CONTENT_TYPE,
            header::EXPECT,
            header::HOST,
            header::TE,
            header::TRAILER,
            header::TRANSFER_ENCODING,
            header::UPGRADE,
        ];
        if controls.contains(&name) || name.as_str().starts_with("proxy-") {
            return Err(InvalidSlotHeader);
        }
        Ok(Self(name))
    }
}

impl From<SlotHeader> for String {
    fn from(header: SlotHeader) -> Self {
        header.0.as_str().to_owned()
    }
}

/// The name of a parameter that a manifest may add to the authorization request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = PARAMETER_PATTERN)))]
#[serde(try_from = "String", into = "String")]
pub struct ParameterName(String);

#[cfg(feature = "schema")]
const PARAMETER_PATTERN: &str = r"^[a-z][a-z0-9_]{0,63}$";

/// Parameters that only the host sends. With the last ones a manifest could replace the others (RFC 9101), redirect the code
/// elsewhere (`response_mode`), or request more than its `scopes` say (RFC 9396; OpenID Connect Core, section 5.5).
const OWN_PARAMETERS: [&str; 15] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "authorization_details",
    "claims",
    "request",
    "request_uri",
    "response_mode",
];

impl ParameterName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is not a [`ParameterName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a parameter is 1 to 64 lower-case letters, digits and `_`, a letter first, such as `prompt`, and not one that only the host sends"
)]
pub struct InvalidParameterName;

impl TryFrom<String> for ParameterName {
    type Error = InvalidParameterName;

    fn try_from(text: String) -> Result<Self, InvalidParameterName> {
        let is_plain = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.len() <= 64
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if is_plain && !OWN_PARAMETERS.contains(&text.as_str()) { Ok(Self(text)) } else { Err(InvalidParameterName) }
    }
}

impl From<ParameterName> for String {
    fn from(name: ParameterName) -> Self {
        name.0
    }
}

/// A public attribute, taken from the token response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Attribute {
    /// The member with the value. For the origin's member it is the origin as the host uses it.
    pub member: String,
    /// If the member is a URL: the segment of its path, counted from the end, starting at 1.
    #[serde(default)]
    pub path_segment_from_end: Option<u8>,
}

/// How a grant is revoked (RFC 7009).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Revocation {
    /// Path of the revocation endpoint at the login host.
    pub path: EndpointPath,
    /// Whether the host authenticates there, as in RFC 7009, section 2.1.
    #[serde(default = "yes")]
    pub client_authentication: bool,
    /// Whether a person's other grants to the same client survive when one is revoked. Only then does a host revoke the earlier grant
    /// when somebody connects again: elsewhere that would end the new one too.
    #[serde(default)]
    pub spares_other_grants: bool,
}

fn yes() -> bool {
    true
}

/// The full path of an endpoint, without query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = r"^(/[A-Za-z0-9._~-]+)+$")))]
#[serde(try_from = "String", into = "String")]
pub struct EndpointPath(String);

/// The text is not an [`EndpointPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint is a path of letters, digits and `-._~`, without query: `/oauth/token`")]
pub struct InvalidEndpointPath;

impl EndpointPath {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EndpointPath {
    type Error = InvalidEndpointPath;

    fn try_from(text: String) -> Result<Self, InvalidEndpointPath> {
        let plain = text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain_segment));
        if plain { Ok(Self(text)) } else { Err(InvalidEndpointPath) }
    }
}

impl From<EndpointPath> for String {
    fn from(path: EndpointPath) -> Self {
        path.0
    }
}

impl CredentialSpec {
    /// Where the host attaches the credential.
    pub fn slot(&self) -> &Slot {
        match self {
            Self::OAuth2(spec) => &spec.slot,
            Self::ApiKey(spec) => &spec.slot,
        }
    }

    pub(super) fn check(&self, key: &str, egress: &[EgressRule]) -> Result<(), ManifestError> {
        if self.slot().scheme.as_ref().is_some_and(|scheme| HeaderName::try_from(scheme).is_err()) {
            return Err(ManifestError::value(format!("{key}.slot.scheme"), "must be a token, for example `Bearer`"));
        }
        match self {
            Self::OAuth2(spec) => spec.check(key, egress),
            Self::ApiKey(spec) => spec.check(key, egress),
        }
    }
}

impl ApiKeySpec {
    fn check(&self, key: &str, egress: &[EgressRule]) -> Result<(), ManifestError> {
        if egress.iter().any(|rule| rule.origin.intersection(&self.origin).as_ref() == Some(&self.origin)) {
            return Ok(());
        }
        let fault = format!("`{}` is not among the origins of `egress`; add a rule for it", self.origin);
        Err(ManifestError::value(format!("{key}.origin"), fault))
    }
}

impl OAuthSpec {
    /// Whether a response has every attribute that tells one account from another. `false` if the manifest names none.
    pub(crate) fn names_account(&self, has: impl Fn(&Attribute) -> bool) -> bool {
        !self.account.is_empty() && self.account.iter().all(|name| self.attributes.get(name).is_some_and(&has))
    }

    /// The code for an error of the server, if the manifest has one, and what the error means. For an error that the manifest does not
    /// know, RFC 6749 decides.
    pub fn recognize(
        &self,
        stage: OAuthStage,
        error: &str,
        description: &str,
        http_status: Option<u16>,
    ) -> (Option<String>, Meaning) {
        recognize(&self.refusals, stage, error, description, http_status)
    }

    fn check(&self, key: &str, egress: &[EgressRule]) -> Result<(), ManifestError> {
        let fault = |member: &str, fault: &str| Err(ManifestError::value(format!("{key}.{member}"), fault));
        if self.login_hosts.is_empty() {
            return fault("login_hosts", "name at least one origin at which people log in");
        }
        if self.grant_types.is_empty() {
            return fault("grant_types", "name `authorization_code`, `client_credentials` or both");
        }
        // RFC 6749, section 3.3: blanks separate scopes.
        if !self.scopes.iter().all(|scope| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic())) {
            return fault("scopes", "write each scope as a separate text without blanks");
        }
        for (name, value) in &self.authorization_parameters {
            if value.trim().is_empty() {
                return fault(&format!("authorization_parameters.{}", name.as_str()), "must not be blank");
            }
        }
        if self.origin_member.is_none() && only_origin(egress).is_none() {
            return fault(
                "origin_member",
                "name the member of the token response that holds the origin, or admit exactly one origin without a wildcard",
            );
        }
        if self.idle_days == Some(0) {
            return fault("idle_days", "must be greater than 0; leave it out if tokens do not end");
        }
        for (name, attribute) in &self.attributes {
            if attribute.path_segment_from_end == Some(0) {
                return fault(&format!("attributes.{name}.path_segment_from_end"), "is counted from 1");
            }
            // The plugin can read attributes.
            if ["access_token", "refresh_token", "id_token", "signature"].contains(&attribute.member.as_str()) {
                return fault(&format!("attributes.{name}.member"), "is a secret and cannot be an attribute");
            }
        }
        if let Some(name) = self.account.iter().find(|name| !self.attributes.contains_key(*name)) {
            return fault("account", &format!("`{name}` is not among the attributes"));
        }
        for (index, refusal) in self.refusals.iter().enumerate() {
            refusal.check(&format!("{key}.refusals[{index}]"))?;
        }
        for (index, moved) in self.moved.iter().enumerate() {
            moved.check(&format!("{key}.moved[{index}]"))?;
        }
        if self.incurable.iter().any(|part| part.trim().is_empty()) {
            return fault("incurable", "a part of a text must not be blank, because it would match all");
        }
        Ok(())
    }
}
