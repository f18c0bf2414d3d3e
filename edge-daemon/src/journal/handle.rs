//! The thread that writes, and the handle that everybody else has of it.
//!
//! Whatever arrives while a commit waits for the disk shares the next one, so that a slow card
//! delays many facts no more than one. Nothing is tried twice: an error goes to everybody whose
//! facts were in the transaction, and what they do about it is theirs to decide.

use std::{
    thread,
    time::{Duration, Instant},
};

use domain::{
    clock::Stamp,
    event::{Event, Fact},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    error::{JournalError, Result},
    pictures::PictureState,
    write::{Change, Journal},
};

/// Changes that wait for the writer at most; beyond that, senders wait.
const QUEUE: usize = 256;
/// Changes that share one transaction at most.
const GROUP: usize = 64;

/// What a commit was like, for the one who watches.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The events it wrote.
    pub events: usize,
    /// How long it took, the disk included.
    pub took: Duration,
    /// Why it failed, where it did.
    pub error: Option<&'a JournalError>,
}

/// A handle of the running journal. Clones are the same journal.
#[derive(Clone)]
pub struct JournalHandle {
    queue: mpsc::Sender<Request>,
    head: watch::Receiver<u64>,
    acked: watch::Receiver<u64>,
}

struct Request {
    change: Change,
    answer: oneshot::Sender<Result<Vec<Event>>>,
}

impl Journal {
    /// Starts the thread that writes. It ends when every handle is gone; then the join handle
    /// returns. `watcher` is called on that thread after each commit.
    pub fn spawn(
        mut self,
        mut watcher: impl FnMut(Commit<'_>) + Send + 'static,
    ) -> Result<(JournalHandle, thread::JoinHandle<()>)> {
        let (queue, mut requests) = mpsc::channel(QUEUE);
        let (head_sender, head) = watch::channel(self.head());
        let (acked_sender, acked) = watch::channel(self.acked_through()?);
        let run = move || {
            while let Some(group) = next_group(&mut requests) {
                let (changes, answers): (Vec<_>, Vec<_>) =
                    group.into_iter().map(|request| (request.change, request.answer)).unzip();
                let begun = Instant::now();
                let outcome = self.commit(&changes);
                watcher(describe(&outcome, begun.elapsed()));
                publish(&self, &outcome, &changes, &head_sender, &acked_sender);
                answer(outcome, answers);
                self.tidy();
            }
        };
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(run)
            .map_err(JournalError::file("start the thread of", "journal".as_ref()))?;
        Ok((JournalHandle { queue, head, acked }, thread))
    }
}

impl JournalHandle {
    /// Appends `facts`, together and in this order. They are on disk when this returns them as
    /// events; where it fails, none of them is in the journal. Dropping the future does not take
    /// the facts back.
    pub async fn append(&self, facts: Vec<Fact>) -> Result<Vec<Event>> {
        self.ask(Change::Append(facts)).await
    }

    /// Appends facts that could not be journaled when they were so. As [`JournalHandle::append`].
    pub async fn append_late(&self, facts: Vec<(Stamp, Fact)>) -> Result<Vec<Event>> {
        self.ask(Change::Late(facts)).await
    }

    /// Drops telemetry for want of room: so many events at most, the oldest first. Returns the event
    /// that says so, where there was any.
    pub async fn thin(&self, most: usize) -> Result<Vec<Event>> {
        self.ask(Change::Thin(most)).await
    }

    /// Notes that the cloud has every event up to `through`, and none beyond.
    pub async fn acknowledge(&self, through: u64) -> Result<()> {
        self.ask(Change::Acknowledge(through)).await.map(drop)
    }

    /// Notes what became of a picture.
    pub async fn picture(&self, sha256: String, state: PictureState) -> Result<()> {
        self.ask(Change::Picture(sha256, state)).await.map(drop)
    }

    /// The last sequence that is on disk, as it grows.
    pub fn head(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }

    /// Everything up to here is on the cloud's disk, as it moves.
    pub fn acked(&self) -> watch::Receiver<u64> {
        self.acked.clone()
    }

    async fn ask(&self, change: Change) -> Result<Vec<Event>> {
        let (answer, answered) = oneshot::channel();
        let sent = self.queue.send(Request { change, answer }).await;
        sent.map_err(|_| JournalError::Closed)?;
        answered.await.map_err(|_| JournalError::Closed)?
    }
}

/// Waits for a request and takes what else is there; none when every handle is gone.
fn next_group(requests: &mut mpsc::Receiver<Request>) -> Option<Vec<Request>> {
    let mut group = vec![requests.blocking_recv()?];
    while group.len() < GROUP
        && let Ok(request) = requests.try_recv()
    {
        group.push(request);
    }
    Some(group)
}

type Outcome = Result<Vec<Result<Vec<Event>>>>;

fn describe(outcome: &Outcome, took: Duration) -> Commit<'_> {
    let written = outcome.iter().flatten().flatten();
    Commit { events: written.map(Vec::len).sum(), took, error: outcome.as_ref().err() }
}

/// Readers hear of it before the writers do, so that nobody sees his own event missing.
fn publish(
    journal: &Journal,
    outcome: &Outcome,
    changes: &[Change],
    head: &watch::Sender<u64>,
    acked: &watch::Sender<u64>,
) {
    if outcome.is_err() {
        return;
    }
    head.send_if_modified(|head| std::mem::replace(head, journal.head()) != journal.head());
    for change in changes {
        if let Change::Acknowledge(through) = change {
            acked.send_replace(*through);
        }
    }
}

fn answer(outcome: Outcome, answers: Vec<oneshot::Sender<Result<Vec<Event>>>>) {
    // Who no longer waits for the answer has decided so; the facts are journaled all the same.
    match outcome {
        Ok(outcomes) => {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                answer.send(outcome).ok();
            }
        }
        Err(error) => {
            for answer in answers {
                answer.send(Err(error.clone())).ok();
            }
        }
    }
}
