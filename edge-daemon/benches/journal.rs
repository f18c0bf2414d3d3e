//! How fast the journal is on this disk: single appends, appends that share commits, a start with
//! 100 000 events, and the check of all of them. Prints; asserts nothing.
#![allow(clippy::unwrap_used)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{event::Fact, ids::BootId};
use edge_daemon::{
    journal::{Journal, JournalHandle, StateDir, verify},
    system_clock::SystemClock,
};
use uuid::Uuid;

const EVENTS: usize = 100_000;
const SINGLE: usize = 1000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::new(folder.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    {
        let (journal, thread) = open(&state).spawn(|_| ()).unwrap();
        runtime.block_on(singly(&journal));
        runtime.block_on(together(&journal));
        runtime.block_on(fill(&journal));
        drop(journal);
        thread.join().unwrap();
    }
    let begun = Instant::now();
    let journal = open(&state);
    println!("start with {} events: {:.1?}", journal.head(), begun.elapsed());
    let begun = Instant::now();
    let report = verify(&state).unwrap();
    println!(
        "verify {} events: {:.2?}, {} findings",
        report.events,
        begun.elapsed(),
        report.findings.len()
    );
}

fn open(state: &StateDir) -> Journal {
    let (site, boot) = ("bench".parse().unwrap(), BootId(Uuid::new_v4()));
    Journal::open(state, site, boot, Arc::new(SystemClock)).unwrap().0
}

fn a_fact() -> Fact {
    let reason = "no answer to three polls, the last one 1500 ms ago; the port is there".to_owned();
    Fact::Device { device: "barrier-entry".parse().unwrap(), online: false, reason }
}

/// One append after another, each on disk before the next.
async fn singly(journal: &JournalHandle) {
    let mut took = Vec::new();
    for _ in 0..SINGLE {
        let begun = Instant::now();
        journal.append(vec![a_fact()]).await.unwrap();
        took.push(begun.elapsed());
    }
    tell("one append at a time", took);
}

/// Sixteen tasks that append.
async fn together(journal: &JournalHandle) {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for _ in 0..SINGLE {
                    journal.append(vec![a_fact()]).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let rate = (16 * SINGLE) as f64 / begun.elapsed().as_secs_f64();
    println!("sixteen at a time: {rate:.0} appends/s, each on disk when answered");
}

async fn fill(journal: &JournalHandle) {
    while *journal.head().borrow() < EVENTS as u64 {
        journal.append(vec![a_fact(); 1000]).await.unwrap();
    }
}

fn tell(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!("{what}: median {:.2?}, p99 {:.2?}, most {:.2?}", at(0.5), at(0.99), at(1.0));
}
