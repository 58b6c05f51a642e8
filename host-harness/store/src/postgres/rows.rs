//! Sealed rows.
//!
//! Every read and write also reads the row that shows the store's key, in the same statement or under the same lock, so that a
//! machine follows a rotation of the key, or is refused.

use crm_host::credentials::StoreError;
use tokio_postgres::{
    Client, GenericClient, Row, Transaction,
    types::{ToSql, Type},
};

use super::{Inner, schema::LOCK, unavailable};
use crate::table::{Opened, SealedFor, Table};

/// A write takes milliseconds. A machine that stops in the middle of one must not hold its locks longer than this.
const LIMITS: &str = "SET LOCAL statement_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '10s'";

pub(super) type Values<'a> = Vec<(&'a (dyn ToSql + Sync), Type)>;

/// Values of columns that are texts.
pub(super) fn texts<'a>(values: &'a [&'a str]) -> Values<'a> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::TEXT)).collect()
}

/// The columns of a table's primary key. The unique connection of a team is not part of it, so that the team can change it.
fn key(table: Table) -> &'static [&'static str] {
    match table {
        Table::Teams => &["team", "plugin"],
        Table::Tokens => &["id"],
        Table::Grants | Table::Clients | Table::Pending | Table::Hooks => table.columns(),
    }
}

/// A row that was found.
pub(super) struct Found<const N: usize> {
    pub(super) name: [String; N],
    pub(super) opened: Result<Opened, StoreError>,
}

/// The rows of a table for which a condition on its columns holds, ordered by their names. `N` is the number of the columns that
/// name a row.
pub(super) async fn find<const N: usize>(
    inner: &Inner,
    client: &impl GenericClient,
    table: Table,
    condition: &str,
    values: &[&str],
) -> Result<Vec<Found<N>>, StoreError> {
    let (columns, name) = (table.columns().join(", "), table.name());
    let select = format!(
        "SELECT store.sealed, found.generation, found.sealed, {columns}
         FROM crm_grants.store LEFT JOIN crm_grants.{name} AS found ON {condition} ORDER BY {columns}"
    );
    let rows = client.query_typed(&select, &texts(values)).await.map_err(unavailable)?;
    open(inner, table, &rows)
}

/// Opens rows of the store's key, a generation, what is sealed, and the names. The key is there even where nothing was found.
fn open<const N: usize>(inner: &Inner, table: Table, rows: &[Row]) -> Result<Vec<Found<N>>, StoreError> {
    let shown: Option<&[u8]> = rows.first().map(|row| row.try_get(0)).transpose().map_err(unavailable)?;
    let seal = inner.seal(shown)?;
    let mut found = Vec::new();
    for row in rows {
        let Some(generation) = row.try_get::<_, Option<i64>>(1).map_err(unavailable)? else { continue };
        let sealed: &[u8] = row.try_get(2).map_err(unavailable)?;
        let names = (3..3 + N).map(|column| row.try_get(column)).collect::<Result<Vec<String>, _>>();
        let Ok(name) = <[String; N]>::try_from(names.map_err(unavailable)?) else { continue };
        let names = name.each_ref().map(String::as_str);
        let opened = SealedFor { store: &inner.store, table, row: &names, generation }.open(&seal.sealer, sealed);
        found.push(Found { name, opened });
    }
    Ok(found)
}

/// A transaction that writes sealed rows. Dropped without a commit, it is rolled back.
pub(super) struct Writing<'a> {
    inner: &'a Inner,
    transaction: Transaction<'a>,
}

impl<'a> Writing<'a> {
    pub(super) async fn begin(inner: &'a Inner, client: &'a mut Client) -> Result<Self, StoreError> {
        let transaction = client.transaction().await.map_err(unavailable)?;
        // Shared with other writers. Each later statement sees what the last rotation of the key committed.
        let begin = format!("{LIMITS}; SELECT pg_advisory_xact_lock_shared({LOCK})");
        transaction.batch_execute(&begin).await.map_err(unavailable)?;
        Ok(Self { inner, transaction })
    }

    pub(super) async fn find<const N: usize>(
        &self,
        table: Table,
        condition: &str,
        values: &[&str],
    ) -> Result<Vec<Found<N>>, StoreError> {
        find(self.inner, &self.transaction, table, condition, values).await
    }

