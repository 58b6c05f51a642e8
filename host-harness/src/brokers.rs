//! What must be saved before the command ends.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crm_host::credentials::Broker;

/// How long a token may take to arrive and to be saved: a little more than a broker waits for a server.
const LIMIT: Duration = Duration::from_secs(35);

/// The brokers of the plugins that this command loaded.
#[derive(Clone, Default)]
pub(crate) struct Brokers(Arc<Mutex<Vec<Broker>>>);

impl Brokers {
    /// Notes a broker.
    pub(crate) fn add(&self, broker: &Broker) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(broker.clone());
    }

    /// Waits until what they got from servers is saved, and returns whether all is.
    pub(crate) async fn drain(&self) -> bool {
        let brokers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut is_saved = true;
        let drained = async {
            for broker in brokers {
                is_saved &= broker.drain(LIMIT).await;
            }
        };
        // Most commands have one broker, and the limit is for all of them.
        tokio::time::timeout(LIMIT, drained).await.is_ok() && is_saved
    }
}
