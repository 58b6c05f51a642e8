//! What a host does for plugins, for an operator's records: each request with its outcome, and each denial. Without secrets, values of queries,
//! headers and bodies.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    credentials::ConnectionId, egress::Denial, manifest::Identifier, origin::Origin, transport::TransportErrorKind,
};

/// Something that a host did, or refused, for a plugin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Observed<'a> {
    /// The plugin.
    pub plugin: &'a Identifier,
    /// The connection.
    pub connection: &'a ConnectionId,
    /// What.
    pub event: Event<'a>,
}

/// What a host did or refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// It sent a request of the plugin to the connected origin.
    Sent {
        /// The route that allows it, as a policy names it.
        route: String,
        /// The path, without query.
        path: &'a str,
        /// What came of it.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
    },
    /// It refused a request.
    Denied(&'a Denial),
    /// It sent a request of its own to a login host: for tokens, to refresh them, or to revoke them.
    Login {
        /// The host.
        host: &'a Origin,
        /// The endpoint's path.
        path: &'a str,
        /// What came of it.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
    },
    /// From now on, the connection gets no further calls of the plugin; see [`crate::Plugin::is_quarantined`].
    Quarantined,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A response with this status. The plugin got the parts that the route lists.
    Answered(u16),
    /// A response that the plugin did not get, because it contained the credential or was a part of one.
    Blocked(u16),
    /// No response.
    Failed(TransportErrorKind),
}

/// Receives events during the call, so a slow observer holds up the call.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&Observed<'_>) + Send + Sync>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Observed<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(crate) fn notify(&self, observed: &Observed<'_>) {
        (self.0)(observed);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
