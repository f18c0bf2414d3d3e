//! Killed at random moments: nothing that was answered as appended is lost.
//!
//! The test starts itself as a child that appends and says what was answered, and kills it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use domain::{
    event::{Fact, Verdict},
    ids::BootId,
};
use rand::Rng;
use uuid::Uuid;

use super::fixture::*;
use crate::{
    journal::{Commit, Journal, StateDir, verify},
    system_clock::SystemClock,
};

const FOLDER: &str = "GATEHOUSE_CRASH_TEST_FOLDER";
const ROUNDS: u32 = 15;

#[test]
fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
    let site = Site::new();
    let mut random = rand::rng();
    for round in 0..ROUNDS {
        let mut child = spawn_child(&site);
        let answered = read_until_killed(&mut child, random.random_range(1..120));
        let report = verify(&site.state()).unwrap();
        assert!(report.whole(), "round {round}: {report:?}");
        assert!(report.head >= answered, "round {round}: {} < {answered}", report.head);
    }
    site.open();
}

fn spawn_child(site: &Site) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::tests::crash::child", "--ignored", "--nocapture"])
        .env(FOLDER, site.folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The last sequence that the child said was on disk; it is killed after `lines` answers.
fn read_until_killed(child: &mut Child, lines: usize) -> u64 {
    let answers = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("answered ")?.parse().ok());
    let mut answered = 0;
    for (count, sequence) in answers.enumerate() {
        answered = sequence;
        if count == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    answered
}

/// Appends from several tasks until it is killed.
#[test]
#[ignore = "started by the test above, which kills it"]
fn child() {
    let state = StateDir::new(std::env::var(FOLDER).unwrap());
    let boot = BootId(Uuid::new_v4());
    let clock = Arc::new(SystemClock);
    let (journal, _) = Journal::open(&state, "north".parse().unwrap(), boot, clock).unwrap();
    let (handle, _) = journal.spawn(|_: Commit<'_>| ()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let append = || async {
            while let Ok(events) = handle.append(a_car()).await {
                println!("answered {}", events.last().unwrap().sequence);
            }
        };
        tokio::join!(append(), append(), append(), append());
    });
}

fn a_car() -> Vec<Fact> {
    let open = decision(Verdict::Open, "");
    let command = new_command();
    let session = new_session();
    vec![
        Fact::Decision(Box::new(open.clone())),
        intent(&open, command),
        outcome(command),
        session_opened(session, &open),
    ]
}
