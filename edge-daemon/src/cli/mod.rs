//! The command line. Each verb is a module with its arguments and a `run`.

mod plate;

use std::process::ExitCode;

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
    /// Plate recognition by itself.
    #[command(subcommand)]
    Plate(plate::Verb),
}

/// Runs the verb that the command line names.
pub fn run(cli: Cli) -> ExitCode {
    match cli.verb {
        Verb::Plate(verb) => plate::run(verb),
    }
}
