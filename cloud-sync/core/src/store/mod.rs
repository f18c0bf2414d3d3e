//! The thin engine under all services: statements in the dialect that SQLite and PostgreSQL
//! share (`$1`, `ON CONFLICT`, `RETURNING`), run in transactions that are durable before their
//! caller hears of it. Private to this crate.
//!
//! Who takes turns with whom is said by the kind of write. [`Store::write`] has the database for
//! itself, so that what a service checks and then changes holds. [`Store::write_of`] has one site
//! for itself: on PostgreSQL, writes of several sites run beside each other, in one instance and
//! in several, but never beside a [`Store::write`]. It is for what a site tells and is told, which
//! is most of what is written. [`Store::count`] has one counter for itself and is forgotten when
//! the machine loses its power: it is for limits. On SQLite all of them run one after the other.

mod conditions;
mod error;
mod instance;
mod migrations;
mod postgres;
mod rows;
mod sqlite;
mod threads;
mod value;
mod work;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use tokio::sync::oneshot;

pub(crate) use conditions::Conditions;
pub use error::StoreError;
pub(crate) use instance::Instance;
pub(crate) use rows::{insert_all, query_in};
pub(crate) use value::{Row, Value, params};

use self::{
    threads::Queue,
    work::{Question, Work},
};
use crate::error::{Error, Result};

/// A transaction, as services see it.
pub(crate) trait Transaction {
    /// Runs a statement and returns the number of rows that it changed.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<usize, StoreError>;

    /// Runs a statement and returns its rows.
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs several statements without parameters.
    fn script(&mut self, sql: &str) -> Result<(), StoreError>;

    /// Runs a statement whose outcome nobody looks at. It may be sent together with the next one;
    /// where it fails, that one fails in its place, or else the end of the work.
    fn defer(&mut self, sql: &str, params: &[Value]) -> Result<(), StoreError> {
        self.execute(sql, params).map(drop)
    }

    /// Takes so many numbers of a kind of thing; the first of them.
    fn take_numbers(&mut self, kind: &str, count: i64) -> Result<i64, StoreError> {
        take_numbers(self, kind, count)
    }

