//! Who may always enter and who may not.

use chrono::{DateTime, Utc};
use domain::plate::TypedPlate;
use serde::Deserialize;

/// A permit of one plate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permit {
    /// The plate.
    pub plate: TypedPlate,
    /// Whose it is, for people.
    pub holder: String,
    /// From when it holds (RFC 3339); without it, always.
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when it holds (RFC 3339); without it, for ever.
    pub valid_until: Option<DateTime<Utc>>,
}

/// A plate that may not enter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    /// The plate.
    pub plate: TypedPlate,
    /// Why, for people.
    pub reason: String,
}

impl Permit {
    /// Whether it holds at `at`; its end belongs to it no more.
    pub fn holds_at(&self, at: DateTime<Utc>) -> bool {
        self.valid_from.is_none_or(|from| from <= at) && self.valid_until.is_none_or(|end| at < end)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let (plate, from, until) = (&self.plate, self.valid_from, self.valid_until);
        match (from, until) {
            (Some(from), Some(until)) if until <= from => Err(format!(
                "permits.valid_until of `{plate}` is {until}: it must be after valid_from, {from}"
            )),
            _ => Ok(()),
        }
    }
}
