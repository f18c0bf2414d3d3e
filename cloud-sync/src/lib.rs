//! `cloud-sync`: takes in what sites replay and shows it to everybody, in the documented API
//! families. The domain is in `cloud-core`; here are the command line, HTTP and the wiring.

mod app;
pub mod cli;
mod clock;
pub mod config;
mod console;
mod faces;
mod http;
mod ingest;
mod outside;
pub mod payments;
mod push;
mod recognition;
pub mod server;
#[cfg(feature = "test-clock")]
mod test_clock;

pub use clock::SystemClock;
