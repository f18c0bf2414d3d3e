//! Tells the cloud what the journal says, in order, whenever it can be reached.
//!
//! - An event counts as told only when the cloud says, in so many words, that it is on its disk. No
//!   page of a captive portal, no redirect, no empty 200 is taken for that.
//! - Events go in order and in batches; pictures follow the events that name them and never hold
//!   an event up.
//! - One event that the cloud cannot take is set aside, with the reason as an event of its own, and
//!   the rest goes on.
//! - Nothing is tried without a pause: pauses double up to a bound and are spread over all sites.
//!   What hinders is named in the [`ReplayStatus`].

mod back_off;
mod events;
mod judge;
mod outbox;
mod pictures;
mod status;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use domain::envelope::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS};
use tokio::sync::watch;

pub use status::{ReplayState, ReplayStatus};

use crate::{
    cloud::Cloud,
    journal::{JournalHandle, Limits, Reader, StateDir},
};

/// Everything about replay that is a matter of time or size.
#[derive(Debug, Clone)]
pub struct Timing {
    /// How long after an event's commit others may still join its batch.
    pub linger: Duration,
    /// The first pause after a failure; it doubles from there.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// The longest time that the cloud's `Retry-After` is obeyed for.
    pub longest_retry_after: Duration,
    /// What goes into one batch.
    pub batch: Limits,
}

/// Bytes of a batch that are not its items.
const BATCH_OVERHEAD: usize = 512;

impl Default for Timing {
    fn default() -> Self {
        Self {
            linger: Duration::from_millis(10),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            longest_retry_after: Duration::from_secs(300),
            batch: Limits { events: MAX_BATCH_EVENTS, bytes: MAX_BATCH_BYTES - BATCH_OVERHEAD },
        }
    }
}

/// Replays the journal below `state` to `cloud` until it is dropped. What is on its way then is
/// sent again by the next run, which changes nothing at the cloud.
///
/// The receiver says how it goes.
pub fn replay(
    state: StateDir,
    journal: JournalHandle,
    reader: Reader,
    cloud: Arc<Cloud>,
    timing: Timing,
) -> (impl Future<Output = ()> + Send, watch::Receiver<ReplayStatus>) {
    let reader = outbox::Desk::new(reader, Arc::clone(&cloud));
    let (status, watched) = status::channel();
    let events =
        events::Events::new(Arc::clone(&cloud), journal.clone(), reader.clone(), &timing, status);
    let pictures = pictures::Pictures::new(state, cloud, journal, reader, timing);
    let run = async {
        tokio::join!(events.run(), pictures.run());
    };
    (run, watched)
}
