//! The machine's clock.

use std::time::Instant;

use chrono::Utc;
use domain::clock::{Clock, ClockQuality, Stamp};

/// The time of this machine, which the cloud takes to be right.
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[expect(clippy::new_without_default, reason = "two of them differ")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        let monotonic_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Stamp { wall: Utc::now(), monotonic_ms, quality: ClockQuality::Synchronised }
    }
}
