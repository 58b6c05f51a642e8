//! Ending a process without losing tokens.
//!
//! A refresh, an exchange of a code and a revocation run in tasks of their own, because each holds what exists nowhere else until
//! it is saved. A runtime that ends drops its tasks, so a process waits for them first.

use std::{sync::Arc, time::Duration};

use super::{
    Broker,
    broker::{Shared, lock},
};

/// The tasks under way, and whether new ones may begin.
#[derive(Debug, Default)]
pub(super) struct Work {
    tasks: usize,
    is_draining: bool,
}

/// A task that [`Broker::drain`] waits for.
pub(super) struct Task(Arc<Shared>);

impl Shared {
    /// Begins a task; `None` if the process is about to end.
    pub(super) fn begin(self: &Arc<Self>) -> Option<Task> {
        let begins = self.work.send_if_modified(|work| {
            work.tasks += usize::from(!work.is_draining);
            !work.is_draining
        });
        begins.then(|| Task(self.clone()))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.work.send_modify(|work| work.tasks = work.tasks.saturating_sub(1));
    }
}

impl Broker {
    /// Refuses new refreshes, connections and disconnections from now on, and waits until those under way are saved, at most for
    /// `limit`. Returns whether all were. To be called before the process ends; it may be repeated.
    #[must_use = "tokens are lost if the process ends before they are saved"]
    pub async fn drain(&self, limit: Duration) -> bool {
        let shared = &self.shared;
        shared.work.send_modify(|work| work.is_draining = true);
        let saved = async {
            // The sender lives in `shared`, so waiting cannot fail.
            let _ = shared.work.subscribe().wait_for(|work| work.tasks == 0).await;
            let unsaved: Vec<_> = lock(&shared.unsaved).keys().cloned().collect();
            for key in unsaved {
                // Loading saves it first; if that fails, it stays in the list.
                let _ = shared.load(&key).await;
            }
        };
        tokio::time::timeout(limit, saved).await.is_ok() && lock(&shared.unsaved).is_empty()
    }
}
