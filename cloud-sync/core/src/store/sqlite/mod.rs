//! SQLite: one writer thread with group commit and a few readers beside it (WAL). A write is
//! answered after the commit that carries it has reached the disk (`synchronous=FULL`).

mod connection;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::{
    connection::SqliteTransaction,
    writer::{Job, Write},
};
use super::{StoreError, Transaction, migrations};
use crate::error::Result;

/// Reads that run at once; more wait.
const READERS: usize = 4;
/// Writes that wait at most; more wait to be let in.
const QUEUE: usize = 1024;
/// How long another process, such as a verb, may hold the database.
const BUSY: Duration = Duration::from_secs(10);

/// A database file that is in use.
pub(super) struct Sqlite {
    path: PathBuf,
    writer: mpsc::Sender<Box<dyn Job>>,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// Opens or creates the file, migrates it and starts the writer.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = connect(path, OpenFlags::default())?;
        migrate(&mut connection)?;
        let (writer, jobs) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer::run(connection, jobs))
            .map_err(|e| StoreError::new("start the writer", e))?;
        let permits = Semaphore::new(READERS);
        Ok(Self { path: path.to_owned(), writer, permits, idle: Mutex::default() })
    }

    /// See [`super::Store::write_or`].
    pub(super) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let closed = || StoreError::new("write", "the writer has ended");
        self.writer.send(Box::new(Write::new(work, reply))).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// See [`super::Store::read`].
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let _permit = self.permits.acquire().await.map_err(|e| StoreError::new("read", e))?;
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?,
        };
        let (connection, outcome) = tokio::task::spawn_blocking(move || {
            let outcome = read(&connection, work);
            (connection, outcome)
        })
        .await
        .map_err(|e| StoreError::new("read", e))?;
        self.idle.lock().expect("no reader panics with the list").push(connection);
        outcome
    }

    fn take_idle(&self) -> Option<Connection> {
        self.idle.lock().expect("no reader panics with the list").pop()
    }
}

fn read<T>(
    connection: &Connection,
    work: impl FnOnce(&mut dyn Transaction) -> Result<T>,
) -> Result<T> {
    let mut tx = SqliteTransaction(connection);
    tx.script("BEGIN DEFERRED")?;
    let outcome = work(&mut tx);
    tx.script("ROLLBACK")?;
    outcome
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            Ok(connection)
        })
        .map_err(|e| StoreError::new("open the database", format!("{}: {e}", path.display())))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let mut tx = SqliteTransaction(connection);
    tx.script("BEGIN IMMEDIATE")?;
    match migrations::migrate(&mut tx) {
        Ok(()) => tx.script("COMMIT"),
        Err(error) => {
            tx.script("ROLLBACK")?;
            Err(error)
        }
    }
}
