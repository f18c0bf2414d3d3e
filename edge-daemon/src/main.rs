//! `edge-daemon`: see `edge-daemon --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    edge_daemon::cli::run(edge_daemon::cli::Cli::parse())
}
