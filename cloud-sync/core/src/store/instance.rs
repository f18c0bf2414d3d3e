//! This process among those that serve one database: on SQLite the only one, on PostgreSQL one of
//! several, of which one does what is due by the clock.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use tokio::sync::{mpsc, watch};

use super::{Place, Store, StoreError, postgres};
use crate::error::{Error, Result};

/// What may wait to be told to the other instances; what is beyond is found out by them later.
const MOST_TOLD: usize = 256;

/// What holds while this process serves.
pub(crate) enum Instance {
    /// No other can, while the file is open.
    Only(#[expect(dead_code, reason = "it is held, not read")] File),
    /// There may be others.
    OneOfSeveral {
        /// What they are told.
        out: mpsc::Sender<String>,
        /// Whether this one does what is due by the clock.
        leads: watch::Receiver<bool>,
    },
}

impl Instance {
    /// Tells the other instances; an empty text means that something has changed.
    pub(crate) fn tell(&self, text: String) {
        if let Self::OneOfSeveral { out, .. } = self {
            // Where too much waits, they find out by themselves, and what is told twice is told.
            let _ = out.try_send(text);
        }
    }

    /// Whether this one does what is due by the clock.
    pub(crate) fn leads(&self) -> bool {
        match self {
            Self::Only(_) => true,
            Self::OneOfSeveral { leads, .. } => *leads.borrow(),
        }
    }
}

impl Store {
    /// Makes this process one that serves; `heard` is given what other instances tell.
    ///
    /// # Errors
    /// [`Error::Invalid`] where another one serves the same SQLite file.
    pub(crate) fn serve(&self, heard: impl Fn(&str) + Send + 'static) -> Result<Instance> {
        match &*self.place {
            Place::Sqlite(path) => Ok(Instance::Only(lock(path)?)),
            Place::Postgres(link) => {
                let (out, told) = mpsc::channel(MOST_TOLD);
                let leads = postgres::bell::start((**link).clone(), told, Box::new(heard))?;
                Ok(Instance::OneOfSeveral { out, leads })
            }
        }
    }
}

/// Locks the file beside a database that says that it is served. The lock goes with the process.
fn lock(database: &Path) -> Result<File> {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push("-serving");
    let path = database.with_file_name(name);
    let failed =
        |error| StoreError::new("lock the database", format!("{}: {error}", path.display()));
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed(error).into()),
        Err(TryLockError::WouldBlock) => Err(Error::invalid(
            "database_url",
            format!(
                "{} is served by another process; one SQLite file has one, several need PostgreSQL",
                database.display()
            ),
        )),
    }
}
