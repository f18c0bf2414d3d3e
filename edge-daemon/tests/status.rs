//! `edge-daemon status` where the daemon does not run: what the disk says, or why it says nothing.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use domain::{event::Fact, ids::BootId};
use edge_daemon::{
    health::Status,
    journal::{Journal, StateDir},
    system_clock::SystemClock,
};
use uuid::Uuid;

/// The site of a test: nothing serves its health at this port, which nobody can listen on.
fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[site]\nid = \"north\"\n[journal]\nstate_dir = {:?}\n[health]\nlisten = \"127.0.0.1:1\"\n\
         [parking]\nplaces = 10\n[mqtt]\nport = 1883\n\
         [[lanes]]\nid = \"entry\"\ndirection = \"entry\"\ndevice = \"barrier\"\n\
         [[controllers]]\nid = \"barrier\"\nlink = \"mqtt\"\n",
        folder.path().join("state")
    );
    fs::write(folder.path().join("edge.toml"), text).unwrap();
    folder
}

fn status(config: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-daemon"));
    command.args(["status", "--config"]).arg(config).args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn what_waits_and_for_how_long_there_is_room_is_told_also_where_nothing_runs() {
    let folder = site();
    let config = folder.path().join("edge.toml");
    let state = StateDir::new(folder.path().join("state"));
    let (site, boot) = ("north".parse().unwrap(), BootId(Uuid::new_v4()));
    let (mut journal, _) = Journal::open(&state, site, boot, Arc::new(SystemClock)).unwrap();
    let started = Fact::Started { version: "1.2.3".into(), grace_minutes: None };
    journal.append(&[started, Fact::Stopped]).unwrap();

    let told = status(&config, &[]);
    assert_eq!(told.status.code(), Some(1), "a daemon that does not run is no success");
    let told = text(&told.stdout);
    assert!(told.contains("daemon     does not run"), "{told}");
    assert!(told.contains("backlog    2 events wait for the cloud"), "{told}");
    let json = text(&status(&config, &["--json"]).stdout);
    let status: Status = serde_json::from_str(&json).unwrap();
    assert_eq!(status.running, None);
    let journal = status.journal.unwrap();
    assert_eq!((journal.head, journal.acked_through, journal.backlog), (2, 0, 2));
    // A gigabyte at the rate of a busy site, or what the disk of this machine has.
    assert!(journal.room.days_left > 0 && !journal.room.is_measured, "{json}");
    assert!(told.contains(&format!("room       {} days", journal.room.days_left)), "{told}");
}

#[test]
fn what_is_missing_is_named() {
    let folder = site();
    let told = status(&folder.path().join("edge.toml"), &[]);
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told.stdout).contains("daemon     does not run"));
    assert!(text(&told.stderr).contains("there is no journal"), "{}", text(&told.stderr));
    let told = status(&folder.path().join("nothing.toml"), &[]);
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told.stderr).contains("nothing.toml"), "{}", text(&told.stderr));
}
