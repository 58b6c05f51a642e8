//! Pending connections, until their callbacks arrive.

use crm_host::credentials::StoreError;
use jiff::Timestamp;
use rusqlite::params;

use super::{rows::Rows, unavailable};
use crate::table::{Opened, Table};

/// The end of a pending connection is not in its row's name, so it is compared by itself.
const EXPIRED: &str = "until_ms < ?1";

pub(super) fn put(
    rows: &mut Rows<'_>,
    state: &str,
    until: Timestamp,
    plain: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    for [expired] in rows.find(Table::Pending, EXPIRED, &[&now.as_millisecond()])? {
        rows.remove(Table::Pending, &[&expired])?;
    }
    rows.put(Table::Pending, &[state], plain)?;
    let update = "UPDATE pending SET until_ms = ?2 WHERE state = ?1";
    rows.transaction.execute(update, params![state, until.as_millisecond()]).map_err(unavailable)?;
    Ok(())
}

/// Removes the row, whether or not it opens, so that nobody else takes it.
pub(super) fn take(
    rows: &mut Rows<'_>,
    state: &str,
    now: Timestamp,
) -> Result<Option<Result<Opened, StoreError>>, StoreError> {
    let has_expired =
        !rows.find::<1>(Table::Pending, "until_ms < ?1 AND state = ?2", &[&now.as_millisecond(), &state])?.is_empty();
    let opened = rows.get(Table::Pending, &[state]).transpose();
    rows.remove(Table::Pending, &[state])?;
    Ok(opened.filter(|_| !has_expired))
}
