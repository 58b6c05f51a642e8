//! What plugins noted about the fields that they listed. Nothing here is secret or sealed.

use rusqlite::{Connection, params};

pub(super) fn read(database: &Connection, row: &[String; 3]) -> rusqlite::Result<Vec<(String, String)>> {
    let select = "SELECT field, memo FROM memos WHERE plugin = ?1 AND connection = ?2 AND target = ?3 ORDER BY field";
    let mut select = database.prepare(select)?;
    select.query_map(row.each_ref(), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub(super) fn put(database: &mut Connection, row: &[String; 3], memos: Vec<(String, String)>) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    let delete = "DELETE FROM memos WHERE plugin = ?1 AND connection = ?2 AND target = ?3";
    transaction.execute(delete, row.each_ref())?;
    let [plugin, connection, target] = row;
    for (field, memo) in memos {
        let insert = "INSERT INTO memos VALUES (?1, ?2, ?3, ?4, ?5)";
        transaction.execute(insert, params![plugin, connection, target, field, memo])?;
    }
    transaction.commit()
}