    /// Has numbers at hand for so many things of each kind that are about to come.
    fn expect_things(&mut self, _things: &BTreeMap<String, i64>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Takes numbers within the transaction itself.
fn take_numbers<T: Transaction + ?Sized>(
    tx: &mut T,
    kind: &str,
    count: i64,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO counters (name, last) VALUES ($1, $2)
               ON CONFLICT (name) DO UPDATE SET last = counters.last + $2 RETURNING last";
    let rows = tx.query(sql, params![kind, count])?;
    let last = rows.first().ok_or_else(|| StoreError::new("count", "no row"))?;
    Ok(last.get::<i64>(0)? - count + 1)
}

/// The first row of an answer, where there is one.
pub(crate) fn first(
    tx: &mut dyn Transaction,
    sql: &str,
    params: &[Value],
) -> Result<Option<Row>, StoreError> {
    Ok(tx.query(sql, params)?.into_iter().next())
}

/// The number in the first column of the only row.
pub(crate) fn number(
    tx: &mut dyn Transaction,
    sql: &str,
    params: &[Value],
) -> Result<i64, StoreError> {
    first(tx, sql, params)?.ok_or_else(|| StoreError::new("count", "no row"))?.get(0)
}

/// The next number of a kind of thing that people see: 1, 2, 3, … What a site tells may leave
/// numbers out where it fails.
pub(crate) fn next_id(tx: &mut dyn Transaction, kind: &str) -> Result<i64, StoreError> {
    tx.take_numbers(kind, 1)
}

/// The next number of a list that has no gaps: 1, 2, 3, … Whoever takes one holds the list until
/// the transaction ends.
pub(crate) fn next_in_list(tx: &mut dyn Transaction, list: &str) -> Result<i64, StoreError> {
    take_numbers(tx, list, 1)
}

/// The database; clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    queues: Queues,
    place: Arc<Place>,
}

/// Where work is handed in.
#[derive(Clone)]
struct Queues {
    /// What has the database for itself.
    writes: Queue,
    /// What has a site for itself; the same site always goes to the same queue.
    sites: Arc<[Queue]>,
    /// What has a counter for itself.
    counts: Queue,
    reads: Queue,
    /// Connections for what is done where it is asked for; none where the database is elsewhere.
    at_hand: Option<Arc<sqlite::AtHand>>,
}

/// What lies behind the queues.
enum Place {
    Sqlite(PathBuf),
    Postgres(Box<postgres::Link>),
}

impl Store {
    /// Opens a database by its URL and brings its schema up to date. Blocks.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let (queues, place) = if is_postgres(url) {
            let link = postgres::link(url)?;
            (postgres::open(&link)?, Place::Postgres(Box::new(link)))
        } else {
            let path = sqlite_path(url)?;
            (sqlite::open(&path)?, Place::Sqlite(path))
        };
        Ok(Self { queues, place: Arc::new(place) })
    }

    /// Runs `work` in a transaction that sees one state of the database.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        run(&self.queues.reads, None, work).await
    }

    /// The rows of one statement that finds a few rows by an index. On SQLite it is done where it is
    /// asked for, where a connection is free: that is sooner done than handed to a thread.
    pub(crate) async fn ask(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        if let Some(answer) = self.queues.at_hand.as_ref().and_then(|near| near.ask(sql, params)) {
            return Ok(answer?);
        }
        let (reply, answer) = oneshot::channel();
        let question = Question::new(sql, params, reply);
        self.queues.reads.send(Box::new(question)).await.map_err(|_| ended())?;
        Ok(answer.await.map_err(|_| ended())??)
    }

    /// Runs `work` in a transaction and returns when it is on disk; an error changes nothing.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        run(&self.queues.writes, None, work).await
    }

    /// As [`Store::write`], for work that fails in ways of its own.
    pub(crate) async fn write_or<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        run(&self.queues.writes, None, work).await
    }

    /// As [`Store::write`], for work that changes and checks what is of one site alone, and that
    /// fails in ways of its own.
    pub(crate) async fn write_of<T, E, F>(&self, site: &str, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let key = lock_key(site);
        let queue = key.unsigned_abs() as usize % self.queues.sites.len();
        run(&self.queues.sites[queue], Some(key), work).await
    }

    /// As [`Store::write`], for what is counted under a name, and need not outlive a power cut.
    pub(crate) async fn count<T, F>(&self, name: &str, work: F) -> Result<T>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        run(&self.queues.counts, Some(lock_key(name)), work).await
    }

    /// Whether several instances of the service may use it at a time.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(*self.place, Place::Postgres(_))
    }
}

/// What a name is locked by, the same in every instance: FNV-1a. Two names of one key wait for each
/// other, no more.
fn lock_key(name: &str) -> i32 {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

async fn run<T, E, F>(queue: &Queue, lock: Option<i32>, work: F) -> Result<T, E>
where
    F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    queue.send(Box::new(Work::new(lock, work, reply))).await.map_err(|_| ended())?;
    answer.await.map_err(|_| ended())?
}

fn ended() -> StoreError {
    StoreError::new("use the database", "its thread has ended")
}

/// Whether a URL means PostgreSQL.
fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Where pictures are kept when nobody says: beside the file of SQLite, else in the working folder.
pub(crate) fn pictures_folder(url: &str) -> Result<PathBuf> {
    let file = if is_postgres(url) { PathBuf::from("database") } else { sqlite_path(url)? };
    Ok(file.with_file_name("pictures"))
}

/// The file of `sqlite:///relative.db` or `sqlite:////absolute.db`. What else was given is not
/// repeated: there may be a password in it.
fn sqlite_path(url: &str) -> Result<PathBuf> {
    let path = url.strip_prefix("sqlite:///").filter(|path| !path.is_empty());
    path.map(PathBuf::from).ok_or_else(|| {
        let known = "use sqlite:///relative.db, sqlite:////absolute.db or \
                     postgres://user:password@host:port/database";
        Error::invalid("database_url", known)
    })
}

#[cfg(test)]
pub(crate) mod tests;
