//! Which chargers stand at the site, and how much current there is for them.

use std::collections::HashSet;

use domain::{charging::PileId, ids::DeviceId};
use serde::Deserialize;

use super::share::LEAST_MA;

/// Amperes that a connection of a site may have.
const LIMIT_A: std::ops::RangeInclusive<u32> = 6..=10_000;
/// Amperes that a charger may have.
const MOST_A: std::ops::RangeInclusive<u32> = 6..=1_000;

/// What can be set of charging.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// `[charging]`; there where there are chargers.
    pub charging: Option<ChargingConfig>,
    /// `[[chargers]]`.
    pub chargers: Vec<ChargerConfig>,
}

/// `[charging]`: how much current there is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargingConfig {
    /// Amperes for each phase that the site's connection carries, for everything behind it.
    pub limit_a: u32,
    /// The controller that meters the connection; without one the chargers are all that is behind
    /// it.
    pub meter: Option<DeviceId>,
    /// Amperes for all chargers together while that meter says nothing.
    #[serde(default = "usual_safe_a")]
    pub safe_a: u32,
    /// A meter that has said nothing for so many seconds says nothing.
    #[serde(default = "usual_meter_stale_s")]
    pub meter_stale_s: u32,
    /// Seconds after which a charger that is no longer told anything falls back by itself.
    #[serde(default = "usual_fall_back_after_s")]
    pub fall_back_after_s: u16,
    /// How often the meters of those who charge are journaled, in seconds.
    #[serde(default = "usual_journal_every_s")]
    pub journal_every_s: u32,
}

/// `[[chargers]]`: one charger.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargerConfig {
    /// Its controller.
    pub device: DeviceId,
    /// The pile that it is at the cloud.
    pub pile: PileId,
    /// Amperes for each phase that it and its cable carry.
    pub max_a: u32,
    /// Amperes that it may let a car take by itself when it is no longer told anything; 0 for none.
    #[serde(default)]
    pub fallback_a: u32,
    /// The controller that meters it, where it has no meter of its own.
    pub meter: Option<DeviceId>,
}

fn usual_safe_a() -> u32 {
    LEAST_MA / 1000
}

fn usual_meter_stale_s() -> u32 {
    10
}

fn usual_fall_back_after_s() -> u16 {
    30
}

fn usual_journal_every_s() -> u32 {
    300
}

impl Config {
    /// Checks what the types cannot hold, and that every controller is one of `controllers`.
    pub fn check(&self, controllers: &HashSet<&DeviceId>) -> Vec<String> {
        let Some(charging) = &self.charging else {
            let lonely = !self.chargers.is_empty();
            let fault = "chargers need a section [charging] with limit_a, the amperes for each \
                         phase that the site's connection carries";
            return lonely.then(|| fault.to_owned()).into_iter().collect();
        };
        let mut faults = charging.check();
        for charger in &self.chargers {
            faults.extend(charger.check());
        }
        faults.extend(self.check_names(controllers));
        faults.extend(self.check_fallbacks(charging));
        faults
    }

    /// The controllers that are named: by which key, and whether as a meter.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &DeviceId, bool)> {
        let meters = self.chargers.iter().filter_map(|c| c.meter.as_ref());
        let site = self.charging.iter().filter_map(|charging| charging.meter.as_ref());
        let named = self.chargers.iter().map(|c| ("chargers.device", &c.device, false));
        let named = named.chain(meters.map(|meter| ("chargers.meter", meter, true)));
        named.chain(site.map(|meter| ("charging.meter", meter, true)))
    }

    fn check_names(&self, controllers: &HashSet<&DeviceId>) -> Vec<String> {
        let mut faults = Vec::new();
        let (mut devices, mut piles) = (HashSet::new(), HashSet::new());
        for ChargerConfig { device, pile, .. } in &self.chargers {
            if !devices.insert(device) {
                faults.push(format!("chargers.device: `{device}` is there twice"));
            }
            if !piles.insert(pile) {
                faults.push(format!("chargers.pile of `{device}`: {pile} is another charger too"));
            }
        }
        for (key, name, _) in self.named() {
            if !controllers.contains(name) {
                faults.push(format!("{key} is `{name}`: no [[controllers]] has this id"));
            }
        }
        faults
    }

    /// When nobody tells them anything, all together must be within what there is.
    fn check_fallbacks(&self, charging: &ChargingConfig) -> Option<String> {
        let sum_a: u64 = self.chargers.iter().map(|c| u64::from(c.fallback_a)).sum();
        let (key, most_a) = match charging.meter {
            Some(_) => ("charging.safe_a", charging.safe_a),
            None => ("charging.limit_a", charging.limit_a),
        };
        (sum_a > u64::from(most_a)).then(|| {
            format!(
                "chargers.fallback_a: {sum_a} A together, more than {key}, which is {most_a}: the \
                 limit would not hold when this program ends"
            )
        })
    }
}

