//! How long a list of 200,000 permits keeps the gate: a start that reads it from the disk, the memory
//! that it takes, and a decision on a plate that is found by its look-alikes. Prints; asserts nothing.
#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    access::{Change, Permit},
    clock::{ClockQuality, Stamp},
    event::{Fact, Latency, PlateKind, PlateSeen, Rule},
};
use edge_daemon::{
    gate::{Arm, Config, Gate, Input, Journaled, Listed, Report, Sighting},
    lists::Store,
};
use rusqlite::{Connection, params};
use uuid::Uuid;

const PERMITS: u32 = 200_000;
const DECISIONS: u32 = 50_000;
const SITE: &str = "[parking]\nplaces = 100\n[[lanes]]\nid = \"entry\"\ndirection = \"entry\"\n\
                    device = \"barrier\"\naccess = \"permits\"\ncooldown_s = 0\n";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lists.db");
    drop(Store::open(&path).unwrap());
    fill(&path);
    let (before, begun) = (resident_kib(), Instant::now());
    let (_store, listed) = Store::open(&path).unwrap();
    println!("a start reads {} permits in {:.2?}", listed.len(), begun.elapsed());
    let mib = |kib: u64| kib as f64 / 1024.0;
    println!(
        "they take {:.1} MiB; the process grew by {:.1} MiB with what reading them took",
        mib(listed.bytes() as u64 / 1024),
        mib(resident_kib().saturating_sub(before))
    );
    let mut times = decide(listed);
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 1000];
    println!(
        "a decision by look-alikes: p50 {:.1?}, p99 {:.1?}, p99.9 {:.1?}, slowest {:.1?} of {}",
        at(500),
        at(990),
        at(999),
        at(1000),
        times.len()
    );
}

/// What the cloud's list would have left on the disk.
fn fill(path: &Path) {
    let mut db = Connection::open(path).unwrap();
    let transaction = db.transaction().unwrap();
    {
        let sql = "INSERT INTO entry (kind, plate, line) VALUES ('permit', ?1, ?2)";
        let mut insert = transaction.prepare(sql).unwrap();
        for number in 0..PERMITS {
            let permit = permit(number);
            let plate = permit.plate.normal().to_owned();
            let line = serde_json::to_string(&Change::Permit(permit)).unwrap();
            insert.execute(params![plate, line]).unwrap();
        }
    }
    transaction.execute("UPDATE list SET version = 1, fetched = 1", []).unwrap();
    transaction.commit().unwrap();
}

/// Of another lane, so that the plate is found and the arm stays down for the next.
fn permit(number: u32) -> Permit {
    Permit {
        plate: plate(number).try_into().unwrap(),
        holder: format!("Household {number}"),
        valid_from: None,
        valid_until: Some("2099-12-31T16:00:00Z".parse().unwrap()),
        lanes: vec!["staff".parse().unwrap()],
        revoked: false,
    }
}

fn plate(number: u32) -> String {
    let letter = char::from(b'A' + u8::try_from(number / 100_000).unwrap());
    format!("京{letter}{:05}", number % 100_000)
}

/// How long each decision took.
fn decide(listed: Listed) -> Vec<Duration> {
    let config: Config = toml::from_str(SITE).unwrap();
    let journaled = Journaled { listed: Arc::new(listed), ..Journaled::default() };
    let (mut gate, _) = Gate::recovered(config, journaled, now(0));
    let lane = "entry".parse().unwrap();
    for report in [Report::Online, Report::UnderArm(false), Report::Arm(Arm::Closed)] {
        let _ = gate.step(&lane, Input::Barrier(report), now(0), &mut Uuid::new_v4);
    }
    let time = |turn: u32| {
        // Every one is another plate, and is read wrongly in all that looks like something else.
        let text = plate(turn.wrapping_mul(7919) % PERMITS).replace('0', "O").replace('8', "B");
        let (now, begun) = (now(turn + 1), Instant::now());
        let input = Input::Sighting(Box::new(sighting(text, u64::from(turn), now)));
        let commit = gate.step(&lane, input, now, &mut Uuid::new_v4);
        let took = begun.elapsed();
        let found = |fact: &Fact| match fact {
            Fact::Decision(one) => one.rule == Rule::NoPermit && !one.candidates.is_empty(),
            _ => false,
        };
        assert!(commit.facts().iter().any(found), "it was not found: {:?}", commit.facts());
        took
    };
    (0..DECISIONS).map(time).collect()
}

fn sighting(text: String, passage: u64, now: Stamp) -> Sighting {
    let plate = PlateSeen {
        text,
        confidence: 0.99,
        kind: PlateKind::Blue,
        region: String::new(),
        camera: "camera".parse().unwrap(),
        readings: 2,
        agreeing: 2,
        bounds: [0.0; 4],
        picture: String::new(),
        captured_at: now.wall,
    };
    Sighting { plate, latency: Latency::default(), passage, arrived_ms: now.monotonic_ms }
}

/// A second for each turn.
fn now(turn: u32) -> Stamp {
    let wall = "2026-11-20T06:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    Stamp {
        wall: wall + chrono::TimeDelta::seconds(turn.into()),
        monotonic_ms: 1_000_000 + u64::from(turn) * 1000,
        quality: ClockQuality::Synchronised,
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}
