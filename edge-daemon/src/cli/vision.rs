//! `edge-daemon vision`: the recognition process. The core starts it, or a service unit of its own.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::Args;
use nix::sys::{prctl, signal::Signal};

use crate::{
    journal::{JournalConfig, StateDir},
    vision,
};

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
    match see(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::fail(error.as_ref()),
    }
}

fn see(arguments: &Vision) -> Result<(), Box<dyn Error>> {
    // Whoever started this process is who it works for: it must not outlive a core that was killed.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let config: File = toml::from_str(&std::fs::read_to_string(&arguments.config)?)?;
    let state = StateDir::new(config.journal.state_dir);
    let vision = vision::Config { cameras: config.cameras, recognition: config.recognition };
    Ok(vision::run(&vision, &state.pictures(), &arguments.socket)?)
}

/// What vision needs of the configuration file.
#[derive(serde::Deserialize)]
struct File {
    journal: JournalConfig,
    #[serde(default)]
    cameras: Vec<vision::CameraConfig>,
    #[serde(default)]
    recognition: vision::RecognitionConfig,
}
