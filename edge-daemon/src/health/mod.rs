//! How the daemon is: for systemd, for orchestrators, for Prometheus, for people.
//!
//! - `/livez`: the control loop goes round. It is that loop itself that says so, and that feeds
//!   systemd's watchdog; nothing else does it in its place.
//! - `/readyz`: the gate can decide and the journal can remember, with the state of everything
//!   around in words.
//! - `/metrics`: figures, in Prometheus' text format.
//!
//! It listens on this machine alone and only ever reads.

mod config;
mod metrics;
mod report;
mod resident;
mod server;
mod state;
mod status;
pub mod systemd;
#[cfg(test)]
mod tests;

pub use config::HealthConfig;
pub use metrics::Metrics;
pub use report::Report;
pub use server::serve;
pub use state::Health;
pub use status::{JournalStatus, Status};
