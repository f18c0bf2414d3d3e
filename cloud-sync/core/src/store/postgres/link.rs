//! Making connections, and not too often where that fails.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls, error::SqlState};

use super::{line::Line, tls::Tls};
use crate::store::StoreError;

/// Longest time to reach a server.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest time until it lets somebody in.
const ENTER: Duration = Duration::from_secs(10);
/// What is sent and not confirmed for so long ends the connection.
const SILENCE: Duration = Duration::from_secs(15);
/// No statement, and no wait between two, takes longer than so many milliseconds. An instance that
/// has gone without a word holds what it has locked for some seconds at most.
const LIMITS: &str = "-c statement_timeout=10000 -c idle_in_transaction_session_timeout=10000 \
                      -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 \
                      -c tcp_keepalives_count=3 -c tcp_user_timeout=15000 \
                      -c client_min_messages=warning";
/// What ends one of two that wait for each other.
const AGAIN: [SqlState; 2] = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The way to a database, and when it may be tried again.
#[derive(Clone)]
pub(in crate::store) struct Link {
    config: Config,
    tls: Option<Tls>,
    pause: Duration,
    closed: Option<(Instant, StoreError)>,
}

impl Link {
    /// Nothing is tried yet.
    pub(super) fn new(mut config: Config, tls: Option<Tls>) -> Self {
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
        Self { config, tls, pause: SHORTEST_PAUSE, closed: None }
    }

    /// The same for transactions that a power cut may take back.
    pub(super) fn quick(&self) -> Self {
        let mut link = self.clone();
        let options = link.config.get_options().unwrap_or_default();
        let options = format!("{options} -c synchronous_commit=off");
        link.config.options(&options);
        link
    }

    /// A new connection; fails at once while the pause after the last failure lasts.
    pub(in crate::store) async fn connect(&mut self) -> Result<(Client, Line), StoreError> {
        if let Some((until, error)) = &self.closed
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        let outcome = match timeout(ENTER, self.enter()).await {
            Ok(outcome) => outcome.map_err(|error| reason(&error)),
            Err(_) => Err(format!("it let nobody in within {ENTER:?}")),
        };
        match outcome {
            Ok(entered) => {
                (self.pause, self.closed) = (SHORTEST_PAUSE, None);
                Ok(entered)
            }
            Err(why) => {
                let error = StoreError::new("reach the database", why);
                self.closed = Some((Instant::now() + self.pause, error.clone()));
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                Err(error)
            }
        }
    }

    async fn enter(&self) -> Result<(Client, Line), tokio_postgres::Error> {
        Ok(match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                (client, Line::of(connection))
            }
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                (client, Line::of(connection))
            }
        })
    }
}

/// A statement failed.
pub(super) fn failed(act: &'static str, sql: &str, error: &tokio_postgres::Error) -> StoreError {
    let failed = StoreError::of_statement(act, sql, reason(error));
    match error.code() {
        Some(code) if AGAIN.contains(code) => failed.retriable(),
        _ => failed,
    }
}

/// Why the database did not do it, in one line. Holds no parameters and no password.
fn reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(told) => format!("{} ({})", told.message(), told.code().code()),
        None => match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}
