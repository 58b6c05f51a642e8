//! PostgreSQL for tests: a cluster of its own in a temporary folder, removed when the test ends, however it ends.
//!
//! ```no_run
//! let Some(cluster) = test_postgres::Cluster::shared() else { return };
//! let url = cluster.database("ledger");
//! ```
//!
//! PostgreSQL is found on the machine, or installed from Debian's packages where that is allowed. Where it is missing, a test
//! prints why it did not run and passes; with `CI` set, it fails.

#![expect(clippy::panic, reason = "a cluster that cannot be used fails the test")]

mod cluster;
mod server;

use std::env;

pub use cluster::Cluster;

/// Why a test cannot run.
enum NotRun {
    /// PostgreSQL is missing.
    Missing(String),
    /// It failed.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for NotRun {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Prints outside CI that PostgreSQL is missing. In CI it is a failure.
fn or_not_run<T>(result: Result<T, NotRun>) -> Option<T> {
    match result {
        Ok(found) => Some(found),
        Err(NotRun::Missing(why)) if env::var_os("CI").is_none() => {
            println!("not run: {why}");
            None
        }
        Err(NotRun::Missing(why)) => panic!("not run, which CI does not accept: {why}"),
        Err(NotRun::Failed(error)) => panic!("{error:?}"),
    }
}
