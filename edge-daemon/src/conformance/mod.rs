//! `edge-daemon conformance`: tries a device under development and says, line by line, which of the
//! protocol's promises it keeps. It is the host here, and a bad one where that shows more.
//!
//! A line that could not be tried says why; it is no failure. Nothing is left behind on the broker.

pub mod mqtt;
mod report;
pub mod serial;

pub use self::report::{Line, Report, Verdict};

/// What a check found: nothing wrong, or what.
type Found = Result<(), String>;
