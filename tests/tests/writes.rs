//! A journal that is killed at each of its writes and flushes in turn: at every one of a start and of
//! the appends behind it. Whatever was answered is there, whole and in order. `SOAK=1` goes on until
//! there are 10,000 events.
//!
//! The test starts itself as a child that journals one car after another and says what was answered.
#![allow(clippy::unwrap_used)]

use std::{
    env,
    path::Path,
    process::{Command, Output},
};

use chrono::Utc;
use edge_daemon::journal::{StateDir, verify};
use system_tests::{
    disk::FaultyDisk,
    fleet::{Site, Visit},
};
use tempfile::TempDir;

const FOLDER: &str = "GATEHOUSE_WRITES_TEST_FOLDER";
/// Cars of a child that is not killed before.
const CARS: usize = 8;
const EVENTS_SOAK: u64 = 10_000;

#[test]
fn a_journal_that_is_killed_at_any_of_its_writes_has_all_that_was_answered() {
    let folder = TempDir::new().unwrap();
    let disk = FaultyDisk::new(folder.path()).unwrap();
    let state = folder.path().join("state");
    let wanted = if env::var_os("SOAK").is_some() { EVENTS_SOAK } else { 1 };
    let (mut head, mut kills) = (0, 0);
    while head < wanted {
        for at in 1_u64.. {
            let child = journal_until_killed(&state, &disk, at);
            let survived = child.status.success();
            let answered = last_answer(&child).unwrap_or(head);
            if answered > 0 {
                head = verified(&state, at);
                assert!(head >= answered, "killed at write {at}: {head} < {answered}");
            }
            if survived {
                assert_eq!(head, answered, "what was journaled and not killed was answered");
                break;
            }
            kills += 1;
        }
    }
    println!("{kills} kills, {head} events, all of them there");
    assert!(kills > CARS, "a car takes at least a write");
}

/// The last event of a journal that is whole.
fn verified(state: &Path, at: u64) -> u64 {
    let report = verify(&StateDir::new(state));
    let report = report.unwrap_or_else(|error| panic!("killed at write {at}: {error}"));
    assert!(report.whole(), "killed at write {at}: {report:?}");
    report.head
}

/// Runs the child until its write or flush number `at`, or to its end.
fn journal_until_killed(state: &Path, disk: &FaultyDisk, at: u64) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(FOLDER, state)
        .envs(disk.environment())
        .env("KILL_AT", at.to_string())
        .output()
        .unwrap()
}

fn last_answer(child: &Output) -> Option<u64> {
    let told = String::from_utf8_lossy(&child.stdout);
    let mut answers = told.lines().filter_map(|line| line.strip_prefix("answered "));
    answers.next_back().map(|answer| answer.parse().unwrap())
}

#[tokio::test]
#[ignore = "started by the test above, which kills it"]
async fn child() {
    let folder = env::var(FOLDER).unwrap();
    let site = Site::open(Path::new(&folder), &"north".parse().unwrap()).unwrap();
    println!();
    for number in 0..CARS {
        site.append(Visit::new(number, Utc::now()).entry()).await.unwrap();
        println!("answered {}", site.head());
    }
}
