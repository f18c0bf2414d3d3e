//! Several instances of `cloud-sync` on one PostgreSQL, behind a proxy.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use crate::{
    balancer::Balancer,
    fleet::{self, Fleet},
    postgres::{self, Postgres},
    process::{self, Process},
};

/// Running instances; the database ends with them.
pub struct Cluster {
    instances: Vec<(Process, u16)>,
    /// Where to connect to any of them.
    pub balancer: Balancer,
    database_url: String,
    folder: PathBuf,
    _postgres: Postgres,
}

impl Cluster {
    /// Starts `count` instances on an empty database, and waits until they serve.
    ///
    /// # Errors
    /// Where one does not start; the message has its last words.
    pub async fn start(folder: &Path, count: usize) -> io::Result<Self> {
        let postgres = Postgres::start(&[])?;
        let database_url = postgres.create("gatehouse").await?;
        std::fs::create_dir_all(folder)?;
        let pictures = folder.join("pictures");
        let config = format!("[pictures]\nfolder = {pictures:?}\n[limits]\nenabled = false\n");
        std::fs::write(folder.join("cloud.toml"), config)?;
        let mut instances = Vec::new();
        for number in 0..count {
            let port = process::free_port()?;
            instances.push((launch(folder, number, port, &database_url).await?, port));
        }
        let addresses = instances.iter().map(|(_, port)| address(*port)).collect();
        let balancer = Balancer::open(addresses).await?;
        let folder = folder.to_owned();
        Ok(Self { instances, balancer, database_url, folder, _postgres: postgres })
    }

    /// The address of one instance as a URL, without a slash at the end.
    pub fn url(&self, instance: usize) -> String {
        format!("http://{}", address(self.instances[instance].1))
    }

    /// The database's URL.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Kills an instance without warning.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn kill(&mut self, instance: usize) -> io::Result<()> {
        self.instances[instance].0.kill().await
    }

    /// Starts it again.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn restart(&mut self, instance: usize) -> io::Result<()> {
        let port = self.instances[instance].1;
        let process = launch(&self.folder, instance, port, &self.database_url).await?;
        self.instances[instance].0 = process;
        Ok(())
    }

    /// Registers a user and returns a token for the `Authorization: Token` header.
    ///
    /// # Errors
    /// What the command said.
    pub async fn add_user(&self, name: &str, role: &str) -> io::Result<String> {
        let add = ["user", "add", "--username", name, "--role", role, "--password-stdin"];
        self.command(&add, "long enough a secret").await?;
        self.command(&["token", "issue", "--username", name], "").await
    }

    /// Registers and enrols the sites of a fleet whose states lie in `folder`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn enrol(&self, folder: &Path, fleet: &Fleet) -> io::Result<()> {
        fleet::enrol(&self.database_url, folder, fleet.names()).await
    }

    /// A number that the database answers with.
    ///
    /// # Errors
    /// What it says.
    pub fn number(&self, sql: &str) -> io::Result<i64> {
        let sql = sql.to_owned();
        postgres::ask(&self.database_url, async move |client| {
            Ok(client.query_one(&sql, &[]).await?.get(0))
        })
    }

    async fn command(&self, words: &[&str], input: &str) -> io::Result<String> {
        let words = words.iter().copied().chain(["--database-url", &self.database_url]);
        process::output("cloud-sync", words, input).await
    }
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

async fn launch(folder: &Path, number: usize, port: u16, url: &str) -> io::Result<Process> {
    let own = folder.join(format!("instance-{number}"));
    std::fs::create_dir_all(&own)?;
    let (port_text, config) = (port.to_string(), folder.join("cloud.toml"));
    let config = config.to_string_lossy();
    let args = ["serve", "--host", "127.0.0.1", "--port", &port_text, "--database-url", url];
    let args = args.into_iter().chain(["--config", &config]);
    let mut process = Process::start("cloud-sync", args, &own)?;
    process.ready(&format!("http://127.0.0.1:{port}/readyz")).await?;
    Ok(process)
}
