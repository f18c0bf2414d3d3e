//! Making connections, and not too often where that fails.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use postgres::{Client, Config, NoTls};

use crate::store::StoreError;

/// Longest time to make a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// What is sent and not confirmed for so long ends the connection.
const SILENCE: Duration = Duration::from_secs(15);
/// No statement, and no wait between two, takes longer than so many milliseconds.
const LIMITS: &str = "-c statement_timeout=10000 -c idle_in_transaction_session_timeout=10000 \
                      -c client_min_messages=warning";
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The way to a database, and when it may be tried again.
#[derive(Clone)]
pub(super) struct Link {
    config: Config,
    pause: Duration,
    closed: Option<(Instant, StoreError)>,
}

impl Link {
    /// Nothing is tried yet.
    pub(super) fn new(mut config: Config) -> Self {
        let options = format!("{LIMITS} {}", config.get_options().unwrap_or_default());
        config.options(&options).keepalives_idle(SILENCE);
        if config.get_application_name().is_none() {
            config.application_name("cloud-sync");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        Self { config, pause: SHORTEST_PAUSE, closed: None }
    }

    /// A new connection; fails at once while the pause after the last failure lasts.
    pub(super) fn connect(&mut self) -> Result<Client, StoreError> {
        if let Some((until, error)) = &self.closed
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.config.connect(NoTls) {
            Ok(client) => {
                (self.pause, self.closed) = (SHORTEST_PAUSE, None);
                Ok(client)
            }
            Err(error) => {
                let error = StoreError::new("reach the database", reason(&error));
                self.closed = Some((Instant::now() + self.pause, error.clone()));
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                Err(error)
            }
        }
    }
}

/// Why the database did not do it, in one line. Holds no parameters and no password.
pub(super) fn reason(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(told) => format!("{} ({})", told.message(), told.code().code()),
        None => match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}
