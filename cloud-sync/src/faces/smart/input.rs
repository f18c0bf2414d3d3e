//! What callers send, brought into the domain's types; what cannot be is named by its field.

use std::borrow::Cow;

use domain::money::Fen;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::http::Problem;

/// An amount in yuan, as a number or as text; kept as it was written, so that no binary fraction
/// comes in between.
#[derive(Debug, Clone)]
pub(super) struct Amount(String);

impl Amount {
    /// In fen.
    pub(super) fn fen(&self) -> Result<i64, Problem> {
        let amount = self.0.parse::<Fen>();
        amount.map(|Fen(fen)| fen).map_err(|bad| refused("amount", &bad.to_string()))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an amount such as 10.00")]
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

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount in yuan with at most 2 decimals, as a number or as text",
            "type": ["number", "string"],
        })
    }
}

/// A value that cannot be used.
pub(super) fn refused(field: &str, problem: &str) -> Problem {
    Problem::Field { field: field.to_owned(), problem: problem.to_owned() }
}

/// One of a list of words.
pub(super) fn one_of<T: Copy>(field: &str, text: &str, words: &[(&str, T)]) -> Result<T, Problem> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        refused(field, &format!("`{text}` is none of {}", words.join(", ")))
    })
}

/// Tells a value that is null from one that is not there.
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// The value that a complete object must have.
pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::Missing { field: field.to_owned() })
}
