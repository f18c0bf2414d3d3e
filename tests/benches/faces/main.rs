//! What the faces answer in a second, and how long an answer takes, beside a comparator that serves
//! the same rows with Django REST framework and two gunicorn workers. The two are measured in turns
//! in one run, so that whatever else the machine does meets both; before that they must give the
//! same answers. Then how long a search among a million plates takes. The load comes from the same machine and takes its share of it.

mod comparator;
mod load;
mod ours;
mod search;

use std::{error::Error, io, thread::available_parallelism, time::Duration};

use serde_json::Value;
use tempfile::TempDir;

use self::{
    comparator::Comparator,
    load::{Connection, Met, load},
    ours::{Keys, Ours},
};

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_millis(500);
const HEARTBEAT: &str = r#"{"battery_level": 85}"#;

/// Who asks.
#[derive(Clone, Copy)]
enum Who {
    Anybody,
    Driver,
    Device,
}

/// What is asked: a name for people, method and path, who asks, and the body.
type Question = (&'static str, &'static str, Who, &'static str);

const QUESTIONS: [Question; 5] = [
    ("100 cabinets", "GET /api/cabinets/", Who::Anybody, ""),
    ("one cabinet", "GET /api/cabinets/A050/", Who::Anybody, ""),
    ("20 own orders", "GET /api/orders/my/", Who::Driver, ""),
    ("20 of 10,000 plates", "GET /api/plates?limit=20", Who::Driver, ""),
    ("heartbeat, on disk", "POST /api/devices/heartbeat/", Who::Device, HEARTBEAT),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Not in memory, as the system's folder for such may be: writes have to reach a disk.
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let ours = Ours::start(folder.path(), CONNECTIONS).await?;
    let theirs = match comparator::install().await {
        Ok(()) => Some(Comparator::start(folder.path(), &ours.rows().await?).await?),
        Err(error) => {
            println!("cloud-sync alone: the comparator wants PyPI and python3-venv, but {error}");
            None
        }
    };
    println!("{:<20}  {:^28}  {:^28}", "", "cloud-sync", "Django REST framework");
    let columns = format!("{:>10} {:>8} {:>8}", "a second", "p50 ms", "p99 ms");
    println!("{:<20}  {columns}  {columns}  ratio", "");
    let mut most_resident = 0;
    for question in &QUESTIONS {
        let (met, met_theirs) = measure(question, &ours, theirs.as_ref()).await?;
        print(question.0, met, met_theirs);
        most_resident = most_resident.max(ours.process.resident_bytes()?);
    }
    let cores = available_parallelism()?;
    println!("{CONNECTIONS} connections from this machine, which has {cores} cores for all of it");
    println!("resident memory of cloud-sync {:.1} MB at most", most_resident as f64 / 1e6);
    if let Some(theirs) = theirs {
        theirs.stop().await?;
    }
    drop(ours);
    search::measure(folder.path()).await
}

/// Asks both in turns.
async fn measure(
    question: &Question,
    ours: &Ours,
    theirs: Option<&Comparator>,
) -> Result<(Met, Met), Box<dyn Error>> {
    let asked = requests(question, &ours.keys);
    if let Some(theirs) = theirs {
        check_same(&asked[0], [ours.port, theirs.port]).await?;
    }
    let (mut met, mut met_theirs) = (Met::default(), Met::default());
    for lasting in [WARM_UP].into_iter().chain([ROUND; ROUNDS]) {
        let more = load(ours.port, &asked, lasting).await?;
        let more_theirs = match theirs {
            Some(theirs) => load(theirs.port, &asked, lasting).await?,
            None => Met::default(),
        };
        if lasting != WARM_UP {
            met.add(more);
            met_theirs.add(more_theirs);
        }
    }
    Ok((met, met_theirs))
}

/// The request of each connection, ready to be sent.
fn requests((_, line, who, body): &Question, keys: &Keys) -> Vec<Vec<u8>> {
    let request = |connection: usize| {
        let key = match who {
            Who::Anybody => String::new(),
            Who::Driver => format!("Authorization: Token {}\r\n", keys.driver),
            Who::Device => format!("X-API-Key: {}\r\n", keys.devices[connection]),
        };
        let length = body.len();
        format!(
            "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{key}Content-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    (0..CONNECTIONS).map(request).collect()
}

/// # Errors
/// When the two answer a request differently: then they could not be compared.
async fn check_same(request: &[u8], ports: [u16; 2]) -> Result<(), Box<dyn Error>> {
    let mut answers = Vec::new();
    for port in ports {
        let body = Connection::new(port).exchange(request).await?.to_vec();
        answers.push(serde_json::from_slice::<Value>(&body)?);
    }
    if answers[0] == answers[1] {
        return Ok(());
    }
    let [ours, theirs] = [&answers[0], &answers[1]];
    Err(io::Error::other(format!("the answers differ:\n{ours}\n{theirs}")).into())
}

fn print(what: &str, mut ours: Met, mut theirs: Met) {
    let ratio = ours.per_second() / theirs.per_second();
    let columns = |met: &mut Met| {
        if met.waits_ms.is_empty() {
            return format!("{:28}", "");
        }
        let (p50, p99) = (met.wait_ms(500), met.wait_ms(990));
        format!("{:>10.0} {p50:>8.2} {p99:>8.2}", met.per_second())
    };
    let (ours, theirs) = (columns(&mut ours), columns(&mut theirs));
    let ratio = if ratio.is_finite() { format!("{ratio:4.0}×") } else { String::new() };
    println!("{what:<20}  {ours}  {theirs}  {ratio}");
}
