//! Tokens of the HTTP API.

use crm_host::credentials::StoreError;
use jiff::Timestamp;

use super::rows::Rows;
use crate::{ApiToken, contents::TokenContent, table::Table};

pub(super) fn find(rows: &Rows<'_>, hash: &str) -> Result<Option<ApiToken>, StoreError> {
    let Some(name) = rows.find(Table::Tokens, "hash = ?1", &[&hash])?.pop() else { return Ok(None) };
    Ok(open(rows, name)?.filter(|token| token.revoked_at.is_none()))
}

pub(super) fn all(rows: &Rows<'_>) -> Result<Vec<Result<ApiToken, StoreError>>, StoreError> {
    let names = rows.find(Table::Tokens, "TRUE", &[])?;
    Ok(names.into_iter().filter_map(|name| open(rows, name).transpose()).collect())
}

pub(super) fn revoke(rows: &mut Rows<'_>, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let Some([id, hash]) = rows.find(Table::Tokens, "id = ?1", &[&id])?.pop() else { return Ok(false) };
    let name = [id.as_str(), &hash];
    match rows.get(Table::Tokens, &name).and_then(|opened| opened.as_ref().map(TokenContent::read).transpose()) {
        Ok(Some(mut content)) if content.revoked_at.is_none() => {
            content.revoked_at = Some(now);
            rows.put(Table::Tokens, &name, &content.seal()?)?;
        }
        Err(StoreError::Unreadable(_)) => rows.remove(Table::Tokens, &name)?,
        opened => drop(opened?),
    }
    Ok(true)
}

fn open(rows: &Rows<'_>, [id, hash]: [String; 2]) -> Result<Option<ApiToken>, StoreError> {
    let opened = rows.get(Table::Tokens, &[&id, &hash])?;
    opened.map(|opened| Ok(TokenContent::read(&opened)?.with_id(id))).transpose()
}
