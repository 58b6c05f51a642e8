//! Name resolution that gives only addresses that requests may go to.
//!
//! The connector connects to the very addresses that it gets from here, so there is no second look-up that could answer
//! otherwise (DNS rebinding).

use std::{io, net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_allowed;
use crate::policy::PrivateRange;

/// Looks names up.
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

/// Gives the allowed addresses of a name.
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) allowed_private: Arc<[PrivateRange]>,
    /// `localhost`, where a test override is there.
    pub(super) loopback_name: Option<&'static str>,
    /// The proxy, which an operator named and which mostly has a private address.
    pub(super) proxy_name: Option<String>,
}

/// A name all of whose addresses were refused.
#[derive(Debug, thiserror::Error)]
#[error(
    "the name resolves only to addresses that are private or set aside; a policy may allow some with `allowed_private_ranges`"
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
                    is_allowed(address.ip(), &self.allowed_private)
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
