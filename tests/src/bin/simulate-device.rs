//! A simulated locker controller or charger, for the demo and for trying things out: see
//! `simulate-device --help`.
//!
//! Prints one JSON line for every command that it was given.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use firmware_protocol::frame::ADDRESSES;
use serde_json::{Value, json};
use system_tests::{
    charger::{Pile, SerialCharger, Vehicle},
    device::{Account, Faults, Hardware, MqttDevice, Simulated, read_key},
    locker::{Cabinet, Timing},
    serial::SerialLine,
};
use tokio::{
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::interval,
};

/// Acts as a locker controller or a charger.
#[derive(Parser)]
#[command(name = "simulate-device")]
struct Cli {
    #[command(subcommand)]
    device: Device,
}

#[derive(Subcommand)]
enum Device {
    /// A locker controller behind an MQTT broker; somebody opens and closes each door that is
    /// released.
    Locker {
        /// How many doors it has.
        #[arg(long, default_value_t = 8)]
        doors: u8,
        #[command(flatten)]
        broker: BrokerArgs,
        #[command(flatten)]
        fault: FaultArg,
    },
    /// A charger behind an MQTT broker.
    Charger {
        #[command(flatten)]
        pile: PileArgs,
        #[command(flatten)]
        broker: BrokerArgs,
        #[command(flatten)]
        fault: FaultArg,
    },
    /// A charger on a serial line of its own.
    SerialCharger {
        /// Where to put a symbolic link to the line.
        #[arg(long)]
        link: PathBuf,
        /// The charger's address on the line.
        #[arg(long, default_value_t = *ADDRESSES.start())]
        address: u8,
        #[command(flatten)]
        pile: PileArgs,
        #[command(flatten)]
        fault: FaultArg,
    },
}

#[derive(Args)]
struct BrokerArgs {
    /// The broker.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Its port.
    #[arg(long, default_value_t = 1883)]
    port: u16,
    /// The site's name.
    #[arg(long)]
    site: String,
    /// The device's name.
    #[arg(long)]
    device: String,
    /// File with the device's key, 64 hex digits. Without one it takes no command.
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// Whom to log in as.
    #[arg(long, requires = "password")]
    username: Option<String>,
    /// With which password.
    #[arg(long, env = "SIMULATE_DEVICE_PASSWORD", hide_env_values = true)]
    password: Option<String>,
}

#[derive(Args)]
struct PileArgs {
    /// The most that it can offer on each phase, in milliamperes.
    #[arg(long, default_value_t = 32_000)]
    max_ma: u32,
    /// How many phases it has.
    #[arg(long, default_value_t = 3)]
    phases: u8,
    /// What its meter has counted so far, in watt-hours.
    #[arg(long, default_value_t = 0)]
    energy_wh: u64,
    /// How much faster than in life energy flows.
    #[arg(long, default_value_t = 1)]
    speed: u32,
    /// A vehicle is plugged in, with room for so many watt-hours.
    #[arg(long)]
    vehicle_wh: Option<u64>,
}

#[derive(Args)]
struct FaultArg {
    /// What is wrong with its firmware, such as ignores-seal or babbling.
    #[arg(long, value_parser = fault)]
    fault: Option<Faults>,
}

fn fault(name: &str) -> Result<Faults, String> {
    Faults::named(name).ok_or_else(|| format!("`{name}` is no fault; see Faults::named"))
}

impl PileArgs {
    fn pile(&self) -> Pile {
        let mut pile = Pile::new(self.max_ma, self.phases, self.energy_wh);
        pile.set_speed(self.speed);
        let vehicle = |room_wh| Vehicle { max_ma: self.max_ma, phases: self.phases, room_wh };
        pile.plug(self.vehicle_wh.map(vehicle));
        pile
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    match Cli::parse().device {
        Device::Locker { doors, broker, fault } => {
            let mut cabinet = Cabinet::new(doors, Timing::default());
            cabinet.set_people(true);
            behind_broker(broker, fault, cabinet).await
        }
        Device::Charger { pile, broker, fault } => behind_broker(broker, fault, pile.pile()).await,
        Device::SerialCharger { link, address, pile, fault } => {
            let device = simulated(pile.pile(), &fault);
            let station = SerialCharger(device.clone());
            let line = SerialLine::new(&link, vec![(address, station)])?;
            print(&json!({"event": "ready", "line": line.path()}))?;
            tell(&device).await
        }
    }
}

fn simulated<H: Hardware>(hardware: H, fault: &FaultArg) -> Simulated<H> {
    let device = Simulated::new(hardware);
    device.set_faults(fault.fault.unwrap_or_default());
    device
}

async fn behind_broker<H: Hardware>(
    broker: BrokerArgs,
    fault: FaultArg,
    hardware: H,
) -> io::Result<()> {
    let BrokerArgs { host, port, site, device: name, key_file, username, password } = broker;
    let key = key_file.as_deref().map(read_key).transpose()?;
    let device = simulated(hardware, &fault);
    let account = Account { host, port, login: username.zip(password) };
    let _link = MqttDevice::new(account, &site, &name, key, device.clone());
    print(&json!({"event": "ready", "site": site, "device": name}))?;
    tell(&device).await
}

/// Prints the commands until the terminal or SIGTERM ends it.
async fn tell<H: Hardware>(device: &Simulated<H>) -> io::Result<()> {
    let mut ticks = interval(Duration::from_millis(10));
    let mut terminated = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = terminated.recv() => return Ok(()),
            end = ctrl_c() => return end,
        }
        let judged = device.board().take_judged();
        for command in judged {
            let (verb, id) = (command.verb, command.cmd_id);
            let outcome = command.outcome;
            print(&json!({"event": "command", "verb": verb, "id": id, "outcome": outcome}))?;
        }
    }
}

fn print(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
