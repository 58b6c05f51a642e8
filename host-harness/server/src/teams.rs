//! Teams, their tokens, hooks and queues.

use axum::{Json, extract::State, http::StatusCode};
use crm_delivery::{Hold, TeamRow};
use crm_host::secret::Secret;
use crm_intake::HookSecret;
use crm_store::ApiToken;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ApiError, Service,
    authentication::{Caller, Role, SCOPES},
    extract::{Body, Path, check_id},
};

/// All teams.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Teams {
    teams: Vec<TeamRow>,
}

/// Lists all teams, for operators
#[utoipa::path(get, path = "/v1/teams", tag = "teams", operation_id = "listTeams", responses((status = 200, description = "All teams.", body = Teams)))]
pub(crate) async fn list(State(service): State<Service>, caller: Caller) -> Result<Json<Teams>, ApiError> {
    caller.must_be(Role::Operator)?;
    Ok(Json(Teams { teams: service.inner.ledger.teams().await? }))
}

/// A team's name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutTeam {
    /// For people.
    name: String,
}

/// Adds a team, or renames it, for operators
#[utoipa::path(put, path = "/v1/teams/{team}", tag = "teams", operation_id = "putTeam", request_body = PutTeam, responses(
    (status = 201, description = "The team is new.", body = TeamRow),
    (status = 200, description = "The team has this name now.", body = TeamRow),
))]
pub(crate) async fn put(
    State(service): State<Service>,
    caller: Caller,
    Path(team): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<TeamRow>), ApiError> {
    caller.must_be(Role::Operator)?;
    check_id("team", &team)?;
    let PutTeam { name } = body.json()?;
    let team = TeamRow { id: team, name };
    let is_new = service.inner.ledger.put_team(&team).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(team)))
}

/// The secrets of a service's webhooks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutHook {
    /// Any of them is accepted, so that one can be replaced without a gap. An empty list switches the hook off. At least 16 bytes each.
    #[schema(max_items = 4)]
    secrets: Vec<String>,
}

/// Secrets of a hook at most.
const MOST_SECRETS: usize = 4;

/// Replaces the secrets of a scheduling service's webhooks
#[utoipa::path(put, path = "/v1/teams/{team}/hooks/{service}", tag = "teams", operation_id = "putHook", request_body = PutHook, responses(
    (status = 204, description = "The hook has these secrets now."),
    (status = 404, description = "no-such-hook no-such-team"),
))]
pub(crate) async fn put_hook(
    State(service): State<Service>,
    caller: Caller,
    Path((team, name)): Path<(String, String)>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    caller.may(Role::Admin, &team)?;
    // What serde found in place of a list may be a secret.
    let PutHook { secrets } = body.json().map_err(|error| error.saying("expected `{\"secrets\": [\"...\"]}`"))?;
    if crm_intake::hook(&name).is_none() {
        return Err(ApiError::not_found("no-such-hook", format!("there is no hook for a service `{name}`")));
    }
    service.must_know(&team).await?;
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
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueShown {
    team: String,
    plugin: String,
    /// Bookings that wait or are being delivered.
    open: u64,
    /// Bookings that workers have.
    in_flight: u32,
    /// Why none is tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
    /// The CRM asked for a pause until then, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<u64>,
    /// Requests to the CRM on the present day in UTC.
    calls_today: u32,
    /// Requests a day at most; unlimited if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    most_calls: Option<u32>,
}

/// All queues.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Queues {
    queues: Vec<QueueShown>,
}

/// Lists the queues of the token's team, or of all teams
#[utoipa::path(get, path = "/v1/queues", tag = "teams", operation_id = "listQueues", responses((status = 200, description = "The queues.", body = Queues)))]
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
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutQueue {
    /// Whether it is held. Unchanged if absent.
    held: Option<bool>,
    /// Requests to the CRM a day at most; 0 for no limit. Unchanged if absent.
    most_calls: Option<u32>,
}

/// Holds a team's bookings for a plugin, lets them go, or limits its requests
#[utoipa::path(put, path = "/v1/teams/{team}/queues/{plugin}", tag = "teams", operation_id = "putQueue", request_body = PutQueue, responses(
    (status = 204, description = "The queue was changed."),
    (status = 404, description = "no-such-team"),
))]
pub(crate) async fn put_queue(
    State(service): State<Service>,
    caller: Caller,
    Path((team, plugin)): Path<(String, String)>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    caller.may(Role::Admin, &team)?;
    check_id("plugin", &plugin)?;
    let PutQueue { held, most_calls } = body.json()?;
    service.must_know(&team).await?;
    if let Some(held) = held {
        service.inner.ledger.hold(&team, &plugin, held.then_some(Hold::Operator)).await?;
    }
    if let Some(most) = most_calls {
        service.inner.ledger.limit_calls(&team, &plugin, (most > 0).then_some(most)).await?;
    }
    service.wake();
    Ok(StatusCode::NO_CONTENT)
}

/// A token, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenShown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    scope: String,
    /// The last four characters.
    ends_with: String,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked: Option<Timestamp>,
}

impl From<ApiToken> for TokenShown {
    fn from(token: ApiToken) -> Self {
        let ApiToken { id, team, scope, last_four, created_at, revoked_at } = token;
        Self { id, team, scope, ends_with: last_four, created: created_at, revoked: revoked_at }
    }
}

/// All tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tokens {
    tokens: Vec<TokenShown>,
    /// Rows that cannot be read. Their tokens do not work.
    damaged: usize,
}

/// Lists all tokens without their texts, for operators
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens", operation_id = "listTokens", responses((status = 200, description = "All tokens.", body = Tokens)))]
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
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateToken {
    /// Absent for an operator's.
    team: Option<String>,
    /// `intake`, `admin` or `operator`.
    #[schema(pattern = "^(intake|admin|operator)$")]
    scope: String,
}

/// A new token.
#[derive(Serialize, ToSchema)]
pub(crate) struct Created {
    /// Its text, which is shown once.
    token: String,
    #[serde(flatten)]
    shown: TokenShown,
}

/// Makes a token, for operators
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", operation_id = "createToken", request_body = CreateToken, responses(
    (status = 201, description = "The token.", body = Created),
    (status = 404, description = "no-such-team"),
))]
pub(crate) async fn create_token(
    State(service): State<Service>,
    caller: Caller,
    body: Body,
) -> Result<(StatusCode, Json<Created>), ApiError> {
    caller.must_be(Role::Operator)?;
    let CreateToken { team, scope } = body.json()?;
    let role =
        Role::of(&scope).ok_or_else(|| ApiError::invalid("scope", format!("expected one of {}", SCOPES.join(", "))))?;
    if (role == Role::Operator) != team.is_none() {
        return Err(ApiError::invalid("team", "a token of scope `operator` has no team, any other one has"));
    }
    if let Some(team) = &team {
        service.must_know(team).await?;
    }
    let (token, text) = service.inner.store.create_token(team.as_deref(), &scope, Timestamp::now()).await?;
    Ok((StatusCode::CREATED, Json(Created { token: text.expose().to_owned(), shown: token.into() })))
}

/// Revokes a token, for operators
///
/// It works for at most five more seconds.
#[utoipa::path(delete, path = "/v1/tokens/{token}", tag = "tokens", operation_id = "revokeToken", responses(
    (status = 204, description = "The token is revoked."),
    (status = 404, description = "no-such-token"),
))]
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
