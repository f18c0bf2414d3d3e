//! What is damaged is mended by the next start, what is lost is named, and everything else is there
//! to the byte. The short form tries some hundred places; `SOAK=1` tries all of them.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use domain::{
    event::{Event, Fact, Verdict},
    ids::BootId,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use super::fixture::*;
use crate::journal::{Journal, JournalError, Limits, Outbox, verify};

/// Longest that a start with damage may take.
const START_WITHIN: Duration = Duration::from_secs(5);

fn is_soak() -> bool {
    std::env::var_os("SOAK").is_some()
}

/// The files of a journal, as a power cut leaves them.
struct Files(BTreeMap<&'static str, Vec<u8>>);

impl Files {
    fn of(site: &Site) -> Self {
        let names = ["journal.db", "journal.db-wal", "journal.end"];
        let read = |name| Some((name, fs::read(site.folder.path().join(name)).ok()?));
        Self(names.into_iter().filter_map(read).collect())
    }

    /// A site with these files, of which one was changed.
    fn with(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Site {
        let (site, mut changed) = (Site::new(), self.0[name].clone());
        change(&mut changed);
        for (file, bytes) in &self.0 {
            let bytes = if *file == name { &changed } else { bytes };
            fs::write(site.folder.path().join(file), bytes).unwrap();
        }
        site
    }
}

/// A day of a lane, each car in a commit of its own.
fn cars(journal: &mut Journal, count: usize) {
    for _ in 0..count {
        let (open, command) = (decision(Verdict::Open, ""), new_command());
        let story = [
            Fact::Decision(Box::new(open.clone())),
            intent(&open, command),
            outcome(command),
            session_opened(new_session(), &open),
        ];
        journal.append(&story).unwrap();
    }
}

fn bodies(site: &Site) -> Vec<String> {
    site.reader().lines(1, u32::MAX).unwrap().into_iter().map(|line| line.body).collect()
}

/// Starts with damaged files, mends what a start does not, and returns the places that are lost. All
/// the others are as they were.
fn mended(site: &Site, before: &[String]) -> Vec<u64> {
    let began = Instant::now();
    drop(site.journal());
    assert!(began.elapsed() < START_WITHIN, "{:?}", began.elapsed());
    if !verify(&site.state()).is_ok_and(|report| report.whole()) {
        let (name, boot) = ("north".parse().unwrap(), BootId(Uuid::new_v4()));
        Journal::repair(&site.state(), name, boot, site.clock.clone()).unwrap();
    }
    let report = verify(&site.state()).unwrap();
    assert!(report.whole(), "{report:?}");
    let after = bodies(site);
    assert!(after.len() >= before.len(), "no place is left out, none is given twice");
    let lost: Vec<u64> = (1..).zip(&after).filter(|(_, b)| b.is_empty()).map(|(n, _)| n).collect();
    for (sequence, (before, after)) in (1..).zip(before.iter().zip(&after)) {
        assert!(before == after || lost.contains(&sequence), "event {sequence} is another");
    }
    assert_eq!(named(&after), lost, "what is lost is named");
    check_outbox(site, after.len() as u64);
    lost
}

/// The places that the journal says are lost.
fn named(bodies: &[String]) -> Vec<u64> {
    let events = bodies.iter().filter_map(|body| serde_json::from_str::<Event>(body).ok());
    let lost = events.filter_map(|event| match event.fact {
        Fact::JournalRepaired { lost, .. } => Some(lost),
        _ => None,
    });
    let mut named: Vec<u64> = lost.flatten().flat_map(|[first, last]| first..=last).collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// Every place goes to the cloud, in order, once.
fn check_outbox(site: &Site, head: u64) {
    let (reader, limits) = (site.reader(), Limits { events: 50, bytes: 1 << 20 });
    let mut next = 1;
    while next <= head {
        match reader.outbox(next, limits).unwrap() {
            Outbox::Batch(batch) => next = batch.last_sequence() + 1,
            other => panic!("{other:?} at {next} of {head}"),
        }
    }
}

#[test]
fn a_log_that_is_cut_anywhere_in_its_last_commit_loses_that_commit_alone() {
    let site = Site::new();
    let mut journal = site.journal();
    cars(&mut journal, 5);
    let whole = Files::of(&site).0["journal.db-wal"].len();
    cars(&mut journal, 1);
    let (files, before) = (Files::of(&site), bodies(&site));
    let last = files.0["journal.db-wal"].len();
    assert!(last > whole);
    for cut in (whole..last).step_by(if is_soak() { 1 } else { 61 }) {
        let torn = files.with("journal.db-wal", |bytes| bytes.truncate(cut));
        let lost = mended(&torn, &before);
        // What stands whole in the log before the cut is put back from it.
        assert!(lost.iter().all(|lost| (21..=24).contains(lost)), "cut at {cut}: {lost:?}");
    }
    let uncut = files.with("journal.db-wal", |_| ());
    assert_eq!(mended(&uncut, &before), [0_u64; 0]);
}

#[test]
fn a_database_that_is_cut_anywhere_in_its_last_pages_loses_what_stood_there_alone() {
    let site = Site::new();
    let mut journal = site.journal();
    cars(&mut journal, 40);
    drop(journal);
    let (files, before) = (Files::of(&site), bodies(&site));
    let length = files.0["journal.db"].len();
    for cut in (length - 8192..length).step_by(if is_soak() { 1 } else { 127 }) {
        let torn = files.with("journal.db", |bytes| bytes.truncate(cut));
        let lost = mended(&torn, &before);
        assert!(lost.len() <= 20, "cut at {cut} of {length}: {lost:?}");
    }
}

#[test]
fn a_flipped_bit_costs_the_event_that_it_hits_and_is_named() {
    let seed = std::env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("SEED={seed} flips the same bits again");
    let mut random = StdRng::seed_from_u64(seed);
    let site = Site::new();
    let mut journal = site.journal();
    cars(&mut journal, 60);
    journal.checkpoint();
    cars(&mut journal, 20);
    let (files, before) = (Files::of(&site), bodies(&site));
    for name in ["journal.db", "journal.db-wal"] {
        for _ in 0..if is_soak() { 5000 } else { 80 } {
            let at = random.random_range(0..files.0[name].len() * 8);
            let rotten = files.with(name, |bytes| bytes[at / 8] ^= 1 << (at % 8));
            if is_of_a_newer_program(&rotten) {
                continue;
            }
            let lost = mended(&rotten, &before);
            assert!(lost.len() <= 8, "{name}, bit {at}: {lost:?}");
        }
    }
}

/// The bit may be one of the number of the format: then nothing is touched, and that is said.
fn is_of_a_newer_program(site: &Site) -> bool {
    let (name, boot) = ("north".parse().unwrap(), BootId(Uuid::new_v4()));
    let opened = Journal::open(&site.state(), name, boot, site.clock.clone());
    matches!(opened.err(), Some(JournalError::TooNew { .. }))
}

#[test]
fn a_database_of_which_nothing_is_left_begins_behind_what_is_lost() {
    let site = Site::new();
    cars(&mut site.journal(), 3);
    for wreck in [&b""[..], &[0; 8192], b"this was a database"] {
        fs::write(site.state().journal(), wreck).unwrap();
        let _ = fs::remove_file(site.state().journal_log());
        let lost = mended(&site, &[]);
        assert!(lost.len() >= 12, "{lost:?}");
    }
    assert!(Path::new(&site.state().damaged()).exists());
}

#[test]
fn a_power_cut_while_it_is_mended_costs_nothing() {
    let site = Site::new();
    cars(&mut site.journal(), 3);
    let (state, before) = (site.state(), bodies(&site));
    // Between the two renames: the old one is aside, the new one not yet in its place.
    fs::rename(state.journal(), state.damaged()).unwrap();
    fs::write(state.mended(), b"half of a database").unwrap();
    drop(site.journal());
    assert_eq!(bodies(&site), before);
    fs::copy(state.journal(), state.mended()).unwrap();
    fs::rename(state.journal(), state.damaged()).unwrap();
    drop(site.journal());
    assert_eq!(bodies(&site), before);
}
