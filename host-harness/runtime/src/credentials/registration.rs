//! What an operator registers: which builds of a plugin a host loads, and the platform's clients at authorization servers.

use std::collections::BTreeSet;

use crate::{manifest::GrantType, origin::OriginPattern, secret::Secret};

/// The platform's client at a provider.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// `client_id`; some providers call it consumer key.
    pub client_id: String,
    /// `client_secret`; `None` for a public client.
    pub client_secret: Option<Secret>,
}

/// A client, and what the operator allows it to be used for. Secrets go only where the plugin's manifest *and* this name the host: a
/// manifest is written by the plugin's author, who could name a server of their own.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The client.
    pub client: ClientRegistration,
    /// Where people may log in, and where the client's secret, codes and tokens may be sent: for Salesforce
    /// `https://login.salesforce.com`, and `https://*.my.salesforce.com` if people may name their My Domain.
    pub login_hosts: Vec<OriginPattern>,
    /// How grants may be obtained. With client credentials nobody proves that the account is theirs, so the login host must then be
    /// named here as it is, without `*`.
    pub grant_types: BTreeSet<GrantType>,
}

/// The builds of a plugin that a host loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Builds {
    /// Those with these SHA-256 digests, in lower-case hex as `inspect` prints them. A rebuild needs one more entry here, and no new
    /// connections.
    Sha256(BTreeSet<String>),
    /// Any file that claims the id. For development: whoever can exchange the file gets the plugin's connections.
    Any,
}

impl Builds {
    /// Whether a build may be loaded.
    pub fn allow(&self, sha256: &str) -> bool {
        match self {
            Self::Sha256(digests) => digests.contains(sha256),
            Self::Any => true,
        }
    }
}
