//! A real PostgreSQL for the tests of this process: started when the first one asks, one empty
//! database for each test, and nothing left however the process ends (see `postgres.sh`).

use std::{
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

/// The server; it ends when its standard input does, which is when this process ends.
struct Server {
    port: u16,
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
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server().port);
    // The client must not be used where an asynchronous runtime is about.
    let run = move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls)?;
        client.batch_execute(&sql)
    };
    thread::spawn(run).join().unwrap().unwrap();
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
        if told.trim() != "ready" {
            let mut problem = String::new();
            process.stderr.take().unwrap().read_to_string(&mut problem).unwrap();
            panic!("no PostgreSQL to test on: {problem}");
        }
        Server { port, _process: process }
    })
}
