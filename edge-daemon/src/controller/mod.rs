//! The controllers of a site: sends commands, reports what devices say.
//!
//! - A command is taken only for a device that is online, and never kept for later: it is sent at
//!   once, lives as long as it says, and its end is reported once.
//! - A line that fails is opened again by itself, with growing pauses; its devices are offline in
//!   between. No device, line or broker holds up another link.
//! - Whatever a line carries, memory stays bounded, and what is no message is dropped and counted.
//! - Reports are given in order. A receiver that does not read them holds up the links.

pub mod barrier;
pub mod charger;
mod conduct;
mod config;
pub mod keys;
pub mod lan;
mod link;
pub mod locker;
mod modbus;
pub mod mqtt;
mod peer;
mod report;
mod serial;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    clock::Clock,
    event,
    ids::{CommandId, DeviceId, SiteId},
};
use firmware_protocol::command::MAX_COMMAND_LIFE_MS;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::{
    barrier::Barrier,
    charger::Charger,
    keys::Keys,
    lan::Lan,
    link::{Desk, Link, Order},
    modbus::ModbusLine,
    mqtt::{Locker, Member, MqttLink, Told},
    serial::{OnLine, SerialLine},
};
pub use self::{
    config::{Config, ConfigError, Controller, Kind, LanConfig, Mqtt},
    report::{Report, What},
};

/// Reports that may wait for the receiver.
const REPORTS: usize = 1_024;
/// Commands that may wait for a link, each for less than a millisecond.
const ORDERS: usize = 128;

/// A command to a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// The command; never used twice.
    pub id: CommandId,
    /// What to do.
    pub action: Action,
    /// How long it may move something, at most 10 s.
    pub expires_in: Duration,
}

/// What a device is to do, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Moves a barrier's arm.
    Barrier(event::Action),
    /// Lets a car take energy, or not. It is no movement: the charger's status says what became of
    /// it.
    Charger(charger::Target),
    /// Opens a door of a locker, or turns a code down.
    Locker(locker::Action),
}

impl Action {
    /// The kind of device that can do it.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Barrier(_) => Kind::Barrier,
            Self::Charger(_) => Kind::Charger,
            Self::Locker(_) => Kind::Locker,
        }
    }
}

impl From<event::Action> for Action {
    fn from(action: event::Action) -> Self {
        Self::Barrier(action)
    }
}

/// Why a command was not taken. It was not sent and will not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The device does not answer.
    #[error("{0} is offline")]
    Offline(DeviceId),
    /// There is no such controller.
    #[error("{0} is no controller of this site")]
    Unknown(DeviceId),
    /// It is a device of another kind.
    #[error("{0} is no device that can do this")]
    OtherKind(DeviceId),
    /// It is to live longer than a device can remember it.
    #[error("a command to {0} lives at most {MAX_COMMAND_LIFE_MS} ms")]
    TooLong(DeviceId),
    /// More commands than the link can take.
    #[error("the link of {0} is busy")]
    Busy(DeviceId),
}

/// Sends commands. Cheap to clone.
#[derive(Clone)]
pub struct Controllers {
    clock: Arc<dyn Clock>,
    devices: Arc<HashMap<DeviceId, Handle>>,
    links: Arc<[(String, Arc<AtomicU64>)]>,
    lan: Option<Arc<Lan>>,
}

struct Handle {
    kind: Kind,
    online: Arc<AtomicBool>,
    orders: mpsc::Sender<Order>,
}

