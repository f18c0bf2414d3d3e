//! Which controllers there are and how they are reached.

use std::{
    collections::HashSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use domain::ids::DeviceId;
use firmware_protocol::{frame::ADDRESSES, locker::MAX_DOORS};
use serde::Deserialize;

use super::modbus::model::{Line, Model, Parity};

/// Rates that a line may have, in bit/s.
const BAUD_RATES: std::ops::RangeInclusive<u32> = 9_600..=4_000_000;
/// Rates that a Modbus line may have, in bit/s.
const MODBUS_RATES: std::ops::RangeInclusive<u32> = 1_200..=115_200;
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

/// What is wrong with a configuration: the key, what it says, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// Checks what the types cannot hold.
    ///
    /// # Errors
    /// Names the first key that is wrong and what would be right.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut ids = HashSet::new();
        let (mut addresses, mut hashes) = (HashSet::new(), HashSet::new());
        for (index, controller) in self.controllers.iter().enumerate() {
            let key = format!("controllers[{index}]");
            let id = controller.id();
            if !ids.insert(id) {
                return wrong(format!("{key}.id: `{id}` is taken, give each device its own name"));
            }
            let is_modbus = matches!(controller, Controller::Modbus { .. });
            if controller.kind() == Kind::Meter && !is_modbus {
                return wrong(format!(
                    "{key}.kind: a meter is read over Modbus, set link = \"modbus\""
                ));
            }
            match controller {
                Controller::Serial { path, baud, address, .. } => {
                    check_serial(&key, path, *baud, *address)?;
                    self.check_rate(&key, path, *baud)?;
                    if !addresses.insert((path, address)) {
                        return wrong(format!(
                            "{key}.address: {address} is taken on {}, give each device on a line \
                             its own address",
                            path.display()
                        ));
                    }
                }
                Controller::Modbus { path, address, .. } => {
                    self.check_modbus(&key, controller)?;
                    if !addresses.insert((path, address)) {
                        return wrong(format!(
                            "{key}.address: {address} is taken on {}, give each device on a line \
                             its own address",
                            path.display()
                        ));
                    }
                }
                Controller::Mqtt { .. } if self.mqtt.is_none() => {
                    return wrong(format!(
                        "{key}.link: `mqtt` needs a broker, add a section [mqtt] with host and port"
                    ));
                }
                Controller::Mqtt { .. } => {}
                Controller::Http { .. } if self.lan.is_none() => {
                    return wrong(format!(
                        "{key}.link: `http` needs a listener, add a section [lan] with listen"
                    ));
                }
                Controller::Http { key_sha256, .. } => {
                    check_hash(&key, key_sha256)?;
                    if !hashes.insert(key_sha256) {
                        return wrong(format!(
                            "{key}.key_sha256: another has the same key, give each its own"
                        ));
                    }
                }
            }
        }
        self.check_doors()?;
        self.mqtt.as_ref().map_or(Ok(()), Mqtt::check)
    }

    fn check_modbus(&self, key: &str, controller: &Controller) -> Result<(), ConfigError> {
        let device = match controller.on_modbus() {
            Some(Ok(device)) => device,
            Some(Err(fault)) => return wrong(format!("{key}.model: {fault}")),
            None => return Ok(()),
        };
        let OnModbus { path, address, line, .. } = &device;
        check_line(key, path, *address)?;
        if !MODBUS_RATES.contains(&line.baud) {
            return wrong(format!("{key}.baud: {} is no rate, use 1200 to 115200", line.baud));
        }
        let others = self.controllers.iter().filter_map(|other| other.on_modbus()?.ok());
        let differs = others.filter(|other| other.path == *path).find(|other| other.line != *line);
        let others = |other: &&Controller| matches!(other, Controller::Serial { path: used, .. } if used == path);
        if let Some(other) = self.controllers.iter().find(others) {
            let id = other.id();
            return wrong(format!("{key}.path: `{id}` is on the same line with another protocol"));
        }
        differs.map_or(Ok(()), |other| {
            let (ours, theirs) = (words(line), words(&other.line));
            wrong(format!(
                "{key}: its line has {ours}, but `{}` is on the same with {theirs}: set the devices \
                 alike, and give each the same baud and parity here",
                other.id
            ))
        })
    }

    fn check_doors(&self) -> Result<(), ConfigError> {
        let mut names = HashSet::new();
        for (index, controller) in self.controllers.iter().enumerate() {
            let (key, doors) = (format!("controllers[{index}].doors"), controller.doors());
            check_count(&key, controller.kind(), doors)?;
            for name in doors.iter().filter(|name| !name.is_empty()) {
                if !is_door(name) {
                    return wrong(format!(
                        "{key}: `{name}` is no name, use 1 to 32 letters, digits, - and _"
                    ));
                }
                if !names.insert(name) {
                    return wrong(format!("{key}: `{name}` is on another door, name each once"));
                }
            }
        }
        Ok(())
    }

    /// The names of all controllers.
    pub fn ids(&self) -> HashSet<&DeviceId> {
        self.controllers.iter().map(Controller::id).collect()
    }

    fn check_rate(&self, key: &str, line: &Path, rate: u32) -> Result<(), ConfigError> {
        let differs = self.controllers.iter().find_map(|other| match other {
            Controller::Serial { id, path, baud, .. } if path == line && *baud != rate => {
                Some((id, baud))
            }
            _ => None,
        });
        differs.map_or(Ok(()), |(id, baud)| {
            wrong(format!(
                "{key}.baud: {rate}, but `{id}` is on the same line with {baud}; a line has one rate"
            ))
        })
    }
}

