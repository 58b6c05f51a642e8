//! Arrivals that wait while a batch is written are written together by the next one.
//!
//! A sync takes as long for one booking as for 256. Nobody waits for a timer: a batch is what has gathered while the last one ran.

use std::sync::Arc;

use crm_delivery::{Acceptance, LedgerError};
use tokio::sync::{mpsc, oneshot};

use crate::{Inner, intake, intake::Prepared, session::transaction};

/// Arrivals of one transaction, at most.
const MOST_TOGETHER: usize = 256;
/// Arrivals that wait, at most. Beyond it a caller is told to come back, so that memory stays bounded.
const MOST_WAITING: usize = 4_096;

type Reply = oneshot::Sender<Result<Acceptance, LedgerError>>;

/// Hands arrivals to the task that writes them. The task ends with the last of these.
#[derive(Clone, Debug)]
pub(crate) struct Gatherer(mpsc::Sender<(Prepared, Reply)>);

impl Gatherer {
    pub(crate) fn start(inner: Arc<Inner>) -> Self {
        let (send, mut waiting) = mpsc::channel(MOST_WAITING);
        tokio::spawn(async move {
            let mut together = Vec::with_capacity(MOST_TOGETHER);
            while waiting.recv_many(&mut together, MOST_TOGETHER).await > 0 {
                let (arrivals, replies): (Vec<Prepared>, Vec<Reply>) = together.drain(..).unzip();
                write(&inner, &arrivals, replies).await;
            }
        });
        Self(send)
    }

    /// Returns once the arrival is durable. If the future is dropped, it is accepted all the same, or not at all.
    pub(crate) async fn accept(&self, arrival: Prepared) -> Result<Acceptance, LedgerError> {
        let (send, receive) = oneshot::channel();
        match self.0.try_send((arrival, send)) {
            Ok(()) => receive.await.map_err(|_| stopped())?,
            Err(mpsc::error::TrySendError::Full(_)) => Err(LedgerError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(stopped()),
        }
    }
}

fn stopped() -> LedgerError {
    LedgerError::Database("the task that writes has ended; restart the process".into())
}

async fn write(inner: &Inner, arrivals: &[Prepared], replies: Vec<Reply>) {
    let accept = async |arrivals: &[Prepared]| {
        transaction!(&inner.pool, |session| intake::accept(session, &inner.keys, inner.time(), arrivals))
    };
    match accept(arrivals).await {
        Ok(accepted) => {
            for (acceptance, reply) in accepted.into_iter().zip(replies) {
                // A caller that does not wait any more sends it again, and then it is known.
                let _ = reply.send(Ok(acceptance));
            }
        }
        // One of them cannot be stored. The others can.
        Err(failure) if arrivals.len() > 1 && failure.is_about_data() => {
            for (arrival, reply) in arrivals.iter().zip(replies) {
                let accepted = accept(std::slice::from_ref(arrival)).await;
                let one =
                    accepted.map_err(LedgerError::from).and_then(|mut accepted| accepted.pop().ok_or_else(stopped));
                let _ = reply.send(one);
            }
        }
        Err(failure) => {
            for reply in replies {
                let _ = reply.send(Err(failure.for_each()));
            }
        }
    }
}
