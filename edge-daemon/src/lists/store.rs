//! The list on the disk (`lists.sql`). Parts of a newer version gather aside; in one transaction
//! they become what the site goes by, where that is what the cloud says it should be. Whatever
//! happens in between, what is found afterwards is one whole version.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::access::{Change, Digest, Header};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::gate::Listed;

/// The format; a file of another is fetched anew.
const FORMAT: i64 = 1;
/// Files of SQLite, by what is appended to the name.
const FILES: [&str; 3] = ["", "-wal", "-shm"];

/// The list's database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act} {}", path.display())]
pub struct StoreError {
    act: &'static str,
    path: PathBuf,
    source: rusqlite::Error,
}

/// What became of a part.
#[derive(Debug)]
pub(super) enum Taken {
    /// More is to be asked for, after this change.
    More,
    /// The list is whole: it is this one from now on.
    Whole(Listed),
    /// What it came to is not what the cloud has; it is to be fetched from the beginning.
    Wrong,
}

/// The list on the disk.
pub struct Store {
    db: Connection,
    path: PathBuf,
}

/// How far the list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The version that the site goes by.
    pub version: u64,
    /// Up to which change parts have arrived.
    pub fetched: u64,
    /// Whether they replace the list.
    pub anew: bool,
    /// When the cloud last confirmed it, in milliseconds UTC.
    pub confirmed_ms: Option<i64>,
}

impl Store {
    /// Opens the list at `path`, making an empty one where there is none, and reads it. A damaged
    /// one is set aside: the cloud has it.
    ///
    /// # Errors
    /// Where the file cannot be used at all.
    pub fn open(path: &Path) -> Result<(Self, Listed), StoreError> {
        let opened = Self::open_once(path).and_then(|store| Ok((store.read()?, store)));
        let damaged = match opened {
            Ok((listed, store)) => return Ok((store, listed)),
            Err(error) if is_damage(&error.source) => error,
            Err(error) => return Err(error),
        };
        let error = &damaged as &dyn std::error::Error;
        tracing::error!(error, "the list of who may enter is damaged, and fetched anew");
        for end in FILES {
            let file = PathBuf::from(format!("{}{end}", path.display()));
            let aside = PathBuf::from(format!("{}.damaged{end}", path.display()));
            // What cannot be moved is in the way of nothing: opening it anew will say so.
            let _ = fs::rename(file, aside);
        }
        let store = Self::open_once(path)?;
        Ok((store, Listed::default()))
    }

