//! The wire format of OAuth 2.0: forms out, token and error responses in. No I/O.

mod error;
mod form;
mod pkce;
mod token;

pub use error::OAuthError;
pub(super) use error::is_refusal;
pub(super) use form::Form;
pub(super) use pkce::{challenge, random_text};
pub(super) use token::TokenResponse;

/// The largest response of an authorization server that is accepted.
pub(super) const MAX_RESPONSE_BYTES: usize = 64 << 10;
