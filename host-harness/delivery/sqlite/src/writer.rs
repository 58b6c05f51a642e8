//! One thread writes, and writes what waits together.
//!
//! A sync takes as long for one booking as for 256, so while one runs, the next ones gather. Each command has a savepoint of its own: one
//! that fails takes nothing from the others. Replies are sent after the commit that covers them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use crm_delivery::LedgerError;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::oneshot;

/// Commands that share one sync, at most.
const MOST_TOGETHER: usize = 256;
/// Commands that wait, at most. Beyond it a caller is told to come back, so that memory stays bounded.
const MOST_WAITING: usize = 4_096;

/// What one command does. It returns what to do once it is durable, or has failed.
type Command = Box<dyn FnOnce(&Connection) -> Reply + Send>;
type Reply = (bool, Box<dyn FnOnce(Result<(), LedgerError>) + Send>);

/// Sends commands to the thread that writes.
pub(crate) struct Writer {
    commands: mpsc::SyncSender<Command>,
    has_failed: Arc<AtomicBool>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the thread. `failed` is called if a commit fails in a way after which nobody knows what is on the disk.
    pub(crate) fn start(
        database: Connection,
        failed: impl FnOnce(&rusqlite::Error) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (commands, waiting) = mpsc::sync_channel(MOST_WAITING);
        let has_failed = Arc::new(AtomicBool::new(false));
        let flag = has_failed.clone();
        thread::Builder::new().name("ledger".to_owned()).spawn(move || {
            if let Err(error) = run(database, &waiting) {
                flag.store(true, Ordering::SeqCst);
                failed(&error);
            }
        })?;
        Ok(Self { commands, has_failed })
    }

    /// Runs a task in a transaction, and returns once it is durable. A task that fails changes nothing. If the future is dropped, the
    /// task still happens as a whole or not at all.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (send, receive) = oneshot::channel();
        let command: Command = Box::new(move |database| {
            let done = task(database);
            let is_done = done.is_ok();
            let reply = move |committed: Result<(), LedgerError>| {
                // Nobody waits any more.
                let _ = send.send(done.and_then(|done| committed.map(|()| done)));
            };
            (is_done, Box::new(reply))
        });
        match self.commands.try_send(command) {
            Ok(()) => receive.await.map_err(|_| if self.has_failed() { stopped() } else { LedgerError::Busy })?,
            Err(mpsc::TrySendError::Full(_)) => Err(LedgerError::Busy),
            Err(mpsc::TrySendError::Disconnected(_)) => Err(stopped()),
        }
    }

    /// Whether nothing can be written any more.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst)
    }
}

fn stopped() -> LedgerError {
    LedgerError::Database("the thread that writes has ended; restart the process".into())
}

/// Runs until all senders are gone, or a commit fails for good.
fn run(mut database: Connection, waiting: &mpsc::Receiver<Command>) -> rusqlite::Result<()> {
    while let Ok(first) = waiting.recv() {
        let mut replies = Vec::new();
        let committed = together(&mut database, first, waiting, &mut replies);
        let is_lasting = committed.as_ref().is_err_and(is_lasting);
        match &committed {
            Ok(()) => replies.into_iter().for_each(|reply| reply(Ok(()))),
            Err(error) => {
                let text = error.to_string();
                replies.into_iter().for_each(|reply| reply(Err(LedgerError::Database(text.clone().into()))));
            }
        }
        if is_lasting {
            return committed;
        }
    }
    Ok(())
}

type Waiting = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// Runs a command and those that wait behind it, and commits.
fn together(
    database: &mut Connection,
    first: Command,
    waiting: &mpsc::Receiver<Command>,
    replies: &mut Vec<Waiting>,
) -> rusqlite::Result<()> {
    let mut transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut next = Some(first);
    while let Some(command) = next {
        let savepoint = transaction.savepoint()?;
        let (is_done, reply) = command(&savepoint);
        replies.push(reply);
        if is_done {
            savepoint.commit()?;
        } else {
            // Dropping it takes back what the command did.
            drop(savepoint);
        }
        next = if replies.len() < MOST_TOGETHER { waiting.try_recv().ok() } else { None };
    }
    transaction.commit()
}

/// Whether nobody knows what is on the disk: after a failed sync, the kernel may have dropped what it could not write, and a later sync
/// that succeeds says nothing about it. A full disk or a busy database is not like that: SQLite has rolled back.
fn is_lasting(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}
