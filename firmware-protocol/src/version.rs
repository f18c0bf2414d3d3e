//! Versions of the protocol. Within a version, messages only grow at their end and a reader skips
//! what it does not know there; a new value of an enum or another meaning is a new version.

/// The version that this crate writes.
pub const CURRENT: u8 = 1;

/// Whether this crate reads frames of `version`.
pub const fn is_readable(version: u8) -> bool {
    version == CURRENT
}
