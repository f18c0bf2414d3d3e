//! What can go wrong with a request, whatever the face. The status is the same everywhere; each
//! face puts the words into its own form.

use cloud_core::Error;
use warp::{Rejection, http::StatusCode, reject};

use super::query::BadValue;

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(crate) enum Problem {
    /// No such path.
    NoSuchPath,
    /// The path is there, the method is not.
    NoSuchMethod,
    /// The request is not of the form that is wanted.
    Malformed(String),
    /// The body is of a kind that is not taken here.
    MediaType {
        /// The kind that is.
        wanted: &'static str,
    },
    /// A field of the body is not there.
    Missing {
        /// Its name.
        field: String,
    },
    /// A field of the body cannot be used.
    Field {
        /// Its name.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The body is longer than it may be.
    TooLarge {
        /// Most bytes that are taken.
        limit: usize,
    },
    /// The caller calls too often.
    TooMany {
        /// Seconds after which it may call again.
        retry_after_s: u64,
    },
    /// There is too much to do at the moment.
    Busy {
        /// Seconds after which it is worth trying again.
        retry_after_s: u64,
    },
    /// Nothing says who calls, where that is wanted.
    NoCredentials,
    /// The API key of a controller is none that is good.
    WrongKey,
    /// A value in the query.
    Query(BadValue),
    /// The domain says no.
    Core(Error),
}

impl Problem {
    /// The status that goes with it.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchPath | Self::Core(Error::NotFound(_)) => StatusCode::NOT_FOUND,
            Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Malformed(_)
            | Self::Missing { .. }
            | Self::Field { .. }
            | Self::Query(_)
            | Self::Core(Error::Invalid { .. } | Error::Refused(_)) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } | Self::Core(Error::Throttled { .. }) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::NoCredentials | Self::WrongKey | Self::Core(Error::Unauthenticated) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Core(Error::Forbidden { .. }) => StatusCode::FORBIDDEN,
            Self::Busy { .. }
            | Self::Core(Error::Store(_) | Error::File { .. } | Error::Outside(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Seconds for `Retry-After`, where trying again helps.
    pub(crate) const fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after_s }
            | Self::Busy { retry_after_s }
            | Self::Core(Error::Throttled { retry_after_s }) => Some(*retry_after_s),
            Self::Core(Error::Store(_) | Error::File { .. } | Error::Outside(_)) => Some(5),
            _ => None,
        }
    }

    /// Writes to the log what the caller is not told.
    pub(crate) fn log(&self) {
        if let Self::Core(error @ (Error::Store(_) | Error::File { .. } | Error::Outside(_))) = self
        {
            tracing::error!(error = error as &dyn std::error::Error, "a request failed");
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<BadValue> for Problem {
    fn from(value: BadValue) -> Self {
        Self::Query(value)
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        if rejection.find::<reject::MethodNotAllowed>().is_some() {
            Self::NoSuchMethod
        } else if rejection.is_not_found() {
            Self::NoSuchPath
        } else {
            Self::Malformed("the request lacks a header that this path needs".to_owned())
        }
    }
}
