//! The cloud: `cloud-sync` on an SQLite file.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags};

use crate::process::{self, Process};

/// A running `cloud-sync`.
pub struct Cloud {
    process: Process,
    folder: PathBuf,
    port: u16,
    clock: Option<PathBuf>,
}

impl Cloud {
    /// Starts it on `port` with its database in `folder`, and waits until it serves.
    ///
    /// # Errors
    /// Where it does not start; the message has its last words.
    pub async fn start(folder: &Path, port: u16) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let process = launch(folder, port, None).await?;
        Ok(Self { process, folder: folder.to_owned(), port, clock: None })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its address as a URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Registers a site and returns its one-time enrolment code.
    ///
    /// # Errors
    /// What the command said.
    pub async fn add_site(&self, site: &str, name: &str) -> io::Result<String> {
        self.command(&["site", "add", "--site-id", site, "--name", name], "").await
    }

    /// Registers a user and returns a token for the `Authorization: Token` header.
    ///
    /// # Errors
    /// What the command said.
    pub async fn add_user(&self, name: &str, role: &str, password: &str) -> io::Result<String> {
        let add = ["user", "add", "--username", name, "--role", role, "--password-stdin"];
        self.command(&add, password).await?;
        self.command(&["token", "issue", "--username", name], "").await
    }

    /// Kills it without warning, as a power cut would.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.process.kill().await
    }

    /// Starts it again on the same port and database.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.process = launch(&self.folder, self.port, self.clock.as_deref()).await?;
        Ok(())
    }

    /// Kills it and starts it again with a clock that stands still at `now`.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn restart_at(&mut self, now: DateTime<Utc>) -> io::Result<()> {
        self.kill().await?;
        let clock = self.folder.join("clock");
        std::fs::write(&clock, now.to_rfc3339())?;
        self.clock = Some(clock);
        self.restart().await
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// Where it hangs.
    pub async fn stop(&mut self) -> io::Result<()> {
        self.process.stop().await
    }

    /// How many events of `site` are on its disk, and how many different sequences they have.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn events(&self, site: &str) -> rusqlite::Result<(u64, u64)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(self.database(), flags)?;
        let sql = "SELECT COUNT(*), COUNT(DISTINCT sequence) FROM events WHERE site_id = $1";
        let count = |row: &rusqlite::Row, at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        database.query_row(sql, [site], |row| Ok((count(row, 0)?, count(row, 1)?)))
    }

    /// Every event of `site` as it came, in order.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn bodies(&self, site: &str) -> rusqlite::Result<Vec<String>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(self.database(), flags)?;
        let sql = "SELECT body FROM events WHERE site_id = $1 ORDER BY sequence";
        database.prepare(sql)?.query_map([site], |row| row.get(0))?.collect()
    }

    /// What people are told about `kind`, oldest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn alerts(&self, kind: &str) -> rusqlite::Result<Vec<String>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(self.database(), flags)?;
        let sql = "SELECT message FROM alerts WHERE alert_type = $1 ORDER BY id";
        database.prepare(sql)?.query_map([kind], |row| row.get(0))?.collect()
    }

    /// The file of its database.
    pub fn database(&self) -> PathBuf {
        self.folder.join("cloud.db")
    }

    /// Runs a verb of the program on its database, with `input` on its standard input.
    ///
    /// # Errors
    /// What the command said.
    pub async fn command(&self, words: &[&str], input: &str) -> io::Result<String> {
        let url = database_url(&self.folder);
        let words = words.iter().copied().chain(["--database-url", &url]);
        process::output("cloud-sync", words, input).await
    }
}

fn database_url(folder: &Path) -> String {
    format!("sqlite:///{}", folder.join("cloud.db").display())
}

async fn launch(folder: &Path, port: u16, clock: Option<&Path>) -> io::Result<Process> {
    let (port_text, url) = (port.to_string(), database_url(folder));
    let args = ["serve", "--host", "127.0.0.1", "--port", &port_text, "--database-url", &url];
    let clock = clock.map(|path| format!("--test-clock={}", path.display()));
    let args = args.into_iter().chain(clock.as_deref());
    let mut process = Process::start("cloud-sync", args, folder)?;
    process.ready(&format!("http://127.0.0.1:{port}/readyz")).await?;
    Ok(process)
}
