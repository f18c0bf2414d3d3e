//! A real PostgreSQL, empty, for as long as its owner lives; `postgres.sh` says how it is started.

use std::{
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    thread,
};

use tokio::runtime::Builder;
use tokio_postgres::{Client, NoTls};

use crate::process::free_port;

const SCRIPT: &str = include_str!("../../cloud-sync/core/tests/services/postgres.sh");
/// What makes a server keep what it was told when the power goes.
pub const DURABLE: &[&str] = &[
    "-c",
    "fsync=on",
    "-c",
    "full_page_writes=on",
    "-c",
    "autovacuum=on",
    "-c",
    "shared_buffers=512MB",
    "-c",
    "max_wal_size=4GB",
];

/// A running server. It ends when its standard input does, which is when this is dropped.
pub struct Postgres {
    host: String,
    port: u16,
    folder: String,
    process: Child,
}

impl Postgres {
    /// Starts one on this machine, with more words for its command line.
    ///
    /// # Errors
    /// Where there is no PostgreSQL on this machine; the message says how to get it.
    pub fn start(more: &[&str]) -> io::Result<Self> {
        Self::start_as(Command::new("sh"), "127.0.0.1", more)
    }

    /// As [`Postgres::start`], with the words that start `sh` elsewhere, and the address there.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn start_as(mut shell: Command, host: &str, more: &[&str]) -> io::Result<Self> {
        let port = free_port()?;
        let mut process = shell
            .args(["-c", SCRIPT, "postgres.sh", &port.to_string()])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut told = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut told)?;
        }
        if let Some(folder) = told.trim().strip_prefix("ready ") {
            let (host, folder) = (host.to_owned(), folder.to_owned());
            return Ok(Self { host, port, folder, process });
        }
        let mut problem = String::new();
        if let Some(mut errors) = process.stderr.take() {
            errors.read_to_string(&mut problem)?;
        }
        Err(io::Error::other(format!("no PostgreSQL to work on: {}", problem.trim())))
    }

    /// The URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}:{}/{database}", self.host, self.port)
    }

    /// The same without a network, for somebody on this machine whatever network the server is in.
    pub fn local_url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}&port={}", self.folder, self.port)
    }

    /// Makes an empty database and returns its URL.
    ///
    /// # Errors
    /// What the server says.
    pub async fn create(&self, database: &str) -> io::Result<String> {
        let client = connect(&self.url("postgres")).await?;
        let sql = format!("CREATE DATABASE {database}");
        client.batch_execute(&sql).await.map_err(io::Error::other)?;
        Ok(self.url(database))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Whether it went well is of no use to anybody any more.
        let _ = self.process.wait();
    }
}

/// A client of a database.
///
/// # Errors
/// Where it cannot be reached.
pub async fn connect(url: &str) -> io::Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(client)
}

/// Asks a database whatever runtime is about.
///
/// # Errors
/// Where it cannot be reached, or what `work` says.
pub fn ask<T: Send + 'static>(
    url: &str,
    work: impl AsyncFnOnce(Client) -> Result<T, tokio_postgres::Error> + Send + 'static,
) -> io::Result<T> {
    let url = url.to_owned();
    let run = move || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { work(connect(&url).await?).await.map_err(io::Error::other) })
    };
    thread::spawn(run).join().unwrap_or_else(|_| Err(io::Error::other("the question panicked")))
}
