//! `edge-daemon device …`: gives devices their credentials, and takes them back.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use domain::ids::DeviceId;

use crate::{
    config::Config,
    controller::{
        Controller,
        keys::{self, Keys},
    },
    pairing::{Accounts, Device, KINDS, Pairing, reload},
};

/// What can be done with a device's credentials.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a device's account at the broker and its key, and show them once, also as a QR code.
    Pair {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        at: At,
        /// Where the device reaches the broker, where that is not `mqtt.host`.
        #[arg(long, value_name = "HOST")]
        address: Option<String>,
        /// Give a device that is paired new credentials, and end the old ones.
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        shown: Shown,
    },
    /// List the devices that are paired.
    List {
        #[command(flatten)]
        at: At,
    },
    /// End a device's account and forget its key.
    Unpair {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        at: At,
    },
}

/// Which device.
#[derive(Debug, Args)]
pub struct Which {
    /// What it is.
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS))]
    kind: String,
    /// Its name, as in its topics.
    #[arg(long)]
    device: DeviceId,
}

/// How its credentials are shown.
#[derive(Debug, Args)]
pub struct Shown {
    /// Print JSON alone.
    #[arg(long)]
    json: bool,
    /// Also draw the QR code into this file, which nobody but its owner can read.
    #[arg(long, value_name = "FILE.png")]
    qr: Option<PathBuf>,
}

/// Where all is kept.
#[derive(Debug, Args)]
pub struct At {
    /// The site's configuration, which names site, state directory and broker.
    #[arg(long, value_name = "FILE", default_value = "/etc/gatehouse/edge.toml")]
    config: PathBuf,
    /// The folder of the broker's configuration, accounts and access list.
    #[arg(long, value_name = "DIR", default_value = "/etc/gatehouse/mosquitto")]
    broker: PathBuf,
}

/// Runs the verb.
pub fn run(verb: Verb) -> ExitCode {
    let done = match verb {
        Verb::Pair { which, at, address, replace, shown } => {
            pair(which, at, address, replace, &shown)
        }
        Verb::List { at } => list(at),
        Verb::Unpair { which, at } => unpair(which, at),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::fail(error.as_ref()),
    }
}

type Done = Result<(), Box<dyn Error>>;

fn pairing(at: &At) -> Result<(Config, Pairing), Box<dyn Error>> {
    let config = Config::load(&at.config)?;
    let keys = Keys::new(config.journal.state().path());
    let accounts = Accounts::open(at.broker.clone())?;
    let site = config.site.id.clone();
    Ok((config, Pairing { site, keys, accounts }))
}

fn pair(which: Which, at: At, address: Option<String>, replace: bool, shown: &Shown) -> Done {
    let (config, pairing) = pairing(&at)?;
    let broker = config.controllers.mqtt.as_ref();
    let broker = broker.ok_or("the configuration names no broker: add a section [mqtt]")?;
    let (Some(user), Some(password)) = (&broker.username, broker.password()?) else {
        return Err("the broker lets everybody in: set mqtt.username and mqtt.password_file".into());
    };
    let device = Device { kind: which.kind, id: which.device };
    let place = (address.unwrap_or_else(|| broker.host.clone()), broker.port);
    pairing.accounts.configure(broker.port)?;
    pairing.admit_host(user, &password)?;
    let takes = taken_by_core(&config, &device);
    let credentials = pairing.pair(device, place, replace)?;
    let qr = credentials.qr()?;
    if shown.json {
        println!("{}", credentials.to_json());
    } else {
        print!("{credentials}\n{qr}\n\n");
        println!("This is not shown again. Give it to the device.");
    }
    eprintln!("{}\n{takes}", reload(&at.broker));
    let Some(path) = &shown.qr else { return Ok(()) };
    let drawn = keys::replace(path, qr.png());
    drawn
        .map_err(|error| format!("cannot draw the QR code into {}: {error}", path.display()).into())
}

/// What a core that runs makes of a device that is paired now.
fn taken_by_core(config: &Config, Device { kind, id }: &Device) -> String {
    let is_it = |controller: &Controller| {
        matches!(controller, Controller::Mqtt { .. })
            && (controller.id(), controller.kind().word()) == (id, kind)
    };
    if config.controllers.controllers.iter().any(is_it) {
        return "A core that runs takes the device within seconds.".to_owned();
    }
    format!(
        "The configuration does not name it yet. Add\n    [[controllers]]\n    id = \"{id}\"\n    \
         link = \"mqtt\"\n    kind = \"{kind}\"\nand what is to use it, then type\n    \
         systemctl restart gatehouse-edge"
    )
}

fn list(at: At) -> Done {
    let (_, pairing) = pairing(&at)?;
    for device in pairing.devices()? {
        println!("{:8} {}", device.kind, device.id);
    }
    Ok(())
}

fn unpair(which: Which, at: At) -> Done {
    let (_, pairing) = pairing(&at)?;
    let device = Device { kind: which.kind, id: which.device };
    pairing.unpair(&device)?;
    println!("{} is not paired any more; a core that runs drops it within seconds.", device.id);
    println!("{}", reload(&at.broker));
    Ok(())
}
