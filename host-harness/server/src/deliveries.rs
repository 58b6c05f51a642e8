//! Deliveries, for people.

use axum::{
    Json,
    body::{Body as Streamed, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use crm_booking::Kind;
use crm_contract::{Instant, RecordRef};
use crm_delivery::{
    Attempt, CauseCount, Detail, EntryId, Filter, Hold, Integration, LedgerError, State as Progressed, Summary,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    ApiError, Service,
    authentication::{Caller, Role},
    extract::{Body, Path, Query, object},
};

/// Entries of one page.
const PAGE: u32 = 50;
const MOST: u32 = 500;
/// Entries that one request sends again, at most: it is one transaction.
const MOST_RESENT: u32 = 1_000;

/// A delivery, without personal data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    id: EntryId,
    team: String,
    calendar: String,
    integration: Integration,
    booking: String,
    change: String,
    kind: Kind,
    state: Progressed,
    /// When it was accepted, in milliseconds since 1970.
    #[schema(value_type = u64)]
    accepted: Instant,
    /// When the meeting starts, in milliseconds since 1970.
    #[schema(value_type = u64)]
    meeting_start: Instant,
    /// When the next try may begin, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    next_try: Option<Instant>,
    /// The code of why it is not delivered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Since when every try has ended with the cause, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    since: Option<Instant>,
    /// No further try begins unless a person asks for one.
    tries_ended: bool,
    /// Tries may have written something that nobody knows of.
    unknown: bool,
    /// Why the queue of its team and plugin is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
    /// The records that it made or changed at the CRM.
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
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page {
    deliveries: Vec<Delivery>,
    /// `before` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<EntryId>,
}

/// Which deliveries to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListQuery {
    /// The token's team if absent; all teams for an operator.
    team: Option<String>,
    calendar: Option<String>,
    state: Option<Progressed>,
    /// The code of a cause.
    cause: Option<String>,
    /// The booking's id.
    booking: Option<String>,
    /// Accepted at or after this moment, in milliseconds since 1970.
    #[param(value_type = Option<u64>)]
    from: Option<Instant>,
    /// Accepted before this moment, in milliseconds since 1970.
    #[param(value_type = Option<u64>)]
    until: Option<Instant>,
    /// Only those with a smaller id: `next` of the page before.
    before: Option<u64>,
    /// Deliveries at most: 1 to 500 of a list, 50 if absent; any number of an export, all if absent.
    limit: Option<u32>,
}

impl ListQuery {
    /// The filter, where to begin, and how many a page has.
    fn parts(self, caller: &Caller) -> Result<(Filter, Option<EntryId>, Option<u32>), ApiError> {
        let Self { team, calendar, state, cause, booking, from, until, before, limit } = self;
        let filter = Filter { team: caller.team_of(team)?, calendar, state, cause, booking, from, until };
        Ok((filter, before.map(EntryId), limit))
    }
}

/// Lists deliveries, the newest first
#[utoipa::path(get, path = "/v1/deliveries", tag = "deliveries", operation_id = "listDeliveries", params(ListQuery), responses(
    (status = 200, description = "A page.", body = Page),
))]
pub(crate) async fn list(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page>, ApiError> {
    caller.must_be(Role::Admin)?;
    let (filter, before, limit) = query.parts(&caller)?;
    Ok(Json(page(&service, &filter, before, limit.unwrap_or(PAGE).clamp(1, MOST)).await?))
}

async fn page(service: &Service, filter: &Filter, before: Option<EntryId>, most: u32) -> Result<Page, ApiError> {
    let found = service.inner.ledger.list(filter, before, most).await?;
    let is_full = u32::try_from(found.len()).unwrap_or(u32::MAX) == most;
    let next = found.last().map(|last| last.id).filter(|_| is_full);
    Ok(Page { deliveries: found.into_iter().map(Delivery::from).collect(), next })
}

/// Lists all deliveries, one JSON object a line, the newest first
///
/// Read by pages while it is sent. If reading fails, the connection is cut, so that a part is not taken for the whole.
#[utoipa::path(get, path = "/v1/deliveries/export", tag = "deliveries", operation_id = "exportDeliveries", params(ListQuery), responses(
    (status = 200, description = "Lines that end with a line feed.", content_type = "application/x-ndjson", body = Delivery),
))]
pub(crate) async fn export(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response, ApiError> {
    caller.must_be(Role::Admin)?;
    let (filter, before, limit) = query.parts(&caller)?;
    // The first page is read before the status is sent, so that a ledger that fails is a problem like any other.
    let left = limit.unwrap_or(u32::MAX).max(1);
    let first = page(&service, &filter, before, left.min(MOST)).await?;
    let next = first.next.map(|next| (next, left.saturating_sub(MOST)));
    let rest = stream::try_unfold(next, move |next| {
        let (service, filter) = (service.clone(), filter.clone());
        async move {
            let Some((before, left)) = next.filter(|(_, left)| *left > 0) else { return Ok(None) };
            let page = page(&service, &filter, Some(before), left.min(MOST)).await?;
            let next = page.next.map(|next| (next, left.saturating_sub(MOST)));
            Ok::<_, ApiError>(Some((page, next)))
        }
    });
    let pages = stream::once(async { Ok(first) }).chain(rest);
    let lines = pages.and_then(|page| async move { lines(&page) }).map_err(|error| std::io::Error::other(error.code()));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Streamed::from_stream(lines)).into_response())
}

