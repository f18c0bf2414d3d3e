//! The list on the disk, part by part.
#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use domain::access::{Change, Denial, Digest, Header, Kind, Permit};

use super::store::{Store, Taken};

fn permit(number: usize, holder: &str) -> Change {
    Change::Permit(Permit {
        plate: format!("京A{number:05}").try_into().unwrap(),
        holder: holder.into(),
        valid_from: None,
        valid_until: None,
        lanes: vec![],
        revoked: false,
    })
}

fn gone(number: usize) -> Change {
    Change::Gone { kind: Kind::Permit, plate: format!("京A{number:05}").try_into().unwrap() }
}

fn line(change: &Change) -> String {
    serde_json::to_string(change).unwrap()
}

/// What the cloud says of a list that has these entries.
fn header(version: u64, through: u64, entries: &[Change]) -> Header {
    let mut digest = Digest::default();
    entries.iter().for_each(|entry| digest.add(&line(entry)));
    Header { version, through, entries: entries.len() as u64, digest }
}

struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("lists.db")
    }

    fn open(&self) -> Store {
        Store::open(&self.path()).unwrap().0
    }

    /// The version and the number of entries that a start finds.
    fn found(&self) -> (Option<u64>, usize) {
        let (_, listed) = Store::open(&self.path()).unwrap();
        (listed.version(), listed.len())
    }
}

fn take(store: &mut Store, header: Header, changes: &[Change]) -> Taken {
    let lines: Vec<_> = changes.iter().map(line).collect();
    let changes: Vec<_> = changes.iter().cloned().zip(lines.iter().map(String::as_str)).collect();
    store.take(&header, &changes).unwrap()
}

fn is_whole(taken: &Taken) -> bool {
    matches!(taken, Taken::Whole(_))
}

#[test]
fn parts_become_the_list_at_once_also_with_a_stop_in_between() {
    let disk = Disk::new();
    let all: Vec<_> = (0..10).map(|number| permit(number, "Chen")).collect();
    assert!(is_whole(&take(&mut disk.open(), header(2, 2, &all[..2]), &all[..2])));
    assert_eq!(disk.found(), (Some(2), 2));
    let more = take(&mut disk.open(), header(10, 6, &all), &all[2..6]);
    assert!(matches!(more, Taken::More));
    assert_eq!(disk.found(), (Some(2), 2), "what is not whole counts for nothing");
    let progress = disk.open().progress().unwrap();
    assert_eq!((progress.version, progress.fetched), (2, 6));
    let Taken::Whole(listed) = take(&mut disk.open(), header(10, 10, &all), &all[6..]) else {
        panic!("not whole")
    };
    assert_eq!((listed.version(), listed.len()), (Some(10), 10));
    assert_eq!(disk.found(), (Some(10), 10));
}

#[test]
fn entries_change_and_go() {
    let disk = Disk::new();
    let first = [permit(1, "Chen"), permit(2, "Li")];
    take(&mut disk.open(), header(2, 2, &first), &first);
    let denial = Denial { plate: first[0].plate().clone(), reason: "debts".into() };
    let changes = [permit(1, "Wang"), gone(2), gone(3), Change::Deny(denial)];
    let after = [changes[0].clone(), changes[3].clone()];
    assert!(is_whole(&take(&mut disk.open(), header(6, 6, &after), &changes)));
    assert_eq!(disk.found(), (Some(6), 2));
    // Nothing at all is a newer version as well.
    assert!(is_whole(&take(&mut disk.open(), header(9, 9, &after), &[])));
    assert_eq!(disk.found(), (Some(9), 2));
}

#[test]
fn what_does_not_add_up_is_fetched_anew_and_the_old_list_holds_meanwhile() {
    let disk = Disk::new();
    let first = [permit(1, "Chen"), permit(2, "Li")];
    take(&mut disk.open(), header(2, 2, &first), &first);
    // The cloud has three others, of which only one arrives.
    let others = [permit(3, "Chen"), permit(4, "Li"), permit(5, "Wang")];
    let wrong = take(&mut disk.open(), header(7, 7, &others), &others[..1]);
    assert!(matches!(wrong, Taken::Wrong));
    assert_eq!(disk.found(), (Some(2), 2));
    let progress = disk.open().progress().unwrap();
    assert_eq!((progress.version, progress.fetched, progress.anew), (2, 0, true));
    assert!(is_whole(&take(&mut disk.open(), header(7, 7, &others), &others)));
    assert_eq!(disk.found(), (Some(7), 3));
    assert!(!disk.open().progress().unwrap().anew);
}

#[test]
fn a_damaged_file_is_set_aside_and_hinders_nothing() {
    let disk = Disk::new();
    let entries: Vec<_> = (0..2000).map(|number| permit(number, "Chen")).collect();
    take(&mut disk.open(), header(2000, 2000, &entries), &entries);
    let mut bytes = fs::read(disk.path()).unwrap();
    bytes[8192..].fill(0xa5);
    fs::write(disk.path(), bytes).unwrap();
    assert_eq!(disk.found(), (None, 0));
    assert!(disk.0.path().join("lists.db.damaged").exists());
    fs::write(disk.path(), "this is no database at all, and long enough to be none").unwrap();
    assert_eq!(disk.found(), (None, 0));
    assert!(is_whole(&take(&mut disk.open(), header(2000, 2000, &entries), &entries)));
    assert_eq!(disk.found(), (Some(2000), 2000));
}

#[test]
fn when_it_was_confirmed_is_remembered() {
    let disk = Disk::new();
    assert_eq!(super::confirmed_ms(&disk.open()), None);
    disk.open().confirmed(1_700_000_000_000).unwrap();
    assert_eq!(super::confirmed_ms(&disk.open()), Some(1_700_000_000_000));
}
