//! Which controllers there are and how they are reached.

mod check;

use std::{collections::HashSet, fs, net::SocketAddr, path::PathBuf};

use domain::ids::DeviceId;
use serde::Deserialize;

pub use self::check::ConfigError;
use super::modbus::model::{Line, Model, Parity};

const MAX_SECRET_BYTES: u64 = 4_096;

/// The controllers of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[[controllers]]`: one entry for each device.
    #[serde(default)]
    pub controllers: Vec<Controller>,
    /// `[mqtt]`: the broker, where a controller is reached over it.
    pub mqtt: Option<Mqtt>,
    /// `[lan]`: where controllers call that speak HTTP.
    pub lan: Option<LanConfig>,
}

/// One controller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "link", rename_all = "snake_case", deny_unknown_fields)]
pub enum Controller {
    /// On a serial line, alone or beside others.
    Serial {
        /// Its name, as lanes refer to it.
        id: DeviceId,
        /// The line, such as `/dev/ttyUSB0`.
        path: PathBuf,
        /// The line's rate in bit/s.
        #[serde(default = "usual_baud")]
        baud: u32,
        /// The device's address on the line, 1 to 247.
        #[serde(default = "usual_address")]
        address: u8,
        /// What it is.
        #[serde(default)]
        kind: Kind,
    },
    /// On a Modbus RTU line, alone or beside others: a charger or a meter, by its model.
    Modbus {
        /// Its name, as chargers refer to it.
        id: DeviceId,
        /// The line, such as `/dev/ttyUSB1`.
        path: PathBuf,
        /// The device's address on the line, 1 to 247.
        #[serde(default = "usual_address")]
        address: u8,
        /// A model that comes with the program, or the absolute path of a file that describes one.
        model: String,
        /// The line's rate in bit/s; without it, that of the model.
        baud: Option<u32>,
        /// The line's parity; without it, that of the model.
        parity: Option<Parity>,
    },
    /// Behind the MQTT broker.
    Mqtt {
        /// Its name, as lanes and its topics have it.
        id: DeviceId,
        /// What it is.
        #[serde(default)]
        kind: Kind,
        /// Of a locker: the names on its doors, in the order of their numbers; an empty one for a
        /// door that is none.
        #[serde(default)]
        doors: Vec<String>,
    },
    /// A locker on the site's network that calls by itself, with the HTTP device API.
    Http {
        /// Its name, as its paths have it.
        id: DeviceId,
        /// SHA-256 of its API key, 64 hex digits.
        key_sha256: String,
        /// The names on its doors, as its reports have them.
        doors: Vec<String>,
    },
}

/// Where controllers on the site's network call that speak the HTTP device API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanConfig {
    /// The address and port to listen at; it need not be of this machine alone.
    pub listen: SocketAddr,
}

/// What a controller controls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The barrier of a lane.
    #[default]
    Barrier,
    /// A charger for cars.
    Charger,
    /// A meter.
    Meter,
    /// A locker with its doors.
    Locker,
}

impl Kind {
    /// Its word in topics and in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Barrier => "barrier",
            Self::Charger => "charger",
            Self::Meter => "meter",
            Self::Locker => "locker",
        }
    }
}

impl Controller {
    /// What it controls.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Modbus { .. } => match self.on_modbus() {
                Some(Ok(device)) => device.model.kind(),
                _ => Kind::Meter,
            },
            Self::Serial { kind, .. } | Self::Mqtt { kind, .. } => *kind,
            Self::Http { .. } => Kind::Locker,
        }
    }

    /// Whether it fetches its commands, so that they need a longer life.
    pub const fn calls(&self) -> bool {
        matches!(self, Self::Http { .. })
    }

    /// What it is on a Modbus line, or why its model cannot be had; none on another link.
    pub(super) fn on_modbus(&self) -> Option<Result<OnModbus, String>> {
        let Self::Modbus { id, path, address, model, baud, parity } = self else { return None };
        Some(Model::find(model).map(|model| {
            let usual = model.line;
            let line = Line {
                baud: baud.unwrap_or(usual.baud),
                parity: parity.unwrap_or(usual.parity),
                ..usual
            };
            OnModbus { id: id.clone(), path: path.clone(), address: *address, model, line }
        }))
    }

    /// The names on its doors, where it is a locker.
    pub fn doors(&self) -> &[String] {
        match self {
            Self::Mqtt { doors, .. } | Self::Http { doors, .. } => doors,
            Self::Serial { .. } | Self::Modbus { .. } => &[],
        }
    }

    /// Its name.
    pub fn id(&self) -> &DeviceId {
        match self {
            Self::Serial { id, .. }
            | Self::Modbus { id, .. }
            | Self::Mqtt { id, .. }
            | Self::Http { id, .. } => id,
        }
    }
}

/// A device on a Modbus line.
pub(super) struct OnModbus {
    pub id: DeviceId,
    pub path: PathBuf,
    pub address: u8,
    pub model: Model,
    pub line: Line,
}

/// The MQTT broker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Name or address of the broker.
    #[serde(default = "usual_host")]
    pub host: String,
    /// Its port.
    #[serde(default = "usual_port")]
    pub port: u16,
    /// Whom to log in as; none for a broker that lets everybody in.
    pub username: Option<String>,
    /// File with the password in its first line.
    pub password_file: Option<PathBuf>,
    /// Whether Home Assistant, at the same broker, is told of the devices, so that it shows them.
    #[serde(default)]
    pub home_assistant: bool,
}

fn usual_baud() -> u32 {
    115_200
}

fn usual_address() -> u8 {
    1
}

fn usual_host() -> String {
    "127.0.0.1".to_owned()
}

fn usual_port() -> u16 {
    1883
}

impl Config {
    /// The names of all controllers.
    pub fn ids(&self) -> HashSet<&DeviceId> {
        self.controllers.iter().map(Controller::id).collect()
    }

    /// The lockers.
    pub fn lockers(&self) -> impl Iterator<Item = &Controller> {
        self.controllers.iter().filter(|controller| controller.kind() == Kind::Locker)
    }
}

impl Mqtt {
    /// The password, read anew so that a changed one is taken at the next connection.
    ///
    /// # Errors
    /// Where the file cannot be read or holds none.
    pub fn password(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.password_file else { return Ok(None) };
        let name = path.display();
        let length =
            fs::metadata(path).map_err(|error| format!("cannot open {name}: {error}"))?.len();
        if length > MAX_SECRET_BYTES {
            return Err(format!(
                "{name} has {length} bytes, a password has at most {MAX_SECRET_BYTES}"
            ));
        }
        let text =
            fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(format!("{name} is empty, write the password into its first line"));
        }
        Ok(Some(password.to_owned()))
    }
}

#[cfg(test)]
mod tests;
