//! SQLite: one writer and a few readers beside it (WAL). A write has reached the disk when it is
//! answered (`synchronous=FULL`).

mod connection;

use std::{path::Path, time::Duration};

use rusqlite::Connection;

use self::connection::SqliteConnection;
use super::{
    Queues, StoreError, migrations,
    threads::{Connection as _, start_readers, start_writer},
};

/// Reads that run at once; more wait.
const READERS: usize = 4;
/// How long another process, such as a verb, may hold the database.
const BUSY: Duration = Duration::from_secs(10);
/// Statements that each connection keeps prepared.
const STATEMENTS: usize = 256;

/// Opens or creates the file, migrates it and starts the threads that write and read.
pub(super) fn open(path: &Path) -> Result<Queues, StoreError> {
    let mut writer = connect(path)?;
    writer.begin_write(&[])?;
    match migrations::migrate(&mut writer) {
        Ok(()) => writer.commit()?,
        Err(error) => {
            writer.rollback();
            return Err(error);
        }
    }
    let readers = (0..READERS).map(|_| connect(path)).collect::<Result<Vec<_>, _>>()?;
    let writes = start_writer(writer)?;
    Ok(Queues {
        sites: [writes.clone()].into(),
        counts: writes.clone(),
        writes,
        reads: start_readers(readers)?,
    })
}

fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let connection = Connection::open(path)
        .and_then(|connection| {
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            Ok(connection)
        })
        .map_err(|e| StoreError::new("open the database", format!("{}: {e}", path.display())))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(SqliteConnection::new(connection))
}