    fn open_once(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            let db = Connection::open(path)?;
            db.busy_timeout(Duration::from_secs(5))?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            db.pragma_update(None, "synchronous", "FULL")?;
            // A long list must not leave a log file of its size behind.
            db.pragma_update(None, "journal_size_limit", 4 << 20)?;
            let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if found != FORMAT {
                let transaction = db.unchecked_transaction()?;
                transaction.execute_batch(
                    "DROP TABLE IF EXISTS list; DROP TABLE IF EXISTS entry;
                     DROP TABLE IF EXISTS incoming;",
                )?;
                transaction.execute_batch(include_str!("lists.sql"))?;
                transaction.pragma_update(None, "user_version", FORMAT)?;
                transaction.commit()?;
            }
            Ok(db)
        };
        let db =
            open().map_err(|source| StoreError { act: "open", path: path.to_owned(), source })?;
        Ok(Self { db, path: path.to_owned() })
    }

    /// How far it is.
    pub(super) fn progress(&self) -> Result<Progress, StoreError> {
        let sql = "SELECT version, fetched, anew, confirmed_ms FROM list";
        let read = self.db.query_row(sql, [], |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            let (version, fetched, anew) = (number(0)?, number(1)?, row.get(2)?);
            Ok(Progress { version, fetched, anew, confirmed_ms: row.get(3)? })
        });
        read.map_err(self.failed("read"))
    }

    /// Takes a part in that follows what is there.
    pub(super) fn take(
        &mut self,
        header: &Header,
        changes: &[(Change, &str)],
    ) -> Result<Taken, StoreError> {
        let failed = self.failed("write");
        self.stage(header, changes).map_err(&failed)?;
        if header.through < header.version {
            return Ok(Taken::More);
        }
        if self.merge(header).map_err(&failed)? {
            self.read().map(Taken::Whole)
        } else {
            self.begin_anew()?;
            Ok(Taken::Wrong)
        }
    }

    /// What was fetched is good for nothing: the next part is asked for from the beginning. The
    /// site goes by what it has meanwhile.
    pub(super) fn begin_anew(&mut self) -> Result<(), StoreError> {
        let begin = || {
            let transaction = self.db.unchecked_transaction()?;
            transaction.execute("DELETE FROM incoming", [])?;
            transaction.execute("UPDATE list SET fetched = 0, anew = 1", [])?;
            transaction.commit()
        };
        begin().map_err(self.failed("write"))
    }

    /// The cloud has no newer one.
    pub(super) fn confirmed(&mut self, at_ms: i64) -> Result<(), StoreError> {
        let sql = "UPDATE list SET confirmed_ms = ?1";
        self.db.execute(sql, [at_ms]).map(drop).map_err(self.failed("write"))
    }

    fn stage(&self, header: &Header, changes: &[(Change, &str)]) -> rusqlite::Result<()> {
        let transaction = self.db.unchecked_transaction()?;
        let mut insert = transaction.prepare_cached(
            "INSERT INTO incoming (kind, plate, line) VALUES (?1, ?2, ?3)
             ON CONFLICT (kind, plate) DO UPDATE SET line = excluded.line",
        )?;
        for (change, line) in changes {
            let line = (!matches!(change, Change::Gone { .. })).then_some(*line);
            insert.execute(params![change.kind().as_str(), change.plate().normal(), line])?;
        }
        drop(insert);
        let fetched = "UPDATE list SET fetched = ?1";
        transaction.execute(fetched, [number(header.through)])?;
        transaction.commit()
    }

    /// Makes what has arrived what the site goes by; whether it is what the cloud has. Where it is
    /// not, nothing has changed.
    fn merge(&self, header: &Header) -> rusqlite::Result<bool> {
        let transaction = self.db.unchecked_transaction()?;
        let sql = "SELECT digest, entries, anew FROM list";
        let (digest, entries, anew) = transaction.query_row(sql, [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
        })?;
        let mut sum = (Digest::parse(&digest).unwrap_or_default(), entries);
        if anew {
            transaction.execute("DELETE FROM entry", [])?;
            sum = (Digest::default(), 0);
        }
        apply(&transaction, &mut sum)?;
        if sum != (header.digest, number(header.entries)) {
            return Ok(false);
        }
        transaction.execute("DELETE FROM incoming", [])?;
        transaction.execute(
            "UPDATE list SET version = ?1, fetched = ?1, anew = 0, digest = ?2, entries = ?3",
            params![number(header.version), header.digest.to_string(), sum.1],
        )?;
        transaction.commit()?;
        Ok(true)
    }

    fn read(&self) -> Result<Listed, StoreError> {
        let read = || {
            let mut statement = self.db.prepare("SELECT line FROM entry")?;
            let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
            let mut failure = None;
            // A line was read before it was written; what cannot be read any more is damage.
            let entries = lines.map_while(|line| {
                let entry = line.and_then(|line| {
                    serde_json::from_str(&line).map_err(|_| damage("an entry that is none"))
                });
                entry.map_err(|error| failure = Some(error)).ok()
            });
            let version = self.db.query_row("SELECT version FROM list", [], |row| row.get(0))?;
            let listed = Listed::new(i64::unsigned_abs(version), entries);
            failure.map_or(Ok(listed), Err)
        };
        read().map_err(self.failed("read"))
    }

    fn failed(&self, act: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
        let path = self.path.clone();
        move |source| StoreError { act, path: path.clone(), source }
    }
}

/// Applies what has arrived to the entries, and keeps their digest and number current.
fn apply(db: &Connection, (digest, entries): &mut (Digest, i64)) -> rusqlite::Result<()> {
    let mut incoming = db.prepare("SELECT kind, plate, line FROM incoming")?;
    let mut old = db.prepare("SELECT line FROM entry WHERE kind = ?1 AND plate = ?2")?;
    let mut put = db.prepare(
        "INSERT INTO entry (kind, plate, line) VALUES (?1, ?2, ?3)
         ON CONFLICT (kind, plate) DO UPDATE SET line = excluded.line",
    )?;
    let mut remove = db.prepare("DELETE FROM entry WHERE kind = ?1 AND plate = ?2")?;
    let mut rows = incoming.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, plate): (String, String) = (row.get(0)?, row.get(1)?);
        let old: Option<String> = old.query_row([&kind, &plate], |row| row.get(0)).optional()?;
        if let Some(old) = old {
            digest.remove(&old);
            *entries -= 1;
        }
        match row.get::<_, Option<String>>(2)? {
            Some(line) => {
                digest.add(&line);
                *entries += 1;
                put.execute([&kind, &plate, &line])?;
            }
            None => {
                remove.execute([&kind, &plate])?;
            }
        }
    }
    Ok(())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn damage(what: &str) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(what.to_owned()))
}

/// SQLite's integers are signed. No list gets near the end of them.
fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
