//! A device behind a broker.

mod bench;
mod commands;
mod connection;
mod dialect;
mod layout;

use std::{future::Future, pin::Pin};

use firmware_protocol::seal::Key;

use self::bench::Bench;
use super::Report;

/// The kinds of device that can be tried over MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A locker controller.
    Locker,
    /// A charger.
    Charger,
    /// A barrier.
    Barrier,
}

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User and password; none for a broker that lets everybody in.
    pub login: Option<(String, String)>,
}

/// Makes the device lose power and start anew; false where that did not work.
pub type Restart = Box<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send>;

/// What is to be tried.
pub struct Subject {
    /// The broker.
    pub broker: Broker,
    /// The device's site.
    pub site: String,
    /// Its name.
    pub device: String,
    /// What it is.
    pub kind: Kind,
    /// Its key.
    pub key: Key,
    /// The door of a locker that is opened.
    pub door: u8,
    /// How it is made to lose power; without it, what shows only then is not tried.
    pub restart: Option<Restart>,
}

/// Tries the device.
///
/// # Errors
/// Where the broker cannot be reached; a device that cannot be is a failure in the report.
pub async fn run(subject: Subject) -> Result<Report, String> {
    let mut report = Report::default();
    let mut bench = Bench::connect(subject).await?;
    layout::check(&mut bench, &mut report).await;
    if bench.session == 0 {
        report.skip("command", "a command is carried out", "there is no session");
        return Ok(report);
    }
    commands::check(&mut bench, &mut report).await;
    connection::check(&mut bench, &mut report).await;
    Ok(report)
}
