//! What a charge has got, from a meter whose register counts for ever. A meter that begins anew,
//! falls back to an older value or shows nonsense for a moment neither doubles nor takes away what
//! was counted; what it counted while it was not read for long and began anew is lost, and billed to
//! nobody.

/// What a meter may be off by, beside what its charger can deliver, in watt-hours.
const TOLERANCE_WH: u64 = 100;
/// A register that began anew is believed to have done so since the last reading where that is at
/// most so long ago.
const ANEW_WITHIN_MS: u64 = 10 * 60 * 1000;
/// How long a register may not have been read where nobody can say how long it was.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

/// A register as it was read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    wh: u64,
    /// Monotonic; none for one of an earlier run of the machine.
    at_ms: Option<u64>,
}

/// A reading before the register did what it should not, and what was counted since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Before {
    reading: Reading,
    counted_wh: u64,
}

/// Follows the register of one meter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Register {
    last: Option<Reading>,
    before: Option<Before>,
}

impl Register {
    /// A register that showed `wh` at a moment of the monotonic clock, in this run of the machine
    /// or, without one, in an earlier.
    pub fn known(wh: u64, at_ms: Option<u64>) -> Self {
        Self { last: Some(Reading { wh, at_ms }), before: None }
    }

    /// What it showed last.
    pub fn wh(&self) -> Option<u64> {
        self.last.map(|last| last.wh)
    }

    /// Takes a reading of a meter behind which at most `most_w` flow; returns what is to be
    /// counted for it, in watt-hours.
    pub fn take(&mut self, wh: u64, now_ms: u64, most_w: u64) -> u64 {
        let now = Reading { wh, at_ms: Some(now_ms) };
        let Some(last) = self.last.replace(now) else { return 0 };
        if let Some(more_wh) = last.advance_to(&now, most_w) {
            self.before = self.before.map(|b| Before { counted_wh: b.counted_wh + more_wh, ..b });
            return more_wh;
        }
        // It may be back where it was before.
        if let Some(before) = self.before.take()
            && let Some(more_wh) = before.reading.advance_to(&now, most_w)
        {
            return more_wh.saturating_sub(before.counted_wh);
        }
        let counted_wh = if last.is_anew(&now, most_w) { wh } else { 0 };
        self.before = Some(Before { reading: last, counted_wh });
        counted_wh
    }
}

impl Reading {
    fn passed_ms(&self, now: &Self) -> Option<u64> {
        Some(now.at_ms?.saturating_sub(self.at_ms?))
    }

    /// What was delivered until a later reading, where that can be.
    fn advance_to(&self, now: &Self, most_w: u64) -> Option<u64> {
        let passed_ms = self.passed_ms(now).unwrap_or(LONGEST_MS);
        now.wh.checked_sub(self.wh).filter(|more_wh| *more_wh <= most_wh(passed_ms, most_w))
    }

    /// Whether the register has begun at zero since.
    fn is_anew(&self, now: &Self, most_w: u64) -> bool {
        let recent = self.passed_ms(now).filter(|passed_ms| *passed_ms <= ANEW_WITHIN_MS);
        now.wh < self.wh && recent.is_some_and(|passed_ms| now.wh <= most_wh(passed_ms, most_w))
    }
}

fn most_wh(passed_ms: u64, most_w: u64) -> u64 {
    (u128::from(passed_ms) * u128::from(most_w) / 3_600_000) as u64 + TOLERANCE_WH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST_W: u64 = 22_000;
    const SECOND: u64 = 1_000;

    /// What is counted of readings each a second after the one before.
    fn counted(readings: &[u64]) -> u64 {
        let mut register = Register::default();
        (1..).zip(readings).map(|(s, wh)| register.take(*wh, s * SECOND, MOST_W)).sum()
    }

    #[test]
    fn a_register_counts_from_where_it_was_first_read() {
        assert_eq!(counted(&[1_000_000, 1_000_006, 1_000_012]), 12);
        assert_eq!(counted(&[7]), 0);
    }

    #[test]
    fn one_that_begins_anew_goes_on_counting() {
        assert_eq!(counted(&[1_000_000, 1_000_006, 2, 8]), 14);
        assert_eq!(counted(&[1_000_000, 1_000_006, 0, 6, 12]), 18);
    }

    #[test]
    fn one_that_falls_back_doubles_nothing() {
        assert_eq!(counted(&[1_000_000, 1_000_050, 1_000_020, 1_000_026]), 56);
    }

    #[test]
    fn nonsense_for_a_moment_costs_nothing() {
        assert_eq!(counted(&[1_000_000, 1_000_006, 3, 1_000_018]), 18);
        assert_eq!(counted(&[1_000_000, 1_000_006, 90_000_000, 1_000_018, 1_000_024]), 24);
        assert_eq!(counted(&[1_000_000, u64::MAX, 0, u64::MAX, 1_000_006]), 0);
    }

    #[test]
    fn a_long_gap_is_counted_where_the_register_went_on_and_not_where_it_began_anew() {
        for (later, expected) in [(1_020_000, 20_000), (3_000, 0), (9_000_000, 0)] {
            let mut register = Register::known(1_000_000, Some(0));
            assert_eq!(register.take(later, 3_600 * SECOND, MOST_W), expected);
            let mut unknown = Register::known(1_000_000, None);
            assert_eq!(unknown.take(later, 5 * SECOND, MOST_W), expected);
        }
    }

    #[derive(Debug, Clone)]
    enum Act {
        Deliver { w: u64, ms: u64 },
        Anew,
        Glitch { wh: u64 },
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            12 => (0..=MOST_W, 500u64..5_000).prop_map(|(w, ms)| Act::Deliver { w, ms }),
            1 => Just(Act::Anew),
            1 => any::<u64>().prop_map(|wh| Act::Glitch { wh }),
        ];
        prop::collection::vec(act, 1..200)
    }

    proptest! {
        /// What is lost is at most what flowed between two readings around each reset.
        #[test]
        fn nothing_is_doubled_and_little_is_lost(acts in acts(), start in 0u64..10_000_000) {
            let (mut register, mut wh, mut now_ms) = (Register::default(), start as f64, 0);
            let (mut delivered_wh, mut counted_wh, mut events) = (0.0, 0, 0.0);
            counted_wh += register.take(wh as u64, now_ms, MOST_W);
            for act in acts {
                let mut shown = None;
                match act {
                    Act::Deliver { w, ms } => {
                        let more_wh = w as f64 * ms as f64 / 3_600_000.0;
                        (wh, delivered_wh, now_ms) = (wh + more_wh, delivered_wh + more_wh, now_ms + ms);
                    }
                    Act::Anew => (wh, events) = (0.0, events + 1.0),
                    Act::Glitch { wh } => {
                        (shown, events) = (Some(wh), events + 1.0);
                        now_ms += SECOND;
                    }
                }
                counted_wh += register.take(shown.unwrap_or(wh as u64), now_ms, MOST_W);
            }
            // A nonsense value may lie within what could have been delivered.
            let most_wh = delivered_wh + events * (TOLERANCE_WH as f64 + 40.0);
            prop_assert!(counted_wh as f64 <= most_wh + 1.0, "{counted_wh} of {delivered_wh}");
            let least_wh = delivered_wh - events * (TOLERANCE_WH as f64 + 80.0) - 1.0;
            prop_assert!(counted_wh as f64 >= least_wh, "{counted_wh} of {delivered_wh}");
        }
    }
}
