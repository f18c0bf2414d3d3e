//! SQLite: one writer and a few readers beside it (WAL). A write has reached the disk when it is
//! answered (`synchronous=FULL`).

mod connection;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, config::DbConfig};

use self::connection::SqliteConnection;
use super::{
    Queues, Row, StoreError, Transaction as _, Value, migrations,
    threads::{Connection as _, start_readers, start_writer},
};

/// Reads that run at once; more wait.
const READERS: usize = 4;
/// Connections for what is done where it is asked for.
const AT_HAND: usize = 2;
/// How long another process, such as a verb, may hold the database.
const BUSY: Duration = Duration::from_secs(10);
/// Between attempts at what SQLite does not wait for by itself.
const AGAIN: Duration = Duration::from_millis(10);
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
        at_hand: Some(Arc::new(AtHand::open(path)?)),
    })
}

/// Connections that no thread owns.
pub(super) struct AtHand([Mutex<SqliteConnection>; AT_HAND]);

impl AtHand {
    fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self([Mutex::new(connect(path)?), Mutex::new(connect(path)?)]))
    }

    /// The rows of a statement; none where no connection is free.
    pub(super) fn ask(&self, sql: &str, params: &[Value]) -> Option<Result<Vec<Row>, StoreError>> {
        let mut free = self.0.iter().find_map(|connection| connection.try_lock().ok())?;
        Some(free.query(sql, params))
    }
}

/// Puts the file into WAL mode, where it stays. SQLite does not wait for another that is doing the
/// same at this moment, whatever `busy_timeout` says.
fn into_wal(connection: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < until =>
            {
                thread::sleep(AGAIN);
            }
            done => return done,
        }
    }
}

fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let connection = Connection::open(path)
        .and_then(|connection| {
            connection.busy_timeout(BUSY)?;
            into_wal(&connection)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            // Else a statement with a bound `LIMIT` is planned anew each time for its value.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            Ok(connection)
        })
        .map_err(|e| StoreError::new("open the database", format!("{}: {e}", path.display())))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(SqliteConnection::new(connection))
}
