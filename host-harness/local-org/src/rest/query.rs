//! Queries and their result pages.

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::{Call, objects, record, relationships};
use crate::{
    message::{Answer, ApiError, Refusal},
    soql::{self, Check, Select, SoqlError},
    state::Cursor,
    token,
};

/// Default and maximum records per page.
const PAGE: usize = 2000;
/// Minimum records per page.
const SMALLEST_PAGE: usize = 200;
/// Maximum OFFSET.
const FURTHEST: usize = 2000;
/// Lifetime of a query locator.
const CURSOR_LIFE: SignedDuration = SignedDuration::from_hours(48);

impl From<SoqlError> for Refusal {
    fn from(error: SoqlError) -> Self {
        Refusal::bad_request(ApiError::new(error.code, error.message))
    }
}

/// `GET query?q=` and `GET queryAll?q=`, which includes deleted records.
pub(super) fn query(call: &Call<'_>, deleted_too: bool) -> Result<Answer, Refusal> {
    let Some(text) = call.request.query("q") else {
        return Err(Refusal::bad_request(ApiError::new("MALFORMED_QUERY", "A query string has to be specified")));
    };
    let records = run(call, &text, deleted_too)?;
    match records {
        Found::Count(count) => Ok(answer(count, &[], None)),
        Found::Records(records) => {
            let batch = batch_size(call.request.header("sforce-query-options"));
            Ok(page(call, records, 0, batch))
        }
    }
}

/// `GET query/{locator}`: the next page.
pub(super) fn more(call: &Call<'_>, locator: &str) -> Result<Answer, Refusal> {
    let invalid = || Refusal::bad_request(ApiError::new("INVALID_QUERY_LOCATOR", "invalid query locator"));
    let (id, from) = locator.rsplit_once('-').ok_or_else(invalid)?;
    let from: usize = from.parse().map_err(|_| invalid())?;
    let cursor = call.org.state().cursors.get(id).cloned();
    let cursor = cursor.filter(|cursor| cursor.expires > call.org.now() && cursor.username == call.session.username);
    let cursor = cursor.filter(|cursor| from < cursor.records.len()).ok_or_else(invalid)?;
    Ok(one_page(call, &cursor.records, from, cursor.batch, id))
}

enum Found {
    Count(usize),
    Records(Vec<Value>),
}

fn run(call: &Call<'_>, text: &str, deleted_too: bool) -> Result<Found, SoqlError> {
    let query = soql::query(text)?;
    let table = objects::find(call, &query.from.text, Some(&query));
    let mut table = table.ok_or_else(|| SoqlError::no_such_object(text, &query.from))?;
    relationships::join(call, text, &query, &mut table)?;
    let field = |name: &str| table.field(name);
    let scope = call.settings.scope(&field, table.name, call.org.now());
    let check = Check { query: text, scope: &scope, rule: false };
    let fields = match &query.select {
        Select::Count => Vec::new(),
        Select::Fields(paths) => {
            let fields = paths.iter().map(|path| check.field(path)).collect::<Result<Vec<_>, _>>()?;
            let twice = paths
                .iter()
                .enumerate()
                .find(|(at, path)| paths.iter().take(*at).any(|earlier| earlier.text.eq_ignore_ascii_case(&path.text)));
            if let Some((_, path)) = twice {
                let complaint = format!("duplicate field selected: {}", path.text);
                return Err(SoqlError { code: "MALFORMED_QUERY", message: complaint });
            }
            fields
        }
    };
    if let Some(filter) = &query.filter {
        check.condition(filter)?;
    }
    query.order.iter().try_for_each(|key| check.order(&key.field))?;
    if query.offset.is_some_and(|offset| offset > FURTHEST) {
        let message = "Maximum SOQL offset allowed is 2000".to_owned();
        return Err(SoqlError { code: "NUMBER_OUTSIDE_VALID_RANGE", message });
    }
    let live = |row: &&Map<String, Value>| deleted_too || row.get("IsDeleted") != Some(&Value::Bool(true));
    let fits =
        |row: &&Map<String, Value>| query.filter.as_ref().is_none_or(|filter| soql::matches(filter, row, &scope));
    let mut rows: Vec<_> = table.rows.iter().filter(live).filter(fits).collect();
    rows.sort_by(|left, right| soql::order(&query.order, left, right, &scope));
    let rows = rows.into_iter().skip(query.offset.unwrap_or(0)).take(query.limit.unwrap_or(usize::MAX));
    if query.select == Select::Count {
        return Ok(Found::Count(rows.count()));
    }
    let records = rows.map(|row| {
        let id = row.get("Id").and_then(Value::as_str).unwrap_or_default();
        let mut record = Map::new();
        record.insert("attributes".to_owned(), record::attributes(table.name, id, call.version));
        for field in &fields {
            relationships::put(call, &table, &mut record, field, row);
        }
        Value::Object(record)
    });
    Ok(Found::Records(records.collect()))
}

fn batch_size(header: Option<&str>) -> usize {
    let size = header.unwrap_or_default().split([';', ',']).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("batchSize").then(|| value.trim().parse().ok()).flatten()
    });
    size.unwrap_or(PAGE).clamp(SMALLEST_PAGE, PAGE)
}

fn page(call: &Call<'_>, records: Vec<Value>, from: usize, batch: usize) -> Answer {
    if records.len() <= batch {
        return answer(records.len(), &records, None);
    }
    let id = format!("01g5i00000{}AAA", token::random(5));
    let first = one_page(call, &records, from, batch, &id);
    let now = call.org.now();
    let expires = now.saturating_add(CURSOR_LIFE).unwrap_or(now);
    let cursor = Cursor { username: call.session.username.clone(), records, batch, expires };
    let mut state = call.org.state();
    state.cursors.retain(|_, cursor| cursor.expires > now);
    state.cursors.insert(id, cursor);
    first
}

fn one_page(call: &Call<'_>, records: &[Value], from: usize, batch: usize, id: &str) -> Answer {
    let to = (from + batch).min(records.len());
    let shown = records.get(from..to).unwrap_or_default();
    let next = (to < records.len()).then(|| call.path(&format!("query/{id}-{to}")));
    answer(records.len(), shown, next)
}

fn answer(total: usize, records: &[Value], next: Option<String>) -> Answer {
    let mut body = json!({"totalSize": total, "done": next.is_none(), "records": records});
    if let (Value::Object(members), Some(next)) = (&mut body, next) {
        members.insert("nextRecordsUrl".to_owned(), Value::from(next));
    }
    Answer::json(StatusCode::OK, &body)
}
