//! Power cuts: the edge, the cloud, or both are killed at random moments while cars come and go. What
//! either had said it knew, it knows, once and in order; what the edge had the barriers do, it does
//! not have them do again. `SOAK=1` goes on for more than 10,000 events.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use domain::{
    event::{Action, Event, Fact},
    ids::CommandId,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use system_tests::{
    barrier::{Movement, Timing},
    process,
    scenario::{SITE, Scenario, Setup},
    site::{Cloud, Edge},
    traffic::Drive,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Kills of the edge; the cloud dies as often, every other time with it.
const KILLS: usize = 50;
const KILLS_SOAK: usize = 400;
/// How long the edge is left alone between a start and the next kill.
const PEACE_MS: std::ops::Range<u64> = 0..1_500;
/// At least so many cars come and leave, and as many more as it takes until the last kill.
const CARS: usize = 200;
/// Quick hardware, so that most of the time something is under way.
const TIMING: Timing = Timing { travel_ms: 30, approach_ms: 10, passing_ms: 20 };
/// From the start of the process until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// A car comes in over the serial line, and leaves over MQTT.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_when_the_edge_is_killed_at_any_moment() {
    let seed = std::env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("SEED={seed} has the same moments again");
    // A car that drove through while the edge was dead is unknown to it and must get out.
    let setup = Setup {
        timing: TIMING,
        entry: "access = \"public\"\ncooldown_s = 1\nopen_timeout_s = 1\npass_timeout_s = 3",
        exit: "not_inside = \"open\"\ncooldown_s = 1\nopen_timeout_s = 1\npass_timeout_s = 3",
        more: "[parking]\nplaces = 10000\n",
        ..Setup::default()
    };
    let mut site = Scenario::start(setup).await.unwrap();
    let over = CancellationToken::new();
    let (inside, leaving) = mpsc::unbounded_channel();
    let kills = async {
        let random = StdRng::seed_from_u64(seed);
        let starts = kill_often(&mut site.edge, &mut site.cloud, random).await;
        over.cancel();
        starts
    };
    let entry = come(&site.entry, &over, inside);
    let (starts, came, ()) = tokio::join!(kills, entry, leave(&site.exit, leaving));

    site.synced().await.unwrap();
    site.edge.kill().await.unwrap();
    let slowest = starts.iter().max().unwrap();
    let kills = starts.len();
    println!("{came} cars came and left; of {kills} starts the slowest took {slowest:?}");
    assert!(*slowest < READY_WITHIN);
    let events = site.edge.events().unwrap();
    check_cloud(&site, &events);
    check_journal(&site).await;
    let opened = intents(&events);
    check_movements(&opened, &site.entry.barrier.movements());
    check_movements(&opened, &site.exit.barrier.movements());
    println!("{} events, {} commands", events.len(), opened.len());
}

/// The cloud has every event of the journal, once, and nothing else.
fn check_cloud(site: &Scenario, events: &[Event]) {
    let sequences: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    let count = events.len() as u64;
    assert_eq!(sequences, (1..=count).collect::<Vec<_>>(), "the journal has gaps");
    assert_eq!(site.cloud.events(SITE).unwrap(), (count, count));
    assert!(site.cloud.bodies(SITE).unwrap() == site.edge.bodies().unwrap(), "they differ");
}

async fn check_journal(site: &Scenario) {
    let state = site.edge.state();
    let verify = ["journal", "verify", "--state", state.path().to_str().unwrap()];
    println!("{}", process::output("edge-daemon", verify, "").await.unwrap());
}

/// Kills the edge, the cloud, or both and starts them again, time after time; how long each start of
/// the edge took.
async fn kill_often(edge: &mut Edge, cloud: &mut Cloud, mut random: StdRng) -> Vec<Duration> {
    let kills = if std::env::var_os("SOAK").is_some() { KILLS_SOAK } else { KILLS };
    let mut starts = Vec::new();
    for kill in 0..kills {
        sleep(Duration::from_millis(random.random_range(PEACE_MS))).await;
        if kill % 2 == 0 {
            cloud.kill().await.unwrap();
        } else {
            edge.kill().await.unwrap();
            cloud.kill().await.unwrap();
        }
        if kill % 2 == 0 {
            sleep(Duration::from_millis(random.random_range(0..300))).await;
            edge.kill().await.unwrap();
        }
        let began = Instant::now();
        edge.restart().await.unwrap();
        starts.push(began.elapsed());
        cloud.restart().await.unwrap();
    }
    starts
}

/// Cars come in, one after the other; how many.
async fn come(
    entry: &Drive,
    over: &CancellationToken,
    inside: mpsc::UnboundedSender<String>,
) -> usize {
    let mut count = 0;
    while count < CARS || !over.is_cancelled() {
        let plate = format!("京A{count:05}");
        entry.pass(&plate).await.unwrap();
        inside.send(plate).unwrap();
        count += 1;
    }
    count
}

/// Cars leave in the order in which they came.
async fn leave(exit: &Drive, mut leaving: mpsc::UnboundedReceiver<String>) {
    while let Some(plate) = leaving.recv().await {
        exit.pass(&plate).await.unwrap();
    }
}

/// Every command that was meant to be sent, with what it was to do. None was meant twice, and no
/// decision had its barrier opened twice.
fn intents(events: &[Event]) -> HashMap<CommandId, Action> {
    let (mut intents, mut opened) = (HashMap::new(), HashSet::new());
    for event in events {
        if let Fact::CommandIntent { command, decision, action, .. } = event.fact {
            assert_eq!(intents.insert(command, action), None, "{command} has two intents");
            let first = action == Action::Close || opened.insert(decision);
            assert!(first, "{decision} opens twice");
        }
    }
    intents
}

/// The arm moved for no command that was not journaled before, and for none twice.
fn check_movements(intents: &HashMap<CommandId, Action>, movements: &[Movement]) {
    let moved = movements.len();
    println!("a barrier moved {moved} times");
    assert!(moved > CARS / 2);
    let mut done = HashSet::new();
    for movement in movements {
        let Some(id) = movement.command else { continue };
        let command = CommandId(Uuid::from_bytes(id));
        assert!(intents.contains_key(&command), "{command} moved the arm and has no intent");
        assert!(done.insert(command), "{command} moved the arm twice");
    }
}