impl Controllers {
    /// Sends a command at once. Its sending and its end are reported.
    ///
    /// # Errors
    /// When the device is offline or unknown, its link busy, or the command's life too long; then
    /// nothing is sent.
    pub fn send(&self, device: &DeviceId, command: Command) -> Result<(), SendError> {
        let handle = self.devices.get(device).ok_or_else(|| SendError::Unknown(device.clone()))?;
        if handle.kind != command.action.kind() {
            return Err(SendError::OtherKind(device.clone()));
        }
        if !handle.online.load(Ordering::Acquire) {
            return Err(SendError::Offline(device.clone()));
        }
        let life_ms = u64::try_from(command.expires_in.as_millis()).unwrap_or(u64::MAX);
        if life_ms > MAX_COMMAND_LIFE_MS {
            return Err(SendError::TooLong(device.clone()));
        }
        let expires_at_ms = self.clock.now().monotonic_ms + life_ms;
        let Command { id, action, .. } = command;
        let order = Order { device: device.clone(), id, action, expires_at_ms };
        handle.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Busy(device.clone()),
            mpsc::error::TrySendError::Closed(_) => SendError::Offline(device.clone()),
        })
    }

    /// The controllers that call by themselves, where there are some: for [`lan::serve`].
    pub fn lan(&self) -> Option<Arc<Lan>> {
        self.lan.clone()
    }

    /// Whether a device can be commanded now.
    pub fn is_online(&self, device: &DeviceId) -> bool {
        self.devices.get(device).is_some_and(|handle| handle.online.load(Ordering::Acquire))
    }

    /// How many frames and messages each link threw away since the start, for the metrics.
    pub fn dropped(&self) -> impl Iterator<Item = (&str, u64)> {
        self.links.iter().map(|(name, dropped)| (name.as_str(), dropped.load(Ordering::Relaxed)))
    }
}

/// Starts the links of a checked configuration, each in a task of its own, until `shutdown`. Must
/// be called in a tokio runtime. Devices whose messages are sealed have their keys in `keys`, which are followed.
pub fn start(
    config: &Config,
    site: &SiteId,
    keys: &Keys,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> (Controllers, mpsc::Receiver<Report>) {
    let (reports, receiver) = mpsc::channel(REPORTS);
    let mut starter =
        Starter { clock, shutdown, reports, devices: HashMap::new(), links: Vec::new() };
    for ((path, baud), members) in serial_lines(config) {
        starter.start_serial(path, baud, members);
    }
    for (path, members) in modbus_lines(config) {
        starter.start_modbus(path, members);
    }
    if let Some(broker) = &config.mqtt {
        starter.start_mqtt(broker, site, keys, &config.controllers);
    }
    let lan = starter.start_lan(&config.controllers);
    let Starter { clock, devices, links, .. } = starter;
    (Controllers { clock, devices: Arc::new(devices), links: links.into(), lan }, receiver)
}

struct Starter {
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    reports: mpsc::Sender<Report>,
    devices: HashMap<DeviceId, Handle>,
    links: Vec<(String, Arc<AtomicU64>)>,
}

impl Starter {
    fn start_serial(&mut self, path: PathBuf, baud: u32, members: OnSerial) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let name = path.display().to_string();
        let devices = members
            .into_iter()
            .map(|(id, address, kind)| {
                let online = self.register(&id, kind, &orders);
                OnLine { id, address, kind, online }
            })
            .collect();
        let line = SerialLine::new(path, baud, devices, self.clock.now().monotonic_ms);
        self.spawn(name, line, receiver);
    }

    fn start_modbus(&mut self, path: PathBuf, members: Vec<config::OnModbus>) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let Some(settings) = members.first().map(|member| member.line) else { return };
        let devices = members
            .into_iter()
            .map(|config::OnModbus { id, address, model, .. }| {
                let online = self.register(&id, model.kind(), &orders);
                (id, address, model, online)
            })
            .collect();
        let name = path.display().to_string();
        self.spawn(name, ModbusLine::new(path, settings, devices), receiver);
    }

    fn start_mqtt(
        &mut self,
        broker: &Mqtt,
        site: &SiteId,
        keys: &Keys,
        controllers: &[Controller],
    ) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let now_ms = self.clock.now().monotonic_ms;
        let (mut members, mut devices) = (Vec::new(), Vec::new());
        for controller in controllers {
            if let Controller::Mqtt { id, kind, .. } = controller {
                let online = self.register(id, *kind, &orders);
                members.push((id.clone(), *kind, member(id.clone(), *kind, online, now_ms)));
                devices.push((id.clone(), *kind));
            }
        }
        let keyring = mqtt::follow(keys.clone(), devices, self.shutdown.clone());
        let (broker, site) = (broker.clone(), site.clone());
        let link = MqttLink::new(broker, site, members, keyring, controllers, now_ms);
        self.spawn("mqtt".to_owned(), link, receiver);
    }

    /// Controllers that call by themselves, where there are some.
    fn start_lan(&mut self, controllers: &[Controller]) -> Option<Arc<Lan>> {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let mut members = Vec::new();
        for controller in controllers {
            if let Controller::Http { id, key_sha256, doors } = controller {
                let online = self.register(id, Kind::Locker, &orders);
                let (device, key_sha256) = (id.clone(), key_sha256.clone());
                members.push(lan::Member { device, key_sha256, doors: doors.clone(), online });
            }
        }
        if members.is_empty() {
            return None;
        }
        let lan = Arc::new(Lan::new(members, self.reports.clone(), Arc::clone(&self.clock)));
        tokio::spawn(lan::run(Arc::clone(&lan), self.desk(receiver, Arc::default())));
        Some(lan)
    }

    fn register(
        &mut self,
        device: &DeviceId,
        kind: Kind,
        orders: &mpsc::Sender<Order>,
    ) -> Arc<AtomicBool> {
        let online = Arc::new(AtomicBool::new(false));
        let handle = Handle { kind, online: Arc::clone(&online), orders: orders.clone() };
        self.devices.insert(device.clone(), handle);
        online
    }

    fn spawn(&mut self, name: String, link: impl Link, orders: mpsc::Receiver<Order>) {
        let dropped = Arc::new(AtomicU64::new(0));
        self.links.push((name.clone(), Arc::clone(&dropped)));
        tokio::spawn(link::run(name, link, self.desk(orders, dropped)));
    }

    fn desk(&self, orders: mpsc::Receiver<Order>, dropped: Arc<AtomicU64>) -> Desk {
        let (reports, clock) = (self.reports.clone(), Arc::clone(&self.clock));
        Desk { orders, reports, clock, shutdown: self.shutdown.clone(), dropped }
    }
}

