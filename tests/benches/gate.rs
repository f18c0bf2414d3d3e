//! How long a driver waits for the gate to decide: from the frame that completes the vote to the
//! command's bytes on the line, through the real edge with its cloud, and the memory that the core
//! takes. The intent is on disk before the command leaves, so that the disk alone is told as well.

use std::{error::Error, fs::File, os::unix::fs::FileExt, path::Path, time::Duration};

use domain::event::{Action, Event, Fact};
use rand::Rng;
use system_tests::{
    barrier::Timing,
    scenario::{Scenario, Setup},
};
use tokio::time::{Instant, sleep};

const CARS: usize = 300;
const TIMING: Timing = Timing { travel_ms: 60, approach_ms: 20, passing_ms: 40 };
/// How long after a car is through the next one is seen: also while the arm comes down.
const HEADWAY_MS: std::ops::Range<u64> = 0..300;
/// About as much as a decision and its intent take in the journal's log.
const WRITE_BYTES: usize = 8 << 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let setup = Setup {
        timing: TIMING,
        entry: "access = \"public\"",
        more: "[parking]\nplaces = 10000\n",
        ..Setup::default()
    };
    let site = Scenario::start(setup).await?;
    let at_start = site.edge.process().resident_bytes()?;
    for car in 0..CARS {
        site.entry.through(&format!("京A{car:05}")).await?;
        let headway = rand::rng().random_range(HEADWAY_MS);
        sleep(Duration::from_millis(headway)).await;
    }
    site.synced().await?;
    let events = site.edge.events()?;
    print("vote to wire", waits(&events));
    print("sighting to decision", decisions(&events));
    print("disk alone", disk(site.edge.state().path())?);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let at_end = site.edge.process().resident_bytes()?;
    println!("core memory {:.1} MiB at start, {:.1} MiB after", mib(at_start), mib(at_end));
    Ok(())
}

/// For each command to open that followed from a sighting, in milliseconds.
fn waits(events: &[Event]) -> Vec<f64> {
    let opening = |fact: &Fact| match fact {
        Fact::CommandIntent { command, action: Action::Open, .. } => Some(*command),
        _ => None,
    };
    let opening: Vec<_> = events.iter().filter_map(|event| opening(&event.fact)).collect();
    let wait = |fact: &Fact| match fact {
        Fact::CommandOutcome { command, vote_to_wire_ms: Some(ms), .. } => {
            opening.contains(command).then_some(f64::from(*ms))
        }
        _ => None,
    };
    events.iter().filter_map(|event| wait(&event.fact)).collect()
}

/// How long sightings were on their way to the lane, in milliseconds.
fn decisions(events: &[Event]) -> Vec<f64> {
    let latency = |fact: &Fact| match fact {
        Fact::Decision(decision) => Some(f64::from(decision.latency.sighting_ms)),
        _ => None,
    };
    events.iter().filter_map(|event| latency(&event.fact)).collect()
}

/// How long the disk takes by itself for as much, over itself as in the journal's log, in
/// milliseconds.
fn disk(folder: &Path) -> std::io::Result<Vec<f64>> {
    let file = File::create(folder.join("bench"))?;
    let once = || {
        let began = Instant::now();
        file.write_all_at(&[0x55; WRITE_BYTES], 0)?;
        file.sync_data()?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    };
    (0..CARS).map(|_| once()).collect()
}

fn print(what: &str, mut times_ms: Vec<f64>) {
    times_ms.sort_unstable_by(f64::total_cmp);
    let ms = |share: usize| times_ms[(times_ms.len() - 1) * share / 1_000];
    let (p50, p90, p99, max) = (ms(500), ms(900), ms(990), ms(1_000));
    let count = times_ms.len();
    println!("{what:<21} p50 {p50:6.2} p90 {p90:6.2} p99 {p99:6.2} max {max:6.2} ms of {count}");
}
