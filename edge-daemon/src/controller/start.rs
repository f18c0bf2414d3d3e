//! Starts the links to the controllers: one for each line, one for the broker, one for those that
//! call by themselves.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use domain::{
    clock::Clock,
    ids::{DeviceId, SiteId},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Controllers, Handle,
    barrier::Barrier,
    charger::Charger,
    config::{Config, Controller, Kind, Mqtt, OnModbus},
    keys::Keys,
    lan::{self, Lan},
    link::{self, Desk, Link, Order},
    modbus::ModbusLine,
    mqtt::{self, Locker, Member, MqttLink, Told},
    report::Report,
    serial::{OnLine, SerialLine},
};

/// Reports that may wait for the receiver.
const REPORTS: usize = 1_024;
/// Commands that may wait for a link, each for less than a millisecond.
const ORDERS: usize = 128;

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

    fn start_modbus(&mut self, path: PathBuf, members: Vec<OnModbus>) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let Some(settings) = members.first().map(|member| member.line) else { return };
        let devices = members
            .into_iter()
            .map(|OnModbus { id, address, model, .. }| {
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
fn modbus_lines(config: &Config) -> BTreeMap<PathBuf, Vec<OnModbus>> {
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
