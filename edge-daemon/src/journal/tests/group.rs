//! The thread: group commit, order, errors to those whom they concern.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use domain::event::{Fact, Verdict};

use super::fixture::*;
use crate::journal::{Commit, JournalError, verify};

#[tokio::test]
async fn appends_that_arrive_together_share_commits_and_none_is_lost() {
    let site = Site::new();
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    let count = move |_: Commit<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let (handle, thread) = site.journal().spawn(count).unwrap();
    let appends = (0..200).map(|_| {
        let handle = handle.clone();
        tokio::spawn(async move { handle.append(facts(2)).await.unwrap() })
    });
    let mut sequences = Vec::new();
    for append in appends.collect::<Vec<_>>() {
        let events = append.await.unwrap();
        assert_eq!(events[0].sequence + 1, events[1].sequence);
        sequences.extend(events.iter().map(|event| event.sequence));
    }
    sequences.sort_unstable();
    assert!(sequences.into_iter().eq(1..=400));
    assert_eq!(*handle.head().borrow(), 400);
    assert!(commits.load(Ordering::Relaxed) < 200);
    drop(handle);
    thread.join().unwrap();
    assert!(verify(&site.state()).unwrap().whole());
}

#[tokio::test]
async fn a_fact_that_cannot_be_written_fails_its_own_append_only() {
    let site = Site::new();
    let handle = site.running();
    let mut open = decision(Verdict::Open, "");
    open.latency.detect_ms = f32::INFINITY;
    let bad = handle.append(vec![Fact::Decision(Box::new(open))]);
    let (bad, good) = tokio::join!(bad, handle.append(facts(1)));
    assert!(matches!(bad, Err(JournalError::Unrepresentable(_))));
    assert_eq!(good.unwrap()[0].sequence, 1);
}

#[tokio::test]
async fn what_the_cloud_has_is_remembered() {
    let site = Site::new();
    let handle = site.running();
    handle.append(facts(5)).await.unwrap();
    handle.acknowledge(3).await.unwrap();
    assert_eq!(*handle.acked().borrow(), 3);
    assert_eq!(site.reader().acked_through().unwrap(), 3);
}
