//! The doctor, authorisation errors, and help for people.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Finding;
use crate::enumeration::enumeration;

/// The account that a working connection leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Id of the org.
    #[cfg_attr(feature = "component", component(name = "org-id"))]
    pub org_id: String,
    /// Name of the org, where it could be read.
    #[cfg_attr(feature = "component", component(name = "org-name"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_name: Option<String>,
    /// Edition and kind of the org in the CRM's words, where they could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// Id of the connected user.
    #[cfg_attr(feature = "component", component(name = "user-id"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Name by which the user logs in, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Address of the org.
    #[cfg_attr(feature = "component", component(name = "instance-url"))]
    pub instance_url: String,
    /// The API version that the plugin uses.
    #[cfg_attr(feature = "component", component(name = "api-version"))]
    pub api_version: String,
    /// API calls of the last 24 hours, where the CRM told.
    #[cfg_attr(feature = "component", component(name = "daily-calls"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_calls: Option<CallUsage>,
    /// What works now but may not for long.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// API calls used and allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct CallUsage {
    /// Used.
    pub used: u64,
    /// Allowed.
    pub allowed: u64,
}

/// An error of RFC 6749, section 4.1.2.1 or 5.2, or what came in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct OauthError {
    /// When it happened.
    pub stage: OauthStage,
    /// `error`.
    pub error: String,
    /// `error_description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// HTTP status of the answer that held it.
    #[cfg_attr(feature = "component", component(name = "http-status"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
}

enumeration! {
    /// When an authorisation error happened.
    pub enum OauthStage {
        /// In the browser, or on its way back.
        Authorize = "authorize",
        /// While the code was exchanged for a token.
        Exchange = "exchange",
        /// While a token was refreshed.
        Refresh = "refresh",
        /// While a grant was revoked.
        Revoke = "revoke",
    }
}

/// What a person needs to know about a code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct AdviceText {
    /// The language of the texts, as a BCP 47 tag.
    pub locale: String,
    /// What happened, in a sentence.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do, in order.
    #[serde(default)]
    pub steps: Vec<AdviceStep>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct AdviceStep {
    /// Who does it.
    pub who: Actor,
    /// What.
    pub action: String,
    /// Where, as a path through the CRM's pages, for example `Setup > Object Manager > Lead > Fields & Relationships`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

enumeration! {
    /// Who does something.
    pub enum Actor {
        /// An owner or admin of the team, on the scheduling platform.
        TeamAdmin = "team-admin",
        /// The owner of the calendar and its form.
        CalendarOwner = "calendar-owner",
        /// An admin of the CRM.
        CrmAdmin = "crm-admin",
        /// Whoever runs the scheduling platform.
        Operator = "operator",
    }
}
