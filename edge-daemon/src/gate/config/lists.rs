//! Who may always enter and who may not.

use chrono::{DateTime, Utc};
use domain::{access, event::Direction, ids::LaneId, plate::TypedPlate};
use serde::Deserialize;

use super::LaneConfig;

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
    /// The entry lanes that it opens; without it, all.
    #[serde(default)]
    pub lanes: Vec<LaneId>,
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
    pub(super) fn check(&self, lanes: &[LaneConfig]) -> Result<(), String> {
        let (plate, from, until) = (&self.plate, self.valid_from, self.valid_until);
        let entries = lanes.iter().filter(|lane| lane.direction == Direction::Entry);
        let is_entry = |id: &LaneId| entries.clone().any(|lane| lane.id == *id);
        if let Some(lane) = self.lanes.iter().find(|lane| !is_entry(lane)) {
            return Err(format!(
                "permits.lanes of `{plate}` names `{lane}`: no [[lanes]] with direction = \"entry\" \
                 has this id"
            ));
        }
        match (from, until) {
            (Some(from), Some(until)) if until <= from => Err(format!(
                "permits.valid_until of `{plate}` is {until}: it must be after valid_from, {from}"
            )),
            _ => Ok(()),
        }
    }
}

impl From<Permit> for access::Permit {
    fn from(permit: Permit) -> Self {
        let Permit { plate, holder, valid_from, valid_until, lanes } = permit;
        Self { plate, holder, valid_from, valid_until, lanes, revoked: false }
    }
}

impl From<Denied> for access::Denial {
    fn from(denied: Denied) -> Self {
        Self { plate: denied.plate, reason: denied.reason }
    }
}
