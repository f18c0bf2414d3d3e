//! Numbers as this family's clients send them: JSON numbers, or texts of them (`"60.00"`).

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

/// A number in units of 10 to the power of `-PLACES`, rounded half-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal<const PLACES: u32>(pub(super) i64);

/// kWh, kept as Wh; kW, kept as W.
pub(super) type Thousandths = Decimal<3>;
/// Yuan for a kWh, kept as [`domain::charging::Rate`] keeps it.
pub(super) type TenThousandths = Decimal<4>;
/// How many; whole numbers alone.
pub(super) type Count = Decimal<0>;

/// Largest number that is looked at; what it means has closer bounds.
const LARGEST: f64 = 1e12;

impl<const PLACES: u32> Decimal<PLACES> {
    fn of(number: f64) -> Option<Self> {
        let whole = PLACES > 0 || number.fract() == 0.0;
        let usable = number.is_finite() && number.abs() <= LARGEST && whole;
        // Within the largest number, units fit well into 64 bits.
        usable.then(|| Self((number * f64::from(10_u32.pow(PLACES)) + 0.5).floor() as i64))
    }
}

impl Count {
    /// As a number of things; what is negative or beyond all bounds becomes what is out of every
    /// range.
    pub(super) fn things(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl<'de, const PLACES: u32> Deserialize<'de> for Decimal<PLACES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Numeric)
    }
}

struct Numeric<const PLACES: u32>;

impl<const PLACES: u32> Visitor<'_> for Numeric<PLACES> {
    type Value = Decimal<PLACES>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if PLACES == 0 { "a whole number" } else { "a number" })
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        let wrong = || E::invalid_value(de::Unexpected::Float(number), &self);
        Decimal::of(number).ok_or_else(wrong)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        let digits = text.trim();
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
        let number = digits.parse().ok().filter(|_| plain).and_then(Decimal::of);
        number.ok_or_else(|| E::invalid_value(de::Unexpected::Str("a text"), &self))
    }
}

impl<const PLACES: u32> JsonSchema for Decimal<PLACES> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Decimal{PLACES}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = if PLACES == 0 { "integer" } else { "number" };
        json_schema!({"type": [number, "string"]})
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read<const PLACES: u32>(json: &str) -> Option<i64> {
        serde_json::from_str::<Decimal<PLACES>>(json).ok().map(|number| number.0)
    }

    #[test]
    fn numbers_and_their_texts_are_the_same() {
        for json in ["60", "60.0", "\"60\"", "\"60.00\"", "\" 60 \"", "6e1"] {
            assert_eq!(read::<3>(json), Some(60_000), "{json}");
        }
        assert_eq!((read::<3>("0.0005"), read::<3>("0.0004")), (Some(1), Some(0)));
        assert_eq!((read::<4>("1.2345"), read::<3>("-5")), (Some(12_345), Some(-5000)));
        assert_eq!((read::<0>("3.0"), read::<0>("3.5")), (Some(3), None));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for json in [
            "\"much\"", "\"\"", "\"1e5\"", "\"NaN\"", "\"inf\"", "true", "[]", "{}", "1e300",
            "\"--1\"",
        ] {
            assert_eq!(read::<3>(json), None, "{json}");
        }
    }
}
