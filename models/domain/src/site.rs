//! What can be set of a site at the cloud. Each value is optional: where the cloud says nothing, the
//! site's configuration file holds; where it says something, that holds until it says otherwise,
//! whatever the file says.

use serde::{Deserialize, Serialize};

use crate::{ids::LaneId, plate::Region};

/// Most places that a site can have.
pub const MAX_PLACES: u32 = 1_000_000;
/// Longest time to leave after paying: a day.
pub const MAX_GRACE_MINUTES: u32 = 24 * 60;
/// Longest time for which a vehicle is not decided on again: an hour.
pub const MAX_COOLDOWN_S: u32 = 3600;
/// Most lanes that are named.
const MOST_LANES: usize = 64;

/// What the cloud has set of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// How many vehicles have room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<u32>,
    /// The entry lanes that are open to everybody; the others take permits alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_lanes: Option<Vec<LaneId>>,
    /// Minutes from paying to the exit during which nothing more is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_minutes: Option<u32>,
    /// Seconds during which a vehicle that was decided on is not decided on again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_s: Option<u32>,
    /// Whether a reading stands for a known plate that differs by look-alikes alone; otherwise it
    /// must be the same text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_alikes: Option<bool>,
    /// The regions whose plates are taken; a reading that fits none of them counts as unread, but
    /// for a known plate. All where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<Region>>,
}

/// Parameters that no site can go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct BadParameters {
    /// The name of the value.
    pub field: &'static str,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl Parameters {
    /// Whether a site can go by these.
    ///
    /// # Errors
    /// Names the first value that is out of its range, and the range.
    pub fn check(&self) -> Result<(), BadParameters> {
        let ranges = [
            ("places", self.places, 1..=MAX_PLACES),
            ("grace_minutes", self.grace_minutes, 0..=MAX_GRACE_MINUTES),
            ("cooldown_s", self.cooldown_s, 0..=MAX_COOLDOWN_S),
        ];
        for (field, given, range) in ranges {
            if let Some(given) = given.filter(|given| !range.contains(given)) {
                let (least, most) = (range.start(), range.end());
                let problem = format!("{given} is out of range: use {least} to {most}");
                return Err(BadParameters { field, problem });
            }
        }
        if self.public_lanes.as_ref().is_some_and(|lanes| lanes.len() > MOST_LANES) {
            let problem = format!("name at most {MOST_LANES}");
            return Err(BadParameters { field: "public_lanes", problem });
        }
        Ok(())
    }

    /// These, and those of `before` where nothing is said here.
    #[must_use]
    pub fn over(self, before: Self) -> Self {
        Self {
            places: self.places.or(before.places),
            public_lanes: self.public_lanes.or(before.public_lanes),
            grace_minutes: self.grace_minutes.or(before.grace_minutes),
            cooldown_s: self.cooldown_s.or(before.cooldown_s),
            look_alikes: self.look_alikes.or(before.look_alikes),
            regions: self.regions.or(before.regions),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_said_is_not_written() {
        let places = Parameters { places: Some(12), ..Parameters::default() };
        assert_eq!(serde_json::to_string(&places).unwrap(), r#"{"places":12}"#);
        let whole = r#"{"places":12,"public_lanes":["entry"],"grace_minutes":15,"cooldown_s":10,"look_alikes":false,"regions":["cn","ru"]}"#;
        let read: Parameters = serde_json::from_str(whole).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), whole);
        read.check().unwrap();
    }

    #[test]
    fn a_value_out_of_its_range_is_named() {
        let bad = Parameters { places: Some(0), ..Parameters::default() };
        let message = bad.check().unwrap_err().to_string();
        assert_eq!(message, "places: 0 is out of range: use 1 to 1000000");
        let bad = Parameters { cooldown_s: Some(3601), ..Parameters::default() };
        assert_eq!(bad.check().unwrap_err().field, "cooldown_s");
    }
}
