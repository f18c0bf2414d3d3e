//! How a service fails: few kinds, each with what a caller may be told. What lies below (the
//! store, the disk) is for the log alone.

use crate::store::StoreError;

/// The result of a service.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a service did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing; the word says what.
    #[error("this {0} is not there")]
    NotFound(&'static str),
    /// A value cannot be used.
    #[error("{field}: {problem}")]
    Invalid {
        /// The name of the value.
        field: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// The state of things does not allow it: a word for the reason, such as
    /// `balance_too_low`, that each face puts into its own.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// No credentials, or none that are valid.
    #[error("no valid credentials")]
    Unauthenticated,
    /// The caller's role does not allow it.
    #[error("the role {role} may not do this; {needed} may")]
    Forbidden {
        /// The role the caller has.
        role: &'static str,
        /// The least role that is enough.
        needed: &'static str,
    },
    /// Too many attempts; another may come later.
    #[error("too many attempts; try again in {retry_after_s} s")]
    Throttled {
        /// Seconds until then.
        retry_after_s: u64,
    },
    /// A service outside does not answer; the word says which.
    #[error("the {0} does not answer")]
    Outside(&'static str),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
    /// A file could not be read or written.
    #[error("cannot {act}")]
    File {
        /// What was tried.
        act: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Error {
    /// A value that cannot be used.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }
}
