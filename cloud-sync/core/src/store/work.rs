//! Work that callers hand to the threads which own the connections.

use tokio::sync::oneshot;

use super::{Row, StoreError, Transaction, Value};

/// Work whose types are forgotten.
pub(super) trait Job: Send {
    /// What it has for itself, where the queue is for such work.
    fn lock(&self) -> Option<i32>;

    /// The one statement that it is, where it needs no transaction around it.
    fn question(&self) -> Option<(&str, &[Value])> {
        None
    }

    /// Takes the answer to the question.
    fn answer(&mut self, _: Result<Vec<Row>, StoreError>) {}

    /// Does it; whether its changes are to be kept.
    fn run(&mut self, tx: &mut dyn Transaction) -> bool;

    /// Replaces its outcome: what it did could not be kept.
    fn fail(&mut self, error: StoreError);

    /// Answers the caller.
    fn finish(self: Box<Self>);
}

/// Work and who waits for it.
pub(super) struct Work<F, T, E> {
    lock: Option<i32>,
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Work<F, T, E> {
    pub(super) const fn new(
        lock: Option<i32>,
        work: F,
        reply: oneshot::Sender<Result<T, E>>,
    ) -> Self {
        Self { lock, work: Some(work), outcome: None, reply }
    }
}

impl<F, T, E> Job for Work<F, T, E>
where
    F: FnOnce(&mut dyn Transaction) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn lock(&self) -> Option<i32> {
        self.lock
    }

    fn run(&mut self, tx: &mut dyn Transaction) -> bool {
        self.outcome = self.work.take().map(|work| work(tx));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn fail(&mut self, error: StoreError) {
        self.outcome = Some(Err(error.into()));
    }

    fn finish(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // A caller that went away no longer wants the answer; its write stands.
            let _ = self.reply.send(outcome);
        }
    }
}

/// One statement that reads, and who waits for its rows.
pub(super) struct Question {
    sql: String,
    params: Vec<Value>,
    outcome: Option<Result<Vec<Row>, StoreError>>,
    reply: oneshot::Sender<Result<Vec<Row>, StoreError>>,
}

impl Question {
    pub(super) fn new(
        sql: &str,
        params: &[Value],
        reply: oneshot::Sender<Result<Vec<Row>, StoreError>>,
    ) -> Self {
        Self { sql: sql.to_owned(), params: params.to_vec(), outcome: None, reply }
    }
}

impl Job for Question {
    fn lock(&self) -> Option<i32> {
        None
    }

    fn question(&self) -> Option<(&str, &[Value])> {
        Some((&self.sql, &self.params))
    }

    fn answer(&mut self, answer: Result<Vec<Row>, StoreError>) {
        self.outcome = Some(answer);
    }

    fn run(&mut self, tx: &mut dyn Transaction) -> bool {
        self.outcome = Some(tx.query(&self.sql, &self.params));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn fail(&mut self, error: StoreError) {
        self.outcome = Some(Err(error));
    }

    fn finish(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // A caller that went away no longer wants the answer.
            let _ = self.reply.send(outcome);
        }
    }
}
