//! Teams, their tokens, hooks and queues.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use crm_delivery::{Hold, TeamRow};
use crm_host::secret::Secret;
use crm_intake::HookSecret;
use crm_store::ApiToken;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ApiError, Service,
    authentication::{Caller, Role, SCOPES},
};

/// All teams.
#[derive(Debug, Serialize)]
pub(crate) struct Teams {
    teams: Vec<TeamRow>,
}

/// `GET /v1/teams`
pub(crate) async fn list(State(service): State<Service>, caller: Caller) -> Result<Json<Teams>, ApiError> {
    caller.must_be(Role::Operator)?;
    Ok(Json(Teams { teams: service.inner.ledger.teams().await? }))
}

/// A team's name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutTeam {
    name: String,
}

/// `PUT /v1/teams/{team}`: 201 if it is new.
pub(crate) async fn put(
    State(service): State<Service>,
    caller: Caller,
    Path(team): Path<String>,
    body: Result<Json<PutTeam>, JsonRejection>,
) -> Result<(StatusCode, Json<TeamRow>), ApiError> {
    caller.must_be(Role::Operator)?;
    let Json(PutTeam { name }) = body?;
    check_id("team", &team)?;
    let team = TeamRow { id: team, name };
    let is_new = service.inner.ledger.put_team(&team).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(team)))
}

pub(crate) fn check_id(path: &str, id: &str) -> Result<(), ApiError> {
    if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
        return Err(ApiError::invalid(path, "expected 1 to 200 bytes without control characters"));
    }
    Ok(())
}

/// The secret of a service's webhooks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutHook {
    /// Any of them will do, so that one can be replaced without a gap. None switches the hook off.
    secrets: Vec<String>,
}

/// Secrets of a hook at most.
const MOST_SECRETS: usize = 4;

/// `PUT /v1/teams/{team}/hooks/{service}`
pub(crate) async fn put_hook(
    State(service): State<Service>,
    caller: Caller,
    Path((team, name)): Path<(String, String)>,
    body: Result<Json<PutHook>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    caller.may(Role::Admin, &team)?;
    let Json(PutHook { secrets }) = body?;
    if crm_intake::hook(&name).is_none() {
        return Err(ApiError::not_found("no-such-hook", format!("there is no hook for a service `{name}`")));
    }
    if secrets.len() > MOST_SECRETS {
        return Err(ApiError::invalid("secrets", format!("expected at most {MOST_SECRETS}")));
    }
    for (index, secret) in secrets.iter().enumerate() {
        HookSecret::new(secret.clone())
            .map_err(|error| ApiError::invalid(format!("secrets[{index}]"), error.to_string()))?;
    }
    let secrets: Vec<_> = secrets.into_iter().map(Secret::new).collect();
    service.inner.store.put_hook_secrets(&team, &name, &secrets).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A team's bookings for a plugin.
#[derive(Debug, Serialize)]
pub(crate) struct QueueShown {
    team: String,
    plugin: String,
    open: u64,
    in_flight: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<u64>,
    calls_today: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    most_calls: Option<u32>,
}

/// All queues.
#[derive(Debug, Serialize)]
pub(crate) struct Queues {
    queues: Vec<QueueShown>,
}

/// `GET /v1/queues`
pub(crate) async fn queues(State(service): State<Service>, caller: Caller) -> Result<Json<Queues>, ApiError> {
    caller.must_be(Role::Admin)?;
    let queues = service.inner.ledger.queues().await?.into_iter();
    let own = queues.filter(|queue| caller.team.as_ref().is_none_or(|team| *team == queue.team));
    let shown = own.map(|queue| QueueShown {
        team: queue.team,
        plugin: queue.plugin,
        open: queue.open,
        in_flight: queue.queue.in_flight,
        hold: queue.queue.hold,
        paused_until: queue.queue.circuit.open_until,
        calls_today: queue.queue.calls,
        most_calls: queue.queue.most_calls,
    });
    Ok(Json(Queues { queues: shown.collect() }))
}

/// Changes of a queue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutQueue {
    /// Whether it is held.
    held: Option<bool>,
    /// The most requests a day; 0 for no limit.
    most_calls: Option<u32>,
}

