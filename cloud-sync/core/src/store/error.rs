//! How the store fails.

use std::fmt::Display;

use crate::error::Error;

/// Characters of a statement that are told when it fails.
const STATEMENT_TOLD: usize = 200;

/// A failure below the services: the act that failed and why.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {act}: {reason}")]
pub struct StoreError {
    act: &'static str,
    reason: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing was changed.
    Failed,
    /// Nothing was changed; done again, it may go well.
    Again,
    /// It is not known whether anything was changed.
    InDoubt,
    /// A value cannot be stored, whatever the state of the database.
    Unfit,
}

impl StoreError {
    pub(crate) fn new(act: &'static str, reason: impl ToString) -> Self {
        Self { act, reason: reason.to_string(), kind: Kind::Failed }
    }

    /// A statement failed; its text is told, its parameters are not.
    pub(super) fn of_statement(act: &'static str, sql: &str, reason: impl Display) -> Self {
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let sql = sql.chars().take(STATEMENT_TOLD).collect::<String>();
        Self::new(act, format!("{reason} in `{sql}`"))
    }

    /// The same, where doing it again may go well.
    pub(super) fn retriable(self) -> Self {
        Self { kind: Kind::Again, ..self }
    }

    /// Whether doing it again may go well: it came between another write and was given up.
    pub(crate) fn may_be_done_again(&self) -> bool {
        self.kind == Kind::Again
    }

    /// The database went away while it was asked to keep something.
    pub(super) fn in_doubt() -> Self {
        let reason = "the connection was lost: the writes may have been kept or not".to_owned();
        Self { act: "commit", reason, kind: Kind::InDoubt }
    }

    /// PostgreSQL keeps no text with the character NUL, and so SQLite does not either.
    pub(super) fn nul() -> Self {
        let reason = "it holds the character NUL".to_owned();
        Self { act: "keep a text", reason, kind: Kind::Unfit }
    }

    /// Whether it is not known if anything was changed.
    pub fn is_in_doubt(&self) -> bool {
        self.kind == Kind::InDoubt
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error.kind {
            Kind::Unfit => Self::invalid("text", "may not hold the character NUL"),
            Kind::Failed | Kind::Again | Kind::InDoubt => Self::Store(error),
        }
    }
}