    /// Removes rows and returns them. Of several that do so at once, one gets each row.
    pub(super) async fn take<const N: usize>(
        &self,
        table: Table,
        condition: &str,
        values: &[&str],
    ) -> Result<Vec<Found<N>>, StoreError> {
        let (columns, name) = (table.columns().join(", "), table.name());
        let delete = format!(
            "WITH taken AS (DELETE FROM crm_grants.{name} WHERE {condition} RETURNING generation, sealed, {columns})
             SELECT store.sealed, taken.generation, taken.sealed, {columns}
             FROM crm_grants.store LEFT JOIN taken ON true ORDER BY {columns}"
        );
        let rows = self.transaction.query_typed(&delete, &texts(values)).await.map_err(unavailable)?;
        open(self.inner, table, &rows)
    }

    /// Seals a row for a new generation.
    async fn seal(&self, table: Table, row: &[&str], plain: &[u8]) -> Result<(i64, Vec<u8>), StoreError> {
        let next = "SELECT sealed, nextval('crm_grants.generation') FROM crm_grants.store";
        let next = self.transaction.query_typed_opt(next, &[]).await.map_err(unavailable)?;
        let shown: Option<&[u8]> = next.as_ref().map(|next| next.try_get(0)).transpose().map_err(unavailable)?;
        let seal = self.inner.seal(shown)?;
        let generation = next.map(|next| next.try_get(1)).transpose().map_err(unavailable)?;
        let generation = generation.ok_or(StoreError::Conflict)?;
        let place = SealedFor { store: &self.inner.store, table, row, generation };
        Ok((generation, place.seal(&seal.sealer, plain)?))
    }

    /// Writes a row, replacing one with the same key.
    pub(super) async fn put(&self, table: Table, row: &[&str], plain: &[u8]) -> Result<(), StoreError> {
        let (generation, sealed) = self.seal(table, row, plain).await?;
        let columns = [table.columns(), &["generation", "sealed"]].concat();
        let set = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect::<Vec<_>>();
        let insert = self.insert(table, &columns);
        let insert = format!("{insert} ON CONFLICT ({}) DO UPDATE SET {}", key(table).join(", "), set.join(", "));
        self.execute(&insert, row, &[(&generation, Type::INT8), (&sealed, Type::BYTEA)]).await.map(drop)
    }

    /// Writes a row if there is one of this generation, or none (`None`), and returns the new generation.
    pub(super) async fn put_over(
        &self,
        table: Table,
        row: &[&str],
        expected: Option<i64>,
        plain: &[u8],
    ) -> Result<i64, StoreError> {
        let (generation, sealed) = self.seal(table, row, plain).await?;
        let mut values: Values<'_> = vec![(&generation, Type::INT8), (&sealed, Type::BYTEA)];
        let columns = table.columns();
        let written = match &expected {
            Some(expected) => {
                values.push((expected, Type::INT8));
                let [generation, sealed, expected] = [1, 2, 3].map(|after| columns.len() + after);
                let update = format!(
                    "UPDATE crm_grants.{} SET generation = ${generation}, sealed = ${sealed}
                     WHERE {} AND generation = ${expected}",
                    table.name(),
                    table.is_row('$')
                );
                self.execute(&update, row, &values).await?
            }
            None => {
                let insert = self.insert(table, &[columns, &["generation", "sealed"]].concat());
                self.execute(&format!("{insert} ON CONFLICT DO NOTHING"), row, &values).await?
            }
        };
        if written == 1 { Ok(generation) } else { Err(StoreError::Conflict) }
    }

    fn insert(&self, table: Table, columns: &[&str]) -> String {
        let marks = (1..=columns.len()).map(|number| format!("${number}")).collect::<Vec<_>>();
        format!("INSERT INTO crm_grants.{} ({}) VALUES ({})", table.name(), columns.join(", "), marks.join(", "))
    }

    /// Removes a row, whether or not it opens.
    pub(super) async fn remove(&self, table: Table, row: &[&str]) -> Result<(), StoreError> {
        let delete = format!("DELETE FROM crm_grants.{} WHERE {}", table.name(), table.is_row('$'));
        self.execute(&delete, row, &[]).await.map(drop)
    }

    /// Runs a statement with texts and further values, and returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        statement: &str,
        names: &[&str],
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<u64, StoreError> {
        let mut all = texts(names);
        all.extend_from_slice(values);
        self.transaction.execute_typed(statement, &all).await.map_err(unavailable)
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(unavailable)
    }
}
