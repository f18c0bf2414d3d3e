//! Two hundred lockers on one edge, all alive, while one of them babbles: how long a command takes
//! to a device and back over mosquitto, and what the edge needs in memory and CPU beyond an edge
//! that has nothing to do.

use std::{
    collections::HashSet,
    error::Error,
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use domain::{
    event::{Event, Fact, Outcome},
    locker::LockerFact,
};
use edge_daemon::controller::keys::Keys;
use firmware_protocol::seal::Key;
use rand::{Rng, random};
use serde_json::json;
use system_tests::{
    device::{Account, Faults},
    locker::{Cabinet, Locker, MqttLocker, Timing},
    mosquitto::Mosquitto,
    process::http_client,
    site::{Edge, Plan},
};
use tempfile::TempDir;
use tokio::time::sleep;

type Failure = Box<dyn Error>;

const LOCKERS: usize = 200;
const DOORS: u8 = 8;
const COMMANDS: usize = 300;
const PAUSE_MS: std::ops::Range<u64> = 20..80;
/// How long memory and CPU are looked at.
const WATCHED: Duration = Duration::from_secs(10);
const TIMING: Timing = Timing { release_ms: 2_000, left_open_ms: 60_000, pull_ms: 50, push_ms: 50 };

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let broker = Mosquitto::start()?;
    let folder = TempDir::new()?;
    let mut idle = start(&folder.path().join("idle"), &broker, 1).await?;
    let (idle_mb, idle_cpu) = watch(&idle).await?;
    idle.stop().await?;

    let home = folder.path().join("busy");
    let mut edge = start(&home, &broker, LOCKERS).await?;
    let lockers: Vec<_> = (0..LOCKERS).map(|_| Locker::new(Cabinet::new(DOORS, TIMING))).collect();
    let _links = lockers
        .iter()
        .enumerate()
        .map(|(number, locker)| connect(&home, &broker, number, locker))
        .collect::<Result<Vec<_>, _>>()?;
    lockers.iter().for_each(|locker| locker.board().hardware.set_people(true));
    until(&edge, "all are online", |events| online(events) == LOCKERS).await?;
    lockers[0].set_faults(Faults { babbling: true, ..Faults::default() });
    let named = |event: &Event| matches!(event.fact, Fact::DeviceMisbehaves { .. });
    until(&edge, "the one that babbles is named", |events| events.iter().any(named)).await?;

    let (busy_mb, busy_cpu) = watch(&edge).await?;
    for _ in 0..COMMANDS {
        open_one(&edge).await?;
        sleep(Duration::from_millis(rand::rng().random_range(PAUSE_MS))).await;
    }
    until(&edge, "all have ended", |events| round_trips(events).len() == COMMANDS).await?;
    let times = round_trips(&edge.events()?);
    let answered: Vec<_> = times.iter().flatten().copied().collect();
    print(&answered, COMMANDS - answered.len());
    println!(
        "  lockers {LOCKERS} alive, one babbles: {:.1} MB and {:.1} % of a core beyond idle \
         ({idle_mb:.1} MB, {idle_cpu:.1} %)",
        busy_mb - idle_mb,
        busy_cpu - idle_cpu
    );
    edge.stop().await?;
    Ok(())
}

async fn start(home: &Path, broker: &Mosquitto, lockers: usize) -> Result<Edge, Failure> {
    let keys = Keys::new(&home.join("state"));
    let mut more = "[parking]\nplaces = 1\n".to_owned();
    for number in 0..lockers {
        keys.keep("locker", &name(number).parse()?, &random())?;
        let doors: Vec<_> = (1..=DOORS).map(|door| cabinet(number, door)).collect();
        write!(
            more,
            "[[controllers]]\nid = \"{}\"\nlink = \"mqtt\"\nkind = \"locker\"\ndoors = {doors:?}\n",
            name(number)
        )?;
    }
    let plan = Plan::without_lanes("bench", broker.port(), &more);
    Ok(Edge::start(home, &plan, None).await?)
}

fn connect(
    home: &Path,
    broker: &Mosquitto,
    number: usize,
    locker: &Locker,
) -> Result<MqttLocker, Failure> {
    let keys = Keys::new(&home.join("state"));
    let key: Option<Key> = keys.get("locker", &name(number).parse()?)?;
    let account = Account { host: "127.0.0.1".to_owned(), port: broker.port(), login: None };
    Ok(MqttLocker::new(account, "bench", &name(number), key, locker.clone()))
}

fn name(number: usize) -> String {
    format!("bank-{number}")
}

fn cabinet(number: usize, door: u8) -> String {
    format!("L{number}-{door}")
}

/// Has a door of one that does not babble opened at the console.
async fn open_one(edge: &Edge) -> Result<(), Failure> {
    let (number, door) =
        (rand::rng().random_range(1..LOCKERS), rand::rng().random_range(1..=DOORS));
    let body = json!({"cabinet": cabinet(number, door), "by": "bench"});
    let request = http_client().post(format!("{}/lockers/open", edge.console_url()));
    let request = request.bearer_auth(edge.operator_token()?).json(&body);
    request.send().await?.error_for_status()?;
    Ok(())
}

/// Devices of which the last word is that they answer.
fn online(events: &[Event]) -> usize {
    let mut online = HashSet::new();
    for event in events {
        match &event.fact {
            Fact::Device { device, online: true, .. } => online.insert(device),
            Fact::Device { device, .. } => online.remove(device),
            _ => false,
        };
    }
    online.len()
}

/// Milliseconds to the device and back of each command that ended; none where it was not taken.
fn round_trips(events: &[Event]) -> Vec<Option<u64>> {
    let ended = |event: &Event| match &event.fact {
        Fact::Locker(LockerFact::Outcome { outcome, elapsed_ms, .. }) => {
            Some(elapsed_ms.filter(|_| *outcome == Outcome::Accepted))
        }
        _ => None,
    };
    events.iter().filter_map(ended).collect()
}

async fn until(edge: &Edge, what: &str, is: impl Fn(&[Event]) -> bool) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is(&edge.events()?) {
        if Instant::now() > deadline {
            return Err(format!("{what}: not in two minutes").into());
        }
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// Resident megabytes, and percent of a core, of a process that is left alone.
async fn watch(edge: &Edge) -> Result<(f64, f64), Failure> {
    sleep(Duration::from_secs(2)).await;
    let (before, began) = (edge.process().cpu_time()?, Instant::now());
    sleep(WATCHED).await;
    let used = edge.process().cpu_time()? - before;
    let share = used.as_secs_f64() / began.elapsed().as_secs_f64();
    Ok((edge.process().resident_bytes()? as f64 / 1e6, share * 100.0))
}

fn print(times: &[u64], failed: usize) {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |share: usize| times.get((times.len().max(1) - 1) * share / 1_000).unwrap_or(&0);
    let (p50, p99, max) = (at(500), at(990), at(1_000));
    println!(
        "  lockers command to the device and back: p50 {p50} p99 {p99} max {max} ms, {failed} failed"
    );
}
