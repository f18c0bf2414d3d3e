//! Passwords: argon2id, a few at a time so that logins cannot take the machine, and the same work
//! for an account that is not there, so that the time tells nobody which are.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    error::{Error, Result},
    secret::PasswordHasher,
    store::StoreError,
};

/// Passwords that may wait for their turn; each takes tens of milliseconds.
const WAITING: usize = 64;
/// Threads that work on passwords. Each keeps the 19 MB that argon2id asks for.
const WORKERS: usize = 2;
/// After how many seconds it is worth trying again when too many wait.
const BUSY_RETRY_S: u64 = 2;

type Job = Box<dyn FnOnce(&mut PasswordHasher) + Send>;

/// The one place where passwords are hashed and compared.
pub(super) struct Passwords {
    jobs: mpsc::Sender<Job>,
    /// What the password of nobody is compared with.
    decoy: Arc<OnceLock<String>>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..WORKERS {
            let waiting = waiting.clone();
            thread::spawn(move || work_on(&waiting));
        }
        Self { jobs, decoy: Arc::default() }
    }

    /// What is kept of a password.
    pub(super) async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.work(move |hasher| hasher.hash(&password)).await
    }

    /// Whether a password is the one that `hash` was made of; never, and not sooner, without one.
    pub(super) async fn matches(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let (password, decoy) = (password.to_owned(), self.decoy.clone());
        self.work(move |hasher| match hash {
            Some(hash) => hasher.matches(&password, &hash),
            None => {
                let decoy = match decoy.get() {
                    Some(decoy) => decoy,
                    None => decoy.get_or_init(|| hasher.hash("").unwrap_or_default()),
                };
                hasher.matches(&password, decoy).map(|_| false)
            }
        })
        .await
    }

    /// Runs work on one of the threads when its turn comes.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PasswordHasher) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, outcome) = oneshot::channel();
        // Whoever asked may have gone away meanwhile.
        let job = Box::new(move |hasher: &mut _| drop(reply.send(work(hasher))));
        let busy = |_| Error::Throttled { retry_after_s: BUSY_RETRY_S };
        self.jobs.try_send(job).map_err(busy)?;
        outcome.await.map_err(|e| StoreError::new("work on a password", e))?
    }
}

/// Does one job after another until no more can come.
fn work_on(waiting: &Mutex<mpsc::Receiver<Job>>) {
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
    let mut hasher = None;
    while let Some(job) = next() {
        job(hasher.get_or_insert_with(PasswordHasher::new));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_matches() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(passwords.matches("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!passwords.matches("wrong horse", Some(hash)).await.unwrap());
        assert!(!passwords.matches("", None).await.unwrap(), "the decoy lets nobody in");
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_instead_of_piling_up() {
        let passwords = Arc::new(Passwords::new());
        let tries = (0..3 * WAITING).map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.matches("flood", None).await })
        });
        let mut turned_away = 0;
        for outcome in tries.collect::<Vec<_>>() {
            let outcome = outcome.await.unwrap();
            turned_away += usize::from(matches!(outcome, Err(Error::Throttled { .. })));
        }
        assert!((1..=2 * WAITING).contains(&turned_away), "{turned_away}");
        assert!(passwords.matches("calm", None).await.is_ok());
    }
}
