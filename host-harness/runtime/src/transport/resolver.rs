//! Name resolution that returns only allowed addresses.
//!
//! The connector uses exactly these addresses, so there is no second look-up with another result (DNS rebinding).

use std::{io, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::Reachable;

/// Looks up names.
#[async_trait]
pub(super) trait Lookup: Send + Sync {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's resolver.
pub(super) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

/// Returns the allowed addresses of a name.
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) reachable: Reachable,
    /// `localhost`, if a test override uses it.
    pub(super) loopback_name: Option<&'static str>,
    /// The proxy, which the operator has named and which usually has a private address.
    pub(super) proxy_name: Option<String>,
}

/// All addresses of a name were refused.
#[derive(Debug, thiserror::Error)]
#[error(
    "the name resolves only to private or reserved addresses; a policy can allow some with `allowed_private_ranges`"
)]
pub(super) struct AllRefused;

impl Resolver {
    async fn resolve(&self, name: &str) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let addresses = self.lookup.lookup(name).await?;
        let allowed: Vec<_> = addresses
            .into_iter()
            .filter(|address| {
                if self.loopback_name == Some(name) {
                    address.ip().is_loopback()
                } else if self.proxy_name.as_deref() == Some(name) {
                    true
                } else {
                    self.reachable.contains(address.ip())
                }
            })
            .collect();
        if allowed.is_empty() { Err(Box::new(AllRefused)) } else { Ok(allowed) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = Resolver::resolve(&resolver, name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
