//! A simulated barrier for the demo and for trying things out: see `simulate-barrier --help`.
//!
//! Prints one JSON line for everything that a person beside the barrier could see.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use firmware_protocol::{
    barrier::{Action, Arm, Verdict},
    frame::ADDRESSES,
};
use serde_json::{Value, json};
use system_tests::{
    barrier::{Barrier, Happening, Timing},
    device::{Account, MqttDevice, read_key},
    serial::SerialLine,
};
use tokio::{
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::interval,
};
use uuid::Uuid;

/// Acts as a barrier with traffic: a vehicle passes each time the arm opens.
#[derive(Parser)]
#[command(name = "simulate-barrier")]
struct Cli {
    #[command(subcommand)]
    link: Link,
}

#[derive(Subcommand)]
enum Link {
    /// On a serial line of its own.
    Serial {
        /// Where to put a symbolic link to the line.
        #[arg(long)]
        link: PathBuf,
        /// The barrier's address on the line.
        #[arg(long, default_value_t = *ADDRESSES.start())]
        address: u8,
        #[command(flatten)]
        timing: TimingArgs,
    },
    /// Behind an MQTT broker.
    Mqtt {
        /// The broker.
        #[arg(long, default_value = "127.0.0.1")]
        host: String,
        /// Its port.
        #[arg(long, default_value_t = 1883)]
        port: u16,
        /// The site's name.
        #[arg(long)]
        site: String,
        /// The barrier's name.
        #[arg(long)]
        device: String,
        /// Whom to log in as.
        #[arg(long, requires = "password")]
        username: Option<String>,
        /// With which password.
        #[arg(long, env = "SIMULATE_BARRIER_PASSWORD", hide_env_values = true)]
        password: Option<String>,
        /// File with its key, 64 hex digits; without one it takes no command.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        #[command(flatten)]
        timing: TimingArgs,
    },
}

#[derive(Args)]
struct TimingArgs {
    /// How long the arm travels, in milliseconds.
    #[arg(long, default_value_t = Timing::default().travel_ms)]
    travel_ms: u64,
    /// How long a vehicle takes from the open arm until it is under it, in milliseconds.
    #[arg(long, default_value_t = Timing::default().approach_ms)]
    approach_ms: u64,
    /// How long a vehicle is under the arm, in milliseconds.
    #[arg(long, default_value_t = Timing::default().passing_ms)]
    passing_ms: u64,
    /// No vehicles come.
    #[arg(long)]
    no_traffic: bool,
}

impl TimingArgs {
    fn barrier(&self) -> Barrier {
        let Self { travel_ms, approach_ms, passing_ms, no_traffic } = *self;
        let barrier = Barrier::new(Timing { travel_ms, approach_ms, passing_ms });
        barrier.board().hardware.set_traffic(!no_traffic);
        barrier
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    match Cli::parse().link {
        Link::Serial { link, address, timing } => {
            let barrier = timing.barrier();
            let line = SerialLine::new(&link, vec![(address, barrier.clone())])?;
            print(&json!({"event": "ready", "line": line.path()}))?;
            tell(&barrier).await
        }
        Link::Mqtt { host, port, site, device, username, password, key_file, timing } => {
            let barrier = timing.barrier();
            let account = Account { host, port, login: username.zip(password) };
            let key = key_file.map(|path| read_key(&path)).transpose()?;
            let _link = MqttDevice::new(account, &site, &device, key, barrier.device());
            print(&json!({"event": "ready", "site": site, "device": device}))?;
            tell(&barrier).await
        }
    }
}

/// Prints what happens until the terminal or SIGTERM ends it.
async fn tell(barrier: &Barrier) -> io::Result<()> {
    let mut ticks = interval(Duration::from_millis(10));
    let mut terminated = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = terminated.recv() => return Ok(()),
            end = ctrl_c() => return end,
        }
        let happenings = barrier.board().hardware.take_happenings();
        for (at_ms, happening) in happenings {
            let mut line = describe(happening);
            line["at_ms"] = at_ms.into();
            print(&line)?;
        }
    }
}

fn describe(happening: Happening) -> Value {
    match happening {
        Happening::Command { action, reply } => json!({
            "event": "command",
            "action": if action == Action::Open { "open" } else { "close" },
            "id": Uuid::from_bytes(reply.id),
            "duplicate": reply.duplicate,
            "verdict": match reply.verdict {
                Verdict::Accepted => "accepted",
                Verdict::Expired => "expired",
                Verdict::Refused(_) => "refused",
            },
        }),
        Happening::Arm(arm) => json!({"event": "arm", "arm": match arm {
            Arm::Closed => "closed",
            Arm::Opening => "opening",
            Arm::Open => "open",
            Arm::Closing => "closing",
            Arm::Stopped => "stopped",
            Arm::Fault => "fault",
        }}),
        Happening::UnderArm(occupied) => json!({"event": "under_arm", "occupied": occupied}),
        Happening::InFront(occupied) => json!({"event": "in_front", "occupied": occupied}),
    }
}

fn print(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
