//! The threads that own the connections: some write, some read. The same for every engine.
//!
//! Writes that wait together share one commit, and so one `fsync`. Each runs in a savepoint of its
//! own, so that one that fails takes no other with it. A write is answered when the commit that
//! carries it is on disk.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use tokio::sync::mpsc;

use super::{Row, StoreError, Transaction, Value, work::Job};

/// Most writes in one commit.
const GROUP: usize = 64;
/// Work that waits at most, for reading and for writing; more waits to be let in.
const QUEUE: usize = 1024;

/// A connection that a thread owns.
pub(super) trait Connection: Transaction + Send + 'static {
    /// The rows of one statement outside of any transaction.
    fn ask(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.query(sql, params)
    }

    /// Begins a transaction that sees one state and changes nothing.
    fn begin_read(&mut self) -> Result<(), StoreError>;

    /// Begins a transaction that writes; waits until no other does that must not run beside it.
    /// `locks` is what its works have for themselves, in order and each once.
    fn begin_write(&mut self, locks: &[i32]) -> Result<(), StoreError>;

    /// Begins a part of the transaction that can be undone without the rest.
    fn begin_part(&mut self) -> Result<(), StoreError> {
        self.execute("SAVEPOINT job", &[]).map(drop)
    }

    /// Ends the part; fails where a statement of it did.
    fn end_part(&mut self) -> Result<(), StoreError> {
        self.execute("RELEASE job", &[]).map(drop)
    }

    /// Ends a part that is the only one of its transaction, which is to be committed next; where a
    /// statement of it failed, that may fail in its place.
    fn end_only_part(&mut self) -> Result<(), StoreError> {
        self.end_part()
    }

    /// Undoes the part and ends it.
    fn undo_part(&mut self) -> Result<(), StoreError> {
        self.script("ROLLBACK TO job; RELEASE job")
    }

    /// Ends the transaction; it is on disk then.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Ends the transaction, where there still is one; nothing of it remains.
    fn rollback(&mut self);
}

/// Where work is handed in.
pub(super) type Queue = mpsc::Sender<Box<dyn Job>>;

/// Starts the thread that writes; it ends when its queue is dropped.
pub(super) fn start_writer(connection: impl Connection) -> Result<Queue, StoreError> {
    let (queue, jobs) = mpsc::channel(QUEUE);
    spawn("store-writer", move || write(connection, jobs))?;
    Ok(queue)
}

/// Starts a thread that reads for each connection; they end when their queue is dropped.
pub(super) fn start_readers(
    connections: impl IntoIterator<Item = impl Connection>,
) -> Result<Queue, StoreError> {
    let (queue, jobs) = mpsc::channel(QUEUE);
    let jobs = Arc::new(Mutex::new(jobs));
    for connection in connections {
        let jobs = jobs.clone();
        spawn("store-reader", move || read(connection, &jobs))?;
    }
    Ok(queue)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map(drop).map_err(|e| StoreError::new("start a thread of the store", e))
}

fn read(mut connection: impl Connection, jobs: &Mutex<mpsc::Receiver<Box<dyn Job>>>) {
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
    while let Some(mut job) = next() {
        let answer = job.question().map(|(sql, params)| connection.ask(sql, params));
        if let Some(answer) = answer {
            job.answer(answer);
            job.finish();
            continue;
        }
        match connection.begin_read() {
            Ok(()) => {
                run(&mut *job, &mut connection);
                connection.rollback();
            }
            Err(error) => {
                connection.rollback();
                job.fail(error);
            }
        }
        job.finish();
    }
}

fn write(mut connection: impl Connection, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(GROUP);
    while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
        if let Err(error) = commit(&mut connection, &mut group) {
            tracing::error!(%error, writes = group.len(), "writes were not kept");
            group.iter_mut().for_each(|job| job.fail(error.clone()));
        }
        group.drain(..).for_each(Job::finish);
    }
}

fn commit(connection: &mut impl Connection, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let mut locks: Vec<_> = group.iter().filter_map(|job| job.lock()).collect();
    // In one order in every instance, so that no two wait for each other.
    locks.sort_unstable();
    locks.dedup();
    let is_alone = group.len() == 1;
    let mut run = |connection: &mut _| {
        group.iter_mut().try_for_each(|job| run_apart(connection, &mut **job, is_alone))
    };
    let done = connection
        .begin_write(&locks)
        .and_then(|()| run(connection))
        .and_then(|()| connection.commit());
    if done.is_err() {
        connection.rollback();
    }
    done
}

fn run_apart(
    connection: &mut impl Connection,
    job: &mut dyn Job,
    is_alone: bool,
) -> Result<(), StoreError> {
    connection.begin_part()?;
    if run(job, connection) {
        if is_alone {
            return connection.end_only_part();
        }
        // Fails where the work went on after a statement of its own had failed.
        let Err(error) = connection.end_part() else { return Ok(()) };
        job.fail(error);
    }
    connection.undo_part()
}

/// Runs work that may be wrong without losing the thread.
fn run(job: &mut dyn Job, tx: &mut dyn Transaction) -> bool {
    catch_unwind(AssertUnwindSafe(|| job.run(tx))).unwrap_or_else(|_| {
        job.fail(StoreError::new("do the work", "it panicked"));
        false
    })
}
