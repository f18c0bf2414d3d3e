//! Days as the sites count them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The first moment of a day in a time zone, in milliseconds UTC. Where midnight is skipped by a
/// change of clocks, the first moment after it.
pub fn day_start_ms(zone: Tz, day: NaiveDate) -> i64 {
    let midnight = day.and_time(NaiveTime::MIN);
    let moments = (0..24).map(|hours| midnight + chrono::TimeDelta::hours(hours));
    moments
        .filter_map(|moment| zone.from_local_datetime(&moment).earliest())
        .map(|moment| moment.timestamp_millis())
        .next()
        .unwrap_or_else(|| midnight.and_utc().timestamp_millis())
}

/// The day that follows.
pub fn next_day(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// The day in a time zone.
pub fn day_of(zone: Tz, moment: DateTime<Utc>) -> NaiveDate {
    moment.with_timezone(&zone).date_naive()
}

/// The `count` days up to and with `today`, in order.
pub(crate) fn last_days(today: NaiveDate, count: u64) -> impl Iterator<Item = NaiveDate> {
    (0..count).rev().filter_map(move |back| today.checked_sub_days(Days::new(back)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_day_begins_at_the_sites_midnight() {
        let day: NaiveDate = "2026-03-01".parse().unwrap();
        let start = DateTime::from_timestamp_millis(day_start_ms(Tz::Asia__Shanghai, day)).unwrap();
        assert_eq!(start.to_rfc3339(), "2026-02-28T16:00:00+00:00");
        assert_eq!(day_of(Tz::Asia__Shanghai, start), day);
    }

    #[test]
    fn a_midnight_that_is_skipped_has_a_first_moment() {
        // Lebanon springs forward at midnight.
        let day: NaiveDate = "2024-03-31".parse().unwrap();
        let start = DateTime::from_timestamp_millis(day_start_ms(Tz::Asia__Beirut, day)).unwrap();
        assert_eq!(start.to_rfc3339(), "2024-03-30T22:00:00+00:00");
    }
}
