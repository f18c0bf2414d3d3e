//! The dialect on a `rusqlite` connection.

use rusqlite::{
    Connection, Statement, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::store::{Row, StoreError, Transaction, Value};

/// A connection with a transaction open on it.
pub(super) struct SqliteTransaction<'a>(pub(super) &'a Connection);

impl Transaction for SqliteTransaction<'_> {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<usize, StoreError> {
        let run = || {
            let mut statement = self.0.prepare_cached(sql)?;
            bind(&mut statement, params)?;
            statement.raw_execute()
        };
        run().map_err(|e| StoreError::new("change the database", e))
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let run = || {
            let mut statement = self.0.prepare_cached(sql)?;
            bind(&mut statement, params)?;
            let width = statement.column_count();
            let mut answer = statement.raw_query();
            let mut rows = Vec::new();
            while let Some(row) = answer.next()? {
                let values = (0..width).map(|column| Ok(value(row.get_ref(column)?)));
                rows.push(Row(values.collect::<rusqlite::Result<_>>()?));
            }
            Ok(rows)
        };
        run().map_err(|e: rusqlite::Error| StoreError::new("query the database", e))
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.0.execute_batch(sql).map_err(|e| StoreError::new("change the database", e))
    }
}

/// SQLite numbers `$1`, `$2` by their first appearance, so each is bound by its name.
fn bind(statement: &mut Statement<'_>, params: &[Value]) -> rusqlite::Result<()> {
    for (index, value) in params.iter().enumerate() {
        if let Some(place) = statement.parameter_index(&format!("${}", index + 1))? {
            statement.raw_bind_parameter(place, value)?;
        }
    }
    Ok(())
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
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Value::Text(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}
