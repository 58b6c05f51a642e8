//! Sealed rows.
//!
//! A row is sealed for its store, its table, its name and its generation, so it opens nowhere else. The head, a sealed row of its
//! own, has the store's random id and lists the generations that are current, so an older copy of a row does not pass for the row.
//! A store that was emptied begins again with another id. A copy of the whole file from an earlier time opens: nothing in a file
//! can show that it is an old one. A process that has the store open notices it.

use crm_host::credentials::StoreError;
use crm_seal::{Key, Sealer};
use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, params_from_iter};

use super::unavailable;
use crate::{
    Rotated,
    table::{Opened, SealedFor, StoreId, Table, new_store_id, not_sealed},
};

const HEAD: &[&[u8]] = &[b"head"];

/// How far a store is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    store: StoreId,
    /// The last generation that was given to any row.
    last: i64,
}

impl Version {
    /// Whether a store that had this version can have the other one now.
    pub(crate) fn can_become(self, now: Self) -> bool {
        self.store == now.store && self.last <= now.last
    }
}

/// The version of a store, and the generations of all current rows in ascending order.
#[derive(Debug)]
pub(crate) struct Head {
    version: Version,
    current: Vec<i64>,
}

impl Head {
    pub(crate) fn of_new_store() -> Result<Self, StoreError> {
        Ok(Self { version: Version { store: new_store_id()?, last: 0 }, current: Vec::new() })
    }

    pub(crate) fn open(sealer: &Sealer, sealed: &[u8]) -> Option<Self> {
        let plain = sealer.open(sealed, HEAD).ok()?;
        let (store, numbers) = plain.split_first_chunk()?;
        let (numbers, rest) = numbers.as_chunks();
        let mut numbers = numbers.iter().map(|bytes| i64::from_be_bytes(*bytes));
        let last = numbers.next().filter(|_| rest.is_empty())?;
        Some(Self { version: Version { store: *store, last }, current: numbers.collect() })
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    fn seal(&self, sealer: &Sealer) -> Result<Vec<u8>, StoreError> {
        let mut plain = self.version.store.to_vec();
        let numbers = std::iter::once(&self.version.last).chain(&self.current);
        plain.extend(numbers.flat_map(|number| number.to_be_bytes()));
        sealer.seal(&plain, HEAD).map_err(not_sealed)
    }
}

/// The sealed head of a store; `None` if it is new, or was damaged.
pub(crate) fn sealed_head(database: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    database.query_row("SELECT sealed FROM head", [], |row| row.get(0)).optional()
}

/// Whether any table has a sealed row.
pub(crate) fn has_rows(database: &Connection) -> rusqlite::Result<bool> {
    let tables = Table::ALL.map(|table| format!("EXISTS (SELECT 1 FROM {})", table.name()));
    database.query_row(&format!("SELECT {}", tables.join(" OR ")), [], |row| row.get(0))
}

/// The first key that opens a head.
pub(crate) fn open_head(keys: Vec<Key>, sealed: &[u8]) -> Option<(Key, Head)> {
    keys.into_iter().find_map(|key| {
        let head = Head::open(&Sealer::new(&key), sealed)?;
        Some((key, head))
    })
}

/// A transaction on sealed rows.
pub(crate) struct Rows<'a> {
    pub(crate) transaction: Transaction<'a>,
    sealer: &'a Sealer,
    head: Head,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(transaction: Transaction<'a>, sealer: &'a Sealer, head: Head) -> Self {
        Self { transaction, sealer, head }
    }

    pub(crate) fn version(&self) -> Version {
        self.head.version
    }

