//! Fields of a body that several documents know: decimals, and values that may be null.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::Problem;

/// A number with decimals, sent as a number or as text. It stays a text, the shortest that means the
/// number, so that no binary fraction comes between it and what it is read as.
#[derive(Debug, Clone)]
pub(crate) struct Decimal(String);

impl Decimal {
    /// As a type, such as an amount; what it is not is told with its field.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, field: &str) -> Result<T, Problem> {
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
pub(crate) fn parsed<T: FromStr<Err: Display>>(field: &str, text: &str) -> Result<T, Problem> {
    let refused =
        |error: T::Err| Problem::Field { field: field.into(), problem: error.to_string() };
    text.parse().map_err(refused)
}

/// Tells a value that is null from one that is not there: for an `Option<Option<T>>` with
/// `#[serde(default, deserialize_with = "given")]`.
pub(crate) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::locker::Hours;

    use super::*;

    #[test]
    fn decimals_are_read_as_they_are_written() {
        let hours =
            |json: &str| serde_json::from_str::<Decimal>(json).unwrap().parsed::<Hours>("hours");
        assert_eq!(hours("2").unwrap().to_string(), "2.00");
        assert_eq!(hours("\" 1.50 \"").unwrap().to_string(), "1.50");
        assert_eq!(hours("1e3").unwrap().to_string(), "1000.00", "JSON's other way to write 1000");
        for bad in ["1.555", "0.25", "-2", "\"two\"", "\"1e3\"", "9999999", "1e300"] {
            assert!(matches!(hours(bad), Err(Problem::Field { field, .. }) if field == "hours"));
        }
        assert!(serde_json::from_str::<Decimal>("[2]").is_err());
    }
}