/// `PUT /v1/teams/{team}/queues/{plugin}`: holds a team's bookings, lets them go, limits its requests.
pub(crate) async fn put_queue(
    State(service): State<Service>,
    caller: Caller,
    Path((team, plugin)): Path<(String, String)>,
    body: Result<Json<PutQueue>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    caller.may(Role::Admin, &team)?;
    let Json(PutQueue { held, most_calls }) = body?;
    check_id("team", &team)?;
    check_id("plugin", &plugin)?;
    if let Some(held) = held {
        service.inner.ledger.hold(&team, &plugin, held.then_some(Hold::Operator)).await?;
    }
    if let Some(most) = most_calls {
        service.inner.ledger.limit_calls(&team, &plugin, (most > 0).then_some(most)).await?;
    }
    if let Some(wake) = &service.inner.wake {
        wake.notify_one();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A token, without its text.
#[derive(Debug, Serialize)]
pub(crate) struct TokenShown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    scope: String,
    /// The last four characters.
    ends_with: String,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<Timestamp>,
}

impl From<ApiToken> for TokenShown {
    fn from(token: ApiToken) -> Self {
        let ApiToken { id, team, scope, last_four, created_at, revoked_at } = token;
        Self { id, team, scope, ends_with: last_four, created: created_at, revoked: revoked_at }
    }
}

/// All tokens.
#[derive(Debug, Serialize)]
pub(crate) struct Tokens {
    tokens: Vec<TokenShown>,
    /// Rows that cannot be read. Their tokens do not work.
    damaged: usize,
}

/// `GET /v1/tokens`
pub(crate) async fn tokens(State(service): State<Service>, caller: Caller) -> Result<Json<Tokens>, ApiError> {
    caller.must_be(Role::Operator)?;
    let (mut tokens, mut damaged) = (Vec::new(), 0);
    for token in service.inner.store.tokens().await? {
        match token {
            Ok(token) => tokens.push(token.into()),
            Err(_) => damaged += 1,
        }
    }
    Ok(Json(Tokens { tokens, damaged }))
}

/// A token to make.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateToken {
    /// Absent for an operator's.
    team: Option<String>,
    /// `intake`, `admin` or `operator`.
    scope: String,
}

/// A new token. Its text is shown once.
#[derive(Serialize)]
pub(crate) struct Created {
    token: String,
    #[serde(flatten)]
    shown: TokenShown,
}

/// `POST /v1/tokens`
pub(crate) async fn create_token(
    State(service): State<Service>,
    caller: Caller,
    body: Result<Json<CreateToken>, JsonRejection>,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    caller.must_be(Role::Operator)?;
    let Json(CreateToken { team, scope }) = body?;
    let role =
        Role::of(&scope).ok_or_else(|| ApiError::invalid("scope", format!("expected one of {}", SCOPES.join(", "))))?;
    if (role == Role::Operator) != team.is_none() {
        return Err(ApiError::invalid("team", "a token of scope `operator` has no team, any other one has"));
    }
    let inner = &service.inner;
    if let Some(team) = &team
        && !inner.known.team(&*inner.ledger, team).await?
    {
        return Err(ApiError::not_found("no-such-team", format!("there is no team `{team}`; create it first")));
    }
    let (token, text) = inner.store.create_token(team.as_deref(), &scope, Timestamp::now()).await?;
    Ok((StatusCode::CREATED, Json(Created { token: text.expose().to_owned(), shown: token.into() })))
}

/// `DELETE /v1/tokens/{id}`: revokes a token. It works for at most five more seconds.
pub(crate) async fn revoke_token(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.must_be(Role::Operator)?;
    if service.inner.store.revoke_token(&id, Timestamp::now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("no-such-token", format!("there is no token `{id}`")))
    }
}
