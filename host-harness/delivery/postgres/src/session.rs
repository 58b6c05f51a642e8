//! Statements in a transaction, and what can go wrong with them.

use std::error::Error as _;

use crm_delivery::LedgerError;
use deadpool_postgres::{Object, Pool, PoolError, StatementCache, TimeoutType, Transaction};
use futures_util::future::try_join_all;
use tokio_postgres::{
    Client, IsolationLevel, Row, Statement,
    error::SqlState,
    types::{FromSql, ToSql},
};

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a transaction did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    Ledger(LedgerError),
    Postgres(tokio_postgres::Error),
    Pool(PoolError),
    /// The connection had ended before anything was done.
    Ended(tokio_postgres::Error),
}

impl Failure {
    /// Nothing was done, and the same again may succeed: the server ended the transaction in favor of another one, or the pool gave a
    /// connection away whose server had gone.
    pub(crate) fn can_be_repeated(&self) -> bool {
        match self {
            Self::Postgres(error) => error.code().is_some_and(|code| {
                [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE].contains(code)
            }),
            Self::Ended(_) => true,
            Self::Ledger(_) | Self::Pool(_) => false,
        }
    }

    /// Another transaction had a lock for too long.
    pub(crate) fn is_impatience(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE))
    }

    /// Whether what was to be written is the reason, and not the server or the connection.
    pub(crate) fn is_about_data(&self) -> bool {
        match self {
            Self::Ledger(_) => true,
            // Data exceptions, violated constraints, exceeded limits (PostgreSQL's documentation, appendix A).
            Self::Postgres(error) => {
                error.code().is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.code().starts_with(class)))
            }
            Self::Pool(_) | Self::Ended(_) => false,
        }
    }

    /// The same for each of those that wait for one transaction.
    pub(crate) fn for_each(&self) -> LedgerError {
        match self {
            Self::Ledger(LedgerError::Damaged(what)) => LedgerError::Damaged(what.clone()),
            Self::Ledger(LedgerError::Busy) => LedgerError::Busy,
            Self::Ledger(error) => LedgerError::Database(error.to_string().into()),
            _ if self.is_impatience() => LedgerError::Busy,
            Self::Postgres(error) | Self::Ended(error) => LedgerError::Database(text(error).into()),
            // All connections are in use.
            Self::Pool(PoolError::Timeout(TimeoutType::Wait)) => LedgerError::Busy,
            Self::Pool(PoolError::Backend(error)) => LedgerError::Database(text(error).into()),
            Self::Pool(error) => LedgerError::Database(error.to_string().into()),
        }
    }
}

/// An error of PostgreSQL without the server's detail, which contains values.
fn text(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("PostgreSQL: {} ({})", error.message(), error.code().code()),
        None => match error.source() {
            Some(source) => format!("PostgreSQL: {error}: {source}"),
            None => format!("PostgreSQL: {error}"),
        },
    }
}

impl From<Failure> for LedgerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ledger(error) => error,
            other => other.for_each(),
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

pub(crate) fn damaged(what: impl std::fmt::Display) -> Failure {
    Failure::Ledger(LedgerError::Damaged(what.to_string()))
}

/// A value that a statement owns.
pub(crate) type Value = Box<dyn ToSql + Sync + Send>;

/// A statement with its values.
pub(crate) struct Step(pub(crate) &'static str, pub(crate) Vec<Value>);

/// Boxes values for a [`Step`].
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(Box::new($value) as crate::session::Value),*] };
}
pub(crate) use values;

pub(crate) const SETTINGS: &str = "
    SELECT set_config('lock_timeout', '2s', true), set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true),
           set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)";

/// A connection, in a transaction or not.
#[derive(Clone, Copy)]
pub(crate) struct Session<'a> {
    client: &'a Client,
    /// Statements that the connection has prepared. None for one that is not ours: what is prepared there goes at once.
    cache: Option<&'a StatementCache>,
}

impl<'a> Session<'a> {
    pub(crate) fn of(transaction: &'a Transaction<'_>) -> Self {
        Self { client: transaction.client(), cache: Some(&transaction.statement_cache) }
    }

