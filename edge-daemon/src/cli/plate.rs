//! `edge-daemon plate …`: recognition by itself.

mod files;
mod picture;
mod pool;
mod report;
mod table;
mod test;

use std::process::ExitCode;

use clap::Subcommand;

/// What can be done with recognition alone.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Reads the plates in pictures (JPEG, PNG).
    Test(test::Arguments),
}

/// Runs the verb.
pub fn run(verb: Verb) -> ExitCode {
    match verb {
        Verb::Test(arguments) => test::run(&arguments),
    }
}
