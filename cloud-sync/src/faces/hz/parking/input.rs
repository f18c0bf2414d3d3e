//! Values as the family's pages send them: numbers also as text, sessions by any of their names.

use std::fmt;

use cloud_core::{Error, VehicleType};
use domain::money::Fen;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

/// A number, or a text that is one.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(transparent)]
pub(super) struct Id(pub(super) i64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text("a number")).and_then(|text| {
            text.trim().parse().map(Self).map_err(|_| de::Error::custom("应为整数"))
        })
    }
}

/// A session: `123`, `"123"` or `"session_123"`.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(transparent)]
pub(super) struct SessionName(#[schemars(with = "String")] pub(super) i64);

impl<'de> Deserialize<'de> for SessionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text("a session")).and_then(|text| {
            let number = text.trim().strip_prefix("session_").unwrap_or(text.trim());
            number.parse().map(Self).map_err(|_| de::Error::custom("应为会话编号"))
        })
    }
}

/// Yuan with at most two decimals, not negative.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(transparent)]
pub(super) struct Yuan(#[schemars(with = "f64", range(min = 0))] pub(super) Fen);

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Text("an amount"))?;
        match text.trim().parse::<Fen>() {
            Ok(amount) if amount >= Fen::ZERO => Ok(Self(amount)),
            _ => Err(de::Error::custom("应为不小于 0 的金额，最多两位小数")),
        }
    }
}

/// Hours with at most two decimals, as seconds.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(transparent)]
pub(super) struct Hours(#[schemars(with = "f64", range(min = 0))] pub(super) u32);

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Text("hours"))?;
        // Hundredths of an hour are whole seconds.
        let seconds = text
            .trim()
            .parse::<Fen>()
            .ok()
            .and_then(|Fen(hundredths)| u32::try_from(hundredths.checked_mul(36)?).ok());
        seconds.map(Self).ok_or_else(|| de::Error::custom("应为不小于 0 的小时数，最多两位小数"))
    }
}

/// A kind of vehicle, by its word or by what people call it; `未知类型` is none.
pub(super) fn vehicle_type(word: Option<&str>) -> Result<Option<VehicleType>, Error> {
    match word.map(str::trim) {
        None | Some("" | "未知类型" | "unknown" | "other") => Ok(None),
        Some(word) => VehicleType::meant(word).map(Some).ok_or_else(|| {
            let wanted = "car / truck / suv / motorcycle / bus / mpv";
            Error::invalid("vehicle_type", wanted)
        }),
    }
}

/// Takes numbers and texts as text.
struct Text(&'static str);

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_are_exact_whatever_they_are_written_as() {
        for (json, fen) in [("5", 500), ("5.0", 500), ("4.99", 499), ("\"12.5\"", 1250)] {
            assert_eq!(serde_json::from_str::<Yuan>(json).unwrap().0, Fen(fen), "{json}");
        }
        for json in ["-1", "0.001", "1e300", "\"much\"", "null", "true", "[1]"] {
            assert!(serde_json::from_str::<Yuan>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_session_has_three_names() {
        for json in ["7", "\"7\"", "\"session_7\""] {
            assert_eq!(serde_json::from_str::<SessionName>(json).unwrap().0, 7, "{json}");
        }
        assert!(serde_json::from_str::<SessionName>("\"abc\"").is_err());
    }

    #[test]
    fn hours_are_whole_seconds() {
        assert_eq!(serde_json::from_str::<Hours>("1.25").unwrap().0, 4500);
        assert!(serde_json::from_str::<Hours>("-1").is_err());
    }

    #[test]
    fn vehicles_are_named_as_people_name_them() {
        assert_eq!(vehicle_type(Some("小型汽车")).unwrap(), Some(VehicleType::Car));
        assert_eq!(vehicle_type(Some("未知类型")).unwrap(), None);
        assert!(vehicle_type(Some("tank")).is_err());
    }
}
