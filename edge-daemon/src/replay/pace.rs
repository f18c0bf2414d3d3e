//! How much goes up the line. What was sent is paid for before the next is, so that no more than the
//! limit goes up over any few seconds; what is sent at once is kept small, so that nothing that
//! happens now waits for long behind it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// Bytes of a request and its answer beside the body: headers, TLS, the way back.
const OVERHEAD: usize = 600;
/// How long what is sent at once may keep the line.
const AT_ONCE: Duration = Duration::from_millis(400);
/// Least that is sent at once, so that a slow line is not filled with headers.
const LEAST: usize = 2048;

/// The line's budget, which events and pictures share.
pub(super) struct Pace(Option<Mutex<Budget>>);

struct Budget {
    bytes_per_s: f64,
    /// Negative while what was sent is not paid for.
    balance: f64,
    at: Instant,
}

impl Pace {
    /// At most so many kilobits per second; none for no limit.
    pub(super) fn new(kbit_s: Option<u32>) -> Self {
        Self(kbit_s.map(|kbit_s| {
            let bytes_per_s = f64::from(kbit_s) * 1000.0 / 8.0;
            Mutex::new(Budget { bytes_per_s, balance: 0.0, at: Instant::now() })
        }))
    }

    /// Waits until everything that was sent is paid for.
    pub(super) async fn ready(&self) {
        let Some(budget) = &self.0 else { return };
        loop {
            let wait = lock(budget).owed(Instant::now());
            if wait.is_zero() {
                return;
            }
            sleep(wait).await;
        }
    }

    /// A body of so many bytes went up.
    pub(super) fn sent(&self, bytes: usize) {
        if let Some(budget) = &self.0 {
            lock(budget).balance -= (bytes + OVERHEAD) as f64;
        }
    }

    /// Bytes that may be sent at once, `most` where there is no limit.
    pub(super) fn at_once(&self, most: usize) -> usize {
        let Some(budget) = &self.0 else { return most };
        let share = lock(budget).bytes_per_s * AT_ONCE.as_secs_f64();
        (share as usize).max(LEAST).min(most)
    }
}

impl Budget {
    /// How long until the balance is even. Nothing is saved up.
    fn owed(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.balance = (self.balance + passed * self.bytes_per_s).min(0.0);
        Duration::from_secs_f64(-self.balance / self.bytes_per_s)
    }
}

fn lock(budget: &Mutex<Budget>) -> std::sync::MutexGuard<'_, Budget> {
    budget.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_goes_up_than_the_limit_and_nothing_is_saved_up() {
        let mut now = Instant::now();
        let mut budget = Budget { bytes_per_s: 10_000.0, balance: 0.0, at: now };
        now += Duration::from_secs(3600);
        let (began, mut sent) = (now, 0.0);
        while now - began < Duration::from_secs(60) {
            now += budget.owed(now);
            budget.balance -= 4000.0;
            sent += 4000.0;
        }
        assert!((590_000.0..=604_000.0).contains(&sent), "{sent}");
    }

    #[tokio::test]
    async fn without_a_limit_nothing_waits() {
        let pace = Pace::new(None);
        pace.sent(1 << 30);
        pace.ready().await;
        assert_eq!(pace.at_once(77), 77);
    }
}
