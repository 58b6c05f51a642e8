//! The doctor, and authorization errors.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Finding, More};

/// The account at the CRM that a connection leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Stable id, unique within the CRM; empty if the CRM does not say.
    pub id: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What else a person may want to see, in the order to show it.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// What works now but may stop soon.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// A fact about an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Stable id.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// An authorization server's refusal: an error of RFC 6749, section 4.1.2.1 or 5.2, or what came in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct OauthError {
    /// When it happened.
    pub stage: OauthStage,
    /// The manifest's code for it; `None` if the manifest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Status of the HTTP response that contained it.
    #[cfg_attr(feature = "component", component(name = "http-status"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// For later versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: More,
}

/// When an authorization error happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum OauthStage {
    /// In the browser, or on its way back.
    #[cfg_attr(feature = "component", component(name = "authorize"))]
    Authorize,
    /// When the code was exchanged for a token.
    #[cfg_attr(feature = "component", component(name = "exchange"))]
    Exchange,
    /// When a token was refreshed.
    #[cfg_attr(feature = "component", component(name = "refresh"))]
    Refresh,
    /// When a grant was revoked.
    #[cfg_attr(feature = "component", component(name = "revoke"))]
    Revoke,
    /// A case that a later version adds.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}
