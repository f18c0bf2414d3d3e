//! The configuration file: one documented struct per concern, checked whole before anything
//! starts. What is wrong is said with the file, the key and what would be right.

use std::{
    collections::{HashMap, HashSet},
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use domain::ids::{CameraId, DeviceId, LaneId, SiteId};
use serde::Deserialize;

use crate::{
    charger, cloud::CloudConfig, controller, gate::config as gate, health::HealthConfig,
    journal::JournalConfig, locker::Bank, vision,
};

/// Longest configuration file, in bytes. Lists of permits stand in it.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no TOML, or has a key that does not belong there.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, key and what was expected.
        message: String,
    },
    /// Values that cannot be right.
    #[error("{path}: {}", .faults.join("\n  "))]
    Values {
        /// The file.
        path: PathBuf,
        /// Each with its key and what would be right.
        faults: Vec<String>,
    },
}

/// The whole configuration of an edge.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    site: SiteConfig,
    journal: JournalConfig,
    #[serde(default)]
    cloud: CloudConfig,
    #[serde(default)]
    console: ConsoleConfig,
    #[serde(default)]
    health: HealthConfig,
    #[serde(default)]
    vision: VisionConfig,
    #[serde(default)]
    recognition: vision::RecognitionConfig,
    #[serde(default)]
    models: vision::ModelsConfig,
    #[serde(default)]
    cameras: Vec<vision::CameraConfig>,
    #[serde(default)]
    controllers: Vec<controller::Controller>,
    mqtt: Option<controller::Mqtt>,
    lan: Option<controller::LanConfig>,
    charging: Option<charger::ChargingConfig>,
    #[serde(default)]
    chargers: Vec<charger::ChargerConfig>,
    parking: gate::ParkingConfig,
    #[serde(default)]
    lanes: Vec<gate::LaneConfig>,
    #[serde(default)]
    permits: Vec<gate::Permit>,
    #[serde(default)]
    deny: Vec<gate::Denied>,
}

/// `[site]`: which site this is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteConfig {
    /// Its name at the cloud.
    pub id: SiteId,
}

/// `[console]`: where people at the site reach the lanes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleConfig {
    /// Where it listens.
    pub listen: SocketAddr,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 8080).into() }
    }
}

/// `[vision]`: who starts the recognition process.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisionConfig {
    /// Whether the core starts and supervises it; otherwise a unit of its own does.
    pub managed: bool,
}

impl Default for VisionConfig {
    fn default() -> Self {
        Self { managed: true }
    }
}

/// A configuration that was checked.
#[derive(Debug)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// Which site this is.
    pub site: SiteConfig,
    /// Where the site remembers.
    pub journal: JournalConfig,
    /// Where the cloud is.
    pub cloud: CloudConfig,
    /// Where the console listens.
    pub console: ConsoleConfig,
    /// Where health and metrics are told.
    pub health: HealthConfig,
    /// Who starts the recognition process.
    pub vision: VisionConfig,
    /// Cameras and recognition.
    pub cameras: vision::Config,
    /// Barriers and other devices.
    pub controllers: controller::Config,
    /// The chargers, and how much current there is for them.
    pub chargers: charger::Config,
    /// What the lanes go by.
    pub gate: gate::Config,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Where it cannot be read, is no TOML, has a key that does not belong there, or a value that
    /// cannot be right; the message names the key and what would be right.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read { path: path.to_owned(), source };
        if fs::metadata(path).map_err(read)?.len() > MAX_FILE_BYTES {
            let message = format!("is longer than {} MiB", MAX_FILE_BYTES >> 20);
            return Err(ConfigError::Parse { path: path.to_owned(), message });
        }
        let text = fs::read_to_string(path).map_err(read)?;
        let file: File = toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let config = Self::assemble(path, file);
        match config.faults() {
            faults if faults.is_empty() => Ok(config),
            faults => Err(ConfigError::Values { path: path.to_owned(), faults }),
        }
    }

    fn assemble(path: &Path, file: File) -> Self {
        let File { site, journal, cloud, console, health, .. } = file;
        let File { vision, recognition, models, cameras, .. } = file;
        let File {
            controllers, mqtt, lan, parking, lanes, permits, deny, charging, chargers, ..
        } = file;
        Self {
            path: path.to_owned(),
            site,
            journal,
            cloud,
            console,
            health,
            vision,
            cameras: vision::Config { cameras, recognition, models },
            controllers: controller::Config { controllers, mqtt, lan },
            chargers: charger::Config { charging, chargers },
            gate: gate::Config { parking, lanes, permits, deny },
        }
    }

    /// The lockers and their doors.
    pub fn banks(&self) -> Vec<Bank> {
        let bank = |controller: &controller::Controller| Bank {
            device: controller.id().clone(),
            doors: controller.doors().to_vec(),
            calls: controller.calls(),
        };
        self.controllers.lockers().map(bank).collect()
    }

    /// Which lane a camera looks at.
    pub fn lane_of_camera(&self) -> HashMap<CameraId, LaneId> {
        let of_lane = |lane: &gate::LaneConfig| {
            let id = lane.id.clone();
            lane.cameras.clone().into_iter().map(move |camera| (camera, id.clone()))
        };
        self.gate.lanes.iter().flat_map(of_lane).collect()
    }

    /// Which lane a controller's barrier stands at.
    pub fn lane_of_device(&self) -> HashMap<DeviceId, LaneId> {
        self.gate.lanes.iter().map(|lane| (lane.device.clone(), lane.id.clone())).collect()
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = self.cameras.check();
        if self.gate.lanes.is_empty() && self.controllers.lockers().next().is_none() {
            faults.push("lanes: there is none; write one `[[lanes]]` for each barrier".into());
        }
        faults.extend(self.journal.check().err());
        faults.extend(self.cloud.check().err());
        faults.extend(self.controllers.check().err().map(|fault| fault.to_string()));
        faults.extend(self.gate.check().err());
        faults.extend(self.console.check().err());
        faults.extend(self.health.check().err());
        faults.extend(self.dangling_names());
        faults.extend(self.chargers.check(&self.controllers.ids()));
        faults.extend(self.misplaced_devices());
        faults
    }

    /// Names of devices that are of another kind than they must be.
    fn misplaced_devices(&self) -> Vec<String> {
        use controller::Kind;
        let Self { gate, chargers, controllers, .. } = self;
        let lanes = gate.lanes.iter().map(|lane| ("lanes.device", &lane.device, Kind::Barrier));
        let named = chargers.named().map(|(key, device, is_meter)| {
            (key, device, if is_meter { Kind::Meter } else { Kind::Charger })
        });
        let kinds: HashMap<_, _> =
            controllers.controllers.iter().map(|c| (c.id(), c.kind())).collect();
        let wrong = |(key, device, must): (&str, &DeviceId, Kind)| {
            let (is, must) = (kinds.get(device).filter(|is| **is != must)?.word(), must.word());
            Some(format!("{key} is `{device}`, a {is}: name the controller of a {must}"))
        };
        lanes.chain(named).filter_map(wrong).collect()
    }

    /// Names in lanes that nothing is called.
    fn dangling_names(&self) -> Vec<String> {
        let cameras: HashSet<_> = self.cameras.cameras.iter().map(|camera| &camera.id).collect();
        let controllers = self.controllers.controllers.iter();
        let barriers = controllers.filter(|c| c.kind() == controller::Kind::Barrier);
        let devices: HashSet<_> = barriers.map(|c| c.id()).collect();
        let mut faults = Vec::new();
        for lane in &self.gate.lanes {
            let id = &lane.id;
            if !devices.contains(&lane.device) {
                faults.push(format!(
                    "lanes.device of `{id}` is `{}`: no [[controllers]] of a barrier has this id",
                    lane.device
                ));
            }
            for camera in lane.cameras.iter().filter(|camera| !cameras.contains(camera)) {
                faults.push(format!(
                    "lanes.cameras of `{id}` names `{camera}`: no [[cameras]] has this id"
                ));
            }
        }
        faults
    }
}

