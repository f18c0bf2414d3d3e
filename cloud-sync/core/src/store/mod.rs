//! The thin engine under all services: statements in the dialect that SQLite and PostgreSQL
//! share (`$1`, `ON CONFLICT`, `RETURNING`), run in transactions that are durable before their
//! caller hears of it. Writes run one after the other on both. Private to this crate.

mod conditions;
mod error;
mod migrations;
mod postgres;
mod sqlite;
mod threads;
mod value;
mod work;

use std::path::PathBuf;

use tokio::sync::oneshot;

pub(crate) use conditions::Conditions;
pub use error::StoreError;
pub(crate) use value::{Row, Value, params};

use self::{threads::Queue, work::Work};
use crate::error::{Error, Result};

/// A transaction, as services see it.
pub(crate) trait Transaction {
    /// Runs a statement and returns the number of rows that it changed.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<usize, StoreError>;

    /// Runs a statement and returns its rows.
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs several statements without parameters.
    fn script(&mut self, sql: &str) -> Result<(), StoreError>;
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

/// The next number of a kind of thing that people see: 1, 2, 3, …
pub(crate) fn next_id(tx: &mut dyn Transaction, kind: &str) -> Result<i64, StoreError> {
    number(
        tx,
        "INSERT INTO counters (name, last) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET last = counters.last + 1 RETURNING last",
        params![kind],
    )
}

/// The database; clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    writes: Queue,
    reads: Queue,
}

impl Store {
    /// Opens a database by its URL and brings its schema up to date. Blocks.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let (writes, reads) = if is_postgres(url) {
            postgres::open(postgres::config(url)?)?
        } else {
            sqlite::open(&sqlite_path(url)?)?
        };
        Ok(Self { writes, reads })
    }

    /// Runs `work` in a transaction that sees one state of the database.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        run(&self.reads, work).await
    }

    /// Runs `work` in a transaction and returns when it is on disk; an error changes nothing.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.write_or(work).await
    }

    /// As [`Store::write`], for work that fails in ways of its own.
    pub(crate) async fn write_or<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        run(&self.writes, work).await
    }
}

async fn run<T, E, F>(queue: &Queue, work: F) -> Result<T, E>
where
    F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let ended = || StoreError::new("use the database", "its thread has ended");
    queue.send(Box::new(Work::new(work, reply))).await.map_err(|_| ended())?;
    answer.await.map_err(|_| ended())?
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
