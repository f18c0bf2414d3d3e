//! `edge-daemon enroll`: makes this machine a site of a cloud, once; later it changes the key.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    cloud::{Cloud, Patience, enrol},
    identity::{Identity, IdentityError, Key},
    journal::StateDir,
};

/// Enrolment.
#[derive(Debug, Args)]
pub struct Enroll {
    /// The cloud's address, such as https://gatehouse.example.
    #[arg(long, value_name = "URL", required_unless_present = "rotate")]
    cloud: Option<String>,
    /// The one-time code that `cloud-sync site add` printed.
    #[arg(long, required_unless_present = "rotate")]
    code: Option<String>,
    /// Change the key of a site that is enrolled, also while it runs: a new one, signed by the old.
    #[arg(long, conflicts_with = "code")]
    rotate: bool,
    /// The state directory; made where it is not there.
    #[arg(long, value_name = "DIR", env = "GATEHOUSE_STATE")]
    state: PathBuf,
}

/// Runs the verb.
pub fn run(arguments: Enroll) -> ExitCode {
    let Enroll { cloud, code, rotate, state } = arguments;
    let state = StateDir::new(state);
    let done = match (cloud, code) {
        (cloud, _) if rotate => change_key(&state, cloud.as_deref()),
        (Some(cloud), Some(code)) => enroll(&state, cloud, code),
        _ => Err("give --cloud and --code, or --rotate".into()),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(error.as_ref()),
    }
}

fn enroll(state: &StateDir, cloud: String, code: String) -> Result<String, Box<dyn Error>> {
    match Identity::load(state) {
        Ok(identity) => return Err(IdentityError::AlreadyEnrolled(identity.site).into()),
        Err(IdentityError::NotEnrolled(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let key = Key::load_or_make(state)?;
    let site = runtime()?.block_on(enrol(&cloud, code, key.public()))?;
    let identity = Identity::store(state, key, site, cloud)?;
    Ok(format!("This is site {} of {} now.", identity.site, identity.cloud))
}

fn change_key(state: &StateDir, cloud: Option<&str>) -> Result<String, Box<dyn Error>> {
    let identity = Identity::load(state)?;
    let site = identity.site.clone();
    runtime()?
        .block_on(async { Cloud::new(identity, cloud, Patience::default())?.rotate().await })?;
    Ok(format!("Site {site} signs with a new key now."))
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
