//! With which networks pictures are looked at.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;

use crate::config::Config;
use crate::vision::ModelsConfig;

/// Networks, as options.
#[derive(Debug, Args)]
pub struct NetworkOptions {
    /// Take the networks that this site's configuration names (`[models]`).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    named: ModelsConfig,
}

impl NetworkOptions {
    /// Those that options name, and else those of the configuration.
    pub fn models(&self) -> Result<ModelsConfig, Box<dyn Error>> {
        let named = self.named.clone();
        let Some(file) = &self.config else { return Ok(named) };
        Ok(named.or(Config::load(file)?.cameras.models))
    }
}
