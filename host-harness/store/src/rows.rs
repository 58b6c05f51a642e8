//! Sealed rows.
//!
//! A row is sealed for its store, its table, its key and its generation, so it opens nowhere else. The head, a sealed row of its
//! own, has the store's random id and lists the generations that are current, so an older copy of a row does not pass for the row.
//! A store that was emptied begins again with another id. A copy of the whole file from an earlier time opens: nothing in a file
//! can show that it is an old one. A process that has the store open notices it.

use crm_host::credentials::StoreError;
use rand::{TryRng, rngs::SysRng};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use zeroize::Zeroizing;

use crate::{
    key::Key,
    rotate::Rotated,
    seal::{SealError, Sealer},
    sqlite_store::unavailable,
};

const HEAD: &[&[u8]] = &[b"head"];

/// A table of sealed rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Table {
    /// By plugin, connection and credential.
    Grants,
    /// By plugin, connection and credential.
    Clients,
    /// By team, plugin and connection.
    Teams,
}

impl Table {
    const ALL: [Self; 3] = [Self::Grants, Self::Clients, Self::Teams];

    fn name(self) -> &'static str {
        match self {
            Self::Grants => "grants",
            Self::Clients => "clients",
            Self::Teams => "teams",
        }
    }

    /// The columns that name a row.
    fn columns(self) -> [&'static str; 3] {
        match self {
            Self::Grants | Self::Clients => ["plugin", "connection", "credential"],
            Self::Teams => ["team", "plugin", "connection"],
        }
    }

    fn is_row(self) -> String {
        let [a, b, c] = self.columns();
        format!("{a} = ?1 AND {b} = ?2 AND {c} = ?3")
    }

    fn context<'a>(self, store: &'a StoreId, row: [&'a str; 3], generation: &'a [u8; 8]) -> [&'a [u8]; 6] {
        let [a, b, c] = row.map(str::as_bytes);
        [store, self.name().as_bytes(), a, b, c, generation]
    }

    fn damaged(self, [a, b, c]: [&str; 3]) -> StoreError {
        let text = format!(
            "row `{a}`, `{b}`, `{c}` of {} was changed or put back by another program; connect again",
            self.name()
        );
        StoreError::Unreadable(text)
    }
}

/// Chosen at random when a store is made.
type StoreId = [u8; 16];

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
        let mut store = StoreId::default();
        SysRng.try_fill_bytes(&mut store).map_err(|_| not_sealed(SealError))?;
        Ok(Self { version: Version { store, last: 0 }, current: Vec::new() })
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

fn not_sealed(SealError: SealError) -> StoreError {
    StoreError::Unavailable("the operating system provides no random numbers".to_owned())
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

/// A row that was opened.
pub(crate) struct Opened {
    pub(crate) generation: i64,
    pub(crate) plain: Zeroizing<Vec<u8>>,
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

    /// The generation of a row, whether or not the row opens.
    pub(crate) fn generation(&self, table: Table, row: [&str; 3]) -> Result<Option<i64>, StoreError> {
        let select = format!("SELECT generation FROM {} WHERE {}", table.name(), table.is_row());
        self.transaction.query_row(&select, row, |row| row.get(0)).optional().map_err(unavailable)
    }

    /// Opens a row, if there is one.
    pub(crate) fn get(&self, table: Table, row: [&str; 3]) -> Result<Option<Opened>, StoreError> {
        let select = format!("SELECT generation, sealed FROM {} WHERE {}", table.name(), table.is_row());
        let found: Option<(i64, Vec<u8>)> = self
            .transaction
            .query_row(&select, row, |found| Ok((found.get(0)?, found.get(1)?)))
            .optional()
            .map_err(unavailable)?;
        let Some((generation, sealed)) = found else { return Ok(None) };
        let bytes = generation.to_be_bytes();
        let plain = self.sealer.open(&sealed, &table.context(&self.head.version.store, row, &bytes)).ok();
        let is_current = self.head.current.binary_search(&generation).is_ok();
        Ok(Some(Opened { generation, plain: plain.filter(|_| is_current).ok_or_else(|| table.damaged(row))? }))
    }

    /// Writes a row, replacing an earlier one, and returns its generation.
    pub(crate) fn put(&mut self, table: Table, row: [&str; 3], plain: &[u8]) -> Result<i64, StoreError> {
        self.remove(table, row)?;
        let Version { store, last } = self.head.version;
        let generation = last.checked_add(1).ok_or(StoreError::Conflict)?;
        let bytes = generation.to_be_bytes();
        let sealed = self.sealer.seal(plain, &table.context(&store, row, &bytes)).map_err(not_sealed)?;
        let ([a, b, c], name) = (table.columns(), table.name());
        let insert = format!("INSERT INTO {name} ({a}, {b}, {c}, generation, sealed) VALUES (?1, ?2, ?3, ?4, ?5)");
        let [a, b, c] = row;
        self.transaction.execute(&insert, params![a, b, c, generation, sealed]).map_err(unavailable)?;
        self.head.version.last = generation;
        self.head.current.push(generation);
        Ok(generation)
    }

    /// Removes a row, whether or not it opens.
    pub(crate) fn remove(&mut self, table: Table, row: [&str; 3]) -> Result<(), StoreError> {
        if let Some(generation) = self.generation(table, row)? {
            let delete = format!("DELETE FROM {} WHERE {}", table.name(), table.is_row());
            self.transaction.execute(&delete, row).map_err(unavailable)?;
            self.head.current.retain(|current| *current != generation);
        }
        Ok(())
    }

    /// The rows of a table for which a condition on its columns holds, by their names.
    pub(crate) fn find(&self, table: Table, condition: &str, values: &[&str]) -> Result<Vec<[String; 3]>, StoreError> {
        let (columns, name) = (table.columns().join(", "), table.name());
        let select = format!("SELECT {columns} FROM {name} WHERE {condition} ORDER BY {columns}");
        let mut select = self.transaction.prepare(&select).map_err(unavailable)?;
        let rows = select
            .query_map(rusqlite::params_from_iter(values), |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
            .map_err(unavailable)?;
        rows.map(|row| row.map_err(unavailable)).collect()
    }

    /// Seals all rows with another key; the caller commits. Rows that do not open stay as they are.
    pub(crate) fn reseal(self, key: &Key) -> Result<(Transaction<'a>, Rotated), StoreError> {
        let sealer = Sealer::new(key);
        let mut rotated = Rotated { rows: 0, damaged: 0 };
        for table in Table::ALL {
            let update = format!("UPDATE {} SET sealed = ?4 WHERE {}", table.name(), table.is_row());
            for row in self.find(table, "TRUE", &[])? {
                let row @ [a, b, c] = row.each_ref().map(String::as_str);
                match self.get(table, row) {
                    Ok(Some(Opened { generation, plain })) => {
                        let bytes = generation.to_be_bytes();
                        let context = table.context(&self.head.version.store, row, &bytes);
                        let sealed = sealer.seal(&plain, &context).map_err(not_sealed)?;
                        self.transaction.execute(&update, params![a, b, c, sealed]).map_err(unavailable)?;
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
