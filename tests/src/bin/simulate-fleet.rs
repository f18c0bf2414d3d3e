//! Many sites in one process: real journals, real replay, real keys, simulated cars.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Parser;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use system_tests::{
    balancer::Balancer,
    fleet::{self, Fleet, VISIT},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

/// How often it is told how far it is.
const PROGRESS: Duration = Duration::from_secs(2);
/// Files that a site has open.
const FILES: u64 = 12;

/// Has many sites journal what cars do, and replay it to a cloud.
#[derive(Parser)]
struct Args {
    /// How many sites.
    #[arg(long, default_value_t = 10)]
    sites: usize,
    /// Their names begin so.
    #[arg(long, default_value = "fleet")]
    prefix: String,
    /// Where their journals and keys lie; they go on where they were.
    #[arg(long)]
    state: PathBuf,
    /// The cloud's address.
    #[arg(long)]
    cloud: Option<String>,
    /// The cloud's instances as ADDRESS:PORT, instead of `--cloud`: a relay in this process goes to
    /// the next of them with each connection (sites speak HTTP without TLS to their own machine
    /// alone).
    #[arg(long)]
    via: Vec<SocketAddr>,
    /// The cloud's database, where the sites are to be registered and enrolled first.
    #[arg(long)]
    database_url: Option<String>,
    /// Events that are journaled in a second, at all sites together; 0 for none.
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// Events that each site has journaled before it reaches the cloud.
    #[arg(long, default_value_t = 0)]
    backlog: usize,
    /// How long, in seconds, or until it is asked to stop; then it waits until the cloud has
    /// everything.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Longest wait for that, in seconds.
    #[arg(long, default_value_t = 120)]
    patience: u64,
    /// Whether the sites ask for directives.
    #[arg(long)]
    directives: bool,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().with_env_filter("error").with_writer(io::stderr).init();
    let args = Args::parse();
    allow_files(args.sites as u64 * FILES + 1000)?;
    let relay = match &args.via[..] {
        [] => None,
        instances => Some(Balancer::open(instances.to_vec()).await?),
    };
    let cloud = relay.as_ref().map(Balancer::url).or(args.cloud.clone());
    let cloud = cloud.ok_or_else(|| io::Error::other("give --cloud or --via"))?;
    let mut fleet = Fleet::open(&args.state, &args.prefix, args.sites)?;
    if let Some(url) = &args.database_url {
        fleet::enrol(url, &args.state, fleet.names()).await?;
    }
    fleet.fill(args.backlog.div_ceil(VISIT)).await?;
    fleet.connect(&cloud, args.directives)?;
    let (begun, before) = (Instant::now(), fleet.events().1);
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        () = sleep(Duration::from_secs(args.seconds)) => {}
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        driven = fleet.drive(args.rate), if args.rate > 0.0 => driven?,
        () = progress(&fleet, before) => {}
    }
    let longest = Duration::from_secs(args.patience);
    tokio::select! {
        drained = fleet.drained(longest) => drop(drained?),
        () = progress(&fleet, before) => {}
    }
    let sent = fleet.events().1 - before;
    let took = begun.elapsed().as_secs_f64();
    println!("all {sent} events are at the cloud, {:.0} in a second", sent as f64 / took);
    Ok(())
}

/// Tells how far it is, for ever.
async fn progress(fleet: &Fleet, mut before: u64) {
    loop {
        sleep(PROGRESS).await;
        let (journaled, acked) = fleet.events();
        let rate = (acked - before) as f64 / PROGRESS.as_secs_f64();
        println!("{journaled} journaled, {acked} at the cloud, {rate:.0} in a second");
        before = acked;
    }
}

fn allow_files(wanted: u64) -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if hard < wanted {
        return Err(io::Error::other(format!(
            "so many sites have {wanted} files open, and the system allows {hard}: raise `ulimit -n`"
        )));
    }
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft.max(wanted), hard)?)
}
