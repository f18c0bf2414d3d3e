//! `edge-daemon journal` as people and scripts use it.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
    sync::Arc,
};

use domain::{
    event::{Event, Fact},
    ids::BootId,
};
use edge_daemon::{
    journal::{Journal, StateDir},
    system_clock::SystemClock,
};
use tempfile::TempDir;
use uuid::Uuid;

/// A journal of three events.
fn journal() -> (TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let (state, site) = (StateDir::new(folder.path()), "north".parse().unwrap());
    let boot = BootId(Uuid::new_v4());
    let (mut journal, _) = Journal::open(&state, site, boot, Arc::new(SystemClock)).unwrap();
    let changed = Fact::ClockChanged { what: "the clock was set".into(), jump_ms: -250 };
    let started = Fact::Started { version: "1.2.3".into(), grace_minutes: None };
    journal.append(&[started, changed, Fact::Stopped]).unwrap();
    (folder, journal)
}

fn command(verb: &str, folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-daemon"));
    command.args(["journal", verb, "--state"]).arg(folder.path());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn events_are_listed_for_people_and_for_programs() {
    let (folder, _journal) = journal();
    let people = said(&command("ls", &folder).output().unwrap());
    let lines: Vec<_> = people.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].ends_with("started     version 1.2.3"), "{people}");
    assert!(lines[1].ends_with("clock       the clock was set (-250 ms)"), "{people}");

    let json = said(&command("ls", &folder).args(["--json", "--from", "2"]).output().unwrap());
    let events: Vec<Event> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_journal_that_is_none_is_named_with_what_mends_it() {
    let (folder, journal) = journal();
    drop(journal);
    for file in ["journal.db-wal", "journal.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    std::fs::write(folder.path().join("journal.db"), [0xa5; 5000]).unwrap();
    let verified = command("verify", &folder).output().unwrap();
    assert_eq!(verified.status.code(), Some(1));
    let why = String::from_utf8(verified.stderr).unwrap();
    assert!(why.contains("not a database") && why.contains("journal repair"), "{why}");
    let repaired = command("repair", &folder).args(["--site", "north"]).output().unwrap();
    assert!(repaired.status.success() && said(&repaired).contains("lost: 1 to 3"), "{repaired:?}");
    assert!(command("verify", &folder).output().unwrap().status.success());
}

#[test]
fn a_followed_journal_shows_events_as_they_are_written() {
    let (folder, mut journal) = journal();
    let mut follower = command("ls", &folder)
        .args(["--follow", "--json", "--from", "3"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut sequence =
        || serde_json::from_str::<Event>(&lines.next().unwrap().unwrap()).unwrap().sequence;
    assert_eq!(sequence(), 3);
    journal.append(&[Fact::Stopped]).unwrap();
    assert_eq!(sequence(), 4);
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn verify_says_by_its_exit_whether_the_journal_is_whole() {
    let (folder, journal) = journal();
    let whole = command("verify", &folder).output().unwrap();
    assert!(whole.status.success());
    assert!(
        said(&whole).ends_with(
            "3 events up to 3, 0 acknowledged, 0 set aside, 0 gone, 0 pictures: whole\n"
        )
    );

    drop(journal);
    let db = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
    db.execute_batch("UPDATE event SET body = replace(body, '-250', '-251')").unwrap();
    let damaged = command("verify", &folder).arg("--json").output().unwrap();
    assert_eq!(damaged.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&damaged.stdout).unwrap();
    assert_eq!(report["findings"][0]["sequence"], 2);
}

#[test]
fn what_is_left_of_a_damaged_journal_is_exported_as_it_was_written() {
    let (folder, journal) = journal();
    drop(journal);
    let bodies = || -> Vec<String> {
        let db = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
        let mut bodies = db.prepare("SELECT body FROM event ORDER BY sequence").unwrap();
        bodies.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let exported = || -> Vec<String> {
        let output = command("export", &folder).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        said(&output).lines().map(str::to_owned).collect()
    };
    let before = bodies();
    assert_eq!(exported(), before);
    let db = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
    db.execute_batch("UPDATE event SET body = replace(body, '-250', '-251')").unwrap();
    drop(db);
    let repaired = command("repair", &folder).output().unwrap();
    assert!(repaired.status.success() && said(&repaired).contains("lost: 2"), "{repaired:?}");
    let left = exported();
    assert_eq!(left[..2], [before[0].clone(), before[2].clone()], "the others are as they were");
    assert!(left[2].contains("journal_repaired"), "{left:?}");
    assert!(command("verify", &folder).output().unwrap().status.success());
}

#[test]
fn a_folder_without_a_journal_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["ls", "verify"] {
        let output = command(verb, &folder).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains("there is no journal") && error.contains("journal.db"), "{error}");
    }
}
