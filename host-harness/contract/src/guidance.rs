//! Help for people.

use serde::{Deserialize, Serialize};
#[cfg(feature = "component")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// What a person needs to know about a code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(record))]
#[serde(deny_unknown_fields)]
pub struct AdviceText {
    /// The language of the text, as a BCP 47 tag.
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
    /// What to do.
    pub action: String,
    /// Where, as a path through the CRM's pages, such as `Setup > Object Manager > Lead > Fields & Relationships`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "component", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// An owner or admin of the team.
    #[cfg_attr(feature = "component", component(name = "team-admin"))]
    TeamAdmin,
    /// The owner of the calendar and its form.
    #[cfg_attr(feature = "component", component(name = "calendar-owner"))]
    CalendarOwner,
    /// An admin of the CRM.
    #[cfg_attr(feature = "component", component(name = "crm-admin"))]
    CrmAdmin,
    /// Whoever runs the scheduling platform.
    #[cfg_attr(feature = "component", component(name = "operator"))]
    Operator,
    /// A case that a later version adds. Read it as `TeamAdmin`.
    #[cfg_attr(feature = "component", component(name = "other"))]
    Other(String),
}
