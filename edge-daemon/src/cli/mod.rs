//! The command line. Each verb is a module with its arguments and a `run`.

mod check_config;
mod conformance;
mod device;
mod enroll;
mod journal;
mod plate;
mod run;
mod status;
mod vision;

use std::{error::Error, io::IsTerminal, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Gatehouse at a site: reads plates, decides at the barrier, remembers everything.
#[derive(Debug, Parser)]
#[command(name = "edge-daemon", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check a configuration file and say what is wrong with it.
    CheckConfig(check_config::CheckConfig),
    /// Try a device under development, and print which of the protocol's promises it keeps.
    Conformance(conformance::Conformance),
    /// The credentials of devices: accounts at the broker, and keys.
    #[command(subcommand)]
    Device(device::Verb),
    /// Make this machine a site of a cloud, with a one-time code.
    Enroll(enroll::Enroll),
    /// What the site remembers.
    #[command(subcommand)]
    Journal(journal::Verb),
    /// Plate recognition by itself.
    #[command(subcommand)]
    Plate(plate::Verb),
    /// Run the site: cameras, barriers, journal and the way to the cloud.
    Run(run::Run),
    /// How the site is, what waits for the cloud, and for how many days there is room.
    Status(status::Arguments),
    /// Cameras and recognition; started by the core.
    Vision(vision::Vision),
}

/// Runs the verb that the command line names.
pub fn run(cli: Cli) -> ExitCode {
    crate::tls::install();
    match cli.verb {
        Verb::CheckConfig(arguments) => check_config::run(arguments),
        Verb::Conformance(arguments) => conformance::run(arguments),
        Verb::Device(verb) => device::run(verb),
        Verb::Enroll(arguments) => enroll::run(arguments),
        Verb::Journal(verb) => journal::run(verb),
        Verb::Plate(verb) => plate::run(verb),
        Verb::Run(arguments) => run::run(arguments),
        Verb::Status(arguments) => status::run(arguments),
        Verb::Vision(arguments) => vision::run(arguments),
    }
}

/// Tells what happens on stderr, as much as `GATEHOUSE_LOG` asks for (`info` without it).
fn log() {
    let filter = EnvFilter::try_from_env("GATEHOUSE_LOG").unwrap_or_else(|_| "info".into());
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    log.with_writer(std::io::stderr).init();
}

/// Says on the terminal what went wrong, with its causes.
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("edge-daemon: {error}");
    for cause in std::iter::successors(error.source(), |error| (*error).source()) {
        eprintln!("  because: {cause}");
    }
    ExitCode::FAILURE
}
