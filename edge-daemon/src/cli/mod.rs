//! The command line. Each verb is a module with its arguments and a `run`.

mod enroll;
mod journal;
mod plate;
mod vision;

use std::{error::Error, process::ExitCode};

use clap::{Parser, Subcommand};

/// Gatehouse at a site: reads plates, decides at the barrier, remembers everything.
#[derive(Debug, Parser)]
#[command(name = "edge-daemon", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make this machine a site of a cloud, with a one-time code.
    Enroll(enroll::Enroll),
    /// What the site remembers.
    #[command(subcommand)]
    Journal(journal::Verb),
    /// Plate recognition by itself.
    #[command(subcommand)]
    Plate(plate::Verb),
    /// Cameras and recognition; started by the core.
    Vision(vision::Vision),
}

/// Runs the verb that the command line names.
pub fn run(cli: Cli) -> ExitCode {
    crate::tls::install();
    match cli.verb {
        Verb::Enroll(arguments) => enroll::run(arguments),
        Verb::Journal(verb) => journal::run(verb),
        Verb::Plate(verb) => plate::run(verb),
        Verb::Vision(arguments) => vision::run(arguments),
    }
}

/// Says on the terminal what went wrong, with its causes.
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("edge-daemon: {error}");
    for cause in std::iter::successors(error.source(), |error| (*error).source()) {
        eprintln!("  because: {cause}");
    }
    ExitCode::FAILURE
}
