//! Tells the cloud what the journal says, in order, whenever it can be reached.
//!
//! - An event counts as told only when the cloud says, in so many words, that it is on its disk. No
//!   page of a captive portal, no redirect, no empty 200 is taken for that.
//! - Events go in batches, compressed; what happens now overtakes what has waited (`overtake`),
//!   and the cloud still applies everything in the journal's order. Pictures go when no event waits,
//!   each after the event that names it, in parts, and never twice.
//! - No more goes up than the configured limit, and nothing keeps the line for long (`pace`).
//! - One event that the cloud cannot take is set aside, with the reason as an event of its own, and
//!   the rest goes on.
//! - Nothing is tried without a pause: pauses double up to a bound and are spread over all sites.
//!   What hinders is named in the [`ReplayStatus`].

mod back_off;
mod events;
mod judge;
mod outbox;
mod overtake;
mod pace;
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
    /// A batch that took longer is followed by a smaller one, so that what happens meanwhile does
    /// not wait behind it.
    pub batch_within: Duration,
    /// Most kilobits per second that go up; none for no limit.
    pub max_upload_kbit_s: Option<u32>,
    /// Most bytes that the journal may have.
    pub journal_max_bytes: u64,
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
            batch_within: Duration::from_secs(1),
            max_upload_kbit_s: None,
            journal_max_bytes: 1 << 30,
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
    let max_bytes = timing.journal_max_bytes;
    let reader = outbox::Desk::new(reader, Arc::clone(&cloud), state.clone(), max_bytes);
    let (status, watched) = status::channel();
    let line = Arc::new(pace::Pace::new(timing.max_upload_kbit_s));
    let events = events::Events::new(
        events::Ends { cloud: Arc::clone(&cloud), journal: journal.clone(), desk: reader.clone() },
        Arc::clone(&line),
        &timing,
        status,
    );
    let pictures = pictures::Pictures::new(state, cloud, journal, reader, line, &timing);
    let run = async {
        tokio::join!(events.run(), pictures.run());
    };
    (run, watched)
}
