//! Who asks to connect or disconnect.

use std::collections::BTreeSet;

use super::{ConnectError, DisconnectError};
use crate::manifest::Plugin;

/// Who asks to connect or disconnect, as the platform knows them. What the manifest requires of them is checked here, so that no host
/// forgets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// `None` for the operator.
    standing: Option<(BTreeSet<String>, BTreeSet<String>)>,
}

impl Asker {
    /// A person of a team: their roles there, and the plans that the team has, both as the platform names them.
    pub fn person(roles: impl IntoIterator<Item = String>, plans: impl IntoIterator<Item = String>) -> Self {
        Self { standing: Some((roles.into_iter().collect(), plans.into_iter().collect())) }
    }

    /// The operator, who may connect and disconnect whatever they host.
    pub fn operator() -> Self {
        Self { standing: None }
    }

    pub(super) fn may_connect(&self, plugin: &Plugin) -> Result<(), ConnectError> {
        if !self.has_role(plugin) {
            return Err(ConnectError::Role { allowed: plugin.connect_roles.clone() });
        }
        match (&self.standing, &plugin.plan) {
            (Some((_, plans)), Some(plan)) if !plans.contains(plan) => Err(ConnectError::Plan { needed: plan.clone() }),
            _ => Ok(()),
        }
    }

    /// Whatever their plan: a team that left it must still be able to disconnect.
    pub(super) fn may_disconnect(&self, plugin: &Plugin) -> Result<(), DisconnectError> {
        if self.has_role(plugin) {
            Ok(())
        } else {
            Err(DisconnectError::Role { allowed: plugin.connect_roles.clone() })
        }
    }

    fn has_role(&self, plugin: &Plugin) -> bool {
        let needed = &plugin.connect_roles;
        self.standing
            .as_ref()
            .is_none_or(|(roles, _)| needed.is_empty() || needed.iter().any(|role| roles.contains(role)))
    }
}
