//! Pauses between attempts: exponential with full jitter, so that a thousand sites that lost the
//! cloud together do not come back together.

use std::time::Duration;

/// Counts failures in a row and says how long to wait.
#[derive(Debug)]
pub(super) struct BackOff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl BackOff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// Failures since the last success.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Starts again from the shortest pause.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The pause after one more failure; `random` is from 0 to 1.
    pub(super) fn pause(&mut self, random: f64) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        doubled.min(self.longest).mul_f64(random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_begin_anew_after_a_success() {
        let mut back_off = BackOff::new(Duration::from_millis(500), Duration::from_secs(30));
        let pauses: Vec<_> = (0..9).map(|_| back_off.pause(1.0).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        for _ in 0..100 {
            assert_eq!(back_off.pause(1.0), Duration::from_secs(30));
        }
        back_off.succeeded();
        assert_eq!(back_off.pause(0.5), Duration::from_millis(250));
        assert_eq!(back_off.pause(0.0), Duration::ZERO);
    }
}
