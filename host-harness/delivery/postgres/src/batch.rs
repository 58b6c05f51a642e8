//! Arrivals that wait while a batch is written are written together by the next one.
//!
//! A sync takes as long for one booking as for 256. Nobody waits for a timer: a batch is what has gathered while the last one ran.

use std::{collections::BTreeMap, sync::Arc};

use crm_delivery::{Acceptance, LedgerError};
use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Inner,
    intake::{self, Prepared},
    session::{Failure, transaction},
};

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
            let mut together = Vec::new();
            while waiting.recv_many(&mut together, MOST_TOGETHER).await > 0 {
                write(&inner, std::mem::take(&mut together)).await;
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

async fn accept(inner: &Inner, arrivals: &[Prepared]) -> Result<Vec<Acceptance>, Failure> {
    transaction!(&inner.pool, |session| intake::accept(session, &inner.keys, inner.time(), arrivals))
}

async fn write(inner: &Inner, together: Vec<(Prepared, Reply)>) {
    let (arrivals, replies): (Vec<Prepared>, Vec<Reply>) = together.into_iter().unzip();
    match accept(inner, &arrivals).await {
        Ok(accepted) => {
            for (acceptance, reply) in accepted.into_iter().zip(replies) {
                // A caller that does not wait any more sends it again, and then it is known.
                let _ = reply.send(Ok(acceptance));
            }
        }
        Err(failure) if arrivals.len() > 1 && (failure.is_about_data() || failure.is_impatience()) => {
            apart(inner, arrivals.into_iter().zip(replies)).await;
        }
        Err(failure) => {
            for reply in replies {
                let _ = reply.send(Err(failure.for_each()));
            }
        }
    }
}

/// Writes arrivals each by itself, those of different teams beside each other: one of them cannot be stored, or another transaction
/// has a team's queue and does not end. The others can.
async fn apart(inner: &Inner, arrivals: impl Iterator<Item = (Prepared, Reply)>) {
    let mut teams: BTreeMap<String, Vec<(Prepared, Reply)>> = BTreeMap::new();
    for (arrival, reply) in arrivals {
        teams.entry(arrival.team().to_owned()).or_default().push((arrival, reply));
    }
    let of_team = async |arrivals: Vec<(Prepared, Reply)>| {
        let mut lasting: Option<Failure> = None;
        for (arrival, reply) in arrivals {
            let accepted = match &lasting {
                Some(failure) => Err(failure.for_each()),
                None => match accept(inner, std::slice::from_ref(&arrival)).await {
                    Ok(mut accepted) => accepted.pop().ok_or_else(stopped),
                    Err(failure) => {
                        let error = failure.for_each();
                        lasting = Some(failure).filter(|failure| !failure.is_about_data());
                        Err(error)
                    }
                },
            };
            let _ = reply.send(accepted);
        }
    };
    join_all(teams.into_values().map(of_team)).await;
}