/// Who is on a line: each with its address there and what it controls.
type OnSerial = Vec<(DeviceId, u8, Kind)>;

/// The lines by path and rate.
fn serial_lines(config: &Config) -> BTreeMap<(PathBuf, u32), OnSerial> {
    let mut lines = BTreeMap::<_, Vec<_>>::new();
    for controller in &config.controllers {
        if let Controller::Serial { id, path, baud, address, kind } = controller {
            lines.entry((path.clone(), *baud)).or_default().push((id.clone(), *address, *kind));
        }
    }
    lines
}

/// The Modbus lines, each with the devices on it.
fn modbus_lines(config: &Config) -> BTreeMap<PathBuf, Vec<config::OnModbus>> {
    let mut lines = BTreeMap::<_, Vec<_>>::new();
    // A model that cannot be had is a fault of the configuration, which was checked.
    let devices = config.controllers.iter().filter_map(|one| one.on_modbus()?.ok());
    for device in devices {
        lines.entry(device.path.clone()).or_default().push(device);
    }
    lines
}

/// A device behind the broker, by its kind.
fn member(device: DeviceId, kind: Kind, online: Arc<AtomicBool>, now_ms: u64) -> Box<dyn Member> {
    match kind {
        Kind::Charger => Box::new(Told::<Charger>::new(device, online, now_ms)),
        Kind::Locker => Box::new(Told::<Locker>::new(device, online, now_ms)),
        // The configuration, which was checked, has no meter behind a broker.
        Kind::Barrier | Kind::Meter => Box::new(Told::<Barrier>::new(device, online, now_ms)),
    }
}
