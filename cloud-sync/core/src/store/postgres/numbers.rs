//! Numbers of things that sites tell of. They are taken beside the transaction that uses them, so
//! that no site waits for another's: a number that was taken is not given back where the
//! transaction fails. Several instances take them from one row, so that they grow with time.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::{
    connection::{PostgresConnection, Turn},
    link::Link,
};
use crate::store::{Row, StoreError, Transaction as _, Value, take_numbers};

/// Where numbers are taken.
pub(super) struct Numbers(Mutex<PostgresConnection>);

impl Numbers {
    /// A power cut may take the taking back, but not without everything that was written after it.
    pub(super) fn new(link: &Link) -> Self {
        Self(Mutex::new(PostgresConnection::new(link.quick(), Turn::None)))
    }

    /// Takes so many numbers of a kind; the first of them.
    pub(super) fn take(&self, kind: &str, count: i64) -> Result<i64, StoreError> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connection.afresh(|connection| take_numbers(connection, kind, count))
    }

    /// Takes so many numbers of each kind, all at once.
    pub(super) fn take_all(
        &self,
        things: &BTreeMap<String, i64>,
    ) -> Result<HashMap<String, Range<i64>>, StoreError> {
        let places = (0..things.len()).map(|at| format!("(${}, ${})", 2 * at + 1, 2 * at + 2));
        // In the order of their names, so that no two instances wait for each other.
        let sql = format!(
            "INSERT INTO counters (name, last) VALUES {}
             ON CONFLICT (name) DO UPDATE SET last = counters.last + excluded.last
             RETURNING name, last",
            places.collect::<Vec<_>>().join(", ")
        );
        let params: Vec<Value> =
            things.iter().flat_map(|(kind, count)| [kind.into(), (*count).into()]).collect();
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = connection.afresh(|connection| connection.query(&sql, &params))?;
        let taken = |row: &Row| {
            let (kind, last): (String, i64) = (row.get(0)?, row.get(1)?);
            let count = things.get(&kind).copied().unwrap_or_default();
            Ok((kind, last - count + 1..last + 1))
        };
        rows.iter().map(taken).collect()
    }
}
