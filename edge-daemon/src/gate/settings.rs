//! What the cloud has set, laid over what is configured: where the cloud says something, that holds;
//! where it says nothing, the configuration does.

use std::collections::BTreeMap;

use domain::{
    event::{Direction, Fact},
    site::Parameters,
    tariff::Tariff,
};

use super::config::{Access, LaneConfig, ParkingConfig};

/// What the cloud has set.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    parameters: Parameters,
    /// By area; without one that of the whole site.
    tariffs: BTreeMap<Option<i64>, Tariff>,
}

impl Settings {
    /// Learns from a fact what it says about settings.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::ParametersSet { parameters } => self.parameters = parameters.clone(),
            Fact::TariffSet { area, tariff: Some(tariff), .. } => {
                self.tariffs.insert(*area, tariff.clone());
            }
            Fact::TariffSet { area, tariff: None, .. } => {
                self.tariffs.remove(area);
            }
            _ => {}
        }
    }

    /// What holds for the site that is configured so.
    pub fn parking(&self, configured: &ParkingConfig) -> ParkingConfig {
        let Parameters { places, grace_minutes, look_alikes, regions, .. } = &self.parameters;
        let of_areas = self.tariffs.iter().filter_map(|(area, tariff)| Some(((*area)?, tariff)));
        ParkingConfig {
            places: places.unwrap_or(configured.places),
            grace_minutes: grace_minutes.unwrap_or(configured.grace_minutes),
            timezone: configured.timezone,
            tariff: self.tariffs.get(&None).or(configured.tariff.as_ref()).cloned(),
            look_alikes: look_alikes.unwrap_or(configured.look_alikes),
            regions: regions.as_ref().unwrap_or(&configured.regions).clone(),
            area_tariffs: of_areas.map(|(area, tariff)| (area, tariff.clone())).collect(),
        }
    }

    /// What holds for a lane that is configured so.
    pub fn lane(&self, configured: &LaneConfig) -> LaneConfig {
        let mut lane = configured.clone();
        if let Some(public) = &self.parameters.public_lanes
            && lane.direction == Direction::Entry
        {
            let is_public = public.contains(&lane.id);
            lane.access = if is_public { Access::Public } else { Access::Permits };
        }
        lane.cooldown_s = self.parameters.cooldown_s.unwrap_or(lane.cooldown_s);
        lane
    }
}
