//! What an admin can set about a charging site. Everything is bounded, so that no setting can make
//! the schedule unanswerable.

use serde::{Deserialize, Serialize};

use super::{BadPeriods, Mode, Rate, Tariff};

/// Most piles of one mode.
const MOST_PILES: u32 = 50;
/// Most places in the waiting area.
const MOST_WAITING: u32 = 200;
/// Longest queue of one pile.
const LONGEST_QUEUE: u32 = 20;
/// Least and most power of a pile, in watts.
const POWER_W: std::ops::RangeInclusive<i64> = 1000..=1_000_000;
/// Highest rate: 100 yuan.
const MOST_RATE: i64 = 1_000_000;

/// The settings of a charging site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Fast piles.
    pub fast_piles: u32,
    /// Slow piles.
    pub slow_piles: u32,
    /// Places in the waiting area, for both modes together.
    pub waiting_places: u32,
    /// Cars at one pile, the one that charges included.
    pub queue_length: u32,
    /// Power of a fast pile, in watts.
    pub fast_power_w: i64,
    /// Power of a slow pile, in watts.
    pub slow_power_w: i64,
    /// What charging costs.
    pub tariff: Tariff,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            fast_piles: 2,
            slow_piles: 3,
            waiting_places: 6,
            queue_length: 2,
            fast_power_w: 30_000,
            slow_power_w: 7000,
            tariff: Tariff::default(),
        }
    }
}

/// A setting that is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadParameter {
    /// A number.
    #[error("use {from} to {to}")]
    Range {
        /// Its name in [`Parameters`], [`super::Rates`].
        name: &'static str,
        /// The least that is allowed; yuan for a rate, kW for a power.
        from: i64,
        /// The most.
        to: i64,
    },
    /// The periods.
    #[error(transparent)]
    Periods(#[from] BadPeriods),
}

impl Parameters {
    /// Piles of a mode.
    pub const fn piles(&self, mode: Mode) -> u32 {
        match mode {
            Mode::Fast => self.fast_piles,
            Mode::Slow => self.slow_piles,
        }
    }

    /// Power of the piles of a mode, in watts.
    pub const fn power_w(&self, mode: Mode) -> i64 {
        match mode {
            Mode::Fast => self.fast_power_w,
            Mode::Slow => self.slow_power_w,
        }
    }

    /// Whether a site can work by them.
    ///
    /// # Errors
    /// Names the first setting that is out of its range, and the range.
    pub fn check(&self) -> Result<(), BadParameter> {
        let range = |name, is_in: bool, from: i64, to: i64| {
            if is_in { Ok(()) } else { Err(BadParameter::Range { name, from, to }) }
        };
        let count = |name, value: u32, from: u32, to: u32| {
            range(name, (from..=to).contains(&value), from.into(), to.into())
        };
        let power = |name, value| {
            range(name, POWER_W.contains(&value), POWER_W.start() / 1000, POWER_W.end() / 1000)
        };
        let rate = |name, Rate(value)| {
            range(name, (0..=MOST_RATE).contains(&value), 0, MOST_RATE / 10_000)
        };
        count("fast_piles", self.fast_piles, 1, MOST_PILES)?;
        count("slow_piles", self.slow_piles, 1, MOST_PILES)?;
        count("waiting_places", self.waiting_places, 0, MOST_WAITING)?;
        count("queue_length", self.queue_length, 1, LONGEST_QUEUE)?;
        power("fast_power_w", self.fast_power_w)?;
        power("slow_power_w", self.slow_power_w)?;
        let rates = self.tariff.rates;
        rate("peak", rates.peak)?;
        rate("normal", rates.normal)?;
        rate("valley", rates.valley)?;
        rate("service", rates.service)?;
        Ok(self.tariff.periods.check()?)
    }
}
