//! The conditions of a search that people put together.

use super::Value;
use crate::plates::Window;

/// A `WHERE` clause with its parameters.
pub(crate) struct Conditions {
    sql: String,
    params: Vec<Value>,
}

impl Conditions {
    /// Starts with what always holds.
    pub(crate) fn new(always: &str) -> Self {
        Self { sql: format!("WHERE {always}"), params: Vec::new() }
    }

    /// Adds a condition whose `?` is `value`, where there is one.
    pub(crate) fn and(mut self, condition: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            let place = self.place(value);
            self.sql += &format!(" AND {}", condition.replace('?', &place));
        }
        self
    }

    /// Adds a condition as it stands.
    pub(crate) fn clause(mut self, condition: &str) -> Self {
        self.sql += &format!(" AND {condition}");
        self
    }

    /// Adds a parameter and returns its name.
    pub(crate) fn place(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    /// What follows the order: how many are passed over, and how many are wanted.
    pub(crate) fn slice(&mut self, window: Window) -> String {
        let limit = self.place(i64::from(window.limit));
        let skip = self.place(i64::from(window.skip));
        format!(" LIMIT {limit} OFFSET {skip}")
    }

    /// The clause; empty where nothing is wanted, so that an engine may count without looking.
    pub(crate) fn sql(&self) -> &str {
        if self.sql == "WHERE 1 = 1" { "" } else { &self.sql }
    }

    /// Its parameters.
    pub(crate) fn params(&self) -> &[Value] {
        &self.params
    }
}
