//! `[health]` of the configuration file.

use std::{net::SocketAddr, time::Duration};

use serde::Deserialize;

/// Where the daemon says how it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthConfig {
    /// Where to listen, on this machine.
    pub listen: SocketAddr,
    /// The control loop is taken for dead when it did not go round for this many seconds.
    pub live_within_s: u64,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9464)), live_within_s: 10 }
    }
}

impl HealthConfig {
    /// Says what is wrong, naming the key and what would be right.
    pub fn check(&self) -> Result<(), String> {
        if !self.listen.ip().is_loopback() {
            return Err(format!(
                "health.listen: `{}` can be reached from outside; use 127.0.0.1:{}",
                self.listen,
                self.listen.port()
            ));
        }
        if !(1..=600).contains(&self.live_within_s) {
            return Err("health.live_within_s: use 1 to 600".into());
        }
        Ok(())
    }

    /// See `live_within_s`.
    pub fn live_within(&self) -> Duration {
        Duration::from_secs(self.live_within_s)
    }
}
