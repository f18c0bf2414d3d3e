//! How vision is supervised, as data.

use std::time::Duration;

/// How vision is supervised.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Pause before the first restart.
    pub initial: Duration,
    /// Longest pause.
    pub max: Duration,
    /// A run this long counts as stable: the next failure is again a first one.
    pub stable_after: Duration,
    /// How long a start may take until vision says hello; loading the models takes most of it.
    pub start_within: Duration,
    /// How long vision may be silent before it is taken to hang.
    pub silence: Duration,
    /// How long it may take to end when asked, before it is killed.
    pub stop_within: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(500),
            max: Duration::from_secs(60),
            stable_after: Duration::from_secs(120),
            start_within: Duration::from_secs(30),
            silence: Duration::from_secs(5),
            stop_within: Duration::from_secs(3),
        }
    }
}