    /// Reads outside a transaction.
    pub(crate) fn reading(client: &'a Object) -> Self {
        Self { client, cache: Some(&client.statement_cache) }
    }

    /// In the transaction of a caller.
    pub(crate) fn callers(transaction: &'a tokio_postgres::Transaction<'_>) -> Self {
        Self { client: transaction.client(), cache: None }
    }

    /// [`Self::run`] for the first statements of a transaction. In one of ours, waits for locks are bounded, so that one which hangs
    /// takes no connections and no arrivals of other teams along, and plans use indexes: a plan that was made while a table was small
    /// would read all of it until the next ANALYZE. In a transaction of a caller, the caller decides.
    pub(crate) async fn run_first(&self, steps: Vec<Step>) -> Result<Vec<Vec<Row>>> {
        if self.cache.is_none() {
            return self.run(&steps).await;
        }
        let settings = Step(SETTINGS, Vec::new());
        let mut found = self.run(&[settings].into_iter().chain(steps).collect::<Vec<_>>()).await?;
        Ok(found.split_off(1))
    }

    async fn prepare(&self, text: &str) -> Result<Statement> {
        Ok(match self.cache {
            Some(cache) => cache.prepare(self.client, text).await?,
            None => self.client.prepare(text).await?,
        })
    }

    pub(crate) async fn query(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let statement = self.prepare(text).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    /// Runs a statement whose text has many forms: it is planned for its values, and not kept prepared.
    pub(crate) async fn query_once(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        Ok(self.client.query(text, values).await?)
    }

    pub(crate) async fn execute(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        let statement = self.prepare(text).await?;
        Ok(self.client.execute(&statement, values).await?)
    }

    /// Sends all statements at once; the server runs them in order. Each sees what those before it did.
    pub(crate) async fn run(&self, steps: &[Step]) -> Result<Vec<Vec<Row>>> {
        let mut statements = Vec::with_capacity(steps.len());
        for Step(text, values) in steps {
            let values: Vec<&(dyn ToSql + Sync)> =
                values.iter().map(|value| value.as_ref() as &(dyn ToSql + Sync)).collect();
            statements.push((self.prepare(text).await?, values));
        }
        // Each is sent when it is polled first, which is in order for so few.
        let sent = statements.iter().map(|(statement, values)| self.client.query(statement, values));
        Ok(try_join_all(sent).await?)
    }
}

/// Begins a transaction. Each of its statements sees what others committed meanwhile, which the locks of queues rely on.
pub(crate) async fn begin(client: &mut Object) -> Result<Transaction<'_>> {
    let begun = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await;
    begun.map_err(|error| {
        let has_ended = error.is_closed() || error.code() == Some(&SqlState::ADMIN_SHUTDOWN);
        if has_ended { Failure::Ended(error) } else { Failure::Postgres(error) }
    })
}

/// A connection from a pool.
pub(crate) async fn connection(pool: &Pool) -> Result<Object> {
    Ok(pool.get().await?)
}

/// How often a transaction is tried again: more often than the pool has connections that can have ended.
pub(crate) const RETRIES: u32 = 20;

/// Runs a task in a transaction, again if it lost against another one. A future that is dropped rolls back.
macro_rules! transaction {
    ($pool:expr, |$session:ident| $task:expr) => {{
        let mut retries = 0;
        loop {
            let done = async {
                let mut client = $crate::session::connection($pool).await?;
                let transaction = $crate::session::begin(&mut client).await?;
                let $session = $crate::session::Session::of(&transaction);
                let done = $task.await?;
                transaction.commit().await?;
                Ok::<_, $crate::session::Failure>(done)
            };
            match done.await {
                Err(failure) if failure.can_be_repeated() && retries < $crate::session::RETRIES => retries += 1,
                done => break done,
            }
        }
    }};
}
pub(crate) use transaction;

/// A column.
pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    Ok(row.try_get(index)?)
}

/// A number that is never negative.
pub(crate) fn get_number(row: &Row, index: usize) -> Result<u64> {
    Ok(unsigned(get(row, index)?))
}

/// PostgreSQL has signed integers.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number that was not negative when it was written.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A text of people or plugins: PostgreSQL's have no NUL.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

pub(crate) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(damaged)
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(damaged)
}
