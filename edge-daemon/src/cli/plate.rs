//! `edge-daemon plate …`: recognition by itself.

use std::process::ExitCode;

use clap::Subcommand;

/// What can be done with recognition alone.
#[derive(Debug, Subcommand)]
pub enum Verb {}

/// Runs the verb.
pub fn run(verb: Verb) -> ExitCode {
    match verb {}
}
