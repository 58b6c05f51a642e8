//! Who asks. One layer for everything under `/v1`.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use crm_host::secret::Secret;

use crate::{ApiError, Service};

/// What a token may do, beside its team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Hand over bookings.
    Intake,
    /// All of a team's.
    Admin,
    /// All of all teams'.
    Operator,
}

/// The scopes of tokens, as they are stored and typed.
pub const SCOPES: [&str; 3] = ["intake", "admin", "operator"];

impl Role {
    /// The role of a scope.
    pub(crate) fn of(scope: &str) -> Option<Self> {
        match scope {
            "intake" => Some(Self::Intake),
            "admin" => Some(Self::Admin),
            "operator" => Some(Self::Operator),
            _ => None,
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The only team that it may see; all if `None`.
    pub(crate) team: Option<String>,
    pub(crate) role: Role,
    /// Names the caller in versions of mappings.
    pub(crate) name: String,
}

impl Caller {
    /// Whether the caller may do this for a team.
    pub(crate) fn may(&self, role: Role, team: &str) -> Result<(), ApiError> {
        if self.team.as_deref().is_some_and(|own| own != team) {
            // Whether that team exists is none of the caller's business.
            return Err(ApiError::forbidden("the token is for another team"));
        }
        self.must_be(role)
    }

    pub(crate) fn must_be(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        let needed = match role {
            Role::Intake => "intake",
            Role::Admin => "admin",
            Role::Operator => "operator",
        };
        Err(ApiError::forbidden(format!("this needs a token of scope `{needed}`")))
    }

    /// The team that a list is about: the caller's, or the one that an operator names.
    pub(crate) fn team_of(&self, named: Option<String>) -> Result<Option<String>, ApiError> {
        match (&self.team, named) {
            (Some(own), Some(named)) if *own != named => Err(ApiError::forbidden("the token is for another team")),
            (Some(own), _) => Ok(Some(own.clone())),
            (None, named) => Ok(named),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let missing = || ApiError::unauthorized("token-missing", "send the header `authorization: Bearer TOKEN`");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

/// Finds out who asks, or refuses.
pub(crate) async fn authenticate(State(service): State<Service>, mut request: Request, next: Next) -> Response {
    let token = bearer(request.headers());
    match caller(&service, token).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// The token of a request (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(token.trim()))
}

async fn caller(service: &Service, token: Option<Secret>) -> Result<Caller, ApiError> {
    let missing = || ApiError::unauthorized("token-missing", "send one header `authorization: Bearer TOKEN`");
    let unknown = || ApiError::unauthorized("token-unknown", "the token is unknown or was revoked; make another one");
    let token = service.inner.known.token(&*service.inner.store, &token.ok_or_else(missing)?).await?;
    let token = token.ok_or_else(unknown)?;
    let role = Role::of(&token.scope).filter(|role| (*role == Role::Operator) == token.team.is_none());
    Ok(Caller { role: role.ok_or_else(unknown)?, name: format!("token {}", token.id), team: token.team })
}
