//! The writer thread: writes that wait together share one commit, and so one `fsync`. Each runs in
//! a savepoint of its own, so that one that fails takes no other with it.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::connection::SqliteTransaction;
use crate::store::{StoreError, Transaction};

/// Most writes in one commit.
const GROUP: usize = 64;

/// A write whose types are forgotten.
pub(super) trait Job: Send {
    /// Runs the work; whether its changes are to be kept.
    fn run(&mut self, tx: &mut dyn Transaction) -> bool;

    /// Answers the caller: the outcome of the work, or why the commit failed.
    fn finish(self: Box<Self>, commit_failure: Option<&str>);
}

/// A write and who waits for it.
pub(super) struct Write<F, T, E> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Write<F, T, E> {
    pub(super) fn new(work: F, reply: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work: Some(work), outcome: None, reply }
    }
}

impl<F, T, E> Job for Write<F, T, E>
where
    F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut dyn Transaction) -> bool {
        self.outcome = self.work.take().map(|work| work(tx));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn finish(self: Box<Self>, commit_failure: Option<&str>) {
        let failed = |reason: &str| Err(StoreError::new("commit", reason).into());
        let answer = match (commit_failure, self.outcome) {
            (Some(reason), _) => failed(reason),
            (None, Some(outcome)) => outcome,
            (None, None) => failed("the write did not run"),
        };
        // A caller that went away no longer wants the answer; its write stands.
        let _ = self.reply.send(answer);
    }
}

/// Runs writes until no sender is left.
pub(super) fn run(connection: Connection, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(GROUP);
    while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
        let failure = commit(&connection, &mut group).err().map(|error| error.to_string());
        if let Some(reason) = &failure {
            tracing::error!(%reason, "writes were not kept");
        }
        for job in group.drain(..) {
            job.finish(failure.as_deref());
        }
    }
}

fn commit(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let mut tx = SqliteTransaction(connection);
    tx.script("BEGIN IMMEDIATE")?;
    let done = run_group(&mut tx, group).and_then(|()| tx.script("COMMIT"));
    if done.is_err() {
        // Where the engine has rolled back by itself, there is nothing left to roll back.
        let _ = tx.script("ROLLBACK");
    }
    done
}

fn run_group(tx: &mut SqliteTransaction<'_>, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    for job in group {
        tx.script("SAVEPOINT job")?;
        if !job.run(tx) {
            tx.script("ROLLBACK TO job")?;
        }
        tx.script("RELEASE job")?;
    }
    Ok(())
}
