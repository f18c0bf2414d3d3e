//! What the types of the configuration cannot hold.

use std::{collections::HashSet, path::Path};

use domain::ids::DeviceId;
use firmware_protocol::{frame::ADDRESSES, locker::MAX_DOORS};

use super::{Config, Controller, Kind, Mqtt, OnModbus};
use crate::controller::modbus::model::Line;

/// Rates that a line may have, in bit/s.
const BAUD_RATES: std::ops::RangeInclusive<u32> = 9_600..=4_000_000;
/// Rates that a Modbus line may have, in bit/s.
const MODBUS_RATES: std::ops::RangeInclusive<u32> = 1_200..=115_200;

/// What is wrong with a configuration: the key, what it says, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// What controllers before this one have taken.
#[derive(Default)]
struct Taken<'a> {
    ids: HashSet<&'a DeviceId>,
    addresses: HashSet<(&'a Path, u8)>,
    hashes: HashSet<&'a str>,
}

impl<'a> Taken<'a> {
    fn id(&mut self, key: &str, id: &'a DeviceId) -> Result<(), ConfigError> {
        if self.ids.insert(id) {
            return Ok(());
        }
        wrong(format!("{key}.id: `{id}` is taken, give each device its own name"))
    }

    fn address(&mut self, key: &str, path: &'a Path, address: u8) -> Result<(), ConfigError> {
        if self.addresses.insert((path, address)) {
            return Ok(());
        }
        wrong(format!(
            "{key}.address: {address} is taken on {}, give each device on a line its own address",
            path.display()
        ))
    }

    fn hash(&mut self, key: &str, hash: &'a str) -> Result<(), ConfigError> {
        if self.hashes.insert(hash) {
            return Ok(());
        }
        wrong(format!("{key}.key_sha256: another has the same key, give each its own"))
    }
}

impl Config {
    /// Checks what the types cannot hold.
    ///
    /// # Errors
    /// Names the first key that is wrong and what would be right.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut taken = Taken::default();
        for (index, controller) in self.controllers.iter().enumerate() {
            let key = format!("controllers[{index}]");
            taken.id(&key, controller.id())?;
            self.check_link(&key, controller, &mut taken)?;
        }
        self.check_doors()?;
        self.mqtt.as_ref().map_or(Ok(()), Mqtt::check)
    }

    fn check_link<'a>(
        &self,
        key: &str,
        controller: &'a Controller,
        taken: &mut Taken<'a>,
    ) -> Result<(), ConfigError> {
        let is_modbus = matches!(controller, Controller::Modbus { .. });
        if controller.kind() == Kind::Meter && !is_modbus {
            return wrong(format!(
                "{key}.kind: a meter is read over Modbus, set link = \"modbus\""
            ));
        }
        match controller {
            Controller::Serial { path, baud, address, .. } => {
                check_serial(key, path, *baud, *address)?;
                self.check_rate(key, path, *baud)?;
                taken.address(key, path, *address)
            }
            Controller::Modbus { path, address, .. } => {
                self.check_modbus(key, controller)?;
                taken.address(key, path, *address)
            }
            Controller::Mqtt { .. } if self.mqtt.is_none() => wrong(format!(
                "{key}.link: `mqtt` needs a broker, add a section [mqtt] with host and port"
            )),
            Controller::Mqtt { .. } => Ok(()),
            Controller::Http { .. } if self.lan.is_none() => wrong(format!(
                "{key}.link: `http` needs a listener, add a section [lan] with listen"
            )),
            Controller::Http { key_sha256, .. } => {
                check_hash(key, key_sha256)?;
                taken.hash(key, key_sha256)
            }
        }
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
