//! What systemd is told: that we are ready, that we stop, that the control loop goes round. Without
//! systemd all of this does nothing.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use sd_notify::NotifyState;

/// Everything runs.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// We are about to stop.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be told how we are");
    }
}

/// systemd's watchdog. It is fed no more often than it needs, however often the loop goes round.
#[derive(Debug)]
pub struct Watchdog {
    every_ms: Option<u64>,
    fed_ms: AtomicU64,
}

impl Watchdog {
    /// As the unit asks for; none where it asks for none.
    pub fn from_environment() -> Self {
        Self::new(sd_notify::watchdog_enabled())
    }

    /// A watchdog that bites after `limit` without food.
    pub fn new(limit: Option<Duration>) -> Self {
        let every_ms = limit.map(|limit| u64::try_from(limit.as_millis() / 4).unwrap_or(u64::MAX));
        Self { every_ms, fed_ms: AtomicU64::new(0) }
    }

    /// Feeds it, where it is due.
    pub(super) fn feed(&self, now_ms: u64) {
        if self.is_due(now_ms) {
            self.fed_ms.store(now_ms, Ordering::Relaxed);
            tell(&[NotifyState::Watchdog]);
        }
    }

    fn is_due(&self, now_ms: u64) -> bool {
        let since_ms = now_ms.saturating_sub(self.fed_ms.load(Ordering::Relaxed));
        self.every_ms.is_some_and(|every_ms| since_ms >= every_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_fed_four_times_within_its_limit() {
        let watchdog = Watchdog::new(Some(Duration::from_secs(8)));
        let fed: Vec<u64> = (10_000..20_000)
            .step_by(10)
            .filter(|&now_ms| {
                let due = watchdog.is_due(now_ms);
                watchdog.feed(now_ms);
                due
            })
            .collect();
        assert_eq!(fed, [10_000, 12_000, 14_000, 16_000, 18_000]);
        assert!(!Watchdog::new(None).is_due(1_000_000));
    }
}
