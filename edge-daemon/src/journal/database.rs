//! Opening the database: pragmas, format upgrades, and the small conversions that SQLite needs.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{
    StateDir,
    error::{JournalError, Result},
};

/// One step per format: the first makes a new journal, each further one upgrades the one before.
const UPGRADES: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("directives.sql"),
    include_str!("charging.sql"),
    include_str!("room.sql"),
    include_str!("lockers.sql"),
    include_str!("settings.sql"),
    include_str!("left_over.sql"),
];
/// From this format on it is noted which cars have stayed at a charger, whenever their charge ended.
pub(super) const NOTES_WHO_STAYED: i64 = 7;

/// Opens for writing; makes or upgrades the tables.
pub(super) fn open_writer(path: &Path) -> Result<Connection> {
    let open = || {
        let db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        durable(&db, true)?;
        // Done between commits instead, when nobody waits: see `Journal::tidy`.
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        // A long outage must not leave a log file of its size behind.
        db.pragma_update(None, "journal_size_limit", 4 << 20)?;
        Ok(db)
    };
    let mut db = open().map_err(JournalError::database("open its database"))?;
    upgrade(&mut db)?;
    Ok(db)
}

/// Opens an existing journal for reading, also while it is being written.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(JournalError::Absent(path.to_owned())),
        Err(error) => return Err(JournalError::file("look for", path)(error)),
    }
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(Duration::from_secs(5))?;
        version(&db).map(|version| (db, version))
    };
    let (db, found) = open().map_err(JournalError::database("open its database for reading"))?;
    known(found)?;
    Ok(db)
}

/// Whether the database at `path` was finished: all of it is there, and it has our format.
pub(super) fn is_whole(path: &Path) -> bool {
    let whole = || {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let check: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        let entered: i64 = db.query_row("SELECT COUNT(*) FROM journal", [], |row| row.get(0))?;
        Ok::<_, rusqlite::Error>(check == "ok" && entered == 1)
    };
    path.exists() && whole().unwrap_or(false)
}

/// A journal in memory, to work bookkeeping out again.
pub(super) fn open_scratch() -> Result<Connection> {
    let open = || {
        let db = Connection::open_in_memory()?;
        db.execute_batch(&UPGRADES.concat())?;
        Ok(db)
    };
    open().map_err(JournalError::database("open a database in memory"))
}

/// Has the system read the files from the disk again and not from memory, which may hold what a
/// failed flush did not write.
pub(super) fn forget_cached(state: &StateDir) {
    for path in [state.journal(), state.journal_log()] {
        let forgotten = std::fs::File::open(&path).map(|file| {
            nix::fcntl::posix_fadvise(
                file,
                0,
                0,
                nix::fcntl::PosixFadviseAdvice::POSIX_FADV_DONTNEED,
            )
        });
        if let Ok(Err(error)) = forgotten {
            tracing::debug!(%error, "the system keeps what it has read of the journal");
        }
    }
}

/// Whether commits wait for the disk. Those that carry facts do; what the cloud has told us is only
/// asked again when it is lost, and an SD card wears with every flush.
pub(super) fn durable(db: &Connection, durable: bool) -> rusqlite::Result<()> {
    db.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })
}

/// The format of the database.
pub(super) fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn known(found: i64) -> Result<()> {
    let known = number(UPGRADES.len() as u64);
    if found > known { Err(JournalError::TooNew { found, known }) } else { Ok(()) }
}

fn upgrade(db: &mut Connection) -> Result<()> {
    let found = version(db).map_err(JournalError::database("read its format"))?;
    known(found)?;
    for (step, sql) in UPGRADES.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        let apply = |db: &mut Connection| {
            let transaction = db.transaction()?;
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", number(step as u64 + 1))?;
            transaction.commit()
        };
        apply(db).map_err(JournalError::database("upgrade its format"))?;
    }
    Ok(())
}

/// SQLite's integers are signed. No journal gets near the end of them.
pub(super) fn number(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// A sequence as it is read back; what is negative was never written by us and reads as 0.
pub(super) fn sequence(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