fn lines(page: &Page) -> Result<Bytes, ApiError> {
    let mut lines = Vec::new();
    for delivery in &page.deliveries {
        serde_json::to_writer(&mut lines, delivery).map_err(|error| LedgerError::Damaged(error.to_string()))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

/// A delivery with everything that is kept of it.
#[derive(Debug, Serialize, ToSchema)]
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

/// Shows a delivery with everything that is kept of it
///
/// The only answer with personal data.
#[utoipa::path(get, path = "/v1/deliveries/{delivery}", tag = "deliveries", operation_id = "showDelivery", responses(
    (status = 200, description = "The delivery.", body = Shown),
    (status = 404, description = "no-such-delivery"),
))]
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
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamQuery {
    /// The token's team if absent; all teams for an operator.
    team: Option<String>,
}

/// Why deliveries wait.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Causes {
    causes: Vec<CauseCount>,
}

/// Counts why deliveries wait, the earliest meeting first
#[utoipa::path(get, path = "/v1/deliveries/causes", tag = "deliveries", operation_id = "countCauses", params(TeamQuery), responses(
    (status = 200, description = "The causes.", body = Causes),
))]
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
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Plan {
    /// Deliveries that would be tried again.
    deliveries: u64,
    /// Requests to the CRM that this takes, at least.
    requests: u64,
}

/// Deliveries that are meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Selection {
    #[serde(default, deserialize_with = "object")]
    filter: Filter,
}

/// Says what a resend would do, without doing it
#[utoipa::path(post, path = "/v1/deliveries/plan", tag = "deliveries", operation_id = "planResend", request_body = Selection, responses(
    (status = 200, description = "The plan.", body = Plan),
))]
pub(crate) async fn plan(State(service): State<Service>, caller: Caller, body: Body) -> Result<Json<Plan>, ApiError> {
    caller.must_be(Role::Admin)?;
    let filter = own(&caller, body.json::<Selection>()?.filter)?;
    let deliveries = service.inner.ledger.count_to_resend(&filter).await?;
    Ok(Json(Plan { deliveries, requests: deliveries }))
}

fn own(caller: &Caller, filter: Filter) -> Result<Filter, ApiError> {
    Ok(Filter { team: caller.team_of(filter.team)?, ..filter })
}

/// A batch to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendBody {
    #[serde(default, deserialize_with = "object")]
    filter: Filter,
    /// The `last` of the batch before.
    after: Option<u64>,
    /// Deliveries that are looked at: 1 to 1,000, 1,000 if absent.
    most: Option<u32>,
}

/// How far a resend came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Resent {
    /// Deliveries of this batch that are tried again.
    resent: u64,
    /// `after` of the next batch; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<EntryId>,
}

/// Sends one batch of deliveries again, the oldest first
///
/// Go on with `after` until there is no `last`.
#[utoipa::path(post, path = "/v1/deliveries/resend", tag = "deliveries", operation_id = "resendDeliveries", request_body = ResendBody, responses(
    (status = 200, description = "How far it came.", body = Resent),
))]
pub(crate) async fn resend(
    State(service): State<Service>,
    caller: Caller,
    body: Body,
) -> Result<Json<Resent>, ApiError> {
    caller.must_be(Role::Admin)?;
    let ResendBody { filter, after, most } = body.json()?;
    let filter = own(&caller, filter)?;
    let most = most.unwrap_or(MOST_RESENT).clamp(1, MOST_RESENT);
    let batch = service.inner.ledger.resend(&filter, after.map(EntryId), most).await?;
    service.wake();
    Ok(Json(Resent { resent: batch.changed, last: batch.last }))
}

/// How to send one delivery again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetryBody {
    /// A person looked at the CRM for what unknown tries wrote.
    looked: bool,
    /// The record that they found; absent if they found none.
    record: Option<RecordRef>,
}

/// Whether something was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// `false` if the delivery is final or under way.
    done: bool,
}

/// Sends one delivery again
#[utoipa::path(post, path = "/v1/deliveries/{delivery}/retry", tag = "deliveries", operation_id = "retryDelivery", request_body = Option<RetryBody>, responses(
    (status = 200, description = "Whether it is tried.", body = Done),
    (status = 404, description = "no-such-delivery"),
))]
pub(crate) async fn retry(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<u64>,
    body: Body,
) -> Result<Json<Done>, ApiError> {
    caller.must_be(Role::Admin)?;
    let RetryBody { looked, record } = body.optional_json()?;
    let looked = (looked || record.is_some()).then_some(record);
    let done = service.inner.ledger.resend_one(caller.team.as_deref(), EntryId(id), looked).await?;
    service.wake();
    Ok(Json(Done { done }))
}

/// Gives a delivery up
///
/// Records that its tries made stay at the CRM.
#[utoipa::path(post, path = "/v1/deliveries/{delivery}/cancel", tag = "deliveries", operation_id = "cancelDelivery", responses(
    (status = 200, description = "Whether it is given up.", body = Done),
    (status = 404, description = "no-such-delivery"),
))]
pub(crate) async fn cancel(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<u64>,
) -> Result<Json<Done>, ApiError> {
    caller.must_be(Role::Admin)?;
    let done = service.inner.ledger.give_up(caller.team.as_deref(), EntryId(id)).await?;
    Ok(Json(Done { done }))
}
