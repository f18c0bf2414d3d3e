//! A real PostgreSQL for the tests of this process: started when the first one asks, one empty
//! database for each test, and nothing left however the process ends (see `postgres.sh`).

use std::{
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use tokio::runtime::Builder;

/// The server; it ends when its standard input does, which is when this process ends.
struct Server {
    port: u16,
    folder: PathBuf,
    _process: Child,
}

/// An empty database; dropped with this.
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// Makes a new one.
    ///
    /// # Panics
    /// Where there is no PostgreSQL on this machine; the message says how to get it.
    pub(crate) fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        administer(format!("CREATE DATABASE {name}"));
        Self { name }
    }

    /// Where it is, for `cloud_core::Options`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", server().port, self.name)
    }

    /// The folder with `server.crt`, by which the server is known, and `other.crt`.
    pub(crate) fn certificates() -> PathBuf {
        server().folder.clone()
    }

    /// Whether somebody uses it over TLS.
    pub(crate) fn has_encrypted_connections(&self) -> bool {
        // Divides by zero where nobody does.
        let sql = format!(
            "SELECT 1 / COUNT(*) FROM pg_stat_ssl s JOIN pg_stat_activity a ON a.pid = s.pid
             WHERE s.ssl AND a.datname = '{}'",
            self.name
        );
        try_to_administer(sql).is_ok()
    }

    /// Cuts the connections of everybody who uses it, as a restart of the server would.
    pub(crate) fn cut_connections(&self) {
        let name = &self.name;
        administer(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
    }

    /// Lets nobody in any more, as a server that is away; those who are in are cut off.
    pub(crate) fn close(&self) {
        administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name));
        self.cut_connections();
    }

    /// Lets everybody in again.
    pub(crate) fn open(&self) {
        administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        administer(format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// Runs a statement beside all tests.
fn administer(sql: String) {
    try_to_administer(sql).unwrap();
}

fn try_to_administer(sql: String) -> Result<(), tokio_postgres::Error> {
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server().port);
    // A runtime of its own: there may be one about that must not be blocked.
    let run = move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(&sql).await
        })
    };
    thread::spawn(run).join().unwrap()
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut process = Command::new("sh")
            .args(["-c", include_str!("postgres.sh"), "postgres.sh", &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut told).unwrap();
        let Some(folder) = told.trim().strip_prefix("ready ").map(PathBuf::from) else {
            let mut problem = String::new();
            process.stderr.take().unwrap().read_to_string(&mut problem).unwrap();
            panic!("no PostgreSQL to test on: {problem}");
        };
        Server { port, folder, _process: process }
    })
}
