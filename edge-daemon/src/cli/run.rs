//! `edge-daemon run`: the daemon itself.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{config::Config, daemon};

/// Runs the site: cameras, barriers, journal and the way to the cloud.
#[derive(Debug, Args)]
pub struct Run {
    /// The configuration file.
    #[arg(long, default_value = "/etc/gatehouse/edge.toml")]
    config: PathBuf,
}

/// Runs the verb.
pub fn run(arguments: Run) -> ExitCode {
    super::log();
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => return super::fail(&error),
    };
    match daemon::start(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::fail(&error),
    }
}
