//! PostgreSQL: some writers and a few readers, each with a connection of its own. Several instances
//! may work on one database. Who takes turns with whom is decided by advisory locks that last as
//! long as a transaction:
//!
//! | write | takes | so that it |
//! |---|---|---|
//! | of everything | the database, alone | has what it checked unchanged when it changes it, as with SQLite |
//! | of a site | the database, shared, then the site | is the only one at that site, and beside no write of everything |
//! | of a counter | the counter | waits for nobody else, and nobody for it |
//!
//! Writes of sites are nearly all writes of a fleet. Whatever they touch has the site in its key,
//! except the numbers of things, which are taken beside the transaction ([`numbers`]), and cars,
//! which are made known by inserts that give way. Where two of them wait for each
//! other there, PostgreSQL ends one, which is done again. PostgreSQL lets waiters in by their
//! turn, so that many sites do not keep a write of everything waiting.
//!
//! A connection that is lost is made again with a growing pause in between; what is asked of the
//! store meanwhile fails.

pub(super) mod bell;
mod connection;
mod line;
mod link;
mod numbers;
mod tls;
mod url;
mod values;

use std::sync::{Arc, mpsc};

use self::{
    connection::{PostgresConnection, Turn},
    numbers::Numbers,
};
pub(super) use self::{link::Link, url::link};
use super::{
    Queues, StoreError, Transaction, migrations,
    threads::{Connection, start_readers, start_writer},
};

/// Reads that run at once; more wait.
const READERS: usize = 4;
/// Writes of sites that run at once.
const SITE_WRITERS: usize = 4;
/// SQLite's name for comparing texts by their bytes, which the schema uses for ranges.
const BINARY: &str = "CREATE COLLATION IF NOT EXISTS \"binary\" FROM \"C\"";

/// Connects, migrates and starts the threads that write and read. May be called from anywhere.
pub(super) fn open(link: &Link) -> Result<Queues, StoreError> {
    let connection = |turn| PostgresConnection::new(link.clone(), turn);
    let mut writer = connection(Turn::Alone);
    // The client must not be used where an asynchronous runtime is about.
    let (told, migrated) = mpsc::channel();
    let work = move || {
        let outcome = migrate(&mut writer);
        // The one who waits is still there: it is the caller.
        let _ = told.send(outcome.map(|()| writer));
    };
    std::thread::spawn(work);
    let writer = migrated.recv().map_err(|e| StoreError::new("open the database", e))??;
    let numbers = Arc::new(Numbers::new(link));
    let site = |_| start_writer(connection(Turn::Site(numbers.clone())));
    Ok(Queues {
        writes: start_writer(writer)?,
        sites: (0..SITE_WRITERS).map(site).collect::<Result<_, _>>()?,
        counts: start_writer(PostgresConnection::new(link.quick(), Turn::Counter))?,
        reads: start_readers((0..READERS).map(|_| connection(Turn::None)))?,
        at_hand: None,
    })
}

fn migrate(writer: &mut PostgresConnection) -> Result<(), StoreError> {
    writer.begin_write(&[])?;
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