    fn place<'r>(&'r self, table: Table, row: &'r [&'r str], generation: i64) -> SealedFor<'r> {
        SealedFor { store: &self.head.version.store, table, row, generation }
    }

    /// The generation of a row, whether or not the row opens.
    pub(crate) fn generation(&self, table: Table, row: &[&str]) -> Result<Option<i64>, StoreError> {
        let select = format!("SELECT generation FROM {} WHERE {}", table.name(), table.is_row('?'));
        let found = self.transaction.query_row(&select, params_from_iter(row), |row| row.get(0));
        found.optional().map_err(unavailable)
    }

    /// Opens a row, if there is one.
    pub(crate) fn get(&self, table: Table, row: &[&str]) -> Result<Option<Opened>, StoreError> {
        let select = format!("SELECT generation, sealed FROM {} WHERE {}", table.name(), table.is_row('?'));
        let found: Option<(i64, Vec<u8>)> = self
            .transaction
            .query_row(&select, params_from_iter(row), |found| Ok((found.get(0)?, found.get(1)?)))
            .optional()
            .map_err(unavailable)?;
        let Some((generation, sealed)) = found else { return Ok(None) };
        if self.head.current.binary_search(&generation).is_err() {
            return Err(table.damaged(row));
        }
        self.place(table, row, generation).open(self.sealer, &sealed).map(Some)
    }

    /// Writes a row, replacing an earlier one, and returns its generation.
    pub(crate) fn put(&mut self, table: Table, row: &[&str], plain: &[u8]) -> Result<i64, StoreError> {
        self.remove(table, row)?;
        let generation = self.head.version.last.checked_add(1).ok_or(StoreError::Conflict)?;
        let sealed = self.place(table, row, generation).seal(self.sealer, plain)?;
        let (columns, name) = (table.columns(), table.name());
        let marks = "?, ".repeat(columns.len());
        let insert = format!("INSERT INTO {name} ({}, generation, sealed) VALUES ({marks}?, ?)", columns.join(", "));
        let names = row.iter().map(|name| name as &dyn ToSql);
        let values = names.chain([&generation as &dyn ToSql, &sealed]);
        self.transaction.execute(&insert, params_from_iter(values)).map_err(unavailable)?;
        self.head.version.last = generation;
        self.head.current.push(generation);
        Ok(generation)
    }

    /// Removes a row, whether or not it opens.
    pub(crate) fn remove(&mut self, table: Table, row: &[&str]) -> Result<(), StoreError> {
        if let Some(generation) = self.generation(table, row)? {
            let delete = format!("DELETE FROM {} WHERE {}", table.name(), table.is_row('?'));
            self.transaction.execute(&delete, params_from_iter(row)).map_err(unavailable)?;
            self.head.current.retain(|current| *current != generation);
        }
        Ok(())
    }

    /// The names of a table's rows for which a condition on its columns holds, in order. `N` is the number of the columns that name
    /// a row.
    pub(crate) fn find<const N: usize>(
        &self,
        table: Table,
        condition: &str,
        values: &[&dyn ToSql],
    ) -> Result<Vec<[String; N]>, StoreError> {
        let names = self.names(table, condition, values)?;
        Ok(names.into_iter().filter_map(|name| name.try_into().ok()).collect())
    }

    fn names(&self, table: Table, condition: &str, values: &[&dyn ToSql]) -> Result<Vec<Vec<String>>, StoreError> {
        let (columns, name) = (table.columns(), table.name());
        let list = columns.join(", ");
        let select = format!("SELECT {list} FROM {name} WHERE {condition} ORDER BY {list}");
        let mut select = self.transaction.prepare(&select).map_err(unavailable)?;
        let rows = select
            .query_map(values, |row| (0..columns.len()).map(|column| row.get(column)).collect())
            .map_err(unavailable)?;
        rows.map(|row| row.map_err(unavailable)).collect()
    }

    /// Seals all rows with another key; the caller commits. Rows that do not open stay as they are.
    pub(crate) fn reseal(self, key: &Key) -> Result<(Transaction<'a>, Rotated), StoreError> {
        let sealer = Sealer::new(key);
        let mut rotated = Rotated { rows: 0, damaged: 0 };
        for table in Table::ALL {
            let sealed = table.columns().len() + 1;
            let update = format!("UPDATE {} SET sealed = ?{sealed} WHERE {}", table.name(), table.is_row('?'));
            for row in self.names(table, "TRUE", &[])? {
                let row = row.iter().map(String::as_str).collect::<Vec<_>>();
                match self.get(table, &row) {
                    Ok(Some(Opened { generation, plain })) => {
                        let sealed = self.place(table, &row, generation).seal(&sealer, &plain)?;
                        let values = row.iter().map(|name| name as &dyn ToSql).chain([&sealed as &dyn ToSql]);
                        self.transaction.execute(&update, params_from_iter(values)).map_err(unavailable)?;
                        rotated.rows += 1;
                    }
                    Ok(None) => {}
                    Err(StoreError::Unreadable(_)) => rotated.damaged += 1,
                    Err(error) => return Err(error),
                }
            }
        }
        write_head(&self.transaction, &self.head, &sealer)?;
        Ok((self.transaction, rotated))
    }

    /// Makes the changes durable, and returns the version that they make.
    pub(crate) fn commit(self) -> Result<Version, StoreError> {
        write_head(&self.transaction, &self.head, self.sealer)?;
        self.transaction.commit().map_err(unavailable)?;
        Ok(self.head.version)
    }
}

fn write_head(transaction: &Transaction<'_>, head: &Head, sealer: &Sealer) -> Result<(), StoreError> {
    let sealed = head.seal(sealer)?;
    transaction.execute("INSERT OR REPLACE INTO head VALUES (1, ?1)", [sealed]).map_err(unavailable)?;
    Ok(())
}
