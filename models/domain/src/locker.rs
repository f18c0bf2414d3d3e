//! Lockers: how long one is rented, what that costs, and the states of a cabinet and an order.
//! A price is for an hour; an amount is rounded once, at the end.

mod code;
mod site;

use std::{fmt, str::FromStr};

pub use self::{
    code::{CodeHash, SALT_BYTES},
    site::{By, Cabinet, Denial, Held, LockerFact, Trouble},
};
use crate::money::Fen;

const HOUR_MS: i64 = 3_600_000;

/// A time of rent in hundredths of an hour, 36 s, so that hours with two decimals are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours(i64);

/// Why a text is no time that can be rented.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time: use 0.5 to 8760 hours with at most 2 decimals, as in 1.50")]
pub struct BadHours(String);

impl Hours {
    /// The shortest time: half an hour.
    pub const SHORTEST: Self = Self(50);
    /// The longest time: a year.
    pub const LONGEST: Self = Self(8760 * 100);

    /// So many hundredths of an hour, as they were kept.
    pub const fn from_hundredths(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// In hundredths of an hour.
    pub const fn hundredths(self) -> i64 {
        self.0
    }

    /// In milliseconds.
    pub const fn millis(self) -> i64 {
        self.0 * (HOUR_MS / 100)
    }

    /// Both times together; none where that is longer than the longest.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self).filter(|sum| *sum <= Self::LONGEST)
    }

    /// What the time costs.
    pub fn cost(self, price_per_hour: Fen) -> Fen {
        Fen::half_up(i128::from(price_per_hour.0) * i128::from(self.0), 100)
    }
}

/// Hours with two decimals, as documents write them: `1.50`.
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Fen(self.0).fmt(f)
    }
}

impl FromStr for Hours {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        // Hundredths of an hour are written as hundredths of a yuan are.
        let hours = text.trim().parse::<Fen>().map(|Fen(hundredths)| Self(hundredths));
        hours
            .ok()
            .filter(|hours| (Self::SHORTEST..=Self::LONGEST).contains(hours))
            .ok_or_else(|| BadHours(text.chars().take(40).collect()))
    }
}

/// What the time beyond the end costs: each started hour at the price of one.
pub fn overtime(price_per_hour: Fen, late_ms: i64) -> Fen {
    let started = late_ms.max(0).saturating_add(HOUR_MS - 1) / HOUR_MS;
    Fen(price_per_hour.0.saturating_mul(started))
}

/// Makes an enumeration of words that are kept and sent as they are.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let found = Self::ALL.iter().find(|value| value.as_str() == text);
                found.copied().ok_or(UnknownWord { known: concat!($($word, " "),+) })
            }
        }
    )+};
}

/// Why a text is none of the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {known}")]
pub struct UnknownWord {
    known: &'static str,
}

words! {
    /// How much fits in.
    Size {
        /// A backpack.
        Small = "small",
        /// A suitcase.
        Medium = "medium",
        /// Several suitcases.
        Large = "large",
    }

    /// Whether a cabinet can be ordered.
    CabinetStatus {
        /// It can.
        Available = "available",
        /// Somebody has it, or it is blocked.
        InUse = "in_use",
        /// It is being repaired.
        Maintenance = "maintenance",
    }

    /// How far an order has come.
    OrderStatus {
        /// Made and not paid.
        Pending = "pending",
        /// Paid and not opened yet.
        Paid = "paid",
        /// Opened at least once.
        InUse = "in_use",
        /// Ended.
        Completed = "completed",
        /// Not paid, and given up.
        Cancelled = "cancelled",
    }
}

impl OrderStatus {
    /// Whether the order is paid and not ended.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Paid | Self::InUse)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hours_are_at_least_half_of_one_with_at_most_two_decimals() {
        for (text, shown) in [("0.5", "0.50"), ("2", "2.00"), ("1.25", "1.25"), ("8760", "8760.00")]
        {
            assert_eq!(text.parse::<Hours>().unwrap().to_string(), shown);
        }
        for text in ["0.49", "0", "-2", "1.555", "two", "", "8760.01", "1e3", "NaN"] {
            assert!(text.parse::<Hours>().unwrap_err().to_string().contains("0.5"), "{text}");
        }
    }

    #[test]
    fn rent_is_rounded_once_and_half_up() {
        let cost = |hours: &str, fen| hours.parse::<Hours>().unwrap().cost(Fen(fen));
        assert_eq!(cost("2", 200), Fen(400));
        assert_eq!(cost("0.5", 333), Fen(167));
        assert_eq!(cost("1.01", 50), Fen(51));
    }

    #[test]
    fn overtime_is_for_each_started_hour() {
        for (late_ms, hours) in [(-1, 0), (0, 0), (1, 1), (HOUR_MS, 1), (HOUR_MS + 1, 2)] {
            assert_eq!(overtime(Fen(300), late_ms), Fen(300 * hours), "{late_ms}");
        }
    }

    proptest! {
        #[test]
        fn extensions_add_up_to_what_the_whole_time_costs(
            price in 0i64..1_000_000, first in 50i64..100_000, more in 50i64..100_000,
        ) {
            let (first, more) = (Hours(first), Hours(more));
            let whole = first.checked_add(more).unwrap();
            let difference = whole.cost(Fen(price)).0 - first.cost(Fen(price)).0;
            prop_assert!(difference >= 0);
            prop_assert!((difference - more.cost(Fen(price)).0).abs() <= 1);
        }

        #[test]
        fn what_is_shown_is_read_again(hundredths in 50i64..=876_000) {
            prop_assert_eq!(Hours(hundredths).to_string().parse(), Ok(Hours(hundredths)));
        }
    }
}
