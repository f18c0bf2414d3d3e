//! A wall clock that was never set, and that jumps: order is kept by sequence, durations by the
//! monotonic clock, and the gate goes on deciding.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    clock::{Clock, ClockQuality},
    event::{Event, Fact, Rule},
};
use edge_daemon::system_clock::SystemClock;
use system_tests::{
    barrier::Timing,
    clock::WallClock,
    scenario::{Scenario, Setup},
};
use tempfile::TempDir;

const TIMING: Timing = Timing { travel_ms: 60, approach_ms: 20, passing_ms: 40 };
/// The first quarter of an hour is free: what these cars stay is far less, whatever the wall says.
const SITE: &str = "[parking]\nplaces = 100\n[parking.tariff]\nfree_minutes = 15\n\
                    base_fee_fen = 500\nbase_seconds = 3600\nhourly_rate_fen = 300\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_at_1970_that_jumps_back_and_ahead_stops_nothing() {
    let folder = TempDir::new().unwrap();
    let clock = WallClock::new(folder.path()).unwrap();
    clock.set_to(never_set()).unwrap();
    let entry = "access = \"public\"";
    let setup =
        Setup { timing: TIMING, entry, more: SITE, clock: Some(clock.clone()), ..Setup::default() };
    let mut site = Scenario::start(setup).await.unwrap();

    site.entry.pass("京A00001").await.unwrap();
    jump(&site, &clock, 0, Jump::Set).await;
    site.entry.pass("京A00002").await.unwrap();
    jump(&site, &clock, -3 * 3600, Jump::Back).await;
    leave(&site, "京A00001", 1).await;
    site.entry.pass("京A00003").await.unwrap();
    jump(&site, &clock, 2 * 365 * 86_400, Jump::Ahead).await;
    leave(&site, "京A00002", 2).await;

    // A power cut, after which the clock is where it was at first.
    site.edge.kill().await.unwrap();
    clock.set_to(never_set()).unwrap();
    site.edge.restart().await.unwrap();
    site.online("exit-barrier").await.unwrap();
    site.online("entry-barrier").await.unwrap();
    leave(&site, "京A00003", 3).await;
    site.entry.pass("京A00004").await.unwrap();

    site.synced().await.unwrap();
    let events = site.edge.events().unwrap();
    let starts = events.iter().filter(|event| matches!(event.fact, Fact::Started { .. })).count();
    assert_eq!(starts, 2, "it went on through every jump");
    check_order(&events);
    check_quality(&events);
    assert!(
        site.cloud.bodies(system_tests::scenario::SITE).unwrap() == site.edge.bodies().unwrap()
    );
}

/// Ten minutes after a machine without a battery for its clock was switched on.
fn never_set() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(10)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Jump {
    Set,
    Back,
    Ahead,
}

impl Jump {
    fn of(jump_ms: i64) -> Option<Self> {
        let hours = jump_ms as f64 / 3_600_000.0;
        let years = hours / (24.0 * 365.0);
        match () {
            () if years > 50.0 => Some(Self::Set),
            () if (hours + 3.0).abs() < 0.01 => Some(Self::Back),
            () if (years - 2.0).abs() < 0.01 => Some(Self::Ahead),
            () => None,
        }
    }
}

/// Sets the clock and waits until the journal says by how much it jumped.
async fn jump(site: &Scenario, clock: &WallClock, ahead_s: i64, jump: Jump) {
    clock.set(ahead_s).unwrap();
    let told = |event: &Event| match event.fact {
        Fact::ClockChanged { jump_ms, .. } => Jump::of(jump_ms) == Some(jump),
        _ => false,
    };
    site.until("the jump is journaled", |events| events.iter().any(told)).await.unwrap();
}

/// A car leaves and pays nothing, as the `count`th.
async fn leave(site: &Scenario, plate: &str, count: usize) {
    site.exit.pass(plate).await.unwrap();
    let left = |events: &[Event]| {
        let free = |event: &&Event| matches!(event.fact, Fact::SessionClosed { fee_fen: 0, .. });
        events.iter().filter(free).count() == count
    };
    site.until("the stay ends and costs nothing", left).await.unwrap();
    let free = |fact: &Fact| match fact {
        Fact::Decision(decision) => {
            let seen = decision.plate.as_ref().is_some_and(|seen| seen.text == plate);
            seen && decision.rule == Rule::Free
        }
        _ => false,
    };
    assert!(site.edge.events().unwrap().iter().any(|event| free(&event.fact)), "{plate}");
}

/// Sequences have no gaps, and within a run of the program the monotonic clock goes with them.
fn check_order(events: &[Event]) {
    let sequences: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=events.len() as u64).collect::<Vec<_>>());
    for pair in events.windows(2) {
        let same_run = pair[0].boot == pair[1].boot;
        assert!(!same_run || pair[0].at.monotonic_ms <= pair[1].at.monotonic_ms);
    }
}

/// Events of a time before the program was built say that their clock was not set; the others say
/// what the machine does.
fn check_quality(events: &[Event]) {
    let machine = SystemClock.now().quality;
    let (never_set, set): (Vec<_>, Vec<_>) =
        events.iter().partition(|event| event.at.wall.timestamp() < 86_400);
    assert!(never_set.iter().all(|event| event.at.quality == ClockQuality::Unsynchronised));
    assert!(set.iter().all(|event| event.at.quality == machine));
    let decided = |events: &[&Event]| {
        events.iter().filter(|event| matches!(event.fact, Fact::Decision(_))).count()
    };
    assert!(decided(&never_set) >= 3 && decided(&set) >= 4);
}