impl ConsoleConfig {
    fn check(&self) -> Result<(), String> {
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(format!(
            "console.listen is {}: it has no TLS, so use 127.0.0.1 and a proxy in front of it",
            self.listen
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const EXAMPLE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/edge.example.toml"));

    fn load(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn the_example_is_good() {
        load(EXAMPLE).unwrap();
    }

    #[test]
    fn what_is_wrong_is_named_with_file_key_and_what_would_be_right() {
        for (good, bad, named) in [
            ("id = \"north-gate\"", "id = \"north gate\"", "use 1 to 64 of a-z"),
            ("[console]", "[consol]", "unknown field `consol`"),
            (
                "listen = \"127.0.0.1:8080\"",
                "listen = \"0.0.0.0:8080\"",
                "console.listen is 0.0.0.0:8080",
            ),
            (
                "device = \"barrier-entry\"",
                "device = \"nothing\"",
                "no [[controllers]] of a barrier has this id",
            ),
            ("cameras = [\"entry\"]", "cameras = [\"nothing\"]", "no [[cameras]] has this id"),
            (
                "lanes = [\"entry\"]",
                "lanes = [\"exit\"]",
                "permits.lanes of `京A·88888` names `exit`",
            ),
            ("places = 120", "places = 0", "parking.places is 0: use 1 to"),
        ] {
            assert!(EXAMPLE.contains(good), "{good}");
            let error = load(&EXAMPLE.replacen(good, bad, 1)).unwrap_err();
            assert!(error.contains("edge.toml") && error.contains(named), "{error}");
        }
    }

    /// What is unknown is answered with all that is known: none of it may be missing in the example.
    #[test]
    fn the_example_has_every_key() {
        let lines: Vec<_> = EXAMPLE.lines().collect();
        let tables = lines.iter().enumerate().filter(|(_, line)| line.starts_with('['));
        for (at, table) in tables {
            let mut broken = lines.clone();
            broken.insert(at + 1, "no_such_key = 1");
            let error = load(&broken.join("\n")).unwrap_err();
            let known = error.split_once("expected").map_or("", |(_, known)| known);
            let known = known.split('`').skip(1).step_by(2).filter(|key| *key != "no_such_key");
            for key in known {
                let explained = [format!("{key} = "), format!("# {key} = ")];
                let is_there =
                    lines.iter().any(|line| explained.iter().any(|key| line.starts_with(key)));
                let is_table =
                    EXAMPLE.contains(&format!("[{key}]")) || EXAMPLE.contains(&format!(".{key}]"));
                assert!(is_there || is_table, "{table}: `{key}` is not explained");
            }
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::load(Path::new("/nowhere/edge.toml")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/edge.toml"), "{error}");
    }
}
