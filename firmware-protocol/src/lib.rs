//! What travels between a site's computer and its controllers: frames on a serial line, topics on
//! MQTT, and the rules both ends keep so that nothing moves twice or late.
//!
//! Needs neither the standard library nor an allocator, and no clock: time is passed in, so that
//! the same code runs on a microcontroller, in the daemon and in tests. Every value on the wire is
//! append-only; `tests/` holds its exact bytes for each [`version`].

#![no_std]

pub mod barrier;
pub mod charger;
pub mod command;
pub mod frame;
pub mod locker;
pub mod seal;
pub mod session;
pub mod topic;
pub mod version;
mod wire;

pub use wire::Malformed;
