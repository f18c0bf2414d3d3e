//! `edge-daemon status`: how the site is, whether the daemon runs or not.

use std::{error::Error, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use domain::clock::Clock;

use crate::{
    config::Config,
    health::{JournalStatus, Status},
    journal::JournalError,
    system_clock::SystemClock,
};

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Status.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The configuration file.
    #[arg(long, default_value = "/etc/gatehouse/edge.toml")]
    config: PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb: status 1 where the daemon does not run, is not ready, or nothing can be said.
pub fn run(arguments: Arguments) -> ExitCode {
    match look(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => super::fail(error.as_ref()),
    }
}

fn look(Arguments { config, json }: &Arguments) -> Result<bool, Box<dyn Error>> {
    let config = Config::load(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (status, unread) = match runtime.block_on(ask(&config)) {
        Some(status) => (status, None),
        None => read(&config),
    };
    match json {
        true => println!("{}", serde_json::to_string(&status)?),
        false => print!("{status}"),
    }
    if let Some(error) = unread {
        return Err(error.into());
    }
    Ok(status.running.is_some_and(|report| report.ready))
}

/// What the daemon says; none where it does not run.
async fn ask(config: &Config) -> Option<Status> {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
    let url = format!("http://{}/status", config.health.listen);
    client.get(url).send().await.ok()?.json().await.ok()
}

/// What the disk says, and why it does not say more.
fn read(config: &Config) -> (Status, Option<JournalError>) {
    let clock = SystemClock.now();
    let read = JournalStatus::read(&config.journal.state(), config.journal.max_bytes(), clock);
    let (journal, unread) = match read {
        Ok(journal) => (Some(journal), None),
        Err(error) => (None, Some(error)),
    };
    (Status { clock, unwritten: 0, running: None, journal }, unread)
}
