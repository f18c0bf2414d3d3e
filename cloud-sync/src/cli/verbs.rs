//! The verbs beside `serve`. Each works on the database alone, also while the service runs, and
//! prints what it made, alone, on stdout.

use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use clap::Subcommand;
use cloud_core::{Cloud, LockerSettings, NewAccount, NewSite, Options, Role, Settings};
use domain::ids::{DeviceId, SiteId};
use tokio::runtime;

use super::{Database, Outcome, settings::SetSite};
use crate::{SystemClock, config::Sites};

/// Longest password that is read, in bytes.
const LONGEST_PASSWORD: u64 = 1024;

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Makes an account; its password is the first line of stdin.
    Add {
        /// The name to log in with.
        #[arg(long)]
        username: String,
        /// What it may do: admin, operator or visitor.
        #[arg(long, value_parser = ["admin", "operator", "visitor"])]
        role: String,
        /// 11 digits.
        #[arg(long)]
        phone: Option<String>,
        /// Where mail goes.
        #[arg(long)]
        email: Option<String>,
        /// Reads the password from stdin.
        #[arg(long, required = true)]
        password_stdin: bool,
        #[command(flatten)]
        database: Database,
    },
    /// Gives an account another role, which holds from its next call.
    Role {
        /// The account.
        #[arg(long)]
        username: String,
        /// What it may do: admin, operator or visitor.
        #[arg(long, value_parser = ["admin", "operator", "visitor"])]
        role: String,
        #[command(flatten)]
        database: Database,
    },
    /// Gives an account another password, the first line of stdin, and ends all its logins.
    Password {
        /// The account.
        #[arg(long)]
        username: String,
        /// Reads the password from stdin.
        #[arg(long, required = true)]
        password_stdin: bool,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Prints a new key of an account, for `Authorization: Token <key>`.
    Issue {
        /// The account.
        #[arg(long)]
        username: String,
        #[command(flatten)]
        database: Database,
    },
    /// Makes a new key that signs JWTs from now on; those that are out stay good.
    Rotate {
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Device {
    /// Registers a controller and prints its API key.
    Add {
        /// Its name.
        #[arg(long)]
        device_id: DeviceId,
        /// The station that it stands in.
        #[arg(long)]
        station: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Site {
    /// Registers a site and prints its one-time enrolment code, good for 24 h.
    Add {
        /// Its name in the system.
        #[arg(long)]
        site_id: SiteId,
        /// Its name for people.
        #[arg(long)]
        name: String,
        /// Places that it has.
        #[arg(long, default_value_t = 0)]
        spots: u32,
        #[command(flatten)]
        database: Database,
    },
    /// Takes a site's rights away: nothing that it sends is taken any more. `site code` lets it
    /// enrol again, or the machine that follows it.
    Revoke {
        /// Its name in the system.
        #[arg(long)]
        site_id: SiteId,
        #[command(flatten)]
        database: Database,
    },
    /// Sets what a site goes by and prints all that is set; its edge is told at once.
    Set(Box<SetSite>),
    /// Prints a new code for a site that has not enrolled or was revoked; the old one is void. A
    /// machine with an empty journal that enrols with it follows the one that was there.
    Code {
        /// Its name in the system.
        #[arg(long)]
        site_id: SiteId,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Journal {
    /// Checks every event of a site's journal; status 1 where something is wrong.
    Verify {
        /// The site's name in the system.
        #[arg(long)]
        site: SiteId,
        #[command(flatten)]
        database: Database,
    },
}

impl Journal {
    pub(super) fn run(self) -> Outcome {
        let Self::Verify { site, database } = self;
        let mut wrong = 0;
        on(&database, async |cloud| {
            let report = cloud.ingest.verify(&site).await?;
            wrong = report.findings.len();
            println!("{report}");
            Ok(())
        })?;
        match wrong {
            0 => Ok(()),
            count => Err(format!("{count} things are wrong with the journal of {site}").into()),
        }
    }
}

impl User {
    pub(super) fn run(self) -> Outcome {
        match self {
            Self::Add { username, role, phone, email, password_stdin: _, database } => {
                let (password, role) = (read_password()?, role.parse::<Role>()?);
                let new = NewAccount { username, password, role, phone, email };
                on_new(&database, async |cloud| cloud.accounts.add(new).await.map(drop))
            }
            Self::Role { username, role, database } => {
                let role = role.parse::<Role>()?;
                on(&database, async |cloud| cloud.accounts.set_role_of(&username, role).await)
            }
            Self::Password { username, password_stdin: _, database } => {
                let password = read_password()?;
                on(&database, async |cloud| {
                    cloud.accounts.set_password_of(&username, &password).await
                })
            }
        }
    }
}

impl Token {
    pub(super) fn run(self) -> Outcome {
        match self {
            Self::Issue { username, database } => on(&database, async |cloud| {
                println!("{}", cloud.accounts.issue_token(&username).await?);
                Ok(())
            }),
            Self::Rotate { database } => {
                on(&database, async |cloud| cloud.accounts.rotate_signing_key().await)
            }
        }
    }
}

impl Device {
    pub(super) fn run(self) -> Outcome {
        let Self::Add { device_id, station, database } = self;
        on_new(&database, async |cloud| {
            println!("{}", cloud.devices.add(&device_id, &station).await?);
            Ok(())
        })
    }
}

impl Site {
    pub(super) fn run(self) -> Outcome {
        match self {
            Self::Add { site_id: id, name, spots, database } => on_new(&database, async |cloud| {
                println!("{}", cloud.sites.add(NewSite { id, name, spots }).await?);
                Ok(())
            }),
            Self::Revoke { site_id, database } => {
                on(&database, async |cloud| cloud.sites.revoke(&site_id).await)
            }
            Self::Set(set) => set.run(),
            Self::Code { site_id, database } => on(&database, async |cloud| {
                println!("{}", cloud.sites.renew_code(&site_id).await?);
                Ok(())
            }),
        }
    }
}

/// Does something with a cloud over the database.
///
/// # Errors
/// What the verb says, or that there is no such file: it was mistyped, since only what adds makes one.
pub(super) fn on(
    database: &Database,
    verb: impl AsyncFnOnce(&Cloud) -> cloud_core::Result<()>,
) -> Outcome {
    let path = database.database_url.strip_prefix("sqlite:///").map(Path::new);
    if let Some(path) = path.filter(|path| !path.try_exists().unwrap_or(true)) {
        let path = path.display();
        return Err(
            format!("there is no database {path}; `user add` and `site add` make one").into()
        );
    }
    on_new(database, verb)
}

/// Does something with a cloud over the database, which is made where there is none.
fn on_new(
    database: &Database,
    verb: impl AsyncFnOnce(&Cloud) -> cloud_core::Result<()>,
) -> Outcome {
    let cloud = Cloud::open(Options {
        database_url: database.database_url.clone(),
        pictures: None,
        zone: Sites::default().time_zone,
        clock: Arc::new(SystemClock::new()),
        providers: Vec::new(),
        lockers: LockerSettings::default(),
        settings: Settings::default(),
    })?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(verb(&cloud))?)
}

fn read_password() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().take(LONGEST_PASSWORD).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
