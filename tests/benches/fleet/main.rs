//! How many events a second a cloud takes in, durably, from a fleet of real journals that have all of
//! them ready: into SQLite and into PostgreSQL, at 10, 100 and 1,000 sites; beside what the same
//! bytes take that are only put into one table (`COPY` for PostgreSQL, a prepared insert in batches
//! of the same size for SQLite). Prints; asserts nothing. `cargo bench --bench fleet -- 10 100` has
//! other numbers of sites.
#![allow(clippy::unwrap_used)]

mod limit;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use system_tests::{
    fleet::{self, Fleet, VISIT},
    postgres::{DURABLE, Postgres},
    process::{self, Process},
};
use tempfile::TempDir;

const SITES: [usize; 3] = [10, 100, 1000];
/// Events of all sites together, about.
const EVENTS: usize = 44_000;
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::main]
async fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let sites = if asked.is_empty() { SITES.to_vec() } else { asked };
    let cores = std::thread::available_parallelism().unwrap();
    println!(
        "into      sites    events  events/s  the limit  ratio   cloud CPU per event  ({cores} cores)"
    );
    for count in sites {
        sqlite(count).await;
        postgres(count).await;
    }
}

async fn sqlite(count: usize) {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:///{}", folder.path().join("cloud.db").display());
    let (events, per_second, cpu) = drain(folder.path(), &url, count).await;
    let bodies = limit::bodies(&folder.path().join("sites"), count);
    tell("SQLite", count, events, per_second, limit::sqlite(folder.path(), &bodies), cpu);
}

async fn postgres(count: usize) {
    let folder = TempDir::new().unwrap();
    let server = Postgres::start(DURABLE).unwrap();
    let url = server.create("gatehouse").await.unwrap();
    let (events, per_second, cpu) = drain(folder.path(), &url, count).await;
    let bodies = limit::bodies(&folder.path().join("sites"), count);
    tell("PostgreSQL", count, events, per_second, limit::postgres(&url, &bodies).await, cpu);
}

fn tell(what: &str, sites: usize, events: u64, per_second: f64, limit: f64, cpu: Duration) {
    let (ratio, cpu) = (per_second / limit, cpu / u32::try_from(events).unwrap());
    println!(
        "{what:<10}{sites:>5}{events:>10}{per_second:>10.0}{limit:>11.0}{ratio:>7.2}   {cpu:.0?}"
    );
}

/// Lets a fleet replay everything it has: how many events, how many in a second, and the time that
/// the cloud computed.
async fn drain(folder: &Path, url: &str, count: usize) -> (u64, f64, Duration) {
    let sites = folder.join("sites");
    let mut fleet = Fleet::open(&sites, "site", count).unwrap();
    fleet::enrol(url, &sites, fleet.names()).await.unwrap();
    fleet.fill(EVENTS.div_ceil(VISIT * count)).await.unwrap();
    let port = process::free_port().unwrap();
    let pictures = folder.join("pictures");
    let config = folder.join("cloud.toml");
    std::fs::write(&config, format!("[pictures]\nfolder = {pictures:?}\n")).unwrap();
    let (port_text, config) = (port.to_string(), config.to_string_lossy());
    let args = ["serve", "--host", "127.0.0.1", "--port", &port_text, "--database-url", url];
    let args = args.into_iter().chain(["--config", &*config, "--log-level", "error"]);
    let mut cloud = Process::start("cloud-sync", args, folder).unwrap();
    cloud.ready(&format!("http://127.0.0.1:{port}/readyz")).await.unwrap();
    let (events, begun, computed) = (fleet.events().0, Instant::now(), cloud.computed().unwrap());
    fleet.connect(&format!("http://127.0.0.1:{port}"), false).unwrap();
    fleet.drained(PATIENCE).await.unwrap();
    let per_second = events as f64 / begun.elapsed().as_secs_f64();
    let computed = cloud.computed().unwrap() - computed;
    cloud.stop().await.unwrap();
    (events, per_second, computed)
}
