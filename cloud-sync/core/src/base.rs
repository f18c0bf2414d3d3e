//! What every service stands on: the store, the time, and the bell that rings when facts change.

use std::sync::Arc;

use domain::clock::Clock;
use tokio::sync::watch;

use crate::store::Store;

/// Shared by all services.
#[derive(Clone)]
pub(crate) struct Base {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) changes: watch::Sender<u64>,
}

impl Base {
    /// Now, in milliseconds UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().wall.timestamp_millis()
    }

    /// Tells everybody who listens that what they show has changed.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}
