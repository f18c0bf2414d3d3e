//! When something happened to a charge, whatever becomes of the wall clock: the cloud's clock at the
//! assignment, and from there on the monotonic one. Only where the machine itself was off in between
//! is the wall clock asked, once it is set.

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::{ClockQuality, Stamp};

/// The time line of one charge. It never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timeline {
    at: DateTime<Utc>,
    monotonic_ms: u64,
    /// Whether it is only an estimate, to be replaced by a wall clock that is set.
    is_estimate: bool,
}

impl Timeline {
    /// One that begins with what the cloud's clock shows now.
    pub const fn new(cloud_now: DateTime<Utc>, now: Stamp) -> Self {
        Self { at: cloud_now, monotonic_ms: now.monotonic_ms, is_estimate: false }
    }

    /// One that was at `at` when something was journaled at `then`, in this run or an earlier one.
    pub fn resumed(at: DateTime<Utc>, then: Stamp, now: Stamp) -> Self {
        let set = |stamp: Stamp| stamp.quality == ClockQuality::Synchronised;
        let same_run_ms = now.monotonic_ms.checked_sub(then.monotonic_ms);
        let (passed, is_estimate) = match same_run_ms {
            _ if set(then) && set(now) => ((now.wall - then.wall).max(TimeDelta::zero()), false),
            // It may be another run of the machine, which has been on for longer than the first.
            Some(passed_ms) => (milliseconds(passed_ms), true),
            None => (milliseconds(now.monotonic_ms), true),
        };
        let at = at.checked_add_signed(passed).unwrap_or(at);
        Self { at, monotonic_ms: now.monotonic_ms, is_estimate }
    }

    /// The present.
    pub fn now(&mut self, now: Stamp) -> DateTime<Utc> {
        let passed = milliseconds(now.monotonic_ms.saturating_sub(self.monotonic_ms));
        let counted = self.at.checked_add_signed(passed).unwrap_or(self.at);
        let is_set = now.quality == ClockQuality::Synchronised;
        if self.is_estimate && is_set {
            let at = now.wall.max(self.at);
            *self = Self { at, monotonic_ms: now.monotonic_ms, is_estimate: false };
            return at;
        }
        (self.at, self.monotonic_ms) = (counted, now.monotonic_ms.max(self.monotonic_ms));
        counted
    }
}

fn milliseconds(ms: u64) -> TimeDelta {
    i64::try_from(ms).ok().and_then(TimeDelta::try_milliseconds).unwrap_or(TimeDelta::zero())
}
