//! Deliveries, for people.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
};
use crm_booking::Kind;
use crm_contract::{Instant, RecordRef};
use crm_delivery::{Attempt, CauseCount, Detail, EntryId, Filter, Hold, Integration, State as Progressed, Summary};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ApiError, Service,
    authentication::{Caller, Role},
};

/// Entries of one page.
const PAGE: u32 = 50;
const MOST: u32 = 500;
/// Entries that one request sends again, at most: it is one transaction.
const MOST_RESENT: u32 = 1_000;

/// A delivery, without personal data.
#[derive(Debug, Serialize)]
pub(crate) struct Delivery {
    id: EntryId,
    team: String,
    calendar: String,
    integration: Integration,
    booking: String,
    change: String,
    kind: Kind,
    state: Progressed,
    accepted: Instant,
    meeting_start: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_try: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Instant>,
    /// No further try begins unless a person asks for one.
    tries_ended: bool,
    /// Tries may have written something that nobody knows of.
    unknown: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
    records: Vec<RecordRef>,
}

impl From<Summary> for Delivery {
    fn from(summary: Summary) -> Self {
        let Summary { id, team, calendar, integration, booking, change, kind, meeting_start, hold, progress } = summary;
        let is_open = !progress.state.is_final();
        let cause = progress.cause.filter(|_| is_open);
        Self {
            next_try: (progress.state == Progressed::Waiting && hold.is_none()).then_some(progress.due),
            since: cause.as_ref().map(|cause| cause.since),
            tries_ended: cause.as_ref().is_some_and(|cause| cause.tries_ended),
            cause: cause.map(|cause| cause.code),
            unknown: progress.unknown.is_some(),
            state: progress.state,
            accepted: progress.accepted,
            records: progress.records,
            hold: hold.filter(|_| is_open),
            id,
            team,
            calendar,
            integration,
            booking,
            change,
            kind,
            meeting_start,
        }
    }
}

/// A page of deliveries, the newest first.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    deliveries: Vec<Delivery>,
    /// `before` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<EntryId>,
}

/// Which deliveries to list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListQuery {
    team: Option<String>,
    calendar: Option<String>,
    state: Option<Progressed>,
    cause: Option<String>,
    booking: Option<String>,
    from: Option<Instant>,
    until: Option<Instant>,
    before: Option<u64>,
    limit: Option<u32>,
}

/// `GET /v1/deliveries`
pub(crate) async fn list(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page>, ApiError> {
    caller.must_be(Role::Admin)?;
    let ListQuery { team, calendar, state, cause, booking, from, until, before, limit } = query;
    let filter = Filter { team: caller.team_of(team)?, calendar, state, cause, booking, from, until };
    let most = limit.unwrap_or(PAGE).clamp(1, MOST);
    let found = service.inner.ledger.list(&filter, before.map(EntryId), most).await?;
    let is_full = u32::try_from(found.len()).unwrap_or(u32::MAX) == most;
    let next = found.last().map(|last| last.id).filter(|_| is_full);
    Ok(Json(Page { deliveries: found.into_iter().map(Delivery::from).collect(), next }))
}

/// A delivery with everything that is kept of it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    delivery: Delivery,
    attempts: Vec<Attempt>,
    /// What the last try left for people to read: findings, or the problem with its rows and questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    /// The booking as it was accepted, until retention removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    booking_content: Option<Value>,
}

/// `GET /v1/deliveries/{id}`
pub(crate) async fn show(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Json<Shown>, ApiError> {
    caller.must_be(Role::Admin)?;
    let detail = service.inner.ledger.show(caller.team.as_deref(), EntryId(id)).await?;
    let Detail { summary, attempts, payload, detail } = detail;
    let json = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let booking_content = json(payload).and_then(|mut payload| payload.get_mut("booking").map(Value::take));
    Ok(Json(Shown { delivery: summary.into(), attempts, result: json(detail), booking_content }))
}

/// Of which team.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamQuery {
    team: Option<String>,
}

/// Why deliveries wait.
#[derive(Debug, Serialize)]
pub(crate) struct Causes {
    causes: Vec<CauseCount>,
}