impl ChargingConfig {
    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut within = |key, value: u32, range: std::ops::RangeInclusive<u32>| {
            if !range.contains(&value) {
                let (from, to) = (range.start(), range.end());
                faults.push(format!("charging.{key} is {value}: use {from} to {to}"));
            }
        };
        within("limit_a", self.limit_a, LIMIT_A);
        within("safe_a", self.safe_a, 0..=self.limit_a);
        within("meter_stale_s", self.meter_stale_s, 2..=600);
        within("fall_back_after_s", self.fall_back_after_s.into(), 10..=600);
        within("journal_every_s", self.journal_every_s, 5..=3600);
        faults
    }
}

impl ChargerConfig {
    fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let device = &self.device;
        if !MOST_A.contains(&self.max_a) {
            let (from, to) = (MOST_A.start(), MOST_A.end());
            faults.push(format!(
                "chargers.max_a of `{device}` is {}: use {from} to {to}",
                self.max_a
            ));
        }
        let least_a = LEAST_MA / 1000;
        if self.fallback_a != 0 && !(least_a..=self.max_a).contains(&self.fallback_a) {
            faults.push(format!(
                "chargers.fallback_a of `{device}` is {}: use 0, or {least_a} to max_a",
                self.fallback_a
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const GOOD: &str = "[charging]\nlimit_a = 63\n\
        [[chargers]]\ndevice = 'a'\npile = 'FAST-001'\nmax_a = 32\nfallback_a = 6\n\
        [[chargers]]\ndevice = 'b'\npile = 'SLOW-001'\nmax_a = 16\nmeter = 'm'\n";

    #[derive(Deserialize)]
    struct File {
        charging: Option<ChargingConfig>,
        #[serde(default)]
        chargers: Vec<ChargerConfig>,
    }

    fn faults(text: &str) -> Vec<String> {
        let File { charging, chargers } = toml::from_str(text).unwrap();
        let ids = ["a", "b", "m"].map(|id| id.parse().unwrap());
        Config { charging, chargers }.check(&ids.iter().collect())
    }

    #[test]
    fn a_good_one_is_taken() {
        assert_eq!(faults(GOOD), Vec::<String>::new());
        assert_eq!(faults(""), Vec::<String>::new());
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (good, bad, named) in [
            ("limit_a = 63", "limit_a = 5", "charging.limit_a is 5: use 6 to 10000"),
            ("limit_a = 63", "limit_a = 63\nsafe_a = 64", "charging.safe_a is 64: use 0 to 63"),
            (
                "limit_a = 63",
                "limit_a = 63\nmeter = 'x'",
                "charging.meter is `x`: no [[controllers]]",
            ),
            ("max_a = 32", "max_a = 0", "chargers.max_a of `a` is 0: use 6 to 1000"),
            ("fallback_a = 6", "fallback_a = 3", "use 0, or 6 to max_a"),
            ("fallback_a = 6", "fallback_a = 33", "use 0, or 6 to max_a"),
            (
                "limit_a = 63",
                "limit_a = 63\nmeter = 'm'\nsafe_a = 0",
                "6 A together, more than charging.safe_a",
            ),
            ("SLOW-001", "FAST-001", "FAST-001 is another charger too"),
            ("'b'", "'a'", "`a` is there twice"),
            ("'m'", "'n'", "chargers.meter is `n`"),
            ("[charging]\nlimit_a = 63\n", "", "chargers need a section [charging]"),
        ] {
            let told = faults(&GOOD.replacen(good, bad, 1)).join("; ");
            assert!(told.contains(named), "{told}");
        }
    }
}
