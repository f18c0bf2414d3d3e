//! `edge-daemon check-config`: says whether a configuration can be used.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use crate::{
    config::Config,
    controller::{Controller, keys::Keys},
};

/// Checks a configuration file without starting anything.
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// The file.
    #[arg(default_value = "/etc/gatehouse/edge.toml")]
    file: PathBuf,
}

/// Runs the verb.
pub fn run(arguments: CheckConfig) -> ExitCode {
    match load(&arguments.file) {
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
            for warning in unpaired(&config) {
                eprintln!("warning: {warning}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(error.as_ref()),
    }
}

/// The configuration, where the networks that it names can be used as well.
fn load(file: &Path) -> Result<Config, Box<dyn Error>> {
    let config = Config::load(file)?;
    config.cameras.models.check()?;
    Ok(config)
}

/// Devices behind the broker that the core will not talk to, and why. They keep it from nothing else.
fn unpaired(config: &Config) -> Vec<String> {
    let keys = Keys::new(config.journal.state().path());
    let behind_broker = config.controllers.controllers.iter().filter_map(|one| match one {
        Controller::Mqtt { id, kind, .. } => Some((id, kind.word())),
        _ => None,
    });
    let reason = |(id, kind)| match keys.get(kind, id) {
        Ok(Some(_)) => None,
        Ok(None) => Some(format!(
            "the {kind} `{id}` has no key, so that it is not talked to: \
             run `edge-daemon device pair --kind {kind} --device {id}`"
        )),
        Err(error) => Some(format!("the {kind} `{id}` is not talked to: {error}")),
    };
    behind_broker.filter_map(reason).collect()
}
