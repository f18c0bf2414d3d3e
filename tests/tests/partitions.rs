//! Sites, three instances of the cloud and their database on a network of its own, with bad lines
//! that are cut again and again: every acknowledged event is in the database once and to the byte,
//! every directive was carried out once at its site. Skipped, aloud, where namespaces cannot be made;
//! without the kernel's `cls_bpf` the lines are narrow and no more. `SOAK=<seconds>` goes on for longer.
#![allow(clippy::unwrap_used)]

use std::{net::Ipv4Addr, path::Path, sync::Arc, time::Duration};

use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use cloud_core::{Cloud, LockerSettings, NewAccount, Options, PayMethod, Payable, Role};
use edge_daemon::system_clock::SystemClock;
use system_tests::{
    fleet::{self, Fleet, Visit},
    netns::Network,
    postgres::{self, Postgres},
    process::{Process, binary},
};
use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

const INSTANCES: usize = 3;
const EDGES: [&str; 2] = ["east", "west"];
const SITES: usize = 2;
/// Cars at each edge that pay at the cloud meanwhile.
const PAYERS: usize = 4;
const PORT: u16 = 8000;
/// How long lines are cut, in seconds, where nobody asks for longer.
const SHORT_S: u64 = 14;
const PATIENCE: Duration = Duration::from_secs(60);

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, last)
}

fn network() -> std::io::Result<Network> {
    let mut network = Network::new()?;
    network.add("db", address(9))?;
    for instance in 0..INSTANCES {
        network.add(&format!("cloud{instance}"), address(1 + instance as u8))?;
    }
    for (index, edge) in EDGES.iter().enumerate() {
        network.add(edge, address(100 + index as u8))?;
    }
    Ok(network)
}

