//! `edge-daemon plate …`: recognition by itself.

mod bench;
mod files;
mod networks;
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
    /// Measures how fast recognition is here, for a report.
    Bench(bench::Arguments),
}

/// Runs the verb.
pub fn run(verb: Verb) -> ExitCode {
    match verb {
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
    }
}
