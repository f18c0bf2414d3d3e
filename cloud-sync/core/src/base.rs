//! What every service stands on: the store, the time, the settings, and the bell that rings when
//! facts change, in this instance and in the others.

use std::sync::{Arc, OnceLock};

use domain::clock::Clock;
use tokio::sync::{broadcast, watch};

use crate::{
    ingest::Alarms,
    news::SpotNews,
    settings::Settings,
    store::{Instance, Store},
};

/// Shared by all services.
#[derive(Clone)]
pub(crate) struct Base {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) news: broadcast::Sender<SpotNews>,
    /// Once this process serves.
    pub(crate) instance: Arc<OnceLock<Instance>>,
    pub(crate) alarms: Arc<Alarms>,
}

impl Base {
    /// Now, in milliseconds UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().wall.timestamp_millis()
    }

    /// Tells everybody who listens, here and elsewhere, that what they show has changed.
    pub(crate) fn changed(&self) {
        self.changed_elsewhere();
        if let Some(instance) = self.instance.get() {
            instance.tell(String::new());
        }
    }

    /// Tells everybody who listens here.
    pub(crate) fn changed_elsewhere(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}
