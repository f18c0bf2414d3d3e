//! How many messages a peer may send.

use std::time::Duration;

/// Messages a second that no healthy vision reaches: a busy camera sends a few.
const PER_SECOND: f64 = 100.0;
/// Messages at once, so that what waited while the core was slow is not taken for a flood.
const BURST: f64 = 1000.0;

/// A bucket of permissions that fills with time. Time is passed in, from any fixed start.
#[derive(Debug)]
pub struct Limit {
    left: f64,
    at: Duration,
}

impl Limit {
    /// A full bucket.
    pub fn new(now: Duration) -> Self {
        Self { left: BURST, at: now }
    }

    /// Takes one permission; false where none is left.
    pub fn take(&mut self, now: Duration) -> bool {
        let elapsed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + elapsed * PER_SECOND).min(BURST);
        let granted = self.left >= 1.0;
        if granted {
            self.left -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_does_not() {
        let mut limit = Limit::new(Duration::ZERO);
        assert!((0..1000).all(|_| limit.take(Duration::ZERO)));
        assert!(!limit.take(Duration::ZERO));
        assert!(limit.take(Duration::from_millis(20)));
    }

    #[test]
    fn a_steady_peer_is_never_refused() {
        let mut limit = Limit::new(Duration::ZERO);
        assert!((0..100_000).all(|i| limit.take(Duration::from_millis(i * 10))));
    }
}
