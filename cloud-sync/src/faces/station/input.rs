//! The family's query parameters, brought into the domain's types.

use std::str::FromStr;

use chrono::NaiveDate;

use crate::http::{BadValue, Query};

/// A filter of the query that is one of the documented words.
pub(super) fn filter<T: FromStr>(
    query: &Query,
    name: &'static str,
    wanted: &'static str,
) -> Result<Option<T>, BadValue> {
    query.get(name).map(|text| text.parse().map_err(|_| BadValue { name, wanted })).transpose()
}

/// A page: its number from 1, and its size.
pub(super) fn page(query: &Query, default_size: u32) -> Result<(u32, u32), BadValue> {
    let number = query.clamped("page", 1, 1..=u32::MAX)?;
    Ok((number, query.clamped("page_size", default_size, 1..=100)?))
}

/// How many days are looked back, with today.
pub(super) fn days(query: &Query, default: u32) -> Result<u32, BadValue> {
    let wanted = "1 – 365 的整数";
    let days = query.parsed::<u32>("days", wanted)?.unwrap_or(default);
    if (1..=365).contains(&days) { Ok(days) } else { Err(BadValue { name: "days", wanted }) }
}

/// A day of the query.
pub(super) fn day(query: &Query, name: &'static str) -> Result<Option<NaiveDate>, BadValue> {
    query.parsed(name, "日期，例如 2026-01-19")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_within_a_year() {
        for (text, days_back) in [("", Some(7)), ("days=1", Some(1)), ("days=365", Some(365))] {
            assert_eq!(days(&Query::parse(text), 7).ok(), days_back);
        }
        for bad in ["days=0", "days=366", "days=abc", "days=-1", "days=99999999999"] {
            assert!(days(&Query::parse(bad), 7).is_err(), "{bad}");
        }
    }
}
