//! Credentials: obtained, kept, refreshed and revoked by the host alone.
//!
//! A [`Broker`] speaks OAuth 2.0 (RFC 6749) with PKCE (RFC 7636) and revocation (RFC 7009) as a manifest's
//! `[credentials.*]` describes the provider; nothing here knows one. Grants lie in a [`SecretStore`]; a plugin gets an
//! [`OpenCredential`], which has no token to give.
//!
//! Refresh tokens rotate: the answer to a refresh may hold the only token that still lives. Therefore one refresh runs for
//! a grant at a time (in the process by a shared flight, between processes by a lease), its answer is saved with
//! compare-and-swap before anyone uses it, and it runs to its end even when the call that asked for it is cancelled.

mod broker;
mod connect;
mod disconnect;
mod grant;
mod memory_store;
mod oauth;
mod open;
mod refresh;
mod store;

pub use broker::{Broker, ClientRegistration};
pub use connect::{ConnectError, Connected, Pending};
pub use disconnect::{DisconnectError, Disconnected, Revoked};
pub use grant::{ConnectionId, EndedGrant, Grant, GrantKey, GrantState, InvalidGrant};
pub use memory_store::MemoryStore;
pub use oauth::{OAuthError, OAuthStage};
pub use open::{OpenCredential, OpenError};
pub use refresh::{NotRefreshed, RefreshError};
pub use store::{Generation, Lease, SecretStore, StoreError, Stored};

#[cfg(test)]
mod tests;
