//! PostgreSQL: one writer and a few readers, as with SQLite. Several instances may work on one
//! database: their writers take turns (an advisory lock for the length of a commit), so that what a
//! service checks and then changes in one write holds on this engine as well.
//!
//! A connection that is lost is made again with a growing pause in between; what is asked of the
//! store meanwhile fails. There is no TLS: the database is on this machine or behind a tunnel.

mod connection;
mod link;
mod values;

use std::sync::mpsc;

use postgres::{Config, config::SslMode};

use self::{connection::PostgresConnection, link::Link};
use super::{
    StoreError, Transaction, migrations,
    threads::{Connection, Queue, start_readers, start_writer},
};
use crate::error::{Error, Result};

/// Reads that run at once; more wait.
const READERS: usize = 4;
/// SQLite's name for comparing texts by their bytes, which the schema uses for ranges.
const BINARY: &str = "CREATE COLLATION IF NOT EXISTS \"binary\" FROM \"C\"";
const ANY: &str = "postgres://user:password@host:port/database";

/// Reads a `postgres://` URL. What is wrong with it is told without the password.
pub(super) fn config(url: &str) -> Result<Config> {
    let wrong = |problem: String| Error::invalid("database_url", problem);
    let config: Config = url.parse().map_err(|_| wrong(format!("is no {ANY}")))?;
    if config.get_dbname().is_none() || config.get_hosts().is_empty() {
        return Err(wrong(format!("names no host or no database; write {ANY}")));
    }
    if config.get_ssl_mode() == SslMode::Require {
        let problem = "asks for TLS, which is not built in; reach the database on this machine or \
                       through a tunnel, and say sslmode=disable";
        return Err(wrong(problem.to_owned()));
    }
    Ok(config)
}

/// Connects, migrates and starts the threads that write and read. May be called from anywhere.
pub(super) fn open(config: Config) -> Result<(Queue, Queue), StoreError> {
    let link = Link::new(config);
    let readers = (0..READERS).map(|_| PostgresConnection::new(link.clone()));
    let mut writer = PostgresConnection::new(link.clone());
    // The client must not be used where an asynchronous runtime is about.
    let (told, migrated) = mpsc::channel();
    let work = move || {
        let outcome = migrate(&mut writer);
        // The one who waits is still there: it is the caller.
        let _ = told.send(outcome.map(|()| writer));
    };
    std::thread::spawn(work);
    let writer = migrated.recv().map_err(|e| StoreError::new("open the database", e))??;
    Ok((start_writer(writer)?, start_readers(readers)?))
}

fn migrate(writer: &mut PostgresConnection) -> Result<(), StoreError> {
    writer.begin_write()?;
    // Filling a new index may take longer than any statement of a service.
    let outcome = writer
        .script("SET LOCAL statement_timeout = 0")
        .and_then(|()| writer.script(BINARY))
        .and_then(|()| migrations::migrate(writer))
        .and_then(|()| writer.commit());
    if outcome.is_err() {
        writer.rollback();
    }
    outcome
}
