//! How long to pause before something that failed is tried again. Pure: time and chance are passed
//! in.

use std::time::Duration;

/// Counts failures and says how long to pause. Times are since any fixed moment.
#[derive(Debug)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    stable_after: Duration,
    failures: u32,
    started_at: Duration,
}

impl Backoff {
    /// Nothing has failed yet.
    pub fn new(initial: Duration, max: Duration, stable_after: Duration) -> Self {
        Self { initial, max, stable_after, failures: 0, started_at: Duration::ZERO }
    }

    /// A start was made.
    pub fn started(&mut self, now: Duration) {
        self.started_at = now;
    }

    /// What was started failed: the pause before the next start. It doubles with each failure up
    /// to the longest, and `jitter` (0 to 1, at random) takes up to half of it away, so that what
    /// failed together does not come back together.
    pub fn failed(&mut self, now: Duration, jitter: f32) -> Duration {
        if now.saturating_sub(self.started_at) >= self.stable_after {
            self.failures = 0;
        }
        let pause = self.initial.saturating_mul(1 << self.failures.min(20)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        pause.mul_f32(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_a_stable_run_resets_them() {
        let mut backoff = Backoff::new(secs(1), secs(10), secs(100));
        let mut now = secs(0);
        for expected in [1, 2, 4, 8, 10, 10] {
            backoff.started(now);
            now += secs(1);
            assert_eq!(backoff.failed(now, 0.0), secs(expected));
        }
        backoff.started(now);
        assert_eq!(backoff.failed(now + secs(99), 0.0), secs(10));
        backoff.started(now);
        assert_eq!(backoff.failed(now + secs(100), 0.0), secs(1));
    }

    #[test]
    fn jitter_takes_away_up_to_half_and_years_of_failures_overflow_nothing() {
        let mut backoff = Backoff::new(secs(1), secs(60), secs(100));
        assert_eq!(backoff.failed(secs(1), 1.0), Duration::from_millis(500));
        for _ in 0..10_000 {
            let pause = backoff.failed(secs(1), 0.5);
            assert!(pause <= secs(45));
        }
    }
}
