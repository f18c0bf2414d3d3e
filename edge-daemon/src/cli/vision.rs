//! `edge-daemon vision`: the recognition process. The core starts it, or a service unit of its own.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::Args;
use nix::sys::{prctl, signal::Signal};

use crate::{config::Config, vision};

/// Recognition.
#[derive(Debug, Args)]
pub struct Vision {
    /// The core's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The core's sightings socket.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
}

/// Runs the verb.
pub fn run(arguments: Vision) -> ExitCode {
    super::log();
    match see(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::fail(error.as_ref()),
    }
}

fn see(arguments: &Vision) -> Result<(), Box<dyn Error>> {
    // Whoever started this process is who it works for: it must not outlive a core that was killed.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let config = Config::load(&arguments.config)?;
    let pictures = config.journal.state().pictures();
    Ok(vision::run(&config.cameras, &pictures, &arguments.socket)?)
}
