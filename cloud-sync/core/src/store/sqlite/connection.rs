//! The dialect on a `rusqlite` connection.

use std::collections::HashMap;

use rusqlite::{
    CachedStatement, Connection, Statement, StatementStatus, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::store::{Row, StoreError, Transaction, Value, threads};

/// Rows of a table that a statement may go through one by one without being told of.
const LONG_SCAN: usize = 10_000;

/// Statements whose places are remembered; beyond that, all are forgotten.
const REMEMBERED: usize = 512;

/// A connection that one thread owns.
pub(super) struct SqliteConnection {
    connection: Connection,
    /// Where each statement has its `$1`, `$2`, …: SQLite numbers them by their first appearance.
    places: HashMap<String, Vec<Option<usize>>>,
}

impl SqliteConnection {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, places: HashMap::new() }
    }

    /// The statement, with its values in their places.
    fn prepare(&mut self, sql: &str, params: &[Value]) -> rusqlite::Result<CachedStatement<'_>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        if !params.is_empty() && !self.places.contains_key(sql) {
            if self.places.len() >= REMEMBERED {
                self.places.clear();
            }
            let named = |index| statement.parameter_index(&format!("${index}"));
            let places = (1..=params.len()).map(named).collect::<rusqlite::Result<_>>()?;
            self.places.insert(sql.to_owned(), places);
        }
        let places = self.places.get(sql).map_or(&[][..], Vec::as_slice);
        for (place, value) in places.iter().zip(params) {
            if let Some(place) = place {
                statement.raw_bind_parameter(*place, value)?;
            }
        }
        Ok(statement)
    }
}

impl Transaction for SqliteConnection {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<usize, StoreError> {
        Value::check(params)?;
        let mut run = || {
            let mut statement = self.prepare(sql, params)?;
            let changed = statement.raw_execute()?;
            tell_scan(&statement, sql, changed);
            Ok(changed)
        };
        run().map_err(|e: rusqlite::Error| StoreError::of_statement("change the database", sql, e))
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        Value::check(params)?;
        let mut run = || {
            let mut statement = self.prepare(sql, params)?;
            let width = statement.column_count();
            let mut answer = statement.raw_query();
            let mut rows = Vec::new();
            while let Some(row) = answer.next()? {
                let mut values = Vec::with_capacity(width);
                for column in 0..width {
                    values.push(value(row.get_ref(column)?));
                }
                rows.push(Row(values));
            }
            drop(answer);
            tell_scan(&statement, sql, rows.len());
            Ok(rows)
        };
        run().map_err(|e: rusqlite::Error| StoreError::of_statement("query the database", sql, e))
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let run = self.connection.execute_batch(sql);
        run.map_err(|e| StoreError::of_statement("change the database", sql, e))
    }
}

impl threads::Connection for SqliteConnection {
    fn begin_read(&mut self) -> Result<(), StoreError> {
        self.execute("BEGIN DEFERRED", &[]).map(drop)
    }

    fn begin_write(&mut self, _: &[i32]) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE", &[]).map(drop)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.execute("COMMIT", &[]).map(drop)
    }

    fn rollback(&mut self) {
        // Where the engine has rolled back by itself, there is nothing left to roll back.
        let _ = self.execute("ROLLBACK", &[]);
    }
}

/// Tells of a statement that went through very many rows for want of an index, and found few.
fn tell_scan(statement: &Statement<'_>, sql: &str, found: usize) {
    let steps = statement.reset_status(StatementStatus::FullscanStep).unsigned_abs() as usize;
    if steps > LONG_SCAN + 2 * found {
        tracing::debug!(steps, found, sql, "a long scan");
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Text(text(bytes)),
    }
}

/// What is no text is made one as well as it can be; what is one, as nearly all is, is only copied.
fn text(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
