//! The thin engine under all services: statements in the dialect that SQLite and PostgreSQL
//! share (`$1`, `ON CONFLICT`, `RETURNING`), run in transactions that are durable before their
//! caller hears of it. Private to this crate.

mod conditions;
mod migrations;
mod sqlite;
mod value;

use std::{path::PathBuf, sync::Arc};

pub(crate) use conditions::Conditions;
pub(crate) use value::{Row, Value, params};

use crate::error::{Error, Result};

/// A failure below the services: the act that failed and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act}: {reason}")]
pub struct StoreError {
    act: &'static str,
    reason: String,
}

impl StoreError {
    pub(crate) fn new(act: &'static str, reason: impl ToString) -> Self {
        Self { act, reason: reason.to_string() }
    }
}

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
    engine: Arc<sqlite::Sqlite>,
}

impl Store {
    /// Opens a database by its URL and brings its schema up to date. Blocks.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let path = sqlite_path(url)?;
        Ok(Self { engine: Arc::new(sqlite::Sqlite::open(&path)?) })
    }

    /// Runs `work` in a transaction that sees one state of the database.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.engine.read(work).await
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
        self.engine.write(work).await
    }
}

/// The file of `sqlite:///relative.db` or `sqlite:////absolute.db`.
pub(crate) fn sqlite_path(url: &str) -> Result<PathBuf> {
    url.strip_prefix("sqlite:///").filter(|path| !path.is_empty()).map(PathBuf::from).ok_or_else(
        || {
            let problem = format!("`{url}` is no sqlite:///relative.db or sqlite:////absolute.db");
            Error::invalid("database_url", problem)
        },
    )
}

#[cfg(test)]
mod tests;
