//! What is configured about a site's parking and its lanes.

mod lane;
mod lists;

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;
use chrono_tz::Tz;
use domain::{
    plate::Region,
    site::{MAX_GRACE_MINUTES, MAX_PLACES},
    tariff::Tariff,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny},
};

pub use self::{
    lane::{Access, Answer, Closing, Fail, LaneConfig},
    lists::{Denied, Permit},
};

/// Everything that the gate goes by.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[parking]`: what holds for the whole site.
    pub parking: ParkingConfig,
    /// `[[lanes]]`: one entry for each lane with a barrier.
    pub lanes: Vec<LaneConfig>,
    /// `[[permits]]`: who may always enter, and leaves without paying.
    #[serde(default)]
    pub permits: Vec<Permit>,
    /// `[[deny]]`: who may not enter.
    #[serde(default)]
    pub deny: Vec<Denied>,
}

/// What holds for the whole site.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParkingConfig {
    /// How many vehicles have room. Permits enter a full site, everybody else does not.
    pub places: u32,
    /// Minutes from paying to the exit during which nothing more is due.
    #[serde(default = "usual_grace_minutes")]
    pub grace_minutes: u32,
    /// The time zone in which times are told to people, such as `Asia/Shanghai`.
    #[serde(default = "usual_timezone", deserialize_with = "timezone")]
    pub timezone: Tz,
    /// What a stay costs; without it parking costs nothing.
    #[serde(default, deserialize_with = "tariff")]
    pub tariff: Option<Tariff>,
    /// Whether a reading stands for a known plate that differs by look-alikes alone; otherwise it
    /// must be the same text.
    #[serde(default = "yes")]
    pub look_alikes: bool,
    /// The regions whose plates are taken: a reading that fits none of them counts as unread, but
    /// for a known plate. All where none is named.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// What stays in single areas cost, as the cloud has it.
    #[serde(skip)]
    pub area_tariffs: BTreeMap<i64, Tariff>,
}

impl ParkingConfig {
    /// Time to leave after paying.
    pub fn grace(&self) -> TimeDelta {
        TimeDelta::minutes(self.grace_minutes.into())
    }

    /// What a stay in an area costs that begins now.
    pub fn tariff_of(&self, area: Option<i64>) -> Option<&Tariff> {
        let of_area = area.and_then(|area| self.area_tariffs.get(&area));
        of_area.or(self.tariff.as_ref())
    }
}

impl Config {
    /// Whether the gate can work by this.
    ///
    /// # Errors
    /// Names the key that is wrong and what would be right.
    pub fn check(&self) -> Result<(), String> {
        self.parking.check()?;
        self.lanes.iter().try_for_each(LaneConfig::check)?;
        self.check_that_nothing_is_shared()?;
        self.permits.iter().try_for_each(|permit| permit.check(&self.lanes))
    }

    /// A lane's name, its barrier and its cameras are its own.
    fn check_that_nothing_is_shared(&self) -> Result<(), String> {
        let (mut ids, mut devices, mut cameras) = (HashSet::new(), HashSet::new(), HashSet::new());
        for lane in &self.lanes {
            let id = &lane.id;
            if !ids.insert(id) {
                return Err(format!("lanes.id: `{id}` stands twice; give each lane its own name"));
            }
            if !devices.insert(&lane.device) {
                let device = &lane.device;
                return Err(format!(
                    "lanes.device: `{device}` of lane `{id}` belongs to another lane already"
                ));
            }
            if let Some(camera) = lane.cameras.iter().find(|camera| !cameras.insert(*camera)) {
                return Err(format!(
                    "lanes.cameras: `{camera}` of lane `{id}` stands twice; a camera sees one lane"
                ));
            }
        }
        Ok(())
    }
}

impl ParkingConfig {
    fn check(&self) -> Result<(), String> {
        if !(1..=MAX_PLACES).contains(&self.places) {
            return Err(format!("parking.places is {}: use 1 to {MAX_PLACES}", self.places));
        }
        if self.grace_minutes > MAX_GRACE_MINUTES {
            let given = self.grace_minutes;
            return Err(format!(
                "parking.grace_minutes is {given}: use at most {MAX_GRACE_MINUTES}"
            ));
        }
        let tariff = self.tariff.as_ref().map_or(Ok(()), Tariff::check);
        tariff.map_err(|wrong| format!("parking.tariff.{wrong}"))
    }
}

fn usual_grace_minutes() -> u32 {
    15
}

fn yes() -> bool {
    true
}

fn usual_timezone() -> Tz {
    Tz::Asia__Shanghai
}

/// A tariff in which every key is known: events ignore what they do not know, people mistype.
fn tariff<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tariff>, D::Error> {
    #[derive(Deserialize)]
    struct Strict {
        #[serde(flatten)]
        tariff: Tariff,
        #[serde(flatten)]
        unknown: BTreeMap<String, IgnoredAny>,
    }
    let Strict { tariff, unknown } = Strict::deserialize(deserializer)?;
    match unknown.keys().next() {
        Some(key) => Err(D::Error::custom(format!("unknown field `{key}` of the tariff"))),
        None => Ok(Some(tariff)),
    }
}

fn timezone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(|_| {
        D::Error::custom(format!("`{name}` is no time zone: use one such as Asia/Shanghai"))
    })
}
