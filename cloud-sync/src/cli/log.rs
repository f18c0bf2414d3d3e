//! The log on stderr and its level, which can change while the service runs.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// The least level that is logged.
pub(super) struct LogLevel {
    /// Whether the command line has the last word.
    fixed: bool,
    apply: Box<dyn Fn(EnvFilter) + Send + Sync>,
}

impl LogLevel {
    /// Starts the log. A level of the command line stays, whatever the configuration says.
    pub(super) fn start(command_line: Option<&str>, configured: &str) -> Self {
        let level = command_line.unwrap_or(configured);
        let log = tracing_subscriber::fmt()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .with_env_filter(filter(level))
            .with_filter_reloading();
        let handle = log.reload_handle();
        log.init();
        let apply = move |filter| {
            if let Err(error) = handle.reload(filter) {
                tracing::warn!(%error, "the level of the log stays as it was");
            }
        };
        Self { fixed: command_line.is_some(), apply: Box::new(apply) }
    }

    /// Takes the level of a configuration.
    pub(super) fn set(&self, configured: &str) {
        if !self.fixed {
            (self.apply)(filter(configured));
        }
    }
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(match level {
        "warning" => "warn",
        "critical" => "error",
        level => level,
    })
}
