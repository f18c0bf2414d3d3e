//! What a stay costs. The fee is a function of the tariff and the stay alone; it never falls as
//! the stay grows, is never negative, and is rounded once, at the end.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::money::Fen;

const HOUR_MS: i128 = 3_600_000;
const DAY_MS: i128 = 24 * HOUR_MS;
/// Most that a tariff may ask for in one amount: a million yuan.
const MAX_AMOUNT: Fen = Fen(100_000_000);
/// Longest free or base time: a year.
const MAX_MINUTES: u32 = 366 * 24 * 60;

/// How a stay is charged. Amounts are fen, times are counted from the entry.
/// It is part of the wire form of events, so that fields of a later version are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// How the time beyond the base time is charged.
    #[serde(default)]
    pub rule: TariffRule,
    /// A stay of up to so many minutes costs nothing; a longer one is charged whole. With 0 no stay
    /// is free, however short.
    #[serde(default)]
    pub free_minutes: u32,
    /// What a stay of up to the base time costs.
    #[serde(rename = "base_fee_fen")]
    pub base_fee: Fen,
    /// The base time in seconds, so that hours with two decimals are exact.
    pub base_seconds: u32,
    /// What an hour costs beyond the base time.
    #[serde(rename = "hourly_rate_fen")]
    pub hourly_rate: Fen,
    /// The most that each started 24 hours cost; none for no limit.
    #[serde(rename = "daily_max_fee_fen", default, skip_serializing_if = "Option::is_none")]
    pub daily_max_fee: Option<Fen>,
}

/// How the time beyond the base time is charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TariffRule {
    /// The base fee and the hourly rate for the whole stay, to the millisecond: 2.5 h at 3.00
    /// with a base fee of 5.00 are 12.50.
    #[default]
    Documented,
    /// The base fee and the hourly rate for each started hour after the base time.
    Overtime,
}

/// A tariff that cannot be charged by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}: {wanted}")]
pub struct BadTariff {
    field: &'static str,
    value: i64,
    wanted: &'static str,
}

impl BadTariff {
    /// The field that is wrong.
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

impl Tariff {
    /// Whether every amount and time is one that can be charged.
    ///
    /// # Errors
    /// Names the first field that is out of its range, and the range.
    pub fn check(&self) -> Result<(), BadTariff> {
        let amount = |field, Fen(value)| {
            let wanted = "use 0 to 100000000 fen";
            (0..=MAX_AMOUNT.0).contains(&value).then_some(()).ok_or(BadTariff {
                field,
                value,
                wanted,
            })
        };
        let time = |field, value: u32, max: u32, wanted| {
            let bad = BadTariff { field, value: value.into(), wanted };
            if value <= max { Ok(()) } else { Err(bad) }
        };
        amount("base_fee_fen", self.base_fee)?;
        amount("hourly_rate_fen", self.hourly_rate)?;
        amount("daily_max_fee_fen", self.daily_max_fee.unwrap_or_default())?;
        time("free_minutes", self.free_minutes, MAX_MINUTES, "use at most 527040 (a year)")?;
        time("base_seconds", self.base_seconds, MAX_MINUTES * 60, "use at most 31622400 (a year)")
    }

    /// What the stay costs. One that ends before it began (the clock was set back in between)
    /// costs nothing.
    pub fn fee(&self, entered_at: DateTime<Utc>, exited_at: DateTime<Utc>) -> Fen {
        let stay_ms = i128::from((exited_at - entered_at).num_milliseconds());
        let is_free = self.free_minutes > 0 && stay_ms <= i128::from(self.free_minutes) * 60_000;
        if stay_ms < 0 || is_free {
            return Fen::ZERO;
        }
        let started_days = ((stay_ms + DAY_MS - 1) / DAY_MS).max(1);
        let uncapped = self.uncapped(stay_ms);
        let capped = self.daily_max_fee.map_or(uncapped, |Fen(daily)| {
            uncapped.min(i128::from(daily) * started_days * HOUR_MS)
        });
        Fen::half_up(capped, HOUR_MS)
    }

