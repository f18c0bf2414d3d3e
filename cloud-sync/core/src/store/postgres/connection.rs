//! The dialect on a `postgres` connection.

use std::{collections::HashMap, time::Duration};

use postgres::{
    Client, Statement,
    types::{ToSql, Type},
};

use super::link::{Link, reason};
use crate::store::{Row, StoreError, Transaction, Value, threads};

/// Statements that are kept prepared; beyond that, all are forgotten.
const STATEMENTS: usize = 256;
/// Longest wait for a sign of life after a transaction could not begin.
const PROBE: Duration = Duration::from_secs(1);
/// What the writers of all instances on one database take turns by.
const BEGIN_WRITE: &str = "BEGIN; SELECT pg_advisory_xact_lock(7021091424851459141)";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A connection that one thread owns, made when it is needed.
pub(super) struct PostgresConnection {
    link: Link,
    client: Option<Client>,
    /// By their text and by the types of their parameters.
    statements: HashMap<String, Vec<(Vec<Type>, Statement)>>,
}

impl PostgresConnection {
    pub(super) fn new(link: Link) -> Self {
        Self { link, client: None, statements: HashMap::new() }
    }

    fn client(&mut self) -> Result<&mut Client, StoreError> {
        self.client.as_mut().ok_or_else(|| StoreError::new("use the database", "not connected"))
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        self.statements.clear();
        self.client = None;
        self.client = Some(self.link.connect()?);
        Ok(())
    }

    /// Nothing has been done in this transaction yet, so a connection that turns out to be lost is
    /// replaced by a new one.
    fn begin(&mut self, sql: &str) -> Result<(), StoreError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.connect()?;
        }
        match self.script(sql) {
            Err(_) if !self.answers() => {
                self.connect()?;
                self.script(sql)
            }
            begun => begun,
        }
    }

    /// Whether the database still answers here; one that has just ended the connection may not be
    /// known as closed yet.
    fn answers(&mut self) -> bool {
        self.client.as_mut().is_some_and(|client| client.is_valid(PROBE).is_ok())
    }

    /// A parameter has the type of its value, as in SQLite, whatever stands beside it.
    fn prepare(&mut self, sql: &str, params: &[Value]) -> Result<Statement, StoreError> {
        Value::check(params)?;
        let types: Vec<_> = params.iter().map(Value::sql_type).collect();
        let known = self.statements.get(sql).and_then(|all| all.iter().find(|(t, _)| *t == types));
        if let Some((_, statement)) = known {
            return Ok(statement.clone());
        }
        let statement = self.client()?.prepare_typed(sql, &types);
        let statement =
            statement.map_err(|e| StoreError::of_statement("prepare", sql, reason(&e)))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.entry(sql.to_owned()).or_default().push((types, statement.clone()));
        Ok(statement)
    }
}

impl Transaction for PostgresConnection {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<usize, StoreError> {
        let statement = self.prepare(sql, params)?;
        let changed = self.client()?.execute(&statement, &references(params));
        let failed = |e| StoreError::of_statement("change the database", sql, reason(&e));
        changed.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX)).map_err(failed)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepare(sql, params)?;
        let failed = |e| StoreError::of_statement("query the database", sql, reason(&e));
        let rows = self.client()?.query(&statement, &references(params)).map_err(failed)?;
        rows.iter().map(|row| values(row).map_err(failed)).collect()
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let failed = |e| StoreError::of_statement("change the database", sql, reason(&e));
        self.client()?.batch_execute(sql).map_err(failed)
    }
}

fn values(row: &postgres::Row) -> Result<Row, postgres::Error> {
    (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>().map(Row)
}

fn references(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl threads::Connection for PostgresConnection {
    fn begin_read(&mut self) -> Result<(), StoreError> {
        self.begin(BEGIN_READ)
    }

    fn begin_write(&mut self) -> Result<(), StoreError> {
        self.begin(BEGIN_WRITE)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let done = self.script("COMMIT");
        if done.is_err() && !self.answers() {
            return Err(StoreError::in_doubt());
        }
        done
    }

    fn rollback(&mut self) {
        // A connection that cannot roll back is of no more use.
        if self.script("ROLLBACK").is_err() {
            self.client = None;
        }
    }
}
