//! What callers send, brought into the domain's types; what cannot be is named by its field.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use chrono::NaiveDate;
use domain::{locker::Hours, money::Fen};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::http::{BadValue, Problem, Query};

/// A number with decimals, sent as a number or as text; kept as it was written, so that no binary
/// fraction comes in between.
#[derive(Debug, Clone)]
pub(super) struct Decimal(String);

impl Decimal {
    /// As an amount in yuan.
    pub(super) fn amount(&self, field: &'static str) -> Result<Fen, Problem> {
        parsed(field, &self.0)
    }

    /// As a time in hours.
    pub(super) fn hours(&self, field: &'static str) -> Result<Hours, Problem> {
        parsed(field, &self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number such as 1.5")]
        enum Sent {
            Number(serde_json::Number),
            Text(String),
        }
        Ok(Self(match Sent::deserialize(deserializer)? {
            Sent::Number(number) => number.to_string(),
            Sent::Text(text) => text.trim().to_owned(),
        }))
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number with at most 2 decimals, as a number or as text",
            "type": ["number", "string"],
        })
    }
}

/// A text as a type; what it is not is told with its field.
pub(super) fn parsed<T: FromStr<Err: Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Problem> {
    let refused =
        |error: T::Err| Problem::Field { field: field.into(), problem: error.to_string() };
    text.parse().map_err(refused)
}

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

/// Tells a value that is null from one that is not there.
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn decimals_are_read_as_they_are_written() {
        let hours = |json: &str| serde_json::from_str::<Decimal>(json).unwrap().hours("hours");
        assert_eq!(hours("2").unwrap().to_string(), "2.00");
        assert_eq!(hours("\" 1.50 \"").unwrap().to_string(), "1.50");
        for bad in ["1.555", "0.25", "-2", "\"two\"", "\"1e3\"", "9999999"] {
            assert!(matches!(hours(bad), Err(Problem::Field { field, .. }) if field == "hours"));
        }
        assert!(serde_json::from_str::<Decimal>("[2]").is_err());
    }

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
