//! The databases of bookings and connections: SQLite in a data folder, or PostgreSQL.

use std::sync::Arc;

use crm_delivery::{Ledger, Settings};
use crm_delivery_postgres::PostgresLedger;
use crm_delivery_sqlite::{Options, SqliteLedger};
use crm_store::{Key, PostgresStore, Store};

use crate::{
    cli,
    connection::{given_key, open_store},
    error::CliError,
    ui::Ui,
};

/// Who opens the databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// A process that delivers. In a data folder, the only one.
    Server,
    /// A command beside it.
    Command,
}

/// The databases, open.
pub(crate) struct Databases {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) store: Arc<dyn Store>,
}

impl Databases {
    /// Opens the databases for a command that may be the first to use them.
    pub(crate) async fn create(ui: &Ui, arguments: &cli::Databases) -> Result<Self, CliError> {
        Self::open_any(ui, arguments, As::Command, Settings::default()).await
    }

    /// Opens the databases that the arguments name. A command does not make a data folder.
    pub(crate) async fn open(
        ui: &Ui,
        arguments: &cli::Databases,
        by: As,
        settings: Settings,
    ) -> Result<Self, CliError> {
        if by == As::Command && arguments.postgres.is_none() && !arguments.data.exists() {
            return Err(CliError::NoStore(arguments.data.clone()));
        }
        Self::open_any(ui, arguments, by, settings).await
    }

    /// Opens the store of connections alone.
    pub(crate) async fn store(ui: &Ui, arguments: &cli::Databases) -> Result<Arc<dyn Store>, CliError> {
        Ok(match &arguments.postgres {
            Some(url) => Arc::new(PostgresStore::open(url, shared_key()?, None).await?),
            None => Arc::new(open_store(ui, &arguments.data)?),
        })
    }

    async fn open_any(ui: &Ui, arguments: &cli::Databases, by: As, settings: Settings) -> Result<Self, CliError> {
        if let Some(url) = &arguments.postgres {
            let key = shared_key()?;
            let store = PostgresStore::open(url, key.clone(), None).await?;
            let mut options = crm_delivery_postgres::Options::new(vec![key]);
            options.settings = settings;
            let ledger = PostgresLedger::open(url, options).await?;
            return Ok(Self { ledger: Arc::new(ledger), store: Arc::new(store) });
        }
        // The store makes the folder private, and its key.
        let store = open_store(ui, &arguments.data)?;
        let options = Options { keys: store.keys()?, settings, clock: None, failed: ending(ui) };
        let ledger = match by {
            As::Server => SqliteLedger::serve(&arguments.data, options)?,
            As::Command => SqliteLedger::open(&arguments.data, options)?,
        };
        Ok(Self { ledger: Arc::new(ledger), store: Arc::new(store) })
    }
}

/// The key of a store in PostgreSQL. Nothing is kept in a data folder then, so no key either.
fn shared_key() -> Result<Key, CliError> {
    given_key()?.ok_or(CliError::StoreKeyMissing)
}

/// Ends the process after a sync failed. What was accepted is on the disk, and what may not be was not called accepted.
fn ending(ui: &Ui) -> Box<dyn FnOnce(String) + Send> {
    let message = ui.say.not_synced();
    Box::new(move |error| {
        tracing::error!(error, "the ledger could not be synced");
        eprintln!("{message}");
        std::process::exit(1);
    })
}
