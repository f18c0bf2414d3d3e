//! Numbers of things that sites tell of. They are taken beside the transaction that uses them, so
//! that no site waits for another's: a number that was taken is not given back where the
//! transaction fails. Several instances take them from one row, so that they grow with time.

use std::sync::{Mutex, PoisonError};

use super::{
    connection::{PostgresConnection, Turn},
    link::Link,
};
use crate::store::{StoreError, take_numbers};

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
}
