//! Credentials: obtained, kept, refreshed and revoked by the host alone.
//!
//! A [`Broker`] speaks OAuth 2.0 (RFC 6749) with PKCE (RFC 7636) and revocation (RFC 7009) as a manifest's
//! `[credentials.*]` describes the provider, and takes API keys from people; nothing here is specific to one provider. Grants are
//! kept in a [`SecretStore`]. A plugin gets a handle to an [`OpenCredential`], which does not reveal its token.
//!
//! Refresh tokens rotate: the response to a refresh may contain the only valid token. Therefore one refresh runs per grant at
//! a time (a shared flight within the process, a lease between processes), its response is saved with compare-and-swap before
//! anyone uses it, and it completes even if the call that asked for it is cancelled.

mod asker;
mod broker;
mod connect;
mod consent;
mod disconnect;
mod drain;
mod grant;
mod memory_store;
mod oauth;
mod open;
mod refresh;
mod registration;
mod store;

pub use asker::Asker;
pub use broker::Broker;
pub use connect::{ConnectError, ConnectRequest, Connected, Pending};
pub use consent::Consent;
pub use disconnect::{DisconnectError, Disconnected, Revoked};
pub use grant::{ApiKeyGrant, ConnectionId, EndedGrant, Grant, GrantKey, GrantState, InvalidGrant, OAuthGrant};
pub use memory_store::MemoryStore;
pub use oauth::OAuthError;
pub use open::{OpenCredential, OpenError};
pub use refresh::{NotRefreshed, RefreshError};
pub use registration::{Builds, ClientRegistration, Registration};
pub use store::{Generation, Lease, SecretStore, StoreError, Stored};

#[cfg(test)]
mod tests;
