//! Pauses between attempts: doubled each time, bounded, and spread so that devices which were lost
//! together do not come back together.

use std::time::Duration;

use rand::Rng;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// The pause before the next attempt.
#[derive(Debug)]
pub(super) struct BackOff(Duration);

impl BackOff {
    pub fn new() -> Self {
        Self(FIRST)
    }

    /// Starts over, after a success.
    pub fn reset(&mut self) {
        self.0 = FIRST;
    }

    /// The next pause: between half of the step and all of it.
    pub fn next(&mut self) -> Duration {
        let step = self.0;
        self.0 = (step * 2).min(LONGEST);
        step.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_bound_and_starts_over() {
        let mut back_off = BackOff::new();
        assert!(back_off.next() <= FIRST);
        let late = (0..20).map(|_| back_off.next()).last().expect("twenty");
        assert!(late >= LONGEST / 2 && late <= LONGEST);
        back_off.reset();
        assert!(back_off.next() <= FIRST);
    }
}
