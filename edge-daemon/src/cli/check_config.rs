//! `edge-daemon check-config`: says whether a configuration can be used.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::config::Config;

/// Checks a configuration file without starting anything.
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// The file.
    #[arg(default_value = "/etc/gatehouse/edge.toml")]
    file: PathBuf,
}

/// Runs the verb.
pub fn run(arguments: CheckConfig) -> ExitCode {
    match Config::load(&arguments.file) {
        Ok(config) => {
            println!(
                "{}: good: site {}, {} lanes, {} cameras, {} controllers, {} permits",
                arguments.file.display(),
                config.site.id,
                config.gate.lanes.len(),
                config.cameras.cameras.len(),
                config.controllers.controllers.len(),
                config.gate.permits.len(),
            );
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(&error),
    }
}
