//! The databases of bookings and connections: SQLite in a data folder, or PostgreSQL.

use std::sync::Arc;

use crm_delivery::{Ledger, Settings};
use crm_delivery_sqlite::{Options, SqliteLedger};
use crm_store::Store;

use crate::{cli, connection::open_store, error::CliError, ui::Ui};

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
    pub(crate) fn create(ui: &Ui, arguments: &cli::Databases) -> Result<Self, CliError> {
        Self::open_here(ui, arguments, As::Command, Settings::default())
    }

    /// Opens the databases that the arguments name. A command does not make them.
    pub(crate) fn open(ui: &Ui, arguments: &cli::Databases, by: As, settings: Settings) -> Result<Self, CliError> {
        if by == As::Command && !arguments.data.exists() {
            return Err(CliError::NoStore(arguments.data.clone()));
        }
        Self::open_here(ui, arguments, by, settings)
    }

    fn open_here(ui: &Ui, arguments: &cli::Databases, by: As, settings: Settings) -> Result<Self, CliError> {
        // The store makes the folder private, and its key.
        let store = open_store(ui, &arguments.data)?;
        let options = Options { keys: store.keys()?, settings, clock: None, failed: Box::new(end) };
        let ledger = match by {
            As::Server => SqliteLedger::serve(&arguments.data, options)?,
            As::Command => SqliteLedger::open(&arguments.data, options)?,
        };
        Ok(Self { ledger: Arc::new(ledger), store: Arc::new(store) })
    }
}

/// Ends the process after a sync failed. What was accepted is on the disk, and what may not be was not called accepted.
fn end(error: String) {
    tracing::error!(error, "the ledger could not be synced; the process ends, and must be started again");
    eprintln!("The ledger could not be synced ({error}). Check the disk, then start the process again.");
    std::process::exit(1);
}
