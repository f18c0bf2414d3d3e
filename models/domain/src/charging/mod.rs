//! A charging site as a pure state machine: who waits, who charges where and until when, and what
//! it costs. Time and calendar days are passed in, so that one big step through time reaches the
//! same state, by the same moments, as many small ones.
//!
//! Energy is whole watt-hours (as a meter shows them), power watts, time milliseconds UTC.

mod bill;
mod facts;
mod parameters;
mod period;
mod piles;
mod requests;
mod schedule;
mod site;
mod station;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::{
    bill::{Bill, Delivery, Part, Rate, Rates, Reading, Tariff},
    facts::{
        ChargeAssigned, ChargeBlocked, ChargeEnded, ChargeMetered, ChargeStarted, ChargeStop,
        ChargerFound, ChargersFound, EndCause,
    },
    parameters::{BadParameter, Parameters},
    period::{BadPeriods, Period, Periods, Window},
    piles::{Pile, PileStatus, Running},
    requests::{NewRequest, Rank, Request},
    site::{AtSite, SiteEnd, Stopping},
    station::{Cause, Event, Numbers, Place, Refusal, Station, What},
};

/// Watt-milliseconds in a watt-hour.
const MS_PER_HOUR: i128 = 3_600_000;

/// How a car is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// At a fast pile.
    Fast,
    /// At a slow (trickle) pile.
    Slow,
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fast, Self::Slow];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Slow => "slow",
        }
    }

    /// What a queue number of this mode begins with: `F`, or `T` for trickle.
    pub const fn letter(self) -> char {
        match self {
            Self::Fast => 'F',
            Self::Slow => 'T',
        }
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or(())
    }
}

/// The name of a pile: `FAST-001`, `SLOW-003`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PileId {
    /// How it charges.
    pub mode: Mode,
    /// Counted from 1 for each mode.
    pub number: u32,
}

impl fmt::Display for PileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.mode {
            Mode::Fast => "FAST",
            Mode::Slow => "SLOW",
        };
        write!(f, "{kind}-{:03}", self.number)
    }
}

/// A text that is no name of a pile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pile is named like FAST-001 or SLOW-001")]
pub struct BadPileId;

impl FromStr for PileId {
    type Err = BadPileId;

    fn from_str(text: &str) -> Result<Self, BadPileId> {
        let (kind, digits) = text.split_once('-').ok_or(BadPileId)?;
        let mode = match kind {
            "FAST" => Mode::Fast,
            "SLOW" => Mode::Slow,
            _ => return Err(BadPileId),
        };
        let id = Self { mode, number: digits.parse().map_err(|_| BadPileId)? };
        // One pile has one name: `FAST-1` and `FAST-+01` are none.
        if id.number > 0 && id.to_string() == text { Ok(id) } else { Err(BadPileId) }
    }
}

impl TryFrom<String> for PileId {
    type Error = BadPileId;

    fn try_from(text: String) -> Result<Self, BadPileId> {
        text.parse()
    }
}

impl From<PileId> for String {
    fn from(id: PileId) -> Self {
        id.to_string()
    }
}

/// How long a pile takes to deliver some energy, rounded up to the millisecond.
pub fn charge_ms(energy_wh: i64, power_w: i64) -> i64 {
    assert!(power_w > 0, "a pile has power");
    let exact = i128::from(energy_wh.max(0)) * MS_PER_HOUR;
    let power = i128::from(power_w);
    i64::try_from((exact + power - 1) / power).unwrap_or(i64::MAX)
}

/// What a meter shows after some time at a power: the whole watt-hours.
pub fn metered_wh(elapsed_ms: i64, power_w: i64) -> i64 {
    let exact = i128::from(elapsed_ms.max(0)) * i128::from(power_w) / MS_PER_HOUR;
    i64::try_from(exact).unwrap_or(i64::MAX)
}