/// A program at a machine of the network.
fn spawn(network: &Network, node: &str, name: &str, words: &[String], folder: &Path) -> Process {
    let at = network.at(node);
    let mut command = Command::new(&at[0]);
    command.args(&at[1..]).arg(binary(name)).args(words);
    let own = folder.join(node);
    std::fs::create_dir_all(&own).unwrap();
    Process::spawn(name, &mut command, &own).unwrap()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_bad_and_cut_lose_nothing_and_do_nothing_twice() {
    let network = match network() {
        Ok(network) => network,
        Err(error) => return println!("SKIPPED: no network namespaces here: {error}"),
    };
    let folder = TempDir::new().unwrap();
    let at = network.at("db");
    let mut shell = std::process::Command::new(&at[0]);
    shell.args(&at[1..]).arg("sh").env("TRUSTED", "10.77.0.0/24");
    let server = Postgres::start_as(shell, "10.77.0.9", &["-c", "listen_addresses=*"]).unwrap();
    let local = server.local_url("postgres");
    let lines = network.spoil().unwrap();
    println!("the lines are {lines:?}");

    let pictures = folder.path().join("pictures");
    let config = folder.path().join("cloud.toml");
    std::fs::write(&config, format!("[pictures]\nfolder = {pictures:?}\n")).unwrap();
    let (url, config) = (server.url("postgres"), config.display().to_string());
    let serve = words(&format!(
        "serve --host 0.0.0.0 --port {PORT} --database-url {url} --config {config}"
    ));
    let cloud = open(local.clone(), pictures).await;
    let _clouds: Vec<_> = (0..INSTANCES)
        .map(|index| spawn(&network, &format!("cloud{index}"), "cloud-sync", &serve, folder.path()))
        .collect();
    let mut edges = Vec::new();
    for edge in EDGES {
        edges.push(start_edge(&network, edge, folder.path(), &local).await);
    }

    let seconds = std::env::var("SOAK").map_or(SHORT_S, |seconds| seconds.parse().unwrap());
    let cut = cut_in_turn(&network, Duration::from_secs(seconds));
    let ((), paid) = tokio::join!(cut, pay_all(&cloud));
    assert_eq!(paid, EDGES.len() * PAYERS);
    let told = async {
        while waiting(&local) > 0 {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(PATIENCE, told).await.expect("not every directive was carried out");
    for edge in &mut edges {
        edge.stop().await.unwrap();
    }
    let mut directives = 0;
    for edge in EDGES {
        let fleet = Fleet::open(&folder.path().join(edge).join("sites"), edge, SITES).unwrap();
        assert_eq!(fleet.events().0, fleet.events().1, "{edge} has not everything at the cloud");
        let compared = fleet.compare(&local).unwrap();
        println!("{edge}: {compared:?}");
        directives += compared.directives;
    }
    assert_eq!(directives, paid as u64);
}

/// Starts the sites of an edge, with cars inside that have to pay.
async fn start_edge(network: &Network, edge: &str, folder: &Path, local: &str) -> Process {
    let sites = folder.join(edge).join("sites");
    {
        let fleet = Fleet::open(&sites, edge, SITES).unwrap();
        fleet::enrol(local, &sites, fleet.names()).await.unwrap();
        for number in 0..PAYERS {
            let visit = Visit::charged(60_000 + number, Utc::now() - TimeDelta::hours(1));
            fleet.sites()[number % SITES].append(visit.entry()).await.unwrap();
        }
    }
    let via: String =
        (0..INSTANCES).map(|i| format!(" --via {}:{PORT}", address(1 + i as u8))).collect();
    let state = sites.display();
    let args = format!(
        "--sites {SITES} --prefix {edge} --state {state} --rate 40 --seconds 100000 --directives{via}"
    );
    spawn(network, edge, "simulate-fleet", &words(&args), folder)
}

/// Cuts one line after the other for a moment, until the time is over; then all are mended.
async fn cut_in_turn(network: &Network, time: Duration) {
    let begun = Instant::now();
    let nodes = ["cloud0", "east", "cloud1", "db", "cloud2", "west"];
    for turn in 0.. {
        if begun.elapsed() > time {
            return;
        }
        let node = nodes[turn % nodes.len()];
        sleep(Duration::from_millis(700)).await;
        network.set(node, false).unwrap();
        sleep(Duration::from_millis(1200)).await;
        network.set(node, true).unwrap();
    }
}

/// The office: at the database itself, whatever becomes of the lines.
async fn open(database_url: String, pictures: std::path::PathBuf) -> Cloud {
    let open = move || {
        Cloud::open(Options {
            database_url,
            pictures: Some(pictures),
            zone: Tz::Asia__Shanghai,
            clock: Arc::new(SystemClock),
            providers: Vec::new(),
            lockers: LockerSettings::default(),
            settings: cloud_core::Settings::default(),
        })
    };
    let cloud = tokio::task::spawn_blocking(open).await.unwrap().unwrap();
    cloud.serve().await.unwrap();
    cloud
}

/// Takes the fee of every car that is there and owes one, as soon as the cloud knows of it.
async fn pay_all(cloud: &Cloud) -> usize {
    let (username, password) = ("op".to_owned(), "long enough a secret".to_owned());
    let role = Role::Operator;
    let new = NewAccount { username, password, role, phone: None, email: None };
    cloud.accounts.add(new).await.unwrap();
    let token = cloud.accounts.issue_token("op").await.unwrap();
    let caller = cloud.accounts.by_token(&token).await.unwrap();
    let mut paid = std::collections::HashSet::new();
    let begun = Instant::now();
    while paid.len() < EDGES.len() * PAYERS && begun.elapsed() < PATIENCE {
        let filter = cloud_core::StayFilter { active: Some(true), ..Default::default() };
        let (stays, _) = cloud.parking.stays(&caller, filter, None).await.unwrap();
        let owing = stays.iter().filter(|stay| stay.tariff.is_some() && !paid.contains(&stay.id));
        for stay in owing.map(|stay| stay.id).collect::<Vec<_>>() {
            let order = cloud.parking.order(&caller, stay).await.unwrap();
            let with = Payable { method: PayMethod::Cash, amount_fen: None };
            cloud.parking.pay_order(&caller, order.id, with).await.unwrap();
            paid.insert(stay);
            sleep(Duration::from_millis(200)).await;
        }
        sleep(Duration::from_millis(200)).await;
    }
    paid.len()
}

/// Directives that no site has said to have carried out.
fn waiting(local: &str) -> i64 {
    let sql = "SELECT COUNT(*) FROM directives WHERE event IS NULL";
    postgres::ask(local, async move |client| Ok(client.query_one(sql, &[]).await?.get(0))).unwrap()
}
