//! `edge-daemon enroll`: makes this machine a site of a cloud, once.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    cloud::enrol,
    identity::{Identity, IdentityError, Key},
    journal::StateDir,
};

/// Enrolment.
#[derive(Debug, Args)]
pub struct Enroll {
    /// The cloud's address, such as https://gatehouse.example.
    #[arg(long, value_name = "URL")]
    cloud: String,
    /// The one-time code that `cloud-sync site add` printed.
    #[arg(long)]
    code: String,
    /// The state directory; made where it is not there.
    #[arg(long, value_name = "DIR", env = "GATEHOUSE_STATE")]
    state: PathBuf,
}

/// Runs the verb.
pub fn run(arguments: Enroll) -> ExitCode {
    match enroll(arguments) {
        Ok(identity) => {
            println!("This is site {} of {} now.", identity.site, identity.cloud);
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(error.as_ref()),
    }
}

fn enroll(Enroll { cloud, code, state }: Enroll) -> Result<Identity, Box<dyn Error>> {
    let state = StateDir::new(state);
    match Identity::load(&state) {
        Ok(identity) => return Err(IdentityError::AlreadyEnrolled(identity.site).into()),
        Err(IdentityError::NotEnrolled(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let key = Key::load_or_make(&state)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let site = runtime.block_on(enrol(&cloud, code, key.public()))?;
    Ok(Identity::store(&state, key, site, cloud)?)
}