/// `GET /v1/deliveries/causes`: the earliest meeting first.
pub(crate) async fn causes(
    State(service): State<Service>,
    caller: Caller,
    Query(TeamQuery { team }): Query<TeamQuery>,
) -> Result<Json<Causes>, ApiError> {
    caller.must_be(Role::Admin)?;
    let team = caller.team_of(team)?;
    Ok(Json(Causes { causes: service.inner.ledger.causes(team.as_deref()).await? }))
}

/// What a resend would do.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    /// Deliveries that would be tried again.
    deliveries: u64,
    /// Requests to the CRM that this takes, at least.
    requests: u64,
}

/// Deliveries that are meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Selection {
    #[serde(default)]
    filter: Filter,
}

/// `POST /v1/deliveries/plan`: what a resend would do, without doing it.
pub(crate) async fn plan(
    State(service): State<Service>,
    caller: Caller,
    body: Result<Json<Selection>, JsonRejection>,
) -> Result<Json<Plan>, ApiError> {
    caller.must_be(Role::Admin)?;
    let filter = own(&caller, body?.0.filter)?;
    let deliveries = service.inner.ledger.count_to_resend(&filter).await?;
    Ok(Json(Plan { deliveries, requests: deliveries }))
}

fn own(caller: &Caller, filter: Filter) -> Result<Filter, ApiError> {
    Ok(Filter { team: caller.team_of(filter.team)?, ..filter })
}

/// A batch to send again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendBody {
    #[serde(default)]
    filter: Filter,
    /// The `last` of the batch before.
    after: Option<u64>,
    /// At most 1,000.
    most: Option<u32>,
}

/// How far a resend came.
#[derive(Debug, Serialize)]
pub(crate) struct Resent {
    /// Deliveries of this batch that are tried again.
    resent: u64,
    /// `after` of the next batch; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<EntryId>,
}

/// `POST /v1/deliveries/resend`: sends one batch again, the oldest first. Who asks goes on with `after` until there is no `last`: that
/// gives them the progress, and they stop by not asking.
pub(crate) async fn resend(
    State(service): State<Service>,
    caller: Caller,
    body: Result<Json<ResendBody>, JsonRejection>,
) -> Result<Json<Resent>, ApiError> {
    caller.must_be(Role::Admin)?;
    let Json(ResendBody { filter, after, most }) = body?;
    let filter = own(&caller, filter)?;
    let most = most.unwrap_or(MOST_RESENT).clamp(1, MOST_RESENT);
    let batch = service.inner.ledger.resend(&filter, after.map(EntryId), most).await?;
    wake(&service);
    Ok(Json(Resent { resent: batch.changed, last: batch.last }))
}

fn wake(service: &Service) {
    if let Some(wake) = &service.inner.wake {
        wake.notify_one();
    }
}

/// How to send one delivery again.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetryBody {
    /// A person looked at the CRM for what unknown tries wrote.
    looked: bool,
    /// The record that they found.
    record: Option<RecordRef>,
}

/// Whether something was done.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    /// `false` if the delivery is final or under way.
    done: bool,
}

/// `POST /v1/deliveries/{id}/retry`
pub(crate) async fn retry(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<u64>,
    body: Result<Option<Json<RetryBody>>, JsonRejection>,
) -> Result<Json<Done>, ApiError> {
    caller.must_be(Role::Admin)?;
    let RetryBody { looked, record } = body?.map(|Json(body)| body).unwrap_or_default();
    let looked = (looked || record.is_some()).then_some(record);
    let done = service.inner.ledger.resend_one(caller.team.as_deref(), EntryId(id), looked).await?;
    wake(&service);
    Ok(Json(Done { done }))
}

/// `POST /v1/deliveries/{id}/cancel`: gives a delivery up. Records that its tries made stay at the CRM.
pub(crate) async fn cancel(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Json<Done>, ApiError> {
    caller.must_be(Role::Admin)?;
    let done = service.inner.ledger.give_up(caller.team.as_deref(), EntryId(id)).await?;
    Ok(Json(Done { done }))
}
