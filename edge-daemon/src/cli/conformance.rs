//! `edge-daemon conformance`: tries a device under development.

use std::{error::Error, fs, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use domain::ids::{DeviceId, SiteId};
use firmware_protocol::{frame::ADDRESSES, seal::Key};

use crate::{
    conformance::{Report, mqtt, serial},
    controller::keys::Keys,
};

/// Tries a device, behind a broker or on a serial line, and prints which promises it keeps.
#[derive(Debug, Args)]
pub struct Conformance {
    /// The broker the device is behind, as mqtt://user@host:port.
    #[arg(long, value_name = "URL", conflicts_with = "serial", required_unless_present = "serial")]
    mqtt: Option<String>,
    /// File with the broker's password in its first line.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The device's site.
    #[arg(long, required_unless_present = "serial")]
    site: Option<SiteId>,
    /// The device's name.
    #[arg(long, required_unless_present = "serial")]
    device: Option<DeviceId>,
    /// File with the device's key, 64 hex digits.
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    key_file: Option<PathBuf>,
    /// The state directory in which `device pair` kept the key.
    #[arg(long, value_name = "DIR", env = "GATEHOUSE_STATE")]
    state: Option<PathBuf>,
    /// The door of a locker that may be opened.
    #[arg(long, default_value_t = 1)]
    door: u8,
    /// A shell command that makes the device lose power for a moment.
    #[arg(long, value_name = "COMMAND")]
    restart: Option<String>,
    /// The serial line the device is on, alone.
    #[arg(long, value_name = "PATH")]
    serial: Option<PathBuf>,
    /// The line's rate in bit/s.
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// The device's address on the line.
    #[arg(long, default_value_t = *ADDRESSES.start())]
    address: u8,
    /// What the device is.
    #[arg(long)]
    kind: mqtt::Kind,
    /// Report as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb; exit 1 where something fails.
pub fn run(arguments: Conformance) -> ExitCode {
    let json = arguments.json;
    let tried = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(attempt(arguments)));
    match tried {
        Ok(report) => tell(&report, json),
        Err(error) => super::fail(error.as_ref()),
    }
}

fn tell(report: &Report, json: bool) -> ExitCode {
    if json {
        println!("{}", serde_json::to_string(report).expect("words are always JSON"));
    } else {
        print!("{report}");
    }
    if report.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn attempt(arguments: Conformance) -> Result<Report, Box<dyn Error>> {
    if let Some(path) = arguments.serial {
        let kind = serial::Kind::from_str(arguments.kind.word(), false)
            .map_err(|_| "a locker controller has no serial line; name --mqtt")?;
        let (baud, address) = (arguments.baud, arguments.address);
        return Ok(serial::run(&serial::Subject { path, baud, address, kind }).await?);
    }
    Ok(mqtt::run(subject(arguments)?).await?)
}

fn subject(arguments: Conformance) -> Result<mqtt::Subject, Box<dyn Error>> {
    let (kind, door) = (arguments.kind, arguments.door);
    let url = arguments.mqtt.ok_or("name the broker with --mqtt")?;
    let site = arguments.site.ok_or("name the site with --site")?;
    let device = arguments.device.ok_or("name the device with --device")?;
    let key = match (&arguments.key_file, &arguments.state) {
        (Some(path), _) => Some(read_key(path)?),
        (None, Some(state)) => Keys::new(state).get(kind.word(), &device)?,
        (None, None) => None,
    };
    let key = key.ok_or("the device has a key: name it with --key-file or --state")?;
    let broker = broker(&url, arguments.password_file)?;
    let restart = arguments.restart.map(restart);
    let (site, device) = (site.into(), device.into());
    Ok(mqtt::Subject { broker, site, device, kind, key, door, restart })
}

fn read_key(path: &PathBuf) -> Result<Key, Box<dyn Error>> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the key {}: {error}", path.display()))?;
    let key = Key::from_hex(text.trim_end());
    Ok(key.ok_or_else(|| format!("{} does not have 64 hex digits", path.display()))?)
}

fn broker(url: &str, password_file: Option<PathBuf>) -> Result<mqtt::Broker, Box<dyn Error>> {
    let wrong = || format!("`{url}` is no broker; write mqtt://user@host:1883");
    let rest = url.strip_prefix("mqtt://").ok_or_else(wrong)?.trim_end_matches('/');
    let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(u, place)| (Some(u), place));
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "1883"));
    let port = port.parse().map_err(|_| wrong())?;
    let password = password_file.map(|path| {
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok::<_, String>(text.lines().next().unwrap_or_default().to_owned())
    });
    let login = match (user, password.transpose()?) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user.to_owned(), password)),
        _ => return Err("a user needs --password-file, and a password a user in --mqtt".into()),
    };
    Ok(mqtt::Broker { host: host.to_owned(), port, login })
}

fn restart(command: String) -> mqtt::Restart {
    Box::new(move || {
        let mut shell = tokio::process::Command::new("/bin/sh");
        let ended = shell.arg("-c").arg(&command).status();
        Box::pin(async move { ended.await.is_ok_and(|status| status.success()) })
    })
}
