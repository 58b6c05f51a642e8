//! Rules for the requests of a plugin.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ManifestError,
    route::{self, Route},
};
use crate::{
    imports,
    origin::{Origin, OriginPattern},
};

/// Origins that may be connected, and what may be sent to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EgressRule {
    /// The origins.
    pub origin: OriginPattern,
    /// The requests.
    pub routes: Vec<Route>,
}

impl EgressRule {
    /// The same permissions, a rule for each route.
    pub(crate) fn each(&self) -> impl Iterator<Item = Self> {
        self.routes.iter().map(|route| Self { origin: self.origin.clone(), routes: vec![route.clone()] })
    }

    /// Whether everything that another rule asks for is allowed by this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.origin.intersection(&other.origin).as_ref() == Some(&other.origin)
            && other.routes.iter().all(|asked| self.routes.iter().any(|route| route.covers(asked)))
    }

    pub(super) fn check(&self, key: &str) -> Result<(), ManifestError> {
        let key = format!("{key}.routes");
        if self.routes.is_empty() {
            return Err(ManifestError::value(key, "name at least one route"));
        }
        for (place, route) in self.routes.iter().enumerate() {
            route.check(&format!("{key}[{place}]"))?;
        }
        match route::repeated(&self.routes) {
            None => Ok(()),
            Some((place, earlier)) => Err(ManifestError::value(
                format!("{key}[{place}]"),
                format!("routes[{earlier}] already has this method and path; write one route for both"),
            )),
        }
    }
}

/// The only origin that rules admit, if there is just one.
pub(super) fn only_origin(rules: &[EgressRule]) -> Option<Origin> {
    match rules {
        [rule] => rule.origin.exact(),
        _ => None,
    }
}

/// A request method that a plugin may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl TryFrom<imports::http::Method> for Method {
    /// The name of a method that a manifest cannot list.
    type Error = String;

    fn try_from(method: imports::http::Method) -> Result<Self, String> {
        use imports::http::Method as Imported;
        Ok(match method {
            Imported::Get => Self::Get,
            Imported::Post => Self::Post,
            Imported::Put => Self::Put,
            Imported::Patch => Self::Patch,
            Imported::Delete => Self::Delete,
            Imported::Other(name) => return Err(name),
        })
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(http::Method::from(*self).as_str())
    }
}