impl Config {
    /// The lockers.
    pub fn lockers(&self) -> impl Iterator<Item = &Controller> {
        self.controllers.iter().filter(|controller| controller.kind() == Kind::Locker)
    }
}

impl Mqtt {
    fn check(&self) -> Result<(), ConfigError> {
        if self.host.is_empty() {
            return wrong("mqtt.host: is empty, name the broker, such as \"127.0.0.1\"".to_owned());
        }
        if self.port == 0 {
            return wrong("mqtt.port: 0 is no port, use 1 to 65535, usually 1883".to_owned());
        }
        if self.username.is_some() != self.password_file.is_some() {
            return wrong(
                "mqtt.username and mqtt.password_file: set both, or none for a broker without \
                 accounts"
                    .to_owned(),
            );
        }
        self.password()
            .map_or_else(|error| wrong(format!("mqtt.password_file: {error}")), |_| Ok(()))
    }

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

fn check_count(key: &str, kind: Kind, doors: &[String]) -> Result<(), ConfigError> {
    match (kind, doors.len()) {
        (Kind::Locker, 0) => wrong(format!("{key}: is empty, name the locker's doors")),
        (Kind::Locker, count) if count > usize::from(MAX_DOORS) => {
            wrong(format!("{key}: {count} names, a controller has at most {MAX_DOORS} doors"))
        }
        (Kind::Locker, _) | (_, 0) => Ok(()),
        (kind, _) => wrong(format!("{key}: a {} has none, leave it out", kind.word())),
    }
}

fn check_hash(key: &str, hash: &str) -> Result<(), ConfigError> {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if hash.len() == 64 && hash.bytes().all(is_digit) {
        return Ok(());
    }
    wrong(format!(
        "{key}.key_sha256: is no SHA-256, use the 64 hex digits of `printf %s KEY | sha256sum`"
    ))
}

/// What the cloud takes for a name on a door.
fn is_door(name: &str) -> bool {
    let usable = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    (1..=32).contains(&name.chars().count()) && name.chars().all(usable)
}

fn check_serial(key: &str, path: &Path, baud: u32, address: u8) -> Result<(), ConfigError> {
    check_line(key, path, address)?;
    if !BAUD_RATES.contains(&baud) {
        return wrong(format!(
            "{key}.baud: {baud} is no rate, use 9600 to 4000000, usually 115200"
        ));
    }
    Ok(())
}

/// How a Modbus line is set, for people.
fn words(line: &Line) -> String {
    let Line { baud, parity, stop_bits } = line;
    format!("{baud} bit/s, {parity:?} parity and {stop_bits} stop bits").to_lowercase()
}

fn check_line(key: &str, path: &Path, address: u8) -> Result<(), ConfigError> {
    if !path.is_absolute() {
        return wrong(format!(
            "{key}.path: `{}` is not absolute, write it like /dev/ttyUSB0",
            path.display()
        ));
    }
    if !ADDRESSES.contains(&address) {
        return wrong(format!("{key}.address: {address} is no address, use 1 to 247"));
    }
    Ok(())
}

fn wrong(message: String) -> Result<(), ConfigError> {
    Err(ConfigError(message))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn complaint(text: &str) -> String {
        let config: Config = toml::from_str(text).unwrap();
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn takes_lines_with_several_devices_and_a_broker() {
        let config: Config = toml::from_str(
            r#"
            controllers = [
                { id = "entry", link = "serial", path = "/dev/ttyUSB0", address = 1 },
                { id = "exit", link = "serial", path = "/dev/ttyUSB0", address = 2 },
                { id = "back", link = "mqtt" },
            ]
            [mqtt]
            host = "broker"
            "#,
        )
        .unwrap();
        config.check().unwrap();
        assert_eq!(config.mqtt.unwrap().port, 1883);
    }

    #[test]
    fn names_the_key_that_is_wrong_and_what_would_be_right() {
        let serial = |more: &str| format!("[[controllers]]\nid = 'a'\nlink = 'serial'\n{more}");
        for (text, key, right) in [
            (serial("path = 'ttyUSB0'"), "controllers[0].path", "/dev/ttyUSB0"),
            (serial("path = '/dev/a'\nbaud = 7"), "controllers[0].baud", "115200"),
            (serial("path = '/dev/a'\naddress = 0"), "controllers[0].address", "1 to 247"),
            (
                serial("path = '/dev/a'\n") + &serial("path = '/dev/b'"),
                "controllers[1].id",
                "own name",
            ),
            (
                serial("path = '/dev/a'\n") + &serial("path = '/dev/a'").replace("'a'", "'b'"),
                "controllers[1].address",
                "own address",
            ),
            (
                serial("path = '/dev/a'\nbaud = 9600\n")
                    + &serial("path = '/dev/a'\naddress = 2").replace("'a'", "'b'"),
                "controllers[0].baud",
                "one rate",
            ),
            (
                "[[controllers]]\nid = 'a'\nlink = 'mqtt'".to_owned(),
                "controllers[0].link",
                "[mqtt]",
            ),
            (
                "[[controllers]]\nid = 'a'\nlink = 'mqtt'\nkind = 'locker'\n[mqtt]".to_owned(),
                "controllers[0].doors",
                "name the locker's doors",
            ),
            (
                "[[controllers]]\nid = 'a'\nlink = 'mqtt'\nkind = 'locker'\n\
                 doors = ['A1', 'A1']\n[mqtt]"
                    .to_owned(),
                "controllers[0].doors",
                "each once",
            ),
            (
                "[[controllers]]\nid = 'a'\nlink = 'mqtt'\ndoors = ['A1']\n[mqtt]".to_owned(),
                "controllers[0].doors",
                "leave it out",
            ),
            (
                "[[controllers]]\nid = 'a'\nlink = 'http'\nkey_sha256 = ''\ndoors = ['A1']"
                    .to_owned(),
                "controllers[0].link",
                "[lan]",
            ),
            (
                "[[controllers]]\nid = 'a'\nlink = 'http'\nkey_sha256 = 'secret'\n\
                 doors = ['A1']\n[lan]\nlisten = '192.0.2.1:8090'"
                    .to_owned(),
                "controllers[0].key_sha256",
                "sha256sum",
            ),
            ("[mqtt]\nusername = 'a'".to_owned(), "mqtt.username", "both"),
            (
                "[mqtt]\nusername = 'a'\npassword_file = '/nowhere'".to_owned(),
                "mqtt.password_file",
                "/nowhere",
            ),
        ] {
            let complaint = complaint(&text);
            assert!(complaint.starts_with(key), "{complaint}");
            assert!(complaint.contains(right), "{complaint}");
        }
    }

    #[test]
    fn the_example_shows_the_usual_values() {
        let example = include_str!("../../../config/edge.example.toml");
        let mut file: toml::Table = example.parse().unwrap();
        file.retain(|key, _| matches!(key, "controllers" | "mqtt" | "lan"));
        let config: Config = file.try_into().unwrap();
        config.check().unwrap();
        let Controller::Serial { baud, address, .. } = config.controllers[0] else {
            panic!("the first is on a line")
        };
        assert_eq!((baud, address), (usual_baud(), usual_address()));
        let broker = config.mqtt.unwrap();
        assert_eq!((broker.host, broker.port), (usual_host(), usual_port()));
    }

    #[test]
    fn a_misspelt_key_is_an_error() {
        let text = "[[controllers]]\nid = 'a'\nlink = 'serial'\npath = '/dev/a'\nbuad = 9600";
        assert!(toml::from_str::<Config>(text).unwrap_err().to_string().contains("buad"));
    }
}