    /// The fee without the daily limit, in fen × [`HOUR_MS`], so that nothing is rounded yet.
    fn uncapped(&self, stay_ms: i128) -> i128 {
        let base = i128::from(self.base_fee.0) * HOUR_MS;
        let beyond_ms = stay_ms - i128::from(self.base_seconds) * 1000;
        if beyond_ms <= 0 {
            return base;
        }
        let charged_ms = match self.rule {
            TariffRule::Documented => stay_ms,
            TariffRule::Overtime => (beyond_ms + HOUR_MS - 1) / HOUR_MS * HOUR_MS,
        };
        base + i128::from(self.hourly_rate.0) * charged_ms
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    /// The standard tariff of the hz document.
    fn standard(rule: TariffRule) -> Tariff {
        Tariff {
            rule,
            free_minutes: 15,
            base_fee: Fen(500),
            base_seconds: 3600,
            hourly_rate: Fen(300),
            daily_max_fee: Some(Fen(3000)),
        }
    }

    fn fee(tariff: &Tariff, stay: TimeDelta) -> Fen {
        let entered: DateTime<Utc> = "2024-01-01T10:00:00Z".parse().unwrap();
        tariff.fee(entered, entered + stay)
    }

    #[test]
    fn documented_stays() {
        let tariff = standard(TariffRule::Documented);
        for (minutes, fen) in [
            (-60, 0),
            (0, 0),
            (15, 0),
            (16, 500),
            (60, 500),
            (61, 805),
            (150, 1250), // the worked example
            (24 * 60, 3000),
            (24 * 60 + 1, 6000),
            (48 * 60, 6000),
        ] {
            assert_eq!(fee(&tariff, TimeDelta::minutes(minutes)), Fen(fen), "{minutes} min");
        }
    }

    #[test]
    fn overtime_counts_started_hours_after_the_base_time() {
        let tariff = standard(TariffRule::Overtime);
        for (minutes, fen) in [(15, 0), (60, 500), (61, 800), (120, 800), (121, 1100), (1440, 3000)]
        {
            assert_eq!(fee(&tariff, TimeDelta::minutes(minutes)), Fen(fen), "{minutes} min");
        }
    }

    #[test]
    fn limits_are_met_to_the_millisecond() {
        let tariff = standard(TariffRule::Documented);
        let after =
            |minutes, ms| fee(&tariff, TimeDelta::minutes(minutes) + TimeDelta::milliseconds(ms));
        assert_eq!((after(15, 0), after(15, 1)), (Fen(0), Fen(500)));
        assert_eq!((after(60, 0), after(60, 1)), (Fen(500), Fen(800)));
    }

    #[test]
    fn without_free_minutes_the_shortest_stay_costs_the_base_fee() {
        let tariff = Tariff { free_minutes: 0, ..standard(TariffRule::Documented) };
        let stays = [-1, 0, 1].map(|ms| fee(&tariff, TimeDelta::milliseconds(ms)));
        assert_eq!(stays, [Fen(0), Fen(500), Fen(500)]);
    }

    #[test]
    fn rounds_once_and_half_up() {
        // 3.33 an hour for 90.5 s beyond is no whole number of fen.
        let tariff = Tariff { hourly_rate: Fen(333), ..standard(TariffRule::Documented) };
        // 5.00 + 3.33 × 1.5 = 9.995
        assert_eq!(fee(&tariff, TimeDelta::minutes(90)), Fen(1000));
    }

    #[test]
    fn without_a_daily_limit_a_week_is_charged_whole() {
        let tariff = Tariff { daily_max_fee: None, ..standard(TariffRule::Documented) };
        assert_eq!(fee(&tariff, TimeDelta::days(7)), Fen(500 + 300 * 24 * 7));
    }

    #[test]
    fn check_names_the_field_and_the_range() {
        let tariff = Tariff { hourly_rate: Fen(-1), ..standard(TariffRule::Documented) };
        let message = tariff.check().unwrap_err().to_string();
        assert_eq!(message, "hourly_rate_fen is -1: use 0 to 100000000 fen");
    }

    prop_compose! {
        fn tariffs()(
            overtime in any::<bool>(),
            free_minutes in 0..200u32,
            base in 0..10_000i64,
            base_seconds in 0..100_000u32,
            hourly in 0..10_000i64,
            daily in proptest::option::of(0..50_000i64),
        ) -> Tariff {
            Tariff {
                rule: if overtime { TariffRule::Overtime } else { TariffRule::Documented },
                free_minutes,
                base_fee: Fen(base),
                base_seconds,
                hourly_rate: Fen(hourly),
                daily_max_fee: daily.map(Fen),
            }
        }
    }

    proptest! {
        #[test]
        fn a_longer_stay_never_costs_less(
            tariff in tariffs(), a in -1_000_000i64..900_000_000, b in -1_000_000i64..900_000_000,
        ) {
            let [short, long] = [a.min(b), a.max(b)].map(|ms| fee(&tariff, TimeDelta::milliseconds(ms)));
            prop_assert!(short >= Fen::ZERO && short <= long);
        }

        #[test]
        fn a_started_day_never_costs_more_than_its_limit(tariff in tariffs(), ms in 1i64..900_000_000) {
            if let Some(Fen(daily)) = tariff.daily_max_fee {
                let started_days = (ms + 86_399_999) / 86_400_000;
                prop_assert!(fee(&tariff, TimeDelta::milliseconds(ms)).0 <= daily * started_days);
            }
        }

        #[test]
        fn no_stay_overflows(tariff in tariffs(), entered in any::<i32>(), exited in any::<i32>()) {
            let at = |s: i32| DateTime::from_timestamp(i64::from(s) * 1000, 0).unwrap();
            tariff.fee(at(entered), at(exited));
        }
    }
}
